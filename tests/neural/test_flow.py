"""Soft actor-critic whose policy is a spline flow."""

import importlib.util
import math

import pytest
import torch
from gymnasium import spaces

import maxent
from maxent.errors import ConfigError, MissingExtraError
from maxent.neural.algorithms import sac
from maxent.neural.parts import actors, flow
from maxent.neural.parts.flow import Flow
from maxent.neural.parts.replay import Batch
from maxent.neural.parts.spaces import Spaces
from maxent.support import extras

SEEN = spaces.Box(-1.0, 1.0, (2,))
with_zuko = pytest.mark.skipif(importlib.util.find_spec("zuko") is None, reason="needs zuko")


def source(seed=0):
    return torch.Generator().manual_seed(seed)


def bent(m, squashed=True):
    """A flow that is not the identity, in two states, in double precision."""
    made = flow.parameters(2, (8,), m, source(1))
    made = {name: 1.4 * x.double() for name, x in made.items()}
    return Flow(made, torch.tensor([[0.3, -0.8], [-1.0, 0.5]]).double(), squashed)


@with_zuko
@pytest.mark.parametrize("squashed", [True, False])
def test_the_density_integrates_to_one_in_one_dimension(squashed):
    policy = bent(1, squashed)
    u = torch.linspace(-9.0, 9.0, 40_001, dtype=torch.float64)
    a = (torch.tanh(u) if squashed else u)[None, :, None].expand(2, -1, 1)
    density = policy.log_density(a).exp()
    if squashed:
        density = density * (1.0 - a[..., 0].square())
    torch.testing.assert_close(
        torch.trapezoid(density, u), torch.ones(2).double(), rtol=0, atol=1e-4
    )


@with_zuko
def test_the_density_integrates_to_one_in_two_dimensions():
    """In the variable before tanh; a density that depends on both numbers."""
    policy = bent(2)
    line = torch.linspace(-8.0, 8.0, 241, dtype=torch.float64)
    u = torch.stack(torch.meshgrid(line, line, indexing="ij"), dim=-1).reshape(1, -1, 2)
    log_density = policy.log_density(torch.tanh(u).expand(2, -1, 2))
    mass = (log_density.exp() * (1.0 - torch.tanh(u).square()).prod(-1)).sum(1) * (16.0 / 240) ** 2
    torch.testing.assert_close(mass, torch.ones(2).double(), rtol=0, atol=2e-3)


@with_zuko
@pytest.mark.parametrize("m", [1, 2, 6, 17])
@pytest.mark.parametrize("squashed", [True, False])
def test_samples_match_the_density_both_ways(m, squashed):
    policy = bent(m, squashed)
    actions, log_density = policy.drawn(50, source(2))
    torch.testing.assert_close(policy.log_density(actions), log_density, rtol=1e-5, atol=1e-5)
    assert torch.equal(policy.actions(50, source(2)), actions)
    assert policy.central().shape == (2, m)
    outside = policy.log_density(torch.full((2, 1, m), 1.5).double())
    assert (outside == -math.inf).all() == squashed


@with_zuko
def test_the_gradient_of_an_expectation_is_that_of_its_estimate():
    """Reparameterised, against the log-derivative form by quadrature over the action."""
    policy = bent(1)
    leaves = {name: x.requires_grad_() for name, x in policy.parameters.items()}
    policy = policy._replace(parameters=leaves)
    z = torch.linspace(-7.0, 7.0, 4001).double()
    weight = torch.exp(-0.5 * z.square())
    weight = weight / weight.sum()
    action, log_density = policy.sample(z[None, :, None].expand(2, -1, 1))
    mine = ((0.3 * log_density - action[..., 0].square()) * weight).sum()
    u = torch.linspace(-7.0, 7.0, 8001).double()
    a = torch.tanh(u)[None, :, None].expand(2, -1, 1)
    logs = policy.log_density(a)
    mass = logs.exp() * (1.0 - a[..., 0].square())
    exact = torch.trapezoid(mass * (0.3 * logs - a[..., 0].square()), u).sum()
    assert mine.item() == pytest.approx(exact.item(), abs=2e-3)
    pairs = zip(
        torch.autograd.grad(mine, list(leaves.values())),
        torch.autograd.grad(exact, list(leaves.values())),
        strict=True,
    )
    for own, right in pairs:
        torch.testing.assert_close(own, right, rtol=0.05, atol=5e-3)


@with_zuko
@pytest.mark.parametrize("side", [1.0, math.inf])
def test_an_update_moves_it_and_no_other_randomness_counts(side):
    here = Spaces(SEEN, spaces.Box(-side, side, (3,)))
    config = sac.Config(policy="flow", hidden=(8,), batch_size=6)
    torch.manual_seed(1)
    state = sac.init(here, config, source())
    torch.manual_seed(2)
    again = sac.init(here, config, source())
    assert all(torch.equal(x, again["actor"][name]) for name, x in state["actor"].items())
    seen = torch.rand((6, 2), generator=source(1))
    actions = sac.act(state, seen, source(3), here)
    assert actions.shape == sac.act(state, seen, source(3), here, True).shape == (6, 3)
    batch = Batch(seen, actions, torch.ones(6), seen + 0.1, torch.full((6,), 0.9))
    before = {name: x.clone() for name, x in state["actor"].items()}
    logged = sac.update(state, batch, sac.draw(6, source(4), config, here), config, here)
    assert all(x.isfinite() and x.ndim == 0 for x in logged.values())
    assert any(not torch.equal(x, before[name]) for name, x in state["actor"].items())
    names = sorted(state["actor"])  # as a file may have them
    assert (
        actors.policy_in({n: state["actor"][n] for n in names}, seen, here)
        .central()
        .isfinite()
        .all()
    )


@with_zuko
def test_a_run_goes_on_bit_for_bit_and_its_agent_comes_back(agent_through_a_run):
    agent_through_a_run("flow", 30)


def test_without_the_library_it_says_what_to_install(monkeypatch):
    def absent(module, what_for):
        raise MissingExtraError(f"{what_for} pip install zuko")

    here, config = Spaces(SEEN, spaces.Box(-1.0, 1.0, (3,))), sac.Config(policy="flow", hidden=(8,))
    monkeypatch.setattr(flow, "optional_module", absent)
    with pytest.raises(MissingExtraError, match='policy="flow" needs pip install zuko'):
        sac.init(here, config, source())
    assert extras.LIBRARIES["zuko"] == ("zuko", "zuko")


@with_zuko
def test_it_is_not_compiled():
    with pytest.raises(ConfigError, match="run eagerly"):
        maxent.train("sac", "Pendulum-v1", steps=20, compile=True, policy="flow")
