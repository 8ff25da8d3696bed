"""Stein variational gradients: written out by hand, at rest on known densities, and trained."""

import math

import numpy as np
import pytest
import torch

from maxent.neural.parts.networks import mlp, mlp_parameters
from maxent.neural.parts.optim import adam, moments
from maxent.neural.parts.proposals import sample
from maxent.neural.parts.stein import (
    gaussian_kernel,
    inverse_multiquadric_kernel,
    median_bandwidth,
    original_gradient,
    pre_tanh_gradient,
    sampler_loss,
    stein_direction,
)

KERNELS = [gaussian_kernel, inverse_multiquadric_kernel]
both_kernels = pytest.mark.parametrize("kernel", KERNELS, ids=["gaussian", "multiquadric"])
TILTED_MEAN = 1 / math.tanh(3) - 1 / 3  # of the density proportional to exp(3 a) on [-1, 1]


def random(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(*shape, seed=0):
    return torch.randn(shape, generator=random(seed), dtype=torch.float64)


def flat(action):
    return 0.0 * action.sum(-1)


def tilted(action):
    return 3.0 * action.sum(-1)


def written_out(kernel, x, y, h):
    """The kernel as the page has it."""
    squared = (x - y).square().sum()
    if kernel is gaussian_kernel:
        return torch.exp(-squared / h)
    return h.sqrt() * (h + squared).rsqrt()  # c (c^2 + |x-y|^2)^(-1/2), c^2 = h


# ---- the formulas


@both_kernels
@pytest.mark.parametrize("temperature", [0.0, 0.3, 2.0])
def test_direction_is_the_sum_of_the_page(kernel, temperature):
    """SQL Eq. 13, term by term, with the kernel's gradient taken by autograd."""
    fixed, updated, gradient = normal(2, 5, 3), normal(2, 4, 3, seed=1), normal(2, 5, 3, seed=2)
    got = stein_direction(fixed, updated, gradient, temperature, kernel)
    for b in range(2):
        squared = [float((x - y).square().sum()) for x in fixed[b] for y in updated[b]]
        h = torch.tensor(sorted(squared)[10] / math.log(5), dtype=torch.float64)
        for j in range(4):
            expected = torch.zeros(3, dtype=torch.float64)
            for i in range(5):
                x = fixed[b, i].clone().requires_grad_()
                kappa = written_out(kernel, x, updated[b, j], h)
                (slope,) = torch.autograd.grad(kappa, x)
                expected += (kappa.detach() * gradient[b, i] + temperature * slope) / 5
            torch.testing.assert_close(got[b, j], expected)


def test_bandwidth_is_the_median_of_each_state_and_no_less_than_its_floor():
    squared = torch.from_numpy(np.random.default_rng(0).exponential(size=(3, 5, 7)))
    squared[2] *= 1e-6
    expected = np.median(squared.numpy().reshape(3, -1), axis=1) / math.log(5)
    expected[2] = 1e-3
    np.testing.assert_allclose(median_bandwidth(squared).numpy(), expected)


@pytest.mark.parametrize("count", [1, 2])
@both_kernels
def test_one_and_two_particles_are_valid(count, kernel):
    particles, gradient = normal(1, count, 2), normal(1, count, 2, seed=1)
    direction = stein_direction(particles, particles, gradient, 1.0, kernel)
    assert torch.isfinite(direction).all()
    if count == 1:  # alone, a particle climbs
        torch.testing.assert_close(direction, gradient)
    else:  # two are pushed apart; their distance, not that to themselves, sets the bandwidth
        apart = stein_direction(particles, particles, 0 * gradient, 1.0, kernel)[0]
        line = particles[0, 0] - particles[0, 1]
        assert (apart[0] @ line > 0.02) and (apart[1] @ line < -0.02)


def test_the_bandwidth_is_held_constant():
    fixed = normal(1, 4, 2)
    updated = normal(1, 3, 2, seed=1).requires_grad_()
    squared = (fixed.unsqueeze(-2) - updated.unsqueeze(-3)).square().sum(-1)
    h = median_bandwidth(squared.detach())[..., None, None]
    value, _ = gaussian_kernel(squared / h)
    expected = torch.autograd.grad(value.mean(1).sum(), updated)[0]
    direction = stein_direction(fixed, updated, torch.ones(1, 4, 2).double(), 0.0)
    got = torch.autograd.grad(direction[..., 0].sum(), updated)[0]
    torch.testing.assert_close(got, expected)


def test_gradients_far_out_still_pull_back():
    u = torch.tensor([-40.0, -12.0, 0.5, 12.0, 40.0], dtype=torch.float64)[:, None]
    got = pre_tanh_gradient(tilted, u, 0.7)
    torch.testing.assert_close(got, 3.0 / u.cosh().square() - 1.4 * torch.tanh(u))
    a = torch.tensor([[-0.5], [0.9]], dtype=torch.float64)
    got = original_gradient(tilted, a, 0.7)
    torch.testing.assert_close(got, 3.0 - 1.4 * a / (1 - a.square() + 1e-6))


@pytest.mark.parametrize("form", ["pre-tanh", "original", "map"])
def test_loss_has_the_gradient_of_equation_14_and_touches_nothing_else(form):
    """-E[ Delta . dy/dparameters ], with dy/dparameters written as a Jacobian."""
    observation = normal(2, 3)
    parameters = {
        name: tensor.double().requires_grad_()
        for name, tensor in mlp_parameters([3 + 2, 8, 2], generator=random()).items()
    }
    critic = {
        name: tensor.double().requires_grad_()
        for name, tensor in mlp_parameters([3 + 2, 8, 1], generator=random(1)).items()
    }

    def q(action):
        states = observation[:, None].expand(-1, action.shape[1], -1)
        return mlp(critic, torch.cat([states, action], dim=-1)).squeeze(-1)

    noise, other = normal(2, 6, 2, seed=3), normal(2, 4, 2, seed=4)
    fixed, updated = sample(parameters, observation, noise), sample(parameters, observation, other)
    loss = sampler_loss(q, fixed, updated, 0.4, form=form)
    wanted = [*parameters.values(), *critic.values()]
    got = torch.autograd.grad(loss, wanted, allow_unused=True)
    assert all(gradient is None for gradient in got[len(parameters) :])

    original, squash = form == "original", torch.tanh if form == "original" else lambda u: u
    temperature = 0.0 if form == "map" else 0.4
    gradient_of = original_gradient if original else pre_tanh_gradient
    x, y = squash(fixed).detach(), squash(updated).detach()
    delta = stein_direction(x, y, gradient_of(q, x, temperature), temperature).detach()
    for (name, value), gradient in zip(parameters.items(), got, strict=False):

        def moved(value, name=name):
            return squash(sample(parameters | {name: value}, observation, other))

        jacobian = torch.autograd.functional.jacobian(moved, value.detach())
        expected = -torch.einsum("bkm,bkm...->...", delta, jacobian) / 8
        torch.testing.assert_close(gradient, expected)


def test_scaling_q_and_temperature_scales_the_direction():
    u, v = normal(1, 6, 2), normal(1, 5, 2, seed=1)

    def direction(c):
        updated = v.clone().requires_grad_()
        loss = sampler_loss(lambda a: c * (a[..., 0] - a[..., 1] ** 2), u, updated, 0.7 * c)
        return torch.autograd.grad(loss, updated)[0]

    torch.testing.assert_close(direction(4.0), 4.0 * direction(1.0))


# ---- at rest: exact samples do not move (Stein's identity)


def quantiles(cumulative, count=4000):
    """Evenly spread quantiles of a distribution on [-1, 1], as pre-tanh particles (1, count, 1)."""
    grid = torch.linspace(-1, 1, 400_001, dtype=torch.float64)
    level = (torch.arange(count, dtype=torch.float64) + 0.5) / count
    return torch.atanh(
        grid[torch.searchsorted(cumulative(grid), level)].clamp(-1 + 1e-12, 1 - 1e-12)
    )[None, :, None]


def even(a):
    return (a + 1) / 2


def humped(a):  # of 3/4 (1 - a^2)
    return (2 + 3 * a - a**3) / 4


def tilting(a):  # of exp(3 a)
    return (torch.exp(3 * a) - math.exp(-3)) / (2 * math.sinh(3))


REST = [  # form, Q at temperature 2, the distribution claimed
    ("pre-tanh", flat, even),
    ("pre-tanh", lambda a: 2 * tilted(a), tilting),
    ("original", flat, humped),
]


@both_kernels
@pytest.mark.parametrize(("form", "q", "cumulative"), REST)
def test_samples_of_the_claimed_density_are_at_rest(form, q, cumulative, kernel):
    def push(cumulative):
        probes = torch.linspace(-1.5, 1.5, 7, dtype=torch.float64)[None, :, None]
        probes.requires_grad_()
        loss = sampler_loss(q, quantiles(cumulative), probes, 2.0, kernel=kernel, form=form)
        return torch.autograd.grad(7 * loss, probes)[0].abs().max()

    assert push(cumulative) < 0.01
    for other in (even, humped, tilting):
        if other is not cumulative:
            assert push(other) > 0.05


# ---- free particles


def settled(q, temperature, *, m=1, count=100, steps=300, rate=0.1, **settings):
    """Actions of free particles that were both sets at once, moved until nearly still."""
    free = {"u": 0.5 * normal(1, count, m)}
    state = moments(free)
    for step in range(steps):
        u = free["u"].clone().requires_grad_()
        loss = count * sampler_loss(q, u.detach(), u, temperature, **settings)
        slope = {"u": torch.autograd.grad(loss, u)[0]}
        adam(free, slope, state, rate * (1 - step / steps))
    return torch.tanh(free["u"])[0]


@both_kernels
def test_particles_of_a_flat_q_are_uniform(kernel):
    actions = settled(flat, 1.0, kernel=kernel)
    assert actions.var().item() == pytest.approx(1 / 3, abs=0.01)


@both_kernels
def test_the_original_form_keeps_off_the_border(kernel):
    actions = settled(flat, 1.0, kernel=kernel, form="original")
    assert actions.var().item() == pytest.approx(0.20, abs=0.01)


@both_kernels
@pytest.mark.parametrize("temperature", [0.25, 1.0, 4.0])
def test_particles_of_a_tilted_q_follow_it_divided_by_the_temperature(kernel, temperature):
    actions = settled(lambda a: temperature * tilted(a), temperature, kernel=kernel)
    assert actions.mean().item() == pytest.approx(TILTED_MEAN, abs=0.01)
    assert actions.var().item() == pytest.approx(1 + 1 / 9 - 1 / math.tanh(3) ** 2, abs=0.01)


def test_without_repulsion_all_climb():
    """Form "map": one maximum takes all; of two, each particle is at one or the other."""
    actions = settled(
        lambda a: -4 * (a - 0.4).square().sum(-1), 1.0, form="map", steps=600, count=30
    )
    torch.testing.assert_close(actions, torch.full_like(actions, 0.4), rtol=0, atol=2e-3)
    twin = settled(
        lambda a: -9 * (a.square() - 0.25).square().sum(-1), 1.0, form="map", steps=600, count=30
    )
    assert ((twin.abs() - 0.5).abs() < 0.01).all()
    assert (twin > 0).any() and (twin < 0).any()


def two_hills(action):
    """Two ridges across the diagonal, one higher; at temperature 1/2."""
    turn = torch.tensor([[math.cos(0.6), -math.sin(0.6)], [math.sin(0.6), math.cos(0.6)]])
    ridge = (turn @ torch.diag(torch.tensor([8.0, 25.0])) @ turn.T).to(action)
    centre = torch.tensor([0.45, 0.3]).to(action)

    def height(x):
        return -0.5 * torch.einsum("...i,ij,...j->...", x, ridge, x)

    first, second = height(action - centre), height(action + centre)
    return 0.5 * torch.logaddexp(first + math.log(0.65), second + math.log(0.35))


def quadrature(q, temperature):
    """Mean (2,) and second moments (2, 2) of exp(q / temperature) on the square."""
    middle = (torch.arange(1000, dtype=torch.float64) + 0.5) / 500 - 1
    points = torch.stack(torch.meshgrid(middle, middle, indexing="ij"), -1).reshape(-1, 2)
    weight = torch.softmax(q(points) / temperature, 0)
    return weight @ points, points.T @ (weight[:, None] * points)


def held_against_quadrature(actions, tolerance):
    mean, second = quadrature(two_hills, 0.5)
    torch.testing.assert_close(actions.mean(0), mean.to(actions), rtol=0, atol=tolerance)
    got = actions.T @ actions / len(actions)
    torch.testing.assert_close(got, second.to(actions), rtol=0, atol=tolerance)


@both_kernels
def test_particles_of_two_hills_have_the_moments_of_quadrature(kernel):
    held_against_quadrature(settled(two_hills, 0.5, m=2, kernel=kernel), 0.02)


# ---- a sampling network


def trained(q, temperature, *, m=1, steps=250, states=8, rate=3e-3, hidden=(32, 32), **settings):
    """10,000 actions of a sampling network trained for some steps."""
    generator = random()
    parameters = mlp_parameters([1 + m, *hidden, m], generator=generator)
    observation, state = torch.zeros(states, 1), moments(parameters)
    for step in range(steps):
        leaves = {name: tensor.clone().requires_grad_() for name, tensor in parameters.items()}
        fixed, updated = (
            sample(leaves, observation, torch.randn(states, 32, m, generator=generator))
            for _ in range(2)
        )
        loss = sampler_loss(q, fixed, updated, temperature, **settings)
        slopes = torch.autograd.grad(loss, list(leaves.values()))
        slope = dict(zip(leaves, slopes, strict=True))
        adam(parameters, slope, state, rate * (1 - step / steps))
    noise = torch.randn(1, 10_000, m, generator=generator)
    return torch.tanh(sample(parameters, observation[:1], noise))[0]


@both_kernels
def test_a_network_learns_a_tilted_density_at_its_temperature(kernel):
    actions = trained(lambda a: 0.5 * tilted(a), 0.5, kernel=kernel)
    assert actions.mean().item() == pytest.approx(TILTED_MEAN, abs=0.02)
    assert actions.var().item() == pytest.approx(0.1014, abs=0.015)


@pytest.mark.parametrize(("form", "variance"), [("pre-tanh", 1 / 3), ("original", 0.20)])
def test_a_network_learns_a_flat_density(form, variance):
    actions = trained(flat, 1.0, form=form)
    assert actions.var().item() == pytest.approx(variance, abs=0.02)
    assert abs(actions.mean().item()) < 0.03


@pytest.mark.slow
@both_kernels
def test_a_network_learns_two_hills(kernel):
    actions = trained(two_hills, 0.5, m=2, steps=2500, states=16, hidden=(64, 64), kernel=kernel)
    held_against_quadrature(actions, 0.03)
