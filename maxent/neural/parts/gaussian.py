r"""The densities of continuous policies: the diagonal Gaussian, and the same squashed by tanh.

A policy network gives `mean` and `log_std`; noise from N(0, 1) makes u = mean + exp(log_std) noise,
a differentiable function of both (SAC Eq. 11).  In an unbounded action space u is the action; for
a box it is squashed, a = tanh(u), and densities change by the Jacobian (SAC App. C):

    log pi(a|s) = log N(u; mean, std) - sum_i log(1 - tanh(u_i)^2).

**Units.**  A density depends on the units of the action.  Here they are the policy's own: the
cube [-1, 1]^m for a squashed policy, the environment's for an unsquashed one.  In the units of
the box [low, high], log pi is less by sum_i log((high_i - low_i) / 2) (`log_density_in_box`), and
an entropy, or a target for one, is more by as much.  With half-width 0.4 in 17 dimensions that is
15.6 nats, which turns the usual target of -17 into -1.4 if the units are mixed.

**Saturation.**  Where |u| is large, tanh(u) rounds to 1 and 1 - tanh(u)^2 to 0.  Adding 1e-6 under
the logarithm hides the infinity and takes away the gradient that would bring u back (at u = 10:
-0.02 for -2); recovering u from a clamped action does the same.  So densities are functions of u,
never of a, and the logarithm is computed in a form that is exact for every u.

Shapes: B states, m action dimensions; `mean`, `log_std`, `noise`, `u`, `action` are (B, m),
densities and entropies (B,), in nats.

Source: SAC is Haarnoja, Zhou, Abbeel, Levine (2018), *Soft Actor-Critic*, Eq. 11 and App. C.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import softplus

from maxent.support.shapes import Float


class Draw(NamedTuple):
    """A sampled action, differentiable in the policy's mean and log_std.

    action : (B, m), in [-1, 1]^m if squashed.  log_density : (B,), of the action, in these units.
    u : (B, m), the Gaussian variable before the squash (the action itself where there is none).
    """

    action: Tensor
    log_density: Tensor
    u: Tensor


def gaussian_log_density(
    u: Float[Tensor, "*B m"], mean: Float[Tensor, "*B m"], log_std: Float[Tensor, "*B m"]
) -> Float[Tensor, "*B"]:
    """log N(u; mean, exp(log_std)^2), a sum over the dimensions; in the units of u."""
    return _standard_log_density((u - mean) * torch.exp(-log_std), log_std)


def log_tanh_jacobian(u: Float[Tensor, "*B m"]) -> Float[Tensor, "*B m"]:
    """log(1 - tanh(u)^2) = 2 (log 2 - u - softplus(-2u)), elementwise; its derivative: -2 tanh(u).

    SAC App. C.  Within a few roundings of max(1, |u|) for every u, and so is the derivative.
    """
    # by default softplus(x) is x from 20 on, 2e-9 too little; from 80 on that is below rounding
    return 2.0 * (math.log(2.0) - u - softplus(-2.0 * u, threshold=80.0))


def squashed_log_density(
    u: Float[Tensor, "*B m"], mean: Float[Tensor, "*B m"], log_std: Float[Tensor, "*B m"]
) -> Float[Tensor, "*B"]:
    """log density of a = tanh(u) in [-1, 1]^m units: log N(u) - sum_i log(1 - tanh(u_i)^2).

    SAC App. C Eq. 21, as a function of u: an action near the border does not determine its u.
    """
    return gaussian_log_density(u, mean, log_std) - log_tanh_jacobian(u).sum(dim=-1)


def gaussian_sample(
    mean: Float[Tensor, "*B m"], log_std: Float[Tensor, "*B m"], noise: Float[Tensor, "*B m"]
) -> Draw:
    """u = mean + exp(log_std) noise with its log density, in the units of u (SAC Eq. 11).

    For unbounded action spaces: the action is u.  noise: from N(0, 1).
    """
    u = mean + torch.exp(log_std) * noise
    return Draw(u, _standard_log_density(noise, log_std), u)


def squashed_sample(
    mean: Float[Tensor, "*B m"], log_std: Float[Tensor, "*B m"], noise: Float[Tensor, "*B m"]
) -> Draw:
    """tanh(mean + exp(log_std) noise), its log density in [-1, 1]^m units (SAC Eq. 11, App. C).

    noise: from N(0, 1).
    """
    u, log_density, _ = gaussian_sample(mean, log_std, noise)
    return Draw(torch.tanh(u), log_density - log_tanh_jacobian(u).sum(dim=-1), u)


def gaussian_entropy(log_std: Float[Tensor, "*B m"]) -> Float[Tensor, "*B"]:
    """Entropy of the Gaussian: sum_i ( log_std_i + 1/2 log(2 pi e) ), in nats; in the units of u.

    A squashed Gaussian's entropy has no closed form: it is this plus the expectation of
    sum_i log(1 - tanh(u_i)^2), or minus the mean log density of its samples.
    """
    return (log_std + 0.5 * math.log(2.0 * math.pi * math.e)).sum(dim=-1)


def log_density_in_box(
    log_density: Float[Tensor, "*B"], low: Float[Tensor, " m"], high: Float[Tensor, " m"]
) -> Float[Tensor, "*B"]:
    """A log density in [-1, 1]^m units in the units of the box [low, high]^m instead.

    With the action a in [-1, 1] standing for low + (a + 1) (high - low) / 2:
    log_density - sum_i log((high_i - low_i) / 2).  The bounds are finite, low < high.
    """
    return log_density - torch.log((high - low) / 2.0).sum()


def _standard_log_density(noise: Tensor, log_std: Tensor) -> Tensor:
    """Log density at u = mean + std noise, from the noise itself: no rounding of u - mean."""
    return -(0.5 * noise.square() + log_std + 0.5 * math.log(2.0 * math.pi)).sum(dim=-1)
