"""Compiled kernels of the CPU paths; each module holds one idea. Importing one imports numba.

Kernels take numpy arrays of float32 or float64 and write into arrays that they are handed. Their
docstrings say the shapes, as [rows, width]; an array that is made once for the largest step may be
longer. torch multiplies the matrices between them. tests/test_kernels.py and
tests/test_numba_step.py pin what must be equal to the plain path.
"""
