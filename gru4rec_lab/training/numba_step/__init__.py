"""The training step on compiled kernels, for CPUs; the plain `Step` is its oracle.

torch multiplies the matrices, into arrays that are made once; `gru4rec_lab.kernels` does all else.
`supported` says which settings kernels can run, `choice` which step trains; neither imports numba.
`step` trains: `tables` holds the parameters, `layers` leads to the hidden state, `output` to the
loss.
"""
