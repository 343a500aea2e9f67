"""Many trainings, one for each trial of a grid: on this machine's cores or on a Dask cluster."""
