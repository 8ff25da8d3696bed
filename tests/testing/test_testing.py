"""maxent.testing: correct solvers pass, planted faults are named, strategies cover and shrink."""

import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import find, given, settings

import maxent
from maxent import testing
from maxent.testing import cases, solver_check

QUICK = [mdp for mdp in testing.default_mdps() if mdp.discount <= 0.9]


def log_sum_exp(x, axis, keepdims=False):
    return np.logaddexp.reduce(x, axis=axis, keepdims=keepdims)


def from_scratch(
    *,
    backup_discount=None,
    discount_power=1,
    reward_sign=1.0,
    use_terminal=True,
    use_mask=True,
    value=None,
    policy=None,
    sweeps=30_000,
    stop=1e-9,
    swap=False,
    finish=None,
    dtype=float,
):
    """A plain soft value iteration with one part made wrong."""

    def solver(mdp, temperature):
        p, r = np.array(mdp.to_dense().transition), reward_sign * np.array(mdp.reward)
        p = p.swapaxes(0, 2) if swap else p
        g = mdp.discount**discount_power if backup_discount is None else backup_discount
        terminal = mdp.terminal & use_terminal
        masked = ~mdp.action_mask & use_mask

        def soft(q, alpha=temperature):
            scores = np.where(masked, -np.inf, q)
            if alpha == 0.0:
                return scores.max(axis=1)
            return alpha * log_sum_exp(scores / alpha, axis=1)

        v = np.zeros(len(r), dtype=dtype)
        for _ in range(sweeps):
            q = (r + g * p @ v).astype(dtype)
            new = np.where(terminal, 0.0, (value or (lambda q, a, s: s(q)))(q, temperature, soft))
            new = new.astype(dtype)
            change, v = np.abs(new - v).max(), new
            if change < stop or not change < 1e12:
                break
        q = (r + g * p @ v).astype(dtype)
        scores = np.where(masked, -np.inf, q)
        log_policy = (policy or (lambda x, a: x / a - log_sum_exp(x / a, axis=1, keepdims=True)))(
            scores, temperature
        )
        return finish(mdp, q, v, log_policy) if finish else (q, v, log_policy)

    return solver


def soft_max(x):
    return x - log_sum_exp(x, axis=1, keepdims=True)


def average(q, alpha, soft):
    weights = np.exp((q - soft(q)[:, None]) / alpha) * np.ones_like(q)
    return (weights * q).sum(axis=1)


def mutating(mdp, temperature):
    array = mdp.reward
    array.setflags(write=True)
    array[0, 0] += 1e-9
    array.setflags(write=False)
    return maxent.solve(mdp, temperature)


def writing(mdp, temperature):
    mdp.reward[0, 0] = 0.0


def raising(mdp, temperature):
    if mdp.terminal.any():
        raise KeyError("no transitions out of this state")
    return maxent.solve(mdp, temperature)


FAULTS = {
    "terminal states bootstrapped": from_scratch(use_terminal=False),
    "mask ignored": from_scratch(use_mask=False),
    "mask ignored by the policy": from_scratch(
        policy=lambda x, a: soft_max(np.where(np.isinf(x), 0.0, x) / a)
    ),
    "discount ignored": from_scratch(backup_discount=1.0, sweeps=100),
    "discount applied twice": from_scratch(discount_power=2),
    "temperature ignored (1 in its place)": from_scratch(value=lambda q, a, soft: soft(q, 1.0)),
    "temperature squared": from_scratch(value=lambda q, a, soft: soft(q, a * a)),
    "temperature missing inside log-sum-exp": from_scratch(
        value=lambda q, a, soft: a * soft(q, 1.0)
    ),
    "temperature missing outside log-sum-exp": from_scratch(value=lambda q, a, soft: soft(q) / a),
    "temperature missing in the policy": from_scratch(policy=lambda x, a: soft_max(x)),
    "hard maximum in place of log-sum-exp": from_scratch(value=lambda q, a, soft: soft(q, 0.0)),
    "entropy left out (Boltzmann average)": from_scratch(
        value=lambda q, a, soft: average(q, a, soft)
    ),
    "mean in place of sum (mellowmax)": from_scratch(
        value=lambda q, a, soft: soft(q) - a * np.log(q.shape[1])
    ),
    "reward with the wrong sign": from_scratch(reward_sign=-1.0),
    "transition transposed": from_scratch(swap=True, sweeps=300),
    "log-policy not normalised": from_scratch(policy=lambda x, a: x / a),
    "greedy policy": from_scratch(
        policy=lambda x, a: np.log(np.maximum((x == x.max(1, keepdims=True)) / 1.0, 1e-300))
    ),
    "policy of the wrong sign": from_scratch(
        policy=lambda x, a: soft_max(np.where(np.isinf(x), x, -x / a))
    ),
    "uniform policy": from_scratch(policy=lambda x, a: soft_max(np.where(np.isinf(x), x, 0.0))),
    "probabilities in place of log-probabilities": from_scratch(
        policy=lambda x, a: np.exp(soft_max(x / a))
    ),
    "stops too early": from_scratch(stop=1e-2),
    "q is the advantage (v was subtracted)": from_scratch(
        finish=lambda m, q, v, p: (q - v[:, None], v, p)
    ),
    "q divided by the temperature": lambda m, t: (
        maxent.solve(m, t).q / t,
        maxent.solve(m, t).v,
        maxent.solve(m, t).log_policy,
    ),
    "mutates the MDP": mutating,
    "raises KeyError": raising,
    "wrong return value": lambda m, t: maxent.solve(m, t).v,
    "wrong shape": from_scratch(finish=lambda m, q, v, p: (q.T, v, p)),
    "not finite (NaN or inf)": from_scratch(
        value=lambda q, a, soft: np.where(np.exp(soft(q) / a) < np.inf, soft(q), np.nan),
        sweeps=3000,
    ),
}


@pytest.mark.parametrize("solver", [
    maxent.solve, maxent.soft_value_iteration, maxent.soft_policy_iteration, from_scratch(),
], ids=["solve", "value iteration", "policy iteration", "from scratch"])  # fmt: skip
def test_correct_solvers_pass(solver):
    report = testing.check_solver(solver)
    assert report.passed and report.failed == 0 and report.runs == 66, str(report)
    assert "right in all 66 runs" in str(report) and report.largest_error < 0.1
    report.raise_if_failed()
    assert report.to_dict()["findings"] == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_named(fault):
    report = testing.check_solver(FAULTS[fault], mdps=QUICK, temperatures=[0.5, 2.0])
    assert not report.passed
    assert report.faults[0] == fault, str(report)
    assert fault in str(report) and "maxent.MDP(" in str(report)
    with pytest.raises(maxent.CheckFailedError, match="smallest witness"):
        report.raise_if_failed()


def test_entropy_with_the_wrong_sign_is_named():
    def value(q, alpha, soft):
        return 2.0 * average(q, alpha, soft) - soft(q)

    unmasked = [
        mdp for mdp in testing.default_mdps() if mdp.action_mask.all() and mdp.discount <= 0.9
    ]
    report = testing.check_solver(
        from_scratch(value=value, sweeps=400), mdps=unmasked, temperatures=[0.5]
    )
    assert report.faults[0] == "entropy with the wrong sign", str(report)


def test_a_witness_is_small_and_runs_as_code(tmp_path):
    report = testing.check_solver(FAULTS["mask ignored"], mdps=QUICK)
    (finding,) = report.findings
    assert (finding.mdp.n_states, finding.mdp.n_actions) == (1, 2)
    assert not finding.mdp.action_mask.all() and finding.runs == report.failed == 11
    assert finding.error > finding.tolerance
    made = {}
    exec(finding.code, made)
    for name in ("transition", "reward", "terminal", "action_mask", "initial_distribution"):
        np.testing.assert_array_equal(getattr(made["mdp"], name), getattr(finding.mdp, name))
    assert made["temperature"] == finding.temperature
    alone = testing.check_solver(
        FAULTS["mask ignored"], mdps=[made["mdp"]], temperatures=[made["temperature"]]
    )
    assert alone.faults == ("mask ignored",)
    finding.save(tmp_path / "witness.npz")
    np.testing.assert_array_equal(
        maxent.MDP.load(tmp_path / "witness.npz").transition, finding.mdp.transition
    )
    (listed,) = report.to_dict()["findings"]
    assert listed["code"] == finding.code and listed["fault"] == "mask ignored"


@pytest.mark.parametrize(("returned", "words"), [
    (lambda m, q, v, p: (q.T, v, p), "transposed: the last axis is actions"),
    (lambda m, q, v, p: (q, v[:, None], p), "reshape it"),
    (lambda m, q, v, p: (q, v, p[0]), r"log_policy has shape \(2,\); it must be \(3, 2\)"),
    (lambda m, q, v, p: (q, v), "a tuple of 2"),
    (lambda m, q, v, p: None, "a NoneType"),
    (lambda m, q, v, p: (q, v, "policy"), "NumPy cannot read"),
])  # fmt: skip
def test_a_wrong_return_is_named(returned, words):
    mdp = maxent.garnet(3, 2, discount=0.5)
    report = testing.check_solver(from_scratch(finish=returned), mdps=[mdp])
    assert report.faults[0] in ("wrong shape", "wrong return value")
    empty = np.zeros((3, 2)), np.zeros(3), np.zeros((3, 2))
    _, detail = solver_check._read(returned(mdp, *empty), mdp)
    assert re.search(words, detail), detail


def test_two_mistakes_are_both_named():
    both = from_scratch(use_terminal=False, policy=lambda x, a: soft_max(x))
    report = testing.check_solver(both, mdps=QUICK)
    assert set(report.faults) >= {
        "terminal states bootstrapped",
        "temperature missing in the policy",
    }


def test_an_mdp_that_only_writes_is_caught():
    report = testing.check_solver(writing, mdps=QUICK)
    assert report.faults == ("mutates the MDP",) and "read-only" in str(report)


def test_temperature_zero_is_the_hard_maximum():
    assert testing.check_solver(maxent.solve, temperatures=[0.0]).passed
    scratch = from_scratch(policy=lambda x, a: np.where(x == x.max(1, keepdims=True), 0.0, -np.inf))
    assert testing.check_solver(scratch, mdps=QUICK[:1], temperatures=[0.0]).passed
    wrong = from_scratch(policy=lambda x, a: soft_max(x))
    assert not testing.check_solver(wrong, mdps=QUICK, temperatures=[0.0]).passed


def test_the_tolerance_is_what_is_judged_by():
    def off(mdp, temperature):
        found = maxent.solve(mdp, temperature)
        return found.q + 1e-4, np.where(mdp.terminal, 0.0, found.v + 1e-4), found.log_policy

    assert testing.check_solver(off, mdps=QUICK[:5], tolerance=1e-3).passed
    assert not testing.check_solver(off, mdps=QUICK[:5], tolerance=1e-5).passed


def test_arguments_are_checked():
    for arguments in (
        {"mdps": []},
        {"temperatures": []},
        {"temperatures": [-1.0]},
        {"tolerance": 0.0},
        {"seed": -1},
        {"mdps": [maxent.garnet(2, 2, discount=1.0)]},
    ):
        with pytest.raises(maxent.ConfigError):
            testing.check_solver(maxent.solve, **arguments)
    with pytest.raises(maxent.ConfigError, match="cannot be called"):
        testing.check_solver("solver")
    with pytest.raises(maxent.ModelError):
        testing.check_solver(maxent.solve, mdps=[3])


@settings(max_examples=60)
@given(testing.mdps(), testing.temperatures(zero=True))
def test_drawn_mdps_are_solved(mdp, temperature):
    assert mdp.n_states <= 4 and mdp.n_actions <= 3 and not mdp.terminal[0]
    assert np.abs(mdp.reward).max() <= 10.0
    assert maxent.solve(mdp, temperature).converged


@given(testing.mdps(features=[], discounts=[0.9]))
def test_features_can_be_left_out(mdp):
    assert not mdp.terminal.any() and mdp.action_mask.all() and not mdp.is_sparse
    assert mdp.discount == 0.9


WITNESS = {
    "terminal": lambda mdp: mdp.terminal.any(),
    "masked": lambda mdp: not mdp.action_mask.all(),
    "sparse": lambda mdp: mdp.is_sparse,
    "rounding": lambda mdp: np.abs(mdp.transition_rows.sum(axis=1) - 1.0).max() > 1e-12,
    "deterministic": lambda mdp: mdp.n_states > 1,
    "absorbing": lambda mdp: mdp.n_states > 1,
}


@pytest.mark.parametrize("feature", testing.FEATURES)
def test_every_feature_occurs_and_shrinks(feature):
    smallest = find(testing.mdps(features=[feature, "terminal"]), WITNESS[feature])
    assert smallest.n_states <= 2 and smallest.n_actions <= 2
    assert not smallest.reward.any()


def test_the_simplest_mdp_is_tiny():
    mdp = find(testing.mdps(), lambda mdp: True)
    assert mdp.reward.tolist() == [[0.0]] and mdp.transition.tolist() == [[[1.0]]]
    assert find(testing.temperatures(), lambda t: True) == 1.0


@given(testing.policies(cases._chain(0.5)))
def test_policies_are_policies(policy):
    mdp = cases._chain(0.5)
    assert maxent.soft_policy_evaluation(mdp, policy, 0.3).converged
    np.testing.assert_allclose(policy.sum(axis=1), 1.0)


def test_policies_keep_to_the_mask():
    mdp = next(mdp for mdp in QUICK if not mdp.action_mask.all())
    mixed = find(testing.policies(mdp, deterministic=False), lambda p: ((p > 0) & (p < 1)).any())
    assert not mixed[~mdp.action_mask].any()
    pure = find(testing.policies(mdp, deterministic=True), lambda p: True)
    assert set(np.unique(pure[~mdp.terminal])) == {0.0, 1.0}


def test_strategies_check_their_arguments():
    for call in (
        lambda: testing.mdps(max_states=0),
        lambda: testing.mdps(features=["terminl"]),
        lambda: testing.mdps(discounts=[2.0]),
        lambda: testing.temperatures(least=2.0, most=1.0),
    ):
        with pytest.raises(maxent.ConfigError):
            call()


def test_without_hypothesis_only_the_strategies_are_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    for call in (testing.mdps, testing.temperatures, lambda: testing.policies(QUICK[0])):
        with pytest.raises(maxent.MissingExtraError, match="pip install hypothesis"):
            call()
    assert testing.check_solver(maxent.solve, mdps=QUICK[:1]).passed


def test_testing_is_found_lazily_and_without_hypothesis():
    code = (
        "import sys, maxent; assert 'maxent.testing' not in sys.modules; "
        "maxent.testing.check_solver; assert 'hypothesis' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


@given(testing.mdps())
def test_code_makes_the_same_mdp_again(mdp):
    made = {"maxent": maxent}
    exec(testing.as_code(mdp), made)
    for name in ("reward", "discount", "terminal", "action_mask", "initial_distribution"):
        np.testing.assert_array_equal(getattr(made["mdp"], name), getattr(mdp, name))
    np.testing.assert_array_equal(made["mdp"].transition, mdp.to_dense().transition)
