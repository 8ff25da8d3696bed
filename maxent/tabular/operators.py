r"""The mathematics of maximum-entropy reinforcement learning, one formula a function.

Read this page first.  Everything else in the exact half repeats these functions fast, bounds
their rounding, or checks theorems about them.

Shapes: S states, A actions, the last axis always actions.

=============  ======  =====================================================================
``q``          (S, A)  soft action value Q(s,a), discounted
``v``          (S,)    soft state value V(s), discounted
``log_policy`` (S, A)  log pi(a|s), -inf for an action never taken; each row of exp sums to 1
``log_prior``  (S, A)  0 for an available action, -inf for another, log prior(a|s) with a prior
``temperature``        alpha >= 0, the weight of the entropy; 0 is the hard maximum
=============  ======  =====================================================================

Entropies are in nats.  ``log_prior=None`` means that every action is available (in functions
of an ``mdp``: the actions of its mask).  A prior and a mask are one thing: with a prior, the
entropy becomes minus the Kullback-Leibler divergence to it.

Sources: SQL is Haarnoja, Tang, Abbeel, Levine (2017), *Reinforcement Learning with Deep
Energy-Based Policies*; SAC is Haarnoja, Zhou, Abbeel, Levine (2018), *Soft Actor-Critic*;
SAC2 is Haarnoja et al. (2018), *Soft Actor-Critic Algorithms and Applications*.  SAC's Eq. 3
has no alpha (it is absorbed into the reward); SAC2's Eq. 3, used here, has it.
"""

from __future__ import annotations

import numpy as np
from numpy import ndarray
from scipy import sparse

from maxent.mdp import MDP, validation
from maxent.mdp.transitions import Transition
from maxent.support.arrays import logs
from maxent.support.shapes import Float
from maxent.tabular.arrays import of_arrays, require_logs


@of_arrays
def soft_value(
    q: Float[ndarray, "*S A"], temperature: float, log_prior: Float[ndarray, "*S A"] | None = None
) -> Float[ndarray, "*S"]:
    """Soft value of q: alpha log sum_a prior(a|s) exp(Q(s,a) / alpha); max_a Q(s,a) at alpha = 0.

    SQL Eq. 5 (key SQL-T1; a maximum over policies: GIBBS-1; bounds: GIBBS-4).

    q : (S, A), discounted, in units of reward.
    temperature : alpha >= 0, in units of reward.
    log_prior : (S, A), log prior(a|s), -inf for an unavailable action (`mdp.log_mask`); None: every
        action is available.

    Returns (S,), in units of reward.  Values are not checked.

    >>> import numpy as np, maxent
    >>> q = np.array([[1.0, 2.0, 3.0]])
    >>> maxent.soft_value(q, temperature=0.5).round(3).tolist()
    [3.071]
    >>> maxent.soft_value(q, temperature=0.0).tolist()
    [3.0]
    """
    if temperature == 0.0:
        return _available(q, log_prior).max(axis=-1)
    scores = _scores(q, temperature, log_prior)
    top = scores.max(axis=-1, keepdims=True)
    total = np.exp(_quotient(scores - top, temperature)).sum(axis=-1)
    return top[..., 0] + temperature * np.log(total)


@of_arrays
def boltzmann_policy(
    q: Float[ndarray, "*S A"],
    temperature: float,
    log_prior: Float[ndarray, "*S A"] | None = None,
    tie_tolerance: float = 0.0,
) -> Float[ndarray, "*S A"]:
    """Boltzmann policy, as log-probabilities: pi(a|s) = prior(a|s) exp((Q(s,a) - V(s)) / alpha).

    SQL Eq. 6 (SQL-T1); it is the improvement step, the minimiser of SAC Eq. 4 over all policies
    (SAC-L2, GIBBS-1), has the greatest entropy for its mean (GIBBS-3), and that of Q^pi is at least
    as good as pi (SQL-T4).  An error in Q costs at most its square (APPROX); under the reward r -
    alpha log pi* all policies are alike (ROBUST).  At alpha = 0: uniform over the available actions
    whose q is within `tie_tolerance` of the largest.

    q : (S, A), discounted, in units of reward.
    temperature : alpha >= 0, in units of reward.
    log_prior : (S, A), -inf for an unavailable action; None: every action is available.
    tie_tolerance : in units of reward; used at alpha = 0 only.

    Returns (S, A), log pi(a|s): -inf for an action never taken.  Values are not checked.

    >>> import numpy as np, maxent
    >>> q = np.array([[1.0, 2.0, 3.0]])
    >>> np.exp(maxent.boltzmann_policy(q, temperature=0.5)).round(3).tolist()
    [[0.016, 0.117, 0.867]]
    """
    if temperature == 0.0:
        values = _available(q, log_prior)
        tied = values >= values.max(axis=-1, keepdims=True) - tie_tolerance
        return logs(tied / tied.sum(axis=-1, keepdims=True))
    scores = _scores(q, temperature, log_prior)
    shifted = _quotient(scores - scores.max(axis=-1, keepdims=True), temperature)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


@of_arrays
def policy_value(
    q: Float[ndarray, "*S A"],
    log_policy: Float[ndarray, "*S A"],
    temperature: float,
    log_prior: Float[ndarray, "*S A"] | None = None,
) -> Float[ndarray, "*S"]:
    """Value of a policy given q: E_{a~pi}[ Q(s,a) - alpha log pi(a|s) ].

    SAC2 Eq. 3 (SAC-L1).  With a prior, log(pi / prior) takes the place of log pi; a policy that
    takes an unavailable action has value -inf.

    q : (S, A), discounted, in units of reward.
    log_policy : (S, A), log pi(a|s), -inf for an action never taken.
    temperature : alpha >= 0, in units of reward.
    log_prior : (S, A), -inf for an unavailable action; None: every action is available.

    Returns (S,), in units of reward; at most `soft_value(q, ...)`.  Values are not checked.

    >>> import numpy as np, maxent
    >>> q = np.array([[1.0, 2.0, 3.0]])
    >>> uniform = np.log(np.full((1, 3), 1 / 3))
    >>> maxent.policy_value(q, uniform, temperature=0.5).round(3).tolist()
    [2.549]
    """
    policy = np.exp(log_policy)
    expected_q = (policy * np.where(policy > 0.0, q, 0.0)).sum(axis=-1)
    return expected_q + temperature * entropy(log_policy, log_prior)


@of_arrays
def entropy(
    log_policy: Float[ndarray, "*S A"], log_prior: Float[ndarray, "*S A"] | None = None
) -> Float[ndarray, "*S"]:
    """Entropy of each row, -sum_a pi log pi, in nats, with 0 log 0 = 0.

    With a prior: -KL(pi || prior), which is -inf where the policy leaves the prior's support.

    log_policy : (S, A), log pi(a|s), -inf for an action never taken.
    log_prior : (S, A), -inf for an unavailable action; None: every action is available.

    Returns (S,).  Raises ModelError for probabilities in place of their logarithms; other values
    are not checked.

    >>> import numpy as np, maxent
    >>> policy = np.array([[0.5, 0.5], [0.9, 0.1]])
    >>> maxent.entropy(np.log(policy)).round(3).tolist()
    [0.693, 0.325]
    """
    require_logs(log_policy)
    policy = np.exp(log_policy)
    shannon = -(policy * np.where(policy > 0.0, log_policy, 0.0)).sum(axis=-1)
    if log_prior is None:
        return shannon
    return shannon + (policy * np.where(policy > 0.0, log_prior, 0.0)).sum(axis=-1)


@of_arrays
def kl_divergence(
    log_p: Float[ndarray, "*S A"], log_q: Float[ndarray, "*S A"]
) -> Float[ndarray, "*S"]:
    """KL(p || q) of each row, in nats; inf where p takes what q never does.

    What a policy loses against the best is alpha times this: in one state GIBBS-2, along the future
    SUBOPT.  What one policy gains over another is a difference of two (SOFT-PDL).

    log_p, log_q : (S, A), log-probabilities, -inf for an action never taken.

    Returns (S,).  Raises ModelError for probabilities as log_p; other values are not checked.

    >>> import numpy as np, maxent
    >>> p, q = np.array([[0.9, 0.1]]), np.array([[0.5, 0.5]])
    >>> maxent.kl_divergence(np.log(p), np.log(q)).round(3).tolist()
    [0.368]
    """
    return -entropy(log_p, log_q)


@of_arrays
def mellowmax(
    q: Float[ndarray, "*S A"], temperature: float, log_mask: Float[ndarray, "*S A"] | None = None
) -> Float[ndarray, "*S"]:
    """Mellowmax: alpha log mean_a exp(Q(s,a) / alpha) over the available actions.

    The soft value with the uniform prior, soft_value - alpha log|A(s)|: between the mean of q
    (alpha -> infinity) and its maximum (alpha = 0), and a non-expansion.  Asadi and Littman
    (2017), whose omega is 1/alpha (MELLOWMAX).

    q : (S, A), discounted, in units of reward.
    temperature : alpha >= 0, in units of reward.
    log_mask : (S, A), 0 for an available action, -inf for another (`mdp.log_mask`); None: every
        action is available.

    Returns (S,), in units of reward.  Values are not checked.

    >>> import numpy as np, maxent
    >>> q = np.array([[1.0, 2.0, 3.0]])
    >>> [float(maxent.mellowmax(q, alpha)[0].round(3)) for alpha in (0.0, 0.5, 1000.0)]
    [3.0, 2.522, 2.0]
    """
    values = _available(q, log_mask)
    top = values.max(axis=-1, keepdims=True)
    if temperature == 0.0:
        return top[..., 0]
    # expm1 and log1p keep the digits of q where exp(q / alpha) is nearly 1 (a large alpha)
    rises = np.expm1(_quotient(values - top, temperature))
    count = (values > -np.inf).sum(axis=-1)
    mean = np.where(values > -np.inf, rises, 0.0).sum(axis=-1) / count
    return top[..., 0] + temperature * np.log1p(mean)


@of_arrays
def backup(mdp: MDP, v: Float[ndarray, " S"]) -> Float[ndarray, "S A"]:
    """r(s,a) + gamma E_{s'}[ V(s') ], with no discounted value beyond a terminal state.

    SQL Eq. 7 (SQL-T2).  Of V* it is V* + alpha log pi* at *every* action (PATH).

    mdp : its rewards, transitions, discount and terminal states are used.
    v : (S,), discounted, in units of reward; entries of terminal states count as 0.

    Returns (S, A), in units of reward.  Values are not checked.

    >>> import maxent
    >>> mdp = maxent.gridworld("two-goals", discount=0.95)
    >>> solution = maxent.solve(mdp, temperature=0.1)
    >>> q = maxent.backup(mdp, solution.v)
    >>> bool(abs(q - solution.q).max() < 1e-8)
    True
    """
    validation.of_states("v", v, mdp.n_states)
    return mdp.reward + mdp.expect(mdp.discount_on_arrival * v)


@of_arrays
def soft_bellman(
    mdp: MDP,
    q: Float[ndarray, "S A"],
    temperature: float,
    log_prior: Float[ndarray, "S A"] | None = None,
) -> Float[ndarray, "S A"]:
    """Optimality operator T: (T Q)(s,a) = r + gamma E_{s'}[ alpha log sum exp(Q(s',.)/alpha) ].

    SQL Eqs. 7-9 (SQL-T2, SQL-T3): a gamma-contraction in the largest absolute difference whose
    fixed point is the soft-optimal Q*.  Of a changed problem the fixed point follows by a formula:
    SCALE, SHAPE, SHIFT, DUPLICATE, PRIOR.

    mdp : its rewards, transitions, discount, mask and terminal states are used.
    q : (S, A), discounted, in units of reward.
    temperature : alpha >= 0, in units of reward.
    log_prior : (S, A), -inf for an unavailable action; None: the actions of the mask.

    Returns (S, A), T Q, in units of reward.  Values are not checked.

    >>> import maxent
    >>> mdp = maxent.gridworld("two-goals", discount=0.95)
    >>> q = maxent.solve(mdp, temperature=0.1).q
    >>> bool(abs(maxent.soft_bellman(mdp, q, temperature=0.1) - q).max() < 1e-7)
    True
    """
    log_prior = mdp.log_mask if log_prior is None else log_prior
    return backup(mdp, soft_value(q, temperature, log_prior))


@of_arrays
def soft_policy_bellman(
    mdp: MDP,
    q: Float[ndarray, "S A"],
    log_policy: Float[ndarray, "S A"],
    temperature: float,
    log_prior: Float[ndarray, "S A"] | None = None,
) -> Float[ndarray, "S A"]:
    """Evaluation operator T^pi: r + gamma E_{s'}[ E_{a'~pi}[ Q(s',a') - alpha log pi(a'|s') ] ].

    SAC Eqs. 2-3 (SAC-L1): affine, a gamma-contraction whose fixed point is Q^pi.

    mdp : its rewards, transitions, discount, mask and terminal states are used.
    q : (S, A), discounted, in units of reward.
    log_policy : (S, A), log pi(a|s), -inf for an action never taken.
    temperature : alpha >= 0, in units of reward.
    log_prior : (S, A), -inf for an unavailable action; None: the actions of the mask.

    Returns (S, A), T^pi Q, in units of reward.  Values are not checked.

    >>> import maxent
    >>> mdp = maxent.gridworld("two-goals", discount=0.95)
    >>> uniform = [1 / mdp.n_actions] * mdp.n_actions
    >>> found = maxent.soft_policy_evaluation(mdp, uniform, temperature=0.1)
    >>> again = maxent.soft_policy_bellman(mdp, found.q, found.log_policy, temperature=0.1)
    >>> bool(abs(again - found.q).max() < 1e-7)
    True
    """
    log_prior = mdp.log_mask if log_prior is None else log_prior
    return backup(mdp, policy_value(q, log_policy, temperature, log_prior))


@of_arrays
def soft_policy_improvement(
    q: Float[ndarray, "S A"], temperature: float, log_prior: Float[ndarray, "S A"] | None = None
) -> Float[ndarray, "S A"]:
    """The policy that minimises KL(pi'(.|s) || exp(Q(s,.)/alpha) / Z(s)) in every state.

    SAC Eq. 4 (SAC-L2).  Over all policies this is the Boltzmann policy of q.

    q : (S, A), discounted, in units of reward.
    temperature : alpha >= 0, in units of reward.
    log_prior : (S, A), -inf for an unavailable action; None: every action is available.

    Returns (S, A), log-probabilities.  Values are not checked.

    >>> import numpy as np, maxent
    >>> q = np.array([[0.0, 1.0]])
    >>> np.exp(maxent.soft_policy_improvement(q, temperature=1.0)).round(3).tolist()
    [[0.269, 0.731]]
    """
    return boltzmann_policy(q, temperature, log_prior)


def policy_transition(mdp: MDP, policy: Float[ndarray, "S A"]) -> Transition:
    """P_pi(s'|s) = sum_a pi(a|s) P(s'|s,a) between non-terminal states, (S, S), dense or CSR.

    Rows and columns of terminal states are zero, so that sums run over non-terminal states and
    `(I - gamma P_pi)` is the matrix of SAC-L1's linear system.
    """
    nonterminal = (~mdp.terminal).astype(float)
    if not mdp.is_sparse:
        return np.einsum("sa,sat->st", policy, mdp.transition) * nonterminal

    n_states, n_actions = mdp.reward.shape
    rows = np.arange(n_states * n_actions + 1, dtype=mdp.transition.indices.dtype)
    average = sparse.csr_array(
        (policy.ravel(), rows[:-1], rows[::n_actions]), shape=(n_states, n_states * n_actions)
    )
    matrix = sparse.csr_array(average @ mdp.transition)
    matrix.data *= nonterminal[matrix.indices]
    return matrix


def policy_reward(
    mdp: MDP,
    log_policy: Float[ndarray, "S A"],
    temperature: float,
    log_prior: Float[ndarray, "S A"] | None = None,
) -> Float[ndarray, " S"]:
    """r_pi + alpha H_pi, (S,): what the policy earns in a step, 0 at a terminal state.

    With `policy_transition`, V^pi solves (I - gamma P_pi) V = r_pi + alpha H_pi (SAC-L1).
    """
    log_prior = mdp.log_mask if log_prior is None else log_prior
    return np.where(mdp.terminal, 0.0, policy_value(mdp.reward, log_policy, temperature, log_prior))


def _available(q: ndarray, log_prior: ndarray | None) -> ndarray:
    if log_prior is None:
        return q
    np.broadcast_shapes(q.shape, log_prior.shape)  # a ValueError before anything is allocated
    return np.where(log_prior > -np.inf, q, -np.inf)


def _scores(q: ndarray, temperature: float, log_prior: ndarray | None) -> ndarray:
    """q + alpha log prior, the quantity whose soft-max is taken."""
    if log_prior is None:
        return q
    np.broadcast_shapes(q.shape, log_prior.shape)  # as above
    return q + temperature * log_prior


def _quotient(difference: ndarray, temperature: float) -> ndarray:
    """difference / temperature for differences <= 0; beyond float64 it is -inf, as it should be."""
    with np.errstate(over="ignore"):
        return difference / temperature
