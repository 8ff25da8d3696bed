r"""Actions to sample the soft value from, each with the density it was drawn with.

SQL Eq. 10 needs N actions a_i of a state, drawn from a proposal p, and log p(a_i):

    V(s) ~ alpha log (1/N) sum_i w_i,    w_i = exp(Q(s,a_i) / alpha) / p(a_i).

The estimate is as good as E[w] = Z = integral of exp(Q/alpha) is exact and w varies little.

==================  =================================================  ==========================
proposal            E[w]                                               w varies
==================  =================================================  ==========================
`uniform_proposal`  Z                                                  with Q; it collapses as
                                                                       the dimension m grows
`network_proposal`  Z where the network is one-to-one and covers       little once the network
                    the box, else the integral of k(a) exp(Q/alpha),   follows exp(Q/alpha)
                    k(a) the number of noises that give a
`mixture_proposal`  Z, whatever the network                            at most 1/share times as
                                                                       much as with uniform
==================  =================================================  ==========================

**The network's own density** (SQL App. C.2).  The sampling network turns noise x ~ N(0, I) of the
action's dimension into a = tanh(f(x; s)); its density is p(x) / |det da/dx|.  By the area formula

    E[ exp(Q(s, a(x)) / alpha) |det da/dx| / p(x) ] = integral of k(a) exp(Q(s,a) / alpha) da,

k(a) counting the x with a(x) = a.  Nothing forces k = 1: a network of rectified units may fold
(k = 2: counted twice) or leave actions out (k = 0: missed).  Of eight networks trained well on
simple densities in 1, 2 and 6 dimensions four folded, E[w] being 1.3 to 1.9 times Z: V up to 0.6
alpha too high, with an effective sample size of up to 97 % of N, which shows neither fault.
Where the network is flat, det = 0 and the weight is rightly 0: what a region
of noise squeezed to a lower dimension covers has no volume.  Early in training that is nearly
everywhere, the network reaching a small part of the box: the estimate is then far too low.

**The mixture.**  A mixture with that density would need it at the uniform draws too, hence every
x that gives a chosen a: there is no such inverse.  Weighting the two sets of draws apart, each by
its own density, needs none, but is no defence: a constant times a weight of infinite variance has
infinite variance, and what folds stays counted twice.  So the network gives the *places* and not
the density: C of its samples become the centres c_j of Gaussians in pre-tanh units, M <= C actions
are drawn, one from each of the first M, and with L uniform draws, N = L + M, the density is

    p(a) = (L/N) 2^-m + (M/N) (1/C) sum_j Normal(u; c_j, diag(s_j^2)) / prod_k (1 - tanh(u_k)^2),

u = atanh(a), evaluated in full at every one of the N actions.  This is an ordinary density that can
be computed, positive everywhere, and E[w] = Z for every network, folded, collapsed or untrained.
With C = M that is so given the centres, the fixed numbers of draws taking the place of drawing the
components too (Hesterberg 1995; Veach and Guibas 1995); with C > M on average over the centres,
which are independent and alike: the mean over the first M components is that over all C.  No
weight exceeds N/L times its uniform one.  More centres make a smoother density at little cost.

The widths are s_j = r_j std, with std the deviation of the centres in each dimension and
r_j = min( h, d_j / sqrt(m) ): h = C^(-1/(m+4)) is Scott's rule, d_j the distance, in deviations,
to the second nearest centre.  Two draws of one Gaussian are sqrt(2 m) of its deviations apart, so
where all samples are one hill h is the smaller, and where there are several d_j is that of its own
hill: Scott's rule alone would fill what is between them (four hills in 6 dimensions: a bias of V of
-5.3 alpha, with these widths -0.03; `benchmarks/learning/proposal_widths.py`).
In many dimensions h is near 1, and centres so widened would have twice the network's variance.  So
they are first drawn together, c <- mean + sqrt(1 - r_j^2) (c - mean), which keeps the network's
mean and variance (West 1993).  For 17 dimensions, 16 actions and 64 centres of the right Gaussian
this takes the bias of V from -1.1 nats to -0.16 (uniform: -5.8).

Shapes: B states, N actions a state, m action dimensions, d observation.  Actions lie in [-1, 1]^m
and densities are in those units.  Noise is handed in, (B, N, m), so every state has actions of
its own: one set for the whole minibatch would give all its targets one common error.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from maxent.errors import ConfigError
from maxent.neural.parts.gaussian import log_tanh_jacobian
from maxent.neural.parts.networks import Parameters, mlp
from maxent.support.shapes import Float

SMALLEST_WIDTH = 0.01
"""Of the mixture's Gaussians, in pre-tanh units: for networks that put all samples in one place."""


class Proposal(NamedTuple):
    """Actions drawn in each state, (B, N, m), and their log-densities, (B, N)."""

    action: Tensor
    log_density: Tensor


def importance_sampled_soft_value(
    q_samples: Float[Tensor, "*S N"],
    log_proposal: Float[Tensor, "*S N"],
    temperature: float | Tensor,
) -> Float[Tensor, "*S"]:
    """SQL Eq. 10: alpha ( logsumexp_i( q_i / alpha - log p_i ) - log N ), (..., N) -> (...).

    q_samples, log_proposal: Q(s,a_i) and log p(a_i|s) of the N actions drawn in each state; in
    units of reward, discounted.  At temperature 0: the largest q drawn.  Differentiable.
    """
    if not isinstance(temperature, Tensor) and temperature == 0.0:
        return q_samples.amax(-1)
    temperature = _at_least_tiny(temperature, q_samples)
    scores = q_samples - temperature * log_proposal
    top = scores.detach().amax(-1, keepdim=True)
    # expm1 and log1p keep the digits of q where exp(q / alpha) is nearly 1 (a large alpha)
    rises = torch.expm1((scores - top) / temperature)
    return top.squeeze(-1) + temperature * torch.log1p(rises.mean(-1))


def effective_sample_size(
    q_samples: Float[Tensor, "*S N"],
    log_proposal: Float[Tensor, "*S N"],
    temperature: float | Tensor,
) -> Float[Tensor, "*S"]:
    """(sum w)^2 / sum w^2 of the weights w_i = exp(q_i / alpha) / p_i: from 1 (one sample decides)
    to N (all count alike); (..., N) -> (...).  Temperature above 0."""
    temperature = _at_least_tiny(temperature, q_samples)
    scores = q_samples - temperature * log_proposal
    weights = torch.exp((scores - scores.amax(-1, keepdim=True)) / temperature)
    return weights.sum(-1).square() / weights.square().sum(-1)


def sample(
    parameters: Parameters, observation: Float[Tensor, "B d"], noise: Float[Tensor, "B N m"]
) -> Float[Tensor, "B N m"]:
    """The sampling network f(x; s), *before* tanh: actions are tanh of it (SQL Sec. 3.3).

    parameters: of an `mlp` from d + m numbers to m.  noise: standard normal.
    """
    states = observation.unsqueeze(-2).expand(-1, noise.shape[-2], -1)
    return mlp(parameters, torch.cat([states, noise], dim=-1))


def uniform_proposal(noise: Float[Tensor, "B N m"]) -> Proposal:
    """Uniform on [-1, 1]^m, log-density -m log 2.  noise: uniform on [0, 1).

    The constant belongs to V: dropped, every step that is survived would pay alpha m log 2 less.
    """
    log_density = noise.new_full(noise.shape[:-1], -noise.shape[-1] * math.log(2.0))
    return Proposal(2.0 * noise - 1.0, log_density)


def network_proposal(
    parameters: Parameters, observation: Float[Tensor, "B d"], noise: Float[Tensor, "B N m"]
) -> Proposal:
    """The sampling network's actions, log-density log p(x) - log|det da/dx| (SQL App. C.2).

    noise: standard normal, its density p(x).  The Jacobian is exact, its m rows all at once.
    Where it is singular the log-density is large, not infinite (log|det| no lower than the smallest
    normal float's logarithm): the weight is 0 beside any other, and a state whose samples are all
    singular gets a low value, not a NaN.
    """
    u, pull_back, *_ = torch.func.vjp(lambda x: sample(parameters, observation, x), noise)
    rows = torch.eye(noise.shape[-1], dtype=noise.dtype, device=noise.device)
    (jacobian,) = torch.func.vmap(lambda row: pull_back(row.expand_as(u)), out_dims=-2)(rows)
    log_det = torch.linalg.slogdet(jacobian).logabsdet + log_tanh_jacobian(u).sum(-1)
    log_det = log_det.clamp(min=math.log(torch.finfo(noise.dtype).tiny))
    return Proposal(torch.tanh(u), _log_normal(noise).sum(-1) - log_det)


def mixture_proposal(
    parameters: Parameters,
    observation: Float[Tensor, "B d"],
    uniform_noise: Float[Tensor, "B L m"],
    centre_noise: Float[Tensor, "B C m"],
    width_noise: Float[Tensor, "B M m"],
) -> Proposal:
    """L uniform actions and M <= C near the sampling network's, all under the mixture's density.

    uniform_noise: uniform on [0, 1).  centre_noise, width_noise: standard normal, of the network's
    samples that become centres, and of the draws u_j = c_j + s * noise around the first M of them.
    """
    uniform_count, near_count = uniform_noise.shape[-2], width_noise.shape[-2]
    if uniform_count < 1 or not (1 <= near_count <= centre_noise.shape[-2]):
        raise ConfigError(
            f"mixture_proposal has noise for {uniform_count} uniform actions, "
            f"{centre_noise.shape[-2]} centres and {near_count} draws around them; give at least "
            "one of each, and no more draws than centres"
        )
    return around(sample(parameters, observation, centre_noise), uniform_noise, width_noise)[1]


class Places(NamedTuple):
    """Where the N = L + M draws of a mixture are from: L uniform, M Gaussians before tanh.

    centres, width (..., C, m): draw j is around centre j, for the first M of them.
    """

    uniform_count: int
    near_count: int
    centres: Tensor
    width: Tensor

    def log_density(self, u: Float[Tensor, "*B N m"]) -> Float[Tensor, "*B N"]:
        """Of tanh(u) under the mixture."""
        count = self.uniform_count + self.near_count
        log_uniform = math.log(self.uniform_count / count) - u.shape[-1] * math.log(2.0)
        if not self.near_count:
            return torch.full_like(u[..., 0], log_uniform)
        log_near = self._log_normals(u).logsumexp(-1)
        log_near = log_near - math.log(self.centres.shape[-2]) - log_tanh_jacobian(u).sum(-1)
        return torch.logaddexp(
            log_near + math.log(self.near_count / count), torch.full_like(log_near, log_uniform)
        )

    def slots(self, u: Float[Tensor, "*B K m"]) -> Float[Tensor, "*B K N"]:
        """Log-densities of tanh(u) as each of the N draws: the uniform ones come first."""
        log_uniform = u.new_full((*u.shape[:-1], self.uniform_count), -u.shape[-1] * math.log(2.0))
        if not self.near_count:
            return log_uniform
        log_near = self._log_normals(u)[..., : self.near_count]
        return torch.cat([log_uniform, log_near - log_tanh_jacobian(u).sum(-1, keepdim=True)], -1)

    def _log_normals(self, u: Tensor) -> Float[Tensor, "*B K C"]:
        """Log-densities of u around each centre."""
        distance = (u.unsqueeze(-2) - self.centres.unsqueeze(-3)) / self.width.unsqueeze(-3)
        return (_log_normal(distance) - self.width.log().unsqueeze(-3)).sum(-1)


def around(
    samples: Float[Tensor, "*B C m"],
    uniform_noise: Float[Tensor, "*B L m"],
    width_noise: Float[Tensor, "*B M m"],
) -> tuple[Places, Proposal]:
    """L uniform actions and M <= C near the given samples (before tanh), and where they are from.

    uniform_noise: uniform on [0, 1).  width_noise: standard normal.  M = 0: all are uniform.
    """
    uniform_count, near_count = uniform_noise.shape[-2], width_noise.shape[-2]
    if near_count:
        centres, width = _centres(samples)
    else:
        centres, width = samples, torch.ones_like(samples)
    places = Places(uniform_count, near_count, centres, width)
    edge = torch.finfo(uniform_noise.dtype).eps  # keeps atanh of a uniform action finite
    uniform_u = 0.5 * torch.logit(uniform_noise, eps=edge)
    near_u = centres[..., :near_count, :] + width[..., :near_count, :] * width_noise
    u = torch.cat([uniform_u, near_u], dim=-2)
    return places, Proposal(torch.tanh(u), places.log_density(u))


def _centres(u: Tensor) -> tuple[Tensor, Tensor]:
    """The network's samples drawn together, (B, C, m), and the widths, (B, C, m): narrower where
    samples are dense; with one width for all they have the mean and variance of the samples."""
    count, m = u.shape[-2:]
    spread, mean = torch.std_mean(u, -2, correction=0, keepdim=True)
    share = u.new_full((*u.shape[:-1], 1), count ** (-1.0 / (m + 4)))
    if count > 2:
        apart = (u - mean) / spread.clamp(min=SMALLEST_WIDTH)
        nearest = _third_smallest(torch.cdist(apart, apart))  # after itself, and the nearest
        share = torch.minimum(share, nearest / math.sqrt(m))
    drawn_together = mean + (1.0 - share.square()).sqrt() * (u - mean)
    return drawn_together, (share * spread).clamp(min=SMALLEST_WIDTH)


def _third_smallest(x: Float[Tensor, "*B N"]) -> Float[Tensor, "*B 1"]:
    """Of the last axis; in passes over all of it, a third of the time that `topk` takes."""
    found = x.amin(-1, keepdim=True)
    for _ in range(2):
        larger = torch.where(x > found, x, math.inf).amin(-1, keepdim=True)
        found = torch.where((x <= found).sum(-1, keepdim=True) < 3, larger, found)
    return found


def _log_normal(x: Tensor) -> Tensor:
    """log of the standard normal density, number by number."""
    return -0.5 * x.square() - 0.5 * math.log(2.0 * math.pi)


def _at_least_tiny(temperature: float | Tensor, q: Tensor) -> float | Tensor:
    """At least the smallest normal number of q's precision: what rounds to 0 gives the maximum."""
    if isinstance(temperature, Tensor):
        return temperature.clamp(min=torch.finfo(q.dtype).tiny)
    return max(temperature, torch.finfo(q.dtype).tiny)
