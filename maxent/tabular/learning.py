"""The loop of every learner from samples (`sampled.py`), and the errors it measures on the way."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any, Required, TypedDict

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from maxent import validation
from maxent.errors import (
    ConfigError,
    MaxEntWarning,
    ModelError,
    check_count,
    check_counts,
    check_discount,
    check_finite,
    check_fraction,
    check_temperature,
)
from maxent.mdp import MDP
from maxent.memory import check_memory
from maxent.solution import Solution
from maxent.tabular import operators
from maxent.tabular.rules import Rule, StepSize, pick, step_sizes
from maxent.tabular.solvers import soft_policy_evaluation, solve
from maxent.tabular.worlds import EnvWorld, MDPWorld, Uniforms, table_shape


class Settings(TypedDict, total=False):
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
class Learned:
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
    seeds = check_counts("seed", seeds, minimum=0)
    check_count("seeds", len(seeds))
    discount = _discount(problem, discount)
    if isinstance(problem, MDP) and not problem.initial_distribution[~problem.terminal].any():
        raise ConfigError("every start is terminal: nothing can be learned; change the starts")
    if episode_steps is not None:
        check_count("episode_steps", episode_steps)
    settings = options | {
        "exploration": check_fraction("exploration", exploration),
        "q0": _check_start(q0),
    }
    step_sizes(step_size)
    marks = _marks(checkpoints, steps)
    shape, policy = table_shape(problem), options.get("policy")
    mdp = _exact_mdp(problem, discount, exact, shape)
    if mdp is None:
        marks = marks[:0]
    known: _Reference | None = None  # of an environment: only when its masks have been seen
    if isinstance(exact, Solution):
        known = _given_reference(problem, exact, temperature, policy)
    elif mdp is not None and isinstance(problem, MDP):
        mdp = _without(mdp, problem.log_mask, problem.action_mask)
        known = _solved_reference(mdp, temperature, policy, shape[0])
    elif mdp is not None:
        check_memory(
            8 * len(marks) * shape[0] * shape[1],
            f"tables of {shape[0]} states at {len(marks)} checkpoints",
            "ask for fewer checkpoints",
        )

    def side_by_side(seeds: Sequence[int]) -> list[Learned]:
        kind = MDPWorld if isinstance(problem, MDP) else EnvWorld
        world = kind(problem, len(seeds), episode_steps, seeds[0])
        tables = rule(world, len(seeds), temperature, step_size, settings)
        measure = np.copy if known is None else known.errors
        ended, taken = _run(tables, seeds, steps, discount, marks, measure)
        reference = known
        if reference is None and mdp is not None:
            seen = _without(mdp, world.log_mask, tables.visits > 0)
            reference = _solved_reference(seen, temperature, policy, shape[0])
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


@dataclass(frozen=True, eq=False)
class _Reference:
    """Exact q, the pairs to compare it at, and how well it is known."""

    q: ndarray
    pairs: ndarray
    error_bound: float

    def errors(self, q: Float[ndarray, "K S A"]) -> Float[ndarray, "2 K"]:
        """Largest and root-mean-square error of each run."""
        gaps = np.abs((q - self.q)[:, self.pairs])
        largest = gaps.max(axis=1)
        unit = np.where(largest > 0.0, largest, 1.0)  # squares of large errors would overflow
        return np.array([largest, unit * np.sqrt(((gaps / unit[:, None]) ** 2).mean(axis=1))])


def _run(
    tables: Rule,
    seeds: Sequence[int],
    steps: int,
    discount: float,
    marks: Int[ndarray, " C"],
    measure: Callable[[ndarray], ndarray],
) -> tuple[Bool[ndarray, "K S"], list[ndarray]]:
    """Learn from `steps` samples a run.  Returns the states known to be terminal, and what is
    measured of q (K, S, A) at the checkpoints."""
    world, runs = tables.world, len(seeds)
    uniforms = Uniforms(seeds, width=4)  # action, successor, new start, the critic's action
    ended, acted = np.zeros((2, runs, world.n_states), dtype=bool)
    measured: list[ndarray] = []
    due = set(marks.tolist())
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
            if step in due:
                measured.append(measure(tables.q.reshape(runs, world.n_states, world.n_actions)))
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


def _exact_mdp(
    problem: Any, discount: float, exact: MDP | Solution | None, shape: tuple[int, int]
) -> MDP | None:
    """The MDP that errors are about, found to fit what is learned, a table (S, A); None where there
    is none."""
    own = problem if isinstance(problem, MDP) else None
    if exact is None:
        return own
    if isinstance(exact, Solution):
        if own is None:
            raise ConfigError(
                "exact is a Solution, which does not say its discount, its terminal states or the "
                "actions it allows; give the MDP behind the environment instead"
            )
        return own
    if not isinstance(exact, MDP):
        raise ConfigError(f"exact is {type(exact).__name__}; give an MDP or a Solution")
    if exact.discount != discount:
        raise ConfigError(
            f"exact has the discount {exact.discount!r}, the samples {discount!r}; use one discount"
        )
    n_states, n_actions = shape
    if exact.n_actions != n_actions or exact.n_states < n_states:
        raise ConfigError(
            f"exact has {exact.n_states} states and {exact.n_actions} actions, what is learned "
            f"{n_states} and {n_actions}; give the MDP that the samples come from"
        )
    if not exact.terminal[n_states:].all():
        state = n_states + int(np.argmin(exact.terminal[n_states:]))
        raise ConfigError(
            f"exact has {exact.n_states} states, what is learned {n_states}, and its state {state} "
            "is not terminal; states beyond those learned must be"
        )
    if not exact.initial_distribution[~exact.terminal].any():
        raise ConfigError("every start of exact is terminal: no error can be measured")
    return exact


def _without(mdp: MDP, log_mask: Float[ndarray, "S A"] | None, taken: Bool[ndarray, "S A"]) -> MDP:
    """The MDP without the actions that the samples rule out.  Warns where it rules out itself what
    they contain (`taken`)."""
    n_states = len(taken)
    ended = mdp.terminal[:n_states, None]
    beyond = taken & ~mdp.action_mask[:n_states] & ~ended
    if beyond.any():
        state, action = (int(i) for i in np.argwhere(beyond)[0])
        warnings.warn(
            f"exact rules out action {action} of state {state}, which the samples contain "
            f"({int(beyond.sum())} such pairs): errors are to values without them",
            MaxEntWarning,
            stacklevel=2,
        )
    if log_mask is None:
        return mdp
    available = mdp.action_mask.copy()
    available[:n_states] &= (log_mask == 0.0) | ended
    if (available == mdp.action_mask).all():
        return mdp
    nothing = ~available.any(axis=1)
    if nothing.any():
        raise ModelError(
            f"state {int(np.argmax(nothing))}: exact rules out every action that is available to "
            "the agent; give the MDP that the samples come from"
        )
    return mdp.replace(reward=mdp.reward, action_mask=available)


def _solved_reference(mdp: MDP, temperature: float, policy: Any, n_states: int) -> _Reference:
    """The solution, or the values of a policy, in the first `n_states` states."""
    if policy is None:
        solution = solve(mdp, temperature)
    else:
        rows = validation.real_array("policy", policy)
        if rows.ndim == 2 and len(rows) == n_states:  # terminal states need no policy
            rows = np.pad(rows, ((0, mdp.n_states - n_states), (0, 0)))
        solution = soft_policy_evaluation(mdp, rows, temperature)
    return _Reference(
        solution.q[:n_states], _pairs(mdp)[:n_states], mdp.discount * solution.error_bound
    )


def _given_reference(mdp: MDP, solution: Solution, temperature: float, policy: Any) -> _Reference:
    """What a Solution says, found to be one of this MDP: |T v - v| <= (1 + gamma) |v - v_exact|."""
    if solution.q.shape != mdp.reward.shape:
        raise ConfigError(
            f"exact has shape {solution.q.shape}, what is learned {mdp.reward.shape}; give the "
            "Solution of this MDP, or none"
        )
    if solution.temperature != temperature:
        raise ConfigError(
            f"exact has the temperature {solution.temperature!r}, the samples {temperature!r}"
        )
    q = operators.backup(mdp, solution.v)
    if policy is None:
        v = operators.soft_value(q, temperature, mdp.log_mask)
    else:
        rows = validation.action_distribution("policy", policy, mdp.action_mask, mdp.terminal)
        with np.errstate(divide="ignore"):
            v = operators.policy_value(q, np.log(rows), temperature)
    residual = float(np.abs(np.where(mdp.terminal, 0.0, v) - solution.v).max())
    rounding = 1e-12 * max(float(np.abs(solution.v).max()), float(np.abs(mdp.reward).max()))
    allowed = (1.0 + mdp.discount) * solution.error_bound + rounding
    if not residual <= allowed:
        raise ConfigError(
            f"exact misses the soft Bellman equation by {residual:.3g}, its error bound allows "
            f"{allowed:.3g}: it is of another MDP, discount, mask, prior or policy; give the "
            "Solution of this MDP, or none"
        )
    bound = mdp.discount * (residual + rounding) / (1.0 - mdp.discount)
    return _Reference(q, _pairs(mdp), bound)


def _pairs(mdp: MDP) -> Bool[ndarray, "S A"]:
    """Where errors are measured."""
    return _reachable(mdp)[:, None] & mdp.action_mask


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
    if isinstance(checkpoints, Integral):
        count = min(check_count("checkpoints", checkpoints), steps)
        spread = np.geomspace(max(1.0, steps / 1000), steps, count) if count > 1 else [steps]
        return np.unique(np.rint(spread).astype(int))
    marks = sorted(set(check_counts("checkpoints", checkpoints)))
    if not marks or marks[-1] > steps:
        raise ConfigError(f"checkpoints must be numbers of samples from 1 to steps = {steps}")
    return np.array(marks)


def _check_start(q0: Any) -> float:
    number = check_finite("q0", q0)
    if abs(number) > validation.MAX_REWARD:
        raise ConfigError(f"q0 = {q0!r} is beyond {validation.MAX_REWARD:g} in size: overflow")
    return number
