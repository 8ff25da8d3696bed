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
}
"""Name: (environment, solver, settings from cheap to dear); temperature 0."""

SOFT: dict[str, tuple[str, Callable[[Problem, str], Solve], list[str]]] = {
    "maxent": SOLVERS["maxent"],
    "maxent[fast]": SOLVERS["maxent[fast]"],
    "msdm PI": ("msdm", msdm, [""]),
}
"""Those that know temperatures above 0."""
