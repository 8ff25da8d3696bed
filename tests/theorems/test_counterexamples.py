"""Counter-examples: every number quoted, recomputed by other means; their figures."""

import itertools

import numpy as np
import pytest
from matplotlib.text import Text
from scipy.optimize import minimize_scalar

import maxent
from maxent import plots
from maxent.theorems import counterexamples
from maxent.theorems.counterexamples import shared_parameters as shared
from maxent.theorems.statements import listing


@pytest.fixture(scope="module")
def found():
    return {key: function() for key, function in counterexamples.ALL.items()}


def numbers(found, key):
    return found[key].numbers


def tied(key):
    """Transition and reward of a stored MDP, and plain formulas for x -> V and x -> its step."""
    mdp = shared.tied_mdp(key)
    p, r, g, alpha = mdp.transition, mdp.reward, 0.9, 0.1

    def value(x):
        pi = np.array([x, 1 - x])
        h = -sum(float(w * np.log(w)) for w in pi if w > 0)
        return np.linalg.solve(
            np.eye(3) - g * (pi[0] * p[:, 0] + pi[1] * p[:, 1]), r @ pi + alpha * h
        )

    def kl(x, q):  # mean over states of KL(pi' || exp(Q/alpha)/Z), SAC Eq. 4
        pi = np.array([x, 1 - x])
        log_z = np.log(np.exp((q - q.max(1, keepdims=True)) / alpha).sum(1)) + q.max(1) / alpha
        return float(np.mean(pi @ np.log(pi) - (q / alpha) @ pi + log_z))

    def step(x):
        q = r + g * p @ value(x)
        odds = minimize_scalar(
            lambda z: kl(1 / (1 + np.exp(-z)), q), bounds=(-30, 30), method="bounded",
            options={"xatol": 1e-10},
        ).x  # fmt: skip
        return 1 / (1 + np.exp(-odds))

    return mdp, value, step


def test_every_one_is_shown_and_listed(found):
    assert list(found) == [record.key for record in counterexamples.run_all()]
    for key, record in found.items():
        assert record.key == key and record.shown is True, record
        assert key.startswith("NOT-") and record.against and record.hypothesis and record.source
        assert all(np.isfinite(value) for value in record.numbers.values())
        assert key in str(record) and record.claim in str(record) and ": shown" in str(record)
        listed = listing(key)
        assert record.claim[:40] in listed and f"against: {record.against}" in listed


def test_records_cannot_be_changed(found):
    record = found["NOT-UNIFORM"]
    with pytest.raises(TypeError):
        record.numbers["staying in the limit, exit"] = 0.5
    with pytest.raises(ValueError, match="read-only"):
        record.curves["exit"][0] = 1.0
    with pytest.raises(AttributeError):
        record.shown = False


def test_the_tied_projection_is_the_minimiser_of_the_mean_kl():
    for key in shared._TIED:
        mdp, value, step = tied(key)
        for x in (0.2, 0.5, 0.7):
            np.testing.assert_allclose(shared.tied_value(mdp, x, 0.1), value(x), rtol=1e-12)
            assert shared.tied_step(mdp, x, 0.1) == pytest.approx(step(x), abs=1e-6)
    with pytest.raises(maxent.ConfigError, match="NOT-TIED-BEST"):
        shared.tied_mdp("NOT-TIED-BES")


def test_a_step_in_a_tied_set_is_worse_in_every_state(found):
    listed = numbers(found, "NOT-TIED-IMPROVED")
    _, value, step = tied("NOT-TIED-IMPROVED")
    before, after = listed["x before the step"], listed["x after the step"]
    assert before == pytest.approx(2.1009e-6, abs=1e-10) and before == pytest.approx(
        step(0.5), abs=1e-6
    )
    assert after == pytest.approx(0.999974, abs=1e-6)
    change = value(after) - value(before)
    assert change.max() == pytest.approx(-20.3288, abs=1e-4) and change.min() < -33.6
    assert listed["change in the state that loses least"] == pytest.approx(change.max(), rel=1e-9)
    assert listed["change in the state that loses most"] == pytest.approx(change.min(), rel=1e-9)


def test_the_same_step_among_all_policies_improves_every_state():
    """With the hypothesis: the product set that holds the tied one."""
    mdp = shared.tied_mdp("NOT-TIED-IMPROVED")
    old = maxent.soft_policy_evaluation(mdp, np.tile([2.1e-6, 1 - 2.1e-6], (3, 1)), 0.1)
    new = maxent.soft_policy_evaluation(mdp, np.exp(maxent.boltzmann_policy(old.q, 0.1)), 0.1)
    assert (new.v >= old.v).all() and (new.v - old.v).min() > 0.5


def test_no_tied_policy_is_best_in_every_state(found):
    listed = numbers(found, "NOT-TIED-BEST")
    _, value, _ = tied("NOT-TIED-BEST")

    def of_odds(z):
        return value(1 / (1 + np.exp(-z)))

    # the logit axis, finely: beyond it the policy is all but deterministic
    scanned = np.array([of_odds(z) for z in np.linspace(-36, 36, 4001)])
    best = scanned.max(axis=0)
    np.testing.assert_allclose(best, [7.0948, 10.1579, 11.3198], atol=1e-4)
    for s in range(3):
        assert listed[f"its value there, state {s}"] == pytest.approx(best[s], abs=1e-4)
    shortfall = (best - scanned).max(axis=1).min()
    assert listed["least worst-state shortfall"] == pytest.approx(shortfall, abs=1e-4)
    assert shortfall == pytest.approx(7.0126, abs=1e-4)
    assert listed["best x for state 0"] < 1e-5 and listed["best x for state 1"] > 0.99999


def test_tied_soft_policy_iteration_oscillates(found):
    listed = numbers(found, "NOT-TIED-CONVERGENT")
    _, value, step = tied("NOT-TIED-CONVERGENT")
    low, high = listed["x of one policy"], listed["x of the other"]
    assert (low, high) == pytest.approx((0.106466, 0.924901), abs=1e-6)
    assert step(low) == pytest.approx(high, abs=1e-6) and step(high) == pytest.approx(low, abs=1e-6)
    assert listed["change of x over two steps"] < 1e-12
    still = listed["x that the step leaves alone"]
    assert still == pytest.approx(0.5974965, abs=1e-6) and step(still) == pytest.approx(
        still, abs=1e-6
    )
    slope = (step(still + 1e-3) - step(still - 1e-3)) / 2e-3
    assert slope < -1.0  # so iteration leaves it
    means = [value(x).mean() for x in np.linspace(0, 1, 2001)]
    assert listed["best mean value in the set"] == pytest.approx(max(means), abs=1e-4)
    assert listed["mean value of the one"] == pytest.approx(1.34413, abs=1e-5)
    assert listed["mean value of the other"] == pytest.approx(-1.57764, abs=1e-5)


def test_the_boltzmann_average_has_three_fixed_points(found):
    listed = numbers(found, "NOT-ANY-SOFTMAX")
    roots = [listed[f"fixed point {i}"] for i in (1, 2, 3)]
    assert roots == pytest.approx([0.1589, 0.1749, 1.0000], abs=5e-5)
    slopes = []
    for v in roots:
        loop, leave = 0.02 + 0.98 * v, 0.1
        w = 1 / (1 + np.exp(-16.55 * (loop - leave)))
        assert w * loop + (1 - w) * leave == pytest.approx(v, abs=1e-13)
        slopes.append(0.98 * (w + 16.55 * w * (1 - w) * (loop - leave)))
    assert slopes == pytest.approx(
        [listed[f"slope at fixed point {i}"] for i in (1, 2, 3)], abs=1e-7
    )
    assert slopes[0] < 1 < slopes[1] and slopes[2] < 1
    assert listed["limit from V = 0"] == pytest.approx(roots[0], abs=1e-9)
    assert listed["limit from V = 0.17"] == pytest.approx(roots[0], abs=1e-9)
    assert listed["limit from V = 0.18"] == pytest.approx(roots[2], abs=1e-9)
    soft = listed["fixed point of log-sum-exp"]
    assert np.logaddexp(16.55 * (0.02 + 0.98 * soft), 1.655) / 16.55 == pytest.approx(
        soft, abs=1e-8
    )


def test_without_discount_or_termination_values_grow_linearly(found):
    listed = numbers(found, "NOT-UNDISCOUNTED")
    ring = np.array([[np.exp(-0.4), 1.0], [1.0, np.exp(0.2)]])  # exp(r/alpha): stay on the diagonal
    z = np.ones(2)
    values = {0: 0.0}
    for horizon in range(1, 401):
        z = ring @ z
        values[horizon] = 0.5 * np.log(z[0])
    assert (
        listed["value for 100 steps, no exit"]
        == pytest.approx(values[100])
        == pytest.approx(34.152, abs=1e-3)
    )
    assert (
        listed["value for 400 steps, no exit"]
        == pytest.approx(values[400])
        == pytest.approx(136.853, abs=1e-3)
    )
    assert listed["growth in theory"] == pytest.approx(0.342338, abs=1e-6)
    assert listed["growth of the last step, no exit"] == pytest.approx(listed["growth in theory"])
    settled = -0.5 * np.log(np.expm1(2.0))
    assert (
        listed["limit in theory, exit and cost"]
        == pytest.approx(settled)
        == pytest.approx(-0.927293, abs=1e-6)
    )
    assert listed["value for 400 steps, exit and cost"] == pytest.approx(settled)
    assert abs(listed["growth of the last step, exit and cost"]) < 1e-12
    # exit, no cost: z grows by 1 a step, so V = alpha log(H + 1)
    assert listed["growth of the last step, exit, no cost"] == pytest.approx(
        0.5 * np.log(401 / 400)
    )
    assert listed["uniform policy, exit, no cost"] == pytest.approx(
        np.log(2.0)
    )  # 2 steps, log 2 / 2
    assert 0.0 < listed["its error bound"] < 1e-12


def test_a_partition_sum_that_is_not_finite(found):
    listed = numbers(found, "NOT-UNBOUNDED")
    a = np.arange(1, 100_001, dtype=float)
    for alpha, n in itertools.product((0.5, 1.0, 2.0), (1000, 100_000)):
        exact = 10 * alpha * np.log((a[:n] ** (-1 / alpha)).sum())
        assert listed[f"V, {n:,} actions, temperature {alpha:g}"] == pytest.approx(exact, rel=1e-9)
    assert listed["limit, temperature 0.5"] == pytest.approx(2.48850, abs=1e-5)
    assert listed["V, 100,000 actions, temperature 1"] == pytest.approx(24.9239, abs=1e-4)
    assert listed["V, 100,000 actions, temperature 2"] == pytest.approx(128.946, abs=1e-3)
    assert listed["soft value of -a^2 on [-16, 16]"] == pytest.approx(0.5723649429, abs=1e-9)
    assert listed["soft value of -a^2 on the line"] == pytest.approx(0.5723649429, abs=1e-9)


def test_a_small_change_is_not_a_small_error(found):
    listed = numbers(found, "NOT-BARE-RESIDUAL")
    for discount in (0.9, 0.99, 0.999, 0.9999):
        assert listed[f"change, discount {discount:g}"] == pytest.approx(
            10 * (1 - discount), rel=1e-4
        )
        assert listed[f"error, discount {discount:g}"] == pytest.approx(10 * discount, rel=1e-6)
    printed = [listed[f"forest, V printed in age {s}"] for s in range(3)]
    exact = [listed[f"forest, V* in age {s}"] for s in range(3)]
    assert printed == pytest.approx([5.05197, 8.29197, 12.29197], abs=1e-9)
    assert exact == pytest.approx([26.244, 29.484, 33.484], abs=1e-6)
    v = np.array(exact)  # waiting is optimal: check by hand
    assert v == pytest.approx(
        np.array([0, 0, 4]) + 0.9 * (0.1 * v[0] + 0.9 * v[[1, 2, 2]]), abs=1e-6
    )
    assert listed["forest, sweeps"] == 4 and listed["forest, span of the last change"] < 1e-12
    assert listed["largest certified error, true bounds"] < 1e-6


def test_the_posterior_wins_by_luck(found):
    listed = numbers(found, "NOT-STOCHASTIC")
    e = np.e
    z = 1 + 0.5 * (e + 1 / e)
    assert listed["alpha log Z"] == pytest.approx(np.log(z)) == pytest.approx(0.933376, abs=1e-6)
    assert listed["V*"] == pytest.approx(np.log(2.0))
    assert listed["alpha log Z - V*"] == pytest.approx(0.240229, abs=1e-6)
    assert (
        listed["posterior of gambling"]
        == pytest.approx((z - 1) / z)
        == pytest.approx(0.606776, abs=1e-6)
    )
    assert listed["pi* of gambling"] == pytest.approx(0.5)
    assert (
        listed["posterior of winning a gamble"]
        == pytest.approx(e * e / (1 + e * e))
        == pytest.approx(0.880797, abs=1e-6)
    )
    assert listed["chance of winning a gamble"] == 0.5
    laws = np.array([[1, e / 2, 1 / e / 2]]) / z - [0.5, 0.25, 0.25]
    assert (
        listed["total variation of the two laws"]
        == pytest.approx(np.abs(laws).sum() / 2)
        == pytest.approx(0.284447, abs=1e-6)
    )
    assert abs(listed["the same, winning for certain"]) < 1e-12
    assert abs(listed["total variation, winning for certain"]) < 1e-12


def test_the_limit_policy_is_not_uniform(found):
    """NOT-UNIFORM, the value of the reward-free problem by iteration."""
    listed = numbers(found, "NOT-UNIFORM")
    v = 1.0
    for _ in range(500):
        v = np.log1p(np.exp(0.9 * v))
    stay = 1 / (1 + np.exp(-0.9 * v))
    assert stay == pytest.approx(0.835079, abs=1e-6)
    for name, limit in (("exit", stay), ("mask", stay), ("equal", 0.5)):
        assert listed[f"staying in the limit, {name}"] == pytest.approx(limit, abs=1e-7)
        assert listed[f"staying at temperature 1e6, {name}"] == pytest.approx(limit, abs=1e-6)


def test_the_hard_q_gives_no_bound(found):
    listed = numbers(found, "NOT-HARD-Q")
    alpha, discount = 1000.0, 0.99
    assert listed["temperature"] == pytest.approx(alpha)
    assert (
        listed["bound with Q*_0 (violated)"]
        == pytest.approx(1 / (8 * alpha * 0.01))
        == pytest.approx(0.0125)
    )
    # by hand: states 1 and 2 stay, state 0 chooses between them
    free = alpha * np.log(2) / 0.01
    v2 = alpha * np.log1p(np.exp(-1 / alpha)) / 0.01
    v0 = alpha * np.log(np.exp(discount * (free - v2) / alpha) + 1) + discount * v2
    gap = max(v0 - free + discount * 50 / 2, v2 - free + 50)
    assert listed["largest gap"] == pytest.approx(gap, abs=1e-4) == pytest.approx(0.31228, abs=1e-5)
    span = discount * (free - v2)
    assert listed["bound with Q*_alpha"] == pytest.approx(span**2 / (8 * alpha * 0.01), rel=1e-6)
    assert listed["bound with Q of the uniform policy"] == pytest.approx((discount * 50) ** 2 / 80)
    assert listed["gap over the bound with Q*_0"] == pytest.approx(24.98, abs=0.01)


@pytest.mark.parametrize("key", counterexamples.ALL)
def test_each_has_a_figure(found, key):
    figure = plots.counterexample(found[key])
    figure.canvas.draw()
    words = "\n".join(text.get_text() for text in figure.findobj(Text) if text.get_visible())
    assert key in words and found[key].claim in words and found[key].against in words
    for ax in figure.axes:
        assert ax.get_xlabel() and ax.has_data()
    assert figure.axes[0].get_ylabel()


def test_a_figure_needs_a_record():
    with pytest.raises(maxent.ConfigError, match="NOT-UNIFORM"):
        plots.counterexample("NOT-UNIFRM")
    with pytest.raises(maxent.ConfigError, match="is no record of a counter-example"):
        plots.counterexample("NOT-UNIFORM")


def test_a_free_loop_leaves_many_solutions(found):
    """NOT-FREE-LOOP: max(V, 1) by hand."""
    listed = numbers(found, "NOT-FREE-LOOP")
    for start in (0, 2, 4):
        assert listed[f"limit from V = {start}"] == max(start, 1)
        assert listed[f"with a cost, from V = {start}"] == pytest.approx(1.0, abs=1e-12)
    assert listed["certified value"] == pytest.approx(1.0, abs=1e-9)
