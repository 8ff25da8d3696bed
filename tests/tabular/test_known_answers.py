"""KNOWN: an MDP whose solution is chosen first."""

import numpy as np
import pytest

import maxent
from maxent.errors import ConfigError, ModelError
from maxent.tabular.known_answers import FLOOR


def problems():
    mask = np.ones((6, 3), dtype=bool)
    mask[2, 1] = mask[4, :2] = False
    yield maxent.garnet(6, 3, seed=1, discount=0.9).replace(action_mask=mask)
    yield maxent.garnet(6, 3, seed=2, discount=0.99).replace(terminal=[5])
    yield maxent.gridworld("four-rooms", slip=0.1, discount=0.95)  # sparse, one terminal state
    yield maxent.gridworld("S.G", discount=1.0).to_dense().replace(discount=0.5)


def answer(mdp, seed):
    rng = np.random.default_rng(seed)
    policy = rng.dirichlet(np.ones(mdp.n_actions), mdp.n_states) * mdp.action_mask
    return policy / policy.sum(axis=1, keepdims=True), rng.normal(size=mdp.n_states)


@pytest.mark.parametrize("temperature", [1e-3, 0.3, 50.0])
def test_the_solver_finds_the_answer_within_its_bounds(temperature):
    for seed, mdp in enumerate(problems()):
        policy, value = answer(mdp, seed)
        known = maxent.known_answer(mdp, policy, value, temperature)
        found = maxent.solve(known.mdp, temperature)
        scale = np.abs(known.v).max() + temperature * np.abs(np.log(FLOOR))
        rounding = 1e-14 * scale / (1.0 - mdp.discount)  # of the stored rewards
        live = ~mdp.terminal
        assert (known.v[live] == value[live]).all() and (known.v[~live] == 0.0).all()
        assert (np.abs(found.v - known.v) <= found.error_bound + rounding).all()
        off = np.abs(found.policy - known.policy)[live].max()
        assert off <= 2.0 * (found.error_bound + rounding) / temperature
        every = known.mdp.action_mask & live[:, None]
        q = temperature * known.log_policy + known.v[:, None]
        assert np.abs(known.q - q)[every].max() <= rounding


def test_any_other_policy_loses_its_divergence():
    for seed, mdp in enumerate(problems()):
        known = maxent.known_answer(mdp, *answer(mdp, seed), 0.3)
        other, _ = answer(mdp, seed + 100)
        worth = maxent.soft_policy_evaluation(known.mdp, other, 0.3)
        with np.errstate(divide="ignore"):
            divergence = maxent.kl_divergence(np.log(other), known.log_policy)
        visits = maxent.occupancy(mdp, other).sum(axis=1)[~mdp.terminal]
        lost = 0.3 * visits @ divergence[~mdp.terminal]
        start = mdp.initial_distribution
        assert start @ (known.v - worth.v) == pytest.approx(lost, abs=worth.error_bound + 1e-12)


def test_every_transition_pays_for_itself():
    mdp = maxent.garnet(5, 2, seed=3, discount=0.9)
    known = maxent.known_answer(mdp, *answer(mdp, 0), 0.5)
    paid = known.mdp.transition_reward
    target = paid + 0.9 * known.v  # r + gamma V(s') is Q(s, a), not only on average
    there = mdp.transition > 0.0
    assert np.abs(target - known.q[:, :, None])[there].max() < 1e-14


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"temperature": 0.0}, ConfigError, "positive temperature"),
        ({"discount": 0.5}, ConfigError, "has its own"),
        ({"noise": 0.1}, ConfigError, "noise is for environments"),
        ({"value": np.zeros(3)}, ModelError, "value has shape"),
        ({"value": [0, np.nan, 0, 0, 0]}, ModelError, "value of state 1 is not finite"),
        ({"policy": np.ones((5, 2))}, ModelError, "sums to"),
    ],
)
def test_what_is_no_answer_is_refused(change, error, words):
    mdp = maxent.garnet(5, 2, seed=3, discount=0.9)
    policy, value = answer(mdp, 0)
    settings = {"policy": policy, "value": value, "temperature": 0.5} | change
    with pytest.raises(error, match=words):
        maxent.known_answer(mdp, **settings)


def test_what_a_terminal_state_is_given_does_not_count():
    mdp = maxent.garnet(5, 2, seed=3, discount=0.9).replace(terminal=[0])
    policy, value = answer(mdp, 0)
    value[0] = np.nan
    known = maxent.known_answer(mdp, policy, value, 0.5)
    assert known.v[0] == 0.0 and (known.v[1:] == value[1:]).all()
    value[3] = np.inf
    with pytest.raises(ModelError, match="value of state 3 is not finite"):
        maxent.known_answer(mdp, policy, value, 0.5)
