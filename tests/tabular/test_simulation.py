"""Rollouts: their intervals hold the exact values, and the samples are those of the MDP."""

import numpy as np
import pytest
from scipy import sparse, stats

import maxent
from maxent.tabular.sampled.sampler import Draws
from maxent.tabular.sampled.simulation import simulate


def everything(discount=0.9, seed=5):
    """Terminal and absorbing states, masks and rewards by transition in one sparse MDP."""
    return maxent.garnet(
        8, 3, discount=discount, branching=3, terminal=1, absorbing=1, masked=0.3, seed=seed,
        transition_rewards=True,
    )  # fmt: skip


def policy_of(mdp, temperature=0.5):
    return maxent.solve(mdp, temperature).policy


def exact_values(mdp, policy, temperature):
    earned, entropy = maxent.policy_return(mdp, policy), maxent.discounted_entropy(mdp, policy)
    return {"return": earned, "entropy": entropy, "objective": earned + temperature * entropy}


@pytest.mark.parametrize("dense", [False, True])
def test_intervals_hold_the_exact_values_as_often_as_they_say(dense):
    mdp = everything().to_dense() if dense else everything()
    policy = policy_of(mdp)
    exact = exact_values(mdp, policy, 0.5)
    runs = [simulate(mdp, policy, episodes=400, seed=seed) for seed in range(100)]
    for quantity, value in exact.items():
        found = [run.interval(quantity, temperature=0.5) for run in runs]
        covered = sum(value in interval for interval in found)
        assert 90 <= covered <= 99, (quantity, covered)
        # and they are not wide: 1.96 standard deviations of the estimates as they scatter
        means = np.array([interval.mean for interval in found])
        half = np.mean([(interval.high - interval.low) / 2 for interval in found])
        assert 0.75 < half / (1.96 * means.std(ddof=1)) < 1.3
        assert abs(means.mean() - value) < 4 * means.std(ddof=1) / 10


def test_occupancy_intervals_hold_the_exact_occupancy():
    mdp = everything()
    policy = policy_of(mdp)
    exact = maxent.occupancy(mdp, policy)
    covered = []
    for seed in range(100):
        run = simulate(mdp, policy, episodes=800, seed=seed)
        low, high = run.occupancy_interval()
        assert (low <= run.occupancy).all() and (run.occupancy <= high).all()
        covered.append((low <= exact + 1e-12) & (exact - 1e-12 <= high))
    by_pair = np.mean(covered, axis=0)
    assert by_pair.min() >= 0.88 and 0.93 <= by_pair[exact > 0].mean() <= 0.99
    assert by_pair[mdp.terminal].min() >= 0.88  # an arrival counts once, at gamma^t


def test_bootstrap_intervals_cover_too():
    mdp = everything()
    policy = policy_of(mdp)
    exact = maxent.policy_return(mdp, policy)
    runs = [simulate(mdp, policy, episodes=100, seed=seed) for seed in range(60)]
    assert sum(exact in run.interval(method="bootstrap") for run in runs) >= 52
    assert runs[0].interval(method="bootstrap") == runs[0].interval(method="bootstrap")


@pytest.mark.parametrize("horizon", [1, 5, 20])
def test_what_the_horizon_cuts_off_is_inside_the_interval(horizon):
    mdp = maxent.garnet(6, 2, discount=0.95, branching=2, seed=1)
    mdp = mdp.replace(reward=mdp.reward + 3.0)
    policy = policy_of(mdp)
    exact = exact_values(mdp, policy, 0.5)
    run = simulate(mdp, policy, episodes=500, horizon=horizon)
    assert not run.terminated.any() and (run.lengths == horizon).all()
    for quantity, value in exact.items():
        interval = run.interval(quantity, temperature=0.5)
        assert value in interval
        # the part of the samples alone would not hold it
        spread = stats.sem(run.returns if quantity == "return" else run.entropies)
        assert value > interval.mean + 5 * spread
    low, high = run.occupancy_interval()
    exact_visits = maxent.occupancy(mdp, policy)
    assert ((low <= exact_visits) & (exact_visits <= high)).mean() > 0.9
    assert run.occupancy.sum() == pytest.approx((1 - 0.95**horizon) / 0.05, rel=1e-12)


def test_left_alone_the_horizon_leaves_next_to_nothing():
    mdp = maxent.garnet(6, 2, discount=0.95, branching=2, seed=1)
    run = simulate(mdp, policy_of(mdp), episodes=10)
    assert run.discount**run.horizon <= 1e-4 < run.discount ** (run.horizon - 1)
    assert simulate(mdp.replace(discount=0.0), policy_of(mdp), episodes=10).horizon == 1


def test_trajectories_are_those_of_the_mdp():
    mdp = everything()
    policy = policy_of(mdp)
    run = simulate(mdp, policy, episodes=300, seed=3, trajectories=True)
    rows, paid = mdp.transition.toarray(), mdp.transition_reward.toarray()
    assert run.states.shape == (300, run.lengths.max() + 1) == (300, run.actions.shape[1] + 1)
    assert run.terminated.any()
    for i in range(300):
        n = run.lengths[i]
        s, a, r = run.states[i], run.actions[i], run.rewards[i]
        assert (s[n + 1 :] == -1).all() and (a[n:] == -1).all() and np.isnan(r[n:]).all()
        assert (policy[s[:n], a[:n]] > 0).all() and mdp.action_mask[s[:n], a[:n]].all()
        flat = s[:n] * mdp.n_actions + a[:n]
        assert (rows[flat, s[1 : n + 1]] > 0).all()
        np.testing.assert_array_equal(paid[flat, s[1 : n + 1]], r[:n])
        assert not mdp.terminal[s[:n]].any()
        assert mdp.terminal[s[n]] == run.terminated[i]
        assert n == run.horizon or run.terminated[i]
        np.testing.assert_allclose(run.returns[i], r[:n] @ 0.9 ** np.arange(n), atol=1e-12)
    assert simulate(mdp, policy, episodes=3).states is None


def test_transitions_and_actions_have_their_frequencies():
    mdp = everything()
    policy = policy_of(mdp)
    run = simulate(mdp, policy, episodes=4000, trajectories=True)
    taken = run.actions >= 0
    counts = np.zeros((mdp.n_states * mdp.n_actions, mdp.n_states))
    flat = (run.states[:, :-1] * mdp.n_actions + run.actions)[taken]
    np.add.at(counts, (flat, run.states[:, 1:][taken]), 1)
    expected = counts.sum(axis=1, keepdims=True) * mdp.transition.toarray()
    seen = expected > 5
    assert (((counts - expected) ** 2)[seen] / expected[seen]).mean() == pytest.approx(
        0.66, abs=0.35
    )
    chosen = counts.sum(axis=1).reshape(policy.shape)
    wanted = chosen.sum(axis=1, keepdims=True) * policy
    seen = wanted > 5
    assert (np.abs(chosen - wanted)[seen] < 5 * np.sqrt(wanted[seen])).all()
    first = np.bincount(run.states[:, 0], minlength=mdp.n_states)
    assert np.abs(first - 4000 * mdp.initial_distribution).max() < 5 * np.sqrt(4000)


def test_dense_and_sparse_give_the_same_samples():
    mdp = everything()
    policy = policy_of(mdp)
    one = simulate(mdp, policy, episodes=50, seed=2)
    two = simulate(mdp.to_dense(), policy, episodes=50, seed=2)
    np.testing.assert_array_equal(one.lengths, two.lengths)
    np.testing.assert_allclose(one.returns, two.returns, rtol=1e-12)


def test_the_same_seed_gives_the_same_numbers_and_another_does_not():
    mdp = everything()
    policy = policy_of(mdp)
    first, again, other = (simulate(mdp, policy, episodes=50, seed=seed) for seed in (7, 7, 8))
    assert first.returns.tobytes() == again.returns.tobytes()
    assert first.visits.tobytes() == again.visits.tobytes()
    assert first.returns.tobytes() != other.returns.tobytes()


def test_without_a_discount_a_policy_that_ends_needs_no_horizon():
    mdp = maxent.gridworld("sutton-barto-4x4", discount=1.0)
    uniform = np.full((mdp.n_states, 4), 0.25)
    run = simulate(mdp, uniform, episodes=2000, seed=1)
    assert run.terminated.all()
    assert maxent.policy_return(mdp, uniform) in run.interval()
    assert maxent.discounted_entropy(mdp, uniform) in run.interval("entropy")
    cut = simulate(mdp, uniform, episodes=200, horizon=5)
    assert cut.interval().low == -np.inf and np.isfinite(cut.interval().high)
    assert cut.interval("entropy").high == np.inf and np.isfinite(cut.interval("entropy").low)
    assert np.isinf(cut.occupancy_interval()[1]).any()
    up = np.zeros((mdp.n_states, 4))
    up[:, 0] = 1.0
    with pytest.raises(maxent.ConfigError, match="give horizon"):
        simulate(mdp, up, episodes=10)
    near = maxent.gridworld("russell-norvig-4x3")  # discount 1 - 1e-9
    run = simulate(near, policy_of(near, 0.01), episodes=100)
    assert run.terminated.all() and run.horizon < 1e5


def test_episodes_that_all_go_the_same_way_have_a_narrow_interval():
    mdp = maxent.MDP([[[0.0, 1.0]], [[0.0, 1.0]]], [[2.0], [0.0]], discount=0.9, terminal=[1])
    mdp = mdp.replace(initial_distribution=[1.0, 0.0])
    run = simulate(mdp, [1.0], episodes=10)
    assert run.returns.tolist() == [2.0] * 10 and run.lengths.tolist() == [1] * 10
    assert 2.0 in run.interval() and run.interval().high - run.interval().low < 1e-9
    np.testing.assert_allclose(run.occupancy, maxent.occupancy(mdp, [1.0]))
    alone = simulate(mdp, [1.0], episodes=1).interval()
    assert alone.low == -np.inf and alone.high == np.inf and alone.mean == 2.0


def test_starts_in_terminal_states_end_at_once():
    mdp = everything().replace(initial_distribution=[0.25, 0, 0, 0, 0, 0, 0, 0.75])
    policy = policy_of(mdp)
    run = simulate(mdp, policy, episodes=1000, trajectories=True)
    born = run.states[:, 0] == 7
    assert 650 < born.sum() < 850
    assert (run.lengths[born] == 0).all() and run.terminated[born].all()
    assert (run.returns[born] == 0.0).all()
    gap = np.abs(run.occupancy - maxent.occupancy(mdp, policy))
    assert gap[7].sum() < 0.06


def test_entropies_against_a_prior():
    mdp = everything()
    prior = np.array([0.6, 0.3, 0.1]) * mdp.action_mask
    prior /= prior.sum(axis=1, keepdims=True)
    policy = policy_of(mdp)
    run = simulate(mdp, policy, episodes=2000, prior=prior)
    assert maxent.discounted_entropy(mdp, policy, prior) in run.interval("entropy", level=0.999)
    with pytest.raises(maxent.ModelError, match="unavailable"):
        simulate(mdp, policy, episodes=2, prior=np.eye(3)[mdp.action_mask.argmax(axis=1)])


def test_draws_are_by_cumulative_probability_and_never_of_probability_zero():
    rows = sparse.csr_array([[0.0, 0.25, 0.0, 0.75], [1.0, 0, 0, 0], [0, 0, 0, 0], [0.1] * 4])
    draws = Draws(rows)
    uniform = np.array([0.0, 0.2499, 0.25, 1 - 2**-53, 0.0, 1 - 2**-53, 0.0, 0.49, 0.51, 0.76])
    row = np.array([0, 0, 0, 0, 1, 1, 3, 3, 3, 3])
    assert draws.outcomes[draws.entries(row, uniform)].tolist() == [1, 1, 3, 3, 0, 0, 0, 1, 2, 3]
    wide = np.random.default_rng(0).dirichlet(np.ones(1001))
    table = Draws(wide[None, :])
    numbers = np.random.default_rng(1).random(200)
    found = table.outcomes[table.entries(np.zeros(200, int), numbers)]
    np.testing.assert_array_equal(found, np.searchsorted(np.cumsum(wide), numbers, side="right"))


def test_bad_arguments_are_refused():
    mdp = everything()
    policy = policy_of(mdp)
    for wrong in ({"episodes": 0}, {"episodes": 2.5}, {"horizon": 0}, {"seed": -1}, {"seed": True}):
        with pytest.raises(maxent.ConfigError, match=next(iter(wrong))):
            simulate(mdp, policy, **({"episodes": 5} | wrong))
    with pytest.raises(maxent.ModelError, match="policy"):
        simulate(mdp, policy[:, :2], episodes=5)
    run = simulate(mdp, policy, episodes=5)
    with pytest.raises(maxent.ConfigError, match="did you mean 'entropy'"):
        run.interval("entropi")
    with pytest.raises(maxent.ConfigError, match="did you mean 'student'"):
        run.interval(method="studnt")
    for level in (0.0, 1.0, float("nan")):
        with pytest.raises(maxent.ConfigError, match="level"):
            run.interval(level=level)
        with pytest.raises(maxent.ConfigError, match="level"):
            run.occupancy_interval(level)
    with pytest.raises(maxent.MemoryBudgetError, match="1000000000000 episodes"):
        simulate(mdp, policy, episodes=10**12)
    assert "episodes" in repr(run) and "95%" in str(run.interval())
