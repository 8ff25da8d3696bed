"""What a trained agent does in the states of a case, as numbers: samples, entropies, values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray
from scipy.spatial import cKDTree
from scipy.special import gammaln, psi

from maxent.environments.small_worlds import taken_of, unit_of
from maxent.environments.trials import LEVELS, Case
from maxent.errors import MaxEntError

SAMPLES = 4000
NEAREST = 5
"""Which neighbour's distance the entropy is estimated from."""


class UnusableAnswerError(MaxEntError):
    """What an adapter's method gave is nothing that can be judged; the text says what."""


@dataclass(frozen=True)
class Look:
    """N samples of the policy in each of K observations, in the units of the rewards.

    unit : (K, N, m).  taken : the same as the adapter gave them.
    entropy : (K,), in nats, from the samples alone.
    q : (K, N), Q of the samples; None where the adapter has none.
    log_density : (K, N), as the adapter says it; None where it says nothing.
    mass : (K,), what exp(log_density) sums to over [-1, 1] (or all actions); m = 1 alone.
    """

    unit: ndarray
    taken: ndarray
    entropy: ndarray
    q: ndarray | None
    log_density: ndarray | None
    mass: ndarray | None


def look(agent: Any, case: Case, observations: ndarray, seed: int) -> Look:
    """Ask an agent about observations (K, d).  UnusableAnswerError for what cannot be read."""
    count, m = len(observations), case.dimension
    shape = (count, SAMPLES) if case.discrete else (count, SAMPLES, m)
    taken = _numbers("sample", agent.sample(observations, SAMPLES, seed), shape)
    unit = unit_of(case.space, taken)
    entropy = np.array([entropy_of(each, case.discrete) for each in unit])
    q = log_density = mass = None
    if callable(getattr(agent, "q", None)):
        q = _numbers("q", agent.q(observations, taken), (count, SAMPLES))
    if callable(getattr(agent, "log_density", None)):
        try:
            given = agent.log_density(observations, taken)
        except NotImplementedError:
            given = None
        if given is not None:
            log_density = _numbers("log_density", given, (count, SAMPLES), infinite=True)
            if m == 1 and (case.discrete or case.bounded):
                points, weight = grid(case.discrete)
                asked = np.repeat(taken_of(case.space, points[:, None])[None], count, axis=0)
                logs = agent.log_density(observations, asked)
                logs = _numbers("log_density", logs, (count, len(points)), infinite=True)
                mass = np.exp(logs) @ weight
    return Look(unit, taken, entropy, q, log_density, mass)


def grid(discrete: bool) -> tuple[ndarray, ndarray]:
    """Points of [-1, 1] and their weights in a sum over it: cells, or the discrete actions."""
    if discrete:
        return np.linspace(-1.0, 1.0, LEVELS), np.ones(LEVELS)
    cells = 4000
    return (np.arange(cells) + 0.5) * 2.0 / cells - 1.0, np.full(cells, 2.0 / cells)


def entropy_of(samples: ndarray, discrete: bool) -> float:
    """The entropy of what samples (N, m) were drawn from, in nats.

    From the distance to the fifth neighbour (Kozachenko and Leonenko 1987; Kraskov et al. 2004,
    Eq. 20); from the shares of discrete actions.
    """
    count, m = samples.shape
    if discrete:
        shares = np.unique(samples, return_counts=True)[1] / count
        return float(-(shares * np.log(shares)).sum())
    distances = cKDTree(samples).query(samples, k=NEAREST + 1)[0][:, -1]
    ball = 0.5 * m * np.log(np.pi) - gammaln(0.5 * m + 1.0)
    spread = m * np.log(np.maximum(distances, 1e-12)).mean()
    return float(psi(count) - psi(NEAREST) + ball + spread)


def _numbers(name: str, given: Any, shape: tuple[int, ...], infinite: bool = False) -> ndarray:
    try:
        array = np.asarray(given, dtype=float)
    except (TypeError, ValueError, RuntimeError) as error:
        raise UnusableAnswerError(
            f"{name} gave a {type(given).__name__} that NumPy cannot read as numbers: {error}"
        ) from error
    if array.shape != shape and array.squeeze().shape == tuple(n for n in shape if n > 1):
        array = array.reshape(shape)
    if array.shape != shape:
        raise UnusableAnswerError(f"{name} gave an array of shape {array.shape}, not {shape}")
    bad = np.isnan(array) | (np.isinf(array) & ~(infinite & (array < 0.0)))
    if bad.any():
        raise UnusableAnswerError(f"{name} gave {array[bad][0]}")
    return array
