"""Densities of the policies against quadrature, high precision and each other."""

import math

import numpy as np
import pytest
import torch
from mpmath import mp, mpf
from scipy import integrate, stats

from maxent.neural.parts import gaussian

BOXES = {
    "half-width 2": (-2.0, 2.0),
    "half-width 0.4": (-0.4, 0.4),
    "asymmetric": (-1.0, 5.0),
    "away from zero": (3.0, 3.5),
}


def tensor(*numbers):
    return torch.tensor(numbers, dtype=torch.float64)


def exact_log_jacobian(u):
    """log(1 - tanh(u)^2) and its derivative, with 100 digits, from the same float64 number."""
    with mp.workdps(100):
        u = mpf(u)
        return float(mp.log(mp.sech(u) ** 2)), float(-2 * mp.tanh(u))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_saturated_action_keeps_its_density_and_its_gradient(dtype):
    points = np.concatenate([np.linspace(-40, 40, 321), [1e-8, 9.99, 10.01, -80.0, 300.0, -1e4]])
    u = torch.tensor(points, dtype=dtype, requires_grad=True)
    value = gaussian.log_tanh_jacobian(u[:, None])[:, 0]
    value.sum().backward()
    rounding = 4 * torch.finfo(dtype).eps
    for given, got, slope in zip(u.tolist(), value.tolist(), u.grad.tolist(), strict=True):
        exact, exact_slope = exact_log_jacobian(given)
        assert abs(got - exact) <= rounding * max(1.0, abs(exact)), given
        assert abs(slope - exact_slope) <= rounding, given


def test_the_page_s_numbers_for_what_an_epsilon_under_the_logarithm_costs():
    """At u = 8: -14.61 with slope -2; log(1 - tanh^2 + 1e-6) gives -13.44 and -0.62."""
    u = torch.tensor([[8.0]], dtype=torch.float64, requires_grad=True)
    value = gaussian.log_tanh_jacobian(u)
    assert value.item() == pytest.approx(-14.6137, abs=1e-4)
    assert torch.autograd.grad(value.sum(), u)[0].item() == pytest.approx(-2.0, abs=1e-6)
    rough = torch.log(1.0 - torch.tanh(u) ** 2 + 1e-6)
    assert rough.item() == pytest.approx(-13.44, abs=0.01)
    assert torch.autograd.grad(rough.sum(), u)[0].item() == pytest.approx(-0.62, abs=0.01)


def test_the_gaussian_density_is_scipy_s_and_its_entropy_the_integral():
    mean, log_std, u = tensor(0.3, -2.0), tensor(-1.0, 0.5), tensor(0.1, 3.0)
    std = np.exp(log_std.numpy())
    expected = stats.norm(mean.numpy(), std).logpdf(u.numpy()).sum()
    got = gaussian.gaussian_log_density(u[None], mean[None], log_std[None])
    assert got.shape == (1,) and got.item() == pytest.approx(expected, rel=1e-14)
    assert gaussian.gaussian_entropy(log_std[None]).item() == pytest.approx(
        stats.norm(mean.numpy(), std).entropy().sum(), rel=1e-14
    )


@pytest.mark.parametrize("squashed", [True, False])
def test_a_draw_s_density_is_the_density_at_its_u_with_the_same_total_gradient(squashed):
    generator = torch.Generator().manual_seed(0)
    mean, log_std, noise = (
        torch.randn(6, 3, dtype=torch.float64, generator=generator) for _ in range(3)
    )
    mean.requires_grad_(True)
    log_std.requires_grad_(True)
    sample, density = (
        (gaussian.squashed_sample, gaussian.squashed_log_density)
        if squashed
        else (gaussian.gaussian_sample, gaussian.gaussian_log_density)
    )
    draw = sample(mean, log_std, noise)
    torch.testing.assert_close(draw.u, mean + log_std.exp() * noise, rtol=1e-15, atol=0.0)
    assert torch.equal(draw.action, torch.tanh(draw.u) if squashed else draw.u)
    again = density(draw.u, mean, log_std)
    assert draw.log_density.shape == (6,)
    torch.testing.assert_close(draw.log_density, again, rtol=1e-13, atol=1e-13)
    weights = torch.arange(1.0, 7.0, dtype=torch.float64)
    through = torch.autograd.grad(
        (weights * draw.log_density).sum(),
        (mean, log_std),
        retain_graph=True,
        materialize_grads=True,
    )
    direct = torch.autograd.grad((weights * again).sum(), (mean, log_std))
    torch.testing.assert_close(through, direct, rtol=1e-12, atol=1e-12)


def density_at(action, low, high, mean, log_std):
    """The density in box units at one action of the box, through u as the policy has it."""
    u = math.atanh(2.0 * (action - low) / (high - low) - 1.0)
    inside = gaussian.squashed_log_density(tensor([u]), tensor([mean]), tensor([log_std]))
    return gaussian.log_density_in_box(inside, tensor(low), tensor(high)).exp().item()


@pytest.mark.parametrize("low, high", BOXES.values(), ids=BOXES)
@pytest.mark.parametrize("mean, log_std", [(0.0, -0.5), (0.8, 0.3), (-1.0, -1.5)])
def test_a_density_with_the_box_s_width_left_out_does_not_integrate_to_one(
    low, high, mean, log_std
):
    total, error = integrate.quad(
        density_at, low, high, (low, high, mean, log_std), limit=200, epsabs=1e-9
    )
    assert error < 1e-6 and total == pytest.approx(1.0, abs=1e-6)


def test_a_box_with_unequal_sides_integrates_to_one_in_two_dimensions():
    low, high = tensor(-2.0, 1.0), tensor(2.0, 1.8)
    mean, log_std = tensor(0.3, -0.4), tensor(-0.7, -0.5)
    grid = torch.linspace(-1, 1, 1201, dtype=torch.float64)[1:-1]
    actions = torch.cartesian_prod(grid, grid)
    inside = gaussian.squashed_log_density(
        torch.atanh(actions), mean.expand_as(actions), log_std.expand_as(actions)
    )
    cell = ((grid[1] - grid[0]) * (high - low) / 2.0).prod()
    total = gaussian.log_density_in_box(inside, low, high).exp().sum() * cell
    assert total.item() == pytest.approx(1.0, abs=1e-4)


def test_entropy_in_the_box_s_units_differs_by_the_log_of_its_half_widths():
    """17 joints of half-width 0.4: 15.6 nats, which make a target of -17 read as -1.4."""
    low, high = tensor(*[-0.4] * 17), tensor(*[0.4] * 17)
    inside = torch.tensor([17.0], dtype=torch.float64)  # minus the entropy that -dim(A) asks for
    assert -gaussian.log_density_in_box(inside, low, high).item() == pytest.approx(
        -17.0 + 17 * math.log(0.4), rel=1e-14
    )
    assert -17.0 - 17 * math.log(0.4) == pytest.approx(-1.4, abs=0.05)


def test_the_squashed_entropy_is_the_gaussian_one_plus_the_mean_log_jacobian():
    mean, log_std = 0.7, 0.2
    nodes, weights = np.polynomial.hermite_e.hermegauss(120)
    weights = torch.tensor(weights / math.sqrt(2.0 * math.pi))
    noise = torch.tensor(nodes)[:, None]
    draw = gaussian.squashed_sample(
        torch.full_like(noise, mean), torch.full_like(noise, log_std), noise
    )

    def minus_p_log_p(action):
        p = density_at(action, -1.0, 1.0, mean, log_std)
        return -p * math.log(p) if p > 0.0 else 0.0

    by_quadrature, _ = integrate.quad(minus_p_log_p, -1.0, 1.0, limit=200, epsabs=1e-9)
    entropy = -(weights * draw.log_density).sum()
    assert entropy.item() == pytest.approx(by_quadrature, abs=1e-6)
    whole = (
        gaussian.gaussian_entropy(tensor([log_std]))
        + (weights * gaussian.log_tanh_jacobian(draw.u)[:, 0]).sum()
    )
    assert whole.item() == pytest.approx(entropy.item(), rel=1e-12)


def test_a_far_draw_in_float32_stays_finite_with_its_gradient():
    mean = torch.tensor([[30.0, -50.0]], requires_grad=True)
    log_std = torch.tensor([[-5.0, 2.0]], requires_grad=True)
    draw = gaussian.squashed_sample(mean, log_std, torch.tensor([[1.0, -3.0]]))
    draw.log_density.sum().backward()
    assert draw.action.tolist() == [[1.0, -1.0]] and draw.log_density.isfinite().all()
    # -d/du log(1 - tanh^2) = 2 tanh(u): descending the log density brings a saturated mean back
    torch.testing.assert_close(mean.grad, torch.tensor([[2.0, -2.0]]))
    assert log_std.grad.isfinite().all()
