r"""A spline flow, squashed by tanh on a box: a policy of any form, with its density.

Standard normal noise goes through three transformations, each a monotonic rational-quadratic spline
of a number whose knots a network makes of the observation and of the other numbers (Durkan et al.
2019, *Neural Spline Flows*), with the library zuko (the extra `flows`).  The density follows by the
change of variables, in both directions:

    log pi(a|s) = log N(z) - log |det du/dz| [ - sum_i log(1 - tanh(u_i)^2), a = tanh(u) ].

A spline moves numbers within [-5, 5] and leaves others as they are.  In two passes (half of the
numbers first, the others given these) a sample costs the same in any dimension.

An actor is the parameters by zuko's names, without whatever it keeps besides: the module is made
anew from their shapes, once for each, and is never changed.  Its updates run eagerly: how zuko
composes transformations is not traced into one graph.

Shapes: n states, d observation, m action dimensions, N actions of a state.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from maxent.neural.parts.gaussian import log_tanh_jacobian
from maxent.neural.parts.networks import Parameters
from maxent.support.extras import optional_module
from maxent.support.shapes import Float

TRANSFORMS, BINS, PASSES = 3, 8, 2
PREFIX = "transform."
"""Of the names of parameters, by which an actor is known to be a flow."""


class Flow(NamedTuple):
    """The policy in states (n, d)."""

    parameters: Parameters
    observation: Tensor
    squashed: bool

    def sample(
        self, noise: Float[Tensor, "n N m"]
    ) -> tuple[Float[Tensor, "n N m"], Float[Tensor, "n N"]]:
        """N actions in each state and their log-densities; noise: standard normal."""
        u, log_density = self._call(noise, True)
        if not self.squashed:
            return u, log_density
        return torch.tanh(u), log_density - log_tanh_jacobian(u).sum(-1)

    def drawn(
        self, count: int, generator: torch.Generator
    ) -> tuple[Float[Tensor, "n {count} m"], Float[Tensor, "n {count}"]]:
        """`count` actions in each state and their log-densities."""
        shape = (len(self.observation), count, _sizes(self.parameters)[1])
        return self.sample(torch.randn(shape, generator=generator, device=generator.device))

    def actions(self, count: int, generator: torch.Generator) -> Float[Tensor, "n {count} m"]:
        """The actions of `drawn` alone."""
        return self.drawn(count, generator)[0]

    def central(self) -> Float[Tensor, "n m"]:
        """What noise 0 becomes."""
        shape = (len(self.observation), 1, _sizes(self.parameters)[1])
        return self.sample(torch.zeros(shape, device=self.observation.device))[0][:, 0]

    def log_density(self, actions: Float[Tensor, "n N m"]) -> Float[Tensor, "n N"]:
        """log pi(a|s) of given actions; -inf outside of a squashed policy's box.

        An action on the border counts as the nearest number inside, as of a Gaussian.
        """
        if not self.squashed:
            return self._call(actions, False)[1]
        edge = 1.0 - torch.finfo(actions.dtype).eps
        u = torch.atanh(actions.clamp(-edge, edge))
        found = self._call(u, False)[1] - log_tanh_jacobian(u).sum(-1)
        return torch.where((actions.abs() <= 1.0).all(-1), found, -math.inf)

    def _call(self, numbers: Tensor, from_noise: bool) -> tuple[Tensor, Tensor]:
        """u and the log-density of u, of noise or of u itself."""
        module = _module(*_sizes(self.parameters))
        arguments = (self.observation[:, None].expand(-1, numbers.shape[1], -1), numbers)
        called: tuple[Tensor, Tensor] = torch.func.functional_call(
            module,
            {f"flow.{name}": x for name, x in self.parameters.items()},
            (*arguments, from_noise),
        )
        return called


def parameters(
    observed: int, hidden: tuple[int, ...], m: int, generator: torch.Generator
) -> Parameters:
    """A fresh actor, nearly the identity: its numbers come from the generator alone.

    Raises MissingExtraError without zuko.
    """
    seed = int(torch.randint(2**62, (), generator=generator, device=generator.device))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = _made(observed, m, tuple(hidden))
    return {
        name: x.detach().to(generator.device)
        for name, x in made.flow.named_parameters()
        if name.startswith(PREFIX)
    }


class _BothWays(nn.Module):
    """A flow called in either direction within one call, as `functional_call` needs it."""

    def __init__(self, flow: Any) -> None:
        super().__init__()
        self.flow = flow

    def forward(
        self, observation: Tensor, numbers: Tensor, from_noise: bool
    ) -> tuple[Tensor, Tensor]:
        found = self.flow(observation)
        if not from_noise:
            return numbers, found.log_prob(numbers)
        u, log_slope = found.transform.inv.call_and_ladj(numbers)
        log_normal = -0.5 * (numbers.square() + math.log(2.0 * math.pi)).sum(-1)
        return u, log_normal - log_slope


def _made(observed: int, m: int, hidden: tuple[int, ...]) -> _BothWays:
    zuko = optional_module("zuko", 'policy="flow" needs')
    return _BothWays(
        zuko.flows.NSF(
            m,
            observed,
            bins=BINS,
            transforms=TRANSFORMS,
            passes=PASSES,
            hidden_features=hidden,
        )
    )


@lru_cache(maxsize=32)
def _module(observed: int, m: int, hidden: tuple[int, ...]) -> _BothWays:
    with torch.random.fork_rng(devices=[]):
        return _made(observed, m, hidden)


def _sizes(parameters: Parameters) -> tuple[int, int, tuple[int, ...]]:
    """Observation, action and hidden sizes, of the shapes of the first transformation's network."""
    layers = {
        int(name.split(".")[-2]): x.shape
        for name, x in parameters.items()
        if name.startswith(f"{PREFIX}transforms.0.") and name.endswith(".weight")
    }
    shapes = [layers[number] for number in sorted(layers)]
    m = shapes[-1][0] // (3 * BINS - 1)
    inputs = shapes[0][1]
    return inputs - (m if m > 1 else 0), m, tuple(shape[0] for shape in shapes[:-1])
