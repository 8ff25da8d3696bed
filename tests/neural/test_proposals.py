"""Proposals and the sampled soft value: the exact half, closed forms and quadrature beside them."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from mpmath import mp, mpf

from maxent.errors import ConfigError
from maxent.neural.parts.gaussian import log_tanh_jacobian
from maxent.neural.parts.networks import mlp_parameters
from maxent.neural.parts.proposals import (
    _third_smallest,
    around,
    effective_sample_size,
    importance_sampled_soft_value,
    mixture_proposal,
    network_proposal,
    sample,
    uniform_proposal,
)
from maxent.tabular.sampled import estimators

SCORES = hnp.arrays(float, (3, 5), elements=st.floats(-50, 50))
TEMPERATURES = st.sampled_from([1e-6, 1e-3, 0.1, 1.0, 7.0, 1e3, 1e9])
WIDTH = 0.3


def random(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(*shape, generator):
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def uniform(*shape, generator):
    return torch.rand(shape, generator=generator, dtype=torch.float64)


def linear(matrix, bias):
    """A sampling network u = noise @ matrix + bias, of one observation that it does not heed."""
    matrix, bias = torch.as_tensor(matrix), torch.as_tensor(bias)
    return {"weight0": torch.cat([torch.zeros_like(matrix[:1]), matrix]), "bias0": bias[None]}


def folded():
    """u = |noise|: every action above 0 comes from two noises, none below 0 from any."""
    return {
        "weight0": torch.tensor([[0.0, 0.0], [1.0, -1.0]], dtype=torch.float64),
        "bias0": torch.zeros(1, 2, dtype=torch.float64),
        "weight1": torch.ones(2, 1, dtype=torch.float64),
        "bias1": torch.zeros(1, 1, dtype=torch.float64),
    }


def bell(action):
    """Q = -|a|^2 / (2 WIDTH^2), whose soft value at temperature 1 is `bell_value`."""
    return -action.square().sum(-1) / (2 * WIDTH**2)


def bell_value(m):
    return m * math.log(math.sqrt(2 * math.pi) * WIDTH * math.erf(1 / (WIDTH * math.sqrt(2))))


def box_integral(f, m, cells=4001):
    """The integral over [-1, 1]^m of f by the midpoint rule."""
    middle = (torch.arange(cells, dtype=torch.float64) + 0.5) * (2.0 / cells) - 1.0
    points = torch.stack(torch.meshgrid(*[middle] * m, indexing="ij"), -1)
    return f(points).sum() * (2.0 / cells) ** m


@given(SCORES, SCORES, TEMPERATURES)
def test_twin_of_the_exact_half(q, log_proposal, temperature):
    ours, theirs = torch.from_numpy(q), torch.from_numpy(log_proposal)
    value = importance_sampled_soft_value(ours, theirs, temperature).numpy()
    scale = max(1.0, temperature) * 100
    np.testing.assert_allclose(
        value,
        estimators.importance_sampled_soft_value(q, log_proposal, temperature),
        rtol=1e-12,
        atol=1e-14 * scale,
    )
    np.testing.assert_allclose(
        effective_sample_size(ours, theirs, temperature).numpy(),
        estimators.effective_sample_size(q, log_proposal, temperature),
        rtol=1e-12,
    )


@given(SCORES, TEMPERATURES)
def test_soft_value_keeps_its_digits_at_every_temperature(q, temperature):
    got = importance_sampled_soft_value(
        torch.from_numpy(q), torch.zeros(3, 5).double(), temperature
    )
    with mp.workdps(60):
        for row, value in zip(q, got.tolist(), strict=True):
            alpha = mpf(temperature)
            mean = mp.fsum(mp.exp(mpf(float(x)) / alpha) for x in row) / 5
            error = abs(mpf(value) - alpha * mp.log(mean))
            assert error <= 1e-14 * max(1, abs(q).max(), min(temperature, 100.0))


@pytest.mark.parametrize("temperature", [0.0, 0.3])
def test_estimates_keep_the_shape_of_the_states(temperature):
    """(..., N) -> (...), each state by itself."""
    q, log_p = torch.randn(2, 2, 3, 5, generator=random(), dtype=torch.float64)
    calls = (importance_sampled_soft_value, effective_sample_size)
    for call in calls[: 2 if temperature else 1]:
        whole = call(q, log_p, temperature)
        assert whole.shape == (2, 3)
        assert call(q[0], log_p[0], temperature).tolist() == whole[0].tolist()
        assert call(q[1, 2], log_p[1, 2], temperature).item() == whole[1, 2].item()
        learnt = torch.tensor(temperature, dtype=torch.float64)  # what a tuned temperature is
        torch.testing.assert_close(call(q, log_p, learnt), whole)


def test_limits_of_the_temperature_in_single_precision():
    q = torch.tensor([[1.0, 3.0, 2.0, -4.0]])
    density = torch.full_like(q, -2 * math.log(2.0))
    assert importance_sampled_soft_value(q, density, 0.0) == 3.0
    assert abs(importance_sampled_soft_value(q, density, 1e-6) - 3.0) < 1e-4
    assert importance_sampled_soft_value(q, 0 * density, 1e9) == pytest.approx(0.5, abs=1e-6)
    assert importance_sampled_soft_value(q, density, 1e9) == pytest.approx(2e9 * math.log(2.0))


@pytest.mark.parametrize("temperature", [1e-6, 0.5, 1e9])
def test_the_gradient_is_each_samples_share(temperature):
    q = torch.tensor([[1.0, 3.0, 2.0, -4.0]], dtype=torch.float64, requires_grad=True)
    log_p = torch.tensor([[0.1, -0.2, 0.3, -0.4]], dtype=torch.float64)
    (gradient,) = torch.autograd.grad(importance_sampled_soft_value(q, log_p, temperature).sum(), q)
    share = torch.softmax(q.detach() / temperature - log_p, -1)
    torch.testing.assert_close(gradient, share, rtol=1e-9, atol=1e-12)


# bias in nats that was measured when the project was planned
EXPECTED = [(1, 16, -0.03), (3, 16, -0.21), (6, 16, -0.89), (8, 16, -1.6), (17, 16, -5.8)]


@pytest.mark.parametrize(("m", "count", "expected"), [*EXPECTED, (17, 50, -3.9)])
def test_uniform_proposal_collapses_with_the_dimension(m, count, expected):
    drawn = uniform_proposal(uniform(4000, count, m, generator=random(m)))
    value = importance_sampled_soft_value(bell(drawn.action), drawn.log_density, 1.0)
    gap = value - bell_value(m)
    error = gap.std() / math.sqrt(len(gap))
    assert abs(gap.mean() - expected) < 4 * error + 0.01
    assert abs(gap.exp().mean() - 1.0) < 4 * gap.exp().std() / math.sqrt(len(gap)) or m > 8
    share = effective_sample_size(bell(drawn.action), drawn.log_density, 1.0).mean() / count
    assert share < 0.6 if m == 1 else share < 0.25


def test_two_states_reach_their_exact_value_only_with_the_volume():
    """Both states pay -b |a|^2 and go to the other one; half the steps from the second end."""
    m, temperature, slopes, discount = 2, 0.5, (1.0, 3.0), (0.9, 0.45)
    middle = (torch.arange(150, dtype=torch.float64) + 0.5) / 150  # noise without chance
    grid = torch.stack(torch.meshgrid(middle, middle, indexing="ij"), -1).reshape(1, -1, m)
    drawn = uniform_proposal(grid)
    reward = torch.stack([-b * drawn.action.square().sum(-1) for b in slopes])

    def fixed_point(log_density):
        v = torch.zeros(2, dtype=torch.float64)
        for _ in range(40):
            q = reward + (torch.tensor(discount).double() * v.flip(0))[:, None, None]
            v = importance_sampled_soft_value(q, log_density.expand_as(q), temperature)[:, 0]
        return v

    root = [math.sqrt(b / temperature) for b in slopes]
    z = [temperature * m * math.log(math.sqrt(math.pi) * math.erf(r) / r) for r in root]
    across = discount[0] * discount[1]
    first = (z[0] + discount[0] * z[1]) / (1 - across)
    exact = torch.tensor([first, z[1] + discount[1] * first], dtype=torch.float64)
    torch.testing.assert_close(fixed_point(drawn.log_density), exact, rtol=0, atol=1e-4)
    assert (fixed_point(0 * drawn.log_density) - exact < -1.5).all()


@pytest.mark.parametrize("m", [1, 3, 6])
def test_the_boltzmann_policy_as_proposal_has_no_variance_and_no_bias(m):
    """Q = alpha log(density) + 2.5, by torch.distributions: V is 2.5, whatever is drawn."""
    generator, temperature = random(m), 0.3
    matrix = torch.eye(m).double() + 0.3 * normal(m, m, generator=generator)
    bias = 0.3 * normal(m, generator=generator)
    drawn = network_proposal(
        linear(matrix, bias), torch.zeros(7, 1).double(), normal(7, 16, m, generator=generator)
    )
    gaussian = torch.distributions.MultivariateNormal(bias, matrix.T @ matrix)
    squash = torch.distributions.TanhTransform()
    squashed = torch.distributions.TransformedDistribution(gaussian, [squash])
    q = temperature * squashed.log_prob(drawn.action) + 2.5
    value = importance_sampled_soft_value(q, drawn.log_density, temperature)
    torch.testing.assert_close(value, torch.full_like(value, 2.5), rtol=0, atol=1e-9)
    size = effective_sample_size(q, drawn.log_density, temperature)
    torch.testing.assert_close(size, torch.full_like(size, 16.0), rtol=1e-9, atol=0)


def test_the_jacobian_of_a_network_is_that_of_reverse_mode():
    generator = random()
    parameters = mlp_parameters([2 + 3, 16, 16, 3], generator=generator)
    parameters = {name: tensor.double() for name, tensor in parameters.items()}
    observation, noise = normal(4, 2, generator=generator), normal(4, 5, 3, generator=generator)
    drawn = network_proposal(parameters, observation, noise)
    torch.testing.assert_close(drawn.action, sample(parameters, observation, noise).tanh())
    for b in range(4):
        for i in range(5):
            jacobian = torch.autograd.functional.jacobian(
                lambda x, s=observation[b : b + 1]: sample(parameters, s, x[None, None]).tanh(),
                noise[b, i],
            )
            log_p = torch.distributions.Normal(0.0, 1.0).log_prob(noise[b, i]).sum()
            expected = log_p - torch.linalg.det(jacobian.reshape(3, 3)).abs().log()
            torch.testing.assert_close(drawn.log_density[b, i], expected)


def lopsided(action):
    """A Q that tells left from right, peaked away from 0."""
    return (-8.0 * (action - 0.4).square() + action).sum(-1)


def mean_weight(drawn, q, temperature=1.0):
    """The mean of w over all draws and its standard error, states being independent."""
    weights = torch.exp(q(drawn.action) / temperature - drawn.log_density).mean(-1)
    return weights.mean().item(), (weights.std() / math.sqrt(len(weights))).item()


def test_a_folding_network_counts_twice_what_it_covers_twice():
    """The area formula: E[w] is the integral of k(a) exp(Q), k = 2 above 0 and 0 below."""
    noise = normal(2000, 50, 1, generator=random())
    drawn = network_proposal(folded(), torch.zeros(2000, 1).double(), noise)
    mean, error = mean_weight(drawn, lopsided)
    twice = box_integral(lambda a: 2.0 * (a[..., 0] > 0) * lopsided(a).exp(), 1).item()
    once = box_integral(lambda a: lopsided(a).exp(), 1).item()
    assert abs(mean - twice) < 4 * error
    assert abs(mean - once) > 20 * error


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_network_that_ignores_its_noise_gives_a_low_value_and_no_nan(dtype):
    parameters = {name: 0 * tensor.to(dtype) for name, tensor in folded().items()}
    noise = torch.randn(3, 8, 1, generator=random(), dtype=dtype)
    drawn = network_proposal(parameters, torch.zeros(3, 1, dtype=dtype), noise)
    value = importance_sampled_soft_value(lopsided(drawn.action), drawn.log_density, 1.0)
    assert torch.isfinite(value).all()
    assert (value < -80).all()


def networks(m):
    """Networks that fit, that fold, that put all in one place, that saturate; by name."""
    eye, zero = torch.eye(m).double(), torch.zeros(m).double()
    fresh = mlp_parameters([1 + m, 8, m], generator=random(3))
    return {
        "fits": linear(0.35 * eye, zero + 0.4),
        "folds": {name: 4 * tensor.double() for name, tensor in fresh.items()},
        "collapsed": linear(0.0 * eye, zero - 0.5),
        "saturates": linear(3.0 * eye, zero),
    }


@pytest.mark.parametrize("m", [1, 2, 3])
@pytest.mark.parametrize("name", ["fits", "folds", "collapsed", "saturates"])
@pytest.mark.parametrize("centres", [9, 24])
def test_mixture_is_exact_whatever_the_network(m, name, centres):
    generator, states = random(m), 4000
    drawn = mixture_proposal(
        networks(m)[name],
        torch.zeros(states, 1).double(),
        uniform(states, 7, m, generator=generator),
        normal(states, centres, m, generator=generator),
        normal(states, 9, m, generator=generator),
    )
    exact = box_integral(lambda a: lopsided(a).exp(), 1).item() ** m
    mean, error = mean_weight(drawn, lopsided)
    assert abs(mean - exact) < 4 * error
    assert error < 0.03 * exact
    # no weight beyond 16/7 of its uniform one
    assert (drawn.log_density >= math.log(7 / 16) - m * math.log(2.0) - 1e-12).all()


@pytest.mark.parametrize("name", ["fits", "folds", "saturates"])
def test_mixture_density_integrates_to_one(name):
    """Of actions around 24 samples and of uniform ones, over the box."""
    cells, generator = 40_000, random()
    u = (torch.arange(cells, dtype=torch.float64) + 0.5) * (36 / cells) - 18  # da = du / cosh(u)^2
    noise = normal(1, 24, 1, generator=generator)
    samples = sample(networks(1)[name], torch.zeros(1, 1).double(), noise)
    places, _ = around(samples, uniform(1, 8, 1, generator=generator), noise)
    density = places.log_density(u[None, :, None])[0].exp()
    assert (density / u.cosh().square()).sum().item() * 36 / cells == pytest.approx(1.0, abs=2e-4)


def test_mixture_keeps_the_bias_small_where_uniform_fails():
    """17 dimensions, 16 actions, 64 centres of the right width: -0.16 nats for uniform's -5.8."""
    m, generator = 17, random()
    drawn = mixture_proposal(
        linear(0.33 * torch.eye(m).double(), torch.zeros(m).double()),
        torch.zeros(500, 1).double(),
        uniform(500, 4, m, generator=generator),
        normal(500, 64, m, generator=generator),
        normal(500, 12, m, generator=generator),
    )
    value = importance_sampled_soft_value(bell(drawn.action), drawn.log_density, 1.0)
    assert -0.3 < value.mean() - bell_value(m) < -0.05


def test_mixture_keeps_to_the_hills_of_its_samples():
    """Four hills of deviation 0.1 in 6 dimensions, before tanh, and samples of the right law:
    widths by the deviation of all of them would have a bias of several nats."""
    m, hills, generator = 6, 4, random(2)
    tops = 0.7 * torch.sign(normal(hills, m, generator=generator))
    chosen = torch.randint(hills, (400, 48), generator=generator)
    samples = tops[chosen] + 0.1 * normal(400, 48, m, generator=generator)
    noise = uniform(400, 16, m, generator=generator), normal(400, 48, m, generator=generator)
    places, drawn = around(samples, *noise)
    u = torch.atanh(drawn.action)
    parts = torch.distributions.Normal(tops, 0.1).log_prob(u[..., None, :]).sum(-1)
    log_density = parts.logsumexp(-1) - math.log(hills) - log_tanh_jacobian(u).sum(-1)
    log_weights = log_density - drawn.log_density
    bias = (log_weights.logsumexp(-1) - math.log(64)).mean()
    assert -0.5 < bias < 0.1
    assert places.width.shape == (400, 48, m) and places.width.mean() < 0.2


def test_mixture_at_the_ends_of_the_noise_is_finite():
    noise = torch.tensor([0.0, 0.5, 1.0 - 2.0**-24])[None, :, None]
    parameters = {name: tensor.float() for name, tensor in networks(1)["saturates"].items()}
    drawn = mixture_proposal(
        parameters, torch.zeros(1, 1), noise, 9 * torch.ones(1, 4, 1), torch.ones(1, 4, 1)
    )
    assert torch.isfinite(drawn.log_density).all()
    assert (drawn.action.abs() <= 1).all()
    torch.testing.assert_close(drawn.action[0, :3], 2 * noise[0] - 1, rtol=0, atol=1e-6)


def test_every_state_has_its_own_actions_and_its_own_network_samples():
    generator = random()
    observation = normal(2, 1, generator=generator)
    noise = normal(1, 4, 2, generator=generator).expand(2, -1, -1)
    parameters = {
        name: tensor.double()
        for name, tensor in mlp_parameters([1 + 2, 8, 2], generator=random(1)).items()
    }
    both = network_proposal(parameters, observation, noise)
    assert (both.action[0] != both.action[1]).all()
    alone = network_proposal(parameters, observation[1:], noise[1:])
    torch.testing.assert_close(both.log_density[1], alone.log_density[0])


def test_draws_are_around_the_samples_given():
    """Drawn together towards their mean, each on its own side, narrower where samples are dense."""
    u = torch.tensor([-1.0, -0.9, -0.7, 0.2, 2.0], dtype=torch.float64).reshape(1, 5, 1)
    places, _ = around(u, uniform(1, 1, 1, generator=random()), torch.zeros_like(u))
    kept = (places.centres - u.mean()) / (u - u.mean())
    assert ((kept > 0.5) & (kept <= 1.0)).all()
    width, spread = places.width.flatten(), u.std(correction=0)
    assert width[1] < width[0] == width[2] < width[3] == width[4] < spread
    one_gap = width[1] / spread  # the third of its distances: to itself, to the left, to the right
    assert one_gap.item() == pytest.approx(0.2 / spread.item())


def test_the_third_smallest_counts_ties():
    x = torch.randint(0, 4, (200, 6), generator=random()).double()
    torch.testing.assert_close(_third_smallest(x), x.sort(-1).values[:, 2:3], rtol=0, atol=0)


def test_a_mixture_may_be_of_one_action_of_each_kind():
    one = torch.full((1, 1, 1), 0.5).double()
    drawn = mixture_proposal(folded(), torch.zeros(1, 1).double(), one, one, one)
    assert drawn.action.shape == (1, 2, 1) and torch.isfinite(drawn.log_density).all()


@pytest.mark.parametrize(("flat", "centres", "near"), [(0, 4, 4), (4, 4, 5), (4, 4, 0)])
def test_mixture_refuses_counts_it_cannot_serve(flat, centres, near):
    with pytest.raises(ConfigError, match="no more draws than centres"):
        mixture_proposal(
            folded(),
            torch.zeros(1, 1).double(),
            torch.zeros(1, flat, 1).double(),
            torch.zeros(1, centres, 1).double(),
            torch.zeros(1, near, 1).double(),
        )
