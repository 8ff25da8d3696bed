"""Our own algorithms, as `check_agent` takes any agent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maxent.neural.training.adapter import OurAgent


def our_agent(algorithm: str, **settings: Any) -> OurAgent:
    """An adapter of "sac", "sac_v1", "sql", "sac_discrete" or "sql_discrete" for `check_agent`.

    settings : of `maxent.train`, in place of quick ones (two layers of 32, rates of 3e-3).

    ConfigError for an unknown algorithm, MissingExtraError without PyTorch.

    >>> from maxent import testing
    >>> testing.our_agent("sac", hidden=(16, 16)).name
    'maxent sac'
    """
    from maxent.neural.training.adapter import OurAgent

    return OurAgent(algorithm, settings)
