"""Results cannot be written to, nor can their copies; what was given stays as it was."""

import copy
import dataclasses
import pickle

import numpy as np
import pytest
from scipy import sparse

import maxent

MDP = maxent.garnet(4, 2, discount=0.9, seed=1)
WORLD = maxent.gridworld("two-goals", discount=0.9)
POLICY = maxent.solve(MDP, 0.1).policy
PROBLEM = maxent.LinearQuadratic([[0.9]], [[1.0]], [[1.0]], [[1.0]], [[0.1]], discount=0.9)
MADE = {
    "mdp": lambda: WORLD,
    "matrix-free": lambda: maxent.gridworld("two-goals", discount=0.9, matrix_free=True).directions,
    "grid": lambda: WORLD.grid,
    "solution": lambda: maxent.solve(WORLD, 0.1),
    "horizon": lambda: maxent.finite_horizon(MDP, 0.1, 3),
    "average": lambda: maxent.average_reward(MDP, 0.1),
    "trade-off": lambda: maxent.tradeoff(MDP, [0.1, 1.0]),
    "composition": lambda: maxent.compose([MDP, MDP], 0.1),
    "known": lambda: maxent.known_answer(MDP, POLICY, np.zeros(4), 0.1),
    "lqr": lambda: PROBLEM,
    "lqr solution": lambda: maxent.solve_lqr(PROBLEM, 0.1),
    "gradient": lambda: maxent.policy_gradient_ascent(MDP, 0.1, iterations=2),
    "simulation": lambda: maxent.simulate(MDP, POLICY, episodes=2, trajectories=True),
    "choices": lambda: maxent.Choices([[0.5, 0.5], [0.1, 0.9]]),
    "floor": lambda: maxent.EntropyFloor([0.1] * 4),
}


def arrays(record):
    """The arrays of a record of results, and of the records in it."""
    for field in dataclasses.fields(record):
        if field.name.startswith("_"):
            continue
        value = getattr(record, field.name)
        for part in value if isinstance(value, tuple) else (value,):
            if sparse.issparse(part):
                yield from (part.data, part.indices, part.indptr)
            elif isinstance(part, np.ndarray):
                yield part
            elif dataclasses.is_dataclass(part):
                yield from arrays(part)


@pytest.mark.parametrize("name", MADE)
def test_neither_a_result_nor_its_copies_can_be_written_to(name):
    made = MADE[name]()
    for record in (made, copy.copy(made), copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        found = list(arrays(record))
        assert found and not any(array.flags.writeable for array in found)


def test_an_enclosure_cannot_be_written_to():
    pytest.importorskip("flint")
    for record in ((found := maxent.enclose(MDP, 0.1, policy=POLICY)), copy.deepcopy(found)):
        assert not any(array.flags.writeable for array in arrays(record))


def test_what_was_given_can_still_be_written_to():
    policy, values, cells = np.full((4, 2), 0.5), np.zeros(4), np.array([[0, 0], [0, 1]])
    maxent.known_answer(MDP, policy, values, 0.1)
    maxent.simulate(MDP, policy, episodes=2)
    maxent.Choices(policy)
    maxent.EntropyFloor(values)
    grid = maxent.Grid(("S.",), cells, np.array([[0, 1]]))
    policy[0, 0], values[0], cells[0, 0] = 0.25, 1.0, 7
    assert grid.cells[0].tolist() == [0, 0]


@pytest.mark.parametrize("matrix_free", [False, True])
def test_dataclasses_replace_says_how_an_mdp_is_changed(matrix_free):
    mdp = maxent.gridworld("two-goals", discount=0.9, matrix_free=matrix_free)
    with pytest.raises(maxent.MaxEntError, match=r"write mdp\.replace\(discount=0\.5\)"):
        dataclasses.replace(mdp, discount=0.5)
    assert mdp.__replace__(discount=0.5).discount == 0.5  # what Python 3.13's copy.replace calls
