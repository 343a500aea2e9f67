"""`TrainingLab`: a real GRU4Rec that trains while its loss and its negatives are changed."""
