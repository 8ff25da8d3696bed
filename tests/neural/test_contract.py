"""What every algorithm promises: densities, values, updates without hidden randomness."""

import copy
import doctest
import importlib
import math

import numpy as np
import pytest
import torch
from gymnasium import spaces
from scipy import integrate, stats

import maxent
from maxent.errors import ConfigError
from maxent.neural.algorithms import ALGORITHMS, sac_v1
from maxent.neural.composition import compose_agents
from maxent.neural.diagnostics import diagnose
from maxent.neural.parts.gaussian import squashed_log_density
from maxent.neural.parts.networks import action_values, mlp
from maxent.neural.parts.policies import Gaussian
from maxent.neural.parts.replay import Batch
from maxent.neural.parts.spaces import Spaces
from maxent.neural.training.agent import Agent

BOX = Spaces(spaces.Box(-1.0, 1.0, (3,)), spaces.Box(-1.0, 1.0, (2,)))
ENDLESS = Spaces(spaces.Box(-1.0, 1.0, (3,)), spaces.Box(-math.inf, math.inf, (2,)))
CHOICES = Spaces(spaces.Box(-1.0, 1.0, (3,)), spaces.Discrete(4))
ROWS = 6
KINDS = [
    ("sac", BOX),
    ("sac", ENDLESS),
    ("sac_v1", BOX),
    ("sac_discrete", CHOICES),
    ("sql", BOX),
    ("sql_discrete", CHOICES),
]


def source(seed=0):
    return torch.Generator().manual_seed(seed)


def begun(name, found):
    algorithm = ALGORITHMS[name]
    config = algorithm.Config(hidden=(7,), temperature=0.3, batch_size=ROWS, critics=2)
    return algorithm, config, algorithm.init(found, config, source(1))


def seen():
    return torch.randn((ROWS, 3), generator=source(2))


def flat(state):
    return {(part, name): x for part, group in state.items() for name, x in group.items()}


@pytest.mark.parametrize(("name", "found"), KINDS)
def test_an_update_is_a_function_of_its_noise(name, found):
    """The same noise, the same step, whatever torch's own generator does; other noise, another."""
    algorithm, config, state = begun(name, found)
    action = torch.rand((ROWS, 2), generator=source(4)) if not found.discrete else torch.arange(4)
    action = action if not found.discrete else action.repeat(2)[:ROWS]
    batch = Batch(seen(), action, torch.ones(ROWS), seen() + 0.1, torch.full((ROWS,), 0.9))
    after = []
    for seed in (5, 5, 6):
        noise = algorithm.draw(ROWS, source(seed), config, found)
        kept = {key: x.clone() for key, x in noise.items()}
        stepped, before = copy.deepcopy(state), torch.get_rng_state()
        algorithm.update(stepped, batch, noise, config, found)
        assert torch.equal(torch.get_rng_state(), before)
        assert all(torch.equal(noise[key], kept[key]) for key in kept)
        after.append(flat(stepped)["critic", "weight0"])
        torch.rand(3)
    assert torch.equal(after[0], after[1])
    assert torch.equal(after[0], after[2]) == (name in ("sac_v1", "sac_discrete", "sql_discrete"))
    assert (not noise) == found.discrete


@pytest.mark.parametrize("name", ["sac_discrete", "sql_discrete"])
def test_probabilities_of_all_actions_sum_to_one(name):
    algorithm, _, state = begun(name, CHOICES)
    every = torch.arange(4).expand(ROWS, -1)
    log_policy = algorithm.log_policy(state, seen(), every, CHOICES)
    torch.testing.assert_close(log_policy.exp().sum(1), torch.ones(ROWS))
    some = torch.tensor([[2, 0]]).expand(ROWS, -1)
    torch.testing.assert_close(
        algorithm.log_policy(state, seen(), some, CHOICES), log_policy[:, [2, 0]]
    )
    q = mlp(state["critic"], seen()).amin(0)
    torch.testing.assert_close(algorithm.q_values(state, seen(), some, CHOICES), q[:, [2, 0]])


@pytest.mark.parametrize(("name", "found"), [("sac", BOX), ("sac", ENDLESS), ("sac_v1", BOX)])
def test_densities_of_given_actions_are_those_they_were_drawn_with(name, found):
    algorithm, _, state = begun(name, found)
    policy = algorithm.policy(state, seen(), found)
    actions, log_density = policy.sample(torch.randn((ROWS, 50, 2), generator=source(3)))
    given = algorithm.log_policy(state, seen(), actions, found)
    torch.testing.assert_close(given, log_density, rtol=2e-4, atol=2e-4)
    q = action_values(state["critic"], seen(), actions).amin(0)
    torch.testing.assert_close(algorithm.q_values(state, seen(), actions, found), q)


def test_a_squashed_density_integrates_to_one_and_stays_finite_at_the_border():
    policy = Gaussian(torch.tensor([[0.4]]).double(), torch.tensor([[-0.3]]).double(), True)

    def density(a):
        return policy.log_density(torch.tensor([[[a]]]).double()).exp().item()

    assert integrate.quad(density, -1.0, 1.0)[0] == pytest.approx(1.0, abs=1e-7)
    at = policy.log_density(torch.tensor([[[-1.0], [1.0], [1.1], [-3.0]]]).double())[0]
    assert at[:2].isfinite().all() and (at[2:] == -math.inf).all()
    u = torch.tensor([[0.7]]).double()
    torch.testing.assert_close(
        policy.log_density(torch.tanh(u)[None])[0],
        squashed_log_density(u, policy.mean, policy.log_std),
    )
    unsquashed = policy._replace(squashed=False)
    expected = stats.norm(0.4, math.exp(-0.3)).logpdf(3.0)
    assert unsquashed.log_density(torch.tensor([[[3.0]]]).double()).item() == pytest.approx(
        expected
    )


def test_a_sampling_network_refuses_the_density_of_a_given_action():
    algorithm = ALGORITHMS["sql"]
    state = algorithm.init(BOX, algorithm.Config(hidden=(7,), policy="sampler"), source(1))
    with pytest.raises(ConfigError, match="every noise that gives this action; draw actions"):
        algorithm.log_policy(state, seen(), torch.zeros((ROWS, 1, 2)), BOX)
    policy = algorithm.policy(state, seen(), BOX)
    assert torch.equal(policy.drawn(5, source(3))[0], policy.actions(5, source(3)))


def test_only_the_first_soft_actor_critic_has_a_value_network():
    for name, found in KINDS:
        algorithm, _, state = begun(name, found)
        v = algorithm.state_values(state, seen())
        assert (v is None) == (name != "sac_v1")
        assert v is None or torch.equal(v, mlp(state["value"], seen())[:, 0])


def test_a_fixed_temperature_cannot_be_left_out():
    with pytest.raises(ConfigError, match="temperature"):
        sac_v1.Config(temperature=None)


def test_agents_are_made_by_keywords():
    with pytest.raises(TypeError, match="positional"):
        Agent("sac", None, BOX, {}, 1)


# composed agents keep what their parts have in common


def gridworld_agents(*settings):
    return [
        maxent.train(
            "sql",
            "maxent/Gridworld-v0",
            env_settings={"map": "S.G", "discount": 0.9} | each,
            steps=20,
            seed=seed,
            hidden=(8,),
            batch_size=4,
            learning_starts=10,
        )
        for seed, each in enumerate(settings)
    ]


def test_a_composed_agent_is_evaluated_where_its_parts_were():
    agents = gridworld_agents({}, {})
    both = compose_agents(agents)
    assert both.env == "maxent/Gridworld-v0" and both.env_settings == agents[0].env_settings
    assert len(both.evaluate(episodes=2, longest=20).returns) == 2
    assert np.isfinite(diagnose(both)["SUBOPT"].error)
    assert both.start.count("20 steps") == 2 and "0.5 x" in both.start


def test_a_composed_agent_of_different_tasks_asks_for_an_environment():
    both = compose_agents(gridworld_agents({}, {"step_reward": -1.0}), [0.3, 0.7])
    assert both.env is None and both.env_settings == {}
    with pytest.raises(ConfigError, match="composed of agents of different ones"):
        both.evaluate()
    mdp = maxent.gridworld("S.G", discount=0.9)
    assert len(both.evaluate(lambda: maxent.MDPEnv(mdp), episodes=1, longest=9).returns) == 1
    assert "0.7 x" in both.start and "'step_reward': -1.0" in both.start


def test_agents_that_see_different_spaces_are_not_composed():
    agents = gridworld_agents({})
    env = maxent.MDPEnv(maxent.gridworld("S..G", discount=0.9))
    agents.append(maxent.train("sql", env, steps=2, learning_starts=1, hidden=(8,), discount=0.99))
    with pytest.raises(ConfigError, match="agent 1 has observation space"):
        compose_agents(agents)


def test_the_old_place_of_the_rungs_says_where_they_are():
    with pytest.raises(ModuleNotFoundError, match=r"benchmarks/learning/rungs\.py"):
        importlib.import_module("maxent.neural.diagnostics.error_budget")


@pytest.mark.parametrize("documented", [Agent, compose_agents, diagnose])
def test_examples_in_docstrings_run(documented):
    names = vars(importlib.import_module(documented.__module__))
    (test,) = doctest.DocTestFinder(recurse=False).find(documented, globs=dict(names))
    assert test.examples
    outcome = doctest.DocTestRunner().run(test)
    assert outcome.failed == 0
