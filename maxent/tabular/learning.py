"""The loop of every learner from samples (`sampled.py`), and the errors it measures on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Required, TypedDict

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from maxent.errors import (
    ConfigError,
    check_count,
    check_discount,
    check_finite,
    check_fraction,
    check_temperature,
)
from maxent.mdp import MDP
from maxent.solution import Solution
from maxent.tabular.rules import RobbinsMonro, Rule, StepSize, pick
from maxent.tabular.solvers import soft_policy_evaluation, solve
from maxent.tabular.worlds import EnvWorld, MDPWorld, Uniforms


class Settings(TypedDict, total=False):
    """Keyword arguments that the learners share; the module's page says what they mean."""

    steps: Required[int]
    discount: float | None
    step_size: StepSize
    exploration: float
    episode_steps: int | None
    exact: MDP | Solution | None
    checkpoints: int | Sequence[int]
    q0: float


@dataclass(frozen=True, eq=False)
class Learned:
    """What one run learned.

    q : (S, A); v : (S,), 0 at states known to be terminal; log_policy : (S, A).  Values are
        discounted, in units of reward.  The policy is the one that the values are about: without
        exploration, except for `expected_soft_sarsa` of its own exploring policy.
    visits : (S, A), how often each pair was tried.  steps : samples used.
    checkpoints : (C,), numbers of samples at which errors were measured.
    errors, rms_errors : (C,), largest and root-mean-square |Q - Q_exact| over the pairs of
        non-terminal states that can be reached; empty where nothing exact was given.
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

    @property
    def policy(self) -> Float[ndarray, "S A"]:
        """Action probabilities (S, A)."""
        return np.exp(self.log_policy)

    def __repr__(self) -> str:
        error = f", largest error {self.errors[-1]:.2g}" if len(self.errors) else ""
        return (
            f"Learned({self.method}, temperature {self.temperature:g}, {self.steps} samples, seed "
            f"{self.seed}{error})"
        )


def learn(
    rule: type[Rule],
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
    temperature, steps = check_temperature(temperature), check_count("steps", steps)
    seeds = [check_count("seed", seed, minimum=0) for seed in seeds]
    check_count("seeds", len(seeds))
    discount = _discount(problem, discount)
    if isinstance(problem, MDP) and not problem.initial_distribution[~problem.terminal].any():
        raise ConfigError("every start is terminal: nothing can be learned; change the starts")
    if episode_steps is not None:
        check_count("episode_steps", episode_steps)
    settings = options | {
        "exploration": check_fraction("exploration", exploration),
        "q0": check_finite("q0", q0),
    }
    reference = _reference(problem, temperature, discount, exact, options.get("policy"))
    marks = _marks(checkpoints, steps) if reference is not None else np.zeros(0, dtype=int)
    step_size = RobbinsMonro() if step_size is None else step_size

    def side_by_side(seeds: Sequence[int]) -> list[Learned]:
        kind = MDPWorld if isinstance(problem, MDP) else EnvWorld
        world = kind(problem, len(seeds), episode_steps, seeds[0])
        tables = rule(world, len(seeds), temperature, step_size, settings)
        ended, measured = _run(tables, seeds, steps, discount, reference, marks)
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


@dataclass(frozen=True, eq=False)
class _Reference:
    """Exact q, the pairs to compare it at, and how well it is known."""

    q: ndarray
    pairs: ndarray
    error_bound: float

    def errors(self, q: Float[ndarray, "K S A"]) -> Float[ndarray, "2 K"]:
        """Largest and root-mean-square error of each run."""
        gaps = (q - self.q)[:, self.pairs]
        return np.array([np.abs(gaps).max(axis=1), np.sqrt((gaps**2).mean(axis=1))])


def _run(
    tables: Rule,
    seeds: Sequence[int],
    steps: int,
    discount: float,
    reference: _Reference | None,
    marks: Int[ndarray, " C"],
) -> tuple[Bool[ndarray, "K S"], Float[ndarray, "C 2 K"]]:
    """Learn from `steps` samples a run.  Returns the states known to be terminal, and the errors at
    the checkpoints."""
    world, runs = tables.world, len(seeds)
    uniforms = Uniforms(seeds, width=4)  # action, successor, new start, the critic's action
    ended, acted = np.zeros((2, runs, world.n_states), dtype=bool)
    measured = np.zeros((len(marks), 2, runs))
    due = dict(zip(marks.tolist(), measured, strict=True))
    each = np.arange(runs)
    world.start(uniforms.next()[0])
    with np.errstate(over="ignore"):  # differences of q over a tiny temperature: exp gives 0
        for step in range(1, steps + 1):
            uniform = uniforms.next()
            states = world.states
            actions = pick(tables.behaviour(states), uniform[0])
            successors, rewards, terminated = world.step(actions, uniform[1:3])
            discounts = np.where(terminated, 0.0, discount)
            tables.learn(states, actions, rewards, discounts, successors, uniform[3])
            acted[each, states] = True
            if terminated.any():
                ended[each[terminated], successors[terminated]] = True
            if step in due and reference is not None:
                due[step][:] = reference.errors(tables.q.reshape(runs, *reference.q.shape))
    if isinstance(world, MDPWorld):
        return np.tile(world.mdp.terminal, (runs, 1)), measured
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
    if check_discount(discount) == 1.0:
        raise ConfigError(
            "discount = 1: an infinite-horizon optimum need not exist; use a discount just below 1"
        )
    return discount


def _reference(
    problem: Any, temperature: float, discount: float, exact: MDP | Solution | None, policy: Any
) -> _Reference | None:
    """What to measure errors against; None where there is nothing exact."""
    mdp = exact if isinstance(exact, MDP) else problem if isinstance(problem, MDP) else None
    if exact is not None and not isinstance(exact, MDP | Solution):
        raise ConfigError(f"exact is {type(exact).__name__}; give an MDP or a Solution")
    if mdp is not None and mdp.discount != discount:
        raise ConfigError(
            f"exact has the discount {mdp.discount!r}, the samples {discount!r}; use one discount"
        )
    solution = exact if isinstance(exact, Solution) else None
    if solution is None and mdp is not None:
        if policy is None:
            solution = solve(mdp, temperature)
        else:
            solution = soft_policy_evaluation(mdp, policy, temperature)
    if solution is None:
        return None
    if solution.temperature != temperature:
        raise ConfigError(
            f"exact has the temperature {solution.temperature!r}, the samples {temperature!r}"
        )
    if mdp is not None:
        pairs = _reachable(mdp)[:, None] & mdp.action_mask
        bound = mdp.discount * solution.error_bound
    else:
        pairs = (solution.upper > solution.lower)[:, None] & (solution.log_policy > -np.inf)
        bound = solution.error_bound
    if pairs.shape != solution.q.shape:
        raise ConfigError(f"exact has shape {solution.q.shape}; it must be of the problem learned")
    return _Reference(solution.q, pairs, bound)


def _reachable(mdp: MDP) -> Bool[ndarray, " S"]:
    """Non-terminal states that can be entered from the initial distribution."""
    lasting = ~mdp.terminal
    reached = lasting & (mdp.initial_distribution > 0.0)
    while True:
        leaving = (reached[:, None] & mdp.action_mask).ravel().astype(float)
        more = reached | (lasting & (leaving @ mdp.transition_rows > 0.0))
        if (more == reached).all():
            return reached
        reached = more


def _marks(checkpoints: int | Sequence[int], steps: int) -> Int[ndarray, " C"]:
    if isinstance(checkpoints, int):
        count = check_count("checkpoints", checkpoints)
        spread = np.geomspace(max(1.0, steps / 1000), steps, count) if count > 1 else [steps]
        return np.unique(np.rint(spread).astype(int))
    marks = np.unique([check_count("checkpoint", mark) for mark in checkpoints])
    if len(marks) == 0 or marks[-1] > steps:
        raise ConfigError(f"checkpoints must be numbers of samples from 1 to steps = {steps}")
    return marks
