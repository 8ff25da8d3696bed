"""Published and independently computed values of Gymnasium's toy-text environments.

Sources.  Hard values (temperature 0) are what value iteration on the tables of Gymnasium gives
in the literature and in other MDP toolboxes: FrozenLake 4x4 and 8x8 (slippery) and CliffWalking
from their start states at discount 0.99.  Soft values (Shannon entropy, value 0 at terminal
states) come from a computation that shares no code with this package.  CliffWalking's hard value
has a closed form: the shortest path has 13 steps of reward -1.
"""

from collections import deque

import gymnasium
import numpy as np
import pytest

from maxent import from_gymnasium, soft_value_iteration, solve

# id, start state, temperature, value, number of decimals printed
REFERENCE = [
    ("FrozenLake-v1", 0, 0.0, 0.5420259320, 10),
    ("FrozenLake8x8-v1", 0, 0.0, 0.4146403618, 10),
    ("CliffWalking-v1", 36, 0.0, -12.2478977, 7),
    ("FrozenLake-v1", 0, 0.1, 2.4710324780, 10),
    ("FrozenLake-v1", 0, 0.01, 0.5989242013, 10),
    ("CliffWalking-v1", 36, 0.1, -12.2478482457, 10),
]


@pytest.mark.parametrize(("name", "start", "temperature", "value", "decimals"), REFERENCE)
def test_reference_values(name, start, temperature, value, decimals):
    mdp = from_gymnasium(name, discount=0.99)
    assert mdp.initial_distribution[start] == 1.0
    for solution in (
        solve(mdp, temperature, tolerance=5e-11),
        soft_value_iteration(mdp, temperature, tolerance=5e-11),
    ):
        assert solution.converged
        assert abs(solution.v[start] - value) <= 0.5 * 10.0**-decimals + solution.error_bound


def test_cliff_walking_in_closed_form():
    """Thirteen steps along the cliff, each -1, discount 0.99."""
    mdp = from_gymnasium("CliffWalking-v1", discount=0.99)
    exact = -(1 - 0.99**13) / (1 - 0.99)
    assert solve(mdp, 0.0).v[36] == pytest.approx(exact, abs=1e-9)


@pytest.mark.parametrize("temperature", [1e-3, 1e-4])
def test_small_temperatures_approach_the_hard_value(temperature):
    """0 <= V_alpha - V_0 <= alpha log|A| / (1 - gamma)."""
    mdp = from_gymnasium("FrozenLake-v1", discount=0.99)
    gap = solve(mdp, temperature).v - solve(mdp, 0.0).v
    assert gap.min() >= -1e-9 and gap.max() <= temperature * np.log(4) / 0.01


def test_taxi_is_a_shortest_ride():
    """Undiscounted, the best ride from each start is the shortest one: -1 a step, 20 at its end.

    The lengths come from a breadth-first search backwards through Gymnasium's own table.
    Discount 1 - 1e-9 stands in for 1.
    """
    table = gymnasium.make("Taxi-v4").unwrapped.P
    before = {s: set() for s in table}
    steps = {}
    for s, actions in table.items():
        for ((_, successor, _, terminated),) in actions.values():
            before[successor].add(s)
            if terminated:
                steps[s] = 1
    queue = deque(steps)
    while queue:
        state = queue.popleft()
        for s in before[state] - steps.keys():
            steps[s] = steps[state] + 1
            queue.append(s)

    mdp = from_gymnasium("Taxi-v4", discount=1.0 - 1e-9)
    solution = solve(mdp, 0.0, tolerance=1e-3)
    starts = np.flatnonzero(mdp.initial_distribution)
    rides = np.array([21 - steps[s] for s in starts])
    assert len(starts) == 300
    assert np.abs(solution.v[starts] - rides).max() <= 1e-3 + 1e-6
