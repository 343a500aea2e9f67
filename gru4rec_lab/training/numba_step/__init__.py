"""The training step on compiled kernels, for CPUs; the plain `Step` is its oracle.

torch multiplies the matrices, into arrays that are made once; `gru4rec_lab.kernels` does all else.
Importing this package imports no numba; its modules `step` and `search` do.
"""
