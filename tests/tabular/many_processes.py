"""What each process of tests/tabular/test_petsc.py runs: python many_processes.py; prints "agreed".

Intervals of one process alone and of all together hold the same values: they must overlap, and each
must be as narrow as its tolerance says.
"""

from typing import Any

import numpy as np
from petsc4py import PETSc
from scipy import sparse

import maxent
from maxent.errors import MaxEntError
from maxent.tabular.solvers.engines.blocks import Block, solve_blocks

MASK = np.ones((40, 3), bool)
MASK[::3, 1] = False
PROBLEMS = {
    "grid": maxent.gridworld("four-rooms", slip=0.1, discount=0.99),
    "no terminal state": maxent.garnet(500, 4, branching=5, discount=0.99, seed=1),
    "dense": maxent.garnet(30, 3, branching=5, discount=0.999, seed=2).to_dense(),
    "masked": maxent.garnet(40, 3, branching=4, discount=0.95, seed=3).replace(action_mask=MASK),
    "slow": maxent.gridworld("four-rooms", slip=0.1, discount=0.9999),
}


def main() -> None:
    """All problems, whole and in blocks."""
    problems = dict(PROBLEMS)
    if PETSc.COMM_WORLD.size > 2:  # processes that wait use up the cores that others need
        problems = {name: problems[name] for name in ("grid", "masked")}
    for name, mdp in problems.items():
        rows, actions = sparse.csr_array(mdp.transition_rows), mdp.n_actions

        def block(
            first: int, stop: int, mdp: Any = mdp, rows: Any = rows, actions: int = actions
        ) -> Block:
            own = slice(first, stop)
            return Block(
                rows[first * actions : stop * actions],
                mdp.reward[own],
                mdp.terminal[own],
                mdp.action_mask[own],
            )

        for temperature in (0.0, 0.01, 1.0):
            alone = maxent.solve(mdp, temperature)
            together = maxent.solve(mdp, temperature, engine="petsc")
            assert together.converged and together.error_bound <= together.tolerance, name
            assert (alone.lower <= together.upper).all() and (together.lower <= alone.upper).all()
            lost = 4.0 * together.error_bound / (1.0 - mdp.discount)  # SUBOPT, ties included
            assert together.policy_bound <= lost, (name, temperature, together.policy_bound)
            assert "petsc" in together.method, together.method
            part = solve_blocks(block, mdp.n_states, temperature, discount=mdp.discount)
            own = slice(part.first, part.stop)
            assert part.status == "converged" and part.error_bound <= part.tolerance, name
            assert (alone.lower[own] <= part.upper).all() and (part.lower <= alone.upper[own]).all()
            assert np.abs(part.policy - alone.policy[own]).max() < 1e-5, name
        prior = np.arange(1.0, actions + 1)
        prior = np.where(mdp.action_mask, prior, 0.0)
        prior /= prior.sum(axis=1, keepdims=True)
        alone = maxent.solve(mdp, 0.1, prior=prior)
        together = maxent.solve(mdp, 0.1, prior=prior, engine="petsc")
        assert (alone.lower <= together.upper).all() and (together.lower <= alone.upper).all()
    refusals()
    if PETSc.COMM_WORLD.rank == 0:
        print("agreed")


def refusals() -> None:
    """An error in one process is told in all: none waits for ever."""

    def broken(first: int, stop: int) -> Block:
        if first == 0:
            raise ValueError("no such file")
        return Block(sparse.eye_array(stop - first, 6, k=first), np.zeros((stop - first, 1)))

    for block in (broken, lambda first, stop: Block(sparse.eye_array(2, 6), np.zeros((3, 1)))):
        try:
            solve_blocks(block, 6, 0.1, discount=0.9)
        except (ValueError, MaxEntError):
            continue
        raise AssertionError("accepted")
    few = maxent.solve(
        maxent.gridworld("S...G", discount=0.9), 0.1, max_iterations=2, engine="petsc"
    )
    assert few.status == "max_iterations" and few.iterations == 2


if __name__ == "__main__":
    main()
