"""The solvers that are timed, each in an environment of its own; all have NumPy and SciPy.

A solver is a function (problem, setting) -> a function without arguments that solves once from
scratch and returns the values (S,).  What it makes before is construction, timed apart.  Settings
are listed from cheap to dear; the first whose true error is within the tolerance is the one timed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

Solve = Callable[[], np.ndarray]


@dataclass(frozen=True)
class Problem:
    """rows: (S*A, S), dense or CSR, terminal states absorbing.  reward: (S, A).  row: its name."""

    row: str
    rows: Any
    reward: np.ndarray
    discount: float
    temperature: float
    tolerance: float


def maxent(problem: Problem, engine: str) -> Solve:
    from problems import rows

    import maxent

    mdp = rows((30, 100, 316, 1000))[problem.row](problem.discount)
    settings = {"engine": engine} if mdp.is_sparse else {}  # dense ones have one engine

    def solve() -> np.ndarray:
        found = maxent.solve(mdp, problem.temperature, tolerance=problem.tolerance, **settings)
        return found.v

    return solve


def quantecon(problem: Problem, method: str) -> Solve:
    from quantecon.markov import DiscreteDP

    n_states, n_actions = problem.reward.shape
    if method == "policy_iteration":
        _require_dense(problem)
    if sparse.issparse(problem.rows):
        states, actions = np.divmod(np.arange(n_states * n_actions), n_actions)
        rows = sparse.csr_matrix(problem.rows)
        ddp = DiscreteDP(problem.reward.ravel(), rows, problem.discount, states, actions)
    else:
        shape = (n_states, n_actions, n_states)
        ddp = DiscreteDP(problem.reward, problem.rows.reshape(shape), problem.discount)
    # its guarantee is epsilon / 2; policy iteration can cycle among ties for ever
    limit = 200 if method == "policy_iteration" else 1_000_000
    epsilon = 2.0 * problem.tolerance
    return lambda: ddp.solve(method=method, epsilon=epsilon, max_iter=limit).v


def mdpsolver(problem: Problem, setting: str) -> Solve:
    import mdpsolver

    n_states, n_actions = problem.reward.shape
    rows = sparse.csr_array(problem.rows)
    ends = rows.indptr
    probabilities, columns = rows.data.tolist(), rows.indices.tolist()
    entries = [
        [
            [*map(float, probabilities[ends[i] : ends[i + 1]])]
            for i in range(s * n_actions, (s + 1) * n_actions)
        ]
        for s in range(n_states)
    ]
    places = [
        [columns[ends[i] : ends[i + 1]] for i in range(s * n_actions, (s + 1) * n_actions)]
        for s in range(n_states)
    ]
    rewards = problem.reward.tolist()
    algorithm, update = setting.split()
    fresh = []

    def prepare() -> None:  # a model keeps its values from one solve to the next
        model = mdpsolver.model()
        model.mdp(
            discount=problem.discount, rewards=rewards, tranMatProbs=entries, tranMatColumns=places
        )
        fresh.append(model)

    def solve() -> np.ndarray:
        model = fresh.pop()
        model.solve(algorithm=algorithm, update=update, tolerance=problem.tolerance, parallel=False)
        return model

    solve.prepare = prepare  # type: ignore[attr-defined]
    solve.read = lambda model: np.array(model.getValueVector())  # type: ignore[attr-defined]
    return solve


def pymdptoolbox(problem: Problem, epsilon: str) -> Solve:
    from mdptoolbox.mdp import ValueIteration

    n_actions = problem.reward.shape[1]
    by_action = [problem.rows[a::n_actions] for a in range(n_actions)]
    if sparse.issparse(problem.rows):
        by_action = [sparse.csr_matrix(each) for each in by_action]
    made: list[Any] = []

    def prepare() -> None:
        model = ValueIteration(by_action, problem.reward, problem.discount, float(epsilon))
        model.max_iter = 1_000_000  # its own bound on iterations can be too low
        made.append(model)

    def solve() -> np.ndarray:
        model = made.pop()
        model.run()
        return np.array(model.V)

    solve.prepare = prepare  # type: ignore[attr-defined]
    return solve


def pymdptoolbox_policy_iteration(problem: Problem, _: str) -> Solve:
    from mdptoolbox.mdp import PolicyIteration

    _require_dense(problem)
    n_actions = problem.reward.shape[1]
    by_action = np.stack([problem.rows[a::n_actions] for a in range(n_actions)])
    made: list[Any] = []

    def solve() -> np.ndarray:
        model = made.pop()
        model.run()
        return np.array(model.V)

    solve.prepare = lambda: made.append(  # type: ignore[attr-defined]
        PolicyIteration(by_action, problem.reward, problem.discount, max_iter=200)
    )
    return solve


def jaxdp(problem: Problem, _: str) -> Solve:
    import chex
    import jax

    jax.config.update("jax_enable_x64", True)
    chex.disable_asserts()  # they cannot be compiled
    import jax.numpy as jnp
    import jaxdp

    n_states, n_actions = problem.reward.shape
    if n_states > 1_000:
        raise ValueError("its dense tables are not tried on more than 1,000 states")
    rows = problem.rows.toarray() if sparse.issparse(problem.rows) else problem.rows
    transition = rows.reshape(n_states, n_actions, n_states)
    shape = (n_actions, n_states, n_states)
    model = jaxdp.MDP(
        transition=jnp.asarray(transition.transpose(1, 2, 0)),
        reward=jnp.asarray(np.broadcast_to(problem.reward.T[:, :, None], shape)),
        initial=jnp.full(n_states, 1.0 / n_states),
        terminal=jnp.zeros(n_states),
    )
    planner = jaxdp.PolicyIteration(gamma=problem.discount)
    uniform = jnp.full((n_actions, n_states), 1.0 / n_actions)
    close = problem.tolerance * (1.0 - problem.discount) / problem.discount

    @jax.jit  # it leaves the loop to its caller
    def iterate(model: Any) -> Any:
        first = planner.init(model, uniform)
        return jax.lax.while_loop(
            lambda two: jnp.abs(two[1].v_val - two[0].v_val).max() > close,
            lambda two: (two[1], planner.update(model, two[1])),
            (first, planner.update(model, first)),
        )[1].v_val

    return lambda: np.asarray(iterate(model))


def mdpax(problem: Problem, batch: str) -> Solve:
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp
    from mdpax.core.problem import Problem as Model
    from mdpax.solvers.value_iteration import ValueIteration

    if not sparse.issparse(problem.rows):
        raise ValueError("a random event for each state is not tried on dense problems")
    n_states, n_actions = problem.reward.shape
    if n_states > 20_000:
        raise ValueError("not tried on more states: it is fifty times slower and more by then")
    rows = sparse.csr_array(problem.rows)
    counts = np.diff(rows.indptr)
    places = np.arange(len(rows.data)) - np.repeat(rows.indptr[:-1], counts)
    shape = (n_states, n_actions, int(counts.max()))
    successors, chances = np.zeros(shape, dtype=np.int32), np.zeros(shape)
    at = (*np.divmod(np.repeat(np.arange(n_states * n_actions), counts), n_actions), places)
    successors[at], chances[at] = rows.indices, rows.data
    next_states, probabilities = jnp.asarray(successors), jnp.asarray(chances)
    rewards = jnp.asarray(problem.reward)

    class Tables(Model):
        """The k-th random event is the k-th successor."""

        name = "tables"

        def _construct_state_space(self) -> Any:
            return jnp.arange(n_states, dtype=jnp.int32)

        def _construct_action_space(self) -> Any:
            return jnp.arange(n_actions, dtype=jnp.int32)

        def _construct_random_event_space(self) -> Any:
            return jnp.arange(shape[2], dtype=jnp.int32)

        def state_to_index(self, state: Any) -> Any:
            return state[0]

        def random_event_probability(self, state: Any, action: Any, event: Any) -> Any:
            return probabilities[state[0], action[0], event[0]]

        def transition(self, state: Any, action: Any, event: Any) -> Any:
            following = next_states[state[0], action[0], event[0]]
            return following[None], rewards[state[0], action[0]]

    solver = ValueIteration(
        problem=Tables(),
        gamma=problem.discount,
        epsilon=problem.tolerance,
        max_batch_size=int(batch),
        convergence_test="max_diff",
        verbose=0,
    )

    def solve() -> np.ndarray:
        solver._initialize_solver_state_elements()  # else it goes on from its last values
        return np.asarray(solver.solve(max_iterations=1_000_000).values)

    return solve


def imitation(problem: Problem, _: str) -> Solve:
    from types import SimpleNamespace

    import torch
    from imitation.algorithms.mce_irl import mce_partition_fh

    torch.set_num_threads(1)
    if np.ptp(problem.reward, axis=1).max() > 0.0:
        raise ValueError("not tried: its rewards depend on the state alone")
    n_states, n_actions = problem.reward.shape
    scale = problem.temperature  # it knows temperature 1 alone
    reward = problem.reward[:, 0] / scale
    # so many steps that the values beyond them are below the tolerance
    most = np.abs(reward).max() + np.log(n_actions)
    beyond = problem.tolerance / scale * (1.0 - problem.discount) / most
    model = SimpleNamespace(
        horizon=int(np.ceil(np.log(beyond) / np.log(problem.discount))) + 1,
        state_dim=n_states,
        action_dim=n_actions,
        transition_matrix=problem.rows.reshape(n_states, n_actions, n_states),
        reward_matrix=reward,
    )
    return lambda: scale * mce_partition_fh(model, discount=problem.discount)[0][0]


def msdm(problem: Problem, _: str) -> Solve:
    import torch
    from msdm.algorithms.entregpolicyiteration import entropy_regularized_policy_iteration

    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    n_states, n_actions = problem.reward.shape
    transition = torch.from_numpy(problem.rows.reshape(n_states, n_actions, n_states))
    reward = torch.from_numpy(problem.reward[:, :, None])
    # its entropy is relative to a uniform prior
    uniform = problem.temperature * np.log(n_actions) / (1.0 - problem.discount)

    def solve() -> np.ndarray:
        found = entropy_regularized_policy_iteration(
            transition, reward, problem.discount, problem.temperature, 1000
        )
        return found.state_values.numpy() + uniform

    return solve


def _require_dense(problem: Problem) -> None:
    """Policy iteration factorises (S, S) systems: on grids it is a hundred times slower."""
    if sparse.issparse(problem.rows):
        raise ValueError("its policy iteration is not tried on sparse problems")


SOLVERS: dict[str, tuple[str, Callable[[Problem, str], Solve], list[str]]] = {
    "maxent": ("maxent", maxent, ["numpy"]),
    "maxent[fast]": ("maxent", maxent, ["numba"]),
    "QuantEcon mPI": ("quantecon", quantecon, ["modified_policy_iteration"]),
    "QuantEcon VI": ("quantecon", quantecon, ["value_iteration"]),
    "QuantEcon PI": ("quantecon", quantecon, ["policy_iteration"]),
    "MDPSolver mPI": ("mdpsolver", mdpsolver, ["mpi standard"]),
    "MDPSolver mPI, Gauss-Seidel": ("mdpsolver", mdpsolver, ["mpi gs"]),
    "pymdptoolbox VI": ("pymdptoolbox", pymdptoolbox, ["1e-4", "1e-8"]),
    "pymdptoolbox PI": ("pymdptoolbox", pymdptoolbox_policy_iteration, [""]),
    "jaxdp PI": ("jaxdp", jaxdp, [""]),
    "mdpax VI": ("mdpax", mdpax, ["1024"]),
}
"""Name: (environment, solver, settings from cheap to dear); temperature 0."""

SOFT: dict[str, tuple[str, Callable[[Problem, str], Solve], list[str]]] = {
    "maxent": SOLVERS["maxent"],
    "maxent[fast]": SOLVERS["maxent[fast]"],
    "msdm PI": ("msdm", msdm, [""]),
    "imitation VI": ("imitation", imitation, [""]),
}
"""Those that know temperatures above 0."""
