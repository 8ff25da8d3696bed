"""Soft value iteration, policy evaluation and policy iteration: exact, with certified bounds.

One loop serves all of them (`loop.py`): apply the operator, turn b = T V - V into an interval
that holds the fixed point (`bounds.py`), stop once that interval is narrow enough, otherwise let
the solver's step (`steps.py`) improve V.  Convergence is SQL-T3 (value iteration), SAC-L1
(evaluation) and SAC-T1 (policy iteration, which is Newton's method: SPI-NEWTON); stopping never
rests on them, only on the certified interval.  The fast operators are in `kernels.py`; which step
`solve` takes is decided in `automatic.py`.

Every solver takes the same options and returns a `Solution`.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy import ndarray

from maxent.errors import ConfigError, MaxEntWarning
from maxent.mdp import MDP, require_mdp, validation
from maxent.solution import Solution
from maxent.support.arguments import require_count, require_one_of, require_temperature
from maxent.support.arrays import logs
from maxent.support.other_words import takes_our_words
from maxent.tabular import operators
from maxent.tabular.restricted import PolicySet, RestrictedKernel, require_policies
from maxent.tabular.solvers import steps
from maxent.tabular.solvers.automatic import automatic
from maxent.tabular.solvers.certified import extremes, midpoint
from maxent.tabular.solvers.engines import engine_of, kernel_of
from maxent.tabular.solvers.first_exit import FirstExit, first_exit, least_value
from maxent.tabular.solvers.kernels import PolicyKernel, SoftKernel
from maxent.tabular.solvers.loop import (
    Callback,
    History,
    Options,
    Outcome,
    iterate,
    require_start,
)


@takes_our_words
def soft_value_iteration(
    mdp: MDP,
    temperature: float,
    *,
    prior: Any = None,
    tolerance: float | None = None,
    max_iterations: int | None = None,
    v0: Any = None,
    callback: Callback | None = None,
    progress: bool = False,
) -> Solution:
    """V <- alpha log sum exp((r + gamma P V) / alpha) until certified close enough to V*.

    SQL-T3.  Converges at rate gamma, its certified midpoint faster (RATE).

    mdp : the problem; at discount 1 a first-exit problem of finite value (FIRST-EXIT).
    temperature : alpha >= 0, in units of reward; 0 is the hard maximum.
    prior : action probabilities (S, A) or (A,); the entropy becomes minus the KL divergence to it.
    tolerance : certified bound to reach on the largest error of v; None: 1e-9 of the largest value
        (at least 1e-9), or four times what float64 can certify, whichever is more.
    max_iterations : stop after so many, with status "max_iterations" and a MaxEntWarning; None: no
        limit.
    v0 : (S,), the start; None: 0.
    callback : called with an `Iteration` after each iteration.
    progress : show a progress bar on stderr (a terminal only).

    Returns a `Solution`; after Ctrl-C the best certified one so far, with status "interrupted".

    Raises ConfigError (an option; at discount 1 a value that is not finite, with the states),
    ModelError (the MDP, an array) or ToleranceError (a tolerance below what float64 can certify).

    >>> import maxent
    >>> mdp = maxent.gridworld("four-rooms", slip=0.1, discount=0.9)
    >>> solution = maxent.soft_value_iteration(mdp, 0.1, tolerance=1e-6)
    >>> solution.status, bool(solution.error_bound <= 1e-6)
    ('converged', True)
    """
    options = Options(tolerance, max_iterations, callback, progress)
    return _optimise(_soft_kernel(mdp, temperature, prior), steps.SWEEP, options, v0)


@takes_our_words
def soft_policy_iteration(
    mdp: MDP,
    temperature: float,
    *,
    prior: Any = None,
    tolerance: float | None = None,
    max_iterations: int | None = None,
    v0: Any = None,
    callback: Callback | None = None,
    progress: bool = False,
    evaluation: Literal["auto", "direct", "krylov"] = "auto",
    policies: PolicySet | None = None,
) -> Solution:
    """Evaluate the Boltzmann policy of q exactly, take the Boltzmann policy of its q, repeat.

    SAC-T1; it is Newton's method on T V - V = 0 and converges quadratically (SPI-NEWTON).

    mdp : the problem; at discount 1 a first-exit problem of finite value (FIRST-EXIT).
    temperature : alpha >= 0, in units of reward; 0 is the hard maximum.
    evaluation : "direct" (LU), "krylov" (BiCGSTAB), or "auto": direct for dense MDPs and for sparse
        ones that are small or couple only nearby states, else krylov.
    policies : `EpsilonFloor`, `EntropyFloor` or `Choices`: stay in that set.  V*, its bounds and
        the policy are then those of the set.  None: all policies.
    prior : action probabilities (S, A) or (A,); the entropy becomes minus the KL divergence to it.
    tolerance : certified bound to reach on the largest error of v; None: 1e-9 of the largest value
        (at least 1e-9), or four times what float64 can certify, whichever is more.
    max_iterations : stop after so many, with status "max_iterations" and a MaxEntWarning; None: no
        limit.
    v0 : (S,), the start; None: 0.
    callback : called with an `Iteration` after each iteration.
    progress : show a progress bar on stderr (a terminal only).

    Returns a `Solution`; after Ctrl-C the best certified one so far, with status "interrupted".

    Raises ConfigError (an option; at discount 1 a value that is not finite, with the states),
    ModelError (the MDP, an array) or ToleranceError (a tolerance below what float64 can certify).

    >>> import maxent
    >>> mdp = maxent.gridworld("four-rooms", slip=0.1, discount=0.9)
    >>> solution = maxent.soft_policy_iteration(mdp, 0.1)
    >>> solution.converged, solution.iterations < 10
    (True, True)
    >>> careful = maxent.soft_policy_iteration(mdp, 0.1, policies=maxent.EpsilonFloor(0.05))
    >>> bool(careful.policy.min() >= 0.05 - 1e-12)
    True
    """
    require_one_of("evaluation", evaluation, ("auto", "direct", "krylov"))
    options = Options(tolerance, max_iterations, callback, progress)
    kernel = _soft_kernel(mdp, temperature, prior, policies)
    return _optimise(kernel, _linear_step(evaluation, kernel.mdp), options, v0)


@takes_our_words
def modified_soft_policy_iteration(
    mdp: MDP,
    temperature: float,
    *,
    prior: Any = None,
    tolerance: float | None = None,
    max_iterations: int | None = None,
    v0: Any = None,
    callback: Callback | None = None,
    progress: bool = False,
    sweeps: int | None = None,
) -> Solution:
    """Soft policy iteration with `sweeps` sweeps of evaluation in place of an exact one.

    Puterman and Shin (1978), in its soft form.

    mdp : the problem; at discount 1 a first-exit problem of finite value (FIRST-EXIT).
    temperature : alpha >= 0, in units of reward; 0 is the hard maximum.
    sweeps : None is 100, or 20 at temperature 0.
    prior : action probabilities (S, A) or (A,); the entropy becomes minus the KL divergence to it.
    tolerance : certified bound to reach on the largest error of v; None: 1e-9 of the largest value
        (at least 1e-9), or four times what float64 can certify, whichever is more.
    max_iterations : stop after so many, with status "max_iterations" and a MaxEntWarning; None: no
        limit.
    v0 : (S,), the start; None: 0.
    callback : called with an `Iteration` after each iteration.
    progress : show a progress bar on stderr (a terminal only).

    Returns a `Solution`; after Ctrl-C the best certified one so far, with status "interrupted".

    Raises ConfigError (an option; at discount 1 a value that is not finite, with the states),
    ModelError (the MDP, an array) or ToleranceError (a tolerance below what float64 can certify).

    >>> import maxent
    >>> mdp = maxent.garnet(200, 4, branching=5, discount=0.99)
    >>> maxent.modified_soft_policy_iteration(mdp, 0.1, sweeps=50).converged
    True
    """
    if sweeps is not None:
        sweeps = require_count("sweeps", sweeps)
    options = Options(tolerance, max_iterations, callback, progress)
    kernel = _soft_kernel(mdp, temperature, prior)
    step = steps.truncated(sweeps or steps.usual_sweeps(kernel.temperature))
    return _optimise(kernel, step, options, v0)


@takes_our_words
def solve(
    mdp: MDP,
    temperature: float,
    *,
    prior: Any = None,
    tolerance: float | None = None,
    max_iterations: int | None = None,
    v0: Any = None,
    callback: Callback | None = None,
    progress: bool = False,
    engine: Literal["numpy", "numba", "torch", "petsc"] | None = None,
    device: str | None = None,
    threads: int | None = None,
) -> Solution:
    """The soft-optimal solution by the method that suits the MDP.

    Soft value iteration if its rate promises an answer soon (never at temperature 0), else modified
    soft policy iteration (at temperature 0, where sweeps are compiled, in Gauss-Seidel form), and
    soft policy iteration with a linear solver where that pays.
    `Solution.method` says which of them gave the answer (SQL-T3, SAC-T1).

    mdp : the problem; at discount 1 a first-exit problem of finite value (FIRST-EXIT).
    temperature : alpha >= 0, in units of reward; 0 is the hard maximum.
    prior : action probabilities (S, A) or (A,); the entropy becomes minus the KL divergence to it.
    tolerance : certified bound to reach on the largest error of v; None: 1e-9 of the largest value
        (at least 1e-9), or four times what float64 can certify, whichever is more.
    max_iterations : stop after so many, with status "max_iterations" and a MaxEntWarning; None: no
        limit.
    v0 : (S,), the start; None: 0.
    callback : called with an `Iteration` after each iteration.
    progress : show a progress bar on stderr (a terminal only).
    engine : "numpy"; "numba" for compiled sweeps over sparse transitions and matrix-free
        gridworlds; "torch" for sweeps on a `device`; "petsc" splits the states over the processes
        that MPI started, each of which makes this call and gets the whole solution
        (`maxent.tabular.solvers.engines`).  None: "numba" where it is installed and the transitions
        have a million entries, else "numpy".
        Answers are certified alike.
    device : "cpu" or "cuda", where engine "torch" sweeps (None there: "cpu").
    threads : how many threads sweep (engine "numba"); the answer is the same to the bit.

    Returns a `Solution`; after Ctrl-C the best certified one so far, with status "interrupted".

    Raises ConfigError (an option; at discount 1 a value that is not finite, with the states),
    ModelError (the MDP, an array) or ToleranceError (a tolerance below what float64 can certify).

    >>> import maxent
    >>> mdp = maxent.gridworld("four-rooms", slip=0.1, discount=0.95)
    >>> solution = maxent.solve(mdp, temperature=0.1, tolerance=1e-9)
    >>> solution.status, solution.method
    ('converged', 'soft policy iteration')
    >>> solution.policy.shape == (mdp.n_states, mdp.n_actions)
    True
    >>> bool((solution.lower <= solution.v).all() and (solution.v <= solution.upper).all())
    True
    """
    options = Options(tolerance, max_iterations, callback, progress)
    chosen = engine_of(require_mdp(mdp), engine, device, threads)
    if chosen == "petsc":
        split = _soft_kernel(mdp, temperature, prior)
        return _optimise(split, steps.SWEEP, options, v0, in_processes=True)
    if chosen != "numpy":
        temperature, log_prior = require_temperature(temperature), mdp.log_prior(prior)
        found, step, rule = kernel_of(chosen, mdp, temperature, log_prior, device, threads)
        return _optimise(found, step, options, v0, rule)
    kernel = _soft_kernel(mdp, temperature, prior)
    choose = None if mdp.is_matrix_free else automatic(kernel.mdp, kernel.temperature)
    return _optimise(kernel, steps.SWEEP, options, v0, choose)


@takes_our_words
def soft_policy_evaluation(
    mdp: MDP,
    policy: Any,
    temperature: float,
    *,
    prior: Any = None,
    tolerance: float | None = None,
    max_iterations: int | None = None,
    v0: Any = None,
    callback: Callback | None = None,
    progress: bool = False,
    method: Literal["auto", "iterative", "direct", "krylov"] = "auto",
) -> Solution:
    """The value of a policy: the fixed point of T^pi (SAC-L1).

    Two policies' values differ by divergences (SOFT-PDL); one policy's value is the worst case over
    rewards that an adversary may lower (ROBUST).

    A discount of 1 is allowed for a policy that is proper: one that reaches a terminal state from
    everywhere with probability 1 (ConfigError otherwise).  The bounds of the `Solution` are on
    V^pi; its policy is the one given, its `policy_bound` nan.

    mdp : the problem.
    policy : probabilities (S, A) or (A,).
    temperature : alpha >= 0, in units of reward, the weight of the policy's entropy.
    method : "iterative" (apply T^pi), "direct" (LU of I - gamma P_pi), "krylov" (BiCGSTAB), or
        "auto": direct where a factorisation is cheap, else krylov.
    prior : action probabilities (S, A) or (A,); the entropy becomes minus the KL divergence to it.
    tolerance : certified bound to reach on the largest error of v; None: 1e-9 of the largest value
        (at least 1e-9), or four times what float64 can certify, whichever is more.
    max_iterations : stop after so many, with status "max_iterations" and a MaxEntWarning; None: no
        limit.
    v0 : (S,), the start; None: 0.
    callback : called with an `Iteration` after each iteration.
    progress : show a progress bar on stderr (a terminal only).

    Returns a `Solution`; after Ctrl-C the best certified one so far, with status "interrupted".

    Raises ConfigError (an option; at discount 1 a value that is not finite, with the states),
    ModelError (the MDP, an array) or ToleranceError (a tolerance below what float64 can certify).

    >>> import maxent
    >>> mdp = maxent.gridworld("four-rooms", slip=0.1, discount=0.95)
    >>> uniform = [0.25, 0.25, 0.25, 0.25]
    >>> evaluated = maxent.soft_policy_evaluation(mdp, uniform, temperature=0.1)
    >>> bool((evaluated.v <= maxent.solve(mdp, 0.1).upper).all())
    True
    """
    require_one_of("method", method, ("auto", "iterative", "direct", "krylov"))
    options = Options(tolerance, max_iterations, callback, progress)
    temperature = require_temperature(temperature)
    log_prior = require_mdp(mdp).log_prior(prior)
    allowed = mdp.action_mask if log_prior is None else log_prior > -np.inf
    policy = validation.action_distribution("policy", policy, allowed, mdp.terminal)
    kernel = PolicyKernel(mdp, policy, temperature, log_prior)
    if math.isinf(kernel.bounds.gain_high):
        raise ConfigError(_improper(mdp, policy))
    step = _linear_step(method, mdp)
    name = f"soft policy evaluation ({step.name})"
    outcome = iterate(kernel, step, options, start=require_start(mdp, v0), title=name)
    v, error_bound = outcome.certified.midpoint()
    log_policy = logs(policy)
    _warn(outcome, options, name, error_bound, stacklevel=4)
    return _solution(
        outcome,
        options,
        lower=outcome.certified.lower,
        upper=outcome.certified.upper,
        v=v,
        q=operators.backup(mdp, v),
        log_policy=log_policy,
        temperature=temperature,
        error_bound=error_bound,
        policy_bound=math.nan,
        method=name,
    )


def _soft_kernel(
    mdp: MDP, temperature: float, prior: Any, policies: PolicySet | None = None
) -> SoftKernel | RestrictedKernel:
    """The optimality operator for arguments as a caller gave them."""
    temperature = require_temperature(temperature)
    log_prior = require_mdp(mdp).log_prior(prior)
    if policies is None:
        return SoftKernel(mdp, temperature, log_prior)
    if mdp.discount == 1.0:
        raise ConfigError(
            "discount = 1: only the set of all policies has certified values; leave policies out, "
            "or use a discount just below 1 such as 1 - 1e-9"
        )
    return RestrictedKernel(mdp, temperature, log_prior, require_policies(policies))


def _optimise(
    kernel: SoftKernel | RestrictedKernel,
    step: steps.Step,
    options: Options,
    v0: Any,
    choose: Callable[[History], steps.Step] | None = None,
    in_processes: bool = False,
) -> Solution:
    mdp, temperature = kernel.mdp, kernel.temperature
    if mdp.discount == 1.0 and isinstance(kernel, SoftKernel):
        chosen = step if choose is None else steps.DIRECT
        return _undiscounted(kernel, chosen, options, require_start(mdp, v0))
    inside = f" in {type(kernel.policies).__name__}" if isinstance(kernel, RestrictedKernel) else ""
    start = require_start(mdp, v0)
    if in_processes and isinstance(kernel, SoftKernel):
        from maxent.tabular.solvers.engines import petsc

        inside = " (petsc)"
        outcome = petsc.iterate(mdp, temperature, kernel.log_prior, options, start)
    else:
        title = step.method + inside
        outcome = iterate(kernel, step, options, start=start, choose=choose, title=title)
    lower, upper = outcome.certified.lower, outcome.certified.upper
    v, error_bound = midpoint(lower, upper)
    q = operators.backup(mdp, v)
    ties = 2.0 * mdp.discount * error_bound if temperature == 0.0 else 0.0
    method = outcome.step.method + inside
    _warn(outcome, options, method, error_bound, stacklevel=5)
    if hasattr(kernel, "judge"):
        log_policy, tv = kernel.judge(q, ties)
    else:  # of an engine, whose arithmetic its bounds are for
        log_policy, tv = kernel.improve(q, ties), kernel.apply(v)
    return _solution(
        outcome,
        options,
        lower=lower,
        upper=upper,
        v=v,
        q=q,
        log_policy=log_policy,
        temperature=temperature,
        error_bound=error_bound,
        policy_bound=_policy_bound(kernel, upper, v, tv, ties),
        method=method,
    )


def _undiscounted(
    kernel: SoftKernel, step: steps.Step, options: Options, start: ndarray | None
) -> Solution:
    """The solution at discount 1 (FIRST-EXIT)."""
    mdp, temperature, log_prior = kernel.mdp, kernel.temperature, kernel.log_prior
    found = first_exit(mdp, temperature, log_prior, step, options, start)
    v, error_bound = found.midpoint()
    q = operators.backup(mdp, v)
    ties = 2.0 * error_bound if temperature == 0.0 and error_bound < math.inf else 0.0
    log_policy = kernel.improve(q, ties)
    _warn(found, options, step.method, error_bound, stacklevel=5)
    worth = least_value(mdp, np.exp(log_policy), temperature, log_prior, v)
    return _solution(
        found,
        options,
        lower=found.lower,
        upper=found.upper,
        v=v,
        q=q,
        log_policy=log_policy,
        temperature=temperature,
        error_bound=error_bound,
        policy_bound=float((found.upper - worth).max(initial=0.0)),
        method=step.method,
    )


def _warn(
    outcome: Outcome | FirstExit, options: Options, method: str, error_bound: float, stacklevel: int
) -> None:
    """A MaxEntWarning where the interval is wider than the tolerance allows."""
    reasons = {
        "max_iterations": f"max_iterations = {options.max_iterations} reached",
        "stalled": "float64 can do no more; ask for a larger tolerance",
    }
    if isinstance(outcome, FirstExit) and method != steps.DIRECT.method:
        reasons["stalled"] = "it is too slow here; use maxent.solve"
    if outcome.status in reasons:
        warnings.warn(
            f"{method} did not reach the tolerance {outcome.tolerance:.3g}: "
            f"{reasons[outcome.status]}; "
            + (
                f"the error is certified to be at most {error_bound:.3g}"
                if error_bound < np.inf
                else "no bound on the error is certified"
            ),
            MaxEntWarning,
            stacklevel=stacklevel,
        )


def _solution(outcome: Outcome | FirstExit, options: Options, **fields: Any) -> Solution:
    return Solution(
        residuals=outcome.residuals,
        iterations=outcome.iterations,
        status=outcome.status,
        tolerance=outcome.tolerance,
        seconds=time.perf_counter() - options.started,
        **fields,
    )


def _policy_bound(
    kernel: SoftKernel | RestrictedKernel, upper: ndarray, v: ndarray, tv: ndarray, ties: float
) -> float:
    """Upper bound on max(V* - V^pi) for the policy behind T V: its own fixed point lies in the
    interval certified at v, lowered by what a tie may cost and by the policy's rounding.

    upper : a bound on V* found before; the one certified at v may be lower.
    """
    inside = kernel.mdp.nonterminal
    b = (tv - v)[inside]
    if not len(b):
        return 0.0
    (least, greatest), (low, high) = extremes(b), extremes(tv)
    norm = max(high, -low) + max(greatest, -least)
    loss = ties + 2.0 * kernel.bounds.rounding(norm)
    below, above = kernel.bounds.interval(least - loss, greatest, norm)
    known = float(np.maximum.reduce((upper - tv)[inside]))
    return max(0.0, min(known, above) - below + loss)


def _linear_step(name: str, mdp: MDP) -> steps.Step:
    return steps.exact(mdp.transition) if name == "auto" else steps.BY_NAME[name]


def _improper(mdp: MDP, policy: ndarray) -> str:
    """Why a policy cannot be evaluated at discount 1."""
    ends = mdp.terminal.copy()
    while True:  # states from which a terminal state can be reached, one step more each time
        more = ends | ((policy > 0.0) & (mdp.expect(ends.astype(float)) > 0.0)).any(axis=1)
        if (more == ends).all():
            break
        ends = more
    never = np.flatnonzero(~ends)
    reason = "termination takes too long to be certified in float64"
    if len(never):
        reason = f"from state {int(never[0])} it never ends ({len(never)} such states)"
    return (
        "discount = 1 needs a proper policy, one that reaches a terminal state from everywhere "
        f"with probability 1: {reason}; use a discount below 1"
    )
