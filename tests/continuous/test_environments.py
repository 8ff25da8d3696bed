"""The continuous problems as Gymnasium environments."""

import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import maxent
from maxent.continuous import environments, lqr, multigoal


def make(name, **settings):
    return gymnasium.make(f"maxent/{name}-v0", **settings)


@pytest.mark.parametrize(("name", "steps"), [("LQR", 100), ("Multigoal", 30)])
def test_gymnasiums_own_checks_pass(name, steps):
    env = make(name)
    assert env.spec.max_episode_steps == steps
    with warnings.catch_warnings():  # an unbounded box is unbounded, and so not [-1, 1]
        warnings.filterwarnings("ignore", message=".*(infinity|symmetric and normalized).*")
        check_env(env.unwrapped, skip_render_check=True)


@pytest.mark.parametrize("name", ["LQR", "Multigoal"])
def test_a_seed_fixes_the_trajectory(name):
    runs = []
    for seed in (7, 7, 8):
        env = make(name)
        rng = np.random.default_rng(0)
        run = [env.reset(seed=seed)[0]]
        run += [env.step(0.1 * rng.standard_normal(2))[0] for _ in range(5)]
        runs.append(np.array(run))
    np.testing.assert_array_equal(runs[0], runs[1])
    assert (runs[0] != runs[2]).any(axis=1).all()


def test_lqr_is_its_problem():
    problem = lqr.coupled_masses()
    env = make("LQR", max_episode_steps=20_000)
    state, _ = env.reset(seed=0)
    action, noise = np.array([0.3, -0.7]), []
    for _ in range(10_000):
        after, reward, terminated, truncated, _ = env.step(action)
        assert reward == pytest.approx(-state @ problem.Q @ state - action @ problem.R @ action)
        assert not (terminated or truncated)
        noise.append(after - problem.A @ state - problem.B @ action)
        state = after
    np.testing.assert_allclose(np.cov(np.array(noise).T), problem.W, atol=0.01)
    np.testing.assert_allclose(np.mean(noise, axis=0), 0.0, atol=0.02)


def test_lqr_starts_at_the_initial_law_and_takes_any_problem():
    law = np.array([[0.5, 0.2], [0.2, 0.3]])
    problem = lqr.LinearQuadratic(
        np.eye(2) * 0.5,
        np.ones((2, 1)),
        np.eye(2),
        [[1.0]],
        np.zeros((2, 2)),
        discount=0.9,
        initial_mean=[1.0, -2.0],
        initial_covariance=law,
    )
    env = make("LQR", problem=problem)
    starts = np.array([env.reset(seed=seed)[0] for seed in range(3000)])
    np.testing.assert_allclose(starts.mean(axis=0), [1.0, -2.0], atol=0.06)
    np.testing.assert_allclose(np.cov(starts.T), law, atol=0.05)
    env.reset(options={"state": [1.0, 1.0]})
    np.testing.assert_array_equal(env.step(np.array([2.0]))[0], [2.5, 2.5])


def test_multigoal_is_its_task_and_ends_at_a_goal():
    env = make("Multigoal")
    env.reset(seed=0, options={"state": [3.6, 0.1]})
    after, reward, terminated, truncated, info = env.step(np.array([0.5, -0.2]))
    expected = multigoal.step(np.array([[3.6, 0.1]]), np.array([[0.5, -0.2]]))
    np.testing.assert_array_equal(after, expected[0][0])
    assert reward == expected[1][0] and terminated and not truncated and info == {"goal": 0}


def test_multigoal_is_truncated_after_thirty_steps():
    env = make("Multigoal")
    env.reset(seed=0)
    ends = [env.step(np.zeros(2))[2:4] for _ in range(30)]
    assert ends == 29 * [(False, False)] + [(False, True)]


@pytest.mark.parametrize("name", ["LQR", "Multigoal"])
def test_what_is_wrong_is_said(name):
    env = make(name).unwrapped
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(np.zeros(2))
    env.reset(seed=0)
    with pytest.raises(maxent.ConfigError, match="give 2 finite numbers"):
        env.step(np.zeros(3))
    with pytest.raises(maxent.ConfigError, match="finite numbers"):
        env.step(np.array([np.nan, 0.0]))
    with pytest.raises(maxent.ConfigError, match="'start' is unknown"):
        env.reset(options={"start": [0.0, 0.0]})
    with pytest.raises(maxent.ConfigError, match="state = "):
        env.reset(options={"state": [0.0]})


def test_the_problem_must_be_one():
    with pytest.raises(maxent.ModelError, match="not a LinearQuadratic"):
        make("LQR", problem=np.eye(2))


def test_the_corridor_takes_a_start_and_refuses_what_is_no_action():
    env = environments.CorridorEnv()
    assert env.reset(options={"state": [0.25]})[0].tolist() == [0.25]
    for wrong in ([np.nan], [0.0, 1.0]):
        with pytest.raises(maxent.ConfigError, match="give 1 finite numbers"):
            env.step(wrong)
