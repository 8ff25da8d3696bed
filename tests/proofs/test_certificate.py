"""Certificates: what is proved can be checked by others, and nothing else passes."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import random
import re
import sys
from pathlib import Path

import numpy as np
import pytest

import maxent
from maxent.cli import main
from maxent.proofs import balls, checker, standalone
from maxent.proofs.certificate import mdp_sha256

flint = pytest.importorskip("flint")


def problem(name: str) -> dict:
    """Keyword arguments of `enclose`."""
    rng = np.random.default_rng(3)
    mdp = maxent.garnet(5, 3, discount=0.97, seed=2, terminal=1, masked=0.3)
    prior = rng.dirichlet(np.ones(3), size=5) * mdp.action_mask
    prior /= prior.sum(axis=1, keepdims=True)
    policy = mdp.action_mask / mdp.action_mask.sum(axis=1, keepdims=True)
    return {
        "optimum": {"mdp": mdp, "temperature": 0.3},
        "hard maximum": {"mdp": mdp.to_sparse(), "temperature": 0.0},
        "prior": {"mdp": mdp, "temperature": 0.3, "prior": prior},
        "policy": {"mdp": mdp, "temperature": 0.3, "policy": policy},
        "policy, prior": {"mdp": mdp, "temperature": 2.0, "policy": prior, "prior": prior},
    }[name]


PROBLEMS = ("optimum", "hard maximum", "prior", "policy", "policy, prior")


@pytest.fixture
def certificate(tmp_path):
    path = tmp_path / "proof.json"
    maxent.write_certificate(maxent.enclose(**problem("optimum")), path)
    return path


def resealed(document: dict) -> str:
    """A changed document with both hashes made right again, as a forger would."""
    mdp = document["mdp"]
    head = np.array([mdp["n_states"], mdp["n_actions"]], dtype="<i8").tobytes()
    head += np.float64(float.fromhex(mdp["discount"])).tobytes()
    names = "row_ends successors probabilities reward terminal action_mask initial_distribution"
    body = b"".join(base64.b64decode(mdp[name]) for name in names.split())
    document["mdp_sha256"] = hashlib.sha256(b"maxent-mdp-1\n" + head + body).hexdigest()
    document.pop("sha256", None)
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    document["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    return json.dumps(document)


def changed(path: Path, where: tuple, value) -> maxent.CertificateCheck:
    """What the checker says once a field of the file has another value, hashes made right."""
    document = json.loads(path.read_text())
    part = document
    for key in where[:-1]:
        part = part[key]
    part[where[-1]] = value(part[where[-1]]) if callable(value) else value
    path.write_text(resealed(document))
    return maxent.check_certificate(path)


def numbers(change, dtype="<f8"):
    """A change of an array in base64."""

    def apply(text: str) -> str:
        array = np.frombuffer(base64.b64decode(text), dtype).copy()
        change(array)
        return base64.b64encode(array.tobytes()).decode()

    return apply


def add(place, amount):
    def change(array):
        array[place] += amount

    return numbers(change)


@pytest.mark.parametrize("name", PROBLEMS)
def test_what_is_proved_is_found_valid(name, tmp_path):
    path = tmp_path / "proof.json"
    given = problem(name)
    maxent.write_certificate(maxent.enclose(**given), path)
    found = maxent.check_certificate(path)
    assert found, found
    assert found.mdp_sha256 == mdp_sha256(given["mdp"])
    assert repr(given["mdp"].discount) in found.statement
    assert ("V^pi" in found.statement) == ("policy" in name)


def test_dense_and_sparse_are_the_same_mdp(certificate):
    mdp = problem("optimum")["mdp"]
    assert mdp_sha256(mdp) == mdp_sha256(mdp.to_sparse()) != mdp_sha256(mdp.replace(discount=0.5))
    assert json.loads(certificate.read_text())["mdp_sha256"] == mdp_sha256(mdp)


@pytest.mark.parametrize("name", ["optimum", "policy, prior"])
def test_every_flipped_digit_is_noticed(name, tmp_path):
    """A thousand of the characters that are no spaces, each changed: never valid."""
    path = tmp_path / "proof.json"
    maxent.write_certificate(maxent.enclose(**problem(name)), path)
    text = path.read_text()
    rng = random.Random(0)
    places = [i for i, c in enumerate(text) if not c.isspace()]
    for place in rng.sample(places, 1000):
        kind = "0123456789abcdef" if text[place].isdigit() else 'ABCxyz019+/={}",:-.p'
        other = rng.choice([c for c in kind if c != text[place]])
        path.write_text(text[:place] + other + text[place + 1 :])
        try:
            found = maxent.check_certificate(path)
        except maxent.ConfigError:
            continue
        assert not found.valid, (place, text[place - 20 : place + 20], other)


def test_spaces_mean_nothing(certificate):
    certificate.write_text(json.dumps(json.loads(certificate.read_text()), indent=7))
    assert maxent.check_certificate(certificate)


@pytest.mark.parametrize("name", PROBLEMS)
def test_an_interval_that_excludes_the_truth_is_rejected(name, tmp_path):
    """With all hashes made right: a midpoint moved by more than the radius, in any state."""
    path = tmp_path / "proof.json"
    proved = maxent.enclose(**problem(name))
    maxent.write_certificate(proved, path)
    text, radius = path.read_text(), proved.radius
    for state in np.flatnonzero(~proved.mdp.terminal):
        for part, amount in ((0, 1e-3), (0, -1e-3), (1, 2.1 * radius), (1, -2.1 * radius)):
            path.write_text(text)
            found = changed(path, ("enclosure", "midpoint", part), add(state, amount))
            assert not found.valid and "does not follow" in found.reason, (state, amount)
    for less in (0.999, 1e-3, 0.0):  # the radius is what follows, and nothing smaller does
        path.write_text(text)
        found = changed(path, ("enclosure", "radius"), (less * radius).hex())
        assert not found.valid and "does not follow" in found.reason, less


def test_a_wider_interval_around_a_moved_midpoint_is_still_proved(certificate):
    """The checker proves what is claimed; it does not compare with what was written."""
    changed(certificate, ("enclosure", "midpoint", 0), add(0, 1e-6))
    assert changed(certificate, ("enclosure", "radius"), (1e-4).hex()).valid


@pytest.mark.parametrize(
    "where, value, reason",
    [
        (("mdp", "reward"), add(0, 1e-9), "does not follow"),
        (("mdp", "discount"), (0.9700001).hex(), "does not follow"),
        (("mdp", "discount"), (1.0).hex(), "discount is not in"),
        (("mdp", "discount"), (-0.5).hex(), "discount is not in"),
        (("mdp", "discount"), math.nan.hex(), "discount is not in"),
        (("statement", "temperature"), (0.3000001).hex(), "does not follow"),
        (("statement", "temperature"), (-0.3).hex(), "temperature"),
        (("statement", "temperature"), math.inf.hex(), "temperature"),
        (("mdp", "probabilities"), add(0, 1e-5), "not probabilities"),
        (("mdp", "probabilities"), add(0, -2.0), "not probabilities"),
        (("mdp", "probabilities"), add(0, math.nan), "not probabilities"),
        (("mdp", "reward"), add(0, math.inf), "reward is not finite"),
        (("mdp", "initial_distribution"), add(0, 1.0), "initial distribution"),
        (("enclosure", "radius"), math.inf.hex(), "radius"),
        (("enclosure", "radius"), (-1.0).hex(), "radius"),
        (("enclosure", "midpoint", 0), add(0, math.nan), "midpoint of state 0"),
        (("enclosure", "midpoint", 0), add(4, 1.0), "terminal state 4 is not 0"),
    ],
)
def test_a_forged_file_is_rejected_with_the_reason(certificate, where, value, reason):
    found = changed(certificate, where, value)
    assert not found.valid
    assert reason in found.reason


def set_to(place, value, dtype="<f8"):
    def change(array):
        array[place] = value

    return numbers(change, dtype)


@pytest.mark.parametrize(
    "where, value, reason",
    [
        (("mdp", "action_mask"), set_to(slice(0, 3), [1, 0, 0], "u1"), "leads somewhere"),
        (("mdp", "action_mask"), set_to(slice(12, 15), 0, "u1"), "state 4 has no action"),
        (("mdp", "action_mask"), set_to(0, 2, "u1"), "not of 0 and 1"),
        (("mdp", "successors"), set_to(slice(0, 2), [1, 0], "<i8"), "states"),
        (("mdp", "successors"), set_to(4, 5, "<i8"), "states"),
        (("mdp", "successors"), set_to(0, -1, "<i8"), "states"),
        (("mdp", "row_ends"), set_to(0, 10**6, "<i8"), "rows overlap"),
    ],
)
def test_a_broken_model_is_rejected_with_the_reason(tmp_path, where, value, reason):
    path = tmp_path / "proof.json"
    mdp = maxent.garnet(5, 3, discount=0.97, seed=2, terminal=1)
    maxent.write_certificate(maxent.enclose(mdp, 0.3), path)
    found = changed(path, where, value)
    assert not found.valid
    assert reason in found.reason


def test_a_policy_outside_the_mask_or_the_prior_is_rejected(tmp_path):
    path = tmp_path / "proof.json"
    for name in ("policy", "policy, prior"):
        given = problem(name)
        state, action = np.argwhere(~given["mdp"].action_mask[:4])[0]
        row = np.eye(3)[action]
        maxent.write_certificate(maxent.enclose(**given), path, overwrite=True)
        place = slice(3 * state, 3 * state + 3)
        found = changed(path, ("statement", "policy"), set_to(place, row))
        assert not found.valid and f"leaves state {state}" in found.reason


def test_where_nothing_contracts_nothing_is_proved(tmp_path):
    """gamma times a row sum above 1: b = 0 says nothing, the values need not be bounded."""
    path = tmp_path / "proof.json"
    mdp = maxent.MDP(np.full((1, 1, 1), 1.0 + 9e-10), np.zeros((1, 1)), discount=0.5)
    maxent.write_certificate(maxent.enclose(mdp, 0.0), path)
    found = changed(path, ("mdp", "discount"), (1.0 - 1e-12).hex())
    assert not found.valid and "nothing is contracted" in found.reason


@pytest.mark.parametrize("soft_maximum", ["writer", "checker"])
def test_an_uncertain_soft_maximum_holds_every_value_in_it(soft_maximum):
    arb = flint.arb
    wide = [arb(0, 10), arb(1, 10), arb(-3, 10)]
    if soft_maximum == "writer":
        found = balls.soft_maximum(wide, arb(1))
    else:
        found = checker._soft_maximum(arb, arb(1), wide, [arb(1)] * 3)
    for scores in ([10, 11, 7], [-10, -9, -13], [0, 1, -3], [10, 10, 7]):
        assert found.contains(sum(arb(x).exp() for x in scores).log())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        "\xff\xfe",
        "[" * 100_000,
        '{"format": "maxent-certificate-1"}',
        '{"format": NaN}',
        '{"a": 1, "a": 2}',
    ],
)
def test_what_is_no_certificate_is_named(tmp_path, text, capsys):
    path = tmp_path / "some.json"
    path.write_text(text)
    with pytest.raises(maxent.ConfigError, match="is not a certificate"):
        maxent.check_certificate(path)
    assert main(["check", str(path)]) == 2
    assert "maxent: error:" in capsys.readouterr().err


@pytest.mark.parametrize(
    "where, value",
    [
        (("format",), "maxent-certificate-9"),
        (("mdp", "n_states"), 6),
        (("mdp", "n_states"), 10**15),
        (("mdp", "n_states"), -1),
        (("mdp", "n_actions"), True),
        (("mdp", "discount"), "0.97"),
        (("mdp", "reward"), "AAAA"),
        (("mdp", "reward"), None),
        (("statement", "kind"), "policy value"),
        (("statement", "kind"), "truth"),
        (("enclosure", "midpoint"), []),
        (("versions",), 3),
    ],
)
def test_a_malformed_field_is_named(certificate, where, value):
    document = json.loads(certificate.read_text())
    part = document
    for key in where[:-1]:
        part = part[key]
    part[where[-1]] = value
    certificate.write_text(json.dumps(document))
    with pytest.raises(maxent.ConfigError, match="is not a certificate"):
        maxent.check_certificate(certificate)


def test_a_field_given_twice_is_named(certificate):
    text = certificate.read_text()
    certificate.write_text(text.replace('"format"', '"format": "maxent-certificate-1", "format"'))
    with pytest.raises(maxent.ConfigError, match="given twice"):
        maxent.check_certificate(certificate)


def test_the_hash_of_another_mdp_is_rejected(certificate):
    """Whoever compares hashes compares with the MDP that the proof is about."""
    document = json.loads(certificate.read_text())
    forged = json.loads(resealed(document)) | {"mdp_sha256": "0" * 64}
    forged.pop("sha256")
    text = json.dumps(forged, sort_keys=True, separators=(",", ":"))
    forged["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    certificate.write_text(json.dumps(forged))
    found = maxent.check_certificate(certificate)
    assert not found.valid and "SHA-256" in found.reason


def test_an_unknown_field_is_named(certificate):
    document = json.loads(certificate.read_text())
    document["mdp"]["note"] = "trust me"
    certificate.write_text(json.dumps(document))
    with pytest.raises(maxent.ConfigError, match="fields of mdp"):
        maxent.check_certificate(certificate)


def test_the_checker_shares_nothing_with_the_package():
    source = Path(checker.__file__).read_text()
    imported = set(re.findall(r"^(?:from|import) ([\w.]+)", source, flags=re.MULTILINE))
    assert {name for name in imported if name.startswith("maxent")} == {"maxent.errors"}
    assert not {"numpy", "scipy"} & imported


def test_a_certificate_is_written_whole_or_not_at_all(certificate, monkeypatch):
    before = certificate.read_bytes()
    proved = maxent.enclose(**problem("policy"))
    with pytest.raises(maxent.OutputExistsError):
        maxent.write_certificate(proved, certificate)
    monkeypatch.setattr(json, "dump", lambda *_, **__: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        maxent.write_certificate(proved, certificate, overwrite=True)
    assert certificate.read_bytes() == before
    assert [path.name for path in certificate.parent.iterdir()] == [certificate.name]


def test_checking_needs_flint(certificate, monkeypatch):
    monkeypatch.setitem(sys.modules, "flint", None)
    with pytest.raises(maxent.ConfigError, match="pip install python-flint"):
        maxent.check_certificate(certificate)


# the command line


def test_solve_writes_what_check_proves(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    solve = ["solve", "two-goals", "--temperature", "0.01", "--certificate", "proof.json"]
    assert main([*solve, "--json", "all.json"]) == 0
    assert "proved           every value, to an interval" in capsys.readouterr().out
    record = json.loads(Path("all.json").read_text())
    assert record["enclosure"]["radius"] <= 5e-11
    assert main(["check", "proof.json"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("valid: proof.json\nproved: |V* - midpoint| <= ")
    assert mdp_sha256(maxent.gridworld("two-goals")) in out
    assert main(solve) == 2
    text = Path("proof.json").read_text()
    at = text.index('"reward": "') + 40
    Path("proof.json").write_text(text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :])
    capsys.readouterr()
    assert main(["check", "proof.json"]) == 1
    assert "NOT valid" in capsys.readouterr().out
    assert main(["check", "nothing.json"]) == 2
    assert main(["check"]) == 2
    assert "name a FILE" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["probabilities", "initial_distribution"])
def test_a_negative_probability_is_rejected_even_where_the_sum_is_one(certificate, name):
    def moved(array):
        array[:2] += [-2.0, 2.0]
        return array

    found = changed(certificate, ("mdp", name), numbers(moved))
    assert not found.valid and "not probabilities" in found.reason


# odd numbers, in both checkers


def changed_number(certificate, field, value, part="mdp"):
    """The certificate with the first number of an array, or a number, replaced, sealed again with
    the hashes that it should have."""
    document = json.loads(certificate.read_text())
    text = document[part][field]
    if field == "midpoint":
        array = np.frombuffer(base64.b64decode(text[0]), "<f8").copy()
        array[0] = value
        document[part][field][0] = base64.b64encode(array.tobytes()).decode()
    elif text.startswith(("0x", "-0x")):
        document[part][field] = float(value).hex()
    else:
        array = np.frombuffer(base64.b64decode(text), "<f8").copy()
        array[0] = value
        document[part][field] = base64.b64encode(array.tobytes()).decode()
    document["mdp_sha256"] = standalone.Certificate(document).mdp_sha256()
    rest = {key: each for key, each in document.items() if key != "sha256"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"))
    certificate.write_text(json.dumps(rest | {"sha256": hashlib.sha256(text.encode()).hexdigest()}))


@pytest.mark.parametrize("value", [1e308, -1e308, 1.7e308, np.inf, np.nan, 5e-324])
@pytest.mark.parametrize(
    "where",
    [
        ("mdp", "probabilities"),
        ("mdp", "reward"),
        ("mdp", "initial_distribution"),
        ("mdp", "discount"),
        ("statement", "temperature"),
        ("enclosure", "midpoint"),
        ("enclosure", "radius"),
    ],
)
def test_the_largest_numbers_are_not_valid_and_break_nothing(certificate, where, value):
    part, field = where
    changed_number(certificate, field, value, part)
    found = maxent.check_certificate(certificate)
    assert not found.valid and found.reason and "midpoints reach" in found.statement
    assert standalone.check(str(certificate))[0] == standalone.NOT_VALID


def test_a_radius_above_every_value_is_not_valid(certificate):
    """It would be proved all right."""
    document = json.loads(certificate.read_text())
    parts = [base64.b64decode(part) for part in document["enclosure"]["midpoint"]]
    largest = np.abs(sum(np.frombuffer(part, "<f8") for part in parts)).max()
    for factor, valid in ((0.5, True), (1.01, False)):
        changed_number(certificate, "radius", factor * largest, "enclosure")
        assert maxent.check_certificate(certificate).valid is valid
        assert (standalone.check(str(certificate))[0] == standalone.VALID) is valid


@pytest.mark.parametrize("change", [{"midpoint": {"AAAA": 1}}, {"midpoint": "AAAA"}])
def test_an_object_where_a_list_belongs_is_no_certificate(certificate, change):
    document = json.loads(certificate.read_text())
    document["enclosure"] |= change
    certificate.write_text(json.dumps(document))
    with pytest.raises(maxent.ConfigError, match="no list of 1 to 16"):
        maxent.check_certificate(certificate)


@pytest.mark.parametrize("path", ["a\0b", None, ["a"]])
def test_a_path_that_is_none_is_told(path):
    with pytest.raises(maxent.ConfigError, match="names no file"):
        maxent.check_certificate(path)


def test_whether_it_is_about_your_mdp(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    solve = ["solve", "two-goals", "--slip", "0.1", "--temperature", "0.01"]
    assert main([*solve, "--certificate", "proof.json"]) == 0
    maxent.gridworld("two-goals", slip=0.1).save("mine.npz")
    capsys.readouterr()
    for same in (["two-goals", "--slip", "0.1"], ["mine.npz"]):
        assert main(["check", "proof.json", "--mdp", *same]) == 0
        assert f"(that of {same[0]})" in capsys.readouterr().out
    assert main(["check", "proof.json", "--mdp", "two-goals"]) == 1
    said = capsys.readouterr().out
    assert said.startswith("NOT valid") and "about another MDP: that of two-goals" in said
    assert main(["check", "proof.json", "--slip", "0.1"]) == 2
    assert "--slip needs --mdp" in capsys.readouterr().err
