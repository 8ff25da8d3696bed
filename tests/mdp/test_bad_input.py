"""Every bad input gets an error that says where, what, and what to do.  (Maps: test_gridworlds.)"""

import math

import numpy as np
import pytest
from scipy import sparse

import maxent


def good(**changes):
    rng = np.random.default_rng(0)
    settings = {
        "transition": rng.dirichlet(np.ones(4), size=(4, 2)),
        "reward": rng.normal(size=(4, 2)),
        "discount": 0.9,
    }
    return maxent.MDP(**(settings | changes))


def altered(index, value):
    transition = np.array(good().transition)
    transition[index] = value
    return transition


def both(transition):
    """The same transition dense and sparse: the checks must not depend on the layout."""
    return [transition, sparse.csr_array(transition.reshape(-1, transition.shape[-1]))]


def test_every_error_is_a_maxent_error_and_a_built_in_one():
    for name, builtin in {
        "ModelError": ValueError,
        "ConfigError": ValueError,
        "ToleranceError": ValueError,
        "MapError": ValueError,
        "MemoryBudgetError": MemoryError,
        "OutputExistsError": FileExistsError,
    }.items():
        assert issubclass(getattr(maxent, name), (maxent.MaxEntError,))
        assert issubclass(getattr(maxent, name), builtin)


def test_a_row_that_sums_to_less_than_one_is_refused_and_never_renormalised():
    for transition in both(altered((2, 1), good().transition[2, 1] * 0.9)):
        with pytest.raises(
            maxent.ModelError, match=r"state 2, action 1 sum to 0\.(9|89999).*1e-09"
        ):
            good(transition=transition)


def test_a_row_off_by_rounding_is_accepted():
    row = np.array(good().transition[2, 1])
    row[0] += 2e-16
    for transition in both(altered((2, 1), row)):
        assert good(transition=transition).n_states == 4


@pytest.mark.parametrize("action", [0, 1])
def test_a_negative_probability_in_any_action(action):
    for transition in both(altered((3, action), [1.5, -0.5, 0.0, 0.0])):
        with pytest.raises(
            maxent.ModelError, match=rf"to state 1 from state 3, action {action}.*-0\.5"
        ):
            good(transition=transition)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_and_infinity_in_transitions(value):
    for transition in both(altered((1, 0, 2), value)):
        with pytest.raises(maxent.ModelError, match="to state 2 from state 1, action 0"):
            good(transition=transition)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_in_rewards(value):
    reward = np.array(good().reward)
    reward[2, 1] = value
    with pytest.raises(maxent.ModelError, match="reward at state 2, action 1"):
        good(reward=reward)
    if value == -np.inf:
        with pytest.raises(maxent.ModelError, match="action_mask"):
            good(reward=reward)
    with pytest.raises(maxent.ModelError, match="state 1"):
        good(reward=np.array([0.0, value, 0.0, 0.0]))
    samples = sparse.csr_array(good().transition.reshape(8, 4))
    samples.data[5] = value
    with pytest.raises(maxent.ModelError, match="state 0, action 1, next state 1"):
        good(
            transition=sparse.csr_array(good().transition.reshape(8, 4)),
            reward=None,
            transition_reward=samples,
        )


def test_a_state_without_an_available_action():
    mask = np.ones((4, 2), dtype=bool)
    mask[3] = False
    with pytest.raises(maxent.ModelError, match="state 3 has no available action"):
        good(action_mask=mask)


@pytest.mark.parametrize("value", [np.nan, 1.5, -0.1, True, "0.9", None, 1j, [0.9]])
def test_discounts(value):
    with pytest.raises(maxent.ConfigError, match=r"discount.*\[0, 1\]"):
        good(discount=value)


@pytest.mark.parametrize(
    "solver",
    [
        maxent.solve,
        maxent.soft_value_iteration,
        maxent.soft_policy_iteration,
        maxent.modified_soft_policy_iteration,
    ],
)
def test_an_optimum_at_discount_1_needs_an_end(solver):
    with pytest.raises(maxent.ConfigError, match=r"no terminal state.*maxent\.finite_horizon"):
        solver(good(discount=1), 0.5)
    assert maxent.finite_horizon(good(discount=1), 0.5, 3).v.shape == (4, 4)


@pytest.mark.parametrize("value", [np.nan, -1, -0.0001, 1e-310, np.inf, 1e16, True, "1", None])
def test_temperatures(value):
    mdp = good()
    policy = np.full((4, 2), 0.5)
    for call in (
        lambda: maxent.solve(mdp, value),
        lambda: maxent.soft_policy_evaluation(mdp, policy, value),
        lambda: maxent.finite_horizon(mdp, value, 2),
        lambda: maxent.verify(mdp, value),
    ):
        with pytest.raises(maxent.ConfigError, match=r"temperature.*hard maximum"):
            call()


def test_integer_and_numpy_scalars_are_numbers():
    mdp = good(discount=np.float32(0.5))
    one = maxent.solve(mdp, 1).v
    np.testing.assert_array_equal(one, maxent.solve(mdp, np.int64(1)).v)
    np.testing.assert_array_equal(
        one, maxent.solve(mdp, np.float64(1.0), max_iterations=np.int32(99)).v
    )


@pytest.mark.parametrize("value", [0, -1e-3, np.nan, np.inf, True, "1e-6"])
def test_tolerances(value):
    with pytest.raises(maxent.ConfigError, match="tolerance"):
        maxent.solve(good(), 0.5, tolerance=value)


def test_a_tolerance_below_the_floor_names_the_floor():
    with pytest.raises(maxent.ToleranceError, match=r"1e-17.*below what float64 can certify.*e-1"):
        maxent.solve(good(), 0.5, tolerance=1e-17)


@pytest.mark.parametrize("value", [0, -1, 2.5, True, "10", np.nan])
def test_iteration_limits(value):
    with pytest.raises(maxent.ConfigError, match="max_iterations"):
        maxent.solve(good(), 0.5, max_iterations=value)


def test_rewards_that_would_overflow():
    with pytest.raises(maxent.ModelError, match="overflow"):
        good(reward=np.full((4, 2), 1e308))
    with pytest.raises(maxent.ModelError, match="overflow"):
        good(reward=np.full((4, 2, 4), -1e308))
    large = maxent.solve(good(reward=1e280 * np.sign(good().reward)), 1.0)
    assert large.converged and np.isfinite(large.v).all()


def test_a_dense_request_beyond_memory_is_refused_before_it_is_made():
    mdp = maxent.gridworld("open-400x400", discount=0.9)
    with pytest.raises(maxent.MemoryBudgetError, match=r"1525\.\d+ GiB.*limit.*use sparse"):
        mdp.to_dense()
    with pytest.raises(maxent.MemoryBudgetError, match="GiB"):
        maxent.garnet(200_000, 4, discount=0.9)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"transition": np.zeros((4, 2, 3))}, r"\(4, 2, 3\).*\(S, A, S\)"),
        ({"transition": np.zeros((4, 4))}, r"\(4, 4\)"),
        ({"transition": np.zeros((0, 2, 0))}, r"\(0, 2, 0\)"),
        ({"transition": np.zeros((2, 4, 4))}, "from_action_first"),
        ({"transition": np.full((4, 2, 4), 0.25, dtype=complex)}, "complex128"),
        ({"transition": np.full((4, 2, 4), None)}, "object"),
        ({"transition": [[[1.0], [1.0, 0.0]]]}, "rectangular"),
        ({"transition": "P"}, "transition = 'P' is a str, no array"),
        ({"transition": sparse.eye_array(4, 3)}, r"\(S\*A, S\)"),
        ({"reward": np.zeros((2, 4))}, r"reward has shape \(2, 4\)"),
        ({"reward": np.zeros((4, 2, 2))}, r"\(4, 2, 2\)"),
        ({"reward": np.zeros((4, 2), dtype=object)}, "object"),
        ({"reward": None}, "exactly one of reward and transition_reward"),
        ({"transition_reward": sparse.eye_array(4)}, "exactly one"),
        ({"reward": None, "transition_reward": sparse.eye_array(8, 4)}, "sparse transitions"),
        ({"action_mask": np.ones((2, 4), dtype=bool)}, r"action_mask has shape \(2, 4\)"),
        ({"action_mask": np.ones((4, 2))}, "float64; give booleans"),
        ({"terminal": np.ones(3, dtype=bool)}, r"terminal.*\(4,\)"),
        ({"terminal": np.ones(4, dtype=bool)}, "every state is terminal"),
        ({"initial_distribution": np.ones(4)}, "sums to 4"),
        ({"initial_distribution": [1.5, -0.5, 0, 0]}, "state 1 is -0.5"),
        ({"initial_distribution": [0.5, 0.5]}, r"\(2,\)"),
        ({"initial_distribution": [np.nan, 1, 0, 0]}, "state 0"),
        ({"state_names": ["a"]}, "state_names has 1 entries; it must have 4"),
        ({"action_names": "ab"}, "action_names"),
        ({"grid": "map"}, "grid"),
        ({"reward": np.ma.masked_equal(np.eye(4, 2), 1.0)}, "masked entries"),
    ],
)
def test_shapes_and_types(changes, words):
    with pytest.raises(maxent.ModelError, match=words):
        good(**changes)


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (np.full((2, 4), 0.25), r"policy has shape \(2, 4\)"),
        (np.full((4, 2), 0.4), "state 0 sums to 0.8"),
        ([[1.5, -0.5]] * 4, "state 0, action 1 is -0.5"),
        ([[np.nan, 1.0]] * 4, "state 0, action 0 is nan"),
        ([[1.0, 0.0]] * 3 + [[0.0, 1.0]], "gives probability 1.0 to action 1 of state 3"),
        ("uniform", "policy = 'uniform' is a str, no array"),
    ],
)
def test_policies_and_priors(policy, words):
    mask = np.ones((4, 2), dtype=bool)
    mask[3, 1] = False
    mdp = good(action_mask=mask)
    with pytest.raises(maxent.ModelError, match=words):
        maxent.soft_policy_evaluation(mdp, policy, 0.5)
    with pytest.raises(maxent.ModelError, match=words.replace("policy", "prior")):
        maxent.solve(mdp, 0.5, prior=policy)


def test_a_policy_that_leaves_the_prior_has_no_finite_value():
    with pytest.raises(maxent.ModelError, match="unavailable"):
        maxent.soft_policy_evaluation(good(), np.full((4, 2), 0.5), 0.5, prior=[1.0, 0.0])


@pytest.mark.parametrize("v0", [np.zeros(3), np.full(4, np.nan), np.full(4, 1e308), "zero"])
def test_starts(v0):
    with pytest.raises(maxent.ModelError, match="v0"):
        maxent.solve(good(), 0.5, v0=v0)


@pytest.mark.parametrize("value", ["four-rooms", None, 3])
def test_something_else_in_place_of_an_mdp(value):
    for call in (
        lambda: maxent.solve(value, 0.5),
        lambda: maxent.soft_policy_iteration(value, 0.5),
        lambda: maxent.soft_policy_evaluation(value, [[1.0]], 0.5),
        lambda: maxent.finite_horizon(value, 0.5, 3),
        lambda: maxent.occupancy(value, [[1.0]]),
        lambda: maxent.verify(value, 0.5),
    ):
        with pytest.raises(maxent.MaxEntError, match="MDP"):
            call()


def test_numbers_beyond_float64_and_callbacks_that_cannot_be_called():
    with pytest.raises(maxent.ConfigError, match="discount"):
        good(discount=10**400)
    with pytest.raises(maxent.ConfigError, match="temperature"):
        maxent.solve(good(), 10**400)
    with pytest.raises(maxent.ConfigError, match="cannot be called"):
        maxent.solve(good(), 0.5, callback="print")
    assert good(state_names=(name for name in "abcd")).state_names == ("a", "b", "c", "d")


def test_rows_that_let_values_grow_without_bound():
    transition = good().transition * (1 + 9e-10)
    with pytest.raises(maxent.ModelError, match="too close to 1"):
        maxent.solve(good(transition=transition, discount=1 - 1e-10), 0.5)


def test_messages_show_plain_numbers():
    with pytest.raises(maxent.ModelError) as caught:
        good(transition=altered((2, 1), [0.9, 0.0, 0.0, 0.0]))
    assert "np.float64" not in str(caught.value)
    assert math.isclose(0.9, float(str(caught.value).split("sum to ")[1].split(",")[0]))


# --- tables that people have -----------------------------------------------------------------


@pytest.mark.parametrize("sparsely", [False, True])
def test_a_terminal_state_needs_no_action_and_no_reward(sparsely):
    transition = np.zeros((2, 2, 2))
    transition[0, 0, 0] = transition[0, 1, 1] = 1.0
    rows = both(transition)[sparsely]
    mask = transition.sum(axis=2) > 0  # read off the rows
    for reward in ([1.0, -np.inf], [[1.0, 1.0], [-np.inf, -np.inf]], np.ones((2, 2, 2))):
        mdp = maxent.MDP(rows, reward, discount=0.5, terminal=[1], action_mask=mask)
        assert mdp.reward.tolist() == [[1.0, 1.0], [0.0, 0.0]] and mdp.action_mask[1].all()
        plain = maxent.MDP(rows, [1.0, 0.0], discount=0.5, terminal=[1])
        for temperature in (0.0, 1.0):
            found = maxent.solve(mdp, temperature)
            assert found.v.tolist() == maxent.solve(plain, temperature).v.tolist()
            uniform = np.full((2, 2), 0.5)
            assert maxent.soft_policy_evaluation(mdp, uniform, temperature).converged
    with pytest.raises(maxent.ModelError, match="state 1 has no available action"):
        maxent.MDP(rows, [1.0, 0.0], discount=0.5, action_mask=mask)


@pytest.mark.parametrize("states", [3, 300])
def test_rows_that_were_normalised_in_float32(states):
    rng = np.random.default_rng(1)
    weights = rng.random((states, 2, states), dtype=np.float32)
    halves = weights / weights.sum(axis=2, keepdims=True)
    for each in (*both(halves), *both(halves.astype(float))):
        with pytest.raises(maxent.ModelError, match=r"float32.*\.astype\(float\) before dividing"):
            maxent.MDP(each, np.zeros(states), discount=0.9)
    doubles = halves.astype(float)
    doubles /= doubles.sum(axis=2, keepdims=True)
    mdp = maxent.MDP(doubles, np.zeros(states), discount=0.9)
    assert np.array_equal(mdp.transition, doubles)
    with pytest.raises(maxent.ModelError) as wrong:  # float64 all along
        maxent.MDP(doubles * 0.999999, np.zeros(states), discount=0.9)
    assert "float32" not in str(wrong.value)
    policy = np.full((states, 2), np.float32(0.9))
    policy[:, 1] = np.float32(0.1)
    with pytest.raises(maxent.ModelError, match=r"\.astype\(float\) before dividing"):
        maxent.soft_policy_evaluation(mdp, policy, 0.1)
    start = np.full(states, np.float32(0.1))
    start[0] = np.float32(1.0) - start[1:].sum(dtype=np.float32)
    if states == 3:
        with pytest.raises(maxent.ModelError, match=r"\.astype\(float\) before dividing"):
            maxent.MDP(doubles, np.zeros(3), discount=0.9, initial_distribution=start)


def test_matrices_of_actions_may_be_sparse_and_dense():
    stay, swap = np.eye(2), np.array([[0.0, 1.0], [1.0, 0.0]])
    dense = maxent.MDP.from_action_first([stay, swap], [0.0, 1.0], discount=0.9)
    objects = np.empty(2, dtype=object)
    objects[:] = [sparse.csr_matrix(stay), sparse.csr_matrix(swap)]
    for mixed in (
        [sparse.csr_array(stay), swap],
        [stay, sparse.csc_array(swap)],
        (sparse.csr_matrix(stay), swap.tolist()),
        objects,
    ):
        for reward in ([0.0, 1.0], [[0.0, 0.0], [1.0, 1.0]]):
            mdp = maxent.MDP.from_action_first(mixed, reward, discount=0.9)
            assert np.array_equal(mdp.to_dense().transition, dense.transition)
            assert np.array_equal(mdp.reward, dense.reward)
        for by_action in (stay, swap):
            paid = maxent.MDP.from_action_first(
                mixed, [by_action, sparse.csr_array(swap)], discount=0.9
            )
            assert paid.reward[:, 1].tolist() == [1.0, 1.0]
        dense_first = maxent.MDP.from_action_first(np.array([stay, swap]), mixed, discount=0.9)
        assert dense_first.reward.tolist() == [[1.0, 1.0], [1.0, 1.0]]
        with pytest.raises(maxent.ModelError, match=r"a list of 2 matrices.*from_action_first"):
            maxent.MDP(mixed, [0.0, 1.0], discount=0.9)
    with pytest.raises(maxent.ModelError, match="shape"):
        maxent.MDP.from_action_first([sparse.csr_array(stay), np.eye(3)], [0.0, 1.0], discount=0.9)
    with pytest.raises(maxent.ModelError, match="action 1"):
        maxent.MDP.from_action_first([sparse.csr_array(stay), [1.0]], [0.0, 1.0], discount=0.9)
