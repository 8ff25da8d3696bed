"""What the theorems are tried on: random and adversarial q-functions and policies.

Random inputs miss what a theorem turns on, so each family holds the extreme cases too: constant
shifts (they attain the contraction's modulus), a bump in a single entry, spreads far above and
far below the temperature, q within rounding of Q*; policies that are deterministic, nearly so,
Boltzmann of the wrong sign, or take the worst action everywhere.

Entries that no formula may look at (unavailable actions, terminal states) are filled with values
larger than all others, so that looking at them shows.

Shapes: q (S, A) float64; log_policy (S, A) float64, a uniform placeholder at terminal states.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from numpy import ndarray

from maxent.theorems.reference import ReferenceProblem, ReferenceValue

FEW = 20_000
"""An MDP with more state-action pairs than this gets fewer inputs of each kind."""


def size_of(problem: ReferenceProblem, optimum: ReferenceValue) -> float:
    """A typical size of q: what the values, rewards and entropies reach; 1 if all are 0."""
    return problem.scale(optimum.q) or 1.0


def hide(problem: ReferenceProblem, q: ndarray, size: float) -> ndarray:
    """q in float64 with 10 * size in the entries that no formula may look at."""
    return np.where(problem.support, q, 10.0 * size).astype(np.float64)


def q_functions(
    problem: ReferenceProblem, optimum: ReferenceValue, rng: np.random.Generator
) -> Iterator[tuple[str, ndarray]]:
    """Named q-functions, the most telling first."""
    size = size_of(problem, optimum)
    shape = problem.support.shape
    best, alpha = optimum.q, float(problem.temperature)
    noise = rng.normal(size=shape)

    yield "normal", hide(problem, size * noise, size)
    yield "Q* + temperature * normal", hide(problem, best + alpha * noise, size)
    yield "Q*", hide(problem, best, size)
    if problem.support.size > FEW:
        return
    yield "zero", hide(problem, np.zeros(shape), size)
    yield "Q* + tiny normal", hide(problem, best + 1e-7 * size * rng.normal(size=shape), size)
    yield "huge spread", hide(problem, 1e4 * size * rng.normal(size=shape), size)
    yield "tiny spread", hide(problem, size * (1.0 + 1e-9 * rng.normal(size=shape)), size)
    yield "-Q*", hide(problem, -best, size)


def q_pairs(
    problem: ReferenceProblem, optimum: ReferenceValue, rng: np.random.Generator
) -> Iterator[tuple[str, ndarray, ndarray]]:
    """Named pairs of q-functions, for contraction; the constant shifts attain the modulus."""
    size = size_of(problem, optimum)
    shape = problem.support.shape
    listed = list(q_functions(problem, optimum, rng))
    for name, q in listed:
        yield f"{name}, and shifted by a constant", q, hide(problem, q + size, size)
    for (name, q), (other, p) in itertools.pairwise(listed):
        yield f"{name}, and {other}", q, p
    if problem.temperature > 0.0:
        q, lower = two_levels(problem)
        wider = np.where(lower, q - 0.1 * problem.temperature, q + 0.1 * problem.temperature)
        yield "two levels, and further apart", hide(problem, q, size), hide(problem, wider, size)
    for name, q in listed[:3]:
        state = rng.choice(np.flatnonzero(problem.nonterminal))
        action = int(np.argmax(np.where(problem.support[state], q[state], -np.inf)))
        bump = np.zeros(shape)
        bump[state, action] = size
        yield f"{name}, and with a bump in state {state}", q, hide(problem, q + bump, size)


def ordered_pairs(
    problem: ReferenceProblem, optimum: ReferenceValue, rng: np.random.Generator
) -> Iterator[tuple[str, ndarray, ndarray]]:
    """Named pairs q <= p in every entry, for monotonicity."""
    size = size_of(problem, optimum)
    if problem.temperature > 0.0:
        q, lower = two_levels(problem)
        raised = q + np.where(lower, 0.1 * problem.temperature, 0.0)
        yield (
            "two levels, and the lower raised",
            hide(problem, q, size),
            hide(problem, raised, size),
        )
    for name, q in q_functions(problem, optimum, rng):
        rise = size * rng.random(q.shape) * (rng.random(q.shape) < 0.5)
        yield f"{name}, and raised in half the entries", q, hide(problem, q + rise, size)
        yield f"{name}, and raised slightly", q, hide(problem, q + 1e-6 * rise, size)


def two_levels(problem: ReferenceProblem) -> tuple[ndarray, ndarray]:
    """q = -2 alpha at the last action of each state and 0 elsewhere; and where it is lower.

    Here a Boltzmann *average* falls when the lower action is raised, and expands: the reason why
    log-sum-exp, and not any soft-max, is the soft value (Asadi, Littman 2017).
    """
    last = problem.n_actions - 1 - np.argmax(problem.support[:, ::-1], axis=1)
    lower = np.eye(problem.n_actions, dtype=bool)[last]
    return np.where(lower, -2.0 * problem.temperature, 0.0), lower


def v_functions(
    problem: ReferenceProblem, optimum: ReferenceValue, rng: np.random.Generator
) -> Iterator[tuple[str, ndarray]]:
    """Named starts for value iteration, (S,) float64; large at terminal states, to be ignored."""
    size = size_of(problem, optimum)

    def start(v: ndarray | float) -> ndarray:
        return np.where(problem.nonterminal, v, 10.0 * size).astype(np.float64)

    yield "V*", start(optimum.v)
    yield "normal", start(size * rng.normal(size=problem.n_states))
    yield "V* + constant", start(optimum.v + size)
    if problem.support.size > FEW:
        return
    yield "zero", start(0.0)
    yield "V* - constant", start(optimum.v - size)
    yield "V* + tiny normal", start(optimum.v + 1e-7 * size * rng.normal(size=problem.n_states))
    yield "far above", start(1e3 * size)
    yield "far below", start(-1e3 * size)


def policies(
    problem: ReferenceProblem, optimum: ReferenceValue, rng: np.random.Generator
) -> Iterator[tuple[str, ndarray]]:
    """Named policies, as log-probabilities; the most telling first."""
    shape = problem.support.shape
    spread = problem.scale() or 1.0

    def soft(logits: ndarray) -> ndarray:
        return log_normalised(problem, logits)

    def always(scores: ndarray) -> ndarray:
        chosen = np.argmax(np.where(problem.support, scores, -np.inf), axis=1)
        return soft(np.where(np.eye(shape[1], dtype=bool)[chosen], 0.0, -np.inf))

    worst = always(-optimum.q)
    yield "random", soft(2.0 * rng.normal(size=shape))
    yield "the worst action", worst
    yield "near-optimal", soft(_scores(problem, optimum) + 0.1 * rng.normal(size=shape))
    if problem.support.size > FEW:
        return
    yield "uniform", soft(np.zeros(shape))
    yield "the greedy action", always(optimum.q)
    yield "a random action", always(rng.normal(size=shape))
    yield "Boltzmann of -Q*", soft(_scores(problem, optimum, sign=-1.0))
    yield "1e-3 off the worst action", soft(np.where(worst == 0.0, 0.0, np.log(1e-3)))
    yield "1e-12 off the greedy action", soft(np.where(always(optimum.q) == 0.0, 0.0, -27.6))
    yield "Boltzmann of r", soft(np.clip(problem.reward / spread * 30.0, -300.0, 300.0))


def log_normalised(problem: ReferenceProblem, logits: ndarray) -> ndarray:
    """log of the soft-max of logits over the support, float64; uniform at terminal states."""
    kept = np.where(problem.support, logits, -np.inf)
    kept[~problem.nonterminal] = np.where(
        problem.log_prior[~problem.nonterminal] > -np.inf, 0.0, -np.inf
    )
    with np.errstate(over="ignore"):  # beyond float64 a probability is 0
        kept = (kept - kept.max(axis=1, keepdims=True)).astype(np.float64)
    found: ndarray = kept - np.log(np.exp(kept).sum(axis=1, keepdims=True))
    return found


def _scores(problem: ReferenceProblem, optimum: ReferenceValue, sign: float = 1.0) -> ndarray:
    """Logits of the Boltzmann policy of Q*, or of -Q*; at alpha = 0 of a low temperature."""
    temperature = problem.temperature or 0.01 * (problem.scale(optimum.q) or 1.0)
    found: ndarray = sign * optimum.q / temperature + problem.bonus
    return found
