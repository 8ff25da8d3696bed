"""Notebook 8: find the bug."""

from __future__ import annotations

from typing import Any

import numpy as np

import maxent
from maxent.learn.exercise import Exercise, Mistake, Quiz
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


def _scaled(seed: int) -> list[tuple[Any, ...]]:
    mdp = maxent.garnet(4, 3, discount=0.8, branching=2, seed=seed)
    return [(HEALTHY, mdp, 0.3), (PATIENTS["F"], mdp, 0.3), (PATIENTS["F"], mdp, 0.1)]


def _balanced(seed: int) -> list[tuple[Any, ...]]:
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


EXERCISES = (
    Exercise(
        number="8.1",
        title="A test by scaling",
        answer="my_scaling_gap",
        reference=scaling_gap,
        given=_scaled,
        tolerance=1e-7,
        hint="solve twice, and compare the probabilities, not their logarithms.",
        minutes=10,
        mistakes=(
            Mistake(
                "temperature not doubled",
                _scaled_by(2, 1, _policies),
                "only the rewards were doubled; then the policy should change, even of a solver "
                "that is right.",
            ),
            Mistake(
                "reward not doubled",
                _scaled_by(1, 2, _policies),
                "only the temperature was doubled; then the policy should change, even of a solver "
                "that is right.",
            ),
            Mistake(
                "values instead of policies",
                _scaled_by(2, 2, lambda once, again: np.abs(again[1] - once[1]).max()),
                "the values were compared; they double. Compare the policies (or half the values).",
            ),
            Mistake(
                "logarithms instead of probabilities",
                _scaled_by(2, 2, lambda once, again: np.abs(again[2] - once[2]).max()),
                "these are differences of log-probabilities, the third result as it stands.",
            ),
            Mistake(
                "mean instead of largest",
                _scaled_by(
                    2, 2, lambda once, again: np.abs(np.exp(again[2]) - np.exp(once[2])).mean()
                ),
                "the mean difference is small where one state in a thousand is wrong; take the "
                "largest.",
            ),
        ),
    ),
    Exercise(
        number="8.2",
        title="A test by one exact answer",
        answer="my_balance_gap",
        reference=balance_gap,
        given=_balanced,
        tolerance=1e-7,
        hint="the critical temperature first; then |v - g/gamma| over the nonterminal states.",
        difficulty=2,
        minutes=10,
        mistakes=(
            Mistake(
                "terminal states included",
                _balanced_at(_right_temperature, lambda v, mdp: np.abs(v - 1 / mdp.discount).max()),
                "terminal states are worth 0, not g/gamma: with them a right solver fails.",
            ),
            Mistake(
                "g instead of g/gamma",
                _balanced_at(
                    _right_temperature, lambda v, mdp: np.abs(v - 1.0)[~mdp.terminal].max()
                ),
                "the value is compared with g; the goal's reward is paid on arrival, so each cell "
                "is worth g/gamma.",
            ),
            Mistake(
                "step reward left out",
                _balanced_at(lambda mdp: (1 / mdp.discount - 1) / np.log(4), _right_gap),
                "this temperature has no step reward c in it: subtract c = -0.04.",
            ),
            Mistake(
                "sign of the step reward",
                _balanced_at(lambda mdp: (1 / mdp.discount - 1.04) / np.log(4), _right_gap),
                "c is -0.04, so that -c adds 0.04 to the numerator.",
            ),
            Mistake(
                "bits instead of nats in alpha_c",
                _balanced_at(lambda mdp: (1 / mdp.discount - 0.96) / np.log2(4), _right_gap),
                "the temperature was computed with log2; entropy is in nats here.",
            ),
            Mistake(
                "terminal values zeroed first",
                _balanced_at(
                    _right_temperature,
                    lambda v, mdp: abs(np.where(mdp.terminal, 0.0, v).mean() - 1 / mdp.discount),
                ),
                "a mean over all states was compared; look at the worst nonterminal state.",
            ),
        ),
    ),
    Exercise(
        number="8.3",
        title="The patient that is silent at temperature 1",
        answer="my_patient",
        reference=silent_patient,
        is_value=True,
        judge=judge_letter,
        hint="solve one world at temperatures 1 and 0.5 with each patient, and compare with solve.",
        difficulty=2,
        mistakes=(
            Mistake(
                "nearly silent",
                lambda: "B",
                "its policy is nearly right at every temperature, but its values are not: at "
                "temperature 1 they are off by log 4 in the terminal state.",
            ),
            Mistake(
                "speaks at temperature 1",
                lambda: "C",
                "compare its values with those of maxent.solve at temperature 1: they are wrong.",
            ),
        ),
    ),
)

QUIZZES = (
    Quiz(
        number="8.a",
        question="Your solver's last sweep changed nothing by more than 1e-12. What follows?",
        choices={
            "a": "its values are right to about 1e-12",
            "b": "its values are right to about 1e-12 / (1 - gamma)",
            "c": "it has found a fixed point of the equations that it has in its code",
        },
        right="c",
        why={
            "a": "Not even if the equations are right: what is left is the sum of all later "
            "changes.",
            "b": "Only if the equations in the code are the soft Bellman equations; patients A, B, "
            "C, D and F pass this with the wrong ones.",
            "c": "A residual checks the iteration, not the operator. For the operator you need "
            "something from outside of the code.",
        },
    ),
)
