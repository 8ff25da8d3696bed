"""Training as a whole: reproducible, resumable, told right at every end, refused when wrong."""

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces

import maxent
from maxent.errors import (
    ConfigError,
    MemoryBudgetError,
    ResumeMismatchError,
    TrainingDivergedError,
)
from maxent.neural.algorithms import sac, sql, sql_discrete, temperature
from maxent.neural.diagnostics import diagnose
from maxent.neural.parts.networks import named_tensors
from maxent.neural.parts.replay import Batch, Replay
from maxent.neural.parts.spaces import Spaces
from maxent.neural.training.averages import CLOCK
from maxent.neural.training.learner import Learner
from maxent.neural.training.plan import Plan

SMALL = {"hidden": (16,), "batch_size": 16, "learning_starts": 20, "replay_capacity": 70}
BOX = Spaces(spaces.Box(-1.0, 1.0, (3,)), spaces.Box(-1.0, 1.0, (2,)))
CHOICES = Spaces(spaces.Box(-1.0, 1.0, (3,)), spaces.Discrete(4))


class Bandit(gymnasium.Env):
    """One observation, box actions within +-half; pays `reward(action)` and never ends by itself
    (`end` says what each step returns as terminated, truncated)."""

    def __init__(self, half=1.0, reward=None, end=(False, False), size=1):
        self.observation_space = spaces.Box(-1.0, 1.0, (1,))
        self.action_space = spaces.Box(-half, half, (size,))
        self.half, self.end = half, end
        self.reward = reward or (lambda action: -float((action**2).sum()))

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros(1, dtype=np.float32), {}

    def step(self, action):
        seen = np.ones(1, dtype=np.float32)
        return seen, self.reward(action / self.half), *self.end, {}


def without_time(rows):
    return [{name: value for name, value in row.items() if name not in CLOCK} for row in rows]


def same(one, two):
    pairs = zip(named_tensors(one.state), named_tensors(two.state), strict=True)
    return all(a == b and torch.equal(x, y) for (a, x), (b, y) in pairs)


ALL = [
    ("sac", "Pendulum-v1"),
    ("sac_v1", "Pendulum-v1"),
    ("sql", "Pendulum-v1"),
    ("sac_discrete", "CartPole-v1"),
    ("sql_discrete", "CartPole-v1"),
]


@pytest.mark.parametrize(("algorithm", "env"), ALL)
def test_a_resumed_run_is_the_uninterrupted_one_bit_for_bit(algorithm, env, tmp_path):
    settings = SMALL | {"seed": 3, "num_envs": 2, "log_every": 30}
    settings |= {"particles": 4, "value_particles": 4} if algorithm == "sql" else {}
    whole = maxent.train(algorithm, env, steps=120, run=tmp_path / "whole", **settings)
    maxent.train(algorithm, env, steps=58, run=tmp_path / "parts", **settings)
    maxent.resume(tmp_path / "parts", steps=86)
    parts = maxent.resume(tmp_path / "parts", steps=120)
    assert same(whole, parts)
    # the first stop logged a row of its own; every row after the last resume is the same
    assert without_time(parts.history)[-1] == without_time(whole.history)[-1]
    assert same(maxent.load_agent(tmp_path / "whole"), maxent.load_agent(tmp_path / "parts"))


def test_a_seed_fixes_everything_and_another_changes_it():
    one, two, other = (
        maxent.train("sac", "Pendulum-v1", steps=60, seed=seed, log_every=20, **SMALL)
        for seed in (1, 1, 2)
    )
    assert same(one, two)
    assert without_time(one.history) == without_time(two.history)
    assert not same(one, other)


def test_evaluations_leave_training_as_it_is():
    one = maxent.train("sac", "Pendulum-v1", steps=60, **SMALL)
    two = maxent.train(
        "sac", "Pendulum-v1", steps=60, evaluate_every=25, evaluation_episodes=1, **SMALL
    )
    assert same(one, two)
    assert [row["step"] for row in two.history if "evaluation_return" in row] == [25, 50, 60]


@pytest.mark.parametrize(
    ("end", "discount"),
    [((False, False), 0.9), ((False, True), 0.9), ((True, False), 0.0), ((True, True), 0.0)],
)
def test_only_a_terminated_step_has_no_future(end, discount):
    plan = Plan(algorithm="sac", env=None, steps=10)
    learner = Learner(plan, Bandit(end=end), SMALL | {"discount": 0.9})
    learner.train()
    stored = learner.replay.rows_since(0)
    assert stored["discount"].tolist() == pytest.approx([discount] * 10)
    assert (stored["next_observation"] == 1.0).all()
    # what the next step starts from: the first observation after an end, else where it was led
    assert stored["observation"][1:, 0].tolist() == [0.0 if any(end) else 1.0] * 9


def batch(spaces, count=32, seed=0):
    generator = torch.Generator().manual_seed(seed)
    action = torch.rand((count, spaces.action_size), generator=generator) * 2.0 - 1.0
    if spaces.discrete:
        action = torch.randint(spaces.action_size, (count,), generator=generator)
    seen, after = torch.randn((2, count, spaces.observation_size), generator=generator)
    reward = torch.randn(count, generator=generator)
    return Batch(seen, action, reward, after, torch.full((count,), 0.9))


@pytest.mark.parametrize(("module", "found"), [(sql, BOX), (sql_discrete, CHOICES)])
def test_targets_are_copied_every_third_step(module, found):
    config = module.Config(target_interval=3, target_rate=1.0, hidden=(8,), batch_size=32)
    generator = torch.Generator().manual_seed(0)
    state = module.init(found, config, generator)
    copied = []
    for step in range(1, 8):
        before = {name: tensor.clone() for name, tensor in state["target"].items()}
        noise = module.draw(len(batch(found).reward), generator, config, found)
        module.update(state, batch(found), noise, config, found, config.follows(step))
        moved = any(not torch.equal(before[name], state["target"][name]) for name in before)
        copied.append(moved)
    assert copied == [False, False, True, False, False, True, False]


@pytest.mark.parametrize(
    ("ratio", "num_envs", "updates"), [(0.25, 1, 21), (0.25, 8, 22), (0.1, 1, 9), (3, 1, 243)]
)
def test_updates_per_step_may_be_a_fraction(ratio, num_envs, updates):
    """From step 20 on: at ratio 1/4 after the steps 20, 24, ..., 100."""
    agent = maxent.train(
        "sac", "Pendulum-v1", steps=100, num_envs=num_envs, updates_per_step=ratio, **SMALL
    )
    assert int(agent.state["critic_moments"]["count"]) == updates


def test_learning_rates_fall_linearly_to_their_final_share(monkeypatch):
    seen, real = [], sac.adam

    def watched(parameters, gradient, moments, rate):
        seen.append(rate)
        real(parameters, gradient, moments, rate)

    for place in (sac, temperature):
        monkeypatch.setattr(place, "adam", watched)
    rates = {"critic_rate": 4e-3, "actor_rate": 2e-3, "temperature_rate": 1e-3}
    maxent.train("sac", "Pendulum-v1", steps=100, final_rate_share=0.1, **rates, **SMALL)
    shares = 1.0 - 0.9 * np.arange(20, 101) / 100
    np.testing.assert_allclose(np.reshape(seen, (-1, 3)), np.outer(shares, list(rates.values())))
    config = sac.Config(final_rate_share=0.1, target_rate=0.02)
    assert config.at(0.5).target_rate == 0.02 and sac.Config().at(0.5) == sac.Config()


def test_a_run_with_falling_rates_is_resumed_bit_for_bit(tmp_path, monkeypatch):
    settings = SMALL | {"final_rate_share": 0.1, "updates_per_step": 0.5}
    whole = maxent.train("sac", "Pendulum-v1", steps=60, **settings)
    real = Learner._collect

    def dying(learner):
        if learner.step == 47:
            raise KeyboardInterrupt
        real(learner)

    run = tmp_path / "run"
    monkeypatch.setattr(Learner, "_collect", dying)
    with pytest.raises(KeyboardInterrupt):
        maxent.train("sac", "Pendulum-v1", steps=60, run=run, checkpoint_every=15, **settings)
    monkeypatch.setattr(Learner, "_collect", real)
    assert same(maxent.resume(run), whole)


def test_rescaling_the_action_box_changes_nothing_the_agent_learns():
    agents = [
        maxent.train("sac", lambda half=half: Bandit(half, size=3), steps=80, log_every=20, **SMALL)
        for half in (1.0, 0.5, 8.0)
    ]
    for other in agents[1:]:
        path = [row.get("temperature") for row in other.history]
        assert path == [row.get("temperature") for row in agents[0].history]
        assert path[-1] < 1.0  # it does move
        assert same(agents[0], other)


def test_replay_keeps_the_latest_and_wraps_around():
    replay = Replay(BOX, 5)
    for first in range(0, 8, 2):
        numbers = torch.tensor([first, first + 1.0])
        wide = numbers[:, None]
        replay.add(Batch(wide.expand(2, 3), wide.expand(2, 2), numbers, wide.expand(2, 3), numbers))
    assert len(replay) == 5
    assert replay.rows_since(0)["reward"].tolist() == [3.0, 4.0, 5.0, 6.0, 7.0]
    assert replay.rows_since(6)["observation"][:, 0].tolist() == [6.0, 7.0]
    drawn = replay.sample(200, torch.Generator().manual_seed(0))
    assert set(drawn.reward.tolist()) == {3.0, 4.0, 5.0, 6.0, 7.0}
    assert (drawn.observation[:, 0] == drawn.reward).all()
    assert (drawn.action[:, 1] == drawn.reward).all()
    again = Replay(BOX, 5)
    again.restore(replay.rows_since(0), replay.inserted)
    assert torch.equal(
        again.sample(50, torch.Generator().manual_seed(3)).reward,
        replay.sample(50, torch.Generator().manual_seed(3)).reward,
    )


def test_a_buffer_beyond_memory_is_refused_before_it_is_made():
    with pytest.raises(MemoryBudgetError, match=r"replay buffer of 1000000000000 transitions"):
        maxent.train("sac", "Pendulum-v1", steps=10, replay_capacity=10**12)


@pytest.mark.parametrize(
    ("reward", "message"),
    [(float("nan"), "step 61: the environment gave a reward that is NaN"), (1e38, "critic_loss")],
)
def test_divergence_is_told_and_leaves_the_last_good_checkpoint(reward, message, tmp_path):
    paid = iter([0.0] * 60 + [reward] * 1000)
    env = Bandit(reward=lambda action: next(paid))
    with pytest.raises(TrainingDivergedError, match=message):
        maxent.train(
            "sac", env, steps=200, run=tmp_path / "run", checkpoint_every=25, log_every=5, **SMALL
        )
    assert maxent.load_agent(tmp_path / "run", env=Bandit()).steps == 50


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch": 3}, "setting 'batch' is unknown; did you mean 'batch_size'"),
        ({"batch_size": 0}, "batch_size = 0"),
        ({"temperature": 0.0}, "temperature = 0"),
        ({"temperature": -1.0}, "temperature = -1.0"),
        ({"discount": 1.0}, "discount = 1"),
        ({"critic_rate": 0.0}, "critic_rate"),
        ({"target_rate": 1.5}, "target_rate"),
        ({"updates_per_step": 0}, "updates_per_step = 0"),
        ({"updates_per_step": "often"}, "updates_per_step = 'often'"),
        ({"final_rate_share": 0.0}, "final_rate_share = 0"),
        ({"final_rate_share": 1.5}, "final_rate_share = 1.5"),
        ({"hidden": (16, 0)}, "hidden = 0"),
        ({"steps": 0}, "steps = 0"),
        ({"seed": -1}, "seed = -1"),
        ({"device": "cuda:99"}, "device = 'cuda:99'"),
        ({"algorithm": "sca"}, "algorithm 'sca' is unknown; did you mean 'sac'"),
        ({"algorithm": "sac_discrete"}, "use sac"),
        ({"env": "CartPole-v1", "algorithm": "sac_v1"}, "use sac_discrete"),
        ({"env": "CartPole-v1", "target_entropy": 3.0}, "target_entropy = 3.0"),
    ],
)
def test_wrong_settings_are_refused_before_anything_is_written(change, message, tmp_path):
    settings = {"algorithm": "sac", "env": "Pendulum-v1", "steps": 30} | SMALL | change
    with pytest.raises(ConfigError, match=message):
        maxent.train(**settings, run=tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_resuming_with_other_settings_is_refused_field_by_field(tmp_path):
    maxent.train("sac", "Pendulum-v1", steps=30, run=tmp_path / "run", **SMALL)
    with pytest.raises(ResumeMismatchError, match=r"settings.batch_size: 16 -> 32"):
        maxent.resume(tmp_path / "run", steps=60, batch_size=32)
    assert maxent.resume(tmp_path / "run", steps=40, batch_size=16).steps == 40


def test_whole_numbers_and_settings_left_out_are_the_same_configuration(tmp_path):
    maxent.train("sac", "Pendulum-v1", steps=30, run=tmp_path / "run", temperature=1, **SMALL)
    resumed = maxent.resume(
        tmp_path / "run", steps=40, temperature=1.0, updates_per_step=1, final_rate_share=1
    )
    assert resumed.config == sac.Config(temperature=1, **SMALL)


def test_a_run_that_was_extended_still_knows_how_far_it_goes(tmp_path, monkeypatch):
    maxent.train("sac", "Pendulum-v1", steps=30, run=tmp_path / "run", checkpoint_every=10, **SMALL)
    real, lived = Learner._collect, []

    def dying(learner):
        lived.append(learner.step)
        if learner.step == 44:
            raise KeyboardInterrupt
        real(learner)

    monkeypatch.setattr(Learner, "_collect", dying)
    with pytest.raises(KeyboardInterrupt):
        maxent.resume(tmp_path / "run", steps=60)
    monkeypatch.setattr(Learner, "_collect", real)
    assert maxent.resume(tmp_path / "run").steps == 60


def test_an_environment_is_made_with_its_settings_again_and_again(tmp_path):
    settings = {"map": "S.G", "discount": 0.9, "max_episode_steps": 20}
    agent = maxent.train(
        "sql", "maxent/Gridworld-v0", env_settings=settings, steps=40, run=tmp_path / "run", **SMALL
    )
    assert agent.environment().spec.kwargs["map"] == "S.G"
    loaded = maxent.load_agent(tmp_path / "run")
    assert loaded.evaluate(episodes=2).lengths.max() <= 20
    assert len(diagnose(loaded).findings) == 10
    with pytest.raises(ConfigError, match=r"cannot make 'Pendulum-v1' with \{'nonsense': 1\}"):
        maxent.train("sac", "Pendulum-v1", env_settings={"nonsense": 1}, steps=40)
    with pytest.raises(ConfigError, match="go with the id"):
        maxent.train("sac", Bandit(), env_settings={"nonsense": 1}, steps=40)


def test_an_unbounded_box_gets_an_unsquashed_policy():
    env = gymnasium.wrappers.TransformAction(
        Bandit(), np.tanh, spaces.Box(-np.inf, np.inf, (1,), np.float32)
    )
    agent = maxent.train("sac", env, steps=40, **SMALL)
    generator = agent.generator(0)
    seen = np.zeros((2_000, 1), dtype=np.float32)
    assert np.abs(agent.actions(seen, generator)).max() > 1.0
    with pytest.raises(ConfigError, match="finite sides"):
        maxent.train("sql", env, steps=40, **SMALL)


def test_evaluations_meet_the_environment_as_it_was_made():
    agent = maxent.train(
        "sql",
        "maxent/Gridworld-v0",
        env_settings={"map": "SG", "discount": 0.9, "max_episode_steps": 5},
        steps=40,
        hidden=(4,),
        batch_size=4,
        learning_starts=10,
        evaluate_every=20,
        evaluation_episodes=1,
        log_every=0,
    )
    assert [row["evaluation_length"] <= 5 for row in agent.history] == [True, True]
