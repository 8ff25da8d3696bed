"""`check_environment` finds what is wrong, and nothing where nothing is."""

import itertools

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

import maxent
from maxent.errors import ConfigError
from maxent.testing import check_environment

UNSEEDED = itertools.count()
"""What no seed fixes."""


class Walk(gymnasium.Env):
    """Right in everything; `wrong` says what is not."""

    def __init__(self, wrong=None):
        self.wrong = wrong
        self.observation_space = spaces.Box(-100.0, 100.0, (2,), np.float32)
        self.action_space = spaces.Discrete(3)
        if wrong == "actions":
            self.action_space = spaces.MultiDiscrete([2, 2])
        if wrong == "bytes":
            self.observation_space = spaces.Box(0, 255, (2,), np.uint8)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        return self._seen(), self._info("mask at reset alone")

    def step(self, action):
        self.steps += 1
        noise = next(UNSEEDED) if self.wrong == "noise" else self.np_random.random()
        reward = {"reward": np.ones(1), "nan": np.nan}.get(self.wrong, float(noise))
        over = self.steps == 30 and self.wrong != "endless"
        return self._seen(), reward, over, False, self._info("mask")

    def _info(self, which):
        if not str(self.wrong).startswith("mask"):
            return {}
        told = which in ("mask at reset alone", self.wrong) or self.wrong == "mask of twos"
        mask = np.array([1, 0, 2 if self.wrong == "mask of twos" else 1], dtype=np.int8)
        return {"action_mask": mask} if told else {}

    def _seen(self):
        place = np.full(2, self.steps % 90, dtype=self.observation_space.dtype)
        return place[:1] if self.wrong == "shape" else place * (1000 if self.wrong == "far" else 1)


FAULTS = {
    "actions": "2 x 2 = 4 combinations",
    "bytes": "TransformObservation",
    "noise": "two episodes with the same seed",
    "reward": "the reward is array",
    "nan": "the reward is NaN",
    "shape": r"the observation has the shape \(1,\)",
    "mask at reset alone": "give it with both",
    "mask of twos": r"step 0: info\['action_mask'\] is \[1, 0, 2\]; give 1",
}


@pytest.mark.parametrize("wrong", FAULTS)
def test_each_fault_is_said_in_words(wrong):
    report = check_environment(Walk(wrong))
    assert not report.passed
    with pytest.raises(ConfigError, match=FAULTS[wrong]):
        report.raise_if_failed()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [("endless", "no episode ended"), ("far", "outside of their space")],
)
def test_what_works_and_is_not_meant_is_advice(wrong, words):
    assert any(words in each for each in check_environment(lambda: Walk(wrong)).advice)


@pytest.mark.parametrize(
    "env",
    [
        "CartPole-v1",
        "Pendulum-v1",
        Walk,
        lambda: Walk("mask"),
        lambda: maxent.MDPEnv(maxent.gridworld("S.G", discount=0.9)),
    ],
)
def test_what_is_right_passes(env):
    report = check_environment(env)
    assert report.passed, str(report)
    report.raise_if_failed()


def test_what_passes_can_be_trained_on():
    pytest.importorskip("torch")
    maxent.train("sac", lambda: Walk("mask"), steps=30, hidden=(4,), learning_starts=10)
