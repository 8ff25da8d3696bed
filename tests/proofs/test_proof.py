"""`maxent.prove`: what is true holds, what is false fails, what cannot be decided is undecided."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from small_mdps import DISCOUNTS, FAMILIES, family

import maxent
from maxent.cli import main
from maxent.proofs import clauses
from maxent.proofs.enclosure import Proof
from maxent.proofs.ground import Ground

pytest.importorskip("flint")


def verdicts(report: maxent.Report) -> dict[str, str]:
    return {f"{check.key} {check.clause}": check.verdict for check in report}


@pytest.mark.parametrize("discount", DISCOUNTS)
@pytest.mark.parametrize("name", FAMILIES)
def test_every_clause_is_proved(name, discount):
    for temperature in (0.0, 1e-8, 1e-2, 1.0, 1e8):
        mdp, prior = family(name, discount)
        report = maxent.prove(mdp, temperature, prior=prior)
        assert set(verdicts(report).values()) == {"holds"}, (temperature, str(report))
        assert {check.strength for check in report} == {"proved"}
        assert report.passed


def test_an_exact_tie_is_undecided_without_tolerance():
    """All actions do the same, so the uniform policy is optimal: V^pi <= V* is an equality."""
    mdp, _ = family("tied", 0.95)
    found = verdicts(maxent.prove(mdp, 0.3, keys="SQL-T1", tolerance=0.0))
    assert found["SQL-T1 dominance"] == "undecided"
    assert found["SQL-T1 value"] == "undecided"  # an equality, known to within the width only
    assert not maxent.prove(mdp, 0.3, keys="SQL-T1", tolerance=0.0).passed


def test_strict_inequalities_are_decided_without_tolerance():
    mdp, _ = family("dense", 0.95)
    uneven = np.array([0.2, 0.3, 0.5])
    report = maxent.prove(
        mdp, 0.3, keys=["SQL-T4", "SAC-L2", "GIBBS-1"], policies={"uneven": uneven}, tolerance=0.0
    )
    assert set(verdicts(report).values()) == {"holds"}
    assert all(check.slack > 0.0 for check in report)


def test_the_slack_is_the_true_margin():
    """V* - V^pi of the uniform policy, against a solve in float64."""
    mdp, _ = family("masked", 0.9)
    uniform = mdp.action_mask / mdp.action_mask.sum(axis=1, keepdims=True)
    report = maxent.prove(mdp, 0.3, keys="SQL-T1", policies={"uniform": uniform})
    (check,) = (check for check in report if check.clause == "dominance")
    gap = maxent.solve(mdp, 0.3).v - maxent.soft_policy_evaluation(mdp, uniform, 0.3).v
    assert check.slack == pytest.approx(gap.min(), rel=1e-6)
    assert check.witness == {"policy": "uniform", "state": int(gap.argmin())}


FALSE = {
    "improvement the wrong way": ("SQL-T4 improvement", "improved", "worse"),
    "optimum too small": ("SQL-T1 dominance", "optimum", "smaller"),
    "optimum too large": ("SQL-T3 bounds of solve", "optimum", "larger"),
    "value of a policy moved": ("SAC-L1 bounds", "evaluated", "larger"),
    "limit elsewhere": ("SAC-T1 limit", "optimum", "larger"),
    "equation": ("SQL-T2 soft Bellman equation", "optimum", "larger"),
}


@pytest.mark.parametrize("what", FALSE)
def test_what_is_false_fails(what, monkeypatch):
    """A value moved by 0.01 or more makes a clause about it false, surely."""
    clause, name, how = FALSE[what]
    mdp, _ = family("dense", 0.9)
    shift = {"worse": -10.0, "smaller": -10.0, "larger": 0.01}[how]

    def moved(found: Proof) -> Proof:
        parts = found.parts.copy()
        parts[0] += shift
        return Proof(found.operator, parts, found.radius, found.bits)

    right = getattr(Ground, name)
    if name == "optimum":
        monkeypatch.setattr(Ground, name, property(lambda self: moved(right.func(self))))
    elif name == "improved":
        monkeypatch.setattr(Ground, name, lambda self, given: moved(right(self, given)))
    else:
        monkeypatch.setattr(
            Ground,
            name,
            lambda self, given: (right(self, given)[0], moved(right(self, given)[1])),
        )
    monkeypatch.setattr(clauses, "ROUNDS", 20)
    assert verdicts(maxent.prove(mdp, 0.3, keys=clause.split()[0]))[clause] == "fails"


def test_below_what_the_bits_can_tell_the_policy_is_undecided():
    """At temperature 1e-300 two tied actions' probabilities need 300 digits."""
    mdp, _ = family("tied", 0.5)
    found = verdicts(maxent.prove(mdp, 1e-300, keys=["SQL-T1", "SQL-T2", "SAC-L1"]))
    assert found["SQL-T1 normalisation"] == found["SQL-T1 value"] == "undecided"
    assert found["SQL-T2 soft Bellman equation"] == found["SAC-L1 fixed point"] == "holds"


def test_where_all_states_are_terminal_nothing_applies():
    mdp = maxent.MDP(
        np.ones((1, 1, 1)), [0.0], discount=0.5, terminal=[True], initial_distribution=[1.0]
    )
    report = maxent.prove(mdp, 1.0)
    assert set(verdicts(report).values()) == {"not applicable"}
    json.dumps(report.to_dict(), allow_nan=False)


@pytest.mark.parametrize(
    "settings, words",
    [
        ({"keys": "SQL-T9"}, "SQL-T9"),
        ({"keys": []}, "keys is empty"),
        ({"tolerance": -1.0}, "tolerance"),
        ({"seed": -1}, "seed"),
        ({"policies": {"odd": [1.0, 1.0, 1.0]}}, "policy 'odd'"),
    ],
)
def test_bad_settings_are_named(settings, words):
    mdp, _ = family("dense", 0.9)
    with pytest.raises(maxent.MaxEntError, match=words):
        maxent.prove(mdp, 1.0, **settings)


def test_verify_rigorous_on_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    command = ["verify", "two-goals", "--temperature", "0.1", "--rigorous", "--keys", "SQL-T1"]
    assert main([*command, "--json", "report.json"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("passed: 7 clauses hold\n")
    assert "4 hold (numerical), 3 hold (proved)" in printed
    record = json.loads(Path("report.json").read_text())
    strengths = [check["strength"] for check in record["report"]["checks"]]
    assert strengths == ["numerical"] * 4 + ["proved"] * 3
    assert main([*command, "--clauses"]) == 0
    printed = capsys.readouterr().out
    assert "4 checks: 4 hold" in printed and "3 checks: 3 hold" in printed


def test_a_rigorous_report_is_the_numerical_and_the_proved_one():
    mdp, prior = family("masked", 0.9)
    settings = {"prior": prior, "keys": ["SAC-L1", "NPG"], "seed": 3}
    both = maxent.verify_rigorously(mdp, 0.3, **settings)
    checked = maxent.verify(mdp, 0.3, **settings)
    proved = maxent.prove(mdp, 0.3, **settings | {"keys": "SAC-L1"})
    count = sum(check.key == "SAC-L1" for check in checked)
    assert both.checks == checked.checks[:count] + proved.checks + checked.checks[count:]
    assert maxent.verify_rigorously(mdp, 0.3, keys="SAC-T1").passed
    with pytest.raises(maxent.ConfigError, match="no clause of 'NPG' is proved"):
        maxent.verify_rigorously(mdp, 0.3, keys="NPG")


@pytest.mark.parametrize(
    ("discount", "temperature", "reward_scale"),
    [(1.0 - 1e-9, 0.3, 1.0), (1.0 - 1e-9, 1e6, 1.0), (0.9999, 1e-40, 1.0), (0.9, 0.3, 1e27)],
)
def test_far_from_the_ordinary_everything_is_decided(discount, temperature, reward_scale):
    mdp = maxent.garnet(4, 3, discount=discount, seed=1, reward_scale=reward_scale)
    report = maxent.prove(mdp, temperature)
    assert set(verdicts(report).values()) == {"holds"}, str(report)
    assert report.checks[0].tolerance == 1e-10


def test_the_width_left_out_grows_with_huge_rewards():
    mdp = maxent.garnet(4, 3, discount=0.9, seed=1, reward_scale=1e200)
    report = maxent.prove(mdp, 0.3, keys=["SQL-T2", "SQL-T4"])
    assert set(verdicts(report).values()) == {"holds"}
    largest = float(np.abs(mdp.reward).max()) / (1.0 - 0.9)
    assert report.checks[0].tolerance == pytest.approx(1e-40 * largest, rel=1e-12)


def test_iteration_from_an_optimal_policy_takes_a_step():
    """All actions do the same: the first policy is optimal, and a step is tried all the same."""
    mdp, _ = family("tied", 0.9)
    for check in maxent.prove(mdp, 0.0, keys="SAC-T1"):
        assert check.verdict == "holds" and np.isfinite(check.slack)


def test_no_policies_are_refused():
    mdp, _ = family("dense", 0.9)
    with pytest.raises(maxent.ConfigError, match="policies is empty"):
        maxent.prove(mdp, 0.3, policies={})
