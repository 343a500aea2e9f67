"""Training and evaluation on a GPU: ours beside the official code, and why it takes that long.

    python -m benchmarks.gpu [--official PATH] [--cases abcdfg] [--rounds 5]

Five tables, to benchmarks/RESULTS.md ("On a GPU"): the steps of each case; what happens inside of
one (kernels, waits, whether a run repeats); an epoch end to end; evaluation; growth with the
catalogue. Time on the clock, since a GPU works while Python waits, and the GPU is waited for at the
end of each block of steps. A part or side that fails leaves its error in the table.

On a machine that is lent for ten minutes, in one line, from the root of this checkout:

    python3 -m venv --system-site-packages /tmp/venv && /tmp/venv/bin/pip install -q platformdirs &&
    git clone -q https://github.com/hidasib/GRU4Rec_PyTorch_Official /tmp/official &&
    git -C /tmp/official checkout -q d1fc311 &&
    OMP_NUM_THREADS=1 /tmp/venv/bin/python -m benchmarks.gpu --official /tmp/official --out results

That takes the torch that is there, and with it numpy, pandas, numba, jaxtyping, safetensors and
tqdm; name to pip what is missing. Without a network, bring the wheels and the official checkout
along; without `--official` its columns stay empty. `--seconds` (480) is what it plans with,
data included: rows that no longer fit are named and left out, and some five minutes measure all.
RESULTS.md, and a copy of the section in the folder `--out`, are written after each part.
`--device cpu --tiny` tries everything on a CPU in half a minute.
"""
