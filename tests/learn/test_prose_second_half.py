"""Numbers that notebooks 6 to 15 say in prose or in quizzes and do not compute themselves."""

import numpy as np
import pytest

import maxent
from maxent.learn.records import record
from maxent.tabular.sampled import soft_q_learning
from maxent.tabular.tradeoff.reaching import reaching_probability

RING = ".........\n.#######.\nS#######G\n.#######.\n........."


def test_7_the_ring_with_one_way_closed():
    ring = maxent.gridworld(RING, discount=0.95)
    closed = maxent.gridworld(RING[:-5] + "#" + RING[-4:], discount=0.95)
    same = [ring.grid.state_at(*cell) for cell in closed.grid.cells.tolist()]

    def arrives(temperature, steps):
        policy = maxent.solve(ring, temperature).policy[same]
        return closed.initial_distribution @ reaching_probability(closed, policy, steps)

    assert arrives(0.05, 100) == pytest.approx(0.512, abs=5e-4)
    assert arrives(0.06, 100) == pytest.approx(0.299, abs=5e-4)
    assert arrives(0.03, 500) == pytest.approx(0.5, abs=1e-4)
    hard = maxent.solve(ring, 0.0).policy
    assert np.isclose(ring.initial_distribution @ reaching_probability(ring, hard, 12), 1.0)
    assert np.isclose(ring.initial_distribution @ reaching_probability(ring, hard, 11), 0.0)


def test_7_the_ways_of_the_blocked_path():
    text = "\n".join(maxent.gridworld("blocked-path", discount=0.95).grid.text)
    (row,) = [i for i, line in enumerate(text.splitlines()) if "S" in line]
    assert [2 * row + 8, 2 * (len(text.splitlines()) - 1 - row) + 8] == [14, 12]


def test_6_the_free_nats():
    limit = maxent.tradeoff(maxent.gridworld("four-rooms", discount=0.95), [0.0])
    assert limit.entropies[0] == pytest.approx(5.23, abs=5e-3)


def test_13_the_two_superintendents_part_when_an_engine_costs_half():
    mileage = np.arange(90)
    keep = np.zeros((90, 90))
    for step, probability in enumerate((0.39, 0.60, 0.01)):
        np.add.at(keep, (mileage, np.minimum(mileage + step, 89)), probability)
    transition = np.stack([keep, np.tile(keep[0], (90, 1))], axis=1)
    reward = np.stack([-0.0023 * mileage, np.full(90, -10.0)], axis=1)
    far = maxent.MDP(transition, reward, discount=0.9999)
    near = maxent.MDP(transition, maxent.solve(far, 1.0).log_policy, discount=0.0)
    cheaper = np.array([0.0, 5.0])
    policies = [
        maxent.solve(mdp.replace(reward=mdp.reward + cheaper), 1.0).policy for mdp in (far, near)
    ]
    assert np.abs(policies[0] - policies[1]).max() > 0.1


def test_10_the_density_that_the_original_sampler_settles_at():
    actions = np.linspace(-1, 1, 200_001)
    density = (1 - actions**2) / (1 - actions**2).sum()
    assert (density * actions**2).sum() == pytest.approx(1 / 5, abs=1e-4)


def test_9_what_the_recorded_tables_say(capsys):
    rows = record("cliff")["exploration"]
    errors = [row["soft_q_learning"]["rms_error"] for row in rows.values()]
    assert np.allclose(errors, [0.96, 0.12, 0.37], atol=5e-3)
    assert rows["1.0"]["soft_q_learning"]["policy_worth"] == pytest.approx(-9.73, abs=0.01)
    cliff = maxent.gridworld("cliff-walking", discount=0.95)
    walk = maxent.occupancy(cliff, np.full((cliff.n_states, 4), 0.25)).sum(axis=1)
    columns = cliff.grid.cells[:, 1]
    assert walk[columns <= 2].sum() > 50 * walk[columns >= 9].sum()  # far cells stay rare


def test_12_what_the_recorded_pendulums_say(capsys):
    recorded = record("pendulum")
    starts, exact, agent = (np.array(recorded[name]) for name in ("starts", "exact", "agent"))
    assert len(exact) == len(agent) == len(starts) == 100
    assert exact.mean() == pytest.approx(-137, abs=0.5)
    assert agent[:10].mean() == pytest.approx(-131, abs=0.6)
    hanging = exact[np.abs(starts[:, 0]) > 2.8]
    assert (round(hanging.max()), round(hanging.min())) == (-226, -367)
    rng = np.random.default_rng(0)
    tens = np.array([rng.choice(exact, 10, replace=False).mean() for _ in range(2_000)])
    assert tens.reshape(-1, 5).max(axis=1).mean() == pytest.approx(-111, abs=1.5)
    assert ((exact > -131) & (exact < -110)).mean() > 0.5  # most cost about 120
    gap = exact - agent
    assert gap.mean() > 3 * gap.std(ddof=1) / 10


@pytest.mark.slow
def test_9_the_recorded_tables_come_out_again(capsys):
    rows = record("cliff")["exploration"]
    cliff = maxent.gridworld("cliff-walking", discount=0.95)
    exact = maxent.solve(cliff, 0.1)
    for share, row in rows.items():
        learned = soft_q_learning(
            cliff, 0.1, steps=200_000, seed=1, exploration=float(share), exact=exact
        )
        found = row["soft_q_learning"]["rms_error"]
        assert learned.rms_errors[-1] == pytest.approx(found, rel=1e-6)


def test_15_what_the_study_of_known_answers_found():
    cells = record("which-agents")
    assert np.median(cells["base"]["policy"]) < 0.05
    assert np.median(cells["base"]["shift"]) < -0.4 < np.median(cells["base, one Q"]["shift"])
    medians = [
        {name: np.median(numbers) for name, numbers in cell.items()} for cell in cells.values()
    ]
    near = [cell for cell in medians if cell["policy"] < 0.5]
    left = np.array([cell["shift"] - cell["by the policy"] for cell in near])
    caution = np.array([cell["by caution"] for cell in near])
    assert np.median(np.abs(left - caution)) < 0.5 * np.median(np.abs(left))  # it halves the rest
    too_high = {name for name in cells if np.median(cells[name]["shift"]) > 0.0}
    assert too_high == {
        f"{base}{q}" for base in ("temperature 0.02", "n-step 3") for q in ("", ", one Q")
    }


def test_15_one_gaussian_on_two_far_modes_loses_log_2():
    u = np.linspace(-6.0, 6.0, 100_001)
    step = u[1] - u[0]

    def normal(mean, deviation):
        return np.exp(-0.5 * ((u - mean) / deviation) ** 2) / (deviation * np.sqrt(2 * np.pi))

    both = 0.5 * (normal(-1.2, 0.25) + normal(1.2, 0.25)) + 1e-300

    def divergence(mean, deviation):
        one = normal(mean, deviation)
        return np.sum(one * (np.log(one + 1e-300) - np.log(both))) * step

    least = min(divergence(m, d) for m in (0.0, 0.6, 1.1, 1.2) for d in (0.2, 0.25, 0.6, 1.2))
    assert least == pytest.approx(np.log(2.0), abs=1e-4)
