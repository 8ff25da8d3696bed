r"""Two tasks that are solved, put together without solving anything: how good is the average of Q?

Tasks i = 1 ... k share dynamics, discount and temperature and differ in reward, r_i.  Of the task
with reward r_C = sum_i w_i r_i (weights w_i >= 0 that sum to 1) the averaged Q_Sigma = sum_i w_i
Q*_i is an approximation, and its Boltzmann policy, proportional to prod_i pi*_i^w_i, is what the
tasks' policies agree on.  Haarnoja, Pong, Zhou, Dalal, Abbeel, Levine (2018), *Composable Deep
Reinforcement Learning for Robotic Manipulation*, Lemma 1 and Theorem 1; here for general weights,
temperatures, masks and terminal states.

**The one identity.**  With pi*_i = exp((Q*_i - V*_i) / alpha), the soft value of Q_Sigma is

    V_Sigma = sum_i w_i V*_i - D,    D(s) = -alpha log sum_a prod_i pi*_i(a|s)^w_i >= 0

(Hoelder; 0 where the policies agree).  For two tasks D = alpha (1 - w) D_w(pi*_1 || pi*_2), with
Renyi's divergence of order w = w_1: for equal weights (alpha/2) D_1/2, the Bhattacharyya distance
times alpha.  D_1/2 without the half gives bounds that hold at alpha = 1 and are twice as wide;
without alpha they fail above alpha = 2.  So the soft Bellman operator T of the combined task, and
that of the composed policy pi, which is greedy for Q_Sigma, both give

    T Q_Sigma = T^pi Q_Sigma = Q_Sigma - gamma P D.

**Bounds on Q*_C** (Lemma 1).  T Q_Sigma <= Q_Sigma and T is monotone: Q*_C <= Q_Sigma.  With
C* = gamma P (D + max_a' C*), T (Q_Sigma - C*) >= Q_Sigma - C*, so that

    Q_Sigma - C* <= Q*_C <= Q_Sigma.

Both are attained: the upper one where D = 0, the lower one where no action changes what comes next.

**What the composed policy loses** (Theorem 1, sharpened).  T^pi is affine, so the second equality
says Q^pi = Q_Sigma - E, E = gamma P (D + E_pi[E]): the divergence that *pi* meets, where C* is the
most that any policy meets.  Hence Q_Sigma - C* <= Q^pi <= Q*_C: composing never does worse than the
lower bound.  And with V*_C <= V_Sigma = V^pi + E_pi[E],

    V*_C - V^pi <= E_pi[E] <= E_pi[C*].

The paper's Theorem 1 adds E_pi[C*] up along the path of pi; its first term is enough.

A sum r_1 + r_2 instead of a mean: twice the composition at half the temperature (SCALE).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray

from maxent.errors import ConfigError, ModelError
from maxent.mdp import MDP, require_discounted, require_mdp, validation
from maxent.solution import Solution
from maxent.support.arguments import require_kind, require_temperature
from maxent.support.arrays import HasPolicy, ReadOnly
from maxent.support.other_words import takes_our_words
from maxent.support.shapes import Float
from maxent.tabular import operators
from maxent.tabular.bounds import soft_bounds
from maxent.tabular.solvers import soft_policy_evaluation, solve


@dataclass(frozen=True, eq=False)
class Composition(ReadOnly, HasPolicy):
    """The averaged Q of several tasks beside the optimum of their weighted reward.

    mdp : the combined task.  weights : (k,).  temperature : alpha.
    tasks : the k solutions.  optimum : the solution of the combined task.
    q : (S, A), Q_Sigma.  log_policy : (S, A), its Boltzmann policy.
    value : the exact evaluation of that policy in the combined task.
    divergence : (S,), D of the module's page, in units of reward.
    lower, upper : (S, A), Q_Sigma - C* and Q_Sigma: bounds on Q*_C of the MDP as stored, with the
        errors of the tasks' solutions and rounding included; 0 for what is not available.
    loss_bound : (S,), upper bound on V*_C - V^policy, likewise.

    >>> import maxent
    >>> task = maxent.gridworld("S.G", discount=0.9)
    >>> both = maxent.compose([task, task], temperature=0.1)
    >>> both.weights.tolist(), bool(abs(both.divergence).max() < 1e-9)  # equal tasks agree
    ([0.5, 0.5], True)
    """

    mdp: MDP
    weights: ndarray
    temperature: float
    tasks: tuple[Solution, ...]
    optimum: Solution
    q: ndarray
    log_policy: ndarray
    value: Solution
    divergence: ndarray
    lower: ndarray
    upper: ndarray
    loss_bound: ndarray

    @property
    def loss(self) -> Float[ndarray, " S"]:
        """V*_C - V^policy, (S,), to within the error bounds of `optimum` and `value`."""
        found: Float[ndarray, " S"] = self.optimum.v - self.value.v
        return found

    def __repr__(self) -> str:
        return (
            f"Composition({len(self.tasks)} tasks, temperature {self.temperature:g}, the composed "
            f"policy loses {self.loss.max():.3g} at most, bound {self.loss_bound.max():.3g})"
        )


def divergence(
    q: Float[ndarray, "k S A"],
    weights: Float[ndarray, " k"],
    temperature: float,
    log_prior: Float[ndarray, "S A"] | None = None,
) -> Float[ndarray, " S"]:
    """D(s) = sum_i w_i V_i(s) - V_Sigma(s) = -alpha log sum_a prod_i pi_i(a|s)^w_i, (S,).

    V_i and pi_i: soft value and Boltzmann policy of q_i; V_Sigma: soft value of the average.  In
    units of reward, not discounted.  At alpha = 0: mean of the maxima less maximum of the mean.
    """
    each = np.stack([operators.soft_value(task, temperature, log_prior) for task in q])
    average = np.einsum("k,ksa->sa", weights, q)
    found: Float[ndarray, " S"] = weights @ each - operators.soft_value(
        average, temperature, log_prior
    )
    return found


@takes_our_words
def compose(mdps: Sequence[MDP], temperature: float, weights: Any = None) -> Composition:
    """The composition of tasks that differ in reward alone, held against the exact optimum.

    mdps : two tasks or more.
    temperature : alpha >= 0, the same for all tasks, in units of reward.
    weights : (k,), at least 0, with sum 1; None: equal ones.

    Returns a `Composition`: the averaged Q, its policy, certified bounds on Q* of the combined
    task, and what the composed policy loses.

    Raises ModelError where the tasks differ in more than the reward; ConfigError for other weights
    or temperatures.

    >>> import maxent
    >>> task = maxent.gridworld("S.G", discount=0.9)
    >>> other = task.replace(reward=-task.reward)
    >>> both = maxent.compose([task, other], temperature=0.1)
    >>> bool((both.lower <= both.optimum.q).all() and (both.optimum.q <= both.upper).all())
    True
    >>> bool((both.loss <= both.loss_bound).all())
    True
    """
    temperature, shares = require_temperature(temperature), _weights(mdps, weights)
    mdps = tuple(_check_shared(mdps))
    combined = mdps[0].replace(reward=np.einsum("k,ksa->sa", shares, [m.reward for m in mdps]))
    log_mask, nonterminal = combined.log_mask, ~combined.terminal
    available = combined.action_mask & nonterminal[:, None]

    tasks = tuple(solve(mdp, temperature) for mdp in mdps)
    error = float(shares @ [task.error_bound for task in tasks]) + _rounding(mdps, tasks)
    every_q = np.stack([task.q for task in tasks])
    q = np.einsum("k,ksa->sa", shares, every_q)
    log_policy = operators.boltzmann_policy(q, temperature, log_mask, 2.0 * error)
    gap = np.where(nonterminal, divergence(every_q, shares, temperature, log_mask), 0.0)

    correction = _most_met(combined, np.maximum(gap + 6.0 * error, 0.0))
    lower = np.where(available, q - correction - error, 0.0)
    upper = np.where(available, q + error, 0.0)
    most = operators.soft_value(upper, temperature, log_mask)
    least = operators.policy_value(lower, log_policy, temperature, log_mask)
    return Composition(
        mdp=combined,
        weights=shares,
        temperature=temperature,
        tasks=tasks,
        optimum=solve(combined, temperature),
        q=q,
        log_policy=log_policy,
        value=soft_policy_evaluation(combined, np.exp(log_policy), temperature),
        divergence=gap,
        lower=lower,
        upper=upper,
        loss_bound=np.where(nonterminal, most - least + error, 0.0),
    )


def _most_met(mdp: MDP, gap: Float[ndarray, " S"]) -> Float[ndarray, "S A"]:
    """C* = gamma P (D + max_a' C*), (S, A): the hard optimum for the reward gamma P D, from above.

    gap: D and six errors e of q: two for D itself, and four because the composed policy is greedy
    for q as computed, at temperature 0 within ties of 2 e.
    """
    met = mdp.replace(reward=mdp.expect(mdp.discount_on_arrival * gap))
    found = solve(met, 0.0)
    floor = soft_bounds(met, 0.0, mdp.log_mask).floor(float(np.abs(found.upper).max()))
    return operators.backup(met, found.upper) + 2.0 * floor


def _rounding(mdps: Sequence[MDP], tasks: Sequence[Solution]) -> float:
    """k + 2 floors of the tasks, for what is added up here.

    One for q = backup(v); of each of the k + 1 roundings of a sum with k weights, 2/13 of a floor
    for Q_Sigma, 1/13 for the combined reward, over all time, and 1/4 for weights that sum to 1 only
    within u (k + 1), which lets D fall below 0 by alpha log A times that.
    """
    floors = []
    for mdp, task in zip(mdps, tasks, strict=True):
        norm = float(np.maximum(np.abs(task.lower), np.abs(task.upper)).max())
        floors.append(soft_bounds(mdp, task.temperature, mdp.log_mask).floor(norm))
    return (len(tasks) + 2) * max(floors)


def _weights(mdps: Sequence[MDP], weights: Any) -> Float[ndarray, " k"]:
    require_kind("mdps", mdps, Sequence)
    count = len(mdps)
    if count < 2:
        raise ConfigError(f"compose() was given {count} tasks; give two or more")
    if weights is None:
        return np.full(count, 1.0 / count)
    shares = validation.real_array("weights", weights)
    if shares.shape != (count,):
        raise ConfigError(f"weights has shape {shares.shape}; it must be ({count},), one a task")
    with np.errstate(over="ignore"):
        total = shares.sum()
    if not (shares >= 0.0).all() or not abs(total - 1.0) <= validation.ROW_SUM_TOLERANCE:
        raise ConfigError(
            f"weights = {shares.tolist()}; they must be at least 0 and sum to 1 (for a sum of "
            "rewards divide rewards and temperature by the sum of the weights)"
        )
    found: Float[ndarray, " k"] = shares / shares.sum()
    return found


def _check_shared(mdps: Sequence[MDP]) -> list[MDP]:
    """The MDPs, which agree in everything that the Bellman operator contains but the reward."""
    tasks = [require_mdp(mdp) for mdp in mdps]
    first = tasks[0]
    require_discounted(first, "composition")
    for place, task in enumerate(tasks[1:], start=1):
        for name in ("n_states", "n_actions", "discount"):
            mine, other = getattr(first, name), getattr(task, name)
            if mine != other:
                raise ModelError(
                    f"task {place} has {name} {other:g}, task 0 {mine:g}; composed tasks must "
                    "differ in their rewards alone"
                )
        for name in ("terminal", "action_mask", "initial_distribution", "transition_rows"):
            apart = abs(getattr(first, name) * 1.0 - getattr(task, name) * 1.0)
            if apart.max() > 0.0:
                raise ModelError(
                    f"task {place} and task 0 differ in {name.removesuffix('_rows')}, by up to "
                    f"{float(apart.max()):.3g}; composed tasks must differ in their rewards alone"
                )
    return tasks
