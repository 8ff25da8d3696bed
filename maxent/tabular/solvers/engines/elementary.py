r"""exp and log for compiled sweeps, with a proved error and in a form that compilers vectorise.

The certified bounds (`maxent.tabular.bounds`) assume exp and log to be within 4 u of the truth,
relative, u = 2^-53.  For the system's library that is an assumption; here it is a proof.  Every
operation below is one IEEE operation, rounded to nearest: `fastmath`, which would reassociate
them, is never used.  A contraction to fused multiply-adds, if a machine had it, only removes
roundings.

**exp(x), x <= 0.**  k is the whole number nearest to x / ln 2, r = x - k ln 2, exp x = 2^k exp r.

- Reduction.  ln 2 = HIGH + LOW, HIGH a multiple of 2^-32: k HIGH is exact, and so is x - k HIGH
  (below 1/2, and a multiple of 2^-54 as |x| > 1/3 for k != 0).  k LOW <= 2e-7 has a relative error
  of 2 u.  The last subtraction, |r| < 0.3466, rounds by at most u/4.  r is off by < 0.26 u.
- Polynomial.  Taylor's of degree 13 leaves out at most |r|^14 / 14! exp |r| < 6e-18 < 0.06 u.
  It is computed as 1 + (r + r^2 h), 0.4 < h < 0.57, r^2 < 0.1202.  Of h, the last addition rounds
  by u/2, the product before it (< 0.063) by u/32, what comes before, times |r|, by 0.1 u: < 0.8 u.
  r^2 h: 0.1202 (0.8 u) and two products, 2 u (0.0686): < 0.24 u.  r + r^2 h < 1/2 rounds by u/4.
  The last addition rounds by u in [1, 2), by u/2 in [1/2, 1).
- Relative to exp r: (0.26 + 0.06 + 0.24 + 0.25 + 1) u = **1.81 u** where exp r >= 1; below 1, with
  exp r > 0.7071: 0.26 u + (0.06 + 0.24 + 0.25 + 0.5) u / 0.7071 = **1.75 u**.  2^k is exact:
  k >= -1020.
- x < -707, and -inf, give 0: off by less than 1e-307, in a sum that is at least 1.  exp(0) = 1.

**log(y), y >= 2^-1022.**  y = 2^k (1 + f), sqrt(1/2) <= 1 + f < sqrt 2; with s = f / (2 + f)

    log(1 + f) = 2 artanh s = f - (f^2/2 - s (f^2/2 + R)),  R = 2/3 s^2 + 2/5 s^4 + ... + 2/21 s^20.

- What R leaves out is below 2/23 s^22 / (1 - s^2) < 2e-18 as |s| < 0.1716, times |s| <= 0.6 |log|:
  < 0.02 u, relative.  f is exact; s is within 2 u, R (< 0.0204) within 8 u.
- The worst is f near sqrt 2 - 1: f^2/2 <= 0.0858 rounds by u/16, f^2/2 + R by u/16;
  s (f^2/2 + R) <= 0.0182 is off by 3 u of itself and 0.1716 (0.36 u): 0.12 u in all; the
  difference rounds by u/16.  The correction to f is off by < 0.25 u, and, as it is of second
  order, by < 1.5 u f^2 for a smaller f.
- k = 0: |f| <= 1.2 |log y|, so the correction costs < 1.5 (0.4143) 1.2 u = 0.75 u, relative, and
  the last rounding u: **1.8 u** with what R leaves out.
- k != 0: k HIGH is exact, k LOW is off by < 1e-6 u, its addition rounds by < u/16, correction - f
  by u/4, the last addition by u |log y|; |log y| >= 0.3466: (0.25 + 0.07 + 0.25) / 0.3466 + 1 =
  **2.7 u**, relative.

On dense samples against 60 digits, errors up to 1.3 u and 1.7 u are seen (`tests/tabular`).
"""

from __future__ import annotations

import math
from typing import Any

from numba import njit
from numba.core import types
from numba.extending import intrinsic


def compiled(function: Any) -> Any:
    """`function` compiled by Numba, kept on disk between processes where that can be written."""
    options = {"error_model": "numpy", "nogil": True}
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:  # no folder that a cache could be kept in
        return njit(**options)(function)


@intrinsic
def bits_of(context: Any, x: Any) -> Any:
    """The bits of a float64 as an int64."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(types.int64))

    return types.int64(types.float64), generate


@intrinsic
def of_bits(context: Any, bits: Any) -> Any:
    """The float64 of these bits, an int64."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(types.float64))

    return types.float64(types.int64), generate


LOG2_E = 1.0 / math.log(2.0)
HIGH, LOW = float.fromhex("0x1.62e42feep-1"), float.fromhex("0x1.a39ef35793c76p-33")
WHOLE = 1.5 * 2.0**52
"""Added to a number below 2^51 it rounds it to a whole one, which its last bits then hold."""
SMALLEST = -707.0
C3, C4, C5, C6, C7, C8, C9, C10, C11, C12, C13 = (1.0 / math.factorial(n) for n in range(3, 14))
R1, R2, R3, R4, R5, R6, R7, R8, R9, R10 = (2.0 / (2 * n + 1) for n in range(1, 11))
ROOT_HALF = 0x3FE6A09E667F3BCD
"""The bits of sqrt(1/2)."""


@compiled
def exp(x: float) -> Any:
    """e^x for x <= 0 (-inf included), within 1.9 u; 0 below -707."""
    inside = x >= SMALLEST
    y = x if inside else 0.0
    shifted = y * LOG2_E + WHOLE
    k = shifted - WHOLE
    r = (y - k * HIGH) - k * LOW
    h = C13 * r + C12
    h = h * r + C11
    h = h * r + C10
    h = h * r + C9
    h = h * r + C8
    h = h * r + C7
    h = h * r + C6
    h = h * r + C5
    h = h * r + C4
    h = h * r + C3
    h = h * r + 0.5
    near_one = 1.0 + (r + (r * r) * h)
    power = of_bits((bits_of(shifted) + 1023) << 52)
    return near_one * power if inside else 0.0


@compiled
def log(y: float) -> Any:
    """The natural logarithm of a normal y > 0, within 2.7 u."""
    bits = bits_of(y)
    k = (bits - ROOT_HALF) >> 52
    f = of_bits(bits - (k << 52)) - 1.0
    s = f / (2.0 + f)
    z = s * s
    rest = R10 * z + R9
    rest = rest * z + R8
    rest = rest * z + R7
    rest = rest * z + R6
    rest = rest * z + R5
    rest = rest * z + R4
    rest = rest * z + R3
    rest = rest * z + R2
    rest = rest * z + R1
    rest = rest * z
    half = 0.5 * f * f
    return k * HIGH - ((half - (s * (half + rest) + k * LOW)) - f)
