"""Inverse reinforcement learning: gradients, rewards up to shaping, samples, bad input."""

import warnings

import numpy as np
import pytest

import maxent
from maxent.tabular.inverse import empirical_occupancy, recover_reward, remove_shaping
from maxent.tabular.inverse.dual import Dual
from maxent.tabular.inverse.features import design_matrix
from maxent.tabular.inverse.shaping import free_pairs

FEATURES = ["state-action", "state", "arrival", "array"]


def small(seed=1, **settings):
    settings = {"discount": 0.9, "branching": 3, "terminal": 1, "masked": 0.2} | settings
    return maxent.garnet(8, 3, seed=seed, **settings)


def shaped(mdp, seed=0):
    """The reward with a random potential added: r + gamma P Phi - Phi."""
    potential = np.random.default_rng(seed).normal(size=mdp.n_states) * ~mdp.terminal
    change = mdp.discount * mdp.expect(potential) - potential[:, None]
    return mdp.reward + np.where(free_pairs(mdp), change, 0.0)


def demonstrate(mdp, temperature):
    solution = maxent.soft_policy_iteration(mdp, temperature)
    x = maxent.occupancy(mdp, solution.policy)
    return solution, np.where(free_pairs(mdp), x, 0.0)


# -- the dual and its derivatives --------------------------------------------------------------


@pytest.mark.parametrize("temperature", [0.2, 2.0])
def test_the_derivative_of_the_optimum_is_the_occupancy(temperature):
    """SENSITIVITY, by central differences of certified values, one entry at a time."""
    mdp = small()
    _, x = demonstrate(mdp, temperature)
    step = 1e-4
    for state, action in np.argwhere(free_pairs(mdp)):
        ends = []
        for sign in (1, -1):
            reward = mdp.reward.copy()
            reward[state, action] += sign * step
            best = maxent.soft_policy_iteration(mdp.replace(reward=reward), temperature)
            ends.append(mdp.initial_distribution @ best.v)
        assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(x[state, action], abs=3e-6)


@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize("features", FEATURES)
def test_gradient_and_curvature_against_differences(features, dense):
    mdp = small(seed=3)
    mdp = mdp.to_dense() if dense else mdp
    rng = np.random.default_rng(0)
    if features == "array":
        features = rng.normal(size=(8, 3, 4))
    design, _ = design_matrix(mdp, features, free_pairs(mdp))
    dual = Dual(mdp, 0.5, design, demonstrate(mdp, 0.5)[1], strength=0.03)
    weights, direction = rng.normal(size=(2, design.shape[1]))
    value, gradient = dual.value_and_gradient(weights)
    curvature = dual.curvature(weights, direction)
    step = 1e-4
    (above, up), (below, down) = (
        dual.value_and_gradient(weights + sign * step * direction) for sign in (1, -1)
    )
    assert (above - below) / (2 * step) == pytest.approx(gradient @ direction, abs=1e-6)
    np.testing.assert_allclose((up - down) / (2 * step), curvature, atol=1e-6)
    assert direction @ curvature > 0.0
    assert above - value >= step * gradient @ direction  # convex


def test_the_dual_is_a_likelihood():
    """L = -alpha sum x_E log pi_r where x_E obeys the flow equations."""
    mdp = small(seed=4)
    expert = demonstrate(mdp, 0.5)[1]
    other = mdp.replace(reward=np.random.default_rng(1).normal(size=(8, 3)))
    free = free_pairs(mdp)
    design, _ = design_matrix(mdp, "state-action", free)
    dual = Dual(mdp, 0.5, design, expert, 0.0)
    value, _ = dual.value_and_gradient(other.reward[free])
    log_policy = maxent.soft_policy_iteration(other, 0.5).log_policy
    assert value == pytest.approx(-0.5 * (expert[free] * log_policy[free]).sum(), rel=1e-9)


# -- exact demonstrations ----------------------------------------------------------------------


@pytest.mark.parametrize("terminal", [0, 2])
@pytest.mark.parametrize("kind", ["policy", "occupancy"])
def test_a_reward_comes_back_without_its_shaping(kind, terminal):
    mdp = small(seed=5, terminal=terminal)
    solution, x = demonstrate(mdp, 0.5)
    found = recover_reward(mdp, solution.policy if kind == "policy" else x, 0.5)
    assert found.converged and found.mismatch < 1e-8 and found.flow_error < 1e-12
    nonterminal = ~mdp.terminal
    np.testing.assert_allclose(found.policy[nonterminal], solution.policy[nonterminal], atol=1e-6)
    np.testing.assert_allclose(found.occupancy, x, atol=1e-7)
    bare = remove_shaping(mdp, mdp.reward)
    np.testing.assert_allclose(found.reward, bare, atol=1e-5)  # the representative of least norm
    assert np.abs(bare - mdp.reward).max() > 0.1  # which is not the reward itself
    again = maxent.soft_policy_iteration(mdp.replace(reward=bare), 0.5)
    np.testing.assert_allclose(found.solution.v, again.v, atol=1e-5)


def test_against_the_closed_form():
    """r = alpha log pi has value 0 and optimal policy pi: with its shaping removed, the answer."""
    mdp = small(seed=6)
    solution, _ = demonstrate(mdp, 0.4)
    found = recover_reward(mdp, solution.policy, 0.4)
    closed = np.where(free_pairs(mdp), 0.4 * solution.log_policy, 0.0)
    np.testing.assert_allclose(found.reward, remove_shaping(mdp, closed), atol=1e-5)


def test_removing_shaping():
    for mdp in (small(seed=7), small(seed=7).to_dense()):
        bare = remove_shaping(mdp, mdp.reward)
        np.testing.assert_allclose(remove_shaping(mdp, shaped(mdp)), bare, atol=1e-12)
        np.testing.assert_allclose(remove_shaping(mdp, bare), bare, atol=1e-12)
        assert np.abs(shaped(mdp) - mdp.reward).max() > 0.1
        difference = mdp.reward - bare  # orthogonal to what is left: it was a projection
        assert (difference * bare).sum() == pytest.approx(0.0, abs=1e-11)
        policies = [
            maxent.soft_policy_iteration(mdp.replace(reward=r), 0.5).policy
            for r in (mdp.reward, shaped(mdp), bare)
        ]
        np.testing.assert_allclose(policies[1], policies[0], atol=1e-8)
        np.testing.assert_allclose(policies[2], policies[0], atol=1e-8)


def test_a_gridworld_reward_paid_on_arrival():
    """Features by arrival express a gridworld's reward exactly, terminal goal and pit included."""
    mdp = maxent.gridworld("russell-norvig-4x3", discount=0.9)
    solution = maxent.soft_policy_iteration(mdp, 0.2)
    found = recover_reward(mdp, solution.policy, 0.2, features="arrival")
    assert found.weights.shape == (11,)
    np.testing.assert_allclose(
        remove_shaping(mdp, found.reward), remove_shaping(mdp, mdp.reward), atol=1e-5
    )
    np.testing.assert_allclose(
        found.policy[~mdp.terminal], solution.policy[~mdp.terminal], atol=1e-6
    )


def test_a_state_reward_with_deterministic_dynamics():
    mdp = maxent.gridworld("S..\n.#.\n...", discount=0.9, step_reward=0.0)
    true = np.random.default_rng(2).normal(size=mdp.n_states)
    mdp = mdp.replace(reward=true)
    solution, x = demonstrate(mdp, 0.5)
    found = recover_reward(mdp, solution.policy, 0.5, features="state")
    assert found.weights.shape == (8,)
    np.testing.assert_allclose(found.occupancy, x, atol=1e-8)
    bare = [remove_shaping(mdp, r) for r in (found.reward, true)]
    np.testing.assert_allclose(bare[0], bare[1], atol=1e-5)


@pytest.mark.parametrize("by_state", [False, True])
def test_known_features_give_their_weights_back(by_state):
    rng = np.random.default_rng(3)
    mdp = small(seed=8, masked=0.0)
    features = rng.normal(size=(8, 2) if by_state else (8, 3, 2))
    weights = np.array([1.0, -0.5])
    mdp = mdp.replace(reward=features @ weights)
    solution, x = demonstrate(mdp, 0.5)
    found = recover_reward(mdp, solution.policy, 0.5, features=features)
    np.testing.assert_allclose(found.weights, weights, atol=1e-7)
    np.testing.assert_allclose(found.occupancy, x, atol=1e-8)


def test_a_reward_too_simple_still_matches_its_features():
    mdp = small(seed=9)
    policy, x = demonstrate(mdp, 0.5)
    found = recover_reward(mdp, policy.policy, 0.5, features="state")
    np.testing.assert_allclose(found.occupancy.sum(axis=1), x.sum(axis=1), atol=1e-7)
    assert np.abs(found.occupancy - x).max() > 1e-3  # but not each action


def test_regularisation_pulls_towards_zero():
    mdp = small(seed=10)
    policy = demonstrate(mdp, 0.5)[0].policy
    sizes, mismatches = [], []
    for strength in (0.0, 0.01, 1.0):
        found = recover_reward(mdp, policy, 0.5, regularisation=strength)
        sizes.append(np.linalg.norm(found.weights))
        mismatches.append(found.mismatch)
        gap = (found.occupancy - found.demonstrated)[free_pairs(mdp)]
        np.testing.assert_allclose(gap, -strength * found.weights[free_pairs(mdp)], atol=1e-8)
    assert sizes[0] > sizes[1] > sizes[2] and mismatches[0] < mismatches[1] < mismatches[2]


def test_a_deterministic_demonstrator_gets_a_finite_reward():
    mdp = maxent.gridworld("S..\n..G", discount=0.9)
    policy = maxent.solve(mdp, 0.0).policy
    one = np.zeros_like(policy)
    one[np.arange(mdp.n_states), policy.argmax(axis=1)] = 1.0
    found = recover_reward(mdp, one, 0.1, tolerance=1e-4)
    assert found.converged and np.isfinite(found.reward).all() and found.mismatch <= 1e-4
    held = recover_reward(mdp, one, 0.1, regularisation=0.01)
    assert np.abs(held.reward).max() < np.abs(found.reward).max()


# -- episodes ----------------------------------------------------------------------------------


def rollouts(mdp, policy, n, seed):
    return maxent.simulate(mdp, policy, episodes=n, seed=seed, trajectories=True)


def test_the_error_falls_like_one_over_the_square_root_of_n():
    mdp = maxent.garnet(6, 2, discount=0.8, branching=3, seed=3, terminal=1)
    solution, x = demonstrate(mdp, 0.5)
    true = remove_shaping(mdp, mdp.reward)
    sizes = np.array([100, 800, 6_400])
    errors = []
    for n in sizes:
        runs = [recover_reward(mdp, rollouts(mdp, solution.policy, n, s), 0.5) for s in range(8)]
        assert all(run.converged and run.flow_error > 0.0 for run in runs)
        weighted = [np.sqrt((x * (run.reward - true) ** 2).sum()) for run in runs]
        errors.append(np.sqrt(np.mean(np.square(weighted))))
    slope = np.polyfit(np.log(sizes), np.log(errors), 1)[0]
    assert -0.65 < slope < -0.35, (errors, slope)
    assert errors[-1] < 0.05


def test_projection_brings_the_estimate_nearer():
    """An occupancy of this MDP near to the visits is nearer to the truth than they are."""
    mdp = small(seed=12)
    solution, x = demonstrate(mdp, 0.5)
    episodes = rollouts(mdp, solution.policy, 50, 0)
    found = recover_reward(mdp, episodes, 0.5)
    listed = [
        (episodes.states[i, : length + 1], episodes.actions[i, :length])
        for i, length in enumerate(episodes.lengths)
    ]
    raw = empirical_occupancy(mdp, listed)
    assert np.linalg.norm(found.demonstrated - x) < np.linalg.norm(raw - x)
    assert found.demonstrated[free_pairs(mdp)].min() > 0.0
    nonterminal = ~mdp.terminal
    inflow = mdp.discount * (found.demonstrated.ravel() @ mdp.transition_rows)
    np.testing.assert_allclose(
        found.demonstrated.sum(axis=1)[nonterminal],
        (mdp.initial_distribution + inflow)[nonterminal],
        atol=1e-12,
    )
    same = recover_reward(mdp, listed, 0.5)
    np.testing.assert_array_equal(same.reward, found.reward)


def test_counting_visits():
    mdp = maxent.gridworld("S.G", discount=0.5)
    right = mdp.action_names.index("right")
    x = empirical_occupancy(mdp, [([0, 1, 2], [right, right]), ([0], [right])])
    assert x[0, right] == 1.0 and x[1, right] == 0.25 and x.sum() == 1.25


# -- units, rare states, the last digits -------------------------------------------------------


@pytest.mark.parametrize("case", ["policy", "arrival", "episodes", "regularised"])
def test_every_temperature_is_the_same_problem(case):
    """(r, alpha) and (c r, c alpha) have the same policy (SCALE), and so the same iterations."""
    mdp = maxent.gridworld("two-goals")
    expert = maxent.solve(mdp, 0.05).policy
    given = rollouts(mdp, expert, 30, 0) if case == "episodes" else expert
    found = {}
    for temperature in (1e-300, 1e-6, 1.0, 1e6, 1e15):
        settings = {"features": "arrival"} if case == "arrival" else {}
        if case == "regularised":
            settings = {"regularisation": 0.01 / temperature}
        found[temperature] = recover_reward(mdp, given, temperature, **settings)
    one = found[1.0]
    assert one.converged
    for temperature, other in found.items():
        assert (other.status, other.iterations) == ("converged", one.iterations)
        np.testing.assert_allclose(other.reward / temperature, one.reward, atol=1e-6)
        np.testing.assert_allclose(other.policy, one.policy, atol=1e-7)
        assert other.solution.converged
        assert other.solution.error_bound <= 1e-8 * temperature * np.abs(one.solution.v).max()
        if case in ("policy", "arrival"):
            np.testing.assert_allclose(other.policy, expert, atol=1e-7)
    huge = {"features": "arrival", "regularisation": 1e300}
    with pytest.raises(maxent.ConfigError, match="times temperature"):
        recover_reward(mdp, expert, 1e15, **huge)


def long_corridor(advance=0.02):
    """Twelve states in a row, each entered from the one before with a small chance."""
    transition = np.zeros((12, 2, 12))
    for state in range(12):
        transition[state, 0, 0] = 1.0
        transition[state, 1, [0, min(state + 1, 11)]] += [1.0 - advance, advance]
    reward = np.random.default_rng(0).normal(size=(12, 2))
    start = np.eye(12)[0]
    return maxent.MDP(transition, reward, discount=0.9, initial_distribution=start)


@pytest.mark.parametrize("kind", ["policy", "occupancy"])
def test_a_reward_is_found_where_hardly_anybody_goes(kind):
    mdp = long_corridor()
    solution, x = demonstrate(mdp, 0.5)
    assert x.sum(axis=1).min() < 1e-15
    found = recover_reward(mdp, solution.policy if kind == "policy" else x, 0.5)
    assert found.converged and found.iterations == 0
    np.testing.assert_allclose(found.reward, remove_shaping(mdp, mdp.reward), atol=1e-7)
    np.testing.assert_allclose(found.policy, solution.policy, atol=1e-8)


def test_the_result_tells_what_the_tolerance_leaves_open():
    mdp = small(seed=5)
    solution, x = demonstrate(mdp, 0.5)
    found = recover_reward(mdp, solution.policy, 0.5, features="state")
    free = free_pairs(mdp)
    assert found.tolerance == pytest.approx(1e-9 * x.sum())
    np.testing.assert_allclose(found.resolution[free], 0.5 * found.tolerance / x[free])
    assert (found.resolution[~free] == 0.0).all()
    corridor = recover_reward(long_corridor(), np.full((12, 2), 0.5), 0.5)
    assert corridor.resolution.max() > 1.0 > corridor.resolution[0].max()  # of rewards near 1
    nobody = maxent.MDP(np.eye(2)[:, None].repeat(2, 1), np.zeros((2, 2)), discount=0.9,
                        initial_distribution=np.array([1.0, 0.0]))  # fmt: skip
    alone = recover_reward(nobody, np.array([[0.3, 0.7], [0.2, 0.8]]), 1.0)
    assert np.isinf(alone.resolution[1]).all() and np.isfinite(alone.resolution[0]).all()
    np.testing.assert_allclose(alone.policy[1], [0.2, 0.8])


def test_what_is_never_done_gets_a_low_reward_within_the_tolerance():
    mdp = long_corridor()
    never = np.column_stack([np.zeros(12), np.ones(12)])
    rewards = []
    for tolerance in (1e-3, 1e-9):
        found = recover_reward(mdp, never, 0.5, tolerance=tolerance)
        assert found.converged and found.mismatch <= tolerance
        assert np.isfinite(found.reward).all()
        rewards.append((found.reward[:, 1] - found.reward[:, 0]).min())
    assert 0.0 < rewards[0] < rewards[1]


@pytest.mark.parametrize("features", ["state-action", "state", "arrival"])
def test_small_problems_converge_to_the_last_digits(features):
    """Values cannot tell a gradient below the root of their rounding: Newton's method goes on."""
    for seed in range(5):
        mdp = maxent.garnet(4, 2, discount=0.9, seed=seed, branching=2, terminal=seed % 2)
        policy = demonstrate(mdp, 0.3)[0].policy
        settings = {"regularisation": 1e-3} if features == "state-action" else {}
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = recover_reward(mdp, policy, 0.3, features=features, **settings)
            finer = recover_reward(mdp, policy, 0.3, features=features, tolerance=1e-11, **settings)
        assert found.converged and finer.converged
        if not settings:
            assert found.mismatch <= found.tolerance and finer.mismatch <= 1e-11


# -- bad input ---------------------------------------------------------------------------------


def corridor():
    return maxent.gridworld("S.G", discount=0.5)


@pytest.mark.parametrize(
    ("demonstrations", "words"),
    [
        ([], "empty"),
        ([([0, 1], [1, 1, 1])], "2 states and 3 actions"),
        ([([0, 2], [1])], "step 0: state 0 with action 1 never leads to state 2"),
        ([([0, 7], [1])], "hold 7 at step 1; valid are 0 to 2"),
        ([([0, 1], [4])], "actions of episode 0 hold 4"),
        ([([0, 1, 2, 2], [1, 1, 1])], "step 2: state 2 is terminal"),
        ([([0.5, 1], [1])], "whole numbers"),
        (np.ones((3, 3)), r"shape \(3, 3\)"),
        (np.full((3, 4), -1.0), "state 0, action 0"),
        (np.full((3, 4), np.nan), "state 0, action 0"),
        (np.full((3, 4), 5.0), "flow equations"),
        ("policy", "is a str, no array"),
        ([([], [])], "episode 0 has no step"),
        ([([0, 1], [1]), ([0], [])], "episode 1 has no step"),
        ([([2], [])], "hold no visit"),
        (np.zeros((3, 4)), "hold no visit"),
        (np.full((3, 4), 0.5), "all sum to 2; those of a policy must sum to 1"),
        (np.full((3, 4), 0.25 + 1e-8), "divide by the sums"),
    ],
)
def test_demonstrations_that_are_not_of_this_mdp(demonstrations, words):
    with pytest.raises(maxent.ModelError, match=words):
        recover_reward(corridor(), demonstrations, 0.5)


def test_masked_actions_are_refused():
    mdp = small(seed=1)
    state, action = np.argwhere(~mdp.action_mask & ~mdp.terminal[:, None])[0]
    x = demonstrate(mdp, 0.5)[1]
    x[state, action] = 0.1
    with pytest.raises(maxent.ModelError, match="0 where masked"):
        recover_reward(mdp, x, 0.5)
    with pytest.raises(maxent.ModelError, match=f"has no action {action}"):
        recover_reward(mdp, [([state], [action])], 0.5)


def test_a_slightly_wrong_occupancy_warns_with_the_size():
    mdp = small(seed=1)
    x = demonstrate(mdp, 0.5)[1]
    with pytest.warns(maxent.MaxEntWarning, match="breaks the flow equations"):
        found = recover_reward(mdp, 1.01 * x, 0.5)
    assert found.flow_error == pytest.approx(0.01, rel=1e-6)  # one episode's start, in all
    with pytest.raises(maxent.ModelError, match="limit"):
        recover_reward(mdp.replace(discount=0.5), x, 0.5)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"temperature": 0.0}, "temperature = 0"),
        ({"temperature": -1.0}, "temperature"),
        ({"features": "states"}, "did you mean 'state'"),
        ({"regularisation": -1.0}, "regularisation"),
        ({"tolerance": 0.0}, "tolerance"),
        ({"max_iterations": 0}, "max_iterations"),
    ],
)
def test_bad_settings(settings, words):
    policy = np.full((3, 4), 0.25)
    arguments = {"temperature": 0.5} | settings
    with pytest.raises(maxent.ConfigError, match=words):
        recover_reward(corridor(), policy, **arguments)


def test_more_bad_input():
    policy = np.full((3, 4), 0.25)
    endless = maxent.garnet(3, 4, discount=1.0, seed=0)
    with pytest.raises(maxent.ConfigError, match="discount = 1: from state 0 no terminal"):
        recover_reward(endless, policy, 0.5)
    with pytest.raises(maxent.ConfigError, match="discount = 1: no reward was found"):
        recover_reward(
            maxent.gridworld("S..G", discount=1.0),
            np.full((4, 4), 0.25),
            0.5,
            features=np.eye(4)[:, 3:],
        )
    with pytest.raises(maxent.ModelError, match=r"\(S, F\) or \(S, A, F\)"):
        recover_reward(corridor(), policy, 0.5, features=np.ones((2, 4)))
    with pytest.raises(maxent.ModelError, match="finite"):
        recover_reward(corridor(), policy, 0.5, features=np.full((3, 4), np.inf))
    with pytest.raises(maxent.ModelError, match="must be"):
        remove_shaping(corridor(), np.ones(2))
    with pytest.raises(maxent.ModelError, match="trajectories=True"):
        recover_reward(corridor(), maxent.simulate(corridor(), policy, episodes=2), 0.5)
    policy = demonstrate(small(), 0.5)[0].policy
    with pytest.warns(maxent.MaxEntWarning, match="max iterations"):
        short = recover_reward(small(), policy, 0.5, features="state", max_iterations=1)
    assert short.status == "max_iterations" and not short.converged and "mismatch" in repr(short)


def test_nothing_given_is_changed_and_the_result_is_read_only():
    mdp = small()
    policy = demonstrate(mdp, 0.5)[0].policy
    before = policy.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = recover_reward(mdp, policy, 0.5)
    np.testing.assert_array_equal(policy, before)
    with pytest.raises(ValueError, match="read-only"):
        found.reward[0, 0] = 1.0


def test_a_policy_of_the_wrong_sum_is_not_taken_for_a_rough_occupancy():
    """With discount 0.5 and two states, rows near 1 are near to the visits, too."""
    mdp = maxent.MDP(np.full((2, 2, 2), 0.5), np.zeros((2, 2)), discount=0.5)
    with pytest.raises(maxent.ModelError, match=r"all sum to 1\.04"):
        recover_reward(mdp, np.full((2, 2), 0.52), 1.0)
    x = maxent.occupancy(mdp.replace(discount=0.9), np.full((2, 2), 0.5))  # rows all sum to 5
    assert recover_reward(mdp.replace(discount=0.9), x, 1.0).converged


def test_what_is_no_mdp():
    for call in (
        lambda: recover_reward(None, [], 1.0),
        lambda: remove_shaping(None, np.ones(2)),
        lambda: empirical_occupancy(None, [([0], [0])]),
    ):
        with pytest.raises(maxent.ModelError, match="not an MDP"):
            call()


def test_an_episode_that_starts_at_its_end_counts():
    mdp = maxent.gridworld("S.G", discount=0.5)
    right = mdp.action_names.index("right")
    x = empirical_occupancy(mdp, [([0, 1, 2], [right, right]), ([2], [])])
    assert x.sum() == 0.75


def as_people_have_them():
    """The same two episodes in a corridor, in every form, and their visits."""
    mdp = maxent.gridworld("S..G", discount=0.9)
    runs = [[(0, 1, 1), (1, 1, 2), (2, 1, 3)], [(0, 3, 0), (0, 1, 1), (1, 1, 2)]]
    pairs = [([s for s, _, _ in run] + [run[-1][2]], [a for _, a, _ in run]) for run in runs]
    steps = np.array(runs)
    forms = {
        "pairs": pairs,
        "pairs of arrays": [(np.array(s), np.array(a)) for s, a in pairs],
        "steps": runs,
        "arrays of steps": [np.array(run) for run in runs],
        "one array of steps": steps,
        "array of pairs": steps[:, :, :2],
    }
    return mdp, forms, pairs


def test_every_form_of_episodes_has_the_same_visits():
    mdp, forms, pairs = as_people_have_them()
    exact = np.zeros((4, 4))
    for states, actions in pairs:
        for t, action in enumerate(actions):
            exact[states[t], action] += 0.5 * 0.9**t
    for name, form in forms.items():
        np.testing.assert_allclose(empirical_occupancy(mdp, form), exact, err_msg=name)
        found = recover_reward(mdp, form, 0.2, features="state")
        assert found.converged


def test_states_alone_where_one_action_explains_each_step_and_where_several_do():
    mdp, forms, pairs = as_people_have_them()
    walls = [0, 2, 3]  # up, down and (in state 0) left all stay
    alone = [states for states, _ in pairs]
    visits = empirical_occupancy(mdp, alone)
    known = empirical_occupancy(mdp, forms["pairs"])
    np.testing.assert_allclose(visits.sum(axis=1), known.sum(axis=1))
    np.testing.assert_allclose(visits[1:], known[1:])  # right alone leads on
    np.testing.assert_allclose(visits[0, walls], 0.5 / 3.0)
    np.testing.assert_allclose(empirical_occupancy(mdp, np.array(alone)), visits)
    slippery = maxent.gridworld("S..G", discount=0.9, slip=0.2)
    shares = empirical_occupancy(slippery, [[2, 3]])[2]
    chance = slippery.to_dense().transition[2, :, 3]
    np.testing.assert_allclose(shares, chance / chance.sum())


def test_states_alone_recover_a_reward_by_arrival():
    mdp = maxent.gridworld("S..\n.#.\n..G", discount=0.9)
    expert = maxent.solve(mdp, 0.1)
    simulated = maxent.simulate(
        mdp, expert.policy, episodes=4000, horizon=60, seed=0, trajectories=True
    )
    alone = [
        states[: length + 1].tolist()
        for states, length in zip(simulated.states, simulated.lengths, strict=True)
    ]
    found = recover_reward(mdp, alone, 0.1, features="arrival")
    assert found.converged
    earned = maxent.soft_policy_evaluation(mdp, found.policy, 0.1).v
    assert (expert.v - earned).max() < 0.05


@pytest.mark.parametrize(
    "form, words",
    [
        ([[(0, 1, 1), (2, 1, 3)]], "episode 0 is not|begin a new episode|never leads"),
        ([np.array([[0, 1, 1], [2, 1, 3], [2, 1, 3]])], "step 0 ends in state 1, step 1 begins in"),
        ([[(0, 1, 1), (1, 1, 2)]], "episode 0 could be"),
        ([[0, 2]], "episode 0, step 0: state 0 never leads to state 2 in this MDP, whatever"),
        ([(0, 1, 1), (1, 1, 2), (2, 1, 3)], r"could be steps \(s, a, s'\) or episodes of three"),
        ([[0, 1], [1]], "episode 1 has no step"),
        (np.array([[[0, 9]]]), "actions of episode 0 hold 9"),
    ],
)
def test_episodes_that_are_unclear_or_impossible(form, words):
    with pytest.raises(maxent.ModelError, match=words):
        recover_reward(maxent.gridworld("S..G", discount=0.9), form, 0.2)


@pytest.mark.parametrize("features", ["state-action", "arrival"])
def test_at_discount_1_the_policy_comes_back(features):
    """Russell and Norvig's world as printed, below its critical temperature."""
    mdp = maxent.gridworld("russell-norvig-4x3", discount=1.0)
    expert = maxent.solve(mdp, 0.02)
    found = recover_reward(mdp, expert.policy, 0.02, features=features)
    assert found.converged and found.solution.converged
    np.testing.assert_allclose(found.policy[~mdp.terminal], expert.policy[~mdp.terminal], atol=1e-6)
    if features == "state-action":
        np.testing.assert_allclose(found.reward, remove_shaping(mdp, shaped(mdp)), atol=1e-7)


def test_at_discount_1_episodes_are_enough():
    mdp = maxent.gridworld("S..G", discount=1.0)
    expert = maxent.solve(mdp, 0.02)
    simulated = maxent.simulate(
        mdp, expert.policy, episodes=500, horizon=100, seed=0, trajectories=True
    )
    found = recover_reward(mdp, simulated, 0.02, features="arrival")
    assert found.converged
    assert np.abs(found.policy - expert.policy)[~mdp.terminal].max() < 0.05
