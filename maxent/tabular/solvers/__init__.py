"""Soft value iteration, policy evaluation and policy iteration: exact, with certified bounds.

One loop serves all of them (`loop.py`): apply the operator, turn b = T V - V into an interval
that holds the fixed point (`bounds.py`), stop once that interval is narrow enough, otherwise let
the solver's correction (`steps.py`) improve V.  Convergence is SQL-T3 (value iteration),
SAC-L1 (evaluation) and SAC-T1 (policy iteration, which is Newton's method: SPI-NEWTON); stopping
never rests on them, only on the certified interval.

Every solver takes

    (mdp, temperature, *, prior=None, tolerance=None, max_iterations=None, v0=None,
     callback=None, progress=False) -> Solution

- prior: action probabilities (S, A) or (A,); the entropy becomes minus the KL divergence to it.
- tolerance: certified bound on max |V - V*|; None: max(1e-9 max(1, ||V||), 4 floors).  One that is
  certainly below the float64 floor raises ToleranceError before any sweep.
- max_iterations: None is no limit.  Reaching it gives status "max_iterations" and a warning.
- v0: (S,) start, 0 if left out.
- callback: called with an `Iteration` after each iteration.
- progress: show a progress bar on stderr (a terminal only).

Ctrl-C returns the best certified answer so far, with status "interrupted".
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy import ndarray

from maxent.errors import ConfigError
from maxent.mdp import MDP, require_mdp, validation
from maxent.mdp.transitions import is_local
from maxent.solution import Solution
from maxent.support.arguments import nearest, require_count, require_temperature
from maxent.tabular import operators
from maxent.tabular.restricted import PolicySet, RestrictedKernel, require_policies
from maxent.tabular.solvers import steps
from maxent.tabular.solvers.automatic import SMALL, Choice
from maxent.tabular.solvers.kernels import Kernel, PolicyKernel, SoftKernel
from maxent.tabular.solvers.loop import Callback, Certified, Run, certify, iterate

_LINEAR = {
    "iterative": steps.sweep,
    "direct": steps.direct,
    "krylov": steps.krylov,
}


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

    SQL-T3.  Options and errors: module docstring.  Converges at rate gamma.
    """
    run = Run("soft value iteration", tolerance, max_iterations, v0, callback, progress)
    return _optimise(mdp, temperature, prior, run, lambda: steps.sweep)


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
    evaluation: "direct" (LU), "krylov" (BiCGSTAB), or "auto": direct for dense MDPs and for sparse
    ones that are small or couple only nearby states, else krylov.  policies: `EpsilonFloor`,
    `EntropyFloor` or `Choices`: stay in that set.  V*, its bounds and the policy are then those of
    the set (`restricted.py`).  Other options and errors: module docstring.
    """
    _check_choice("evaluation", evaluation, ("auto", "direct", "krylov"))
    run = Run("soft policy iteration", tolerance, max_iterations, v0, callback, progress)
    correct = _LINEAR[_linear_method(require_mdp(mdp), evaluation)]
    if policies is not None:
        run.method += f" in {type(require_policies(policies)).__name__}"
    return _optimise(mdp, temperature, prior, run, lambda: correct, policies)


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

    sweeps: None is 100, or 20 at temperature 0.  Puterman and Shin (1978), in its soft form.  Other
    options and errors: module docstring.
    """
    if sweeps is not None:
        require_count("sweeps", sweeps)
    run = Run("modified soft policy iteration", tolerance, max_iterations, v0, callback, progress)
    correct = steps.neumann(sweeps or steps.usual_sweeps(temperature))
    return _optimise(mdp, temperature, prior, run, lambda: correct)


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
) -> Solution:
    """The soft-optimal solution by the method that suits the MDP.

    Soft value iteration if its rate promises an answer soon, else soft policy iteration with a
    direct solve where that is cheap, else modified soft policy iteration as long as it pays: the
    rule is in `automatic.py`.  `Solution.method` says what gave the answer.  Options and errors:
    module docstring.
    """
    run = Run("soft value iteration", tolerance, max_iterations, v0, callback, progress)
    choose = Choice(require_mdp(mdp), require_temperature(temperature), run)
    return _optimise(mdp, temperature, prior, run, choose)


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
    """The value of a policy given as probabilities (S, A): the fixed point of T^pi (SAC-L1).

    method: "iterative" (apply T^pi), "direct" (LU of I - gamma P_pi), "krylov" (BiCGSTAB), or
    "auto".  A discount of 1 is allowed for a policy that is proper: one that reaches a terminal
    state from everywhere with probability 1 (ConfigError otherwise).  The bounds are on V^pi; the
    policy in the Solution is the one given.  Other options and errors: module docstring.
    """
    _check_choice("method", method, ("auto", "iterative", "direct", "krylov"))
    temperature = require_temperature(temperature)
    log_prior = require_mdp(mdp).log_prior(prior)
    allowed = mdp.action_mask if log_prior is None else log_prior > -np.inf
    policy = validation.action_distribution("policy", policy, allowed, mdp.terminal)
    kernel = PolicyKernel(mdp, policy, temperature, log_prior)
    if math.isinf(kernel.enclosure.gain_high):
        raise ConfigError(_improper(mdp, policy))
    chosen = _linear_method(mdp, method)
    name = f"soft policy evaluation ({chosen})"
    run = Run(name, tolerance, max_iterations, v0, callback, progress)
    best = iterate(kernel, run, lambda: _LINEAR[chosen])
    v, error_bound = best.midpoint()
    with np.errstate(divide="ignore"):
        log_policy = np.log(policy)
    return run.solution(
        best,
        v=v,
        q=operators.backup(mdp, v),
        log_policy=log_policy,
        temperature=temperature,
        error_bound=error_bound,
        policy_bound=math.nan,
    )


def _optimise(
    mdp: MDP,
    temperature: float,
    prior: Any,
    run: Run,
    choose: Callable[[], steps.Correction],
    policies: PolicySet | None = None,
) -> Solution:
    temperature = require_temperature(temperature)
    if require_mdp(mdp).discount == 1.0:
        raise ConfigError(
            "discount = 1: an infinite-horizon optimum need not exist; use finite_horizon for an "
            "episode of known length, or a discount just below 1 such as 1 - 1e-9"
        )
    log_prior = mdp.log_prior(prior)
    kernel: SoftKernel | RestrictedKernel
    if policies is None:
        kernel = SoftKernel(mdp, temperature, log_prior)
    else:
        kernel = RestrictedKernel(mdp, temperature, log_prior, policies)
    best = iterate(kernel, run, choose)
    v, error_bound = best.midpoint()
    q = operators.backup(mdp, v)
    ties = 2.0 * mdp.discount * error_bound if temperature == 0.0 else 0.0
    return run.solution(
        best,
        v=v,
        q=q,
        log_policy=kernel.improve(q, ties),
        temperature=temperature,
        error_bound=error_bound,
        policy_bound=_policy_bound(kernel, best, v, ties),
    )


def _policy_bound(kernel: Kernel, best: Certified, v: ndarray, ties: float) -> float:
    """Upper bound on max(V* - V^pi) for the policy read off backup(v): its own fixed point lies in
    the interval certified at v, lowered by what a tie may cost and by the policy's rounding."""
    at_v, b, _, norm = certify(kernel, v, best.tolerance)
    nonterminal = ~kernel.mdp.terminal
    if not nonterminal.any():
        return 0.0
    loss = ties + 2.0 * kernel.enclosure.rounding(norm)
    below, _ = kernel.enclosure.interval(
        float(b[nonterminal].min()) - loss, float(b[nonterminal].max()), norm
    )
    gap = np.minimum(best.upper, at_v.upper) - (at_v.tv + below - loss)
    return float(max(0.0, gap[nonterminal].max()))


def _linear_method(mdp: MDP, name: str) -> str:
    if name != "auto":
        return name
    easy = not mdp.is_sparse or mdp.n_states <= SMALL or is_local(mdp.transition)
    return "direct" if easy else "krylov"


def _check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ConfigError(f"{name} = {value!r} is not known; {nearest(value, choices)}")


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
