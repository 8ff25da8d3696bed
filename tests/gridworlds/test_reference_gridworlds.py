"""Printed values of textbook gridworlds, to their printed digits; each test names its source.

Textbook values for gamma = 1 are computed at the named map's discount of 1 - 1e-9 and, where all
policies of interest end, at exactly 1.
"""

import numpy as np
import pytest

import maxent
from maxent.tabular import operators

UP, RIGHT, DOWN, LEFT = range(4)
RUSSELL_NORVIG = "russell-norvig-4x3"


def solved(mdp, temperature=0.0):
    """The optimal values, certified to at most 2e-4."""
    solution = maxent.solve(mdp, temperature)
    assert solution.converged and solution.error_bound < 2e-4
    return solution.v


def uniform_policy_values(mdp):
    policy = np.full((mdp.n_states, mdp.n_actions), 1 / mdp.n_actions)
    solution = maxent.soft_policy_evaluation(mdp, policy, 0.0)
    assert solution.converged
    return solution.v


def printed(mdp, v, table, digits):
    """Assert that the values of the cells round to the table's."""
    rows = [[np.nan if word == "#" else float(word) for word in row.split()] for row in table]
    np.testing.assert_allclose(mdp.grid.picture(v), rows, atol=0.5000001 * 10.0**-digits)


def best_actions(mdp, *cells):
    """The names of the best actions in cells counted from the lower left, as the book does."""
    q = operators.backup(mdp, solved(mdp))
    states = [mdp.grid.state_at(mdp.grid.shape[0] - y, x - 1) for x, y in cells]
    return [mdp.action_names[int(q[state].argmax())] for state in states]


# --- Russell and Norvig ----------------------------------------------------------------------


@pytest.mark.parametrize("discount", [1 - 1e-9, 1.0])
def test_russell_norvig_utilities(discount):
    """Russell and Norvig, Artificial Intelligence, 3rd ed., Figure 17.3 (gamma 1, R = -0.04)."""
    mdp = maxent.gridworld(RUSSELL_NORVIG, discount=discount)
    table = [".812 .868 .918 0", ".762 # .660 0", ".705 .655 .611 .388"]
    printed(mdp, solved(mdp), table, 3)


def test_russell_norvig_utilities_with_rewards_on_transitions():
    """4th ed., Figure 17.3: the last step, into +1 or -1, pays no step reward.

    So every utility differs from the 3rd edition's by exactly one step reward.
    """
    mdp = maxent.gridworld(RUSSELL_NORVIG, rewards={"G": 1.04, "X": -0.96})
    table = ["0.8516 0.9078 0.9578 0", "0.8016 # 0.7003 0", "0.7453 0.6953 0.6514 0.4279"]
    printed(mdp, solved(mdp), table, 4)
    difference = (solved(mdp) - solved(maxent.gridworld(RUSSELL_NORVIG)))[~mdp.terminal]
    np.testing.assert_allclose(difference, 0.04, atol=1e-6)


@pytest.mark.parametrize(
    "threshold, cell, below, above",
    [
        (-1.6497, (3, 2), "right", "up"),  # so painful that even -1 is a way out
        (-0.7311, (1, 1), "right", "up"),
        (-0.4526, (4, 1), "up", "left"),
        (-0.0850, (2, 1), "right", "left"),  # the short way, and its risk, up to here (3rd ed.)
        (-0.0274, (3, 2), "up", "left"),  # no risks at all
        (-0.0221, (4, 1), "left", "down"),  # 3rd ed.
    ],
)
def test_russell_norvig_policies_change_at_the_printed_step_rewards(threshold, cell, below, above):
    """Figure 17.2 (b) of the 3rd and 4th editions: the optimal policies for ranges of r."""
    for step_reward, action in ((threshold - 1e-4, below), (threshold + 1e-4, above)):
        for discount in (1 - 1e-9, 1.0):
            mdp = maxent.gridworld(RUSSELL_NORVIG, step_reward=step_reward, discount=discount)
            assert best_actions(mdp, cell) == [action]


# --- Sutton and Barto ------------------------------------------------------------------------


def test_sutton_barto_5x5_uniform_policy():
    """Sutton and Barto, Reinforcement Learning, 2nd ed., Figure 3.2 (gamma 0.9)."""
    mdp = maxent.gridworld("sutton-barto-5x5")
    table = [
        " 3.3  8.8  4.4  5.3  1.5",
        " 1.5  3.0  2.3  1.9  0.5",
        " 0.1  0.7  0.7  0.4 -0.4",
        "-1.0 -0.4 -0.4 -0.6 -1.2",
        "-1.9 -1.3 -1.2 -1.4 -2.0",
    ]
    v = uniform_policy_values(mdp)
    printed(mdp, v, table, 1)
    np.testing.assert_allclose(v[:5], [3.309, 8.789, 4.428, 5.322, 1.492], atol=5e-4)


def test_sutton_barto_5x5_optimal():
    """Figure 3.5; A pays 10 and the way back takes four steps, so V(A) = 10 / (1 - 0.9^5)."""
    mdp = maxent.gridworld("sutton-barto-5x5")
    table = [
        "22.0 24.4 22.0 19.4 17.5",
        "19.8 22.0 19.8 17.8 16.0",
        "17.8 19.8 17.8 16.0 14.4",
        "16.0 17.8 16.0 14.4 13.0",
        "14.4 16.0 14.4 13.0 11.7",
    ]
    v = solved(mdp)
    printed(mdp, v, table, 1)
    np.testing.assert_allclose(v[:5], [21.977, 24.419, 21.977, 19.419, 17.477], atol=5.1e-4)
    assert v[1] == pytest.approx(10 / (1 - 0.9**5), abs=1e-7)


@pytest.mark.parametrize(
    "temperature, values",
    [
        (1.0, (28.8707473200, 26.0540820436, 17.5574614613)),
        (0.1, (24.7579532517, 22.2821579265, 12.1189581425)),
    ],
)
def test_sutton_barto_5x5_soft_optimal(temperature, values):
    """An independent computation: V(A), V(0, 0), V(4, 4) with Shannon entropy, gamma 0.9."""
    mdp = maxent.gridworld("sutton-barto-5x5")
    v = maxent.solve(mdp, temperature, tolerance=1e-11).v
    cells = [mdp.grid.state_at(*cell) for cell in ((0, 1), (0, 0), (4, 4))]
    np.testing.assert_allclose(v[cells], values, atol=6e-11)


def test_sutton_barto_4x4_uniform_policy():
    """Example 4.1, Figure 4.1, k = infinity, at gamma = 1 itself."""
    mdp = maxent.gridworld("sutton-barto-4x4", discount=1.0)
    table = ["0 -14 -20 -22", "-14 -18 -20 -20", "-20 -20 -18 -14", "-22 -20 -14 0"]
    np.testing.assert_allclose(
        mdp.grid.picture(uniform_policy_values(mdp)),
        [[float(word) for word in row.split()] for row in table],
        atol=1e-9,
    )


@pytest.mark.parametrize(
    "sweeps, table",
    [
        (1, ["0 -1 -1 -1", "-1 -1 -1 -1", "-1 -1 -1 -1", "-1 -1 -1 0"]),
        (3, ["0 -2.4 -2.9 -3", "-2.4 -2.9 -3 -2.9", "-2.9 -3 -2.9 -2.4", "-3 -2.9 -2.4 0"]),
        (
            10,
            [
                "0 -6.1 -8.4 -9.0",
                "-6.1 -7.7 -8.4 -8.4",
                "-8.4 -8.4 -7.7 -6.1",
                "-9.0 -8.4 -6.1 0",
            ],
        ),
    ],
)
def test_sutton_barto_4x4_sweeps_of_policy_evaluation(sweeps, table):
    """Figure 4.1, the left column: v_k of the random policy."""
    mdp = maxent.gridworld("sutton-barto-4x4", discount=1.0)
    log_policy = np.log(np.full((16, 4), 0.25))
    v = np.zeros(16)
    for _ in range(sweeps):
        v = operators.policy_reward(mdp, log_policy, 0.0) + (
            operators.policy_transition(mdp, np.exp(log_policy)) @ v
        )
    printed(mdp, v, table, 1)


def test_windy_gridworld_takes_fifteen_steps():
    """Example 6.5: the minimum is 15 steps."""
    mdp = maxent.gridworld("windy-gridworld")
    assert mdp.initial_distribution @ solved(mdp) == pytest.approx(-15.0, abs=1e-6)


def test_windy_gridworld_with_kings_moves_takes_seven_steps():
    """Exercise 6.9; the goal is seven columns to the right, so it cannot be fewer."""
    mdp = maxent.gridworld("windy-gridworld", moves=8)
    assert mdp.initial_distribution @ solved(mdp) == pytest.approx(-7.0, abs=1e-6)


def test_cliff_walking_optimal_return():
    """Example 6.6: along the edge of the cliff, 13 steps."""
    mdp = maxent.gridworld("cliff-walking")
    assert mdp.initial_distribution @ solved(mdp) == pytest.approx(-13.0, abs=1e-6)


def test_dyna_maze_takes_fourteen_steps():
    """Example 8.1: the optimal episode has 14 steps, so V(start) = 0.95^13."""
    mdp = maxent.gridworld("dyna-maze")
    assert mdp.initial_distribution @ solved(mdp) == pytest.approx(0.95**13, abs=1e-9)


# --- Gymnasium, by an independent computation ------------------------------------------------


@pytest.mark.parametrize(
    "name, temperature, value, digits",
    [
        ("frozen-lake-4x4", 0.0, 0.5420259320, 10),
        ("frozen-lake-8x8", 0.0, 0.4146403618, 10),
        ("cliff-walking", 0.0, -12.2478977, 7),
        ("frozen-lake-4x4", 0.1, 2.4710324780, 10),
        ("frozen-lake-4x4", 0.01, 0.5989242013, 10),
        ("cliff-walking", 0.1, -12.2478482457, 10),
    ],
)
def test_gymnasium_grids_hard_and_soft(name, temperature, value, digits):
    """Values of the start state at gamma 0.99, computed independently from Gymnasium's tables."""
    mdp = maxent.gridworld(name, discount=0.99)
    v = maxent.solve(mdp, temperature, tolerance=1e-10 if digits == 7 else 2e-11).v
    assert mdp.initial_distribution @ v == pytest.approx(value, abs=0.8 * 10.0**-digits)


@pytest.mark.parametrize("name", ["sutton-barto-5x5", "frozen-lake-4x4", "frozen-lake-8x8"])
@pytest.mark.parametrize("temperature", [1e-2, 1e-4, 1e-6])
def test_the_soft_values_reach_the_hard_ones(name, temperature):
    """0 <= V_alpha - V_0 <= alpha log A / (1 - gamma) (LIMIT-ZERO)."""
    mdp = maxent.gridworld(name)
    hard, soft = maxent.solve(mdp, 0.0), maxent.solve(mdp, temperature)
    slack = hard.error_bound + soft.error_bound
    excess = soft.v - hard.v
    assert excess.min() >= -slack
    assert excess.max() <= temperature * np.log(4) / (1 - mdp.discount) + slack


@pytest.mark.parametrize("goals, reached", [("terminal", 0.23), ("absorbing", 1.00)])
def test_the_agent_that_will_not_finish(goals, reached):
    """An independent computation: the probability of reaching the goal within 2,000 steps.

    8x8 room, discount 0.95, slip 0.1, temperature 0.1: a terminal goal ends the entropy's reward,
    an absorbing one does not.
    """
    mdp = maxent.gridworld("open-8x8", slip=0.1, goals=goals)
    policy = maxent.solve(mdp, 0.1).policy
    steps = np.einsum("sa,sat->st", policy, mdp.to_dense().transition)
    goal = mdp.grid.state_at(7, 7)
    steps[goal] = np.eye(64)[goal]  # once there, count as there
    arrived = (mdp.initial_distribution @ np.linalg.matrix_power(steps, 2000))[goal]
    assert arrived == pytest.approx(reached, abs=0.005)
