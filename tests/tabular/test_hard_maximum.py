"""Temperature 0 by picked rows: they are the greedy policy's, and `solve` finds the optimum."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import sparse

import maxent
from maxent.tabular import operators
from maxent.tabular.solvers import steps
from maxent.tabular.solvers.automatic import automatic
from maxent.tabular.solvers.kernels import SoftKernel
from maxent.tabular.solvers.loop import RECENT, History
from maxent.tabular.solvers.steps import truncated


def nearly_one(rows: np.ndarray) -> np.ndarray:
    return rows * (1.0 + 9e-10 * np.sin(np.arange(len(rows))))[:, None, None]


def uneven() -> maxent.MDP:
    """One row with all states as successors, the others with one."""
    rows = sparse.lil_array((40, 20))
    rows[np.arange(40), np.random.default_rng(3).integers(20, size=40)] = 1.0
    rows[7] = np.full(20, 0.05)
    return maxent.MDP(sparse.csr_array(rows), np.arange(40.0).reshape(20, 2) % 7, discount=0.95)


DENSE = maxent.garnet(12, 3, discount=0.9, seed=4, masked=0.3, terminal=2)
PROBLEMS = {
    "all actions tie": maxent.MDP(np.full((5, 3, 5), 0.2), np.ones((5, 3)), discount=0.9),
    "restarts": maxent.gridworld("S...\n....\n...G", slip=0.2, discount=0.99, goals="restart"),
    "absorbing": maxent.gridworld("S...\n....\n...G", slip=0.2, discount=0.99, goals="absorbing"),
    "terminal": maxent.gridworld("S..#\n.X..\n...G", slip=0.2, discount=0.95),
    "no slip": maxent.gridworld("S...\n....\n...G", discount=0.999, goals="absorbing"),
    "dense, masked": DENSE,
    "sparse, masked": DENSE.to_sparse(),
    "rows only nearly 1": maxent.MDP(
        nearly_one(np.random.default_rng(0).dirichlet(np.ones(6), (6, 2))),
        np.arange(12.0).reshape(6, 2),
        discount=0.9,
    ),
    "uneven rows": uneven(),
}


def truth(mdp: maxent.MDP) -> np.ndarray:
    """V* by policy iteration on dense arrays with LAPACK, from the definition."""
    dense = mdp.to_dense()
    going = dense.transition * ~mdp.terminal
    reward = np.where(mdp.action_mask, mdp.reward, -np.inf)
    states, v = np.arange(mdp.n_states), np.zeros(mdp.n_states)
    for _ in range(100):
        choice = (reward + mdp.discount * going @ v).argmax(axis=1)
        matrix = np.eye(mdp.n_states) - mdp.discount * going[states, choice]
        before, v = v, np.linalg.solve(matrix, np.where(mdp.terminal, 0, reward[states, choice]))
        if np.abs(v - before).max() < 1e-12 * max(1.0, np.abs(v).max()):
            return v
    return v


@pytest.mark.parametrize("name", PROBLEMS)
def test_solve_encloses_the_optimum(name):
    mdp = PROBLEMS[name]
    exact, solution = truth(mdp), maxent.solve(mdp, 0.0)
    slack = 1e-12 * max(1.0, np.abs(exact).max())
    assert solution.converged
    assert (solution.lower <= exact + slack).all() and (exact <= solution.upper + slack).all()
    worth = maxent.soft_policy_evaluation(mdp, solution.policy, 0.0)
    assert (exact - worth.v).max() <= solution.policy_bound + worth.error_bound + slack


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_matrix_is_that_of_a_greedy_policy_as_it_is_mended(name):
    mdp = PROBLEMS[name]
    kernel, rng = SoftKernel(mdp, 0.0, mdp.log_mask), np.random.default_rng(1)
    v = np.zeros(mdp.n_states)
    for size in (0.0, 5.0, 0.01, 5.0):
        v = v + size * rng.normal(size=mdp.n_states) * ~mdp.terminal
        tv = kernel.apply(v)
        matrix = kernel.policy_transition()
        matrix = matrix.toarray() if sparse.issparse(matrix) else matrix
        q = operators.backup(mdp, v)
        rows = mdp.to_dense().transition * mdp.discount_on_arrival
        greedy = mdp.action_mask & (q >= tv[:, None] - 1e-12 * max(1.0, np.abs(q).max()))
        for s in np.flatnonzero(~mdp.terminal):
            assert any(
                np.allclose(matrix[s], rows[s, a], atol=1e-15) for a in np.flatnonzero(greedy[s])
            )


def test_actions_that_tie_take_turns_in_all_states_at_once():
    mdp = maxent.gridworld("open-10x10", discount=0.99, step_reward=0.0, rewards={"G": 0.0})
    kernel = SoftKernel(mdp, 0.0, None)
    inner = [11, 34, 88]
    for turn in range(6):
        kernel.apply(np.zeros(mdp.n_states))
        matrix = kernel.policy_transition().toarray()
        moves = matrix.argmax(axis=1) - np.arange(mdp.n_states)
        assert (moves[inner] == (-10, 1, 10, -1)[turn % 4]).all()


def test_rounding_makes_no_action_better():
    """Two equal actions tie, whichever of them rounding makes larger; a better one wins."""
    rows = np.zeros((2, 2, 2))
    rows[:, 0, 0] = rows[:, 1, 1] = 1.0
    mdp = maxent.MDP(rows, np.ones((2, 2)), discount=0.9)
    for more, expected in ((1e-16, [0, 1, 0]), (-1e-16, [0, 1, 0]), (1e-3, [1, 1, 1])):
        kernel = SoftKernel(mdp, 0.0, None)
        chosen = []
        for _ in range(3):
            kernel.apply(np.zeros(2))
            kernel._weights[1] += more
            kernel._top = kernel._weights.max(axis=0)
            chosen.append(int(kernel.policy_transition()[0].argmax()))
        assert chosen == expected


def test_an_evaluation_ends_early_where_it_changes_all_alike():
    mdp = maxent.garnet(50, 3, discount=0.99, seed=2)
    kernel = SoftKernel(mdp, 0.0, None)
    b = kernel.apply(np.zeros(50))
    matrix = kernel.policy_transition()
    short, full = truncated(100, 0.1)(kernel, b), truncated(100)(kernel, b)
    expected = sum(np.linalg.matrix_power(matrix, k) @ b for k in range(101))
    assert np.allclose(full, expected, rtol=1e-12)
    assert full.mean() > 2 * short.mean() and np.ptp(full - short) < 0.1 * np.ptp(b)


@pytest.mark.parametrize("discount", [0.99, 0.9999])
def test_a_linear_solver_takes_over_where_an_agent_goes_round(discount):
    mdp = maxent.gridworld(
        "\n".join(["S" + "." * 29, *["." * 30] * 28, "." * 29 + "G"]),
        slip=0.2,
        discount=discount,
        goals="restart",
    )
    solution = maxent.solve(mdp, 0.0, tolerance=1e-6)
    assert solution.converged and solution.iterations < 60
    slow = discount == 0.9999
    assert solution.method == (
        "soft policy iteration" if slow else "modified soft policy iteration"
    )


@pytest.mark.parametrize("relaxes", [False, True])
@pytest.mark.parametrize("temperature", [0.0, 0.1])
def test_the_rule_looks_no_further_back_than_the_history_goes(temperature, relaxes):
    mdp = maxent.gridworld("open-30x30", slip=0.2, discount=0.99)
    rule = automatic(mdp, temperature, relaxes)
    evaluated = rule(History(30, [1e3, 2e3] * 15, 1e-6, [(0, steps.SWEEP)]))
    assert evaluated not in (steps.DIRECT, steps.KRYLOV)
    for iterations in (64, 127, 128, 191, 200, 1_000, 100_000):
        for kept in range(RECENT, min(iterations, 2 * RECENT - 1) + 1):
            widths = [1e3 * 0.9999**i for i in range(kept)]
            chosen = rule(History(iterations, widths, 1e-6, [(0, steps.SWEEP), (30, evaluated)]))
            assert chosen in (steps.DIRECT, steps.KRYLOV)  # steadily, but too slowly


@pytest.mark.parametrize("engine", ["numpy", "numba"])
@pytest.mark.parametrize("far", [1e-5, 1e-7, 1e-9])
@pytest.mark.parametrize("temperature", [0.0, 0.1])
def test_small_problems_near_discount_1_are_factorised(temperature, far, engine):
    pytest.importorskip("numba" if engine == "numba" else "numpy")
    rng = np.random.default_rng(5)
    mdp = maxent.garnet(40, 4, branching=3, discount=1.0 - far, seed=4)
    ring = np.roll(np.eye(40), 1, axis=1)[:, None, :].repeat(4, axis=1)  # it mixes slowly
    rows = 0.999 * ring + 0.001 * mdp.to_dense().transition
    slow = maxent.MDP(rows, rng.normal(size=(40, 4)), discount=1.0 - far).to_sparse()
    for problem in (slow, mdp):
        start = rng.normal(size=40) * ~problem.terminal
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", maxent.MaxEntWarning)  # stalled near rounding
            ours = maxent.solve(problem, temperature, v0=start, max_iterations=400, engine=engine)
            theirs = maxent.soft_policy_iteration(problem, temperature, max_iterations=60)
        assert ours.status != "max_iterations", ours.iterations
        assert (ours.lower <= theirs.upper).all() and (theirs.lower <= ours.upper).all()


def test_what_never_narrows_is_factorised_too():
    rng = np.random.default_rng(0)
    rows = rng.dirichlet(np.ones(5), (5, 1))
    mdp = maxent.MDP(rows, np.zeros((5, 1)), discount=1.0 - 1e-9)
    solution = maxent.solve(mdp, 0.0, v0=rng.normal(size=5), max_iterations=300)
    assert solution.error_bound <= 1e-5 and solution.status != "max_iterations"


def test_relaxations_that_throw_the_interval_open_are_given_up():
    """Twice of late, as on maps whose agents are put back to a start; once is what mazes do too."""
    mdp = maxent.gridworld("open-10x10", discount=0.99)
    rule = automatic(mdp, 0.0, relaxes=True)
    relaxed = rule(History(4, [190.0, 180.0, 180.0, 180.0], 1e-6, [(0, steps.SWEEP)]))
    begun = [(0, steps.SWEEP), (4, relaxed)]
    once = rule(History(8, [180.0, 50.0, 21.0, 260.0, 26.0], 1e-6, begun))
    twice = rule(History(9, [180.0, 50.0, 21.0, 260.0, 26.0, 270.0], 1e-6, begun))
    assert relaxed.name == once.name == "relaxed" and twice.name == "truncated"
    after = rule(History(12, [26.0, 270.0, 200.0, 190.0, 190.0], 1e-6, [*begun, (9, twice)]))
    assert after.name == "truncated"
