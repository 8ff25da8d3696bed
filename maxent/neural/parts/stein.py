r"""Stein variational gradients: how the sampling network learns to draw from exp(Q/alpha).

**The direction.**  Liu and Wang (2016): among all small moves of a set of particles (with kernel
kappa) the one that lowers the Kullback-Leibler divergence to a density p fastest moves a particle
at y by

    E_i[ kappa(x_i, y) grad log p(x_i) + grad_{x_i} kappa(x_i, y) ].

The first term climbs, the second, the kernel's gradient in its *first* argument, pushes
particles apart.  Times alpha, for p = exp(Q/alpha), it is SQL Eq. 13:

    Delta(y) = E_i[ kappa(x_i, y) grad Q(x_i) + alpha grad_{x_i} kappa(x_i, y) ].

The expectation of Delta over p itself is 0 (Stein's identity), so samples of p do not move.

**The network** (SQL Eq. 14).  Its samples of a state form two sets, of independent noise: fixed
ones x_i, and updated ones y_j = f(noise_j; s) through which the gradient flows:
-E_j[ Delta(y_j) . dy_j/dparameters ] is the gradient of `sampler_loss`.

**Which density, in which space.**  Actions are a = tanh(u), u from the network.

==============  ==================================================  ===============================
form            what moves, and by what gradient                    at rest the actions follow
==============  ==================================================  ===============================
``"pre-tanh"``  u, by grad_u of Q(s, tanh u)                        exp(Q/alpha), as they should
                + alpha sum_k log(1 - tanh(u_k)^2)
``"original"``  a, by grad_a of Q(s, a)                             exp(Q/alpha) prod_k (1 - a_k^2)
                + alpha sum_k log(1 - a_k^2 + 1e-6)
``"map"``       u, by grad_u of Q(s, tanh u), without repulsion     a local maximum of Q(s, .)
==============  ==================================================  ===============================

"pre-tanh": the density of u is exp(Q(s, tanh u)/alpha) times the Jacobian, u has no border, and
Stein's identity holds.  "original" is the form of the SQL authors' program: the logarithm of the
density of u, but its gradient and the kernel taken in a.  Moving a under grad_a log p makes p the
density of *a*: the Jacobian, put in once too often, holds actions off the border (a flat Q in one
dimension: variance 0.20, not 1/3).  Leaving it out does not help: Stein's identity wants a density
that vanishes at the border.  "map" is "pre-tanh" at temperature 0: neither repulsion nor Jacobian
(SQL Sec. 4), the deterministic policy gradient of DDPG if there is one particle.

Shapes: B states, n fixed and k updated particles of each, m dimensions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from maxent.neural.parts.gaussian import log_tanh_jacobian
from maxent.support.shapes import Float

Kernel = Callable[[Tensor], tuple[Tensor, Tensor]]
"""t -> (phi(t), phi'(t)) of a kernel kappa(x, y) = phi(|x - y|^2 / h), phi(0) = 1."""

Form = Literal["pre-tanh", "original", "map"]

SMALLEST_BANDWIDTH = 1e-3
ORIGINAL_EPSILON = 1e-6  # of the original program's log(1 - a^2 + epsilon)


def gaussian_kernel(
    t: Float[Tensor, "*P"],
) -> tuple[Float[Tensor, "*P"], Float[Tensor, "*P"]]:
    """kappa = exp(-|x-y|^2 / h): its value and derivative at t = |x-y|^2 / h."""
    value = torch.exp(-t)
    return value, -value


def inverse_multiquadric_kernel(
    t: Float[Tensor, "*P"],
) -> tuple[Float[Tensor, "*P"], Float[Tensor, "*P"]]:
    """kappa = c (c^2 + |x-y|^2)^(-1/2) with c^2 = h: value and derivative at t = |x-y|^2 / h.

    Far particles still feel each other (Gorham and Mackey 2017).  The factor c, 1 in their
    paper, gives both kernels the value 1 at x = y; it changes no fixed point.
    """
    value = torch.rsqrt(1.0 + t)
    return value, -0.5 * value**3


def median_bandwidth(squared_distance: Float[Tensor, "*B n k"]) -> Float[Tensor, "*B"]:
    """h = max( median_ij |x_i - y_j|^2 / log n, 1e-3 ) of each state, for n fixed particles.

    SQL's program; Liu and Wang (2016) Sec. 5: with it sum_i kappa(x_i, y) ~ n exp(-log n) = 1.
    Of two middle values the larger, so that the zeros of two particles held against themselves
    do not decide.  One particle counts as two (log 1 = 0).
    """
    n, k = squared_distance.shape[-2:]
    middle = squared_distance.flatten(-2).kthvalue(n * k // 2 + 1, dim=-1).values
    return (middle / math.log(max(n, 2))).clamp(min=SMALLEST_BANDWIDTH)


def stein_direction(
    fixed: Float[Tensor, "*B n m"],
    updated: Float[Tensor, "*B k m"],
    gradient: Float[Tensor, "*B n m"],
    temperature: float | Tensor,
    kernel: Kernel = gaussian_kernel,
) -> Float[Tensor, "*B k m"]:
    """SQL Eq. 13: E_i[ kappa(x_i, y_j) g_i + alpha grad_{x_i} kappa(x_i, y_j) ], uphill.

    fixed, updated: particles x_i and y_j (free particles: one set given twice).  gradient: g_i,
    of alpha log p at x_i, in units of reward.  The bandwidth is the state's own, held constant.
    """
    difference = fixed.unsqueeze(-2) - updated.unsqueeze(-3)
    squared = difference.square().sum(-1)
    h = median_bandwidth(squared.detach())[..., None, None]
    value, slope = kernel(squared / h)
    climb = torch.einsum("...nk,...nm->...km", value, gradient)
    repel = torch.einsum("...nk,...nkm->...km", 2.0 * slope / h, difference)
    return (climb + temperature * repel) / fixed.shape[-2]


def pre_tanh_gradient(
    q: Callable[[Tensor], Tensor], u: Float[Tensor, "*B n m"], temperature: float | Tensor
) -> Float[Tensor, "*B n m"]:
    """grad_u [ Q(s, tanh u) + alpha sum_k log(1 - tanh(u_k)^2) ]: of alpha times the log-density
    of u when tanh u follows exp(Q/alpha).  q: actions (..., n, m) -> values (..., n)."""

    def height(u: Tensor) -> Tensor:
        return (q(torch.tanh(u)) + temperature * log_tanh_jacobian(u).sum(-1)).sum()

    gradient: Tensor = torch.func.grad(height)(u)
    return gradient


def original_gradient(
    q: Callable[[Tensor], Tensor], action: Float[Tensor, "*B n m"], temperature: float | Tensor
) -> Float[Tensor, "*B n m"]:
    """grad_a [ Q(s, a) + alpha sum_k log(1 - a_k^2 + 1e-6) ], the original program's."""

    def height(a: Tensor) -> Tensor:
        correction = torch.log(1.0 - a.square() + ORIGINAL_EPSILON).sum(-1)
        return (q(a) + temperature * correction).sum()

    gradient: Tensor = torch.func.grad(height)(action)
    return gradient


def sampler_loss(
    q: Callable[[Tensor], Tensor],
    fixed: Float[Tensor, "*B n m"],
    updated: Float[Tensor, "*B k m"],
    temperature: float | Tensor,
    *,
    kernel: Kernel = gaussian_kernel,
    form: Form = "pre-tanh",
) -> Float[Tensor, ""]:
    """-E_{s,j}[ Delta(y_j) . y_j ] with Delta held constant: SQL Eq. 14.

    Its gradient is -E[ Delta . dy/dparameters ]; its value means nothing.  q: actions (..., n, m)
    -> Q(s, a) (..., n) of the states that the samples belong to.  fixed, updated: the sampling
    network's pre-tanh samples from independent noise; the gradient flows through `updated` only.
    """
    if form == "map":
        temperature = 0.0
    with torch.no_grad():
        if form == "original":
            fixed = torch.tanh(fixed)
            gradient = original_gradient(q, fixed, temperature)
        else:
            gradient = pre_tanh_gradient(q, fixed, temperature)
    moved = torch.tanh(updated) if form == "original" else updated
    direction = stein_direction(
        fixed.detach(), moved.detach(), gradient.detach(), temperature, kernel
    )
    return -(direction * moved).sum(-1).mean()
