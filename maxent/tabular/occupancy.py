"""Where a policy spends its discounted time, and what it earns there.

The occupancy of a policy from the initial distribution mu,

    x(s,a) = d(s) pi(a|s),    d(s) = sum_t gamma^t Pr(s_t = s | mu, pi),

solves d = mu + gamma P_pi' d, one linear system.  Return and discounted entropy are sums over it:
return(pi) = sum x r, discounted_entropy(pi) = sum_s d(s) H(pi(.|s)), and the objective of
maximum-entropy reinforcement learning is their combination return + alpha * entropy (ENVELOPE,
SENSITIVITY and SUBOPT are statements about these three).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray
from scipy import sparse
from scipy.sparse import linalg

from maxent.errors import ConfigError
from maxent.mdp import MDP, require_mdp, validation
from maxent.mdp.transitions import Transition
from maxent.support.arrays import logs
from maxent.support.shapes import Float
from maxent.tabular import operators
from maxent.tabular.bounds import longest_stay
from maxent.tabular.linear_systems import SMALL, is_cheap_to_factorise, solve_discounted


def occupancy(mdp: MDP, policy: Any) -> Float[ndarray, "S A"]:
    """Discounted state-action visits x(s,a) from the initial distribution.

    That of pi* is the gradient of J* in the rewards (SENSITIVITY) and solves a convex program
    (DUAL-OCCUPANCY); what pi loses is a divergence weighted by its own (SUBOPT).

    mdp : its transitions, discount, initial distribution and terminal states are used.
    policy : probabilities (S, A) or (A,).

    Returns (S, A), in discounted steps.  Without terminal states they sum to 1/(1-gamma).  An
    arrival in a terminal state counts once, at gamma^t, spread over its placeholder row; initial
    mass there counts 1.  The error is that of the linear solve, at most about 2.2e-16/(1-gamma) of
    the largest visit: 1e-12 of it at a discount of 0.9998, but 2e-4 at 1 - 1e-12.

    Raises ModelError for a policy that is none; ConfigError at a discount of 1 for a policy that
    does not surely reach a terminal state.

    >>> import maxent
    >>> mdp = maxent.gridworld("S.G", discount=0.9)
    >>> right = [0.0, 1.0, 0.0, 0.0]
    >>> maxent.occupancy(mdp, right)[:2].round(3).tolist()
    [[0.0, 1.0, 0.0, 0.0], [0.0, 0.9, 0.0, 0.0]]
    """
    policy = validation.action_distribution(
        "policy", policy, require_mdp(mdp).action_mask, mdp.terminal
    )
    matrix = operators.policy_transition(mdp, policy)
    nonterminal = ~mdp.terminal
    if mdp.discount == 1.0 and not np.isfinite(longest_stay(matrix, nonterminal, mdp.n_actions)):
        raise ConfigError(
            "discount = 1: the occupancy is finite only for a policy that reaches a terminal state "
            "from everywhere; use a discount below 1"
        )
    visits = _solve((mdp.discount * matrix).T, mdp.initial_distribution * nonterminal)
    visits = np.maximum(visits, 0.0)  # rounding can leave -1e-18 at states never reached
    arrivals = mdp.discount * ((visits[:, None] * policy).ravel() @ mdp.transition_rows)
    visits = np.where(nonterminal, visits, mdp.initial_distribution + arrivals)
    found: Float[ndarray, "S A"] = visits[:, None] * policy
    return found


def _solve(matrix: Transition, right: Float[ndarray, " S"]) -> Float[ndarray, " S"]:
    """d = right + matrix d: by LU where that is small or dense, else by BiCGSTAB as long as that
    reaches the accuracy of one."""
    if not sparse.issparse(matrix) or len(right) <= SMALL:
        return solve_discounted(matrix, right)
    by_rows = sparse.csr_array(matrix)
    system = linalg.LinearOperator(matrix.shape, matvec=lambda d: d - by_rows @ d, dtype=float)
    d = np.zeros_like(right)
    with np.errstate(all="ignore"):
        for _ in range(8):  # refinement: each round solves for what the last one left
            left = right - (d - by_rows @ d)
            if np.abs(left).sum() <= 1e-15 * np.abs(d).sum():
                return d
            more, failed = linalg.bicgstab(system, left, rtol=1e-6, atol=0.0, maxiter=2000)
            if failed and is_cheap_to_factorise(by_rows.sorted_indices()):
                break
            d = d + more
    return solve_discounted(matrix, right)


def policy_return(mdp: MDP, policy: Any) -> float:
    """Expected discounted reward of a policy from the initial distribution, sum x(s,a) r(s,a).

    mdp : the problem.  policy : probabilities (S, A) or (A,).

    Returns a float, in units of reward, without any entropy.  Raises what `occupancy` raises, and
    is as exact as its visits; `soft_policy_evaluation` at temperature 0 gives certified values.

    >>> import maxent
    >>> mdp = maxent.gridworld("S.G", discount=0.9)
    >>> right = [0.0, 1.0, 0.0, 0.0]
    >>> round(maxent.policy_return(mdp, right), 6)  # -0.04 + 0.9 * 0.96
    0.824
    """
    return float((occupancy(mdp, policy) * mdp.reward).sum())


def discounted_entropy(mdp: MDP, policy: Any, prior: Any = None) -> float:
    """Expected discounted entropy of a policy from the initial distribution, sum_s d(s) H(pi(.|s)).

    That of pi*_alpha is the slope of J* in the temperature (ENVELOPE).

    mdp : the problem.  policy : probabilities (S, A) or (A,).
    prior : probabilities (S, A) or (A,); the entropy becomes minus the discounted KL from it.

    Returns a float, in nats, not multiplied by the temperature; terminal states add none.  Errors:
    as `occupancy`; ModelError for a prior that is none.

    >>> import maxent
    >>> mdp = maxent.gridworld("S.G", discount=0.9)
    >>> solution = maxent.solve(mdp, temperature=0.1)
    >>> entropy = maxent.discounted_entropy(mdp, solution.policy)
    >>> objective = maxent.policy_return(mdp, solution.policy) + 0.1 * entropy
    >>> bool(abs(objective - mdp.initial_distribution @ solution.v) < 1e-8)
    True
    """
    x = occupancy(mdp, policy)
    visits = x.sum(axis=1)
    nonterminal = (visits > 0.0) & ~mdp.terminal
    log_policy = logs(x[nonterminal] / visits[nonterminal, None])
    log_prior = mdp.log_prior(prior)
    relative = None if log_prior is None else log_prior[nonterminal]
    return float(visits[nonterminal] @ operators.entropy(log_policy, relative))
