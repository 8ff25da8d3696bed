r"""A policy that resamples: of N candidates one is kept, by its weight.

In a state, N candidates a_i come from a proposal of density p.  With w_i = exp(Q(s,a_i)/alpha) /
p(a_i), the action is candidate i with probability w_i / sum_j w_j: sampling-importance-resampling
(Rubin 1988).  Nothing is trained.  As N grows the actions follow pi* = exp(Q/alpha) / Z, whatever
p > 0 is.  For finite N, with chi^2 = Var(w) / E[w]^2,

    KL(policy || pi*) ~ chi^2 / (2 N^2),   E[ log (1/N) sum_i w_i ] ~ log Z - chi^2 / (2 N),

so that alpha log (1/N) sum_i w_i, as a soft value, is too low by about alpha chi^2 / (2 N).  A hill
that no candidate falls on is missed, and the weights do not show it.

**The density of the action** has no closed form, and is held between two estimates.  With
W = (1/N) sum_i w_i,

    above:  exp(Q(s,a)/alpha) / W   of the candidates that a was chosen from,
    below:  the same of fresh candidates, one of which has been replaced by a,

the mean logarithm of the first is at least E[log pi(a|s)], that of the second at most (for the
joint law J of candidates and choice and the law C of fresh candidates around a, both are log J/C:
E_J[log J/C] and E_C[log J/C] differ from E[log pi] by KL(J || C) and -KL(C || J)).  To first order
both are wrong by chi^2 / (2 N), in opposite directions: their mean is wrong by O(1/N^2).
In the mixture's fresh candidates, the one that a replaces is chosen by how likely it is that a was
drawn in its place.

Everything is done with log w: Q / alpha may be -130, where exp is 0 in float32; the choice is
the largest of log w_i + Gumbel noise.

Shapes: n states, d observation, m action dimensions, N candidates, K actions of a state.  Actions
lie in [-1, 1]^m, densities are in those units.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from maxent.neural.parts import proposals
from maxent.neural.parts.ensembles import cautious
from maxent.neural.parts.networks import action_values
from maxent.neural.parts.proposals import Places
from maxent.support.shapes import Float

MOST_AT_ONCE = 4_000_000
"""Numbers in the largest array: states, candidates, centres, dimensions."""
SETS = 8
"""Sets of fresh candidates that the density of a given action is estimated from."""
UNIFORM_DIMENSIONS = 3
"""The most action dimensions in which uniform candidates serve: 64 of them hold hills of an eighth
of each side, in three dimensions; in 6 the error is beyond all use."""


class Bracketed(NamedTuple):
    """Actions (n, K, m), and estimates of log pi (n, K) whose means hold its mean between them."""

    action: Tensor
    below: Tensor
    above: Tensor


class Resampled(NamedTuple):
    """The policy in states (n, d): of `candidates` actions one, by exp(Q/alpha) over their density.

    state : of the algorithm: its "critic", of which the smallest counts, as in the target (or what
        `ensembles.cautious` makes of them); and its "sampler", whose actions are the places of
        three quarters of the candidates (`proposals.around`); without one all are uniform.
    temperature : alpha, 0-d.
    """

    state: dict[str, Any]
    observation: Tensor
    temperature: Tensor
    candidates: int
    action_size: int

    def actions(self, count: int, generator: torch.Generator) -> Float[Tensor, "n {count} m"]:
        """`count` actions in each state, each of candidates of its own."""
        return self._each(count, lambda row: row._chosen(generator)[:1])[0]

    def best(self, generator: torch.Generator) -> Float[Tensor, "n m"]:
        """In each state, of one set of candidates the action of the largest Q."""

        def largest(row: Resampled) -> tuple[Tensor]:
            _, action, q, _ = row._candidates(generator)
            return (_picked(action, q.argmax(-1)),)

        return self._each(1, largest)[0][:, 0]

    def drawn(
        self, count: int, generator: torch.Generator
    ) -> tuple[Float[Tensor, "n {count} m"], Float[Tensor, "n {count}"]]:
        """`count` actions in each state and their log-densities: the middle of `bracketed`."""
        found = self.bracketed(count, generator)
        return found.action, 0.5 * (found.below + found.above)

    def bracketed(self, count: int, generator: torch.Generator) -> Bracketed:
        """`count` actions in each state, with the two estimates of their log-densities."""

        def both(row: Resampled) -> tuple[Tensor, Tensor, Tensor]:
            action, score, above = row._chosen(generator)
            return action, row._from_fresh(action, score, generator), above

        return Bracketed(*self._each(count, both))

    def log_density(self, actions: Float[Tensor, "n K m"]) -> Float[Tensor, "n K"]:
        """log pi(a|s) of given actions, estimated from `SETS` sets of fresh candidates (the same
        ones in every call): from below, by about Var(1/W) / (2 SETS E[1/W]^2).  -inf outside of the
        box."""
        generator = torch.Generator(actions.device).manual_seed(0)

        def mean(row: Resampled, action: Tensor) -> tuple[Tensor]:
            score = row._q(action[:, None])[:, 0] / row.temperature
            sets = [row._from_fresh(action, score, generator) for _ in range(SETS)]
            return (_log_mean(torch.stack(sets, dim=-1)),)

        found = self._each(actions.shape[1], mean, actions.flatten(0, 1))[0]
        return torch.where((actions.abs() <= 1.0).all(-1), found, -math.inf)

    # Below, each of the n states (then called a row) has one set of candidates and one action.

    def _chosen(
        self, generator: torch.Generator
    ) -> tuple[Float[Tensor, "n m"], Float[Tensor, " n"], Float[Tensor, " n"]]:
        """Actions, their Q / alpha, and the estimate of log pi from above."""
        _, action, q, log_density = self._candidates(generator)
        score = q / self.temperature
        log_weight = score - log_density
        uniform = torch.rand(q.shape, generator=generator, device=q.device)
        gumbel = -torch.log(-torch.log(uniform.clamp(min=torch.finfo(q.dtype).tiny)))
        kept = (log_weight + gumbel).argmax(-1)
        score = _picked(score, kept)
        return _picked(action, kept), score, score - _log_mean(log_weight)

    def _from_fresh(
        self, action: Float[Tensor, "n m"], score: Float[Tensor, " n"], generator: torch.Generator
    ) -> Float[Tensor, " n"]:
        """The estimate of log pi from below, of actions with Q / alpha = score."""
        places, _, q, log_density = self._candidates(generator)
        log_weight = q / self.temperature - log_density
        edge = 1.0 - torch.finfo(action.dtype).eps
        u = torch.atanh(action.clamp(-edge, edge))
        slots = places.slots(u[:, None])[:, 0]
        replaced = torch.multinomial(torch.softmax(slots, -1), 1, generator=generator)
        own = score - _log_mean(slots)  # the mixture's density is the mean of its draws'
        return score - _log_mean(log_weight.scatter(-1, replaced, own[:, None]))

    def _candidates(
        self, generator: torch.Generator
    ) -> tuple[Places, Float[Tensor, "n N m"], Float[Tensor, "n N"], Float[Tensor, "n N"]]:
        """N candidates in each state: where they are from, actions, Q, log-densities."""
        n, size = len(self.observation), self.action_size
        sampler = self.state.get("sampler")
        near = 0 if sampler is None else self.candidates - max(1, self.candidates // 4)
        device = self.observation.device
        shape = (n, self.candidates - near, size)
        uniform = torch.rand(shape, generator=generator, device=device)
        centre, width = torch.randn((2, n, near, size), generator=generator, device=device)
        if sampler is not None:
            centre = proposals.sample(sampler, self.observation, centre)
        places, drawn = proposals.around(centre, uniform, width)
        return places, drawn.action, self._q(drawn.action), drawn.log_density

    def _q(self, actions: Float[Tensor, "n N m"]) -> Float[Tensor, "n N"]:
        q = action_values(self.state["critic"], self.observation, actions)
        return cautious(self.state, q)

    def _each(
        self, count: int, call: Callable[..., tuple[Tensor, ...]], *others: Tensor
    ) -> list[Tensor]:
        """What `call` gives of every state `count` times, (n, count, ...): so many rows at once as
        memory is meant to hold.  others : one more argument a row, (n * count, ...)."""
        wide = self.candidates if "sampler" in self.state else 1
        at_once = max(1, MOST_AT_ONCE // (self.candidates * wide * self.action_size))
        rows = self.observation.repeat_interleave(count, dim=0)
        split = zip(*(each.split(at_once) for each in (rows, *others)), strict=True)
        found = [call(self._replace(observation=seen), *rest) for seen, *rest in split]
        return [torch.cat(x).unflatten(0, (-1, count)) for x in zip(*found, strict=True)]


def _picked(values: Tensor, index: Tensor) -> Tensor:
    """values[i, index[i]] of (n, N) or (n, N, m)."""
    return values[torch.arange(len(index), device=index.device), index]


def _log_mean(log_weight: Float[Tensor, "*B N"]) -> Float[Tensor, "*B"]:
    return log_weight.logsumexp(-1) - math.log(log_weight.shape[-1])
