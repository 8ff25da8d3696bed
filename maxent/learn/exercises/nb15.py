"""Notebook 15: which agents solve it?"""

from __future__ import annotations

import numpy as np

from maxent.learn.exercise import Exercise, sheet

NOTEBOOK = "15-which-agents"


def made_reward(log_density, v, next_v, terminated, temperature, discount):
    following = np.where(terminated, 0.0, next_v)
    return temperature * log_density + v - discount * following


def cautious_shift(first, second, discount):
    below_the_mean = np.abs(first - second).mean() / 2
    return -below_the_mean / (1.0 - discount)


def loss_on_a_path(v_start, rewards, log_densities, v_end, temperature, discount):
    powers = discount ** np.arange(len(rewards) + 1)
    soft_return = powers[:-1] @ (rewards - temperature * log_densities) + powers[-1] * v_end
    return v_start - soft_return


def _steps(seed):
    """Steps of which the first and the last terminate, with a V after them all the same."""
    rng = np.random.default_rng(seed)
    for temperature, discount in ((0.2, 0.95), (1.3, 0.8)):
        log_density, v, next_v = rng.normal(size=(3, 5)) + np.array([[-1.0], [2.0], [3.0]])
        ends = np.array([True, False, False, False, True])
        yield log_density, v, next_v, ends, temperature, discount


def _two_networks(seed):
    """Two estimates of one Q that differ both ways."""
    rng = np.random.default_rng(seed)
    for spread, discount in ((0.05, 0.95), (0.7, 0.8)):
        truth = rng.normal(2.0, 1.0, 40)
        first, second = truth + spread * rng.normal(size=(2, 40))
        yield first, second, discount


def _paths(seed):
    rng = np.random.default_rng(seed)
    for length, temperature, discount in ((6, 0.2, 0.9), (3, 1.7, 0.7)):
        rewards, logs = rng.normal(size=(2, length))
        yield 2.5, rewards, logs - 1.0, 1.5 + seed, temperature, discount


def wrong_made_reward(g, v, w, end, alpha, gamma):
    after = np.where(end, 0.0, w)
    return {
        "value after the end": alpha * g + v - gamma * w,
        "alpha left out": g + v - gamma * after,
        "gamma left out": alpha * g + v - after,
        "sign of the entropy": -alpha * g + v - gamma * after,
        "a bonus for shaping": alpha * g + gamma * after - v,
        "no value": alpha * g,
        "terminated upside down": alpha * g + v - gamma * np.where(end, w, 0.0),
        "temperature on everything": alpha * (g + v - gamma * after),
        "sign of the next value": alpha * g + v + gamma * after,
        "Q instead of the reward": alpha * g + v,
        "both values at the end": alpha * g + np.where(end, 0.0, v - gamma * w),
    }


def wrong_loss_on_a_path(v_start, rewards, logs, v_end, alpha, gamma):
    steps = np.arange(len(rewards) + 1)

    def lost(nats, powers=gamma**steps, last=1.0):
        return v_start - (powers[:-1] @ (rewards + nats) + last * powers[-1] * v_end)

    right = loss_on_a_path(v_start, rewards, logs, v_end, alpha, gamma)
    return {
        "the end of the path forgotten": lost(-alpha * logs, last=0.0),
        "entropy left out": lost(0.0 * logs),
        "sign of the entropy": lost(alpha * logs),
        "not discounted": lost(-alpha * logs, np.ones(len(steps))),
        "alpha left out": lost(-logs),
        "upside down": -right,
        "end not discounted": lost(-alpha * logs, last=0.0) - v_end,
        "end added": lost(-alpha * logs, last=0.0) + gamma ** len(rewards) * v_end,
        "soft return instead of a loss": v_start - right,
        "a step too late": lost(-alpha * logs, gamma ** (steps + 1)),
        "entropy not discounted": lost(0.0 * logs) + alpha * logs.sum(),
    }


def wrong_cautious_shift(a, b, gamma):
    distance, rest = np.abs(a - b), 1 - gamma
    return {
        "one step only": -distance.mean() / 2,
        "the whole distance": -distance.mean() / rest,
        "differences that cancel": -(a - b).mean() / 2 / rest,
        "upwards": distance.mean() / 2 / rest,
        "the agent's own minimum left out": -gamma * distance.mean() / 2 / rest,
        "deviation of the distance": -(a - b).std() / 2 / rest,
        "below the first": (np.minimum(a, b) - a).mean() / rest,
        "the largest distance": -distance.max() / 2 / rest,
        "root of the mean square": -np.sqrt(((a - b) ** 2).mean()) / 2 / rest,
        "the smaller value itself": np.minimum(a, b).mean(),
    }


EXERCISES, QUIZZES = sheet(
    __file__,
    Exercise("15.1", made_reward, given=_steps, axes=("step",), wrong=wrong_made_reward),
    Exercise("15.2", loss_on_a_path, given=_paths, wrong=wrong_loss_on_a_path),
    Exercise("15.3", cautious_shift, given=_two_networks, wrong=wrong_cautious_shift),
)
