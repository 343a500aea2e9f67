"""How kernels are compiled, and the one instruction that numba does not offer: prefetch.

Compiled code is kept in `__pycache__` (or in NUMBA_CACHE_DIR, or where the system keeps caches), so
that only the first run on a machine compiles; where no folder can be written, each run does. numba
notices a change of a kernel's own file only, but kernels call kernels of other files: code that is
older than any file of this package is compiled again.
"""

from contextlib import suppress
from functools import cache
from inspect import unwrap
from pathlib import Path

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

# numpy's error model: Python's raises on a division by 0, and that check in a loop stops it from
# running eight numbers at a time. nogil: panels stay alive while a kernel runs.
_ALWAYS = {"nogil": True, "error_model": "numpy"}

# Sums may be reordered, which lets them run eight at a time. Infinities keep their meaning
# everywhere, nan only in kernels that are `nan_aware`.
_REORDERED = {"reassoc", "contract"}


def _compiler(**options):
    """A decorator that compiles, without what tests wrap around a function to check its shapes."""

    def compiled(function):
        kernel = njit(**_ALWAYS, **options)(unwrap(function))
        with suppress(RuntimeError):  # no folder to keep it in
            kernel.enable_caching()
            forget_stale(kernel.stats.cache_path)
        return kernel

    return compiled


@cache
def forget_stale(folder: str) -> None:
    """Remove the indices of compiled code in `folder` that are older than a source of a kernel."""
    newest = max(path.stat().st_mtime_ns for path in Path(__file__).parent.glob("*.py"))
    for index in Path(folder).glob("*.nbi"):
        # Another process may do the same; of a folder that cannot be written to, numba complains.
        with suppress(OSError):
            if index.stat().st_mtime_ns < newest:
                index.unlink()


compiled = _compiler()
nan_aware = _compiler(fastmath=_REORDERED)
vectorised = _compiler(fastmath=_REORDERED | {"nsz", "arcp", "nnan"})
# Without reordering: for arithmetic whose result depends on its order.
in_order = _compiler(fastmath={"contract", "nsz", "nnan"})

CACHE_LINE = 64  # bytes


@intrinsic
def _prefetch_line(typing_context, address):
    def code(context, builder, signature, arguments):
        pointer, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        to_read, keep_in_every_cache, data = number(0), number(3), number(1)
        target = builder.inttoptr(arguments[0], pointer)
        builder.call(function, [target, to_read, keep_in_every_cache, data])
        return context.get_dummy_value()

    return types.void(types.intp), code


@compiled
def prefetch(table, row):
    """Ask memory for `table[row]`, a row of [rows, width], before it is needed; returns at once.

    The rows of a step stand anywhere in an item table, so that each is a wait for memory; without
    asking ahead, gathering rows takes 4 times and updating them 3 times as long.
    """
    first = table.ctypes.data + row * table.strides[0]
    for line in range(0, table.strides[0], CACHE_LINE):
        _prefetch_line(first + line)
