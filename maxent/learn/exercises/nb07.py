"""Notebook 7: many ways to do the task."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import numpy as np
from scipy.optimize import brentq

import maxent
from maxent.errors import MaxEntWarning
from maxent.learn.exercise import Exercise, Mistake, Quiz
from maxent.tabular.tradeoff.reaching import reaching_probability

NOTEBOOK = "07-many-ways"
MOST_CELLS = 40


def arrival(mdp, policy, steps):
    chain = np.einsum("sa,sat->st", policy, mdp.to_dense().transition)
    where, arrived = mdp.initial_distribution, 0.0
    for _ in range(steps):
        where = where @ chain
        arrived += where[mdp.terminal].sum()
        where = np.where(mdp.terminal, 0.0, where)
    return arrived


@cache
def temperature_for_one_in_ten():
    path = maxent.gridworld("blocked-path", discount=0.95)
    worlds = blocked(path)

    def above(temperature):
        return worst(path, maxent.solve(path, temperature).policy, worlds) - 0.1

    return brentq(above, 0.02, 0.05, xtol=1e-9)


def map_that_gains():
    return ".....\nS...G\n....."


def blocked(mdp):
    """The worlds with one floor cell turned into a wall, where the goal can still be reached."""
    text, worlds = "\n".join(mdp.grid.text), []
    for place in (k for k, character in enumerate(text) if character == "."):
        with warnings.catch_warnings():
            warnings.simplefilter("error", MaxEntWarning)
            try:
                wall = text[:place] + "#" + text[place + 1 :]
                worlds.append(maxent.gridworld(wall, discount=mdp.discount))
            except MaxEntWarning:
                pass
    return worlds


def worst(mdp, policy, worlds):
    """The least chance, over `worlds`, that the frozen policy arrives within 100 steps."""
    arrivals = []
    for world in worlds:
        moved = policy[[mdp.grid.state_at(*cell) for cell in world.grid.cells.tolist()]]
        arrivals.append(world.initial_distribution @ reaching_probability(world, moved, 100))
    return float(min(arrivals))


def _walks(seed: int) -> list[tuple[Any, ...]]:
    """Two worlds that slip, with random policies; the walk is cut before it has surely arrived."""
    rng = np.random.default_rng(seed)
    cases = []
    for text, steps in (("S..\n.#.\n..G", 12), ("S.G\n..#", 7)):
        mdp = maxent.gridworld(text, slip=0.2, discount=0.9)
        cases.append((mdp, rng.dirichlet(np.ones(4), mdp.n_states), steps))
    return cases


def _carried(gather, keep=False, extra=0):
    """A walk as in `arrival`, with another way to count, or goals that keep what enters."""

    def wrong(mdp, policy, steps):
        transition = np.array(mdp.to_dense().transition)
        transition[mdp.terminal] = 0.0
        if keep:
            transition[mdp.terminal, :, mdp.terminal] = 1.0
        chain = np.einsum("sa,sat->st", policy, transition)
        where, found = mdp.initial_distribution, []
        for _ in range(steps + extra):
            where = where @ chain
            found.append(where[mdp.terminal].sum())
        return gather(np.array(found), mdp.discount)

    return wrong


def judge_map(text):
    """Whether the limit is lost and temperature .04 saves it."""
    if not isinstance(text, str):
        return "a text is wanted: the rows of a map, with line breaks between them."
    lines = [line.strip() for line in text.strip().splitlines()]
    cells = sum(map(len, lines))
    if cells > MOST_CELLS:
        return f"the map has {cells} cells; at most {MOST_CELLS} are wanted."
    text = "\n".join(lines)
    if text.count("S") != 1 or text.count("G") != 1 or set(text) - set("SG#.\n"):
        return "one S, one G, and otherwise only # and . are wanted."
    with warnings.catch_warnings():
        warnings.simplefilter("error", MaxEntWarning)
        try:
            mdp = maxent.gridworld(text, discount=0.95)
        except MaxEntWarning as warning:
            return f"{warning}."
    worlds = blocked(mdp)
    if not worlds:
        return "one way only"
    limit = worst(mdp, maxent.tradeoff(mdp, [0.0]).policy(0.0), worlds)
    soft = worst(mdp, maxent.solve(mdp, 0.04).policy, worlds)
    if limit < 0.1 and soft > 0.9:
        return ""
    if abs(soft - limit) < 0.02:
        return "as good as the limit"
    if limit >= 0.1:
        return "the limit copes"
    return f"the limit arrives with {limit:.3f}, temperature 0.04 only with {soft:.3f}."


EXERCISES = (
    Exercise(
        number="7.1",
        title="The probability of arriving within so many steps",
        answer="my_arrival",
        reference=arrival,
        given=_walks,
        hint="what has arrived must not go on walking, and must not be counted again.",
        minutes=10,
        mistakes=(
            Mistake(
                "only the last step",
                _carried(lambda found, discount: found[-1]),
                "this is the chance of arriving in the last of the steps; add up all of them.",
            ),
            Mistake(
                "arrivals counted again",
                _carried(lambda found, discount: found.sum(), keep=True),
                "who is in the goal stays there and is counted again in every step: set what is in "
                "a goal to 0 once it has been added.",
            ),
            Mistake(
                "discounted",
                _carried(
                    lambda found, discount: (discount ** np.arange(1, len(found) + 1) * found).sum()
                ),
                "these are discounted arrivals, as the occupancy has them; a probability has no "
                "discount.",
            ),
            Mistake(
                "one step short",
                _carried(lambda found, discount: found.sum(), extra=-1),
                "one step is missing: range(steps) has as many as are wanted.",
            ),
            Mistake(
                "one step too many",
                _carried(lambda found, discount: found.sum(), extra=1),
                "this is one step more than asked for.",
            ),
            Mistake(
                "without a limit of steps",
                lambda mdp, policy, steps: (
                    mdp.initial_distribution @ reaching_probability(mdp, policy)
                ),
                "this is the chance of ever arriving.",
            ),
            Mistake(
                "from every state",
                lambda mdp, policy, steps: reaching_probability(mdp, policy, steps),
                "this is one number for each state to start from; weight them with "
                "mdp.initial_distribution.",
            ),
        ),
    ),
    Exercise(
        number="7.2",
        title="The temperature that a second way costs",
        answer="my_temperature",
        reference=temperature_for_one_in_ten,
        is_value=True,
        tolerance=6e-5,
        hint="the worst chance rises with the temperature between 0.02 and 0.05; is it the worst "
        "over all blocked cells, within 100 steps?",
        difficulty=2,
        minutes=15,
        mistakes=(
            Mistake(
                "read off a grid",
                lambda: 0.04,
                "this is the first temperature of the figure above the line; the crossing lies "
                "between two of them.",
            ),
            Mistake(
                "the chance instead of the temperature",
                lambda: 0.1,
                "this is the level; the temperature at which it is reached is wanted.",
            ),
            Mistake(
                "the return instead of the temperature",
                lambda: maxent.policy_return(
                    path := maxent.gridworld("blocked-path", discount=0.95),
                    maxent.solve(path, temperature_for_one_in_ten()).policy,
                ),
                "this is what the agent earns there; its temperature is wanted.",
            ),
        ),
    ),
    Exercise(
        number="7.3",
        title="A map on which temperature helps most",
        answer="my_map",
        reference=map_that_gains,
        is_value=True,
        judge=judge_map,
        difficulty=3,
        minutes=15,
        mistakes=(
            Mistake(
                "one way only",
                lambda: "S...G",
                "no cell can be blocked here without cutting the goal off: every way to the goal "
                "passes through every cell.",
            ),
            Mistake(
                "as good as the limit",
                lambda: "...\n.#.\nS#G\n.#.\n...",
                "temperature gains nothing here: the agent can choose its way only once.",
            ),
            Mistake(
                "the limit copes",
                lambda: "S..\n...\n..G",
                "the limit arrives too often already: it has several best actions in many cells. "
                "Take them away, so that the one best way can be blocked.",
            ),
        ),
    ),
)

QUIZZES = (
    Quiz(
        number="7.a",
        question="The soft policy of the ring takes each way half of the time, and yet it arrives "
        "only half of the time when one is closed. Why does its entropy not help?",
        choices={
            "a": "its temperature is too small: hotter, it would turn round",
            "b": "its entropy is spent at the fork; inside a corridor going back is so much worse "
            "than going on that it hardly ever does",
            "c": "100 steps are too few",
        },
        right="b",
        why={
            "a": "At 0.05 it arrives with .512. Hotter agents do turn round, but as often away "
            "from the goal as towards it: at 0.06 it is .299.",
            "b": "A policy is a rule for each cell. It does not remember that it has bumped into "
            "something, and each cell was solved for the open ring.",
            "c": "Each way takes twelve. At 0.03 it is one half within 500 steps too: nothing "
            "makes the agent turn.",
        },
    ),
)
