"""The four-goal point mass: its rules, its symmetry, and another solver's answer."""

import numpy as np
import pytest

import maxent
from maxent.continuous import multigoal
from maxent.continuous.discretise import roll_out, sampled


def test_a_step_by_hand():
    states = np.array([[0.0, 0.0], [3.5, 0.0], [6.8, 6.9]])
    actions = np.array([[0.5, -1.0], [1.0, 0.0], [1.0, 2.0]])
    after, reward, ended = multigoal.step(states, actions)
    np.testing.assert_allclose(after, [[0.5, -1.0], [4.5, 0.0], [7.0, 7.0]])
    to_goal = [0.5**2 + 4.0**2, 0.5**2, 2.0**2 + 7.0**2]
    cost = [30 * 1.25, 30.0, 60.0]  # the second coordinate of the last action is clipped to 1
    np.testing.assert_allclose(reward, [-cost[0] - to_goal[0], -cost[1] - 0.25 + 10, -60 - 53.0])
    assert ended.tolist() == [False, True, False]
    assert multigoal.goal_reached(after).tolist() == [-1, 0, -1]


def test_the_circle_itself_is_outside_from_every_side():
    """0.9 + 0.1 and its like must not decide by rounding: the four goals are alike."""
    for divisions in (4, 5, 10):
        grid = multigoal.multigoal(divisions)
        reached = multigoal.goal_reached(grid.states)
        assert len({int((reached == goal).sum()) for goal in range(4)}) == 1
        assert (np.bincount(reached + 1)[1:] > 0).all()


def convolved(divisions, temperature, discount=0.99):
    """V on the grid by another route: as r + gamma V depends on a and s + a apart, a sweep is a
    log-convolution with exp(-30 a^2 / alpha), one coordinate at a time."""
    n = divisions
    axis = np.linspace(-7, 7, 14 * n + 1)
    x, y = np.meshgrid(axis, axis, indexing="ij")
    squared = np.min([(x - gx) ** 2 + (y - gy) ** 2 for gx, gy in multigoal.GOALS], axis=0)
    ended = squared < 1 - 1e-9
    moves = np.linspace(-1, 1, 2 * n + 1)
    width = np.full(2 * n + 1, 1 / n)
    width[[0, -1]] /= 2
    log_kernel = np.log(width) - 30 * moves**2 / temperature

    def along_rows(values):
        padded = np.pad(values, ((n, n), (0, 0)), mode="edge")
        parts = [padded[k : k + len(axis)] + log_kernel[k] for k in range(2 * n + 1)]
        return np.logaddexp.reduce(parts, axis=0)

    v = np.zeros_like(x)
    while True:
        arrival = (-squared + 10 * ended + discount * np.where(ended, 0, v)) / temperature
        new = temperature * along_rows(along_rows(arrival).T).T
        if np.abs(new - v).max() < 1e-11:
            return new.ravel()
        v = new


@pytest.mark.parametrize("temperature", [1.0, 10.0])
def test_the_solution_is_that_of_a_log_convolution(temperature):
    grid = multigoal.multigoal(4)
    mdp = grid.mdp(temperature)
    assert (np.diff(mdp.transition.indptr)[: -grid.actions.shape[0]] == 1).all()
    solution = maxent.solve(mdp, temperature)
    np.testing.assert_allclose(solution.v[:-1], convolved(4, temperature), atol=1e-5)
    assert solution.error_bound < 1e-6


def reached_by(grid, temperature, episodes, seed):
    """The share of episodes that end at each goal, and of those that end at none."""
    solution = maxent.solve(grid.mdp(temperature), temperature)
    rng = np.random.default_rng(seed)
    starts = multigoal.start(episodes, rng)
    played = roll_out(multigoal.TASK, sampled(grid, solution, rng), starts, multigoal.HORIZON)
    goals = multigoal.goal_reached(played.states[-1])
    return np.array([(goals == goal).mean() for goal in range(4)]), float((goals == -1).mean())


@pytest.mark.parametrize("temperature", [1.0, 10.0])
def test_the_exact_policy_reaches_each_goal_alike(temperature):
    shares, missed = reached_by(multigoal.multigoal(4), temperature, 2000, seed=0)
    np.testing.assert_allclose(shares, 0.25, atol=0.04)  # four standard errors
    assert missed <= 0.001


@pytest.mark.slow
@pytest.mark.parametrize("temperature", [1.0, 10.0])
def test_at_the_default_resolution_too(temperature):
    shares, missed = reached_by(multigoal.multigoal(), temperature, 4000, seed=1)
    np.testing.assert_allclose(shares, 0.25, atol=0.03)
    assert missed <= 0.001


def test_symmetry_of_the_solution():
    grid = multigoal.multigoal(4)
    v = maxent.solve(grid.mdp(10.0), 10.0).v[:-1].reshape(57, 57)
    for image in (v.T, v[::-1], v[:, ::-1]):
        np.testing.assert_allclose(image, v, atol=1e-6)
