"""Soft actor-critic whose policy is a mixture of Gaussians."""

import math

import pytest
import torch
from gymnasium import spaces
from scipy import integrate

from maxent.errors import ConfigError
from maxent.neural import losses
from maxent.neural.algorithms import sac, sac_discrete
from maxent.neural.parts import actors
from maxent.neural.parts.mixture import Mixture
from maxent.neural.parts.replay import Batch
from maxent.neural.parts.spaces import Spaces
from maxent.neural.training.entropies import entropies

SEEN = spaces.Box(-1.0, 1.0, (2,))


def source(seed=0):
    return torch.Generator().manual_seed(seed)


def found(m, side=1.0):
    return Spaces(SEEN, spaces.Box(-side, side, (m,)))


def hills(squashed=True, m=1, dtype=torch.float64):
    """Three components in two states."""
    share = torch.tensor([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]], dtype=dtype)
    mean = torch.randn((2, 3, m), generator=source(5), dtype=dtype)
    log_std = torch.tensor([-1.5, -0.4, -2.0], dtype=dtype)[None, :, None].expand(2, 3, m)
    return Mixture(share.log(), mean, log_std.clone(), squashed)


@pytest.mark.parametrize("squashed", [True, False])
def test_the_density_integrates_to_one_in_one_dimension(squashed):
    policy, side = hills(squashed), 1.0 if squashed else 12.0

    def density(a):
        return policy.log_density(torch.tensor([[[a]], [[a]]]).double()).exp()[0].item()

    total = integrate.quad(density, -side, side, points=[-0.9, 0.0, 0.9], limit=200)[0]
    assert total == pytest.approx(1.0, abs=1e-6)


def test_the_density_integrates_to_one_in_two_dimensions():
    """In the variable before tanh, where it is smooth."""
    policy = hills(m=2)
    line = torch.linspace(-7.0, 7.0, 281, dtype=torch.float64)
    u = torch.stack(torch.meshgrid(line, line, indexing="ij"), dim=-1).reshape(1, -1, 2)
    log_density = policy.log_density(torch.tanh(u).expand(2, -1, 2))
    mass = (log_density.exp() * (1.0 - torch.tanh(u).square()).prod(-1)).sum(1) * 0.05**2
    torch.testing.assert_close(mass, torch.ones(2).double(), rtol=0, atol=1e-5)


@pytest.mark.parametrize("squashed", [True, False])
def test_samples_match_the_density(squashed):
    """-E log pi of samples is the entropy by quadrature; and a sample's log-density is that of its
    action given."""
    policy = hills(squashed)
    actions, log_density = policy.drawn(20_000, source(1))
    assert torch.equal(actions, policy.actions(20_000, source(1)))
    torch.testing.assert_close(policy.log_density(actions), log_density, rtol=1e-6, atol=1e-6)
    grid = torch.linspace(-0.999999, 0.999999, 40_001).double()
    grid = grid if squashed else 12.0 * grid
    logs = policy.log_density(grid[None, :, None].expand(2, -1, 1))
    exact = -torch.trapezoid(logs.exp() * logs, grid)
    error = log_density.std(1) / math.sqrt(20_000)
    assert ((-log_density.mean(1) - exact).abs() < 4.0 * error).all()
    assert ((entropies(policy, source(2)) - exact).abs() < 0.1).all()


def test_outside_of_the_box_there_is_nothing_and_on_its_border_a_number():
    at = hills().log_density(torch.tensor([[[-1.0], [1.0], [1.1]]]).double().expand(2, -1, 1))
    assert at[:, :2].isfinite().all() and (at[:, 2] == -math.inf).all()


def loss_of(policy, noise):
    """The improvement loss for Q = -a^2 + a, alpha 0.3."""
    action, log_density = policy.of_each(noise)
    own = actors.Sample(action, log_density, policy.log_share.exp())
    q = own.mean((action - action.square()).sum(-1))
    return losses.soft_policy_improvement_loss(q, own.mean(log_density), 0.3)


def test_the_gradient_is_that_of_the_exact_expectation():
    """By quadrature over the noise of each component, against derivatives of E_pi[alpha log pi - Q]
    by quadrature over actions: probabilities, means and deviations, component by component."""
    base = hills()
    logits = base.log_share.clone().requires_grad_()
    mean, log_std = base.mean.clone().requires_grad_(), base.log_std.clone().requires_grad_()
    policy = Mixture(torch.log_softmax(logits, -1), mean, log_std, True)
    nodes = torch.linspace(-9.0, 9.0, 361).double()
    weights = torch.exp(-0.5 * nodes.square())
    weights = weights / weights.sum()
    estimate = sum(
        w * loss_of(policy, z.expand(2, 3, 1)) for z, w in zip(nodes, weights, strict=True)
    )
    u = torch.linspace(-9.0, 9.0, 20_001).double()
    a = torch.tanh(u)[None, :, None].expand(2, -1, 1)
    logs = policy._log_density(u[None, :, None].expand(2, -1, 1))
    height = logs.exp() * (1.0 - a[..., 0].square()) * (0.3 * logs - (a - a.square())[..., 0])
    exact = torch.trapezoid(height, u).mean()
    assert estimate.item() == pytest.approx(exact.item(), abs=1e-5)
    parts = (logits, mean, log_std)
    for mine, right in zip(
        torch.autograd.grad(estimate, parts, retain_graph=True),
        torch.autograd.grad(exact, parts),
        strict=True,
    ):
        torch.testing.assert_close(mine, right, rtol=1e-3, atol=1e-5)


# the algorithm with it


@pytest.mark.parametrize("m", [1, 2, 6, 17])
@pytest.mark.parametrize("side", [1.0, math.inf])
def test_every_dimension_with_sides_and_without(m, side):
    here = found(m, side)
    config = sac.Config(policy="mixture", components=3, hidden=(8,), batch_size=6)
    state = sac.init(here, config, source())
    seen = torch.rand((6, 2), generator=source(1))
    drawn, log_density = sac.policy(state, seen, here).drawn(5, source(2))
    given = sac.log_policy(state, seen, drawn, here)
    torch.testing.assert_close(given, log_density, rtol=1e-3, atol=1e-3)
    actions = sac.act(state, seen, source(3), here)
    assert actions.shape == sac.act(state, seen, source(3), here, True).shape == (6, m)
    assert (actions.abs() <= side).all()
    batch = Batch(seen, actions, torch.ones(6), seen + 0.1, torch.full((6,), 0.9))
    before = {name: x.clone() for name, x in state["actor"].items()}
    logged = sac.update(state, batch, sac.draw(6, source(4), config, here), config, here)
    assert all(x.isfinite() and x.ndim == 0 for x in logged.values())
    assert all(not torch.equal(x, before[name]) for name, x in state["actor"].items())


def test_one_component_is_the_gaussian():
    """The same losses and the same step, component and centre aside."""
    here, seen = found(2), torch.rand((6, 2), generator=source(1))
    config = sac.Config(policy="mixture", components=1, hidden=(), temperature=0.2)
    state = sac.init(here, config, source())
    one = dict(state["actor"])
    plain = {"weight0": one["weight0"][:, 1:], "bias0": one["bias0"][:, 1:].clone()}
    plain["bias0"][0, :2] += one["centre"][0]
    noise = torch.randn((6, 1, 2), generator=source(3))
    mixed = actors.sample(one, seen, noise, here)
    gaussian = actors.sample(plain, seen, noise[:, 0], here)
    torch.testing.assert_close(mixed.action[:, 0], gaussian.action)
    torch.testing.assert_close(mixed.log_density[:, 0], gaussian.log_density)
    assert torch.equal(mixed.share, torch.ones(6, 1)) and gaussian.share is None


def test_two_hills_are_both_kept():
    """A bandit, Q = -8 (a^2 - 0.36)^2 / 0.36: its Boltzmann policy has two equal hills, of which a
    Gaussian would take one or a broad middle.  The temperature falls, as with `cooled_from`: at 0.1
    from the start one hill is lost, and its components' probabilities go to 0."""
    here = found(1)
    config = sac.Config(
        policy="mixture", components=4, hidden=(), temperature=0.1, actor_rate=0.02, critics=1
    )
    state = sac.init(here, config, source(2))
    line = torch.linspace(-0.999, 0.999, 2001)
    q = -8.0 * (line.square() - 0.36).square() / 0.36
    exact = torch.log_softmax(q / 0.1, 0) - math.log(line[1] - line[0])
    seen, generator = torch.zeros(64, 2), source(3)
    for step in range(800):
        alpha = 0.1 ** min(step / 600, 1.0)
        noise = sac.draw(64, generator, config, here)["action"]

        def loss(actor, noise=noise, alpha=alpha):
            own = actors.sample(actor, seen, noise, here)
            height = -8.0 * (own.action[..., 0].square() - 0.36).square() / 0.36
            log_density = own.mean(own.log_density)
            return losses.soft_policy_improvement_loss(own.mean(height), log_density, alpha), ()

        gradient, _, _ = sac.gradient_of(loss, state["actor"])
        sac.adam(state["actor"], gradient, state["actor_moments"], config.actor_rate)
    own = sac.log_policy(state, seen[:1], line[None, :, None], here)[0]
    mass = own.exp() * (line[1] - line[0])
    assert 0.35 < mass[line < 0].sum() < 0.65
    assert (mass * (own - exact)).sum() < 0.1


def test_what_does_not_go_with_it_is_refused():
    with pytest.raises(ConfigError, match=r"mixtrue.*mixture"):
        sac.Config(policy="mixtrue")
    with pytest.raises(ConfigError, match="components = 0"):
        sac.Config(policy="mixture", components=0)
    discrete = Spaces(SEEN, spaces.Discrete(3))
    with pytest.raises(ConfigError, match="is for Box actions"):
        sac_discrete.init(discrete, sac_discrete.Config(policy="mixture"), source())


def test_a_run_goes_on_bit_for_bit_and_its_agent_comes_back(agent_through_a_run):
    agent_through_a_run("mixture", 40, components=3)
