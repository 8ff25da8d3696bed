"""The five algorithms by name, and which of them a name means for a kind of action."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from maxent.errors import ConfigError
from maxent.neural.algorithms import sac, sac_discrete, sac_v1, sql, sql_discrete
from maxent.neural.parts.spaces import Spaces
from maxent.support.arguments import nearest

ALGORITHMS: dict[str, ModuleType] = {
    "sac": sac,
    "sac_v1": sac_v1,
    "sac_discrete": sac_discrete,
    "sql": sql,
    "sql_discrete": sql_discrete,
}


def with_defaults(algorithm: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Recorded settings with those that the record leaves out, as plain values."""
    known = ALGORITHMS.get(algorithm)
    return ({} if known is None else known.Config().to_dict()) | dict(settings)


def algorithm_for(name: str, spaces: Spaces) -> str:
    """`name`, or its discrete form where the actions are discrete and it has one.

    Raises ConfigError for an unknown name.
    """
    if name not in ALGORITHMS:
        raise ConfigError(f"algorithm {name!r} is unknown; {nearest(name, ALGORITHMS)}")
    if spaces.discrete and f"{name}_discrete" in ALGORITHMS:
        return f"{name}_discrete"
    return name
