"""KNOWN: any environment whose solution is chosen first."""

import gymnasium
import numpy as np
import pytest
import torch
from torch.distributions import (
    Categorical,
    Independent,
    MixtureSameFamily,
    Normal,
    TanhTransform,
    TransformedDistribution,
)

import maxent
from maxent.errors import ConfigError


def two_ways(seen):
    mean = torch.stack([seen[:, 0], -seen[:, 0]], dim=-1)[..., None]
    squashed = TransformedDistribution(Normal(mean, 0.3), [TanhTransform()])
    weights = Categorical(torch.ones(len(seen), 2, dtype=seen.dtype))
    return MixtureSameFamily(weights, Independent(squashed, 1))


def height(seen):
    return seen[:, 0] + 0.1 * seen[:, 2]


def pendulum(**changes):
    settings = {"policy": two_ways, "value": height, "temperature": 0.2, "discount": 0.95}
    return maxent.known_answer("Pendulum-v1", **(settings | changes))


SEEN = np.array([[1.0, 0.0, 0.5], [-0.3, 0.9, -4.0]], dtype=np.float32)


def test_the_density_is_one():
    known, actions = pendulum(), np.linspace(-1.0, 1.0, 20_001)
    logs = known.log_density(SEEN, np.tile(actions[:, None], (2, 1, 1)))
    assert np.trapezoid(np.exp(logs), actions) == pytest.approx([1.0, 1.0], abs=1e-6)
    soft = 0.2 * np.log(
        np.trapezoid(np.exp(known.q(SEEN, np.tile(actions[:, None], (2, 1, 1))) / 0.2), actions)
    )
    assert soft == pytest.approx(known.v(SEEN), abs=1e-6)


def test_the_border_of_the_box_has_the_floor():
    known = pendulum()
    logs = known.log_density(SEEN, np.tile([[1.0], [-1.0]], (2, 1, 1)))
    assert logs == pytest.approx(np.log(1e-3 / 2.0))


def test_samples_follow_the_density():
    known = pendulum()
    drawn = known.sample(SEEN, 40_000, seed=3)
    again = known.sample(SEEN, 40_000, seed=3)
    assert drawn.shape == (2, 40_000, 1) and (drawn == again).all()
    edges = np.linspace(-1.0, 1.0, 21)
    fine = np.linspace(-1.0, 1.0, 20_001)
    density = np.exp(known.log_density(SEEN, np.tile(fine[:, None], (2, 1, 1))))
    for state in range(2):
        counts = np.histogram(drawn[state, :, 0], edges)[0] / 40_000
        share = np.add.reduceat(density[state], np.arange(0, 20_000, 1000)) * 1e-4
        assert np.abs(counts - share).max() < 0.012


def test_a_value_that_is_infinite_in_one_state_of_several_is_refused():
    known = pendulum(value=lambda s: torch.where(torch.arange(len(s)) > 0, torch.inf, s[:, 0]))
    with pytest.raises(ConfigError, match="value is inf; it must be finite"):
        known.v(SEEN)


def test_samples_are_uniform_once_in_a_thousand():
    """The floor of the density is drawn too: far from a policy that is narrow nothing else is."""

    def narrow(seen):
        squashed = TransformedDistribution(Normal(1.5 + 0.0 * seen[:, :1], 0.01), [TanhTransform()])
        return Independent(squashed, 1)

    drawn = pendulum(policy=narrow).sample(SEEN[:1], 200_000)
    far = drawn[drawn < 0.5]
    assert abs(drawn).max() <= 1.0 and 90 < len(far) < 210  # 150 expected, deviation 12
    assert far.min() < -0.9 and abs(far.mean() + 0.25) < 0.2

    def first(seen):
        return Categorical(logits=torch.tensor([0.0, -60.0]).expand(len(seen), 2))

    known = maxent.known_answer("CartPole-v1", first, lambda s: s[:, 0], 0.3, discount=0.9)
    assert 50 < known.sample(np.zeros((1, 4)), 200_000).sum() < 150  # of two actions: 100


@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_the_reward_is_what_makes_the_answer_right(noise):
    known = pendulum(noise=noise)
    observation, _ = known.env.reset(seed=0)
    errors = []
    for step in range(200):
        seen = known.spaces.flatten(observation)[None]
        action = known.env.action_space.sample()
        observation, reward, ended, cut, info = known.env.step(action)
        after = known.spaces.flatten(observation)[None]
        q = known.q(seen, known.spaces.from_environment(action.astype(float))[None, None])[0, 0]
        errors.append(reward + 0.95 * known.v(after)[0] - q)
        assert info["environment_reward"] <= 0.0
        assert (ended, cut) == (False, step == 199)  # a cut episode keeps V of where it is
    assert np.abs(errors).max() < 1e-12 if noise == 0.0 else 0.4 < np.std(errors) < 0.6


def test_a_terminated_episode_has_no_value_after_it():
    def even(seen):
        return Categorical(torch.ones(len(seen), 2, dtype=seen.dtype))

    known = maxent.known_answer("CartPole-v1", even, lambda s: 5.0 + s[:, 0], 0.3, discount=0.9)
    observation, _ = known.env.reset(seed=0)
    ended = False
    while not ended:
        before = known.v(known.spaces.flatten(observation)[None])[0]
        observation, reward, ended, _, _ = known.env.step(1)
    assert reward == pytest.approx(0.3 * np.log(0.5) + before, abs=1e-12)


def test_an_agent_that_is_the_answer_has_no_error_and_others_have():
    known = pendulum()
    agent = maxent.train(
        "sac", lambda: known.env, steps=300, seed=1, temperature=0.2, discount=0.95,
        hidden=(16,), batch_size=16, learning_starts=100,
    )  # fmt: skip
    found = maxent.diagnose(agent, known, episodes=2)
    lines = {finding.statement: finding.error for finding in found.findings}
    lived, lost = (
        lines[name] for name in ("V*(s_0) - soft return", "alpha E sum gamma^t KL(pi || pi*)")
    )
    assert lines["policy: KL(pi || pi*)"] > 0.01
    assert lost > 0.0 and lived == pytest.approx(lost, rel=0.5)  # one path against its expectation
    assert lines["(V* itself, deviation over states)"] > 0.1


def test_the_two_sides_of_the_loss_agree_and_vanish_at_the_answer():
    """A policy network that does not look: its answer is the agent itself."""

    def even(seen):
        return Categorical(torch.ones(len(seen), 2, dtype=seen.dtype))

    known = maxent.known_answer("CartPole-v1", even, lambda s: s[:, 2], 0.3, discount=0.9)
    agent = maxent.train(
        "sac", lambda: known.env, steps=30, seed=1, temperature=0.3, discount=0.9,
        hidden=(8,), batch_size=8, learning_starts=20,
    )  # fmt: skip
    for weights in agent.state["actor"].values():
        weights.zero_()
    found = maxent.diagnose(agent, known, episodes=3)
    lines = {finding.statement: finding.error for finding in found.findings}
    assert lines["policy: KL(pi || pi*)"] == pytest.approx(0.0, abs=1e-6)
    assert lines["V*(s_0) - soft return"] == pytest.approx(0.0, abs=1e-5)
    assert lines["entropy of the policy"] == pytest.approx(np.log(2.0), abs=1e-6)
    with pytest.raises(ConfigError, match="discount"):
        maxent.diagnose(
            agent, maxent.known_answer("CartPole-v1", even, lambda s: s[:, 2], 0.3, 0.8)
        )
    with pytest.raises(ConfigError, match="trained on something else"):
        maxent.diagnose(agent, pendulum())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"temperature": 0.0}, "temperature"),
        ({"discount": None}, "give discount"),
        ({"noise": -1.0}, "noise"),
        ({"value": 3.0}, "must be a function"),
        ({"value": lambda s: s}, "must give a tensor of shape"),
        ({"value": lambda s: s[:, 0] / 0.0}, "finite"),
        ({"value": torch.nn.Linear(3, 1)}, "double"),
        ({"policy": lambda s: Normal(0.0 * s[:, :1], 0.01)}, "Independent"),
        ({"policy": lambda s: Independent(Normal(s[:, :1], 1.0), 1)}, "outside of"),
        ({"policy": lambda s: Independent(Normal(s[:, :2], 1.0), 1)}, "samples of shape"),
        ({"policy": lambda s: s[:, 0]}, "policy fails"),
    ],
)
def test_what_is_no_answer_is_refused(change, words):
    with pytest.raises(ConfigError, match=words):
        pendulum(**change)


def test_an_environment_of_ones_own_is_taken_as_it_is():
    env = gymnasium.make("Pendulum-v1")
    known = maxent.known_answer(env, two_ways, height, 0.2, 0.95)
    assert known.env.unwrapped is env.unwrapped
    with pytest.raises(gymnasium.error.ResetNeeded):
        known.env.step(np.zeros(1, dtype=np.float32))
