"""Several values as one text: temperatures 0.01:10:40, seeds 0:8."""

from __future__ import annotations

from maxent.errors import ConfigError
from maxent.support.arguments import require_count, require_temperature

MOST = 10_000
"""Values in one range; more are taken for a slip of the finger."""


def read_temperatures(text: str, name: str = "temperatures") -> list[float]:
    """The temperatures that LOW:HIGH:COUNT (evenly spaced in the logarithm) or a list with commas
    stands for.

    name : how a message calls them.

    >>> read_temperatures("0.01:1:3"), read_temperatures("0,0.5")
    ([0.01, 0.1, 1.0], [0.0, 0.5])
    """
    if ":" not in text:
        return [_number(part, text, name) for part in text.split(",")]
    low, high, count = _range(text, name)
    import numpy as np

    return [float(temperature) for temperature in np.geomspace(low, high, count)]


def read_seeds(text: str, name: str = "seeds") -> list[int]:
    """The seeds that FIRST:END (END left out, as Python counts) or a list with commas stands for.

    name : how a message calls them.

    >>> read_seeds("0:4"), read_seeds("1,4,5"), read_seeds("7")
    ([0, 1, 2, 3], [1, 4, 5], [7])
    """
    try:
        if ":" not in text:
            return [int(part) for part in text.split(",")]
        first, end = map(int, text.split(":"))
    except ValueError:
        raise ConfigError(
            f"{name} {text!r} must have the form FIRST:END, as in 0:8 (which is 0 to 7), or be a "
            "list: 1,4,5"
        ) from None
    if not 0 <= first < end:
        raise ConfigError(f"{name} {text!r} has no seeds: FIRST must be at least 0, and below END")
    if end - first > MOST:
        raise ConfigError(f"{name} {text!r} asks for more than {MOST}; ask for fewer")
    return list(range(first, end))


def _range(text: str, name: str) -> tuple[float, float, int]:
    try:
        low, high, count = text.split(":")
        number = int(count)
    except ValueError:
        raise ConfigError(
            f"{name} {text!r} must have the form LOW:HIGH:COUNT, as in 0.01:10:40"
        ) from None
    ends = tuple(require_temperature(_number(end, text, name)) for end in (low, high))
    if 0.0 in ends:
        raise ConfigError(
            f"{name} {text!r} is spaced by the logarithm and cannot begin or end at 0; "
            "begin, say, at 0.001, or give a list: 0,0.01,0.1,1"
        )
    if require_count(f"the COUNT of {name}", number) > MOST:
        raise ConfigError(f"{name} {text!r} asks for more than {MOST}; ask for fewer")
    return ends[0], ends[1], number


def _number(part: str, text: str, name: str) -> float:
    try:
        return float(part)
    except ValueError:
        raise ConfigError(
            f"{name} {text!r} is not a number; give LOW:HIGH:COUNT, or a list: 0,0.01,0.1,1"
        ) from None
