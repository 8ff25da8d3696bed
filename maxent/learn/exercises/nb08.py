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


def judge_letter(letter):
    """Which patient is meant, and whether it is the silent one."""
    if not isinstance(letter, str):
        return "a letter is wanted, in quotes: one of A to F."
    letter = letter.strip().upper()
    if letter not in PATIENTS:
        return f"{letter!r} is none of the patients: A to F."
    return {"F": "", "B": "nearly silent"}.get(letter, "speaks at temperature 1")


def wrong_scaling_gap(solver, mdp, alpha):
    def solved(reward, temperature):
        q, v, log_policy = solver(mdp.replace(reward=reward * mdp.reward), temperature * alpha)
        return q, v, log_policy, np.exp(log_policy)

    q, v, log_policy, policy = solved(1, 1)
    q2, v2, log_policy2, policy2 = solved(2, 2)
    return {
        "temperature not doubled": np.abs(solved(2, 1)[3] - policy).max(),
        "reward not doubled": np.abs(solved(1, 2)[3] - policy).max(),
        "values instead of policies": np.abs(v2 - v).max(),
        "logarithms instead of probabilities": np.abs(log_policy2 - log_policy).max(),
        "mean instead of largest": np.abs(policy2 - policy).mean(),
        "no absolute value": (policy2 - policy).max(),
        "sum instead of largest": np.abs(policy2 - policy).sum(),
        "action values compared": np.abs(q2 - q).max(),
        "temperature halved": np.abs(solved(2, 0.5)[3] - policy).max(),
    }


def wrong_balance_gap(solver, m):
    gamma, nats = m.discount, np.log(4)
    v = solver(m, (1 / gamma - 1 + 0.04) / nats)[1]

    def gap(temperature):
        return np.abs(solver(m, temperature)[1] - 1 / gamma)[~m.terminal].max()

    return {
        "terminal states included": np.abs(v - 1 / gamma).max(),
        "g instead of g/gamma": np.abs(v - 1.0)[~m.terminal].max(),
        "step reward left out": gap((1 / gamma - 1) / nats),
        "sign of the step reward": gap((1 / gamma - 1.04) / nats),
        "bits instead of nats in alpha_c": gap((1 / gamma - 0.96) / np.log2(4)),
        "terminal values zeroed first": abs(np.where(m.terminal, 0.0, v).mean() - 1 / gamma),
        "no absolute value": (v - 1 / gamma)[~m.terminal].max(),
        "mean instead of largest": np.abs(v - 1 / gamma)[~m.terminal].mean(),
        "not divided by log of the actions": gap(1 / gamma - 1 + 0.04),
        "log of the states": gap((1 / gamma - 0.96) / np.log(m.n_states)),
        "gamma for 1/gamma": gap((gamma - 0.96) / nats),
    }


def wrong_patients():
    return {"nearly silent": "B", "speaks at temperature 1": "C"}


EXERCISES, QUIZZES = sheet(
    __file__,
    Exercise("8.1", scaling_gap, given=_scaled, tolerance=1e-7, wrong=wrong_scaling_gap),
    Exercise("8.2", balance_gap, given=_balanced, tolerance=1e-7, wrong=wrong_balance_gap),
    Exercise("8.3", silent_patient, is_value=True, judge=judge_letter, wrong=wrong_patients),
)
