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
from jaxtyping import Float
from numpy import ndarray
from scipy import sparse

from maxent.mdp import MDP
from maxent.mdp.transitions import Transition


def soft_value(
    q: Float[ndarray, "*S A"], temperature: float, log_prior: Float[ndarray, "*S A"] | None = None
) -> Float[ndarray, "*S"]:
    """Soft value of q: alpha log sum_a prior(a|s) exp(Q(s,a) / alpha); max_a Q(s,a) at alpha = 0.

    SQL Eq. 5 (key SQL-T1; a maximum over policies: GIBBS-1; bounds: GIBBS-4).  q (S, A) -> (S,),
    discounted, in units of reward.
    """
    if temperature == 0.0:
        return _available(q, log_prior).max(axis=-1)
    scores = _scores(q, temperature, log_prior)
    top = scores.max(axis=-1, keepdims=True)
    total = np.exp(_quotient(scores - top, temperature)).sum(axis=-1)
    return top[..., 0] + temperature * np.log(total)


def boltzmann_policy(
    q: Float[ndarray, "*S A"],
    temperature: float,
    log_prior: Float[ndarray, "*S A"] | None = None,
    tie_tolerance: float = 0.0,
) -> Float[ndarray, "*S A"]:
    """Boltzmann policy, as log-probabilities: pi(a|s) = prior(a|s) exp((Q(s,a) - V(s)) / alpha).

    SQL Eq. 6 (SQL-T1); it is the improvement step, the minimiser of SAC Eq. 4 over all policies
    (SAC-L2, GIBBS-1), has the greatest entropy for its mean (GIBBS-3), and that of Q^pi is at least
    as good as pi (SQL-T4).  At alpha = 0: uniform over the available actions whose q is within
    `tie_tolerance` of the largest.
    """
    if temperature == 0.0:
        values = _available(q, log_prior)
        tied = values >= values.max(axis=-1, keepdims=True) - tie_tolerance
        with np.errstate(divide="ignore"):
            return np.log(tied / tied.sum(axis=-1, keepdims=True))
    scores = _scores(q, temperature, log_prior)
    shifted = _quotient(scores - scores.max(axis=-1, keepdims=True), temperature)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def policy_value(
    q: Float[ndarray, "*S A"],
    log_policy: Float[ndarray, "*S A"],
    temperature: float,
    log_prior: Float[ndarray, "*S A"] | None = None,
) -> Float[ndarray, "*S"]:
    """Value of a policy given q: E_{a~pi}[ Q(s,a) - alpha log pi(a|s) ], (S, A) -> (S,).

    SAC2 Eq. 3 (SAC-L1).  With a prior, log(pi / prior) takes the place of log pi; a policy that
    takes an unavailable action has value -inf.
    """
    policy = np.exp(log_policy)
    expected_q = (policy * np.where(policy > 0.0, q, 0.0)).sum(axis=-1)
    return expected_q + temperature * entropy(log_policy, log_prior)


def entropy(
    log_policy: Float[ndarray, "*S A"], log_prior: Float[ndarray, "*S A"] | None = None
) -> Float[ndarray, "*S"]:
    """Entropy of each row, -sum_a pi log pi, in nats, with 0 log 0 = 0; (S, A) -> (S,).

    With a prior: -KL(pi || prior), which is -inf where the policy leaves the prior's support.
    """
    policy = np.exp(log_policy)
    shannon = -(policy * np.where(policy > 0.0, log_policy, 0.0)).sum(axis=-1)
    if log_prior is None:
        return shannon
    return shannon + (policy * np.where(policy > 0.0, log_prior, 0.0)).sum(axis=-1)


def kl_divergence(
    log_p: Float[ndarray, "*S A"], log_q: Float[ndarray, "*S A"]
) -> Float[ndarray, "*S"]:
    """KL(p || q) of each row, in nats; inf where p takes what q never does.

    What a policy loses against the best is alpha times this: in one state GIBBS-2, along the future
    SUBOPT.
    """
    return -entropy(log_p, log_q)


def mellowmax(
    q: Float[ndarray, "*S A"], temperature: float, log_mask: Float[ndarray, "*S A"] | None = None
) -> Float[ndarray, "*S"]:
    """Mellowmax: alpha log mean_a exp(Q(s,a) / alpha) over the available actions, (S, A) -> (S,).

    The soft value with the uniform prior, soft_value - alpha log|A(s)|: between the mean of q
    (alpha -> infinity) and its maximum (alpha = 0), and a non-expansion.  Asadi and Littman
    (2017), whose omega is 1/alpha (MELLOWMAX).  log_mask: `mdp.log_mask`.
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


def backup(mdp: MDP, v: Float[ndarray, " S"]) -> Float[ndarray, "S A"]:
    """r(s,a) + gamma E_{s'}[ V(s') ], with no discounted value beyond a terminal state.

    SQL Eq. 7 (SQL-T2); (S,) -> (S, A).  Of V* it is V* + alpha log pi* at *every* action (PATH).
    """
    return mdp.reward + mdp.expect(mdp.discount_on_arrival * v)


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
    """
    log_prior = mdp.log_mask if log_prior is None else log_prior
    return backup(mdp, soft_value(q, temperature, log_prior))


def soft_policy_bellman(
    mdp: MDP,
    q: Float[ndarray, "S A"],
    log_policy: Float[ndarray, "S A"],
    temperature: float,
    log_prior: Float[ndarray, "S A"] | None = None,
) -> Float[ndarray, "S A"]:
    """Evaluation operator T^pi: r + gamma E_{s'}[ E_{a'~pi}[ Q(s',a') - alpha log pi(a'|s') ] ].

    SAC Eqs. 2-3 (SAC-L1): affine, a gamma-contraction whose fixed point is Q^pi.
    """
    log_prior = mdp.log_mask if log_prior is None else log_prior
    return backup(mdp, policy_value(q, log_policy, temperature, log_prior))


def soft_policy_improvement(
    q: Float[ndarray, "S A"], temperature: float, log_prior: Float[ndarray, "S A"] | None = None
) -> Float[ndarray, "S A"]:
    """The policy that minimises KL(pi'(.|s) || exp(Q(s,.)/alpha) / Z(s)) in every state.

    SAC Eq. 4 (SAC-L2).  Over all policies this is the Boltzmann policy of q, (S, A) -> (S, A).
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
        (policy.ravel(), rows[:-1], rows[::n_actions]),
        shape=(n_states, n_states * n_actions),
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
    return q if log_prior is None else np.where(log_prior > -np.inf, q, -np.inf)


def _scores(q: ndarray, temperature: float, log_prior: ndarray | None) -> ndarray:
    """q + alpha log prior, the quantity whose soft-max is taken."""
    return q if log_prior is None else q + temperature * log_prior


def _quotient(difference: ndarray, temperature: float) -> ndarray:
    """difference / temperature for differences <= 0; beyond float64 it is -inf, as it should be."""
    with np.errstate(over="ignore"):
        return difference / temperature
