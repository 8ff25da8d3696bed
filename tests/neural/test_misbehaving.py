"""Environments that break Gymnasium's interface: told where it happens, with nothing lost."""

import contextlib
import math
import re

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.vector import SyncVectorEnv

import maxent
from maxent.cli import main
from maxent.environments.guard import Guarded, misfit
from maxent.environments.space_checks import require_no_bytes
from maxent.errors import ConfigError, MaxEntWarning
from maxent.neural.algorithms import sac_discrete
from maxent.neural.diagnostics.rollouts import from_rollouts
from maxent.neural.parts.networks import named_tensors
from maxent.neural.parts.spaces import Spaces
from maxent.neural.runs.checkpoints import read_manifest, steps_in

SMALL = {"hidden": (8,), "batch_size": 8, "learning_starts": 10, "replay_capacity": 50}
GOOD = np.zeros(2, dtype=np.float32)


class Odd(gymnasium.Env):
    """Episodes of 7 steps of two zeros; `step` 23 or the `reset` gives what is given instead."""

    def __init__(self, at_step=None, at_reset=None, space=None, actions=None):
        self.observation_space = space or spaces.Box(-1.0, 1.0, (2,))
        self.action_space = actions or spaces.Discrete(2)
        self.at_step, self.at_reset, self.total = at_step, at_reset, 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        return (GOOD, {}) if self.at_reset is None else self.at_reset()

    def step(self, action):
        self.steps += 1
        self.total += 1
        came = (GOOD, 1.0, False, self.steps == 7, {})
        return self.at_step(came) if self.at_step is not None and self.total == 23 else came


def dies(came):
    raise RuntimeError("the simulator\ndied")


STEPS = {
    "an observation that would be broadcast": (
        lambda came: (GOOD[:1], *came[1:]),
        r"the observation has the shape \(1,\), its space Box\(-1.0, 1.0, \(2,\).* says \(2,\)",
    ),
    "an observation without axes": (lambda came: (0.0, *came[1:]), r"the shape \(\), its space"),
    "a column": (lambda came: (GOOD[:, None], *came[1:]), r"the shape \(2, 1\)"),
    "no observation": (lambda came: (None, *came[1:]), "the observation is None"),
    "text": (lambda came: ("ab", *came[1:]), "the observation is 'ab'"),
    "a ragged list": (lambda came: ([1.0, [2.0]], *came[1:]), "holds numbers"),
    "an old four-tuple": (lambda came: (GOOD, 1.0, False, {}), "tuple of 4 came.*old gym"),
    "nothing": (lambda came: None, "None came; step"),
    "a reward in brackets": (
        lambda came: (GOOD, np.ones(1), *came[2:]),
        r"the reward is array\(\[1\.\]\); a reward is one number",
    ),
    "no reward": (lambda came: (GOOD, None, *came[2:]), "the reward is None"),
    "an endless reward": (
        lambda came: (GOOD, 10**400, *came[2:]),
        "the reward is an int beyond any float",
    ),
    "a complex reward": (lambda came: (GOOD, 1j, *came[2:]), "the reward is 1j"),
    "an end in brackets": (
        lambda came: (GOOD, 1.0, np.array([False]), False, {}),
        "terminated is array",
    ),
    "no end": (lambda came: (GOOD, 1.0, False, None, {}), "truncated is None"),
    "a duration as reward": (
        lambda came: (GOOD, np.timedelta64(1, "s"), False, False, {}),
        "the reward is",
    ),
    "no info": (lambda came: (GOOD, 1.0, False, False, None), "the info is None"),
    "an exception": (dies, "RuntimeError: the simulator died"),
}


def test_an_error_on_closing_costs_no_agent():
    class Stuck(Odd):
        def close(self):
            raise RuntimeError("the port is gone")

    with pytest.warns(maxent.MaxEntWarning, match=r"close: RuntimeError: the port is gone"):
        agent = maxent.train("sac", Stuck, steps=20, **SMALL)
    assert agent.steps == 20
    with pytest.warns(maxent.MaxEntWarning, match="the port is gone"):
        maxent.testing.check_environment(Stuck)


@pytest.mark.parametrize("name", ["observation_space", "action_space"])
def test_a_space_that_is_none_is_told(name):
    def made():
        env = Odd()
        setattr(env, name, None)
        return env

    with pytest.raises(ConfigError, match=rf"{name.replace('_', ' ')} None is a NoneType"):
        maxent.train("sac", made, steps=20, **SMALL)
    assert "is a NoneType" in str(maxent.testing.check_environment(made))


@pytest.mark.parametrize("case", STEPS)
def test_a_step_that_breaks_the_interface_is_told_and_the_last_checkpoint_kept(case, tmp_path):
    at_step, words = STEPS[case]
    run = tmp_path / "run"
    with pytest.raises(ConfigError, match=words) as caught:
        maxent.train("sac", lambda: Odd(at_step), steps=40, run=run, checkpoint_every=10, **SMALL)
    text = str(caught.value)
    assert text.startswith("environment Odd, step 23: ") and "\n" not in text
    assert text.endswith("its last checkpoint is step 20")
    assert maxent.load_agent(run, env=Odd).steps == 20
    with pytest.raises(ConfigError, match="environment Odd, step 23: "):  # counted on
        maxent.resume(run, env=lambda: Odd(lambda came: None))


RESETS = {
    "an observation alone": (lambda: GOOD, "reset: array.* came; reset"),
    "one that is too short": (lambda: (GOOD[:1], {}), r"reset: the observation has the shape"),
    "no info": (lambda: (GOOD, None), "reset: the info is None"),
    "an exception": (lambda: dies(None), "reset: RuntimeError: the simulator died"),
}


@pytest.mark.parametrize("case", RESETS)
def test_a_reset_that_breaks_the_interface_is_told(case):
    at_reset, words = RESETS[case]
    with pytest.raises(ConfigError, match=words):
        maxent.train("sac", Odd(at_reset=at_reset), steps=40, **SMALL)


def test_a_reset_without_seed_is_told():
    class Unseeded(Odd):
        def reset(self):
            return GOOD, {}

    with pytest.raises(ConfigError, match=r"unexpected keyword argument 'seed'; reset\(self, \*, "):
        maxent.train("sac", Unseeded(), steps=40, **SMALL)


def test_evaluations_and_diagnoses_tell_it_too():
    agent = maxent.train("sac", Odd, steps=20, **SMALL)
    for look in (agent.evaluate, lambda env: from_rollouts(agent, env)):
        with pytest.raises(ConfigError, match="environment Odd, step 23: the reward is None"):
            look(Odd(STEPS["no reward"][0]))


@pytest.mark.parametrize(
    ("space", "value", "words"),
    [
        (spaces.Discrete(3), 3, "is 3, which is not in its space Discrete"),
        (spaces.Discrete(3), -1, "is -1"),
        (spaces.Discrete(3), 1.0, "is 1.0"),
        (spaces.MultiBinary(2), np.array([0, 2], np.int8), "not in its space"),
        (spaces.Tuple([spaces.Discrete(2)] * 2), (1,), "has 2 parts"),
        (spaces.Dict(a=spaces.Discrete(2)), {"b": 1}, "has no 'a'"),
        (spaces.Dict(a=spaces.Box(0, 1, (2,))), {"a": np.zeros(3)}, r"\['a'\] has the shape \(3,"),
        (spaces.Dict(a=spaces.Discrete(2)), 1, "is a dictionary"),
        (spaces.Tuple([spaces.Box(0, 1, (2,))]), (np.zeros(1),), r"\[0\] has the shape"),
    ],
)
def test_what_does_not_fit_a_space_is_said_in_words(space, value, words):
    assert re.search(words, misfit(space, value))


@pytest.mark.parametrize(
    ("space", "value"),
    [
        (spaces.Box(-1.0, 1.0, (2,)), np.array([5.0, np.nan])),  # numbers are looked at elsewhere
        (spaces.Box(-1.0, 1.0, (2,)), [0, 1]),
        (spaces.Box(-1.0, 1.0, ()), 0.5),
        (spaces.Discrete(3, start=-1), np.int64(-1)),
        (spaces.Dict(a=spaces.Discrete(2)), {"a": 1, "more": 2}),
    ],
)
def test_what_fits_is_let_through(space, value):
    assert misfit(space, value) is None


@pytest.mark.parametrize("reward", [1, np.float32(1.0), np.array(1.0), True])
def test_a_reward_of_any_number_type_becomes_a_float(reward):
    env = Guarded(Odd(lambda came: (GOOD, reward, *came[2:])))
    env.reset(seed=0)
    assert {type(env.step(0)[1]) for _ in range(23)} == {float}


def test_a_vector_environment_is_held_against_its_spaces():
    def broken(vector_class=SyncVectorEnv):
        vector = vector_class([Odd, Odd])
        real = vector.step
        vector.step = lambda actions: (real(actions)[0], np.ones((2, 1)), *real(actions)[2:])
        return vector

    with pytest.raises(ConfigError, match=r"vector environment \w+, step 1: rewards are array"):
        maxent.train("sac", broken(), steps=40, **SMALL)


def test_the_command_line_ends_with_2_and_one_message(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    gymnasium.register(
        "Odd-v0", entry_point=lambda: Odd(STEPS["an exception"][0]), disable_env_checker=True
    )
    command = ["train", "sac", "--env", "Odd-v0", "--steps", "40", "--run", "run"]
    command += ["--checkpoint-every", "10", "--set", "learning_starts=10", "--set", "hidden=8"]
    assert main(command) == 2
    del gymnasium.registry["Odd-v0"]
    assert capsys.readouterr().err == (
        "maxent: error: environment Odd-v0, step 23: RuntimeError: the simulator died; run 'run': "
        "its last checkpoint is step 20\n"
    )


# spaces


def test_combinations_of_actions_are_refused_with_the_way_out():
    with pytest.raises(ConfigError, match=r"2 x 3 = 6 combinations as one Discrete\(6\)") as caught:
        maxent.train("sac", Odd(actions=spaces.MultiDiscrete([2, 3])), steps=20, **SMALL)
    code = str(caught.value).partition(": gymnasium")[2]
    names = {"env": Odd(actions=spaces.MultiDiscrete([2, 3])), "np": np, "gymnasium": gymnasium}
    names["Discrete"] = spaces.Discrete
    wrapped = eval(f"gymnasium{code}", names)
    assert maxent.train("sac", wrapped, steps=20, **SMALL).spaces.action_size == 6
    assert [wrapped.action(k).tolist() for k in (0, 5)] == [[0, 0], [1, 2]]
    with pytest.raises(ConfigError, match=r"2 x 2 x 2 = 8 combinations"):
        Spaces(spaces.Discrete(2), spaces.MultiBinary(3))


def test_clip_action_makes_a_box_with_some_sides_one_without():
    half = spaces.Box(np.array([0.0], np.float32), np.array([np.inf], np.float32))
    with pytest.raises(ConfigError, match="ClipAction"):
        maxent.train("sac", Odd(actions=half), steps=20, **SMALL)
    wrapped = gymnasium.wrappers.ClipAction(Odd(actions=half))
    assert maxent.train("sac", wrapped, steps=20, **SMALL).steps == 20


@pytest.mark.parametrize("where", [lambda box: box, lambda box: spaces.Dict(image=box)])
def test_bytes_as_observations_are_refused_with_a_wrapper(where):
    image = spaces.Box(0, 255, (2, 2, 3), np.uint8)
    with pytest.raises(ConfigError, match=r"TransformObservation.*Box\(0, 1, \(2, 2, 3\)"):
        require_no_bytes(where(image))


# settings


@pytest.mark.parametrize("m", [1, 3])
def test_a_target_entropy_that_no_squashed_policy_has_is_refused(m):
    box = spaces.Box(-1.0, 1.0, (m,))
    most = m * math.log(2.0)
    for target in (most, most + 0.1, 9.0):
        with pytest.raises(ConfigError, match=rf"target_entropy = .*{most:.4g}.*m log 2"):
            maxent.train("sac", Odd(actions=box), steps=20, target_entropy=target, **SMALL)
    maxent.train("sac", Odd(actions=box), steps=20, target_entropy=most - 0.01, **SMALL)


def test_a_box_without_sides_has_an_entropy_of_its_own():
    box = spaces.Box(-np.inf, np.inf, (2,))
    with pytest.raises(ConfigError, match=r"6\.838\) nats"):
        maxent.train("sac", Odd(actions=box), steps=20, target_entropy=6.9, **SMALL)
    maxent.train("sac", Odd(actions=box), steps=20, target_entropy=6.0, **SMALL)


@pytest.mark.parametrize("target", [0.0, math.log(2.0), -0.1, 1.0])
def test_the_interval_of_discrete_entropies_is_open(target):
    with pytest.raises(ConfigError, match=r"outside \(0, 0\.6931\)"):
        maxent.train("sac", Odd(), steps=20, target_entropy=target, **SMALL)


def test_the_tuned_temperature_never_becomes_0():
    agent = maxent.train(
        "sac", Odd(), steps=80, target_entropy=1e-9, temperature_rate=20.0, **SMALL
    )
    assert 0.0 < agent.temperature < 1e-37
    maxent.train("sac", Odd(), steps=20, temperature=agent.temperature, **SMALL)


def test_one_action_is_named_with_its_space():
    with pytest.raises(
        ConfigError, match=r"action space Discrete\(1\) has one action.*temperature="
    ):
        maxent.train("sac", Odd(actions=spaces.Discrete(1)), steps=20, **SMALL)
    for settings in ({"algorithm": "sac", "temperature": 0.1}, {"algorithm": "sql"}):
        one = Odd(actions=spaces.Discrete(1))
        assert maxent.train(env=one, steps=20, **settings, **SMALL).act(GOOD) == 0


@pytest.mark.parametrize(
    ("algorithm", "settings", "words"),
    [
        ("sac", {"temperature": "auto"}, "temperature = 'auto'; give a number above 0, or None"),
        ("sql", {"temperature": "auto_0.1"}, "temperature = 'auto_0.1'; give a number above 0$"),
        ("sac", {"target_entropy": "auto"}, "target_entropy = 'auto'; give None"),
    ],
)
def test_auto_is_none_here(algorithm, settings, words):
    with pytest.raises(ConfigError, match=words):
        maxent.train(algorithm, Odd(), steps=20, **settings, **SMALL)


def test_learning_that_would_never_start_is_warned_of():
    with pytest.warns(MaxEntWarning, match="learning_starts = 10 of 10 steps"):
        maxent.train("sac", Odd(), steps=10, **SMALL)


# the score of a checkpoint


def test_a_score_belongs_to_the_step_it_was_measured_at(tmp_path):
    run = tmp_path / "run"
    maxent.train("sac", Odd, steps=60, run=run, checkpoint_every=10, evaluate_every=20, **SMALL)
    scores = {step: read_manifest(run, step)["score"] for step in steps_in(run)}
    assert scores[50] is None and scores[60] == 7.0


def test_denormal_numbers_are_flushed_in_updates_alone(monkeypatch):
    def fails(*_):
        assert np.float64(5e-324) * 1.0 == 0.0
        raise RuntimeError("in an update")

    monkeypatch.setattr(sac_discrete, "update", fails)
    with pytest.raises(RuntimeError, match="in an update"):
        maxent.train("sac", Odd(), steps=20, **SMALL)
    assert np.float64(5e-324) * 1.0 == 5e-324


def test_a_space_that_changes_on_the_way_is_told():
    class Grows(Odd):
        def step(self, action):
            seen, *came = super().step(action)
            if self.total == 12:
                self.observation_space = spaces.Box(-1.0, 1.0, (3,))
                seen = np.zeros(3, dtype=np.float32)
            return seen, *came

    with pytest.raises(ConfigError, match=r"step 12: the observation has the shape \(3,\)"):
        maxent.train("sql", Grows, steps=20, **SMALL)


def test_an_agent_is_not_asked_about_what_is_no_number(tmp_path):
    agent = maxent.train("sql", Odd, steps=12, **SMALL)
    with pytest.raises(ConfigError, match=r"observation \[nan, 0.0\] has numbers that are NaN"):
        agent.act([math.nan, 0.0])
    with pytest.raises(ConfigError, match=r"environment Odd, step 23: .* beyond float32"):
        agent.evaluate(lambda: Odd(lambda came: (np.array([1e300, 0.0]), *came[1:])), episodes=5)


def test_a_box_without_a_side_has_no_actions():
    with pytest.raises(ConfigError, match="has no side, so nothing can be chosen"):
        maxent.train("sac_v1", lambda: Odd(actions=spaces.Box(-1.0, 1.0, (0,))), steps=12, **SMALL)


@contextlib.contextmanager
def in_float64():
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


OF_THE_CALLER = {
    "float64": in_float64,
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu"),
    "device": lambda: torch.device("meta"),
}


@pytest.mark.parametrize("algorithm", ["sac_discrete", "sac"])
def test_the_callers_settings_of_pytorch_change_nothing(algorithm):
    actions = None if algorithm == "sac_discrete" else spaces.Box(-1.0, 1.0, (1,))

    def trained():
        agent = maxent.train(algorithm, lambda: Odd(actions=actions), steps=15, **SMALL)
        return [np.asarray(agent.act(GOOD, seed=0)), agent.entropy(GOOD), agent.history[-1]["q"]]

    usual = trained()
    for name, context in OF_THE_CALLER.items():
        with context():
            found = trained()
            assert torch.get_default_dtype() == (
                torch.float64 if name == "float64" else torch.float32
            )
            assert torch.is_grad_enabled() == (name not in ("no_grad", "inference_mode"))
        assert found == usual, name


def test_an_environment_that_changes_pytorchs_settings_changes_nothing():
    def changes(came):
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
        return came

    agents = []
    for at_step in (None, changes):
        try:
            agents.append(maxent.train("sac", lambda at=at_step: Odd(at), steps=30, **SMALL))
        finally:
            torch.set_default_dtype(torch.float32)
            torch.set_grad_enabled(True)
    before, after = ([t for _, t in named_tensors(agent.state)] for agent in agents)
    assert all(map(torch.equal, before, after))


def test_settings_that_cannot_be_hashed_and_counts_beyond_memory_are_told():
    box = spaces.Box(-1.0, 1.0, (1,))
    for name in ("kernel", "policy", "proposal"):
        with pytest.raises(ConfigError, match=f"{name} = "):
            maxent.train("sql", lambda: Odd(actions=box), steps=12, **SMALL | {name: {"a": 1}})
    with pytest.raises(ConfigError, match="is a dict"):
        maxent.train({"a": 1}, Odd, steps=12, **SMALL)
    agent = maxent.train("sql", Odd, steps=12, **SMALL)
    with pytest.raises(maxent.MemoryBudgetError, match="evaluating 9223372036854775808 episodes"):
        agent.evaluate(Odd, episodes=2**63)
