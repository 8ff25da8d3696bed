"""The loop of every learner from samples (`sampled.py`), and the errors it measures on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any, Required, TypedDict

import numpy as np
from numpy import ndarray

from maxent.errors import ConfigError
from maxent.mdp import MDP, validation
from maxent.solution import Solution
from maxent.support.arguments import (
    require_count,
    require_counts,
    require_discount,
    require_finite,
    require_fraction,
    require_temperature,
)
from maxent.support.arrays import HasPolicy
from maxent.support.memory import require_memory
from maxent.support.shapes import Bool, Int
from maxent.tabular.sampled.exact import (
    Reference,
    exact_mdp,
    given_reference,
    solved_reference,
    without_ruled_out,
)
from maxent.tabular.sampled.sampler import EnvEpisodes, MDPEpisodes, Uniforms, table_shape
from maxent.tabular.sampled.step_sizes import StepSize, step_sizes
from maxent.tabular.sampled.updates import Samples, TableLearner, pick


class LearnerOptions(TypedDict, total=False):
    """Keyword arguments that the learners share; the module's page says what they mean."""

    steps: Required[int]
    discount: float | None
    step_size: StepSize | None
    exploration: float
    episode_steps: int | None
    exact: MDP | Solution | None
    checkpoints: int | Sequence[int]
    q0: float


@dataclass(frozen=True, eq=False)
class Learned(HasPolicy):
    """What one run learned.

    q : (S, A); v : (S,), 0 at states known to be terminal; log_policy : (S, A).  Values are
        discounted, in units of reward.  The policy is the one that the values are about: without
        exploration, except for `expected_soft_sarsa` of its own exploring policy.
    visits : (S, A), how often each pair was tried.  steps : samples used.
    checkpoints : (C,), numbers of samples at which errors were measured.
    errors, rms_errors : (C,), largest and root-mean-square |Q - Q_exact| over the pairs of
        non-terminal states that can be reached, without actions that an environment was seen to
        rule out; empty where nothing exact was given.
    reference_error : bound on the error of what is called exact.
    """

    method: str
    q: ndarray
    v: ndarray
    log_policy: ndarray
    visits: ndarray
    temperature: float
    discount: float
    steps: int
    seed: int
    checkpoints: ndarray
    errors: ndarray
    rms_errors: ndarray
    reference_error: float

    def __repr__(self) -> str:
        error = f", largest error {self.errors[-1]:.2g}" if len(self.errors) else ""
        return (
            f"Learned({self.method}, temperature {self.temperature:g}, {self.steps} samples, seed "
            f"{self.seed}{error})"
        )


def learn(
    rule: type[TableLearner],
    problem: Any,
    temperature: float,
    seeds: Sequence[int],
    options: dict[str, Any],
    *,
    steps: int,
    discount: float | None = None,
    step_size: StepSize | None = None,
    exploration: float = 0.1,
    episode_steps: int | None = None,
    exact: MDP | Solution | None = None,
    checkpoints: int | Sequence[int] = 40,
    q0: float = 0.0,
) -> list[Learned]:
    """One run a seed: side by side on an MDP, one after the other in an environment."""
    temperature, steps = require_temperature(temperature), require_count("steps", steps)
    seeds = require_counts("seed", seeds, minimum=0)
    require_count("seeds", len(seeds))
    discount = _discount(problem, discount)
    if isinstance(problem, MDP) and not problem.initial_distribution[~problem.terminal].any():
        raise ConfigError("every start is terminal: nothing can be learned; change the starts")
    if episode_steps is not None:
        require_count("episode_steps", episode_steps)
    settings = options | {
        "exploration": require_fraction("exploration", exploration),
        "q0": _check_start(q0),
    }
    step_sizes(step_size)
    marks = _marks(checkpoints, steps)
    shape, policy = table_shape(problem), options.get("policy")
    mdp = exact_mdp(problem, discount, exact, shape)
    if mdp is None:
        marks = marks[:0]
    known: Reference | None = None  # of an environment: only when its masks have been seen
    if isinstance(exact, Solution):
        known = given_reference(problem, exact, temperature, policy)
    elif mdp is not None and isinstance(problem, MDP):
        mdp = without_ruled_out(mdp, problem.log_mask, problem.action_mask)
        known = solved_reference(mdp, temperature, policy, shape[0])
    elif mdp is not None:
        require_memory(
            8 * len(marks) * shape[0] * shape[1],
            f"tables of {shape[0]} states at {len(marks)} checkpoints",
            "ask for fewer checkpoints",
        )

    def side_by_side(seeds: Sequence[int]) -> list[Learned]:
        kind = MDPEpisodes if isinstance(problem, MDP) else EnvEpisodes
        episodes = kind(problem, len(seeds), episode_steps, seeds[0])
        tables = rule(episodes, len(seeds), temperature, step_size, settings)
        measure = np.copy if known is None else known.errors
        ended, taken = _run(tables, seeds, steps, discount, marks, measure)
        reference = known
        if reference is None and mdp is not None:
            seen = without_ruled_out(mdp, episodes.log_mask, tables.visits > 0)
            reference = solved_reference(seen, temperature, policy, shape[0])
            taken = [reference.errors(q) for q in taken]
        measured = np.array(taken).reshape(len(marks), 2, len(seeds))
        learned = []
        for run, seed in enumerate(seeds):
            v, log_policy = tables.result(run)
            learned.append(
                Learned(
                    rule.method,
                    tables.table(tables.q, run).copy(),
                    np.where(ended[run], 0.0, v),
                    log_policy,
                    tables.table(tables.visits, run).copy(),
                    temperature,
                    discount,
                    steps,
                    seed,
                    marks,
                    measured[:, 0, run],
                    measured[:, 1, run],
                    0.0 if reference is None else reference.error_bound,
                )
            )
        return learned

    if isinstance(problem, MDP):
        return side_by_side(seeds)
    return [run for seed in seeds for run in side_by_side([seed])]


def _run(
    tables: TableLearner,
    seeds: Sequence[int],
    steps: int,
    discount: float,
    marks: Int[ndarray, " C"],
    measure: Callable[[ndarray], ndarray],
) -> tuple[Bool[ndarray, "K S"], list[ndarray]]:
    """Learn from `steps` samples a run.  Returns the states known to be terminal, and what is
    measured of q (K, S, A) at the checkpoints."""
    episodes, runs = tables.episodes, len(seeds)
    uniforms = Uniforms(seeds, width=4)  # action, successor, new start, the critic's action
    ended, acted = np.zeros((2, runs, episodes.n_states), dtype=bool)
    measured: list[ndarray] = []
    due = set(marks.tolist())
    each = np.arange(runs)
    episodes.start(uniforms.next()[0])
    with np.errstate(over="ignore"):  # differences of q over a tiny temperature: exp gives 0
        for step in range(1, steps + 1):
            uniform = uniforms.next()
            states = episodes.states
            actions = pick(tables.behaviour(states), uniform[0])
            successors, rewards, terminated = episodes.step(actions, uniform[1:3])
            discounts = np.where(terminated, 0.0, discount)
            tables.learn(Samples(states, actions, rewards, discounts, successors, uniform[3]))
            acted[each, states] = True
            if terminated.any():
                ended[each[terminated], successors[terminated]] = True
            if step in due:
                tables_by_run = tables.q.reshape(runs, episodes.n_states, episodes.n_actions)
                measured.append(measure(tables_by_run))
    if isinstance(episodes, MDPEpisodes):
        return np.tile(episodes.mdp.terminal, (runs, 1)), measured
    return ended & ~acted, measured


def _discount(problem: Any, discount: float | None) -> float:
    if isinstance(problem, MDP):
        if discount is not None:
            raise ConfigError(
                f"discount = {discount!r}: an MDP has its own ({problem.discount:g}); change it "
                "with mdp.replace(discount=...)"
            )
        discount = problem.discount
    elif discount is None:
        raise ConfigError("discount = None: an environment has none of its own; give one in [0, 1)")
    if require_discount(discount) == 1.0:
        raise ConfigError(
            "discount = 1: an infinite-horizon optimum need not exist; use a discount just below 1"
        )
    return discount


def _marks(checkpoints: int | Sequence[int], steps: int) -> Int[ndarray, " C"]:
    if isinstance(checkpoints, Integral):
        count = min(require_count("checkpoints", checkpoints), steps)
        spread = np.geomspace(max(1.0, steps / 1000), steps, count) if count > 1 else [steps]
        return np.unique(np.rint(spread).astype(int))
    marks = sorted(set(require_counts("checkpoints", checkpoints)))
    if not marks or marks[-1] > steps:
        raise ConfigError(f"checkpoints must be numbers of samples from 1 to steps = {steps}")
    return np.array(marks)


def _check_start(q0: Any) -> float:
    number = require_finite("q0", q0)
    if abs(number) > validation.MAX_REWARD:
        raise ConfigError(f"q0 = {q0!r} is beyond {validation.MAX_REWARD:g} in size: overflow")
    return number
