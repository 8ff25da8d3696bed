"""Each rung of the error budget against theory: closed forms, first-order bias, exact limits."""

import importlib.util
import math
from pathlib import Path

import gymnasium
import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.special import ndtr

import maxent
from maxent.continuous import corridor as task
from maxent.continuous.environments import CorridorEnv
from maxent.errors import ConfigError
from maxent.neural.algorithms import sql
from maxent.neural.parts.networks import mlp_parameters
from maxent.plots.curves.error_budget import error_budget
from maxent.tabular.sampled import estimators

RUNGS = Path(__file__).parents[2] / "benchmarks" / "learning" / "rungs.py"
described = importlib.util.spec_from_file_location("rungs", RUNGS)
rungs = importlib.util.module_from_spec(described)
described.loader.exec_module(rungs)

ALPHA, GAMMA = task.TEMPERATURE, task.DISCOUNT


@pytest.fixture(scope="module")
def exact():
    return task.corridor(45)


@pytest.fixture(scope="module")
def following(exact):
    """(I - gamma P)^-1 of the optimal policy: adds up what is lost along the way."""
    count = len(exact.v)
    matrix = np.zeros((count, count + 1))
    for state in range(count):
        np.add.at(matrix[state], exact.successor[state], exact.solution.policy[state])
    return np.linalg.inv(np.eye(count) - GAMMA * matrix[:, :-1])


def identity_sampler():
    """A sampling network whose pre-tanh action is its noise: a bijection onto the box."""
    return {
        "weight0": torch.tensor([[0.0, 0.0], [1.0, -1.0]]),
        "bias0": torch.zeros(1, 2),
        "weight1": torch.tensor([[1.0], [-1.0]]),
        "bias1": torch.zeros(1, 1),
    }


def constant(sampler):
    return {name: torch.zeros_like(tensor) for name, tensor in sampler.items()}


# rung 0: the task and its exact solution


def test_the_grid_solves_the_integral_equation():
    fine = task.corridor(405)
    places = fine.grid.states[:, 0]
    for state in (-0.6, 0.0, 0.2):

        def weight(action, state=state):
            after, reward, ended = task.step(np.array([[state]]), np.array([[action]]))
            v = 0.0 if ended[0] else np.interp(after[0, 0], places, fine.v)
            return math.exp((reward[0] + GAMMA * v) / ALPHA)

        doors = [x for x in ((1.0 - state) / 0.4, (-1.0 - state) / 0.4) if abs(x) < 1.0]
        integral, _ = quad(weight, -1.0, 1.0, points=doors or None, limit=400, epsrel=1e-6)
        assert np.interp(state, places, fine.v) == pytest.approx(
            ALPHA * math.log(integral), abs=5e-4
        )


def test_trebling_the_grid_divides_its_error_by_nine():
    rows = task.resolution_study((15, 45, 135), 405)
    for column in (1, 2, 3):
        first, second, third = (abs(row[column]) for row in rows)
        assert 7.0 < first / second < 13.0
        assert 8.0 < second / third < 11.0


def test_two_modes_in_the_middle_and_one_elsewhere(exact):
    density = exact.solution.policy[:-1] / exact.grid.volumes

    def modes(row):
        inner = row[1:-1]
        return ((inner > row[:-2]) & (inner > row[2:])).sum()

    assert modes(density[22]) == 2 and modes(density[30]) == 1
    assert density[22].max() > 15.0 * density[22, 9]
    np.testing.assert_allclose(exact.v, exact.v[::-1], atol=1e-8)


def test_backup_and_soft_value_are_those_of_the_mdp(exact):
    np.testing.assert_allclose(exact.backup(exact.v), exact.q, atol=1e-12)
    np.testing.assert_allclose(exact.soft_value(exact.q), exact.v, atol=1e-8)
    perfect = exact.read(exact.v, exact.boltzmann_policy(exact.q))
    assert max(abs(x) for x in vars(perfect).values()) < 1e-8


def test_the_environment_is_the_task():
    env = CorridorEnv()
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(np.zeros(1))
    seen, _ = env.reset(seed=3)
    assert env.observation_space.contains(seen) and abs(seen[0]) <= 0.5
    for _ in range(5):
        after, reward, ended = task.step(seen[None], np.array([[0.9]]))
        got, paid, over, cut, _ = env.step(np.array([0.9]))
        assert (got, paid, over, cut) == (after[0], reward[0], ended[0], False)
        assert env.observation_space.contains(got)
        seen = got
        if over:
            break
    assert over and seen[0] > 1.0 and paid == pytest.approx(-1.5 * 0.81)


def test_loss_is_alpha_times_the_divergence_along_the_way(exact):
    """SUBOPT: J* - J(pi) = alpha sum_s d^pi(s) KL(pi || pi*)."""
    log_policy = exact.boltzmann_policy(0.7 * exact.q)
    visits = maxent.occupancy(exact.mdp, exact.evaluate(log_policy).policy).sum(axis=1)[:-1]
    divergence = maxent.kl_divergence(log_policy, exact.solution.log_policy[:-1])
    reading = exact.read(exact.v + 0.3, log_policy)
    assert reading.loss == pytest.approx(ALPHA * visits @ divergence, rel=1e-6)
    assert reading.loss > 1e-3
    assert reading.kl == pytest.approx(exact.visits @ divergence)
    assert (reading.value_rms, reading.value_mean, reading.value_max) == pytest.approx((0.3,) * 3)
    assert math.isnan(exact.read(exact.v).loss)


@pytest.mark.parametrize("cells", [0, 40, 50, 44])
def test_the_doors_must_lie_between_two_nodes(cells):
    with pytest.raises(ConfigError, match="cells"):
        task.corridor(cells)


# rung 1: sampled values


@pytest.mark.parametrize("samples", [64, 512])
def test_sampled_values_lose_the_first_order_bias_added_up_along_the_way(exact, following, samples):
    log_share = np.log(np.broadcast_to(0.5 * exact.grid.volumes, exact.q.shape))
    bias = estimators.first_order_bias(exact.q + exact.volume_bonus, log_share, ALPHA, samples)
    v = rungs.sampled_fixed_point(exact, rungs.uniform_weights(exact, samples, 1000, seed=1))
    predicted = following @ bias
    # the next order is about Var(w) / N = 0.1 of it at N = 64
    assert exact.read(v).value_mean == pytest.approx(
        exact.visits @ predicted, rel=6.0 / samples + 0.01
    )
    np.testing.assert_allclose(v - exact.v, predicted, rtol=12.0 / samples + 0.05)


def test_one_sample_gives_the_soft_value_of_the_proposal_as_a_policy(exact):
    """All outcomes of one uniform draw, an end node half as often as another, instead of luck."""
    nodes = np.repeat(np.arange(19), 2)[1:-1]
    weights = np.zeros((len(exact.v), len(nodes), 19))
    weights[:, np.arange(len(nodes)), nodes] = 2.0
    found = rungs.sampled_fixed_point(exact, weights, unbiased=False)
    share = np.broadcast_to(np.log(0.5 * exact.grid.volumes), exact.q.shape)
    np.testing.assert_allclose(found, exact.evaluate(share).v[:-1], atol=1e-6)
    again = rungs.sampled_fixed_point(exact, weights)  # its control variate is exact here too
    np.testing.assert_allclose(again, found, atol=1e-6)


def test_many_samples_tend_to_the_exact_solution(exact):
    v = rungs.sampled_fixed_point(exact, rungs.uniform_weights(exact, 200_000, 20, seed=2))
    np.testing.assert_allclose(v, exact.v, atol=1e-5)


def test_the_optimal_policy_as_proposal_loses_nothing_with_one_sample(exact):
    policy = np.exp(exact.solution.log_policy[:-1])
    weights = np.eye(19) * (exact.grid.volumes / policy)[:, None, :]
    found = rungs.sampled_fixed_point(exact, weights, unbiased=False)
    np.testing.assert_allclose(found, exact.v, atol=1e-7)


def test_a_forgotten_constant_is_a_charge_for_every_step_survived(exact):
    weights = np.broadcast_to(0.5 * exact.grid.volumes, exact.q.shape)[:, None, :]
    found = rungs.sampled_fixed_point(exact, weights, unbiased=False)
    nonterminal = ~exact.mdp.terminal[:, None]
    charged = exact.mdp.reward - np.where(nonterminal, ALPHA * math.log(2.0), 0.0)
    truth = maxent.solve(exact.mdp.replace(reward=charged), ALPHA)
    np.testing.assert_allclose(found, truth.v[:-1], atol=1e-7)
    hurried = exact.read(found, exact.boltzmann_policy(exact.backup(found)))
    assert hurried.loss > 0.01


@pytest.mark.parametrize("squeezed", [False, True])
def test_the_mixture_is_sound_with_any_network(exact, following, squeezed):
    """No weight is more than twice its uniform one: E[w^2] <= 2 E[w_uniform^2]."""
    sampler = mlp_parameters((2, 16, 1), generator=torch.Generator().manual_seed(0))
    sampler = constant(sampler) if squeezed else sampler
    draw = rungs.uniform_and_network(sampler)
    v = rungs.sampled_fixed_point(exact, rungs.proposal_weights(exact, draw, 64, 200, seed=3))
    log_share = np.log(np.broadcast_to(0.5 * exact.grid.volumes, exact.q.shape))
    uniform = estimators.first_order_bias(exact.q + exact.volume_bonus, log_share, ALPHA, 64)
    worst = 2.0 * uniform - 0.5 * ALPHA / 64  # of -alpha (E[w^2] / E[w]^2 - 1) / (2 N)
    assert 1.2 * exact.visits @ following @ worst < exact.read(v).value_mean < 0.0


def test_a_networks_own_density_is_right_where_it_covers_the_box(exact):
    sampler = identity_sampler()
    found = rungs.sampler_value(exact, sampler)
    np.testing.assert_allclose(found, exact.v, atol=5e-3)  # the tails beyond the last quantile
    draw = rungs.network_alone(sampler)
    weights = rungs.proposal_weights(exact, draw, 100, 80, seed=4)
    assert abs(weights.sum(axis=2).mean() - 2.0) < 0.05  # E[1/p] is the volume of the box
    v = rungs.sampled_fixed_point(exact, weights, unbiased=False)
    np.testing.assert_allclose(v, exact.v, atol=0.05)


def test_a_network_that_covers_a_part_of_the_box_misses_the_rest(exact):
    half = identity_sampler()
    half["weight1"] = torch.tensor([[1.0], [0.0]])  # the negative noises all give 0
    found = rungs.sampler_value(exact, half)
    assert found[22] == pytest.approx(exact.v[22] - ALPHA * math.log(2.0), abs=0.02)
    assert found[10] < exact.v[10] - 0.3 and found[35] == pytest.approx(exact.v[35], abs=5e-3)


# rung 2: a sampling network


def test_between_nodes_is_linear_and_has_that_slope():
    q = torch.tensor([[0.0, 2.0, 1.0], [5.0, 5.0, 8.0]])
    actions = torch.tensor([[[-1.0], [-0.25], [1.0]], [[0.0], [0.5], [0.75]]])
    torch.testing.assert_close(
        rungs.between_nodes(q, actions), torch.tensor([[0.0, 1.5, 1.0], [5.0, 6.5, 7.25]])
    )
    slope = torch.func.grad(lambda a: rungs.between_nodes(q, a).sum())(actions - 1e-3)
    torch.testing.assert_close(slope[:, 1, 0], torch.tensor([2.0, 3.0]))


def test_the_policy_of_a_known_network(exact):
    edges = np.arctanh(0.5 * (exact.grid.actions[1:, 0] + exact.grid.actions[:-1, 0]))
    below = np.concatenate([[0.0], ndtr(edges), [1.0]])
    found = np.exp(rungs.sampler_policy(exact, identity_sampler()))
    np.testing.assert_allclose(found, np.tile(np.diff(below), (45, 1)), atol=1.0 / rungs.QUANTILES)


@pytest.mark.slow
def test_stein_gradients_bring_the_sampler_near_and_map_does_not(exact):
    def loss(form, steps):
        sampler = rungs.stein_sampler(
            exact, seed=1, steps=steps, batch_size=16, rate=3e-3, form=form
        )
        return exact.read(exact.v, rungs.sampler_policy(exact, sampler)).loss

    fresh, trained = loss("pre-tanh", 1), loss("pre-tanh", 300)
    assert trained < 0.4 * fresh
    assert loss("map", 300) > 2.0 * trained  # no entropy at all


# rungs 3 and 4: a network for Q


def test_soft_q_iteration_of_a_network_comes_near(exact):
    coarse = task.corridor(15)
    q = rungs.network_q(coarse, rungs.fitted(coarse, seed=1, steps=1000, target_rate=0.02))
    reading = coarse.read(coarse.soft_value(q), coarse.boltzmann_policy(q))
    assert reading.value_rms < 0.1 and reading.loss < 0.05
    # the soft value does not expand: SQL-T3
    assert reading.value_max <= np.abs(q - coarse.q).max() + 1e-6


def test_a_target_never_renewed_gives_one_backup_of_the_first_network():
    coarse = task.corridor(15)
    first = rungs.network_q(coarse, rungs.fitted(coarse, seed=1, steps=0))
    lagging = rungs.fitted(coarse, seed=1, steps=600, target_interval=10_000)
    told = coarse.backup(coarse.soft_value(first))
    found = rungs.network_q(coarse, lagging)
    assert np.sqrt(((found - told) ** 2).mean()) < 0.1
    assert np.sqrt(((found - coarse.q) ** 2).mean()) > 0.5


def test_targets_are_known(exact):
    with pytest.raises(ConfigError, match="targets"):
        rungs.fitted(exact, seed=0, steps=1, targets="optimal")


def test_transitions_are_the_tasks(exact):
    batch = rungs.transitions(exact)
    after, reward, ended = task.step(
        batch.observation.double().numpy(), batch.action.double().numpy()
    )
    np.testing.assert_allclose(batch.reward, reward, atol=1e-6)
    np.testing.assert_allclose(batch.next_observation, after, atol=1e-6)
    np.testing.assert_allclose(batch.discount, GAMMA * ~ended, atol=1e-7)
    assert 0 < ended.sum() < len(ended)


# rung 5: everything at once


@pytest.mark.slow
def test_all_together_learns_and_is_read_both_ways(exact):
    config = sql.Config(
        temperature=ALPHA, discount=GAMMA, hidden=(32, 32), critics=1, batch_size=32,
        critic_rate=3e-3, sampler_rate=3e-3, target_rate=0.05, particles=8, value_particles=8,
    )  # fmt: skip
    fresh, trained = (
        rungs.read_agent(exact, rungs.all_together(exact, config, seed=1, steps=steps))
        for steps in (0, 400)
    )
    assert trained[0].value_rms == trained[1].value_rms < 0.25 * fresh[0].value_rms
    assert trained[0].loss < 0.5 * fresh[0].loss and trained[1].loss < 0.5 * fresh[1].loss
    assert trained[1].loss < trained[0].loss


# the figure


def test_the_figure_has_a_bar_for_every_number():
    rows = {
        "0 grid": {"value_rms": [1e-3], "value_max": [2e-3], "loss": [math.nan]},
        "1 sampled": {"value_rms": [0.1, 0.3], "value_max": [0.5, 0.5], "loss": [1e-2, 2e-2]},
    }
    figure = error_budget(rows, title="A title")
    values, losses = figure.axes
    assert [bar.get_width() for bar in values.patches] == pytest.approx([1e-3, 0.2])
    assert [bar.get_width() for bar in losses.patches] == pytest.approx([1.5e-2])
    assert [each.get_text() for each in values.get_yticklabels()] == list(rows)
    assert values.get_xscale() == losses.get_xscale() == "log"
    assert values.get_xlim() == pytest.approx((1e-3, 1.0))
    assert "reward units" in values.get_xlabel() and "reward units" in losses.get_xlabel()
    with pytest.raises(ConfigError):
        error_budget({})
