"""The entropy of a policy in given states, in nats."""

from __future__ import annotations

import torch
from torch import Tensor

from maxent.neural import operators
from maxent.neural.parts.gaussian import gaussian_entropy, log_tanh_jacobian
from maxent.neural.parts.policies import Categorical, Gaussian, Policy
from maxent.support.shapes import Float

SAMPLES = 4_096
"""Actions drawn in each state where the entropy is an average."""
NODES, REACH = 2_001, 9.0
"""Of the quadrature over a normal variable: beyond 9 deviations lies a mass of 2e-19."""


def entropies(policy: Policy, generator: torch.Generator) -> Float[Tensor, " n"]:
    """The entropy in each of n states: exact, by quadrature, or (not of a Gaussian) the mean of
    samples' -log density.

    Densities are in the policy's units: [-1, 1]^m where it is squashed.
    """
    if isinstance(policy, Categorical):
        return operators.entropy(policy.log_policy)
    if isinstance(policy, Gaussian):
        unsquashed = gaussian_entropy(policy.log_std)
        return unsquashed + _squash(policy) if policy.squashed else unsquashed
    return -policy.drawn(SAMPLES, generator)[1].mean(-1)


def _squash(policy: Gaussian) -> Float[Tensor, " n"]:
    """What tanh adds to the entropy, E[log(1 - tanh(u)^2)] summed over the dimensions."""
    z = torch.linspace(-REACH, REACH, NODES, dtype=torch.float64, device=policy.mean.device)
    weights = torch.exp(-0.5 * z**2)
    weights = weights / weights.sum()
    mean, std = policy.mean.double()[..., None], policy.log_std.double().exp()[..., None]
    return (log_tanh_jacobian(mean + std * z) * weights).sum(-1).sum(-1).float()
