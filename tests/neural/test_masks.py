"""Action masks: no unavailable action is ever taken, aimed at, or counted in a value."""

import math

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv

import maxent
from maxent.errors import ConfigError
from maxent.neural.algorithms import sac_discrete, sql_discrete
from maxent.neural.diagnostics import diagnose
from maxent.neural.diagnostics.rollouts import from_rollouts
from maxent.neural.parts.networks import named_tensors
from maxent.neural.parts.replay import Batch
from maxent.neural.parts.spaces import Spaces
from maxent.neural.training import learner as learning
from maxent.neural.training.learner import Learner
from maxent.neural.training.plan import Plan

SMALL = {"hidden": (16,), "batch_size": 16, "learning_starts": 20, "replay_capacity": 300}
ALGORITHMS = ["sac", "sql"]


class Doors(gymnasium.Env):
    """A walk over 5 rooms; in room k the action k % 3 is not available, and a crash if taken."""

    def __init__(self, told=("reset", "step"), mask=None, end=12):
        self.observation_space = spaces.Discrete(5)
        self.action_space = spaces.Discrete(3)
        self.told, self.mask, self.end = told, mask, end

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.room, self.steps = 0, 0
        return self.room, self._info("reset")

    def step(self, action):
        assert action != self.room % 3, "a masked action was taken"
        self.steps += 1
        self.room = int(self.np_random.integers(5))
        over = self.steps == self.end
        terminated = over and self.room % 2 == 0
        info = {"action_mask": np.zeros(3)} if terminated else self._info("step")
        return self.room, float(action == 2), terminated, over and not terminated, info

    def _info(self, when):
        if when not in self.told:
            return {}
        mask = np.ones(3, dtype=np.int8)
        mask[self.room % 3] = 0
        return {"action_mask": mask if self.mask is None else self.mask}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_no_masked_action_is_taken_in_training_evaluation_or_diagnosis(algorithm):
    agent = maxent.train(algorithm, Doors, steps=150, seed=2, num_envs=2, **SMALL)
    for deterministic in (True, False):
        assert agent.evaluate(Doors, episodes=5, deterministic=deterministic).lengths.sum() == 60
    entropy = from_rollouts(agent, Doors(), episodes=3).findings[-1].error
    assert 0.0 < entropy <= math.log(2)  # two of three actions in every room


@pytest.mark.parametrize("mode", list(AutoresetMode))
@pytest.mark.parametrize("end", [1, 12])
def test_vector_environments_of_every_mode_too(mode, end):
    vector = SyncVectorEnv([lambda: Doors(end=end)] * 3, autoreset_mode=mode)
    learner = Learner(Plan(algorithm="sql", env=None, steps=150, num_envs=3), vector, SMALL)
    learner.train()
    stored = learner.replay.rows_since(0)
    rooms, after = stored["observation"].argmax(-1), stored["next_observation"].argmax(-1)
    expected = np.arange(3) != rooms[:, None] % 3
    assert (stored["available"] == expected).all()
    lasting = stored["discount"] > 0.0
    expected = np.arange(3) != after[:, None] % 3
    assert (stored["next_available"] == expected)[lasting].all()
    assert lasting.any() and stored["next_available"][~lasting].all()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_training_with_a_mask_on_an_mdp_finds_its_optimum(algorithm):
    """The best of the three actions in each state is masked: who counts it is far off."""
    reward = np.array([[5.0, 0.0, 1.0], [5.0, 1.0, 0.0]])
    mask = np.array([[False, True, True], [False, True, True]])
    transition = np.zeros((2, 3, 2))
    transition[:, 1, 0] = transition[:, 2, 1] = transition[:, 0, 0] = 1.0
    mdp = maxent.MDP(transition, reward, discount=0.8, action_mask=mask)
    settings = {"temperature": 0.5, "discount": 0.8, "critics": 1, "target_rate": 0.1}
    settings |= {"critic_rate": 1e-2, "batch_size": 64, "hidden": (16,), "learning_starts": 50}
    if algorithm == "sac":
        settings["actor_rate"] = 1e-2
    agent = maxent.train(algorithm, lambda: maxent.MDPEnv(mdp), steps=700, seed=1, **settings)
    exact = maxent.solve(mdp, 0.5)
    np.testing.assert_allclose(agent.on(mdp).v, exact.v, atol=0.02)
    errors = {each.statement: each.error for each in diagnose(agent, mdp).findings}
    assert max(abs(x) for name, x in errors.items() if name.startswith("q ")) < 0.15, errors


def updates(module, mask):
    """The tensors after 5 updates on one batch, with all actions marked as available or no mask."""
    found = Spaces(spaces.Box(-1.0, 1.0, (3,)), spaces.Discrete(4))
    config = module.Config(hidden=(8,), batch_size=32)
    state = module.init(found, config, torch.Generator().manual_seed(0))
    g = torch.Generator().manual_seed(1)
    seen, after = torch.randn((2, 32, 3), generator=g)
    action = torch.randint(4, (32,), generator=g)
    masks = (mask, mask) if mask is not None else ()
    batch = Batch(seen, action, torch.randn(32, generator=g), after, torch.full((32,), 0.9), *masks)
    for _ in range(5):
        metrics = module.update(state, batch, {}, config, found)
    return dict(named_tensors(state)), metrics


@pytest.mark.parametrize("module", [sac_discrete, sql_discrete])
def test_where_all_actions_are_available_nothing_changes_bit_for_bit(module):
    (one, said), (two, told) = (updates(module, m) for m in (None, torch.ones((32, 4)) > 0))
    assert all(torch.equal(one[name], two[name]) for name in one) and said == told


@pytest.mark.parametrize("module", [sac_discrete, sql_discrete])
def test_values_at_masked_actions_reach_nothing(module):
    """A network with 4 outputs of which one is masked learns as one with the other 3."""
    mask = torch.tensor([True, True, False, True]).expand(32, 4)
    tensors, _ = updates(module, mask)
    for name in ("critic/bias1", "actor/bias1"):
        if name in tensors:
            assert torch.isfinite(tensors[name]).all()
    if module is sac_discrete:  # no gradient came to the masked logit
        found = Spaces(spaces.Box(-1.0, 1.0, (3,)), spaces.Discrete(4))
        config = module.Config(hidden=(8,), batch_size=32)
        before = dict(named_tensors(module.init(found, config, torch.Generator().manual_seed(0))))
        moved = (tensors["actor/bias1"] != before["actor/bias1"])[0]
        assert moved.tolist() == [True, True, False, True]


def test_the_soft_value_of_a_masked_state_counts_its_available_actions():
    config = sql_discrete.Config(hidden=(8,), temperature=0.7)
    found = Spaces(spaces.Box(-1.0, 1.0, (3,)), spaces.Discrete(4))
    state = sql_discrete.init(found, config, torch.Generator().manual_seed(0))
    mask = torch.tensor([[True, False, False, True]])
    seen = torch.zeros((1, 3))
    batch = Batch(seen, torch.zeros(1, dtype=torch.int64), torch.zeros(1), seen, torch.ones(1))
    q = sql_discrete.q_values(state, seen, torch.arange(4)[None], found)[0]
    logged = sql_discrete.update(
        state, batch._replace(available=mask, next_available=mask), {}, config, found
    )
    expected = 0.7 * torch.logsumexp(q[[0, 3]] / 0.7, 0)
    assert logged["next_v"].item() == pytest.approx(expected.item(), rel=1e-6)


def test_the_default_target_entropy_is_half_of_what_each_state_allows():
    mask = torch.tensor([[True, True, True, True], [True, False, False, True]])
    found = Spaces(spaces.Box(-1.0, 1.0, (3,)), spaces.Discrete(4))
    target = sac_discrete._target_entropy(sac_discrete.Config(), found, mask)
    np.testing.assert_allclose(target, [0.5 * math.log(4), 0.5 * math.log(2)], rtol=1e-7)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"told": ("step",)}, r"step 1: info\['action_mask'\] came with step and not with reset"),
        ({"told": ("reset",)}, r"step 1: info\['action_mask'\] came with reset and not with step"),
        ({"mask": np.ones(2)}, "give 3 numbers"),
        ({"mask": np.zeros(3)}, "with at least one 1"),
        ({"mask": np.array([1, 2, 0])}, r"is \[1, 2, 0\]; give 1 where"),
        ({"mask": None, "told": ()}, "a masked action was taken"),
    ],
)
def test_masks_that_cannot_be_meant_are_told(settings, words):
    with pytest.raises(ConfigError, match=words):
        maxent.train("sql", Doors(**settings), steps=40, **SMALL)


def test_a_masked_run_is_resumed_bit_for_bit(tmp_path):
    whole = maxent.train("sac", Doors, steps=90, run=tmp_path / "a", **SMALL)
    maxent.train("sac", Doors, steps=47, run=tmp_path / "b", **SMALL)
    parts = maxent.resume(tmp_path / "b", env=Doors, steps=90)
    pairs = zip(named_tensors(whole.state), named_tensors(parts.state), strict=True)
    assert all(torch.equal(x, y) for (_, x), (_, y) in pairs)


def test_a_run_begun_without_masks_goes_on_without_them(tmp_path):
    open_doors = {"told": ()}

    class Safe(Doors):
        def step(self, action):
            return super().step(action if action != self.room % 3 else (self.room + 1) % 3)

    whole = maxent.train("sql", lambda: Safe(**open_doors), steps=90, **SMALL)
    maxent.train("sql", lambda: Safe(**open_doors), steps=45, run=tmp_path / "run", **SMALL)
    agent = maxent.resume(tmp_path / "run", env=Safe, steps=90)  # tells of masks now
    pairs = zip(named_tensors(whole.state), named_tensors(agent.state), strict=True)
    assert all(torch.equal(x, y) for (_, x), (_, y) in pairs)


# one observation


def test_act_takes_a_mask_and_a_seed():
    agent = maxent.train("sac", Doors, steps=40, **SMALL)
    drawn = {int(agent.act(0, seed=seed, action_mask=[0, 1, 1])) for seed in range(40)}
    assert drawn == {1, 2}
    assert [agent.act(1, seed=5)] * 3 == [agent.act(1, seed=5) for _ in range(3)]
    with pytest.raises(ConfigError, match="beside a generator"):
        agent.act(0, agent.generator(1), seed=1)
    with pytest.raises(ConfigError, match="give 3 numbers"):
        agent.act(0, action_mask=[1, 0])
    assert agent.entropy(0, action_mask=[0, 0, 1]) == 0.0
    assert agent.entropy(0, action_mask=[0, 1, 1]) <= math.log(2)


@pytest.mark.parametrize(
    ("algorithm", "settings"), [("sac", {}), ("sac_v1", {}), ("sql", {"policy": "sampler"})]
)
def test_the_entropy_of_a_continuous_policy_is_that_of_its_samples(algorithm, settings):
    agent = maxent.train(algorithm, "Pendulum-v1", steps=60, **settings, **SMALL)
    seen = np.array([0.2, 0.9, 1.0], dtype=np.float32)
    policy = learning.ALGORITHMS[algorithm].policy(
        agent.state, torch.as_tensor(seen)[None], agent.spaces
    )
    noise = torch.randn((1, 100_000, 1), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = -float(policy.sample(noise)[1].mean())
    assert agent.entropy(seen) == pytest.approx(expected, abs=0.03)
    with pytest.raises(ConfigError, match="action_mask is for discrete actions"):
        agent.entropy(seen, action_mask=[1])
