"""What the statements assume beyond the model itself, each in words and as a test.

A test is asked of an `Instance`, whether or not the other hypotheses are met: none may raise.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from maxent.tabular.bounds import longest_row
from maxent.theorems.inputs import FEW

if TYPE_CHECKING:
    from maxent.theorems.instance import Instance

FACTORISED = 2_000
"""States up to which the functions that factorise a full system are called."""

CONVEX_PAIRS = 400
"""State-action pairs up to which the convex program is solved."""


@dataclass(frozen=True)
class Hypothesis:
    """Something a statement assumes, in words and as a test of the instance at hand.

    refused_by : the function that raises an error where it is missing, as a dotted name; "" where
        nothing does.
    """

    words: str
    is_met: Callable[[Any], bool]
    refused_by: str = ""


def at_most_states(limit: int) -> Hypothesis:
    """A size limit, as a hypothesis."""
    return Hypothesis(
        f"at most {limit:,} states", lambda instance: instance.problem.n_states <= limit
    )


def at_most_pairs(limit: int) -> Hypothesis:
    """A size limit on state-action pairs, as a hypothesis."""
    return Hypothesis(
        f"at most {limit:,} state-action pairs",
        lambda instance: instance.problem.support.size <= limit,
    )


def _same_actions_everywhere(instance: Instance) -> bool:
    return bool(instance.problem.support[instance.problem.nonterminal].all())


def _rows_sum_to_one(instance: Instance) -> bool:
    sums = np.asarray(instance.mdp.transition_rows.sum(axis=1)).reshape(
        instance.problem.support.shape
    )
    slop = 4.0 * np.finfo(np.float64).eps * (longest_row(instance.mdp.transition_rows) + 2)
    return bool(np.abs(sums[instance.problem.support] - 1.0).max(initial=0.0) <= slop)


def _quotients_are_finite(instance: Instance) -> bool:
    if instance.temperature == 0.0 or instance.beta >= 1.0:
        return instance.temperature == 0.0
    values = instance.problem.scale() / (1.0 - instance.beta)
    return 1e6 * values <= 1e290 * instance.temperature


FINITE = Hypothesis(
    "finitely many states and actions, bounded rewards",
    lambda instance: True,
    "maxent.mdp.validation.require_reward",
)
CONTRACTING = Hypothesis(
    "discount < 1", lambda instance: instance.beta < 1.0, "maxent.mdp.model.require_discounted"
)
SOME_NONTERMINAL = Hypothesis(
    "some state is not terminal", lambda instance: bool(instance.problem.nonterminal.any())
)
POSITIVE = Hypothesis("temperature > 0", lambda instance: instance.temperature > 0.0)
NO_PRIOR = Hypothesis("entropy, not a prior", lambda instance: instance.log_prior is None)
NO_TERMINAL = Hypothesis(
    "no terminal state", lambda instance: bool(instance.problem.nonterminal.all())
)
ALL_ACTIONS = Hypothesis("every action available in every state", _same_actions_everywhere)
EXACT_ROWS = Hypothesis("transition rows that sum to 1 within rounding", _rows_sum_to_one)
REPRESENTABLE = Hypothesis("values / temperature below 1e284", _quotients_are_finite)
"""Otherwise alpha log pi overflows on its way."""
SOMETHING = Hypothesis(
    "some reward or entropy that is not 0", lambda instance: instance.problem.scale() > 0.0
)
CLARABEL = Hypothesis(
    "the convex solver clarabel (pip install clarabel)",
    lambda instance: importlib.util.find_spec("clarabel") is not None,
)
FACTORISABLE = at_most_states(FACTORISED)
HARD = at_most_pairs(FEW)
"""The hard optimum needs a step of policy iteration for each cell on the way to a goal."""

ROWS = (FINITE, SOME_NONTERMINAL)
"""For statements about the q of one state."""
MODEL = (FINITE, CONTRACTING, SOME_NONTERMINAL)
SOFT = (*MODEL, POSITIVE, REPRESENTABLE)
"""The model, with a temperature at which alpha log pi exists in float64."""
UNIFORM_MODEL = (*MODEL, NO_PRIOR, NO_TERMINAL, EXACT_ROWS)
"""A model in which a constant earned at each step adds up to constant / (1 - gamma)."""
