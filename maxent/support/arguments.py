"""Scalar arguments: each function returns the value, or raises an error that says what is wrong.

A message says where, the value found, the limit, and what to do.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable
from contextlib import suppress
from numbers import Integral, Real
from typing import Any

from maxent.errors import ConfigError

MIN_TEMPERATURE, MAX_TEMPERATURE = 1e-300, 1e15
LONGEST_SHOWN = 80
"""Characters of a value that a message repeats."""


def quoted(value: Any) -> str:
    """A value as a message repeats it: its `repr` in a line, cut where it is long; its class where
    it has none (an int of thousands of digits, an object whose `repr` raises).

    >>> quoted("x"), quoted(10**5000)
    ("'x'", 'an int')
    """
    try:
        text = " ".join(line.strip() for line in repr(value).split("\n"))
    except Exception:
        return f"an {type(value).__name__}"
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


def require_real(name: str, value: Any, valid: str) -> float:
    """`value` as a float; ConfigError for a bool, a non-number or NaN.  `valid` names the range.

    An array or tensor without axes is the number that it holds.
    """
    if type(value) is float and value == value:  # the usual case
        return value
    given = value
    if getattr(value, "shape", None) == () and hasattr(value, "item") and not _is_duration(value):
        given = value.item()
    try:
        if _is_number(given, Real) and not math.isnan(given):
            return float(given)
    except OverflowError:  # an int beyond float64
        pass
    raise ConfigError(f"{name} = {quoted(value)} is not valid; give a number in {valid}")


def _is_number(value: Any, kind: type) -> bool:
    """Whether `value` is a number of `kind`, and neither a bool nor a duration."""
    return isinstance(value, kind) and not isinstance(value, bool) and not _is_duration(value)


def _is_duration(value: Any) -> bool:
    """Whether `value` is one of NumPy's durations, which count as whole numbers to Python."""
    return getattr(getattr(value, "dtype", None), "kind", "") == "m"


def require_flag(name: str, value: Any) -> bool:
    """`value` as True or False; ConfigError for anything else, which Python might take for either
    ("no" is true)."""
    if isinstance(value, bool) or type(value).__name__ == "bool":  # NumPy's
        return bool(value)
    raise ConfigError(f"{name} = {quoted(value)} is not valid; give True or False")


def require_discount(value: Any) -> float:
    """The discount gamma as a float in [0, 1], else ConfigError."""
    discount = require_real("discount", value, "[0, 1]")
    if not (0.0 <= discount <= 1.0):
        raise ConfigError(
            f"discount = {quoted(value)} is outside [0, 1]; typical values are 0.9 to 0.999"
        )
    return discount


def require_temperature(value: Any) -> float:
    """The temperature alpha as a float: 0 (hard maximum) or in [1e-300, 1e15], else ConfigError."""
    if type(value) is float and (value == 0.0 or MIN_TEMPERATURE <= value <= MAX_TEMPERATURE):
        return value
    valid = f"{{0}} or [{MIN_TEMPERATURE:g}, {MAX_TEMPERATURE:g}] (0 is the hard maximum)"
    temperature = require_real("temperature", value, valid)
    if temperature != 0.0 and not (MIN_TEMPERATURE <= temperature <= MAX_TEMPERATURE):
        raise ConfigError(f"temperature = {quoted(value)} is outside its valid range {valid}")
    return temperature


def require_positive(name: str, value: Any) -> float:
    """A finite float > 0, else ConfigError."""
    number = require_real(name, value, "(0, inf)")
    if not (0.0 < number < math.inf):
        raise ConfigError(f"{name} = {quoted(value)} must be a finite number greater than 0")
    return number


def require_fraction(name: str, value: Any) -> float:
    """A float in [0, 1], else ConfigError."""
    number = require_real(name, value, "[0, 1]")
    if not (0.0 <= number <= 1.0):
        raise ConfigError(f"{name} = {quoted(value)} is outside [0, 1]")
    return number


def require_finite(name: str, value: Any) -> float:
    """A finite float, else ConfigError."""
    number = require_real(name, value, "(-inf, inf)")
    if not math.isfinite(number):
        raise ConfigError(f"{name} = {quoted(value)} must be finite")
    return number


def require_count(name: str, value: Any, minimum: int = 1) -> int:
    """A whole number >= minimum, else ConfigError."""
    if not _is_number(value, Integral) or value < minimum:
        wanted = f"a whole number of at least {minimum}"
        if isinstance(value, float) and value.is_integer():
            raise ConfigError(f"{name} = {value!r} is a float; give int({value!r}), {wanted}")
        raise ConfigError(f"{name} = {quoted(value)} must be {wanted}")
    return int(value)


def count(number: int, thing: str) -> str:
    """A number of things in words.

    >>> count(1, "state"), count(2, "state")
    ('1 state', '2 states')
    """
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def require_counts(name: str, values: Any, minimum: int = 1) -> list[int]:
    """Whole numbers >= minimum, one or more or none, else ConfigError."""
    listed = require_list(name, values, f" of whole numbers of at least {minimum}")
    return [require_count(name, value, minimum) for value in listed]


def require_list(name: str, values: Any, of: str = "") -> list[Any]:
    """What a list or anything like it holds; ConfigError for a text and for what holds nothing.
    of: what it is a list of, for the message."""
    if isinstance(values, Iterable) and not isinstance(values, str | bytes):
        with suppress(TypeError):  # an array without axes
            return list(values)
    raise ConfigError(f"{name} = {quoted(values)} is a {type(values).__name__}; give a list{of}")


def require_names(name: str, values: Any, count: int) -> list[str]:
    """`count` texts, else ConfigError."""
    given = require_list(name, values)
    if len(given) != count or not all(isinstance(each, str) for each in given):
        raise ConfigError(f"{name} has {len(given)} entries, {quoted(given)}; give {count} names")
    return given


def require_kind(name: str, value: Any, kind: type) -> None:
    """ConfigError unless `value` is of the class `kind`."""
    if not isinstance(value, kind):
        raise ConfigError(
            f"{name} = {quoted(value)} is a {type(value).__name__}; give a {kind.__name__}"
        )


def require_one_of(name: str, value: Any, known: Iterable[str]) -> None:
    """ConfigError unless `value` is one of the names known."""
    known = list(known)
    if not isinstance(value, str) or value not in known:
        raise ConfigError(f"{name} = {quoted(value)} is not known; {nearest(value, known)}")


def closest(name: Any, known: Iterable[str]) -> str | None:
    """The name among those known that was probably meant, in whatever case; None if none is like.

    >>> closest("sql-t4", ["SQL-T3", "SQL-T4"])
    'SQL-T4'
    """
    as_written = {each.casefold(): each for each in known}
    text = name[:LONGEST_SHOWN] if isinstance(name, str) else quoted(name)
    meant = difflib.get_close_matches(text.casefold(), as_written, n=1, cutoff=0.5)
    return as_written[meant[0]] if meant else None


def nearest(name: Any, known: Iterable[str]) -> str:
    """The tail of a message about an unknown name: the likeliest one meant, then all of them."""
    known = sorted(known)
    meant = closest(name, known)
    guess = f"did you mean {meant!r}? " if meant else ""
    return f"{guess}Known: {', '.join(known) or 'none'}"
