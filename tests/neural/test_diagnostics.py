"""What `diagnose` says, against agents made by hand whose errors are known.

A linear network of the one-hot state is a table: it holds any q exactly, to the rounding of
float32.  Values, visits and divergences are computed here once more, in NumPy.
"""

import numpy as np
import pytest
import torch
from gymnasium import spaces
from hand_made_agents import ALPHA, GAMMA, ROUNDING, agent_of, by_statement, table_agent
from scipy.special import logsumexp
from scipy.stats import norm

import maxent
from maxent.errors import ConfigError
from maxent.neural.diagnostics import diagnose, policy_on
from maxent.neural.parts.spaces import Spaces


def garnet(terminal=1, masked=0.4):
    return maxent.garnet(
        7, 3, discount=GAMMA, seed=3, branching=3, terminal=terminal, masked=masked
    ).to_dense()


def soft_value(mdp, q, alpha=ALPHA):
    v = alpha * logsumexp(np.where(mdp.action_mask, q, -np.inf) / alpha, axis=1)
    return np.where(mdp.terminal, 0.0, v)


def optimal_q(mdp, alpha=ALPHA):
    """Soft value iteration."""
    q = np.zeros((mdp.n_states, mdp.n_actions))
    for _ in range(600):
        q = mdp.reward + mdp.discount * mdp.transition @ soft_value(mdp, q, alpha)
    return q


def boltzmann(mdp, q, alpha=ALPHA):
    policy = np.exp(
        np.where(mdp.action_mask, q - soft_value(mdp, q, alpha)[:, None], -np.inf) / alpha
    )
    uniform = mdp.action_mask / mdp.action_mask.sum(axis=1, keepdims=True)
    return np.where(mdp.terminal[:, None], uniform, policy)


def value_of(mdp, policy, alpha=ALPHA):
    """V^pi and Q^pi by one linear solve."""
    nonterminal = ~mdp.terminal
    entropy = -np.where(policy > 0.0, policy * np.log(np.where(policy > 0.0, policy, 1.0)), 0.0)
    paid = ((policy * mdp.reward) + alpha * entropy).sum(axis=1) * nonterminal
    moves = np.einsum("sa,sat->st", policy, mdp.transition) * np.outer(nonterminal, nonterminal)
    v = np.linalg.solve(np.eye(mdp.n_states) - mdp.discount * moves, paid)
    return v, mdp.reward + mdp.discount * mdp.transition @ v


def visits_of(mdp, policy):
    """Discounted visits of state-action pairs before an end."""
    nonterminal = ~mdp.terminal
    moves = np.einsum("sa,sat->st", policy, mdp.transition) * np.outer(nonterminal, nonterminal)
    start = mdp.initial_distribution * nonterminal
    return np.linalg.solve(np.eye(mdp.n_states) - mdp.discount * moves.T, start)[:, None] * policy


def divergence(one, other):
    """KL(one || other) in each state."""
    ratio = np.divide(one, other, out=np.ones(other.shape), where=one > 0.0)
    return (one * np.log(ratio)).sum(axis=1)


def root_mean_square(error, weight):
    return np.sqrt((weight * error**2).sum() / weight.sum())


@pytest.mark.parametrize("own_policy", [False, True])
def test_the_exact_q_has_no_error_anywhere(own_policy):
    mdp = garnet()
    assert not mdp.action_mask.all() and mdp.terminal.any()
    q = optimal_q(mdp)
    agent = table_agent(mdp, q, q / ALPHA if own_policy else None)
    found = diagnose(agent, mdp)
    for finding in found.findings:
        if finding.statement.startswith("(J - J_uniform)"):
            assert finding.error == pytest.approx(1.0, abs=ROUNDING)
        else:
            assert abs(finding.error) < ROUNDING and not abs(finding.largest) > ROUNDING, finding
    np.testing.assert_allclose(agent.on(mdp).policy, boltzmann(mdp, q), atol=ROUNDING)
    assert (agent.on(mdp).policy[~mdp.action_mask & ~mdp.terminal[:, None]] == 0.0).all()


def test_a_constant_too_much_is_found_as_it_is():
    """q = Q* + c: the policy stays, q is c too large, and a step bootstraps gamma c of it."""
    mdp, constant = garnet(terminal=0), 0.7
    found = by_statement(diagnose(table_agent(mdp, optimal_q(mdp) + constant), mdp))
    for key, error in (("SAC-L1", constant), ("SQL-T1", constant), ("SQL-T2", 0.1 * constant)):
        finding = next(each for (name, _), each in found.items() if name == key)
        assert finding.error == pytest.approx(error, abs=ROUNDING)
        assert finding.largest == pytest.approx(error, abs=ROUNDING)
    assert found["SUBOPT", "J(pi*) - J(pi)"].error == pytest.approx(0.0, abs=ROUNDING)


def test_every_finding_is_its_formula():
    mdp, rng = garnet(), np.random.default_rng(0)
    q = optimal_q(mdp) + rng.normal(size=(7, 3))
    logits = rng.normal(size=(7, 3))
    agent = table_agent(mdp, q, logits)
    policy, best = boltzmann(mdp, logits, 1.0), boltzmann(mdp, optimal_q(mdp))
    v, own_q = value_of(mdp, policy)
    visits, available = visits_of(mdp, policy), mdp.action_mask & ~mdp.terminal[:, None]
    found = by_statement(diagnose(agent, mdp))

    backup = mdp.reward + GAMMA * mdp.transition @ soft_value(mdp, q)
    for name, error in {
        ("SAC-L1", "q = Q^pi, the exact value of its policy"): q - own_q,
        ("SQL-T2", "q = r + gamma E[soft value of q]"): q - backup,
        ("SQL-T1", "q = Q*"): q - optimal_q(mdp),
    }.items():
        assert found[name].error == pytest.approx(root_mean_square(error, visits), rel=1e-5)
        assert found[name].largest == pytest.approx(np.abs(error[available]).max(), rel=1e-5)

    states, best_states = visits.sum(axis=1), visits_of(mdp, best).sum(axis=1)
    for name, each, weight in (
        (("SAC-L2", "pi = Boltzmann(q)"), divergence(policy, boltzmann(mdp, q)), states),
        (("SAC-T1", "pi = pi*"), divergence(best, policy), best_states),
    ):
        assert found[name].error == pytest.approx((each * weight).sum() / weight.sum(), rel=1e-5)
        assert found[name].largest == pytest.approx(each[~mdp.terminal].max(), rel=1e-5)

    start, nonterminal = mdp.initial_distribution, ~mdp.terminal
    uniform = mdp.action_mask / mdp.action_mask.sum(axis=1, keepdims=True)
    top, mine, base = (start @ value_of(mdp, each)[0] for each in (best, policy, uniform))
    loss = found["SUBOPT", "J(pi*) - J(pi)"]
    assert loss.error == pytest.approx(top - mine, rel=1e-5)
    assert loss.error == pytest.approx(
        ALPHA * states @ (divergence(policy, best) * nonterminal), rel=1e-5
    )
    assert loss.largest == pytest.approx((value_of(mdp, best)[0] - v).max(), rel=1e-5)
    assert found["SUBOPT", "... = alpha sum_s d^pi(s) KL(pi || pi*)"].error < 1e-8
    score = found["SUBOPT", "(J - J_uniform) / (J* - J_uniform)"].error
    assert score == pytest.approx((mine - base) / (top - base), rel=1e-5)


# continuous actions on a grid

LOW, HIGH = -2.0, 6.0
HALF = (HIGH - LOW) / 2


def cells_mdp():
    """Three states that are seen one-hot, of which the third ends; the reward is linear in the
    action, so that Q* is, and has alpha log(cell volume) added, as `discretise` does."""
    nodes = np.array([-2.0, -0.5, 1.0, 4.0, 6.0])[:, None]
    edges = np.concatenate([[LOW], 0.5 * (nodes[1:, 0] + nodes[:-1, 0]), [HIGH]])
    volume = np.diff(edges)
    transition = np.zeros((3, 5, 3))
    transition[0, :, :], transition[1, :, :] = [0.2, 0.7, 0.1], [0.5, 0.3, 0.2]
    paid = np.array([[0.3], [-1.0], [0.0]]) + 0.2 * nodes.T
    mdp = maxent.MDP(
        transition,
        paid + ALPHA * np.log(volume),
        discount=GAMMA,
        initial_distribution=np.array([0.4, 0.6, 0.0]),
        terminal=np.array([False, False, True]),
        observations=np.eye(3),
        actions=nodes,
    )
    return mdp, edges, paid, volume / HALF


BOX = Spaces(spaces.Box(0.0, 1.0, (3,)), spaces.Box(LOW, HIGH, (1,)))


def density_optimum():
    """V* and Q* with densities in the units of [-1, 1], from the integral's own Riemann sum."""
    mdp, _, paid, volume = cells_mdp()
    v = np.zeros(3)
    for _ in range(600):
        q = paid + GAMMA * mdp.transition @ v
        v = np.where(mdp.terminal, 0.0, ALPHA * logsumexp(q / ALPHA, b=volume, axis=1))
    return v, q


def linear_critic(q):
    """Weights (4, 1) of q as a linear function of the one-hot state and the action in [-1, 1]."""
    slope = 0.2 * HALF
    return np.append(q[:, 0] + slope, slope)[:, None]  # node 0 is at -1


@pytest.mark.parametrize("algorithm", ["sac", "sql"])
def test_the_exact_q_of_a_density_has_no_error_on_a_grid(algorithm):
    mdp, *_ = cells_mdp()
    _, q = density_optimum()
    found = diagnose(agent_of(algorithm, BOX, critic=(linear_critic(q), 0.0)), mdp)
    for key in ("SQL-T1", "SQL-T2"):
        assert found[key].error < ROUNDING and found[key].largest < ROUNDING
    assert all(np.isfinite(finding.error) for finding in found.findings)


@pytest.mark.parametrize(("mean", "log_std"), [(0.3, -0.5), (-1.0, 0.7), (8.0, -1.0), (-8.0, -1.0)])
def test_a_gaussian_policy_on_a_grid_is_its_mass_in_each_cell(mean, log_std):
    mdp, edges, _, volume = cells_mdp()
    _, q = density_optimum()
    value = 0.4
    agent = agent_of(
        "sac_v1",
        BOX,
        critic=(linear_critic(q), 0.0),
        actor=(0.0, [[mean, log_std]]),
        value=(0.0, value),
    )
    ends = np.arctanh((edges[1:-1] - LOW) / HALF - 1.0)
    law = norm(mean, np.exp(log_std))
    ends = np.concatenate([[-np.inf], ends, [np.inf]])
    cells = np.where(ends[:-1] > mean, -np.diff(law.sf(ends)), np.diff(law.cdf(ends)))
    policy = policy_on(agent, mdp)
    np.testing.assert_allclose(policy[0], cells, rtol=1e-4)
    assert (policy > 0.0).all()  # far out too

    found = by_statement(diagnose(agent, mdp))
    gibbs = volume * np.exp(q / ALPHA) / (volume * np.exp(q / ALPHA)).sum(axis=1, keepdims=True)
    visits = visits_of(mdp, np.broadcast_to(cells, (3, 5))).sum(axis=1)
    apart = divergence(cells, gibbs)
    expected = (visits * apart)[:2].sum() / visits[:2].sum()
    assert found["SAC-L2", "pi = Boltzmann(q)"].error == pytest.approx(expected, rel=1e-4)
    claimed = (cells * (q - ALPHA * np.log(cells / volume))).sum(axis=1)[:2]
    expected = np.sqrt((visits[:2] * (value - claimed) ** 2).sum() / visits[:2].sum())
    wrong = found["SAC-L1", "v = E_pi[q - alpha log pi]"]
    assert wrong.error == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("algorithm", ["sac", "sql"])
def test_the_policy_on_a_grid_is_the_frequency_of_the_nearest_node(algorithm):
    box = spaces.Box(np.array([-2.0, 0.0]), np.array([6.0, 1.0]), dtype=np.float64)
    found = Spaces(spaces.Box(0.0, 1.0, (2,)), box)
    generator = torch.Generator().manual_seed(5)
    if algorithm == "sac":
        weights = {"actor": (0.7 * torch.randn((2, 4), generator=generator), 0.1)}
    else:  # noise to action, one to one
        weights = {"sampler": ([[0.5, -1.0], [0.0, 0.3], [0.8, 0.2], [0.0, 0.6]], 0.1)}
    agent = agent_of(algorithm, found, **weights)
    axes = [np.linspace(-2.0, 6.0, 4), np.linspace(0.0, 1.0, 3)]
    nodes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    transition = np.broadcast_to(np.eye(2)[:, None], (2, 12, 2))
    mdp = maxent.MDP(transition, np.zeros(2), discount=GAMMA, observations=np.eye(2), actions=nodes)
    policy, count = policy_on(agent, mdp), 40_000
    for state in range(2):
        seen = np.tile(np.eye(2, dtype=np.float32)[state], (count, 1))
        drawn = agent.actions(seen, agent.generator(7))
        taken = np.stack([agent.spaces.to_environment(each) for each in drawn])
        scaled = (taken[:, None] - nodes) / (box.high - box.low)
        apart = np.abs(scaled) * [3, 2]  # in cells
        nearest = apart.max(axis=-1).argmin(axis=1)
        shares = np.bincount(nearest, minlength=12) / count
        # the frequencies of a sampling network are those of 2,000 samples themselves
        error = 5.0 * np.sqrt(shares * (1 - shares) / (count if algorithm == "sac" else 2_000))
        assert (np.abs(policy[state] - shares) <= error + 1e-4).all()


def test_a_sampler_on_a_grid_says_that_it_was_sampled():
    mdp, *_ = cells_mdp()
    found = diagnose(agent_of("sql", BOX, sampler=([[0.0]] * 3 + [[0.01]], 2.0)), mdp)
    assert "policy from samples" in found.title
    assert "SAC-T1" not in {finding.key for finding in found.findings}


# the wrong MDP


def test_an_mdp_of_another_size_is_refused():
    mdp = garnet()
    smaller, larger = (
        maxent.garnet(count, 3, discount=GAMMA, seed=0, branching=2) for count in (6, 8)
    )
    agent = table_agent(mdp, np.zeros((7, 3)))
    for other, message in (
        (smaller, "the MDP has 6 states, the agent sees 7"),
        (larger, "the MDP has 8 states, the agent sees 7"),
        (cells_mdp()[0], "trained on something else"),
        (maxent.garnet(7, 2, discount=GAMMA, seed=0, branching=2), "3 actions, the MDP 2"),
    ):
        with pytest.raises(ConfigError, match=message):
            agent.on(other)
    with pytest.raises(ConfigError, match="trained on something else"):
        agent_of("sac", BOX).on(mdp)


def test_an_end_that_a_table_was_given_besides_its_own_states_is_no_state_of_the_agent():
    """Taxi's 500 states become 501: the agent is asked nothing of the last."""
    mdp = maxent.from_gymnasium("Taxi-v4", discount=GAMMA)
    assert mdp.n_states == 501 and mdp.terminal[500]
    found = Spaces(spaces.Discrete(500), spaces.Discrete(6))
    q = np.zeros((500, 6))
    q[:, 2] = 1.0
    policy = agent_of("sql_discrete", found, critic=(q, 0.0)).on(mdp).policy
    nonterminal = policy[~mdp.terminal]
    assert (nonterminal.argmax(axis=1) == 2).all()


def test_an_mdp_that_starts_where_it_ends_has_no_visits_to_speak_of():
    start = np.eye(7)[0]
    mdp = maxent.garnet(7, 3, discount=GAMMA, seed=3, branching=3, terminal=1)
    start = np.where(mdp.terminal, 1.0, 0.0)
    found = diagnose(table_agent(mdp, np.zeros((7, 3))), mdp.replace(initial_distribution=start))
    assert np.isnan(found["SQL-T1"].error) and found["SQL-T1"].largest > 0.0
    assert found["SUBOPT"].error == 0.0
