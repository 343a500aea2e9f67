"""The training step on compiled kernels, for CPUs; the plain `Step` is its oracle.

torch multiplies the matrices, into arrays that are made once; `gru4rec_lab.kernels` does all else.
"""

from .step import FastStep

__all__ = ["FastStep"]
