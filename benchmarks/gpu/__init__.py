"""Training and evaluation on a GPU: ours beside the official code, and why it takes that long.

    python -m benchmarks.gpu [--official PATH] [--cases abcdfg] [--rounds 5]

Five tables, to benchmarks/RESULTS.md ("On a GPU"): the steps of each case; what happens inside of
one (kernels, waits, whether a run repeats); an epoch end to end; evaluation; growth with the
catalogue. Time on the clock, since a GPU works while Python waits, and the GPU is waited for at the
end of each block of steps. A part or side that fails leaves its error in the table.

On a machine that is lent for some minutes, in one line:

    git clone -q https://github.com/hidasib/GRU4Rec_PyTorch_Official official &&
    git -C official checkout -q d1fc311 &&
    OMP_NUM_THREADS=1 python3 -m benchmarks.gpu --official official --seconds 480 --out results

It needs torch with CUDA, numpy, pandas, numba, jaxtyping, safetensors and tqdm; nothing needs to be
installed for it, and a checkout of the official code may be brought along. `--seconds` is the time
that it plans with: rows that no longer fit are named and left out. RESULTS.md, and a copy of the
section in the folder `--out`, are written after each part. `--device cpu --tiny` tries everything
on a CPU in half a minute.
"""
