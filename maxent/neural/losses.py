r"""One function an equation of the papers: tensors in, a scalar out; descend its gradient.

No network, environment or random number appears here.  An algorithm computes the values, and these
functions say what is made small.  Whatever an equation holds fixed (targets, temperatures, the
other part's values) is detached, so that no gradient reaches it.

Shapes: B transitions or states, A actions, C members of an ensemble (the two Q's); the last axis is
actions where there is one.

===================  =======  ================================================================
``q``                (C, B)   Q(s,a) of the action taken; or (B,); a table over actions: (B, A)
``next_v``           (B,)     V(s') from the target parameters
``next_q``           (B,)     Q(s',a') from the target parameters, already the smaller of two
``log_density``      (B,)     log pi(a|s) of sampled continuous actions, in the policy's units
``log_policy``       (B, A)   log pi(a|s) of every discrete action, -inf for one never taken
``temperature``               alpha > 0, a number or a 0-d tensor, held fixed
``target_entropy``            in nats; for densities in the units of `log_density`
===================  =======  ================================================================

A batch's discount is the one on arrival: where a transition terminated it is 0, and the target is
the reward alone, without value or entropy.  At an exact solution every loss has zero gradient, at
every temperature.

Sources: SQL is Haarnoja, Tang, Abbeel, Levine (2017); SAC is Haarnoja, Zhou, Abbeel, Levine (2018),
whose reward absorbs alpha: here it is written out; SAC2 is Haarnoja et al. (2018), *Soft
Actor-Critic Algorithms and Applications*; Christodoulou (2019), *Soft Actor-Critic for Discrete
Action Settings*.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from maxent.errors import ConfigError
from maxent.neural.operators import Temperature, backup, entropy, policy_value, soft_policy_bellman
from maxent.neural.parts.replay import Batch
from maxent.support.arguments import require_count, require_real
from maxent.support.shapes import Float, Int


def soft_q_loss(
    q: Float[Tensor, "*C B"], batch: Batch, next_v: Float[Tensor, " B"]
) -> Float[Tensor, ""]:
    """J_Q = E[ 1/2 ( Q(s,a) - (r + gamma V(s')) )^2 ], summed over the ensemble.

    SQL Eq. 11 (its fixed point: SQL-T2), SAC Eqs. 7-8 with V the target value network.  The paper
    has E_{s'} inside the square: the same gradient.  It determines Q only at the pairs (s,a) that
    the batches contain.
    """
    return _half_square(q, backup(batch, next_v))


def soft_policy_evaluation_loss(
    q: Float[Tensor, "*C B"],
    batch: Batch,
    next_q: Float[Tensor, " B"],
    next_log_density: Float[Tensor, " B"],
    temperature: Temperature,
) -> Float[Tensor, ""]:
    """J_Q = E[ 1/2 ( Q(s,a) - (r + gamma ( Q(s',a') - alpha log pi(a'|s') )) )^2 ], a' ~ pi.

    SAC Eq. 7 with the target of SAC2 (its fixed point: SAC-L1), summed over the ensemble.
    """
    return _half_square(q, backup(batch, next_q - temperature * next_log_density))


def discrete_soft_policy_evaluation_loss(
    q: Float[Tensor, "*C B"],
    batch: Batch,
    next_q: Float[Tensor, "B A"],
    next_log_policy: Float[Tensor, "B A"],
    temperature: Temperature,
) -> Float[Tensor, ""]:
    """The same with the exact expectation over next actions: target r + gamma E_{a'~pi}[ ... ].

    Christodoulou (2019), with the V of its Eq. 10 (SAC-L1).  q of the actions taken (`q_taken`),
    next_q of all actions.
    """
    return _half_square(q, soft_policy_bellman(batch, next_q, next_log_policy, temperature))


def soft_value_loss(
    v: Float[Tensor, " B"],
    q: Float[Tensor, " B"],
    log_density: Float[Tensor, " B"],
    temperature: Temperature,
) -> Float[Tensor, ""]:
    """J_V = E[ 1/2 ( V(s) - ( Q(s,a) - alpha log pi(a|s) ) )^2 ] with a ~ pi, the current policy.

    SAC Eq. 5 (SAC-L1).  The paper has E_a inside the square: the same gradient.  q: the smaller of
    two, at the sampled actions, not at those of the batch.
    """
    return _half_square(v, q - temperature * log_density)


def soft_policy_improvement_loss(
    q: Float[Tensor, " B"], log_density: Float[Tensor, " B"], temperature: Temperature
) -> Float[Tensor, ""]:
    """J_pi = E[ alpha log pi(a|s) - Q(s,a) ], a = f(noise; s) differentiable in the policy.

    SAC Eq. 12 with alpha (SAC-L2): alpha times the KL divergence of Eq. 10, up to a constant.  q is
    the smaller of two *at the sampled action*, and carries its gradient to the policy: take the
    gradient of this loss in the policy's parameters only.
    """
    return (_fixed(temperature) * log_density - q).mean()


def discrete_soft_policy_improvement_loss(
    q: Float[Tensor, "B A"], log_policy: Float[Tensor, "B A"], temperature: Temperature
) -> Float[Tensor, ""]:
    """J_pi = E_s[ sum_a pi(a|s) ( alpha log pi(a|s) - Q(s,a) ) ], exact over actions.

    Christodoulou (2019), Eq. 12 (SAC-L2, GIBBS-2): alpha KL(pi || Boltzmann policy of q), less the
    soft value of q.
    """
    return -policy_value(q.detach(), log_policy, _fixed(temperature)).mean()


def temperature_loss(
    log_temperature: Float[Tensor, ""], log_density: Float[Tensor, " B"], target_entropy: float
) -> Float[Tensor, ""]:
    """-log(alpha) E[ log pi(a|s) + target_entropy ]: its gradient is the entropy above target.

    SAC2 Sec. 6 has J(alpha) = E[ -alpha (log pi(a|s) + target_entropy) ].  Both vanish at the same
    place; in log(alpha) the gradient of J is alpha times this one, so that a small temperature is
    slow to rise again.  log_density of samples of the current policy.
    """
    return -log_temperature * (log_density.detach() + target_entropy).mean()


def discrete_temperature_loss(
    log_temperature: Float[Tensor, ""],
    log_policy: Float[Tensor, "B A"],
    target_entropy: float | Float[Tensor, " B"],
) -> Float[Tensor, ""]:
    """log(alpha) E_s[ H(pi(.|s)) - target_entropy ], with the exact entropy in each state.

    `temperature_loss` with the expectation over actions carried out (Christodoulou 2019, Eq. 11);
    a target may be one for each state, as where their available actions differ in number.
    """
    return log_temperature * (entropy(log_policy.detach()) - target_entropy).mean()


def continuous_target_entropy(dimension: int) -> float:
    """SAC2's convention, -dim(A), in nats, for a density in [-1, 1]^m units.

    It is a policy as broad as a uniform one over 1/(2e) of each side.  In the units of a box it is
    more, by sum_i log((high_i - low_i) / 2).  ConfigError for a dimension that is not a count.
    """
    return -float(require_count("dimension", dimension))


def discrete_target_entropy(actions: int, fraction: float) -> float:
    """fraction * log(actions), in nats, between 0 (one action) and log(actions) (all alike).

    Entropy of a discrete policy is never negative: -dim(A) has no meaning here.  A target that the
    policy cannot hold lets the temperature climb without end, so stay well below 1 (0.98 leaves a
    policy that hardly prefers anything).  ConfigError unless 0 < fraction < 1 and actions >= 2.
    """
    count = require_count("actions", actions, 2)
    part = require_real("fraction", fraction, "(0, 1)")
    if not (0.0 < part < 1.0):
        raise ConfigError(
            f"fraction = {fraction!r} is outside (0, 1): no temperature gives a policy the entropy "
            f"{part:g} log {count}; typical values are 0.2 to 0.9"
        )
    return part * math.log(count)


def q_taken(q: Float[Tensor, "*C B A"], action: Int[Tensor, " B"]) -> Float[Tensor, "*C B"]:
    """Q(s,a) of the actions taken, out of Q(s,.): ([C,] B, A) -> ([C,] B)."""
    return torch.take_along_dim(q, action[:, None].expand(*q.shape[:-1], 1), dim=-1).squeeze(-1)


def _half_square(prediction: Tensor, target: Tensor) -> Tensor:
    """Half the squared distance to a fixed target: mean over the batch, sum over the ensemble."""
    return 0.5 * (prediction - target.detach()).square().mean(dim=-1).sum()


def _fixed(temperature: Temperature) -> Temperature:
    return temperature.detach() if isinstance(temperature, Tensor) else temperature
