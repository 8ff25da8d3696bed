"""Environments in processes of their own: the same run as in turn, faults told, brought back."""

import json
import os
import signal

import gymnasium
import pytest
import torch

import maxent
from maxent.errors import ConfigError
from maxent.neural.parts.networks import named_tensors
from maxent.neural.training.parallel import parallel_environments

SMALL = {
    "hidden": (8,),
    "batch_size": 8,
    "learning_starts": 20,
    "seed": 4,
    "num_envs": 3,
    "updates_per_step": 0.3,
}
GRID = {"env_settings": {"map": "S..\n.#.\n..G", "discount": 0.9}}
CASES = {
    "continuous": ("sac", "Pendulum-v1", {}),
    "masked, ends often": ("sac", "maxent/Gridworld-v0", GRID),
}


def same(one, two):
    pairs = zip(named_tensors(one.state), named_tensors(two.state), strict=True)
    return all(torch.equal(a, b) for (_, a), (_, b) in pairs)


@pytest.mark.parametrize("case", CASES)
def test_in_processes_and_in_turn_are_one_run_and_resume_as_one(case, tmp_path):
    algorithm, env, settings = CASES[case]
    whole = maxent.train(algorithm, env, steps=120, log_every=60, **SMALL, **settings)
    cut = {"report": lambda row: False, "log_every": 60, "run": tmp_path / "run"}
    part = maxent.train(
        algorithm, env, steps=120, vectorization="async", **cut, **SMALL, **settings
    )
    assert part.steps == 60
    record = json.loads((tmp_path / "run/config.json").read_text())
    assert record["config"]["vectorization"] == "async"
    again = maxent.resume(tmp_path / "run")
    assert again.steps == 120 and same(whole, again)
    assert whole.history[-1].get("return") == again.history[-1].get("return")
    assert maxent.load_agent(tmp_path / "run").steps == 120


class Failing(gymnasium.Wrapper):
    """Raises at its fifth step, in the process that is told to."""

    def __init__(self, env):
        super().__init__(env)
        self.taken = 0

    def step(self, action):
        self.taken += 1
        if self.taken == 5:
            raise ValueError("the sensor is dead")
        return self.env.step(action)


def test_a_fault_in_a_process_is_told_as_in_turn():
    def made():
        return Failing(gymnasium.make("CartPole-v1"))

    told = []
    for vectorization in ("sync", "async"):
        with pytest.raises(ConfigError) as error:
            maxent.train("sql", made, steps=60, vectorization=vectorization, **SMALL)
        told.append(str(error.value))
    assert told[0] == told[1] and "step 5: ValueError: the sensor is dead" in told[0]


def test_a_process_that_is_killed_is_told():
    held, _ = parallel_environments("CartPole-v1", 2, 0)
    try:
        assert len(held) == 2 and held.observation.shape == (2, 4)
        os.kill(held._vector.processes[1].pid, signal.SIGKILL)
        held._vector.processes[1].join()
        with pytest.raises(ConfigError, match="the process of an environment ended by itself"):
            held.step(torch.zeros(2, dtype=torch.int64).numpy())
    finally:
        held.close()


def test_what_is_already_made_is_refused():
    env = gymnasium.make("CartPole-v1")
    with pytest.raises(ConfigError, match="give its id, or a function"):
        maxent.train("sql", env, steps=60, vectorization="async", hidden=(8,))
    with pytest.raises(ConfigError, match="vectorization = 'threads'; give"):
        maxent.train("sql", "CartPole-v1", steps=60, vectorization="threads")
