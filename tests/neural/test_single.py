"""An action for a single observation: PyTorch's numbers within rounding, and its random stream."""

import numpy as np
import pytest

import maxent
from maxent.neural.parts.single import action_of_one

GRID = {"env_settings": {"map": "S..\n..G", "discount": 0.9}}
BOX, DISCRETE = ("Pendulum-v1", {}), ("maxent/Gridworld-v0", GRID)


def trained(algorithm, where, settings):
    env, made_with = where
    return maxent.train(
        algorithm, env, steps=12, learning_starts=6, batch_size=4, **{"hidden": (8, 8)},
        **made_with, **settings, seed=1, compile=False,
    )  # fmt: skip


IN_NUMPY = [
    ("sac", BOX, {}),
    ("sac", BOX, {"normalize_observations": True}),
    ("sac", BOX, {"critic_network": "layer_norm"}),
    ("sac_v1", BOX, {}),
    ("sql", BOX, {"policy": "sampler"}),
    ("sac", DISCRETE, {}),
    ("sql", DISCRETE, {}),
    ("sql", DISCRETE, {"normalize_observations": True}),
]
IN_PYTORCH = [
    ("sac", BOX, {"policy": "mixture"}),
    ("sql", BOX, {}),
    ("sql", BOX, {"proposal": "uniform"}),
    ("sql", DISCRETE, {"critic_network": "layer_norm"}),
    ("sql", DISCRETE, {"critic_network": "residual"}),
    ("sql", DISCRETE, {"critics": 3, "smallest_of": 2}),
]


@pytest.mark.parametrize("case", IN_NUMPY + IN_PYTORCH, ids=str)
def test_one_action_is_the_one_of_a_batch_and_draws_the_same_numbers(case):
    agent = trained(*case)
    source = np.random.default_rng(0)
    for deterministic in (False, True):
        alone, batched = agent.generator(3), agent.generator(3)
        for _ in range(20):
            seen = agent.spaces.observation.sample()
            if case[1] is DISCRETE:
                seen = int(source.integers(6))
            flat = agent.spaces.checked(seen)
            found = agent.act(seen, alone, deterministic=deterministic)
            expected = agent.actions(flat[None], batched, deterministic)[0]
            expected = np.asarray(agent.spaces.to_environment(expected))
            # actions of this size are a dozen roundings from each other
            np.testing.assert_allclose(found, expected, rtol=0, atol=3e-6)
            assert np.asarray(found).dtype == expected.dtype
        assert (alone.get_state() == batched.get_state()).all()
    in_numpy = action_of_one(agent.state, flat, agent.generator(0), agent.spaces, False)
    assert (in_numpy is not None) == (case in IN_NUMPY)


@pytest.mark.parametrize("algorithm", ["sac", "sql"])
def test_among_available_actions_alone(algorithm):
    agent = trained(algorithm, DISCRETE, {})
    mask = np.array([0, 1, 0, 1])
    alone, batched = agent.generator(5), agent.generator(5)
    for _ in range(100):
        found = agent.act(2, alone, action_mask=mask)
        flat = agent.spaces.checked(2)[None]
        assert found == agent.actions(flat, batched, available=mask[None].astype(bool))[0]
        assert found in (1, 3)
    assert agent.act(2, deterministic=True, action_mask=[0, 0, 1, 0]) == 2


def test_it_follows_an_agent_whose_parameters_change():
    agent = trained("sac", BOX, {})
    seen = np.zeros(3, np.float32)
    before = agent.act(seen, deterministic=True)
    agent.state["actor"] = {name: -x for name, x in agent.state["actor"].items()}
    after = agent.act(seen, deterministic=True)
    expected = agent.actions(seen[None], deterministic=True)[0]
    np.testing.assert_allclose(after, agent.spaces.to_environment(expected), atol=3e-6)
    assert after != before
