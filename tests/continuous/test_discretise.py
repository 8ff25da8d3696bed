"""Grids: interpolation, cell volumes, the Riemann sum, and Pendulum-v1 against Gymnasium's."""

import math

import gymnasium
import numpy as np
import pytest

import maxent
from maxent.continuous import pendulum
from maxent.continuous.discretise import (
    Task,
    cell_volumes,
    discretise,
    likeliest_action,
    mean_action,
    roll_out,
    sampled,
    tensor,
)


def line(step, width=1.0, periodic=False):
    """A task on [-1, 1] with actions in [-width, width]."""
    return Task(
        step=step,
        state_low=(-1.0,),
        state_high=(1.0,),
        action_low=(-width,),
        action_high=(width,),
        periodic=(periodic,),
        start=lambda count, rng: rng.uniform(-1, 1, size=(count, 1)),
        observe=lambda states: states,
    )


def moving(states, actions):
    """s' = s + a / 4, paid s' - a^2."""
    after = np.clip(states + actions / 4, -1, 1)
    return after, (after - actions**2)[:, 0], np.zeros(len(states), dtype=bool)


def test_interpolation_is_exact_for_multilinear_functions():
    grid = discretise(pendulum.TASK, (8, 5), (3,), discount=0.9)
    rng = np.random.default_rng(0)
    states = rng.uniform([-math.pi, -8], [math.pi * 0.7, 8], size=(200, 2))

    def bilinear(x):
        return 1.0 + 2.0 * x[:, 0] - 0.5 * x[:, 1] + 0.3 * x[:, 0] * x[:, 1]

    weights = grid.weights(states)
    assert weights.data.min() > 0.0 and np.diff(weights.indptr).max() == 4
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, rtol=1e-14)
    np.testing.assert_allclose(weights @ bilinear(grid.states), bilinear(states), rtol=1e-12)


def test_a_vertex_is_itself_an_angle_turns_and_the_border_holds():
    grid = discretise(pendulum.TASK, (8, 5), (3,), discount=0.9)
    np.testing.assert_array_equal(grid.weights(grid.states).toarray(), np.eye(40))
    turned = grid.states + np.array([2 * math.pi * 3, 0.0])
    np.testing.assert_allclose(grid.weights(turned).toarray(), np.eye(40), atol=1e-12)
    beyond = grid.weights(np.array([[0.0, 9.0]])).toarray()
    np.testing.assert_array_equal(beyond, grid.weights(np.array([[0.0, 8.0]])).toarray())
    last = grid.weights(np.array([[math.pi * 0.875, -8.0]])).toarray()[0]
    assert last[7 * 5] == pytest.approx(0.5) and last[0] == pytest.approx(0.5)


def test_cells_fill_the_box():
    nodes = tensor([np.array([-1.0, 0.0, 3.0]), np.linspace(0, 1, 5)])
    volumes = cell_volumes(nodes)
    assert volumes.sum() == pytest.approx(4.0)
    assert volumes[0] == pytest.approx(0.5 * 0.125) and volumes[7] == pytest.approx(2.0 * 0.25)
    with pytest.raises(maxent.ModelError, match="not all points of a grid"):
        cell_volumes(nodes[:-1])
    with pytest.raises(maxent.ModelError, match="two nodes or more"):
        cell_volumes([[1.0, 0.0], [1.0, 2.0]])


def test_one_step_is_the_integral_of_the_exponential():
    """Discount 0: V(s) = alpha log integral exp(r(s, a) / alpha) da, a Gaussian integral here."""

    def paid(states, actions):
        return states, -3.0 * actions[:, 0] ** 2, np.zeros(len(states), dtype=bool)

    grid = discretise(line(paid, width=6.0), (2,), (121,), discount=0.0)
    for alpha in (0.5, 2.0):
        solution = maxent.solve(grid.mdp(alpha), alpha)
        exact = alpha * 0.5 * math.log(math.pi * alpha / 3.0)
        np.testing.assert_allclose(solution.v, exact, rtol=1e-9, atol=1e-12)
        density = np.exp(grid.log_density(solution, grid.states))[0]
        gaussian = np.exp(-3.0 * grid.actions[:, 0] ** 2 / alpha) / math.sqrt(math.pi * alpha / 3)
        np.testing.assert_allclose(density, gaussian, rtol=1e-8)


def test_the_mdp_is_the_task():
    grid = discretise(line(moving), (9,), (5,), discount=0.8)
    mdp = grid.mdp(0.3)
    assert (mdp.n_states, mdp.n_actions, mdp.discount) == (9, 5, 0.8)
    np.testing.assert_array_equal(mdp.observations, np.linspace(-1, 1, 9)[:, None])
    np.testing.assert_array_equal(mdp.actions, np.linspace(-1, 1, 5)[:, None])
    after = mdp.expect(mdp.observations[:, 0])
    np.testing.assert_allclose(after, np.clip(mdp.observations + mdp.actions.T / 4, -1, 1))
    volume = np.array([0.25, 0.5, 0.5, 0.5, 0.25])
    paid = after - mdp.actions.T**2 + 0.3 * np.log(volume)
    np.testing.assert_allclose(mdp.reward, paid, atol=1e-14)
    np.testing.assert_allclose(grid.mdp(0.0).reward, after - mdp.actions.T**2, atol=1e-14)
    centre = mdp.initial_distribution @ mdp.observations[:, 0]
    assert abs(centre) < 0.02  # the mean of 10,000 draws from [-1, 1]


def test_q_between_vertices_looks_ahead_and_equals_the_solutions_at_them():
    grid = discretise(line(moving), (9,), (5,), discount=0.8)
    solution = maxent.solve(grid.mdp(0.3), 0.3)
    bonus = 0.3 * np.log(grid.volumes)
    np.testing.assert_allclose(grid.q(solution, grid.states) + bonus, solution.q, atol=1e-9)
    np.testing.assert_allclose(
        np.exp(grid.log_policy(solution, grid.states)), solution.policy, atol=1e-8
    )
    states = np.array([[0.3]])
    after = np.clip(0.3 + grid.actions[:, 0] / 4, -1, 1)
    v = np.interp(after, grid.states[:, 0], solution.v)
    np.testing.assert_allclose(
        grid.q(solution, states)[0], after - grid.actions[:, 0] ** 2 + 0.8 * v
    )


def ending(states, actions):
    """Every step ends with probability 1 to the right of 0.5, and pays -1."""
    after = np.clip(states + actions / 4, -1, 1)
    return after, -np.ones(len(states)), after[:, 0] > 0.5


def test_the_end_is_one_appended_terminal_state():
    grid = discretise(line(ending), (9,), (5,), discount=0.9)
    mdp = grid.mdp(0.5)
    assert mdp.n_states == 10 and mdp.terminal.tolist() == 9 * [False] + [True]
    np.testing.assert_array_equal(mdp.observations[-1], [0.0])
    arrives = mdp.transition.toarray().reshape(10, 5, 10)[:9, :, 9]
    after = np.clip(mdp.observations[:9] + mdp.actions.T / 4, -1, 1)
    np.testing.assert_array_equal(arrives, after > 0.5)
    solution = maxent.solve(mdp, 0.5)
    off_grid = np.array([[0.45]])
    stops = 0.45 + grid.actions[:, 0] / 4 > 0.5
    q = grid.q(solution, off_grid)[0]
    assert (q[stops] == -1.0).all() and (q[~stops] != -1.0).all()


def test_the_cell_volume_changes_the_policy_where_episodes_end():
    """Units of the action: a box 10 times as wide, in the same units of motion, pays the survivor
    alpha log 10 a step.  With the volume left out it would pay nothing."""
    policies = []
    for width in (1.0, 10.0):

        def scaled(states, actions, width=width):
            return ending(states, actions / width)

        grid = discretise(line(scaled, width=width), (9,), (5,), discount=0.9)
        policies.append(maxent.solve(grid.mdp(0.5), 0.5).policy[6])
    assert policies[1][-1] < 0.5 * policies[0][-1]


def test_rollouts_stop_where_the_task_does():
    starts = np.array([[0.0], [0.4], [-1.0]])
    grid = discretise(line(ending), (9,), (5,), discount=0.9)
    run = roll_out(grid.task, lambda states: np.ones((len(states), 1)), starts, 4)
    assert run.states.shape == (5, 3, 1) and run.running.sum(axis=0).tolist() == [3, 1, 4]
    np.testing.assert_array_equal(run.returns, [-3.0, -1.0, -4.0])
    assert run.states[-1, :, 0].tolist() == [0.75, 0.65, 0.0]


def test_sampled_actions_follow_the_policy():
    grid = discretise(line(moving), (9,), (5,), discount=0.8)
    solution = maxent.solve(grid.mdp(0.3), 0.3)
    states = np.full((50_000, 1), 0.1)
    drawn = sampled(grid, solution, np.random.default_rng(0))(states)
    counts = (drawn == grid.actions.T).mean(axis=0)
    probabilities = np.exp(grid.log_policy(solution, states[:1]))[0]
    np.testing.assert_allclose(counts, probabilities, atol=0.01)
    mean = mean_action(grid, solution)(states[:1])
    np.testing.assert_allclose(mean[0, 0], probabilities @ grid.actions[:, 0])
    best = likeliest_action(grid, solution)(states[:1])
    assert best[0, 0] == grid.actions[grid.q(solution, states[:1])[0].argmax(), 0]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (((9, 9), (5,)), maxent.ConfigError, "states = .* has 2 counts; give 1"),
        (((9,), (1,)), maxent.ConfigError, "actions"),
        (((10**7,), (10**5,)), maxent.MemoryBudgetError, "fewer vertices or nodes"),
    ],
)
def test_grids_that_cannot_be_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        discretise(line(moving), *arguments, discount=0.9)


def test_pendulum_is_gymnasiums_step_by_step():
    env = gymnasium.make("Pendulum-v1").unwrapped
    rng = np.random.default_rng(0)
    for seed in range(5):
        seen, _ = env.reset(seed=seed)
        state = np.array([env.state])
        assert abs(state[0, 1]) <= 1.0
        for _ in range(100):
            np.testing.assert_allclose(pendulum.observe(state)[0], seen, atol=1e-6)
            torque = rng.uniform(-3, 3, size=1)  # also beyond the limits
            seen, reward, terminated, _, _ = env.step(torque)
            state, paid, ended = pendulum.step(state, torque[None, :])
            np.testing.assert_allclose(state[0], env.state, rtol=1e-12, atol=1e-12)
            assert paid[0] == pytest.approx(float(reward), rel=1e-12)
            assert not (terminated or ended[0])


def test_pendulum_solved_on_a_coarse_grid_swings_up():
    """A third of the return of the uniform policy; the page gives the resolution study."""
    grid = pendulum.pendulum((50, 51), 11)
    solution = maxent.solve(grid.mdp(0.1), 0.1)
    starts = pendulum.start(100, np.random.default_rng(0))
    played = roll_out(pendulum.TASK, mean_action(grid, solution), starts, 200)
    assert -152 < played.returns.mean() < -146
    assert (np.cos(played.states[-1, :, 0]) > 0.99).all()


@pytest.mark.slow
def test_pendulum_at_the_default_resolution_is_as_the_page_says():
    grid = pendulum.pendulum()
    starts = pendulum.start(100, np.random.default_rng(0))
    for temperature, expected in ((0.0, -144.1), (0.1, -144.8), (1.0, -153.9)):
        solution = maxent.solve(grid.mdp(temperature), temperature)
        played = roll_out(pendulum.TASK, mean_action(grid, solution), starts, 200)
        assert played.returns.mean() == pytest.approx(expected, abs=0.3)
