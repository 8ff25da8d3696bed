"""Engines: other machinery for the same sweeps, inside the same certified bounds.

=============  ====================================================================================
`numpy`        NumPy and SciPy (`maxent.tabular.solvers.kernels`); no engine of this folder
`numba`        sweeps compiled for the processor: `stored` transitions, or the `stencil` of a
               matrix-free gridworld; exp and log of our own (`elementary`), whose error is proved;
               several `threads`
`torch`        sweeps in PyTorch (`tensors`), on the processor or a GPU
`petsc`        states split over the processes that MPI started (`petsc`); for MDPs that no process
               can hold, `blocks`
=============  ====================================================================================

An engine is imported when it is asked for, or when `solve` picks it: `engine_of`.  Each is a kernel
(`kernels.Kernel`) with the steps that it takes, certified by the loop; `petsc` has
a loop of its own, which all processes go through alike.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

from numpy import ndarray

from maxent.errors import ConfigError
from maxent.mdp import MDP
from maxent.mdp.matrix_free import MatrixFreeMDP
from maxent.support.arguments import quoted, require_count, require_one_of
from maxent.support.extras import optional_module
from maxent.tabular.solvers.automatic import automatic
from maxent.tabular.solvers.loop import History
from maxent.tabular.solvers.steps import SWEEP, SWEEP_ON, Step

ENGINES = ("numpy", "numba", "torch", "petsc")
WORK = 1_000_000
"""Entries of a sparse transition from which on `solve` takes `numba` by itself, where it is
installed: to load what is compiled costs half a second, to compile it once some ten."""


def engine_of(mdp: MDP, engine: Any, device: Any, threads: Any) -> str:
    """The engine that solves an MDP; ConfigError for one that is not known or cannot."""
    if engine is not None:
        require_one_of("engine", engine, ENGINES)
    if threads is not None:
        threads = require_count("threads", threads)
    if engine is None:
        engine = "torch" if device is not None else "numba" if threads is not None else None
    if engine is None:
        large = mdp.is_sparse and mdp.discount < 1.0 and _entries(mdp) >= WORK
        found = large and importlib.util.find_spec("numba") is not None
        engine = "numba" if found else "numpy"
    if device is not None and engine != "torch":
        raise ConfigError(
            f"device = {quoted(device)}: engine = {quoted(engine)} has none; use engine='torch'"
        )
    if threads is not None and engine != "numba":
        other = " (PyTorch's own: torch.set_num_threads)" if engine == "torch" else ""
        raise ConfigError(f"threads = {quoted(threads)} are those of engine = 'numba'{other}")
    if engine != "numpy" and mdp.discount == 1.0:
        raise ConfigError(
            f"discount = 1: engine = {quoted(engine)} needs a discount below 1; leave engine out"
        )
    if engine == "numba" and not mdp.is_sparse:
        raise ConfigError(
            "engine = 'numba' sweeps over sparse transitions; use mdp.to_sparse(), or leave engine "
            "out: dense ones are multiplied by the linear algebra library already"
        )
    return str(engine)


def _entries(mdp: MDP) -> int:
    """Entries of the transition, or what a matrix-free one has instead."""
    if isinstance(mdp, MatrixFreeMDP):
        return mdp.directions.target.size
    found: int = mdp.transition.nnz
    return found


def kernel_of(
    engine: str,
    mdp: MDP,
    temperature: float,
    log_prior: ndarray | None,
    device: Any,
    threads: int | None,
) -> tuple[Any, Step, Callable[[History], Step] | None]:
    """The kernel of an engine, its first step and its rule for the next one; MissingExtraError
    where what it is made of is not installed."""
    optional_module(engine, f"engine={engine!r} needs")
    if engine == "torch":
        from maxent.tabular.solvers.engines.tensors import TensorKernel

        return TensorKernel(mdp, temperature, log_prior, device), SWEEP_ON, None
    if isinstance(mdp, MatrixFreeMDP) and log_prior is None:
        from maxent.tabular.solvers.engines.stencil import StencilKernel

        found = StencilKernel(mdp, temperature, threads or 1)
        if temperature > 0.0:
            return found, SWEEP_ON, None
        return found, SWEEP, automatic(mdp, temperature, relaxes=True)
    from maxent.tabular.solvers.engines.stored import StoredKernel

    kernel = StoredKernel(mdp, temperature, log_prior, threads or 1)
    return kernel, SWEEP, automatic(mdp, temperature, relaxes=True)
