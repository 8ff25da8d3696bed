r"""The mathematics of `maxent.tabular.operators` once more, on tensors that carry gradients.

The same names, argument order and axes; lay the two files side by side.  Where the exact half
has an MDP with its expectation over next states, this half has a batch of transitions, each with
one sampled next state: averaged over next states, `backup`, `soft_bellman` and
`soft_policy_bellman` of a batch are those of the MDP.

Shapes: B states of a batch, A actions, the last axis always actions.

===============  ======  ====================================================================
``q``            (B, A)  soft action value Q(s,a), discounted
``v``            (B,)    soft state value V(s), discounted
``log_policy``   (B, A)  log pi(a|s), -inf for an action never taken; each row of exp sums to 1
``log_prior``    (B, A)  0 for an available action, -inf for another, log prior(a|s) with a prior
``next_q``, ...          the same at the next states of a batch
``temperature``          alpha, the weight of the entropy: a number (0 is the hard maximum) or a
                         0-d tensor > 0, which may itself carry a gradient
===============  ======  ====================================================================

Entropies are in nats.  Values are differentiable in every tensor argument, and an action that is
not available, or so unlikely that its probability rounds to 0, gives gradients of 0, never NaN:
infinities are replaced *before* each operation whose derivative would meet them, since autograd
multiplies by 0 only afterwards, and 0 times infinity is NaN.  Two derivatives are theorems:
d soft_value / d q is the Boltzmann policy, d soft_value / d temperature its entropy (ENVELOPE).

Sources: SQL is Haarnoja, Tang, Abbeel, Levine (2017), *Reinforcement Learning with Deep
Energy-Based Policies*; SAC is Haarnoja, Zhou, Abbeel, Levine (2018), *Soft Actor-Critic*;
SAC2 is Haarnoja et al. (2018), *Soft Actor-Critic Algorithms and Applications*.  SAC's Eq. 3
has no alpha (it is absorbed into the reward); SAC2's Eq. 3, used here, has it.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from maxent.neural.parts.replay import Batch
from maxent.support.shapes import Bool, Float

Temperature = float | Float[Tensor, ""]

CUTOFF = 800.0
"""Nats below the best action at which a probability is 0 in float64 (exp(-746) is)."""


def soft_value(
    q: Float[Tensor, "*B A"],
    temperature: Temperature,
    log_prior: Float[Tensor, "*B A"] | None = None,
) -> Float[Tensor, "*B"]:
    """Soft value of q: alpha log sum_a prior(a|s) exp(Q(s,a) / alpha); max_a Q(s,a) at alpha = 0.

    SQL Eq. 5 (key SQL-T1; bounds: GIBBS-4).  q (B, A) -> (B,), discounted, in units of reward.
    """
    if _is_zero(temperature):
        return _available(q, log_prior).amax(dim=-1)
    scores = _scores(q, temperature, log_prior)
    top = scores.detach().amax(dim=-1, keepdim=True)  # the value does not depend on it
    alpha = _floored(temperature, q.dtype)
    weights = torch.exp(_exponents(scores - top, alpha))
    return top[..., 0] + alpha * torch.log(weights.sum(dim=-1))


def boltzmann_policy(
    q: Float[Tensor, "*B A"],
    temperature: Temperature,
    log_prior: Float[Tensor, "*B A"] | None = None,
    tie_tolerance: float = 0.0,
) -> Float[Tensor, "*B A"]:
    """Boltzmann policy, as log-probabilities: pi(a|s) = prior(a|s) exp((Q(s,a) - V(s)) / alpha).

    SQL Eq. 6 (SQL-T1); it is the improvement step, the minimiser of SAC Eq. 4 over all policies
    (SAC-L2, GIBBS-1).  At alpha = 0: uniform over the available actions whose q is within
    `tie_tolerance` of the largest, a constant.
    """
    if _is_zero(temperature):
        values = _available(q.detach(), log_prior)
        tied = values >= values.amax(dim=-1, keepdim=True) - tie_tolerance
        return torch.log(tied.to(q.dtype) / tied.sum(dim=-1, keepdim=True))
    scores = _scores(q, temperature, log_prior)
    differences = scores - scores.detach().amax(dim=-1, keepdim=True)
    alpha = _floored(temperature, q.dtype)
    weights = torch.exp(_exponents(differences, alpha))
    possible = scores > -math.inf
    shifted = torch.where(possible, differences, 0.0) / alpha
    log_policy = shifted - torch.log(weights.sum(dim=-1, keepdim=True))
    return torch.where(possible, log_policy, -math.inf)


def policy_value(
    q: Float[Tensor, "*B A"],
    log_policy: Float[Tensor, "*B A"],
    temperature: Temperature,
    log_prior: Float[Tensor, "*B A"] | None = None,
) -> Float[Tensor, "*B"]:
    """Value of a policy given q: E_{a~pi}[ Q(s,a) - alpha log pi(a|s) ], (B, A) -> (B,).

    SAC2 Eq. 3 (SAC-L1).  With a prior, log(pi / prior) takes the place of log pi; a policy that
    takes an unavailable action has value -inf.
    """
    policy = torch.exp(log_policy)
    expected_q = (policy * torch.where(policy > 0.0, q, 0.0)).sum(dim=-1)
    return expected_q + temperature * entropy(log_policy, log_prior)


def entropy(
    log_policy: Float[Tensor, "*B A"], log_prior: Float[Tensor, "*B A"] | None = None
) -> Float[Tensor, "*B"]:
    """Entropy of each row, -sum_a pi log pi, in nats, with 0 log 0 = 0; (B, A) -> (B,).

    With a prior: -KL(pi || prior), which is -inf where the policy leaves the prior's support.
    """
    policy = torch.exp(log_policy)
    shannon = -(policy * torch.where(policy > 0.0, log_policy, 0.0)).sum(dim=-1)
    if log_prior is None:
        return shannon
    return shannon + (policy * torch.where(policy > 0.0, log_prior, 0.0)).sum(dim=-1)


def kl_divergence(
    log_p: Float[Tensor, "*B A"], log_q: Float[Tensor, "*B A"]
) -> Float[Tensor, "*B"]:
    """KL(p || q) of each row, in nats (GIBBS-2); inf where p takes what q never does."""
    return -entropy(log_p, log_q)


def mellowmax(
    q: Float[Tensor, "*B A"],
    temperature: Temperature,
    log_mask: Float[Tensor, "*B A"] | None = None,
) -> Float[Tensor, "*B"]:
    """Mellowmax: alpha log mean_a exp(Q(s,a) / alpha) over the available actions, (B, A) -> (B,).

    The soft value with the uniform prior, soft_value - alpha log|A(s)|: between the mean of q
    (alpha -> infinity) and its maximum (alpha = 0), and a non-expansion.  Asadi and Littman
    (2017), whose omega is 1/alpha (MELLOWMAX).  log_mask: 0 for an available action, -inf for
    another.
    """
    values = _available(q, log_mask)
    if _is_zero(temperature):
        return values.amax(dim=-1)
    top = values.detach().amax(dim=-1, keepdim=True)
    # expm1 and log1p keep the digits of q where exp(q / alpha) is nearly 1 (a large alpha)
    alpha = _floored(temperature, q.dtype)
    rises = torch.expm1(_exponents(values - top, alpha))
    possible = values > -math.inf
    mean = torch.where(possible, rises, 0.0).sum(dim=-1) / possible.sum(dim=-1)
    return top[..., 0] + alpha * torch.log1p(mean)


def backup(batch: Batch, next_v: Float[Tensor, " B"]) -> Float[Tensor, " B"]:
    """r + gamma V(s'), with no discounted value beyond a terminal state; (B,) -> (B,).

    SQL Eq. 7 (SQL-T2) for one sampled s'.  `batch.discount` is the discount on arrival: gamma, and
    0 where the transition terminated.
    """
    return batch.reward + batch.discount * next_v


def soft_bellman(
    batch: Batch,
    next_q: Float[Tensor, "B A"],
    temperature: Temperature,
    log_prior: Float[Tensor, "B A"] | None = None,
) -> Float[Tensor, " B"]:
    """Optimality operator T at the batch's (s,a): r + gamma alpha log sum_a' exp(Q(s',a') / alpha).

    SQL Eqs. 7-9 (SQL-T2, SQL-T3) for one sampled s'.  next_q and log_prior at s', (B, A) -> (B,).
    """
    return backup(batch, soft_value(next_q, temperature, log_prior))


def soft_policy_bellman(
    batch: Batch,
    next_q: Float[Tensor, "B A"],
    next_log_policy: Float[Tensor, "B A"],
    temperature: Temperature,
    log_prior: Float[Tensor, "B A"] | None = None,
) -> Float[Tensor, " B"]:
    """Evaluation operator T^pi: r + gamma E_{a'~pi}[ Q(s',a') - alpha log pi(a'|s') ].

    SAC Eqs. 2-3 (SAC-L1) for one sampled s'.  next_q, next_log_policy and log_prior at s',
    (B, A) -> (B,).
    """
    return backup(batch, policy_value(next_q, next_log_policy, temperature, log_prior))


def soft_policy_improvement(
    q: Float[Tensor, "*B A"],
    temperature: Temperature,
    log_prior: Float[Tensor, "*B A"] | None = None,
) -> Float[Tensor, "*B A"]:
    """The policy that minimises KL(pi'(.|s) || exp(Q(s,.)/alpha) / Z(s)) in every state.

    SAC Eq. 4 (SAC-L2).  Over all policies this is the Boltzmann policy of q, (B, A) -> (B, A).
    """
    return boltzmann_policy(q, temperature, log_prior)


def log_mask(available: Bool[Tensor, "*B A"] | None) -> Float[Tensor, "*B A"] | None:
    """The `log_prior` of a mask: 0 for an available action, -inf for another; None of None."""
    if available is None:
        return None
    return torch.zeros(available.shape, device=available.device).masked_fill(~available, -math.inf)


def _available(q: Tensor, log_prior: Tensor | None) -> Tensor:
    return q if log_prior is None else torch.where(log_prior > -math.inf, q, -math.inf)


def _scores(q: Tensor, temperature: Temperature, log_prior: Tensor | None) -> Tensor:
    """q + alpha log prior, the quantity whose soft-max is taken."""
    if log_prior is None:
        return q
    available = log_prior > -math.inf
    bonus = temperature * torch.where(available, log_prior, 0.0)
    return torch.where(available, q + bonus, -math.inf)


def _exponents(differences: Tensor, alpha: Temperature) -> Tensor:
    """differences / alpha for differences <= 0; a constant -inf where exp would be 0."""
    counts = differences > -CUTOFF * alpha
    return torch.where(counts, torch.where(counts, differences, 0.0) / alpha, -math.inf)


def _is_zero(temperature: Temperature) -> bool:
    """Whether the hard maximum is asked for; a tensor is never looked into (one graph for all)."""
    return not isinstance(temperature, Tensor) and temperature == 0.0


def _floored(temperature: Temperature, dtype: torch.dtype) -> Temperature:
    """The temperature, at least the smallest normal number: what rounds to 0 gives the maximum."""
    least = torch.finfo(dtype).tiny
    if isinstance(temperature, Tensor):
        return temperature.clamp(min=least)
    return max(temperature, least)
