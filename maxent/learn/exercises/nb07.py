"""Notebook 7: many ways to do the task."""

from __future__ import annotations

import warnings
from functools import cache

import numpy as np
from scipy.optimize import brentq

import maxent
from maxent.errors import MaxEntWarning
from maxent.learn.exercise import Exercise, sheet
from maxent.tabular.tradeoff.reaching import reaching_probability

NOTEBOOK = "07-many-ways"
MOST_CELLS = 40


def arrival(mdp, policy, steps):
    chain = np.einsum("sa,sat->st", policy, mdp.to_dense().transition)
    where, arrived = mdp.initial_distribution, 0.0
    for _ in range(steps):
        where = where @ chain
        arrived += where[mdp.terminal].sum()
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


def _walks(seed):
    """Two worlds that slip, with random policies; the walk is cut before it has surely arrived."""
    rng = np.random.default_rng(seed)
    for text, steps in (("S..\n.#.\n..G", 12), ("S.G\n..#", 7)):
        mdp = maxent.gridworld(text, slip=0.2, discount=0.9)
        yield mdp, rng.dirichlet(np.ones(4), mdp.n_states), steps


def judge_map(text):
    """Whether the limit is lost and temperature .04 saves it."""
    if not isinstance(text, str) or text.startswith("<"):  # "<list>": what is no text
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


def wrong_arrival(m, pi, steps):
    arrives = _arrivals(m, pi, steps + 1)
    return {
        "only the last step": arrives[steps - 1],
        "arrivals counted again": np.cumsum(arrives[:steps]).sum(),
        "discounted": (m.discount ** np.arange(1, steps + 1) * arrives[:steps]).sum(),
        "one step short": arrives[: steps - 1].sum(),
        "one step too many": arrives.sum(),
        "without a limit of steps": m.initial_distribution @ reaching_probability(m, pi),
        "from every state": reaching_probability(m, pi, steps),
        "discounted, without a limit": maxent.occupancy(m, pi)[m.terminal].sum(),
    }


def _arrivals(mdp, policy, steps):
    """The chance to arrive at each step, after which a walk is at its end."""
    chain = np.einsum("sa,sat->st", policy, mdp.to_dense().transition)
    chain[mdp.terminal] = 0.0
    where, found = mdp.initial_distribution, []
    for _ in range(steps):
        where = where @ chain
        found.append(where[mdp.terminal].sum())
    return np.array(found)


def wrong_temperature_for_one_in_ten():
    path = maxent.gridworld("blocked-path", discount=0.95)
    policy = maxent.solve(path, temperature_for_one_in_ten()).policy
    return {
        "read off a grid": 0.04,
        "the chance instead of the temperature": 0.1,
        "the return instead of the temperature": maxent.policy_return(path, policy),
    }


def wrong_maps():
    return {
        "one way only": "S...G",
        "as good as the limit": "...\n.#.\nS#G\n.#.\n...",
        "the limit copes": "S..\n...\n..G",
    }


EXERCISES, QUIZZES = sheet(
    __file__,
    Exercise("7.1", arrival, given=_walks, wrong=wrong_arrival),
    Exercise(
        "7.2",
        temperature_for_one_in_ten,
        is_value=True,
        tolerance=6e-5,
        wrong=wrong_temperature_for_one_in_ten,
    ),
    Exercise("7.3", map_that_gains, is_value=True, judge=judge_map, wrong=wrong_maps),
)
