"""What an algorithm can be set to, in words."""

from __future__ import annotations

import inspect
from typing import Any

from maxent.neural.algorithms import ALGORITHMS, require_algorithm
from maxent.neural.algorithms.settings import Settings


def describe(algorithm: str | None = None) -> str:
    """The settings of an algorithm, with their meaning and defaults; None: a line for each.

    Raises ConfigError, with the likeliest name, for an unknown algorithm.

    >>> from maxent.neural.algorithms.description import describe
    >>> [line.split()[0] for line in describe().splitlines()]
    ['sac', 'sac_v1', 'sac_discrete', 'sql', 'sql_discrete']
    """
    if algorithm is None:
        width = max(map(len, ALGORITHMS))
        return "\n".join(
            f"{name:<{width}}  {_first_line(module)}" for name, module in ALGORITHMS.items()
        )
    require_algorithm(algorithm)
    module = ALGORITHMS[algorithm]
    config = module.Config()
    values = config.to_dict().items()
    when = {name: f"   (used only {words})" for name, words in config.unused.items()}
    width = max(len(name) for name, _ in values)
    return "\n".join(
        [
            _first_line(module),
            "",
            inspect.cleandoc(module.Config.__doc__ or ""),
            "",
            inspect.cleandoc(Settings.__doc__ or ""),
            "",
            "Defaults, as --set takes them:",
            *(f"  {name:<{width}} = {_written(x)}{when.get(name, '')}" for name, x in values),
        ]
    )


def _first_line(module: object) -> str:
    return (module.__doc__ or "").partition("\n")[0]


def _written(value: Any) -> str:
    """A setting's value as it is written after --set NAME=."""
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
