"""The catalogue beyond the papers' theorems: each key holds, applies, and notices a fault of its
own."""

from __future__ import annotations

import importlib.util
from types import SimpleNamespace

import numpy as np
import pytest

import maxent
from maxent.cli import main
from maxent.continuous.lqr import scalar
from maxent.tabular import operators
from maxent.theorems.catalogue import KEYS, statements
from maxent.theorems.clauses import convex_program
from maxent.theorems.instance import Instance
from maxent.theorems.statements import listing

PLAIN = maxent.garnet(6, 3, discount=0.9, seed=0)
ENDING = maxent.garnet(6, 3, discount=0.9, seed=0, terminal=1, masked=0.3)


def verdicts(mdp, key, temperature=0.3, **functions):
    """Clause -> verdict, with some functions put in place of maxent's own."""
    changed = SimpleNamespace(**vars(operators) | functions)
    report = maxent.verify(mdp, temperature, keys=key, operators=changed)
    return {check.clause: check.verdict for check in report}


@pytest.mark.parametrize("mdp", [PLAIN, ENDING], ids=["plain", "terminal and masked"])
@pytest.mark.parametrize("key", KEYS)
def test_every_key_holds_and_says_what_is_missing(key, mdp):
    report = maxent.verify(mdp, 0.3, keys=key)
    report.raise_if_failed()
    for check in report:
        if check.verdict == "not applicable":
            assert check.witness["missing"], check


def test_every_key_applies_somewhere():
    tried = set()
    for mdp in (PLAIN, ENDING, scalar(), maxent.gridworld("S..G", discount=0.9)):
        tried |= {c.key for c in maxent.verify(mdp, 0.3) if c.verdict == "holds"}
    missing = set(KEYS) - tried
    assert missing <= ({"DUAL-OCCUPANCY"} if not clarabel() else set())


def clarabel():
    return importlib.util.find_spec("clarabel") is not None


def scaled(function, by):
    """The function with its answer off by a factor."""
    return lambda *given, **settings: by * np.asarray(function(*given, **settings))


OFF = 1.0 + 1e-7


@pytest.mark.parametrize(
    ("key", "clause", "name"),
    [
        ("GIBBS-2", "the gap is a KL", "kl_divergence"),
        ("SUBOPT", "identity", "kl_divergence"),
        ("SUBOPT", "by occupancy", "occupancy"),
        ("SENSITIVITY", "public occupancy", "occupancy"),
        ("PG", "by occupancy", "occupancy"),
        ("PG", "gradient", "policy_gradient"),
        ("ENVELOPE", "entropy from the occupancy", "discounted_entropy"),
        ("ENVELOPE", "subgradient", "entropy"),
        ("SLOPE", "front", "entropy"),
        ("MELLOWMAX", "formula", "mellowmax"),
    ],
)
def test_a_function_that_is_slightly_off_is_noticed(key, clause, name):
    """Off by 1e-7 (the inequalities: by a factor)."""
    by = 0.5 if name == "entropy" else OFF
    function = getattr(operators, name, None) or getattr(maxent, name)
    assert verdicts(PLAIN, key, **{name: scaled(function, by)})[clause] == "fails"
    assert verdicts(PLAIN, key)[clause] == "holds"


def test_a_natural_gradient_with_another_step_is_noticed():
    def longer(mdp, temperature, *, step, **settings):
        return maxent.natural_policy_gradient(mdp, temperature, step=OFF * step, **settings)

    assert verdicts(PLAIN, "NPG", natural_policy_gradient=longer)["update"] == "fails"


def test_a_temperature_that_misses_the_entropy_is_noticed():
    def warmer(mdp, entropy, **settings):
        return maxent.temperature_for_entropy(mdp, 0.999 * entropy, **settings)

    assert verdicts(PLAIN, "DUAL-TEMPERATURE", temperature_for_entropy=warmer)["recovered"] == (
        "fails"
    )


def test_a_curve_with_entropies_not_discounted_is_noticed():
    def bent(mdp, temperatures, **settings):
        true = maxent.tradeoff(mdp, temperatures, **settings)
        return SimpleNamespace(returns=true.returns, entropies=0.9 * true.entropies)

    assert verdicts(PLAIN, "SLOPE", tradeoff=bent)["curve"] == "fails"


def test_an_average_is_no_mellowmax():
    def average(q, temperature, log_mask=None):
        policy = np.exp(operators.boltzmann_policy(q, temperature, log_mask))
        return (policy * np.where(policy > 0, q, 0.0)).sum(axis=-1)

    found = verdicts(PLAIN, "MELLOWMAX", mellowmax=average)
    assert found["formula"] == "fails"


def test_shift_and_duplicate_need_states_that_last():
    for key in ("SHIFT", "DUPLICATE"):
        assert set(verdicts(PLAIN, key).values()) == {"holds"}
        (check,) = maxent.verify(ENDING, 0.3, keys=key)
        assert check.verdict == "not applicable"
        assert "no terminal state" in check.witness["missing"]


def test_a_mask_takes_the_uniform_limit_away():
    masked = maxent.garnet(6, 3, discount=0.9, seed=0, masked=0.4)
    found = {c.clause: c for c in maxent.verify(masked, 0.3, keys="LIMIT-INFINITY")}
    assert found["uniform"].verdict == found["rate"].verdict == "not applicable"
    assert "every action available" in found["uniform"].witness["missing"]
    assert found["policy"].verdict == found["value"].verdict == "holds"


def test_tied_actions_share_by_entropy_not_evenly():
    """Both actions are hard-optimal, one leads to a state with more to choose from."""
    transition = np.zeros((3, 2, 3))
    transition[0, 0, 1] = transition[0, 1, 2] = 1.0
    transition[1, :, 0] = transition[2, 0, 0] = 1.0
    mask = np.array([[True, True], [True, True], [True, False]])
    mdp = maxent.MDP(transition, np.zeros((3, 2)), discount=0.9, action_mask=mask)
    assert verdicts(mdp, "LIMIT-ZERO", 1e-6)["tied actions"] == "holds"


def test_inference_is_an_equality_only_where_dynamics_are_deterministic():
    assert set(verdicts(PLAIN, "INFERENCE").values()) == {"holds"}
    acausal = {"soft_value": lambda q, t, p=None: operators.soft_value(q, t, p) + 1e-9}
    assert verdicts(PLAIN, "INFERENCE", **acausal) == {
        "deterministic dynamics": "fails",
        "stochastic dynamics": "fails",
    }


@pytest.mark.skipif(not clarabel(), reason="needs clarabel")
@pytest.mark.parametrize("temperature", [0.0, 0.01, 0.3, 10.0])
@pytest.mark.parametrize("mdp", [PLAIN, ENDING], ids=["plain", "terminal and masked"])
def test_the_convex_program_has_the_soft_optimal_value(mdp, temperature):
    """DUAL-OCCUPANCY: its solver knows neither soft maxima nor Bellman equations."""
    instance = Instance(mdp, temperature, None, 0, operators)
    start = instance.problem.nonterminal / instance.problem.nonterminal.sum()
    found = convex_program.solve_program(instance, start)
    exact = float(start @ instance.optimum.v)
    assert found.solved and abs(found.value - exact) <= 1e-6 * max(1.0, abs(exact))


def test_without_the_convex_solver_the_reason_is_named(monkeypatch):
    true = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *_: None if name == "clarabel" else true(name)
    )
    for check in maxent.verify(PLAIN, 0.3, keys="DUAL-OCCUPANCY"):
        assert check.verdict == "not applicable" and "clarabel" in check.witness["missing"]


def test_the_list_names_key_statement_hypotheses_and_source(capsys):
    listed = statements()
    assert {about["key"] for about in listed} == set(KEYS)
    assert all(about["statement"] and about["source"] for about in listed)
    assert main(["verify", "--list"]) == 0
    assert capsys.readouterr().out.strip() == listing()
    for arguments in (["SAC-L2"], ["--keys", "SAC-L2"]):
        assert main(["verify", "--list", *arguments]) == 0
        printed = capsys.readouterr().out
        assert "SAC Lemma 2" in printed and "discount < 1" in printed and "SQL" not in printed
    assert main(["verify", "--list", "SAC-L9"]) == 2


@pytest.mark.parametrize("temperature", [0.0, 1e-6, 0.3, 1e6])
def test_a_discount_next_to_one_leaves_nothing_undecided(temperature):
    """Where V* itself is known to about 1 only, two ways to write it still agree to 1e-5."""
    mdp = maxent.garnet(4, 3, discount=1.0 - 1e-9, seed=1)
    maxent.verify(mdp, temperature, keys=["DUPLICATE", "SHIFT", "SHAPE"]).raise_if_failed()
