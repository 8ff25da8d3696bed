"""Discount 1: values that last until the episode ends, certified, or refused with the reason."""

import warnings

import numpy as np
import pytest
from truth import optimal_value, policy_value

import maxent
from maxent.tabular.solvers.end_components import end_components, reaching
from maxent.tabular.solvers.pairs import Pairs

SOLVERS = {
    "solve": maxent.solve,
    "policy iteration": maxent.soft_policy_iteration,
    "value iteration": maxent.soft_value_iteration,
    "modified policy iteration": maxent.modified_soft_policy_iteration,
}


def student():
    """David Silver's student: facebook, classes 1 to 3, the end (10 for the exam)."""
    transition, reward = np.zeros((5, 2, 5)), np.zeros((5, 2))
    transition[0, 0, 0] = transition[0, 1, 1] = transition[1, 0, 0] = transition[1, 1, 2] = 1.0
    transition[2, 0, 4] = transition[2, 1, 3] = transition[3, 0, 4] = 1.0
    transition[3, 1, 1:4] = 0.2, 0.4, 0.4
    reward[:4] = [-1, 0], [-1, -2], [0, -2], [10, 1]
    return maxent.MDP(
        transition,
        reward,
        discount=1.0,
        terminal=[4],
        state_names=["Facebook", "Class 1", "Class 2", "Class 3", "end"],
    )


def frozen_lake():
    return maxent.gridworld("frozen-lake-4x4", discount=1.0)


def random_problem(seed, kinds=(0.0, 1e-300, 1e-6, 0.01, 0.1, 1.0)):
    """A small first-exit problem, a temperature and perhaps a prior."""
    rng = np.random.default_rng(seed)
    n_states, n_actions = int(rng.integers(2, 6)), int(rng.integers(1, 4))
    branching = (None, 1, 2, 3)[int(rng.integers(4))]
    mdp = maxent.garnet(
        n_states, n_actions, discount=1.0, branching=branching, seed=seed, terminal=1, masked=0.2
    )
    reward = mdp.reward + float(rng.choice([0.0, -1.0, -3.0]))
    reward = np.round(reward) if rng.random() < 0.3 else reward
    prior = None
    if rng.random() < 0.3:
        prior = rng.dirichlet(np.ones(n_actions), size=n_states) * mdp.action_mask + 1e-9
        prior *= mdp.action_mask
        prior /= prior.sum(axis=1, keepdims=True)
    return mdp.replace(reward=reward), float(rng.choice(kinds)), prior


def check_against_truth(seed):
    """Whether the problem was solved: then every bound holds the 60-digit truth; else the values of
    longer and longer episodes go on rising, or there is no way out."""
    mdp, temperature, prior = random_problem(seed)
    solver = list(SOLVERS.values())[seed % 4]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", maxent.MaxEntWarning)  # sweeps may be too slow
            solution = solver(mdp, temperature, prior=prior)
    except maxent.ConfigError as error:
        if "within reach" not in str(error):
            values = [
                maxent.finite_horizon(mdp, temperature, horizon, prior=prior).v[0]
                for horizon in (500, 1000)
            ]
            assert (values[1] - values[0]).max() > -1e-9, seed
        return False
    truth = optimal_value(mdp, temperature, solution.v, prior)
    for lower, exact, upper in zip(solution.lower, truth, solution.upper, strict=True):
        assert lower <= exact <= upper, seed
    if np.isfinite(solution.policy_bound) and solution.policy_bound > 1e-200:
        earned = policy_value(mdp, solution.policy, temperature, prior)
        assert max(x - y for x, y in zip(truth, earned, strict=True)) <= solution.policy_bound
    return True


def test_intervals_hold_the_truth():
    assert sum(check_against_truth(seed) for seed in range(24)) > 12


@pytest.mark.slow
def test_hundreds_of_intervals_hold_the_truth():
    assert sum(check_against_truth(seed) for seed in range(40, 600)) > 300


@pytest.mark.parametrize("label", SOLVERS)
def test_the_student(label):
    """40 digits by mpmath."""
    solution = SOLVERS[label](student(), 0.1)
    exact = [6.0002572656, 6.0002527255, 8.0002481852, 10.0002481852, 0.0]
    assert solution.converged and solution.error_bound <= 1.1e-8
    np.testing.assert_allclose(solution.v, exact, atol=solution.error_bound + 1e-10)
    with pytest.raises(maxent.ConfigError, match=r"infinite.* Facebook \(0\).*1\.33275540") as hot:
        SOLVERS[label](student(), 5.0)
    assert "Class 3 (3)" in str(hot.value) and "end" not in str(hot.value).split("certified")[0]


@pytest.mark.parametrize(
    "mdp, exact",
    [
        (student(), 1.3327554037),
        (maxent.gridworld("russell-norvig-4x3"), 0.0310785),
        (maxent.gridworld("four-rooms", slip=0.0), 0.028875366),
        (maxent.gridworld("four-rooms", slip=0.1), 0.0288857664),
        (maxent.gridworld("sutton-barto-4x4"), 0.7509587355),
        (maxent.gridworld("cliff-walking"), 0.7475833253),
    ],
)
def test_critical_temperatures(mdp, exact):
    low, high = maxent.critical_temperature(mdp)
    assert low < high < low * (1.0 + 1e-9)
    assert 0.5 * (low + high) == pytest.approx(exact, abs=10.0 ** -(8 if exact > 0.03 else 9))
    undiscounted = mdp.replace(discount=1.0)
    assert np.isfinite(maxent.solve(undiscounted, low * 0.999).upper).all()
    with pytest.raises(maxent.ConfigError, match="infinite"):
        maxent.solve(undiscounted, high * 1.001)


def test_the_value_is_finite_although_the_sufficient_condition_fails():
    """The spectral radius of sum_a exp(r / alpha) P is 8810 for the student at temperature .1."""
    mdp = student()
    weights = (np.exp(mdp.reward / 0.1)[:, :, None] * mdp.transition).sum(axis=1)[:4, :4]
    assert np.abs(np.linalg.eigvals(weights)).max() == pytest.approx(8810, abs=1)
    assert maxent.solve(mdp, 0.1).converged


def test_a_critical_temperature_with_a_prior_is_a_lower_one():
    """One state, to stay for .5 or to leave for 0: the best gain of staying is .5 + alpha log p,
    below 0 for alpha > .5 / log(1 / p)."""
    mdp = maxent.MDP([[[1.0, 0.0], [0.0, 1.0]]] * 2, [[0.5, 0.0]] * 2, discount=1.0, terminal=[1])
    prior = [0.25, 0.75]
    low, high = maxent.critical_temperature(mdp, prior=prior)
    assert low <= 0.5 / np.log(4.0) <= high
    above = maxent.solve(mdp, 1.01 * high, prior=prior)
    staying = 0.25 * np.exp(0.5 / (1.01 * high))  # z = staying z + .75, z = exp(V / alpha)
    exact = 1.01 * high * np.log(0.75 / (1.0 - staying))
    assert above.lower[0] <= exact + 1e-12 and exact - 1e-12 <= above.upper[0]
    with pytest.raises(maxent.ConfigError, match=r"finite above the critical temperature"):
        maxent.solve(mdp, 0.9 * low, prior=prior)


def test_a_mask_is_no_prior():
    """A third action that nobody has: the refusal names the same critical temperature, below."""
    mdp = student()
    masked = maxent.MDP(
        np.concatenate([mdp.transition, mdp.transition[:, :1]], axis=1),
        np.concatenate([mdp.reward, mdp.reward[:, :1]], axis=1),
        discount=1.0,
        terminal=mdp.terminal,
        action_mask=np.concatenate([mdp.action_mask, mdp.action_mask[:, :1] & False], axis=1)
        | mdp.terminal[:, None],
    )
    assert masked.log_mask is not None
    with pytest.raises(maxent.ConfigError, match=r"below the critical temperature.*1\.33275540"):
        maxent.solve(masked, 5.0)


def test_a_bound_that_is_none_is_said_to_be_none():
    with pytest.warns(maxent.MaxEntWarning, match="; no bound on the error is certified$"):
        solution = maxent.soft_value_iteration(student(), 1.3327, max_iterations=20)
    assert solution.error_bound == np.inf


def test_no_component_no_critical_temperature():
    mdp = maxent.MDP([[[0.0, 1.0]]] * 2, [1.0, 0.0], discount=1.0, terminal=[1])
    assert maxent.critical_temperature(mdp) == (np.inf, np.inf)
    assert maxent.critical_temperature(mdp, prior=[1.0]) == (0.0, 0.0)
    assert maxent.critical_temperature(frozen_lake()) == (0.0, 0.0)


def test_frozen_lake_at_temperature_0():
    """Among its free loops the Bellman equation alone has many solutions; the value is 14/17."""
    mdp = frozen_lake()
    for solver in SOLVERS.values():
        solution = solver(mdp, 0.0)
        assert solution.lower[0] <= 14 / 17 <= solution.upper[0]
        assert solution.converged and solution.policy_bound < 1e-8
    earned = maxent.soft_policy_evaluation(mdp, solution.policy, 0.0)
    assert earned.v[0] == pytest.approx(14 / 17, abs=1e-9)
    for temperature in (0.1, 1e-9, 1e-300):
        with pytest.raises(maxent.ConfigError, match=r"infinite.*states 0, 1, 2, 3 .*every temp"):
            maxent.solve(mdp, temperature)


def test_to_stay_for_ever_at_no_cost_can_be_best():
    transition = [[[1.0, 0.0], [0.0, 1.0]]] * 2
    for leaving, best in ((-5.0, 0.0), (3.0, 3.0)):
        mdp = maxent.MDP(transition, [[0.0, leaving]] * 2, discount=1.0, terminal=[1])
        solution = maxent.solve(mdp, 0.0)
        assert solution.v[0] == pytest.approx(best, abs=1e-12) and solution.policy_bound < 1e-9
    no_end = maxent.MDP(np.ones((1, 2, 1)), [[0.0, 0.0]], discount=1.0)
    assert maxent.solve(no_end, 0.0).v.tolist() == [0.0]


def test_a_loop_that_pays_and_costs_the_same_is_refused_by_name():
    """-1 there, +1 back: gain 0, and rewards that are not 0 on the way."""
    transition = np.zeros((3, 2, 3))
    transition[0, 0, 1] = transition[1, 0, 0] = transition[0, 1, 2] = transition[1, 1, 2] = 1.0
    mdp = maxent.MDP(transition, [[-1, 0], [1, 0], [0, 0]], discount=1.0, terminal=[2])
    with pytest.raises(maxent.ConfigError, match=r"no value can be certified.*states 0, 1 can"):
        maxent.solve(mdp, 0.0)


@pytest.mark.parametrize("seed", range(12))
def test_infinite_problems_are_refused_by_name(seed):
    """Any MDP without terminal states, and a way out of one state: infinite just where its gain is
    not below 0."""
    rng = np.random.default_rng(seed)
    inner = maxent.garnet(5, 2, discount=0.5, branching=3, seed=seed).to_dense()
    temperature = float(rng.choice([0.0, 1e-6, 0.3]))
    gain = maxent.average_reward(inner, temperature)
    for shift, finite in ((gain.upper + 1e-3, True), (gain.lower - 1e-3, False)):
        transition, reward = np.zeros((6, 3, 6)), np.zeros((6, 3))
        transition[:5, :2, :5], reward[:5, :2] = inner.transition, inner.reward - shift
        transition[0, 2, 5] = 1.0
        mask = np.ones((6, 3), dtype=bool)
        mask[1:5, 2] = False
        mdp = maxent.MDP(transition, reward, discount=1.0, terminal=[5], action_mask=mask)
        if not gain.converged:
            continue
        if finite:
            assert maxent.solve(mdp, temperature).converged
        else:
            for solver in (
                maxent.solve,
                maxent.soft_value_iteration,
                maxent.modified_soft_policy_iteration,
            ):
                with pytest.raises(maxent.ConfigError, match=r"infinite, since state"):
                    solver(mdp, temperature, max_iterations=3)  # too few to find out by sweeps


@pytest.mark.parametrize("label", SOLVERS)
@pytest.mark.parametrize("temperature", [0.0, 1e-6, 0.1, 10.0])
def test_a_discount_is_a_chance_to_end(label, temperature):
    """gamma P, and a terminal state with 1 - gamma: at discount 1 the same values."""
    mdp = maxent.garnet(8, 3, discount=0.875, seed=3, masked=0.2, transition_rewards=True)
    transition = np.zeros((9, 3, 9))
    transition[:8, :, :8], transition[:8, :, 8] = mdp.discount * mdp.transition, 1 - mdp.discount
    transition[:8] /= transition[:8].sum(axis=2, keepdims=True)
    mask = np.vstack([mdp.action_mask, np.ones((1, 3), dtype=bool)])
    reward = np.vstack([mdp.reward, np.zeros((1, 3))])
    ending = maxent.MDP(transition, reward, discount=1.0, terminal=[8], action_mask=mask)
    one, other = SOLVERS[label](ending, temperature), maxent.solve(mdp, temperature)
    error = one.error_bound + other.error_bound + 1e-13 * np.abs(other.v).max()
    np.testing.assert_allclose(one.v[:8], other.v, rtol=0.0, atol=error)
    np.testing.assert_allclose(one.policy[:8], other.policy, atol=1e-6)


@pytest.mark.parametrize("temperature", [0.0, 1e-12, 0.02])
def test_both_inequalities_hold(temperature):
    """T L >= L and T U <= U, which is all that the bounds rest on."""
    mdp = maxent.gridworld("four-rooms", slip=0.1, discount=1.0)
    solution = maxent.solve(mdp, temperature)
    lower = maxent.soft_value(maxent.backup(mdp, solution.lower), temperature, mdp.log_mask)
    upper = maxent.soft_value(maxent.backup(mdp, solution.upper), temperature, mdp.log_mask)
    inner = ~mdp.terminal
    assert (lower >= solution.lower)[inner].all() and (upper <= solution.upper)[inner].all()
    assert (solution.lower <= solution.v).all() and (solution.v <= solution.upper).all()


def test_a_large_map_takes_seconds():
    solution = maxent.solve(maxent.gridworld("open-60x60", slip=0.1, discount=1.0), 0.02)
    assert solution.converged and solution.seconds < 20.0 and solution.iterations < 30


def test_options_are_honoured():
    mdp, seen = maxent.gridworld("four-rooms", slip=0.1, discount=1.0), []
    solution = maxent.solve(mdp, 0.02, callback=seen.append)
    assert [each.iteration for each in seen] == list(range(1, len(seen) + 1))
    assert seen[-1].error_bound < np.inf and len(seen) in (solution.iterations, len(seen))
    with pytest.warns(maxent.MaxEntWarning, match="max_iterations = 1 reached"):
        short = maxent.soft_value_iteration(mdp, 0.02, max_iterations=1)
    assert short.status == "max_iterations" and (short.lower <= solution.upper).all()
    with pytest.warns(maxent.MaxEntWarning, match="float64 can do no more"):
        stalled = maxent.solve(mdp, 0.02, tolerance=1e-17)
    assert stalled.status == "stalled" and stalled.error_bound < 1e-11
    again = maxent.solve(mdp, 0.02, v0=solution.v)
    assert again.iterations <= 3 and np.abs(again.v - solution.v).max() <= 2e-9

    def stop(iteration):
        raise KeyboardInterrupt

    assert maxent.solve(mdp, 0.02, callback=stop).status == "interrupted"


def test_what_is_no_first_exit_problem_is_refused():
    mdp = maxent.gridworld("S.G", discount=1.0)
    with pytest.raises(maxent.ConfigError, match="only the set of all policies"):
        maxent.soft_policy_iteration(mdp, 0.01, policies=maxent.EpsilonFloor(0.1))
    transition = np.zeros((3, 1, 3))
    transition[0, 0, 2] = transition[1, 0, 1] = 1.0
    dead_end = maxent.MDP(transition, [-1.0, -1.0, 0.0], discount=1.0, terminal=[2])
    with pytest.raises(maxent.ConfigError, match=r"from state 1 no terminal state is within reach"):
        maxent.solve(dead_end, 0.1)
    leaky = maxent.MDP([[[1 - 1e-10]]], [1.0], discount=1.0)
    with pytest.raises(maxent.ModelError, match=r"state 0, action 0 sums to 0\.9999999999"):
        maxent.solve(leaky, 0.0)
    over = maxent.MDP(np.zeros((1, 1, 1)), [0.0], discount=1.0, terminal=[True],
                      initial_distribution=[1.0])  # fmt: skip
    assert maxent.solve(over, 0.1).v.tolist() == [0.0]


def test_end_components_by_hand():
    """0 and 1 exchange; 2 leads to 0 or out; 3 stays, or leads to 2."""
    transition = np.zeros((5, 2, 5))
    transition[0, :, 1] = transition[1, 0, 0] = transition[1, 1, 2] = 1.0
    transition[2, 0, [0, 4]] = 0.5
    transition[2, 1, 0] = transition[3, 0, 3] = transition[3, 1, 2] = 1.0
    mdp = maxent.MDP(transition, np.zeros((5, 2)), discount=1.0, terminal=[4])
    pairs = Pairs.of(mdp, 0.0, None, ~mdp.terminal)
    found = [(part.states.tolist(), np.flatnonzero(part.kept).tolist()) for part in
             end_components(pairs)]  # fmt: skip
    assert found == [([0, 1, 2], [0, 1, 2, 3, 5]), ([3], [6])]
    reached, chosen = reaching(pairs)
    assert reached.all() and chosen.tolist() == [0, 3, 4, 7]


def test_a_long_corridor_of_ways_out_has_no_component():
    """The last state leaks, so that each in turn is no place to stay."""
    n = 400
    transition = np.zeros((n + 1, 1, n + 1))
    transition[np.arange(n), 0, np.arange(1, n + 1)] = 0.5
    transition[np.arange(n), 0, np.maximum(np.arange(n) - 1, 0)] += 0.5
    mdp = maxent.MDP(transition, np.zeros(n + 1), discount=1.0, terminal=[n])
    assert end_components(Pairs.of(mdp, 0.0, None, ~mdp.terminal)) == []
