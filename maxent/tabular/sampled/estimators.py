r"""The soft value estimated from sampled actions, and how far it is off.

SQL Eq. 10: with actions a_i drawn from a proposal p,

    V(s) = alpha log E_{a~p}[ w ],  w = exp(Q(s,a) / alpha) / p(a)
         ~ alpha ( logsumexp_i( Q(s,a_i) / alpha - log p(a_i) ) - log N ).

It is biased low (Jensen).  If w has a finite variance the bias is, to first order,
-alpha Var(w) / (2 N E[w]^2); with a single sample it is exactly -alpha KL(p || Boltzmann policy).
With p equal to the Boltzmann policy every weight is exp(V / alpha): no variance, no bias.  A
proposal that leaves out actions is biased however many samples are drawn.

`log_proposal` is a log-probability for discrete actions, a log-density for continuous ones; the
last axis is samples, or actions where all are enumerated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray
from scipy.special import logsumexp

from maxent.errors import ConfigError, ModelError
from maxent.mdp import validation
from maxent.support.arguments import (
    require_count,
    require_counts,
    require_positive,
    require_temperature,
)
from maxent.support.arrays import logs
from maxent.support.frames import data_frame
from maxent.support.memory import require_memory
from maxent.support.shapes import Float
from maxent.tabular import operators


def importance_sampled_soft_value(
    q_samples: Any, log_proposal: Any, temperature: float
) -> Float[ndarray, "*S"]:
    """SQL Eq. 10: alpha ( logsumexp_i( q_i / alpha - log p_i ) - log N ), (..., N) -> (...).

    q_samples, log_proposal: Q(s,a_i) and log p(a_i|s) of the N actions drawn in each state, in one
    shape.  At temperature 0: the largest q drawn.  Raises ModelError where a sample has no positive
    density or a number is beyond 1e280 in size.
    """
    temperature = require_temperature(temperature)
    q, log_p = _samples(q_samples, log_proposal)
    if temperature == 0.0:
        found: Float[ndarray, "*S"] = q.max(axis=-1)
        return found
    top, weights = _weights(q, log_p, temperature)
    # a mean, not a sum less log N: at large temperatures the difference would lose its digits
    found = top + temperature * np.log(weights.mean(axis=-1))
    return found


def effective_sample_size(
    q_samples: Any, log_proposal: Any, temperature: float
) -> Float[ndarray, "*S"]:
    """(sum w)^2 / sum w^2 of the weights w_i = exp(q_i / alpha) / p_i: from 1 (one sample decides)
    to N (all count alike); (..., N) -> (...).  Temperature above 0."""
    temperature = _positive(temperature)
    _, weights = _weights(*_samples(q_samples, log_proposal), temperature)
    found: Float[ndarray, "*S"] = weights.sum(axis=-1) ** 2 / (weights**2).sum(axis=-1)
    return found


def first_order_bias(
    q: Any, log_proposal: Any, temperature: float, samples: int
) -> Float[ndarray, "*S"]:
    """-alpha Var(w) / (2 N E[w]^2), the leading term of the bias of the estimate from N samples.

    q, log_proposal: of all actions, (..., A) -> (...).  With pi the Boltzmann policy and p the
    proposal it is -alpha ( sum_a pi(a)^2 / p(a) - 1 ) / (2 N).  An action that the proposal leaves
    out gives a bias that no N removes: -inf.
    """
    temperature, count = _positive(temperature), require_count("samples", samples)
    q, log_p = _proposal(q, log_proposal)
    log_policy = operators.boltzmann_policy(q, temperature)
    never = np.isneginf(log_policy)  # what neither takes counts nothing
    with np.errstate(over="ignore"):
        terms = np.where(never, -np.inf, 2.0 * log_policy - np.where(never, 0.0, log_p))
        second = np.exp(logsumexp(terms, axis=-1))
    found: Float[ndarray, "*S"] = -0.5 * temperature * np.maximum(second - 1.0, 0.0) / count
    return found


BYTES_A_SAMPLE = 96
"""What `importance_bias` holds at once for each sampled action: twelve arrays, about."""


@dataclass(frozen=True, eq=False)
class ImportanceBias:
    """The bias of the sampled soft value for several proposals (P) and numbers of samples (M).

    names : of the proposals.  samples : (M,), numbers N of samples an estimate.
    biases : (P, M), mean estimate less exact soft value, in units of reward.
    errors : (P, M), standard error of that mean.  effective : (P, M), mean effective sample size.
    first_order : (P, M), the leading term of the bias.
    temperature, exact : the temperature and the exact soft value.
    """

    names: tuple[str, ...]
    samples: ndarray
    biases: ndarray
    errors: ndarray
    effective: ndarray
    first_order: ndarray
    temperature: float
    exact: float

    def to_frame(self) -> Any:
        """A pandas DataFrame, one row a proposal and number of samples.  Needs pandas."""
        shape = self.biases.shape
        return data_frame(
            {
                "proposal": np.repeat(self.names, shape[1]),
                "samples": np.tile(self.samples, shape[0]),
                "bias": self.biases.ravel(),
                "standard_error": self.errors.ravel(),
                "first_order": self.first_order.ravel(),
                "effective_sample_size": self.effective.ravel(),
            }
        )


def importance_bias(
    q: Any,
    proposals: Mapping[str, Any],
    temperature: float,
    *,
    samples: Sequence[int] = (1, 2, 4, 8, 16, 32, 64, 128, 256),
    repetitions: int = 4000,
    seed: int = 0,
) -> ImportanceBias:
    """Measure the bias of the sampled soft value in one state, for several proposals.

    q: (A,), of all actions (a fine grid of a 1-D action box will do).  proposals: name ->
    probabilities (A,).  Each entry is a mean over `repetitions` estimates.  Same seed, same
    numbers.  Raises MemoryBudgetError where repetitions times samples are too many.
    """
    temperature = _positive(temperature)
    repetitions, seed = require_count("repetitions", repetitions, 2), require_count("seed", seed, 0)
    counts = require_counts("samples", samples)
    if not isinstance(proposals, Mapping):
        raise ConfigError(
            f"proposals is {type(proposals).__name__}; give a mapping of names to probabilities, "
            "such as {'uniform': [0.5, 0.5]}"
        )
    if not proposals or not counts:
        raise ConfigError("importance_bias needs at least one proposal and one number of samples")
    require_memory(
        BYTES_A_SAMPLE * repetitions * max(counts),
        f"drawing {max(counts)} samples {repetitions} times",
        "ask for fewer samples or repetitions",
    )
    sizes = np.array(counts)
    values = validation.real_array("q", q)
    if values.ndim != 1 or not (np.abs(values) <= validation.MAX_REWARD).all():
        raise ModelError(
            f"q has shape {values.shape}; it must be finite, at most {validation.MAX_REWARD:g} in "
            "size, of shape (A,)"
        )
    exact = float(operators.soft_value(values[None, :], temperature)[0])
    rows = []
    for place, (name, given) in enumerate(proposals.items()):
        probabilities = validation.distribution(f"proposal {name!r}", given, len(values))
        log_p = logs(probabilities)
        rng = np.random.default_rng([seed, place])
        row = []
        for size in sizes:
            drawn = rng.choice(
                len(values), size=(repetitions, size), p=probabilities / probabilities.sum()
            )
            estimates = importance_sampled_soft_value(values[drawn], log_p[drawn], temperature)
            estimates = _less_noise(estimates - exact, temperature)
            row.append(
                (
                    estimates.mean(),
                    _deviation(estimates) / np.sqrt(repetitions),
                    effective_sample_size(values[drawn], log_p[drawn], temperature).mean(),
                    float(first_order_bias(values, log_p, temperature, int(size))),
                )
            )
        rows.append(row)
    biases, errors, effective, first_order = np.moveaxis(np.array(rows), -1, 0)
    return ImportanceBias(
        tuple(proposals), sizes, biases, errors, effective, first_order, temperature, exact
    )


def _less_noise(gaps: Float[ndarray, " R"], temperature: float) -> Float[ndarray, " R"]:
    """Estimates less exact, with what a control variate explains taken out: the mean weight, which
    is exp(gap / alpha) in units of its expectation, has the known mean 1."""
    with np.errstate(over="ignore", invalid="ignore"):
        excess = np.exp(gaps / temperature) - 1.0
        spread = float(excess.var())
    if spread == 0.0 or not np.isfinite(spread):
        return gaps
    centred = excess - excess.mean()
    return gaps - float((centred * gaps).mean()) / spread * excess


def _deviation(x: Float[ndarray, " R"]) -> float:
    """Standard deviation, without overflow in the squares of large numbers."""
    unit = float(np.abs(x).max())
    return unit * float((x / unit).std(ddof=1)) if unit > 0.0 else 0.0


def _weights(
    q: Float[ndarray, "*S N"], log_p: Float[ndarray, "*S N"], temperature: float
) -> tuple[Float[ndarray, "*S"], Float[ndarray, "*S N"]]:
    """The largest score q - alpha log p, and the weights in units of its own."""
    scores = q - temperature * log_p
    top = scores.max(axis=-1, keepdims=True)
    with np.errstate(over="ignore"):  # beyond float64 it is -inf, as it should be
        return top[..., 0], np.exp((scores - top) / temperature)


def _positive(temperature: float) -> float:
    """A valid temperature above 0."""
    return require_positive("temperature", require_temperature(temperature))


def _samples(q: Any, log_proposal: Any) -> tuple[ndarray, ndarray]:
    values, log_p = _proposal(q, log_proposal)
    if not np.isfinite(log_p).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(log_p))[0])
        raise ModelError(
            f"log_proposal at {place} is {float(log_p[place])!r}: a sample must come from where "
            "the proposal is positive"
        )
    return values, log_p


def _proposal(q: Any, log_proposal: Any) -> tuple[ndarray, ndarray]:
    values = validation.real_array("q", q)
    log_p = validation.real_array("log_proposal", log_proposal)
    if values.shape != log_p.shape or values.ndim == 0 or values.shape[-1] == 0:
        raise ModelError(
            f"q has shape {values.shape} and log_proposal {log_p.shape}; give one number of each "
            "for every sample, samples last"
        )
    limit = validation.MAX_REWARD
    fine = (np.abs(values) <= limit) & ((np.abs(log_p) <= limit) | np.isneginf(log_p))
    if not fine.all():
        place = tuple(int(i) for i in np.argwhere(~fine)[0])
        raise ModelError(
            f"at {place} q is {float(values[place])!r} and log_proposal {float(log_p[place])!r}; "
            f"give finite numbers of at most {limit:g} in size (log_proposal may be -inf)"
        )
    return values, log_p
