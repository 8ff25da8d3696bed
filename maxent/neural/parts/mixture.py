r"""A mixture of K diagonal Gaussians, squashed by tanh on a box: a policy of several hills.

A network gives in each state K logits, means and log standard deviations:

    pi(a|s) = sum_k p_k(s) N(u; mean_k, std_k) [ / prod_i (1 - tanh(u_i)^2), a = tanh(u) ].

The density is exact, at every action.  An expectation over the policy is taken component by
component, each by its own sample, weighted by its probability:

    E_pi[ f(a) ] = sum_k p_k E[ f(tanh(mean_k + std_k noise_k)) ],

differentiable in all three outputs: a choice of the component, which is not, does not occur.  Of a
loss alpha log pi - Q this is the gradient through what each component does and through how likely
it is; log pi is the mixture's own, not the component's.

Beside the network an actor has `centre` (K, m), added to the means: learnt, and far apart at the
start (standard normal), so that the components do not begin on one hill.

Shapes: n states, d observation, m action dimensions, K components, N actions of a state.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from maxent.neural.parts.gaussian import gaussian_log_density, log_tanh_jacobian
from maxent.neural.parts.networks import Parameters, mlp, mlp_parameters
from maxent.support.shapes import Float

CENTRE = "centre"
"""The parameter by whose name an actor is known to be a mixture."""


class Mixture(NamedTuple):
    """The policy in n states.  log_share : (n, K), log-probabilities of the components.  mean,
    log_std : (n, K, m), before a squash."""

    log_share: Tensor
    mean: Tensor
    log_std: Tensor
    squashed: bool

    def of_each(
        self, noise: Float[Tensor, "n K m"]
    ) -> tuple[Float[Tensor, "n K m"], Float[Tensor, "n K"]]:
        """One action of each component and its log-density under the whole mixture; noise: standard
        normal."""
        u = self.mean + self.log_std.exp() * noise
        return self._squashed(u), self._log_density(u)

    def drawn(
        self, count: int, generator: torch.Generator
    ) -> tuple[Float[Tensor, "n {count} m"], Float[Tensor, "n {count}"]]:
        """`count` actions in each state and their log-densities."""
        u = self._drawn(count, generator)
        return self._squashed(u), self._log_density(u)

    def actions(self, count: int, generator: torch.Generator) -> Float[Tensor, "n {count} m"]:
        """The actions of `drawn` alone."""
        return self._squashed(self._drawn(count, generator))

    def central(self) -> Float[Tensor, "n m"]:
        """The centre of the likeliest component."""
        likeliest = self.log_share.argmax(-1)[:, None, None]
        return self._squashed(self.mean.take_along_dim(likeliest, dim=1)[:, 0])

    def log_density(self, actions: Float[Tensor, "n N m"]) -> Float[Tensor, "n N"]:
        """log pi(a|s) of given actions; -inf outside of a squashed policy's box.

        An action on the border counts as the nearest number inside, as of a Gaussian.
        """
        if not self.squashed:
            return self._log_density(actions)
        edge = 1.0 - torch.finfo(actions.dtype).eps
        found = self._log_density(torch.atanh(actions.clamp(-edge, edge)))
        return torch.where((actions.abs() <= 1.0).all(-1), found, -math.inf)

    def _drawn(self, count: int, generator: torch.Generator) -> Tensor:
        chosen = torch.multinomial(
            self.log_share.exp(), count, replacement=True, generator=generator
        )[..., None]
        noise = torch.randn(
            (*chosen.shape[:2], self.mean.shape[-1]), generator=generator, device=generator.device
        )
        mean, log_std = (x.take_along_dim(chosen, dim=1) for x in (self.mean, self.log_std))
        return mean + log_std.exp() * noise

    def _squashed(self, u: Tensor) -> Tensor:
        return torch.tanh(u) if self.squashed else u

    def _log_density(self, u: Float[Tensor, "n N m"]) -> Float[Tensor, "n N"]:
        parts = (u[:, :, None], self.mean[:, None], self.log_std[:, None])
        of_each = gaussian_log_density(*torch.broadcast_tensors(*parts))
        found = (self.log_share[:, None] + of_each).logsumexp(-1)
        return found - log_tanh_jacobian(u).sum(-1) if self.squashed else found


def parameters(
    observed: int, hidden: tuple[int, ...], m: int, components: int, generator: torch.Generator
) -> Parameters:
    """A fresh actor: observation (d) -> K logits, K m means, K m log_stds; and `centre` (K, m)."""
    sizes = (observed, *hidden, components * (2 * m + 1))
    centre = torch.randn((components, m), generator=generator, device=generator.device)
    return mlp_parameters(sizes, generator=generator) | {CENTRE: centre}


def mixture(
    actor: Parameters,
    observation: Float[Tensor, "n d"],
    limits: tuple[float, float],
    squashed: bool,
) -> Mixture:
    """The policy in states (n, d); limits: of log_std."""
    components, m = actor[CENTRE].shape
    network = {name: x for name, x in actor.items() if name != CENTRE}
    logits, mean, log_std = mlp(network, observation).split(
        (components, components * m, components * m), dim=-1
    )
    shape = (components, m)
    return Mixture(
        torch.log_softmax(logits, dim=-1),
        mean.unflatten(-1, shape) + actor[CENTRE],
        log_std.unflatten(-1, shape).clamp(*limits),
        squashed,
    )
