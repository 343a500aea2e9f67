"""Compiled kernels of the CPU paths; each module holds one idea. Importing one imports numba.

Kernels take numpy arrays of float32 or float64 and write into arrays that they are handed. The
matrix products between them are torch's. What must be equal to the plain path is pinned in
tests/test_kernels.py and tests/test_numba_step.py.
"""
