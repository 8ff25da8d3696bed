"""Policy gradients against finite differences at 60 digits, the natural gradient against its
theorem and against soft policy iteration, and the figure of both."""

import numpy as np
import pytest
from matplotlib.text import Text
from mpmath import mp, mpf
from truth import policy_value

import maxent
from maxent import plots
from maxent.tabular import operators as ops
from maxent.tabular.policy_gradient import (
    natural_policy_gradient,
    policy_gradient,
    policy_gradient_ascent,
)

EVERYTHING = {"branching": 2, "terminal": 1, "masked": 0.3, "transition_rewards": True}


def family(seed=0, n_states=5, discount=0.9, **settings):
    return maxent.garnet(n_states, 3, discount=discount, seed=seed, **settings)


def some_prior(mdp, seed=1):
    prior = np.random.default_rng(seed).exponential(size=mdp.reward.shape) * mdp.action_mask
    return prior / prior.sum(axis=1, keepdims=True)


def exact_objective(mdp, logits, temperature, prior=None):
    """J with 60 digits, from logits that are mpf where they are moved."""
    policy = []
    for s in range(mdp.n_states):
        weights = [
            mp.exp(logits[s][a]) if mdp.action_mask[s, a] else mpf(0) for a in range(mdp.n_actions)
        ]
        policy.append([w / mp.fsum(weights) for w in weights])
    v = policy_value(mdp, _Rounded(policy), temperature, prior)
    return mp.fsum(mpf(float(m)) * x for m, x in zip(mdp.initial_distribution, v, strict=True))


class _Rounded:
    """Indexed like an array; `truth.policy_value` takes float64 probabilities as exact."""

    def __init__(self, rows):
        self.rows = [[float(x) for x in row] for row in rows]

    def __getitem__(self, index):
        return self.rows[index[0]][index[1]]


@pytest.mark.parametrize("settings", [{}, EVERYTHING])
@pytest.mark.parametrize("temperature", [0.0, 0.3, 20.0])
@pytest.mark.parametrize("with_prior", [False, True])
def test_the_gradient_against_finite_differences(settings, temperature, with_prior):
    mdp = family(2, **settings)
    prior = some_prior(mdp) if with_prior else None
    logits = np.random.default_rng(3).normal(size=mdp.reward.shape) * 2
    gradient = policy_gradient(mdp, logits, temperature, prior=prior)
    assert gradient.shape == mdp.reward.shape
    step, scale = 1e-4, max(1.0, temperature) * 10
    for s in range(mdp.n_states):
        for a in range(mdp.n_actions):
            ends = []
            for sign in (2, 1, -1, -2):
                moved = [[mpf(float(x)) for x in row] for row in logits]
                moved[s][a] += sign * step
                ends.append(exact_objective(mdp, moved, temperature, prior))
            slope = (-ends[0] + 8 * ends[1] - 8 * ends[2] + ends[3]) / (12 * step)
            assert abs(float(slope) - gradient[s, a]) < 3e-10 * scale
    nothing = mdp.terminal[:, None] | ~mdp.action_mask
    assert (gradient[nothing] == 0.0).all()
    np.testing.assert_allclose(gradient.sum(axis=1), 0.0, atol=1e-12 * scale)


def test_the_gradient_is_the_theorem_on_the_occupancy():
    mdp = family(4, n_states=8, **EVERYTHING)
    logits = np.random.default_rng(5).normal(size=mdp.reward.shape)
    log_policy = ops.boltzmann_policy(logits, 1.0, mdp.log_mask)
    solution = maxent.soft_policy_evaluation(mdp, np.exp(log_policy), 0.3, tolerance=1e-11)
    score = solution.q - 0.3 * np.where(mdp.action_mask, log_policy, 0.0) - solution.v[:, None]
    expected = np.where(
        mdp.terminal[:, None], 0.0, maxent.occupancy(mdp, np.exp(log_policy)) * score
    )
    np.testing.assert_allclose(policy_gradient(mdp, logits, 0.3), expected, atol=1e-10)


def test_the_gradient_vanishes_at_the_optimum_and_ignores_what_cannot_matter():
    mdp = family(6, **EVERYTHING)
    best = maxent.soft_policy_iteration(mdp, 0.4, tolerance=1e-12)
    at_best = policy_gradient(mdp, best.log_policy, 0.4)  # -inf where unavailable
    np.testing.assert_allclose(at_best, 0.0, atol=1e-11)
    logits = np.random.default_rng(7).normal(size=mdp.reward.shape)
    same = np.where(mdp.action_mask, logits, np.nan) + 5.0
    np.testing.assert_allclose(
        policy_gradient(mdp, same, 0.4), policy_gradient(mdp, logits, 0.4), atol=1e-13
    )


def test_sparse_and_dense_agree():
    mdp = family(8, n_states=9, branching=3)
    logits = np.random.default_rng(9).normal(size=mdp.reward.shape)
    np.testing.assert_allclose(
        policy_gradient(mdp, logits, 0.4), policy_gradient(mdp.to_dense(), logits, 0.4), atol=1e-13
    )


@pytest.mark.parametrize("temperature", [0.5, 1.0])
def test_ascent_reaches_the_optimum(temperature):
    mdp = family(10, n_states=4)
    trace = policy_gradient_ascent(mdp, temperature, iterations=1500)
    assert (np.diff(trace.objectives) > 0).all()
    assert trace.optimum - trace.objectives[-1] < 1e-9
    assert trace.errors[-1] < 1e-4
    best = maxent.soft_policy_iteration(mdp, temperature)
    np.testing.assert_allclose(trace.policy, best.policy, atol=1e-3)
    fixed = policy_gradient_ascent(mdp, temperature, step=0.05, iterations=40)
    assert (np.diff(fixed.objectives) > 0).all() and (fixed.steps == 0.05).all()
    by_hand = np.zeros(mdp.reward.shape)
    for _ in range(40):
        by_hand = by_hand + 0.05 * policy_gradient(mdp, by_hand, temperature)
    expected = ops.boltzmann_policy(by_hand, 1.0)
    np.testing.assert_allclose(fixed.log_policy, expected, atol=1e-12)


def test_the_line_search_ends_where_float64_sees_no_rise():
    mdp = family(11, n_states=3)
    best = maxent.soft_policy_iteration(mdp, 1.0, tolerance=1e-12)
    trace = policy_gradient_ascent(mdp, 1.0, logits=best.log_policy, iterations=500)
    assert trace.iterations < 20 and trace.errors[-1] < 1e-10
    assert len(trace.objectives) == len(trace.values) == len(trace.errors) == trace.iterations + 1


# -- the natural gradient ------------------------------------------------------------------------


def largest(mdp, temperature):
    return (1 - mdp.discount) / temperature


def test_the_step_is_the_fisher_preconditioned_gradient():
    """One step against logits + eta F^+ grad J with F built from its definition."""
    mdp, temperature = family(12, n_states=4), 0.5
    logits = np.random.default_rng(13).normal(size=mdp.reward.shape)
    policy = np.exp(ops.boltzmann_policy(logits, 1.0))
    visits = (1 - mdp.discount) * maxent.occupancy(mdp, policy).sum(axis=1)
    fisher = np.zeros((12, 12))
    for s in range(4):
        rows = slice(3 * s, 3 * s + 3)
        fisher[rows, rows] = visits[s] * (np.diag(policy[s]) - np.outer(policy[s], policy[s]))
    gradient = policy_gradient(mdp, logits, temperature).ravel()
    for step in (0.02, 0.1, largest(mdp, temperature)):
        moved = logits + step * (np.linalg.pinv(fisher, rcond=1e-10) @ gradient).reshape(4, 3)
        trace = natural_policy_gradient(mdp, temperature, step=step, iterations=1, logits=logits)
        np.testing.assert_allclose(trace.log_policy, ops.boltzmann_policy(moved, 1.0), atol=1e-11)


@pytest.mark.parametrize("with_prior", [False, True])
def test_the_largest_step_is_soft_policy_iteration(with_prior):
    mdp, temperature = family(14, n_states=8, **EVERYTHING), 0.3
    prior = some_prior(mdp) if with_prior else None
    trace = natural_policy_gradient(mdp, temperature, iterations=6, prior=prior)
    assert "soft policy iteration" in trace.method
    policy = mdp.action_mask / mdp.action_mask.sum(axis=1, keepdims=True)
    for k in range(7):  # evaluate, improve, repeat, with the public solver and operator
        solution = maxent.soft_policy_evaluation(mdp, policy, temperature, prior=prior)
        assert (solution.lower <= trace.values[k] + 1e-12).all()
        assert (trace.values[k] <= solution.upper + 1e-12).all()
        if k == 6:
            np.testing.assert_allclose(trace.policy, policy, atol=1e-9)
        policy = np.exp(ops.soft_policy_improvement(solution.q, temperature, mdp.log_prior(prior)))
    whole = maxent.soft_policy_iteration(mdp, temperature, prior=prior)
    np.testing.assert_allclose(trace.values[-1], whole.v, atol=1e-8)
    # and quadratic: each error at most a constant times the square of the one before
    clear = trace.errors[trace.errors > 1e-10]
    assert len(clear) >= 3 and np.diff(np.log(clear[-3:]))[1] < 1.5 * np.diff(np.log(clear[-3:]))[0]


@pytest.mark.parametrize("share", [0.05, 0.3, 0.7, 1.0])
@pytest.mark.parametrize("temperature", [0.05, 1.0])
def test_within_the_bound_every_state_improves_at_the_promised_rate(share, temperature):
    for seed, settings in enumerate([{}, {"branching": 2}, EVERYTHING]):
        mdp = family(20 + seed, n_states=7, **settings)
        step = share * largest(mdp, temperature)
        trace = natural_policy_gradient(mdp, temperature, step=step, iterations=60)
        scale = 1e-13 * (np.abs(trace.values).max() + 1) / (1 - mdp.discount)
        assert (np.diff(trace.values, axis=0) >= -scale).all()
        assert (trace.errors[1:] <= trace.theoretical[1:] + scale).all()
        rate = 1 - step * temperature
        np.testing.assert_allclose(trace.theoretical[2:] / trace.theoretical[1:-1], rate)
        clear = np.flatnonzero(trace.errors > max(1e-9, 100 * trace.reference_error))
        logs = np.log(trace.errors[clear])
        slope = np.polyfit(clear, logs, 1)[0]
        assert slope <= np.log(rate)


def test_beyond_the_bound_improvement_can_fail():
    worse = 0
    for seed in range(40):
        mdp = family(seed, n_states=3, branching=None, discount=0.9)
        step = 1.9 * largest(mdp, 0.1)
        trace = natural_policy_gradient(mdp, 0.1, step=step, iterations=10)
        assert np.isnan(trace.theoretical).all()
        worse += (np.diff(trace.values, axis=0) < -1e-6).any()
    assert worse > 0


def test_temperature_zero_is_multiplicative_weights():
    mdp = family(15, n_states=5)
    with pytest.raises(maxent.ConfigError, match="give a step"):
        natural_policy_gradient(mdp, 0.0)
    trace = natural_policy_gradient(mdp, 0.0, step=0.5, iterations=100)
    assert (np.diff(trace.values, axis=0) >= -1e-11).all()
    assert trace.errors[-1] < 1e-6
    one = natural_policy_gradient(mdp, 0.0, step=0.5, iterations=1)
    uniform = maxent.soft_policy_evaluation(mdp, np.full(3, 1 / 3), 0.0, tolerance=1e-11)
    expected = ops.boltzmann_policy(uniform.q * 0.5 / 0.1, 1.0)
    np.testing.assert_allclose(one.log_policy, expected, atol=1e-9)


def test_a_trace_goes_on_where_another_ended():
    mdp = family(16, **EVERYTHING)
    step = 0.2 * largest(mdp, 0.3)
    whole = natural_policy_gradient(mdp, 0.3, step=step, iterations=10)
    first = natural_policy_gradient(mdp, 0.3, step=step, iterations=4)
    rest = natural_policy_gradient(mdp, 0.3, step=step, iterations=6, logits=first.log_policy)
    np.testing.assert_allclose(whole.values[4:], rest.values, atol=1e-12)
    with pytest.raises(ValueError, match="read-only"):
        rest.values[0] = 0.0
    assert "6 steps" in repr(rest)


def test_bad_arguments():
    mdp = family(17)
    for run in (policy_gradient_ascent, natural_policy_gradient):
        for bad in (0, -1, 2.5, True):
            with pytest.raises(maxent.ConfigError, match="iterations"):
                run(mdp, 0.5, iterations=bad)
        for bad in (0.0, -1.0, float("nan"), float("inf")):
            with pytest.raises(maxent.ConfigError, match="step"):
                run(mdp, 0.5, step=bad)
        with pytest.raises(maxent.ModelError, match=r"logits has shape \(3,\)"):
            run(mdp, 0.5, logits=np.zeros(3))
        with pytest.raises(maxent.ConfigError, match="temperature"):
            run(mdp, -1.0)
        with pytest.raises(maxent.ConfigError, match="discount = 1"):
            run(mdp.replace(discount=1.0), 0.5)
    logits = np.zeros(mdp.reward.shape)
    logits[2, 1] = np.nan
    with pytest.raises(maxent.ModelError, match="state 2, action 1 is nan"):
        policy_gradient(mdp, logits, 0.5)


# -- the figure ----------------------------------------------------------------------------------


def test_the_figure_shows_the_errors_and_names_everything():
    mdp = family(18, n_states=6)
    traces = [
        natural_policy_gradient(mdp, 0.2, iterations=8),
        natural_policy_gradient(mdp, 0.2, step=0.1 * largest(mdp, 0.2), iterations=80),
        policy_gradient_ascent(mdp, 0.2, iterations=200),
    ]
    figure = plots.gradients(*traces)
    figure.canvas.draw()
    text = "\n".join(t.get_text() for t in figure.findobj(Text) if t.get_visible())
    for word in ("temperature 0.2", "discount 0.9", "reward units", "step k", "J*", "line search"):
        assert word in text
    left, right = figure.axes
    lines = {line.get_gid(): line for ax in (left, right) for line in ax.get_lines()}
    for index, trace in enumerate(traces):
        known = np.maximum(trace.errors, trace.reference_error)
        np.testing.assert_array_equal(lines[f"error {index}"].get_ydata(), known)
        np.testing.assert_array_equal(lines[f"objective {index}"].get_ydata(), trace.objectives)
    assert left.get_yscale() == "log"


def test_the_figure_refuses_what_cannot_be_compared(tmp_path):
    mdp = family(18, n_states=6)
    one = natural_policy_gradient(mdp, 0.2, iterations=3)
    plots.save(plots.gradients(one), tmp_path / "one.png")
    with pytest.raises(maxent.ConfigError, match="at least one"):
        plots.gradients()
    with pytest.raises(maxent.ConfigError, match="different problems"):
        plots.gradients(one, natural_policy_gradient(mdp, 0.3, iterations=3))
