"""exp, log1p and sigmoid that run eight numbers at a time in float32.

numba calls the C library for one number at a time, which takes several times as long; the series
here have no branch and no table. In float64, in which tests compare but nobody trains, the C
library is called. All functions take and return single numbers; loops over arrays call them.
"""

import math

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

from .jit import in_order, vectorised

_F = np.float32
# With a float32 these give a float32, as Python's own numbers do not, and with a float64 a float64.
ZERO, HALF, ONE, TWO = map(_F, (0, 0.5, 1, 2))
_LOG2_E = _F(1 / math.log(2))
# log 2 in two parts; n times the first one has no rounding error, since it has nine bits.
_LOG_2_HIGH = _F(0.693359375)
_LOG_2_LOW = _F(math.log(2) - 0.693359375)
# Below the first one e^x is no normal float32 and becomes 0; above the second one 2^n is none, so
# x is cut off there.
_LOWEST, _HIGHEST = _F(-87.0), _F(88.0)
# (e^r - 1 - r) / r^2 for |r| <= log(2) / 2 and (atanh(z) / z - 1) / z^2 for z <= 1/3 by z^2:
# Chebyshev fits to 7e-8 and 4e-9, highest power first.
_EXP = tuple(map(_F, (1.39345439e-3, 8.36377647e-3, 4.16664568e-2, 1.66665734e-1, 0.500000001)))
_ATANH = tuple(map(_F, (0.11619438, 0.108516793, 0.142962899, 0.199998507, 0.333333337)))


@intrinsic
def _power_of_two(typing_context, n):
    """2^n of a whole float32 by putting n where its exponent is."""

    def code(context, builder, signature, arguments):
        whole = ir.IntType(32)
        exponent = builder.add(builder.fptosi(arguments[0], whole), whole(127))
        return builder.bitcast(builder.shl(exponent, whole(23)), ir.FloatType())

    return types.float32(types.float32), code


@in_order
def _exp_float32(x):
    """e^x = 2^n e^r with |r| <= log(2) / 2; error below 1.2e-7 of the value."""
    inside = min(max(x, _LOWEST), _HIGHEST)
    n = np.floor(inside * _LOG2_E + HALF)
    r = inside - n * _LOG_2_HIGH - n * _LOG_2_LOW
    series = _EXP[0]
    series = series * r + _EXP[1]
    series = series * r + _EXP[2]
    series = series * r + _EXP[3]
    series = series * r + _EXP[4]
    value = (series * r * r + r + ONE) * _power_of_two(n)
    return value if x > _LOWEST else ZERO


@in_order
def _log1p_float32(x):
    """log(1 + x) = 2 atanh(x / (2 + x)), for 0 <= x <= 1; error below 2e-7 of the value."""
    z = x / (x + TWO)
    squared = z * z
    series = _ATANH[0]
    series = series * squared + _ATANH[1]
    series = series * squared + _ATANH[2]
    series = series * squared + _ATANH[3]
    series = series * squared + _ATANH[4]
    return TWO * (z + z * squared * series)


def exp(x):
    """e^x; in float32 0 below -87, and e^88 above 88. For kernels only."""
    return math.exp(x)


def log1p(x):
    """log(1 + x) for 0 <= x <= 1. For kernels only."""
    return math.log1p(x)


@overload(exp, inline="never")
def _exp(x):
    return (lambda x: _exp_float32(x)) if x == types.float32 else (lambda x: math.exp(x))


@overload(log1p, inline="never")
def _log1p(x):
    return (lambda x: _log1p_float32(x)) if x == types.float32 else (lambda x: math.log1p(x))


@vectorised
def sigmoid(x):
    """sigma(x)."""
    small = exp(-abs(x))
    return (ONE if x >= ZERO else small) / (ONE + small)


@vectorised
def sigmoid_and_slope(x):
    """sigma(x) and sigma(x) sigma(-x); the slope keeps its digits on both sides."""
    small = exp(-abs(x))
    larger = ONE / (ONE + small)
    return (ONE if x >= ZERO else small) * larger, small * larger * larger


@vectorised
def softplus(x):
    """log(1 + e^x)."""
    return max(x, ZERO) + log1p(exp(-abs(x)))
