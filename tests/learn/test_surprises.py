"""What notebooks 0 to 5 reveal and print, computed by another route, to the digits shown."""

import numpy as np
import pytest
from scipy.special import logsumexp, softmax

import maxent
from maxent.theorems import counterexamples

FIELD = "S.......\n" + "........\n" * 6 + ".......G"


def plain(mdp, alpha, sweeps=600):
    """V, Q and policy by so many sweeps of NumPy, from V = 0."""
    p, r, alive = mdp.to_dense().transition, mdp.reward, ~mdp.terminal
    v = np.zeros(mdp.n_states)
    for _ in range(sweeps):
        q = r + mdp.discount * p @ v
        v = alive * (q.max(1) if alpha == 0 else alpha * logsumexp(q / alpha, axis=1))
    if alpha:
        return v, q, softmax(q / alpha, axis=1)
    best = np.isclose(q, q.max(1, keepdims=True), atol=1e-9)
    return v, q, best / best.sum(1, keepdims=True)


def walked(mdp, policy, steps, discount=1.0):
    """The probability of having arrived within so many steps, each arrival times discount^t."""
    chain = np.einsum("sa,sat->st", policy, mdp.to_dense().transition)
    where, arrived = mdp.initial_distribution.copy(), 0.0
    for t in range(1, steps + 1):
        where = where @ chain
        arrived += discount**t * where[mdp.terminal].sum()
        where[mdp.terminal] = 0.0
    return arrived


def nats_of(policy):
    return -np.sum(policy * np.log(np.maximum(policy, 1e-300)), axis=-1)


@pytest.fixture(scope="module")
def rooms():
    return maxent.gridworld("four-rooms", slip=0.1, discount=0.95)


def test_0_values_rise_while_arrivals_fall(rooms):
    start, beside = rooms.grid.state_at(1, 1), rooms.grid.state_at(11, 10)
    for alpha, value, arrivals in [
        (0.0, -0.209, 0.3187), (0.02, -0.072, 0.2667), (0.04, 0.317, 0.0406), (0.1, 1.973, 0.0000)
    ]:  # fmt: skip
        v, _, policy = plain(rooms, alpha)
        assert v[start] == pytest.approx(value, abs=5e-4)
        assert walked(rooms, policy, 600, 0.95) == pytest.approx(arrivals, abs=5e-5)
    assert policy[beside].argmax() == rooms.action_names.index("left")
    assert policy[beside, 3] == pytest.approx(0.51, abs=5e-3)


def test_0_the_hard_agent_arrives_surely_after_22_steps(rooms):
    _, _, policy = plain(rooms, 0.0)
    arrived = [walked(rooms, policy, steps) for steps in range(100)]
    assert walked(rooms, policy, 600) == pytest.approx(1.0, abs=1e-9)
    assert np.sum(1.0 - np.array(arrived)) == pytest.approx(22.4, abs=0.05)  # the mean of the time


def test_0_where_it_turns_away(rooms):
    beside, goal = rooms.grid.state_at(11, 10), rooms.grid.state_at(11, 11)
    into = rooms.to_dense().transition[beside, :, goal]
    for turning, weights in [(0.060035, np.eye(4)[1]), (0.058745, into)]:  # chosen; entered
        sides = [plain(rooms, turning + off)[2][beside] @ weights - 0.5 for off in (-5e-6, 5e-6)]
        assert sides[0] > 0 > sides[1]


def test_1_copies_vote_and_an_average_falls():
    for n, probability, value in [
        (1, 0.881, 1.06), (3, 0.711, 1.17), (10, 0.425, 1.43), (100, 0.0688, 2.34)
    ]:  # fmt: skip
        assert np.exp(2) / (np.exp(2) + n) == pytest.approx(probability, abs=5e-4)
        assert 0.5 * np.log(np.exp(2) + n) == pytest.approx(value, abs=5e-3)
    for second, average, soft in [(0.0, 0.9933, 1.0013), (0.3, 0.9795, 1.0060)]:
        w, u = np.exp(5.0), np.exp(5.0 * second)
        assert (w + u * second) / (w + u) == pytest.approx(average, abs=5e-5)
        assert 0.2 * np.log(w + u) == pytest.approx(soft, abs=5e-5)
    assert 0.1 / np.log(9) == pytest.approx(0.0455, abs=5e-5)


def test_2_the_textbook_grid():
    book = maxent.gridworld("sutton-barto-4x4")
    chain = np.einsum("sat->st", book.to_dense().transition) / 4
    chain[book.terminal] = 0.0
    cost = np.where(book.terminal, 0.0, -1.0)
    v = np.linalg.solve(np.eye(book.n_states) - chain, cost)
    assert sorted(set(v[~book.terminal].round(6))) == [-22, -20, -18, -14]


def test_2_a_random_walk_overtakes_the_hard_optimum(rooms):
    def line(policy):
        chain = np.einsum("sa,sat->st", policy, rooms.to_dense().transition)
        chain[rooms.terminal] = 0.0
        d = np.linalg.solve(np.eye(104) - 0.95 * chain.T, rooms.initial_distribution)
        d[rooms.terminal] = 0.0
        return d @ (policy * rooms.reward).sum(1), d @ nats_of(policy)

    (r1, h1), (r2, h2) = line(plain(rooms, 0.0)[2]), line(np.full((104, 4), 0.25))
    assert (r1, h1, r2, h2) == pytest.approx((-0.21, 0.29, -0.80, 27.7), abs=0.03)
    assert (r1 - r2) / (h2 - h1) == pytest.approx(0.0215, abs=5e-5)


def test_2_the_entropy_without_its_discount(rooms):
    policy = plain(rooms, 0.02)[2]
    nats = np.where(rooms.terminal, 0.0, nats_of(policy))
    p, found = rooms.to_dense().transition, []
    for factor in (0.95, 1.0):  # the discount of the next entropy: right, and left out
        q = np.zeros((104, 4))
        for _ in range(700):
            v = np.where(rooms.terminal, 0.0, (policy * q).sum(1))
            q = rooms.reward + 0.95 * p @ v + factor * 0.1 * p @ nats
        found.append(q[~rooms.terminal])
    assert np.abs(found[1] - found[0]).max() == pytest.approx(0.0582, abs=5e-5)
    assert (found[0].argmax(1) != found[1].argmax(1)).sum() == 2


def test_3_stopping_on_the_change():
    k = int(np.ceil(np.log(1e-3) / np.log(0.999)))  # the first sweep k + 1 that changes by 0.999^k
    assert 1000 * 0.999 ** (k + 1) == pytest.approx(0.9983, abs=5e-4)


def test_3_a_hopeless_iterate_and_its_middle():
    mdp = maxent.gridworld("four-rooms", slip=0.1, discount=0.9999, goals="absorbing")
    before, v = plain(mdp, 0.05, 75)[0], plain(mdp, 0.05, 76)[0]
    b = v - before
    middle = v + 9999 * (b.min() + b.max()) / 2
    later = plain(mdp, 0.05, 200)[0]
    c = plain(mdp, 0.05, 201)[0] - later
    exact = later + c + 9999 * (c.min() + c.max()) / 2  # its own interval is 1e-10 wide
    assert np.abs(v - exact).max() == pytest.approx(688, abs=0.5)
    assert np.abs(middle - exact).max() == pytest.approx(4.7e-7, abs=5e-9)


def test_4_what_mixes_faster_where_the_agent_is_far_sighted():
    second = {}
    for discount in (0.9, 0.99, 0.999, 0.9999):
        world = maxent.gridworld("four-rooms", slip=0.1, discount=discount, goals="absorbing")
        policy = maxent.solve(world, 0.05).policy
        chain = np.einsum("sa,sat->st", policy, world.to_dense().transition)
        second[discount] = np.sort(np.abs(np.linalg.eigvals(chain)))[-2]
    assert second.pop(0.9) == pytest.approx(0.99, abs=5e-3)
    assert max(second.values()) == pytest.approx(0.64, abs=5e-3)


def test_4_five_steps_tried_at_the_optimum():
    mdp = maxent.gridworld("S..#\n...G", slip=0.1, discount=0.9, goals="absorbing")
    v, q, best = plain(mdp, 0.2)
    steps = [
        np.eye(4)[q.argmax(1)], softmax(q, axis=1), softmax((q - v[:, None]) / 0.2, axis=1),
        0.5 * best + 0.5 * softmax(q / 0.2, axis=1), softmax(np.log(best) + q / 0.2, axis=1),
    ]  # fmt: skip
    stays = [bool(np.abs(step - best).max() < 1e-9) for step in steps]
    assert stays == [False, False, True, True, False]


def test_4_a_shared_parameter_makes_every_state_worse():
    numbers = counterexamples.ALL["NOT-TIED-IMPROVED"]().numbers
    assert numbers["change in the state that loses least"] == pytest.approx(-20.3, abs=0.05)
    assert numbers["change in the state that loses most"] == pytest.approx(-33.6, abs=0.05)


def test_5_the_optimum_avoids_the_goal():
    mdp = maxent.gridworld(FIELD, discount=0.95, slip=0.1)
    assert walked(mdp, plain(mdp, 0.1)[2], 2000) == pytest.approx(0.2297, abs=5e-5)
    assert walked(mdp, np.full((64, 4), 0.25), 2000) == pytest.approx(0.9983, abs=5e-5)


def test_5_a_constant_is_not_harmless():
    for shift, soft, hard in [(0.0, 1.0, 1), (0.04, 0.955, 1), (0.05, 0.244, 1), (0.1, 0.002, 0)]:
        mdp = maxent.gridworld(FIELD, discount=0.95, slip=0.1, step_reward=-0.04 + shift)
        assert walked(mdp, plain(mdp, 0.03)[2], 100) == pytest.approx(soft, abs=5e-4)
        assert walked(mdp, plain(mdp, 0.0)[2], 100) == pytest.approx(hard, abs=1e-9)
    assert maxent.balance_temperature(maxent.gridworld(FIELD, discount=0.95)) == pytest.approx(
        (1 / 0.95 - 1 + 0.04) / np.log(4)
    )


def test_5_limits(rooms):
    beside = rooms.grid.state_at(11, 10)
    v, _, hot = plain(rooms, 1e6)
    assert np.allclose(hot[beside], [0.173, 0.0, 0.085, 0.741], atol=6e-4)
    balance = (1 / 0.95 - 1 + 0.04) / np.log(4)
    assert balance == pytest.approx(0.06682, abs=5e-6)
    v, _, even = plain(rooms, balance)
    assert np.abs(even - 0.25).max() < 1e-9 and np.abs(v[~rooms.terminal] - 1 / 0.95).max() < 1e-9
    slow = maxent.gridworld("open-10x10", discount=1 - 1e-6)
    cold = plain(slow, 1e-4, 60)[2]
    for cell, probability in [((0, 8), 0.1), ((0, 7), 2 / 11), ((4, 2), 7 / 12)]:
        assert cold[slow.grid.state_at(*cell), 1] == pytest.approx(probability, abs=5e-5)
