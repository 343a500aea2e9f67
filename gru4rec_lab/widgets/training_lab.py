class TrainingLab:
    pass
