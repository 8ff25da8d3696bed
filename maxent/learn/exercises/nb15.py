"""Notebook 15: which agents solve it?"""

from __future__ import annotations

from typing import Any

import numpy as np

from maxent.learn.exercise import Exercise, Mistake, Quiz

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


def _steps(seed: int) -> list[tuple[Any, ...]]:
    """Steps of which the first and the last terminate, with a V after them all the same."""
    rng = np.random.default_rng(seed)
    cases = []
    for temperature, discount in ((0.2, 0.95), (1.3, 0.8)):
        log_density, v, next_v = rng.normal(size=(3, 5)) + np.array([[-1.0], [2.0], [3.0]])
        ends = np.array([True, False, False, False, True])
        cases.append((log_density, v, next_v, ends, temperature, discount))
    return cases


def _two_networks(seed: int) -> list[tuple[Any, ...]]:
    """Two estimates of one Q that differ both ways."""
    rng = np.random.default_rng(seed)
    cases = []
    for spread, discount in ((0.05, 0.95), (0.7, 0.8)):
        truth = rng.normal(2.0, 1.0, 40)
        first, second = truth + spread * rng.normal(size=(2, 40))
        cases.append((first, second, discount))
    return cases


def _paths(seed: int) -> list[tuple[Any, ...]]:
    rng = np.random.default_rng(seed)
    cases = []
    for length, temperature, discount in ((6, 0.2, 0.9), (3, 1.7, 0.7)):
        rewards, logs = rng.normal(size=(2, length))
        cases.append((2.5, rewards, logs - 1.0, 1.5 + seed, temperature, discount))
    return cases


def _lost(powers_of, entropy_of, last):
    def wrong(v_start, rewards, logs, v_end, temperature, discount):
        powers = powers_of(discount, len(rewards))
        lived = powers[:-1] @ (rewards + entropy_of(temperature, logs)) + last * powers[-1] * v_end
        return v_start - lived

    return wrong


def _powers(discount, length):
    return discount ** np.arange(length + 1)


EXERCISES = (
    Exercise(
        number="15.1",
        title="Rewards that make a chosen solution the right one",
        answer="my_reward",
        reference=made_reward,
        given=_steps,
        axes=("step",),
        hint="alpha log pi(a|s) + V(s) - gamma V(s'), and V(s') is 0 after a termination.",
        minutes=10,
        mistakes=(
            Mistake(
                "value after the end",
                lambda g, v, w, end, alpha, gamma: alpha * g + v - gamma * w,
                "some of these steps terminate: nothing follows them, and what follows is worth 0.",
            ),
            Mistake(
                "alpha left out",
                lambda g, v, w, end, alpha, gamma: g + v - gamma * np.where(end, 0.0, w),
                "a nat is worth alpha units of reward.",
            ),
            Mistake(
                "gamma left out",
                lambda g, v, w, end, alpha, gamma: alpha * g + v - np.where(end, 0.0, w),
                "the next value is a step away: it is discounted.",
            ),
            Mistake(
                "sign of the entropy",
                lambda g, v, w, end, alpha, gamma: -alpha * g + v - gamma * np.where(end, 0.0, w),
                "an action that the policy likes is to be paid *more*: plus alpha log pi.",
            ),
            Mistake(
                "a bonus for shaping",
                lambda g, v, w, end, alpha, gamma: alpha * g + gamma * np.where(end, 0.0, w) - v,
                "that is the sign of shaping. Here V is what shall come out: solve "
                "Q = r + gamma V(s') for r, with Q = alpha log pi + V.",
            ),
            Mistake(
                "no value",
                lambda g, v, w, end, alpha, gamma: alpha * g,
                "with these rewards the policy is right and the value is 0; the chosen V is "
                "missing.",
            ),
        ),
    ),
    Exercise(
        number="15.2",
        title="The loss of a policy from one path",
        answer="my_loss",
        reference=loss_on_a_path,
        given=_paths,
        hint="V(s_0) less the discounted sum of r - alpha log p, less gamma^T V(s_T).",
        difficulty=2,
        minutes=10,
        mistakes=(
            Mistake(
                "the end of the path forgotten",
                _lost(_powers, lambda alpha, logs: -alpha * logs, 0.0),
                "the path was cut, it did not end: what follows is worth V(s_T), discounted.",
            ),
            Mistake(
                "entropy left out",
                _lost(_powers, lambda alpha, logs: 0.0 * logs, 1.0),
                "this is a return, not a *soft* return: each step earns -alpha log p as well.",
            ),
            Mistake(
                "sign of the entropy",
                _lost(_powers, lambda alpha, logs: alpha * logs, 1.0),
                "an unlikely action brings entropy: -alpha log p is a gain.",
            ),
            Mistake(
                "not discounted",
                _lost(lambda gamma, n: np.ones(n + 1), lambda alpha, logs: -alpha * logs, 1.0),
                "a reward after t steps counts gamma^t.",
            ),
            Mistake(
                "alpha left out",
                _lost(_powers, lambda alpha, logs: -logs, 1.0),
                "a nat is worth alpha units of reward.",
            ),
            Mistake(
                "upside down",
                lambda *given: -loss_on_a_path(*given),
                "the sign: a loss is what is missing to V(s_0).",
            ),
        ),
    ),
    Exercise(
        number="15.3",
        title="What the smaller of two Q's costs",
        answer="my_shift",
        reference=cautious_shift,
        given=_two_networks,
        hint="the smaller number is below the mean of the two by half their distance; each target "
        "is lower by that, and so is every target that is made of it.",
        difficulty=2,
        minutes=12,
        mistakes=(
            Mistake(
                "one step only",
                lambda a, b, gamma: -np.abs(a - b).mean() / 2,
                "that is what one target loses. The next target is made of this one, discounted: "
                "add them all up.",
            ),
            Mistake(
                "the whole distance",
                lambda a, b, gamma: -np.abs(a - b).mean() / (1 - gamma),
                "the smaller is below the *mean* of the two by half of their distance.",
            ),
            Mistake(
                "differences that cancel",
                lambda a, b, gamma: -(a - b).mean() / 2 / (1 - gamma),
                "sometimes the first is smaller, sometimes the second: take the distance before "
                "the mean.",
            ),
            Mistake(
                "upwards",
                lambda a, b, gamma: np.abs(a - b).mean() / 2 / (1 - gamma),
                "the sign: the smaller one makes values too low.",
            ),
            Mistake(
                "the agent's own minimum left out",
                lambda a, b, gamma: -gamma * np.abs(a - b).mean() / 2 / (1 - gamma),
                "that is the shift of the mean of the two Q's; what the agent says is the smaller "
                "one, which is lower once more.",
            ),
            Mistake(
                "deviation of the distance",
                lambda a, b, gamma: -(a - b).std() / 2 / (1 - gamma),
                "close, but not a mean: for Gaussian errors the mean distance is .8 of the "
                "deviation.",
            ),
        ),
    ),
)

QUIZZES = (
    Quiz(
        number="15.a",
        question="An agent's value is too low by half of what V varies by, in every state alike. "
        "What is wrong with its policy?",
        choices={
            "a": "nothing, by this alone: a shift cancels in exp(Q/alpha) / Z",
            "b": "it is too careful: it avoids states that it thinks bad",
            "c": "it is too random, as all actions look bad",
        },
        right="a",
        why={
            "a": "A policy sees differences of Q. Who compares values across agents, plans with "
            "them, or bootstraps where episodes end, is misled all the same.",
            "b": "All states look worse by the same, so that none looks worse than another.",
            "c": "All actions look worse by the same: the Boltzmann policy is what it was.",
        },
    ),
)
