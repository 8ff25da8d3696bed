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


def _lost(powers_of, entropy_of, last):
    def wrong(v_start, rewards, logs, v_end, temperature, discount):
        powers = powers_of(discount, len(rewards))
        lived = powers[:-1] @ (rewards + entropy_of(temperature, logs)) + last * powers[-1] * v_end
        return v_start - lived

    return wrong


def _lived(rewards, logs, temperature, discount):
    """The soft return of a path, without what follows it."""
    return _powers(discount, len(rewards))[:-1] @ (rewards - temperature * logs)


def _powers(discount, length):
    return discount ** np.arange(length + 1)


EXERCISES, QUIZZES = sheet(
    __file__,
    Exercise(
        "15.1",
        made_reward,
        given=_steps,
        axes=("step",),
        wrong={
            "value after the end": lambda g, v, w, end, alpha, gamma: alpha * g + v - gamma * w,
            "alpha left out": lambda g, v, w, end, alpha, gamma: (
                g + v - gamma * np.where(end, 0.0, w)
            ),
            "gamma left out": lambda g, v, w, end, alpha, gamma: (
                alpha * g + v - np.where(end, 0.0, w)
            ),
            "sign of the entropy": lambda g, v, w, end, alpha, gamma: (
                -alpha * g + v - gamma * np.where(end, 0.0, w)
            ),
            "a bonus for shaping": lambda g, v, w, end, alpha, gamma: (
                alpha * g + gamma * np.where(end, 0.0, w) - v
            ),
            "no value": lambda g, v, w, end, alpha, gamma: alpha * g,
            "terminated upside down": lambda g, v, w, end, alpha, gamma: (
                alpha * g + v - gamma * np.where(end, w, 0.0)
            ),
            "temperature on everything": lambda g, v, w, end, alpha, gamma: (
                alpha * (g + v - gamma * np.where(end, 0.0, w))
            ),
            "sign of the next value": lambda g, v, w, end, alpha, gamma: (
                alpha * g + v + gamma * np.where(end, 0.0, w)
            ),
            "Q instead of the reward": lambda g, v, w, end, alpha, gamma: alpha * g + v,
            "both values at the end": lambda g, v, w, end, alpha, gamma: (
                alpha * g + np.where(end, 0.0, v - gamma * w)
            ),
        },
    ),
    Exercise(
        "15.2",
        loss_on_a_path,
        given=_paths,
        wrong={
            "the end of the path forgotten": _lost(_powers, lambda alpha, logs: -alpha * logs, 0.0),
            "entropy left out": _lost(_powers, lambda alpha, logs: 0.0 * logs, 1.0),
            "sign of the entropy": _lost(_powers, lambda alpha, logs: alpha * logs, 1.0),
            "not discounted": _lost(
                lambda gamma, n: np.ones(n + 1), lambda alpha, logs: -alpha * logs, 1.0
            ),
            "alpha left out": _lost(_powers, lambda alpha, logs: -logs, 1.0),
            "upside down": lambda *given: -loss_on_a_path(*given),
            "end not discounted": lambda v_start, rewards, logs, v_end, alpha, gamma: (
                v_start - _lived(rewards, logs, alpha, gamma) - v_end
            ),
            "end added": lambda v_start, rewards, logs, v_end, alpha, gamma: (
                v_start - _lived(rewards, logs, alpha, gamma) + gamma ** len(rewards) * v_end
            ),
            "soft return instead of a loss": lambda v_start, *rest: (
                v_start - loss_on_a_path(v_start, *rest)
            ),
            "a step too late": _lost(
                lambda gamma, n: gamma ** np.arange(1, n + 2),
                lambda alpha, logs: -alpha * logs,
                1.0,
            ),
            "entropy not discounted": lambda v_start, rewards, logs, v_end, alpha, gamma: (
                loss_on_a_path(v_start, rewards, 0 * logs, v_end, alpha, gamma) + alpha * logs.sum()
            ),
        },
    ),
    Exercise(
        "15.3",
        cautious_shift,
        given=_two_networks,
        wrong={
            "one step only": lambda a, b, gamma: -np.abs(a - b).mean() / 2,
            "the whole distance": lambda a, b, gamma: -np.abs(a - b).mean() / (1 - gamma),
            "differences that cancel": lambda a, b, gamma: -(a - b).mean() / 2 / (1 - gamma),
            "upwards": lambda a, b, gamma: np.abs(a - b).mean() / 2 / (1 - gamma),
            "the agent's own minimum left out": lambda a, b, gamma: (
                -gamma * np.abs(a - b).mean() / 2 / (1 - gamma)
            ),
            "deviation of the distance": lambda a, b, gamma: -(a - b).std() / 2 / (1 - gamma),
            "below the first": lambda a, b, gamma: (np.minimum(a, b) - a).mean() / (1 - gamma),
            "the largest distance": lambda a, b, gamma: -np.abs(a - b).max() / 2 / (1 - gamma),
            "root of the mean square": lambda a, b, gamma: (
                -np.sqrt(((a - b) ** 2).mean()) / 2 / (1 - gamma)
            ),
            "the smaller value itself": lambda a, b, gamma: np.minimum(a, b).mean(),
        },
    ),
)
