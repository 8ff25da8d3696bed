"""Engines: other machinery for the same sweeps, inside the same certified bounds.

=============  ====================================================================================
`numpy`        NumPy and SciPy (`maxent.tabular.solvers.kernels`); no engine of this folder
`numba`        sweeps compiled for the processor: `stored` transitions; exp and log of our own
               (`elementary`), whose error is proved; several `threads`; the `stencil` of
               a matrix-free gridworld
=============  ====================================================================================

An engine is imported when it is asked for, or when `solve` picks it: `engine_of`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

from numpy import ndarray

from maxent.errors import ConfigError
from maxent.mdp import MDP
from maxent.mdp.matrix_free import MatrixFreeMDP
from maxent.support.arguments import nearest, require_count
from maxent.support.extras import optional_module
from maxent.tabular.solvers.loop import History
from maxent.tabular.solvers.steps import SWEEP, Step

ENGINES = ("numpy", "numba")
WORK = 1_000_000
"""Entries of a sparse transition from which on `solve` takes `numba` by itself, where it is
installed: to load what is compiled costs half a second, to compile it once some ten."""


def engine_of(mdp: MDP, engine: Any, threads: Any) -> str:
    """The engine that solves an MDP; ConfigError for one that is not known or cannot."""
    if engine is not None and engine not in ENGINES:
        raise ConfigError(f"engine = {engine!r} is not known; {nearest(str(engine), ENGINES)}")
    if threads is not None:
        require_count("threads", threads)
    if engine is None:
        large = mdp.is_sparse and mdp.discount < 1.0 and _entries(mdp) >= WORK
        found = large and importlib.util.find_spec("numba") is not None
        engine = "numba" if found or threads is not None else "numpy"
    if engine == "numpy":
        if threads is not None:
            raise ConfigError(f"threads = {threads!r}: NumPy sweeps take one; use engine='numba'")
        return "numpy"
    if not mdp.is_sparse:
        raise ConfigError(
            "engine = 'numba' sweeps over sparse transitions; use mdp.to_sparse(), or leave engine "
            "out: dense ones are multiplied by the linear algebra library already"
        )
    if mdp.discount == 1.0:
        raise ConfigError(
            "discount = 1: engine = 'numba' needs a discount below 1; leave engine out"
        )
    return "numba"


def _entries(mdp: MDP) -> int:
    """Entries of the transition, or what a matrix-free one has instead."""
    if isinstance(mdp, MatrixFreeMDP):
        return mdp.directions.target.size
    found: int = mdp.transition.nnz
    return found


def compiled_kernel(
    mdp: MDP, temperature: float, log_prior: ndarray | None, threads: int | None
) -> tuple[Any, Step, Callable[[History], Step] | None]:
    """The kernel of engine "numba", its first step and its rule for the next one;
    MissingExtraError without it."""
    optional_module("numba", "engine='numba' needs")
    from maxent.tabular.solvers.engines.rule import rule
    from maxent.tabular.solvers.engines.stored import StoredKernel

    if isinstance(mdp, MatrixFreeMDP) and log_prior is None:
        from maxent.tabular.solvers.engines.rule import SWEEP_ON
        from maxent.tabular.solvers.engines.stencil import StencilKernel

        return StencilKernel(mdp, temperature, threads or 1), SWEEP_ON, None
    return StoredKernel(mdp, temperature, log_prior, threads or 1), SWEEP, rule(mdp, temperature)
