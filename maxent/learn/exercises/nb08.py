"""Notebook 8: find the bug."""

from __future__ import annotations

import numpy as np

import maxent
from maxent.learn.exercise import Exercise, sheet
from maxent.learn.patients import HEALTHY, PATIENTS

NOTEBOOK = "08-find-the-bug"


def scaling_gap(solver, mdp, temperature):
    doubled = mdp.replace(reward=2 * mdp.reward)
    policy = np.exp(solver(mdp, temperature)[2])
    return np.abs(np.exp(solver(doubled, 2 * temperature)[2]) - policy).max()


def balance_gap(solver, mdp):
    gamma, step, goal = mdp.discount, -0.04, 1.0
    temperature = (goal / gamma - goal - step) / np.log(mdp.n_actions)
    v = solver(mdp, temperature)[1]
    return np.abs(v - goal / gamma)[~mdp.terminal].max()


def silent_patient():
    return "F"


def _too_hot(mdp, temperature):
    """Right up to temperature 0.4, and twice too hot above."""
    return HEALTHY(mdp, 2 * temperature if temperature > 0.4 else temperature)


def _scaled(seed):
    """In the last case one probability falls, and two others rise half as far."""
    mdp = maxent.garnet(4, 3, discount=0.8, branching=2, seed=seed)
    one_better = maxent.MDP(np.ones((1, 3, 1)), [[1.0, 0.0, 0.0]], discount=0.5)
    return [(HEALTHY, mdp, 0.3), (PATIENTS["F"], mdp, 0.3), (_too_hot, one_better, 0.3)]


def _balanced(seed):
    mdp = maxent.gridworld("S..\n.#.\n..G", slip=0.1, discount=0.9)
    return [(solver, mdp) for solver in (HEALTHY, PATIENTS["A"], PATIENTS["B"])]


def _scaled_by(reward, temperature, compare):
    """A scaling test with other factors, or of something else than the policies."""

    def wrong(solver, mdp, alpha):
        once = solver(mdp, alpha)
        again = solver(mdp.replace(reward=reward * mdp.reward), temperature * alpha)
        return compare(once, again)

    return wrong


def _policies(once, again):
    return np.abs(np.exp(again[2]) - np.exp(once[2])).max()


def _balanced_at(temperature, gap):
    def wrong(solver, mdp):
        v = solver(mdp, temperature(mdp))[1]
        return gap(v, mdp)

    return wrong


def _right_temperature(mdp):
    return (1 / mdp.discount - 1 + 0.04) / np.log(4)


def _right_gap(v, mdp):
    return np.abs(v - 1 / mdp.discount)[~mdp.terminal].max()


def judge_letter(letter):
    """Which patient is meant, and whether it is the silent one."""
    if not isinstance(letter, str):
        return "a letter is wanted, in quotes: one of A to F."
    letter = letter.strip().upper()
    if letter not in PATIENTS:
        return f"{letter!r} is none of the patients: A to F."
    return {"F": "", "B": "nearly silent"}.get(letter, "speaks at temperature 1")


EXERCISES, QUIZZES = sheet(
    __file__,
    Exercise(
        "8.1",
        scaling_gap,
        given=_scaled,
        tolerance=1e-7,
        wrong={
            "temperature not doubled": _scaled_by(2, 1, _policies),
            "reward not doubled": _scaled_by(1, 2, _policies),
            "values instead of policies": _scaled_by(
                2, 2, lambda once, again: np.abs(again[1] - once[1]).max()
            ),
            "logarithms instead of probabilities": _scaled_by(
                2, 2, lambda once, again: np.abs(again[2] - once[2]).max()
            ),
            "mean instead of largest": _scaled_by(
                2, 2, lambda once, again: np.abs(np.exp(again[2]) - np.exp(once[2])).mean()
            ),
            "no absolute value": _scaled_by(
                2, 2, lambda once, again: (np.exp(again[2]) - np.exp(once[2])).max()
            ),
            "sum instead of largest": _scaled_by(
                2, 2, lambda once, again: np.abs(np.exp(again[2]) - np.exp(once[2])).sum()
            ),
            "action values compared": _scaled_by(
                2, 2, lambda once, again: np.abs(again[0] - once[0]).max()
            ),
            "temperature halved": _scaled_by(2, 0.5, _policies),
        },
    ),
    Exercise(
        "8.2",
        balance_gap,
        given=_balanced,
        tolerance=1e-7,
        wrong={
            "terminal states included": _balanced_at(
                _right_temperature, lambda v, m: np.abs(v - 1 / m.discount).max()
            ),
            "g instead of g/gamma": _balanced_at(
                _right_temperature, lambda v, m: np.abs(v - 1.0)[~m.terminal].max()
            ),
            "step reward left out": _balanced_at(
                lambda m: (1 / m.discount - 1) / np.log(4), _right_gap
            ),
            "sign of the step reward": _balanced_at(
                lambda m: (1 / m.discount - 1.04) / np.log(4), _right_gap
            ),
            "bits instead of nats in alpha_c": _balanced_at(
                lambda m: (1 / m.discount - 0.96) / np.log2(4), _right_gap
            ),
            "terminal values zeroed first": _balanced_at(
                _right_temperature,
                lambda v, m: abs(np.where(m.terminal, 0.0, v).mean() - 1 / m.discount),
            ),
            "no absolute value": _balanced_at(
                _right_temperature, lambda v, m: (v - 1 / m.discount)[~m.terminal].max()
            ),
            "mean instead of largest": _balanced_at(
                _right_temperature, lambda v, m: np.abs(v - 1 / m.discount)[~m.terminal].mean()
            ),
            "not divided by log of the actions": _balanced_at(
                lambda m: 1 / m.discount - 1 + 0.04, _right_gap
            ),
            "log of the states": _balanced_at(
                lambda m: (1 / m.discount - 0.96) / np.log(m.n_states), _right_gap
            ),
            "gamma for 1/gamma": _balanced_at(
                lambda m: (m.discount - 0.96) / np.log(4), _right_gap
            ),
        },
    ),
    Exercise(
        "8.3",
        silent_patient,
        is_value=True,
        judge=judge_letter,
        wrong={"nearly silent": lambda: "B", "speaks at temperature 1": lambda: "C"},
    ),
)
