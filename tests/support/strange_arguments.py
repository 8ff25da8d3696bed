# mypy: ignore-errors
"""What a stranger passes: an error of our own, or the number that is meant.

`test_arguments.py` runs it in a process of its own: here the types of calls are checked first.
"""

import os
import re

import numpy as np
from scipy import sparse

import maxent

MDP = maxent.garnet(4, 3, discount=0.9, seed=1)
SOLVED = maxent.solve(MDP, 0.5)
Q = np.arange(12.0).reshape(4, 3)


class Own(np.ndarray):
    """As of another library: a matrix, an array with units."""


SHORT = [np.uint8, np.int8, np.uint64, np.int32, np.float16, np.float32, np.longdouble]


def operators_read_any_numbers(kind):
    """Whole numbers wrap around where they are subtracted, and others have other digits."""
    given = Q.astype(kind)
    for name in ("soft_value", "boltzmann_policy", "soft_policy_improvement", "mellowmax"):
        operator = getattr(maxent, name)
        found = operator(given, 0.5)
        assert found.dtype == np.float64
        np.testing.assert_array_equal(found, operator(Q, 0.5))
    np.testing.assert_array_equal(
        maxent.soft_bellman(MDP, given, 1), maxent.soft_bellman(MDP, Q, 1.0)
    )
    np.testing.assert_array_equal(maxent.backup(MDP, given[:, 0]), maxent.backup(MDP, Q[:, 0]))
    for chosen in (maxent.EpsilonFloor(0.1), maxent.EntropyFloor(0.1), maxent.Choices(np.eye(3))):
        np.testing.assert_array_equal(chosen.improve(given, 0.5), chosen.improve(Q, 0.5))


def operators_read_any_arrays():
    for given in (Q.view(Own), Q.tolist(), np.ma.array(Q), Q[::-1].copy()[::-1]):
        found = maxent.boltzmann_policy(given, 0.5)
        assert type(found) is np.ndarray
        np.testing.assert_array_equal(found, maxent.boltzmann_policy(Q, 0.5))


WRONG = [
    (lambda: maxent.soft_bellman(MDP, np.broadcast_to(0.0, 10**9), 0.5), r"q \(1000000000,\)"),
    (lambda: maxent.LinearQuadratic(1, np.zeros((10**6, 1)), 1, 1, 1, discount=0), "needs .* GiB"),
    (lambda: maxent.soft_value(Q, Q), r"temperature = array\(\[\[ 0"),
    (lambda: maxent.simulate(MDP, SOLVED.policy, episodes=2, trajectories="no"), "trajectories = "),
    (lambda: maxent.testing.as_code(MDP, 5), "name = 5 is a int"),
    (lambda: maxent.testing.mdps(discounts=0.9), "discounts = 0.9 is a float; give a list"),
    (lambda: maxent.testing.check_solver(print, temperatures=0.9), "temperatures = 0.9"),
    (lambda: maxent.gridworld(np.broadcast_to("S", (10**6, 10**6)), discount=0.9), "needs .* GiB"),
    (lambda: maxent.gridworld(sparse.csr_array((10**9, 10**9)), discount=0.9), "needs .* GiB"),
    (lambda: MDP.replace(action_names=np.broadcast_to("a", 10**9)), "has 1000000000 entries"),
    (lambda: MDP.replace(state_names="a" * 10**6), "a list of 4 names"),
    (lambda: maxent.tradeoff(MDP, [0.1], progress=Q), "progress = .*; give True or False"),
    (lambda: maxent.solve(MDP, 0.5, engine="torch", device="x" * 10**6), "device = .* cannot"),
    (lambda: maxent.from_simulator(print, discount=0.9, start=[[1]], actions=[0]), "changes"),
    (lambda: maxent.from_simulator(print, discount=0.9, start=0, actions=[[1]]), "changes"),
    (lambda: maxent.soft_value(Q, 0.5, np.broadcast_to(0.0, 10**9)), r"log_prior \(1000000000,\)"),
    (lambda: maxent.soft_value(3.0, 0.5), r"q \(\)"),
    (lambda: maxent.backup(Q, Q[:, 0]), "not an MDP"),
    (lambda: MDP.replace(reward=None, transition=None), "give exactly one"),
    (lambda: maxent.solve(MDP, 0.5, progress=np.zeros(3)), "progress = .*; give True or False"),
    (lambda: maxent.known_answer(MDP, SOLVED.policy, Q[:, 0], 0.5, noise=Q), "noise = "),
    (lambda: maxent.soft_value(Q.astype(complex), 0.5), "dtype complex"),
    (lambda: maxent.soft_value(np.ma.masked_greater(Q, 3.0), 0.5), "masked"),
    (lambda: maxent.soft_value(Q.astype(str), 0.5), "dtype <U"),
    (lambda: maxent.soft_value(sparse.csr_array(Q), 0.5), "q = .* is a csr_array, no array"),
    (lambda: maxent.entropy([[0.5, 0.5], [1.0, 0.0]]), "log_policy holds probabilities"),
    (lambda: maxent.kl_divergence([[0.5, 0.5]], np.log([[0.5, 0.5]])), "holds probabilities"),
    (lambda: maxent.boltzmann_policy(Q, 0.5, Q.T), r"q \(4, 3\), log_prior \(3, 4\)"),
    (lambda: maxent.policy_value(Q, np.zeros((0, 3)), 0.5), r"log_policy \(0, 3\)"),
    (lambda: maxent.backup(MDP, [1.0]), r"v has shape \(1,\); it must be \(4,\)"),
    (lambda: maxent.soft_bellman(MDP, Q[0], 0.5), r"v has shape \(\)"),
    (lambda: maxent.backup(None, [1.0]), "None is a NoneType, not an MDP"),
    (lambda: MDP.expect(np.zeros((4, 1))), r"x has shape \(4, 1\)"),
    (lambda: maxent.soft_value(Q, -1.0), "temperature = -1.0"),
    (lambda: maxent.soft_value(Q, 10**400), "temperature = 1000"),
    (lambda: maxent.soft_value(Q, True), "temperature = True"),
    (lambda: maxent.soft_value(Q, None), "temperature = None"),
    (lambda: maxent.boltzmann_policy(Q, 0.0, None, None), "tie_tolerance = None"),
    (lambda: maxent.tradeoff(MDP, np.ma.array([0.1, 1.0], mask=[True, False])), "masked"),
    (lambda: maxent.tradeoff(MDP, [[1.0], [1.0, 2.0]]), "rectangular"),
    (lambda: maxent.EpsilonFloor(0.1).improve([0.0, 1.0], 0.5), r"q has shape \(2,\)"),
    (lambda: maxent.EntropyFloor([[1.0], [1.0, 2.0]]), "rectangular"),
    (lambda: maxent.MDP(np.array(None, dtype=object), [0.0], discount=0.9), "dtype object"),
    (lambda: maxent.MDP(np.full((1, 1, 1), np.longdouble("1e4000")), [0.0], discount=0.9), "inf"),
    (lambda: maxent.occupancy(MDP, np.full((4, 3), 1e308)), "sums to inf"),
    (lambda: maxent.occupancy(MDP, SOLVED), "policy is a Solution; give its policy"),
    (lambda: maxent.occupancy(MDP, {0: 1.0}), "policy = {0: 1.0} is a dict, no array"),
    (lambda: maxent.occupancy(MDP, np.array([0, 2, 1, 0])), r"make it by np.eye\(3\)\[policy\]"),
    (lambda: maxent.compose(None, 0.5), "mdps = None"),
    (
        lambda: maxent.finite_horizon(MDP, 0.5, horizon=1e1),
        "10.0 is a float; give int.10.0., a whole number",
    ),
    (lambda: maxent.solve_lqr(None, 0.5), "problem = None"),
    (lambda: maxent.MDPEnv(SOLVED), "not an MDP"),
    (lambda: maxent.write_certificate(SOLVED, "x.json"), "is a Solution; give a Enclosure"),
    (lambda: maxent.verify(MDP, 0.5, keys=5), "keys = 5"),
    (lambda: maxent.prove(MDP, 0.5, keys=[5]), r"keys = \[5\]"),
    (lambda: maxent.prove(MDP, 0.5, policies="x"), "policies = 'x'"),
    (lambda: maxent.explore(maxent.gridworld("S.G", discount=0.9), title=5), "title = 5"),
    (lambda: maxent.garnet(10**18, 2, discount=0.9, branching=2), "does not fit|GiB"),
    (lambda: maxent.garnet(4, 2, discount=0.9, seed="x"), "seed = 'x'"),
    (lambda: maxent.garnet(4, 2, discount=0.9, reward_scale=None), "reward_scale = None"),
    (lambda: maxent.garnet(4, 2, discount=0.9, transition_rewards="no"), "give True or False"),
    (lambda: MDP.save("x.npz", overwrite="no"), "overwrite = 'no'"),
    (lambda: MDP.save(None), "output path = None"),
    (lambda: maxent.MDP.load("\ud800.npz"), "cannot be the name of a file"),
    (lambda: maxent.read_model(None, discount=0.9), "path = None"),
    (lambda: maxent.read_map(5), "map file = 5"),
    (lambda: maxent.gridworld("x" * 10**5, discount=0.9), "unknown map 'x"),
    (lambda: maxent.Grid((), [[0, 0]], [[0, 1]]), "give rows of text"),
    (lambda: maxent.Grid(("..",), [[0, 2]], [[0, 1]]), r"cells of state 0 is \[0, 2\]"),
    (lambda: maxent.Grid(("..",), [[0.0, 0.0]], [[0, 1]]), "pairs of whole numbers"),
    (lambda: maxent.Grid(("..",), [[0, 0]], [[0, 1]]).picture([1.0, 2.0]), r"it must be \(1,\)"),
    (lambda: maxent.Grid(("..",), [[0, 0]], [[0, 1]]).draw(["a", "b"]), "states from 0 to 0"),
]


def wrong_arguments(call, words):
    try:
        call()
    except maxent.MaxEntError as error:
        message = str(error)
    else:
        raise AssertionError(f"accepted: {words}")
    assert re.search(words, message), (words, message)
    assert len(message) < 1000
    assert [name for name in os.listdir() if not name.startswith(".said")] == []


def run():
    for kind in SHORT:
        operators_read_any_numbers(kind)
    operators_read_any_arrays()
    for call, words in WRONG:
        wrong_arguments(call, words)
