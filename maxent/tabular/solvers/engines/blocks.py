"""MDPs that no single process can hold: each builds its own rows."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray
from scipy import sparse

from maxent.errors import ConfigError, ModelError
from maxent.mdp import validation
from maxent.mdp.transitions import checked_csr, drop_rows
from maxent.solution import Status
from maxent.support.arguments import require_count, require_discount, require_temperature
from maxent.support.arrays import logs
from maxent.tabular.bounds import COARSEST
from maxent.tabular.solvers.engines.distributed import Rows, libraries, own_share
from maxent.tabular.solvers.engines.petsc import improve, require_discounted
from maxent.tabular.solvers.loop import Options


@dataclass(frozen=True, eq=False)
class Block:
    """The rows of the states first <= s < stop of an MDP with S states and A actions; n = stop -
    first.

    transition : (n * A, S), CSR, row (s - first) * A + a.
    reward : (n, A).
    terminal : (n,), bool; None: none.
    action_mask : (n, A), bool; None: every action is available.

    >>> import numpy as np
    >>> from scipy import sparse
    >>> ring = lambda first, stop: Block(  # stay (0) or go on (1) around a ring of 6 states
    ...     sparse.csr_array(
    ...         np.eye(6)[[t % 6 for s in range(first, stop) for t in (s, s + 1)]]
    ...     ),
    ...     np.array([[0.0, float(s == 5)] for s in range(first, stop)]),
    ... )
    >>> ring(0, 3).transition.shape
    (6, 6)
    """

    transition: Any
    reward: Any
    terminal: Any = None
    action_mask: Any = None


@dataclass(frozen=True, eq=False)
class BlockSolution:
    """This process's part of a solution, the states first <= s < stop.

    v : (n,), midpoint of the bounds, in units of reward.  lower, upper : (n,), an interval that
    holds the exact value of the MDP as stored.  policy : (n, A), the Boltzmann policy of v.
    The rest is of the whole MDP, the same in every process.
    """

    first: int
    stop: int
    v: ndarray
    lower: ndarray
    upper: ndarray
    policy: ndarray
    error_bound: float
    status: Status
    tolerance: float
    iterations: int
    seconds: float


def solve_blocks(
    block: Callable[[int, int], Block],
    n_states: int,
    temperature: float,
    *,
    discount: float,
    tolerance: float | None = None,
    max_iterations: int | None = None,
) -> BlockSolution:
    """The soft-optimal solution of an MDP of which each process builds only its own rows.

    Call it in every process, with the same arguments.

    block : (first, stop) -> `Block`, the rows of those states.
    n_states : S, of the whole MDP.
    temperature : alpha >= 0, in units of reward.
    discount : gamma < 1.
    tolerance : certified bound to reach on the largest error of v; None: as for `maxent.solve`.
    max_iterations : stop after so many, with status "max_iterations"; None: no limit.

    Returns a `BlockSolution`.  Raises ConfigError (an option), ModelError (a block) or
    ToleranceError (a tolerance below what float64 can certify).

    >>> solution = solve_blocks(ring, 6, 0.1, discount=0.9)  # doctest: +SKIP
    >>> solution.stop - solution.first  # doctest: +SKIP
    6
    """
    options = Options(tolerance, max_iterations)
    require_count("n_states", n_states)
    temperature, discount = require_temperature(temperature), require_discount(discount)
    require_discounted(discount)
    _, comm = libraries()
    first, stop = own_share(n_states, comm)
    found, wrong = None, None
    try:
        found = checked(block(first, stop), first, stop, n_states)
    except Exception as error:  # the others must hear of it: they would wait for ever
        wrong = error
    failed = comm.allgather(None if wrong is None else f"{type(wrong).__name__}: {wrong}")
    if wrong is not None:
        raise wrong
    for rank, said in enumerate(failed):
        if said is not None:
            raise ModelError(f"process {rank} could not build its block: {said}")
    assert found is not None
    if len(set(comm.allgather(found[1].shape[1]))) > 1:
        raise ModelError("the blocks differ in their number of actions; mask what a block lacks")
    rows = Rows(*found, discount, temperature)
    outcome = improve(rows, options, np.zeros(stop - first))
    now = outcome.certified
    v = np.where(rows.terminal, 0.0, now.tv + now.below + 0.5 * (now.above - now.below))
    off, size = rows.greatest(np.maximum(now.upper - v, v - now.lower), np.abs(v))
    error_bound = math.nextafter(max(0.0, off), math.inf)
    rows.certify(v)
    ties = 2.0 * discount * error_bound if temperature == 0.0 else 0.0
    informative = error_bound <= COARSEST * max(1.0, size)
    coarse = options.tolerance is None and not informative
    return BlockSolution(
        first,
        stop,
        v,
        now.lower,
        now.upper,
        np.exp(rows.log_policy(ties)),
        error_bound,
        "stalled" if coarse and outcome.status == "converged" else outcome.status,
        outcome.tolerance,
        outcome.iterations,
        time.perf_counter() - options.started,
    )


def checked(
    block: Any, first: int, stop: int, n_states: int
) -> tuple[sparse.csr_array, ndarray, ndarray, ndarray | None]:
    """Transition, reward, terminal and log_prior of a block; ModelError for what is none."""
    if not isinstance(block, Block):
        raise ConfigError(f"block({first}, {stop}) is a {type(block).__name__}; return a Block")
    reward = validation.real_array("reward", block.reward)
    n = stop - first
    if reward.ndim != 2 or len(reward) != n or reward.shape[1] == 0:
        raise ModelError(
            f"reward of block({first}, {stop}) has shape {reward.shape}; give ({n}, A)"
        )
    n_actions = reward.shape[1]
    if not (np.abs(reward) <= validation.MAX_REWARD).all():
        raise ModelError(
            f"reward of block({first}, {stop}) has entries that are not finite or above "
            f"{validation.MAX_REWARD:g} in size"
        )
    given = block.transition
    if not sparse.issparse(given):
        given = sparse.csr_array(validation.real_array("transition", given))
    rows = checked_csr("transition", given)
    if rows.shape != (n * n_actions, n_states):
        raise ModelError(
            f"transition of block({first}, {stop}) has shape {rows.shape}; it must be "
            f"({n * n_actions}, {n_states}), CSR, row (s - {first}) * {n_actions} + a"
        )
    terminal = np.zeros(n, bool)
    if block.terminal is not None:
        terminal = validation.boolean_array("terminal", block.terminal, (n,))
    mask = np.ones((n, n_actions), bool)
    if block.action_mask is not None:
        mask = validation.boolean_array("action_mask", block.action_mask, (n, n_actions))
    if not mask[~terminal].any(axis=1).all():
        state = first + int(np.flatnonzero(~terminal & ~mask.any(axis=1))[0])
        raise ModelError(f"state {state} has no available action; make one available or end there")
    needed = (mask & ~terminal[:, None]).ravel()
    validation.require_transition_rows(rows, needed, n_actions, first)
    drop_rows(rows, needed)
    reward = np.where(needed.reshape(n, n_actions), reward, 0.0)
    if mask.all():
        return rows, reward, terminal, None
    return rows, reward, terminal, logs(mask.astype(float))
