"""`LossExplorer`: which losses let go of a well-ranked target, on scores of any kind."""
