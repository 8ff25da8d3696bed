"""The second checker of certificates: without a library, and of one mind with the first."""

import ast
import base64
import hashlib
import json
import math
import random
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import mpmath
import numpy as np
import pytest

import maxent
from maxent.proofs import standalone

pytest.importorskip("flint")


def resealed(document, path):
    """Write a document with the hash that it should have; the path."""
    rest = {name: value for name, value in document.items() if name != "sha256"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"))
    sealed = rest | {"sha256": hashlib.sha256(text.encode()).hexdigest()}
    path.write_text(json.dumps(sealed))
    return path


def problem(seed):
    """A small random MDP, with a prior or a policy in two cases of three; some have masks, and
    terminal states."""
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(1, 6)), int(rng.integers(1, 5))
    mask = rng.random((n, m)) < 0.8
    mask[np.arange(n), rng.integers(0, m, n)] = True
    terminal = np.zeros(n, dtype=bool)
    terminal[-1] = n > 2 and rng.random() < 0.5
    mdp = maxent.MDP(
        rng.dirichlet(np.full(n, 0.3), size=(n, m)),
        rng.normal(size=(n, m)) * 10.0 ** rng.integers(-5, 9),
        discount=float(rng.choice([0.0, 0.5, 0.9, 0.9999])),
        terminal=terminal,
        action_mask=mask,
    )
    weights = np.where(mask, rng.dirichlet(np.full(m, 0.05), size=n), 0.0)
    weights = np.where(weights.sum(axis=1, keepdims=True) > 0.0, weights, mask)
    weights = weights / weights.sum(axis=1, keepdims=True)
    return mdp, {name: weights for name in [("none", "prior", "policy")[seed % 3]] if seed % 3}


@pytest.mark.parametrize("temperature", [0.0, 1e-300, 1e-40, 1e-8, 0.01, 1.0, 1e8])
def test_both_checkers_say_the_same(temperature, tmp_path):
    path = tmp_path / "certificate.json"
    for seed in range(9):
        mdp, options = problem(seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", maxent.MaxEntWarning)
            proved = maxent.enclose(mdp, temperature, **options)
        maxent.write_certificate(proved, path, overwrite=True)
        assert standalone.check(str(path))[0] == standalone.VALID
        document = json.loads(path.read_text())
        for share in (0.9, 0.5, 1e-3, 0.0, 1e30, 1e200):
            document["enclosure"]["radius"] = min(proved.radius * share, 1e308).hex()
            narrower = resealed(document, tmp_path / "narrower.json")
            first = maxent.check_certificate(narrower).valid
            assert (standalone.check(str(narrower))[0] == standalone.VALID) == first


def test_log_and_exp_are_enclosed():
    draw = random.Random(1)
    for bits in (64, 100, 300):
        with mpmath.workprec(4 * bits + 3000):
            _logs_and_exps_hold(draw, bits)


def _logs_and_exps_hold(draw, bits):
    unit = mpmath.mpf(2) ** bits
    low, high = standalone.log_2(bits)
    assert low <= mpmath.log(2) * unit <= high <= low + bits + 1
    for _ in range(200):
        y = -draw.getrandbits(draw.randint(1, bits + 9))
        low, high = standalone.exponential(y, bits)
        assert low <= mpmath.exp(mpmath.mpf(y) / unit) * unit <= high <= low + 20 * bits
        a, b = (draw.getrandbits(draw.randint(1, 1100)) + 1 for _ in range(2))
        low, high = standalone.logarithm(a, b, bits)
        assert low <= mpmath.log(mpmath.mpf(a) / b) * unit <= high <= low + 2200 * bits
    assert standalone.logarithm(7, 7, bits) == (0, 0)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    path = tmp_path_factory.mktemp("certificate") / "proof.json"
    mdp = maxent.gridworld("S..\n.#.\n..G", discount=0.9, slip=0.1)
    maxent.write_certificate(maxent.enclose(mdp, 0.3), path)
    return path


def test_a_lone_copy_runs_without_any_library(certificate, tmp_path):
    copy = shutil.copy(standalone.__file__, tmp_path / "copy.py")
    for arguments, code in (
        ([certificate], 0),
        ([tmp_path / "none"], 2),
        (["/dev/zero"], 2),
        ([copy], 2),
        ([], 2),
        ([certificate, certificate], 2),
        (["--help"], 0),
    ):
        done = subprocess.run(
            [sys.executable, "-I", "-S", copy, *arguments], capture_output=True, text=True
        )
        assert done.returncode == code, done
        assert "Traceback" not in done.stderr


def test_it_imports_nothing_but_the_standard_library():
    tree = ast.parse(Path(standalone.__file__).read_text())
    imported = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        )
    }
    assert imported <= set(sys.stdlib_module_names)


def test_both_draw_one_line_where_probabilities_sum_to_1_almost(certificate, tmp_path):
    document = json.loads(certificate.read_text())
    start = np.zeros(document["mdp"]["n_states"])
    codes = []
    for ulps in (4503599.0, 4503599.5, 4503600.0):  # 1e-9 is 4503599.6; the second rounds up
        start[:2] = 0.25 + ulps * 2.0**-52, 0.75
        text = base64.b64encode(start.astype("<f8").tobytes()).decode()
        document["mdp"]["initial_distribution"] = text
        document["mdp_sha256"] = standalone.Certificate(document).mdp_sha256()
        path = resealed(document, tmp_path / "moved.json")
        code, _ = standalone.check(str(path))
        assert maxent.check_certificate(path).valid is (code == standalone.VALID)
        codes.append(code)
    assert codes == [standalone.VALID, standalone.VALID, standalone.NOT_VALID]


def test_lies_are_noticed(certificate, tmp_path):
    document = json.loads(certificate.read_text())

    def with_value(part, name, value):
        changed = json.loads(json.dumps(document))
        changed[part][name] = value
        return changed

    for changed, words in (
        (with_value("statement", "temperature", (0.31).hex()), "does not follow"),
        (with_value("mdp", "discount", (0.91).hex()), "hash stated"),
        (with_value("enclosure", "radius", math.inf.hex()), "radius is negative or infinite"),
        (with_value("enclosure", "radius", (1e300).hex()), "says nothing"),
        (with_value("statement", "temperature", (-1.0).hex()), "temperature is negative"),
    ):
        code, text = standalone.check(str(resealed(changed, tmp_path / "changed.json")))
        assert (code, words in text) == (standalone.NOT_VALID, True), text
    (tmp_path / "flipped.json").write_text(certificate.read_text().replace("A", "B", 1))
    assert standalone.main([str(tmp_path / "flipped.json")]) != standalone.VALID


def test_what_is_no_certificate_is_refused(certificate, tmp_path, capsys):
    document = json.loads(certificate.read_text())
    text = certificate.read_text()
    for content in (
        "",
        "[" * 100_000,
        "[]",
        "{}",
        json.dumps(document | {"more": 1}),
        json.dumps(document | {"format": "maxent-certificate-2"}),
        json.dumps(document | {"mdp": []}),
        json.dumps(document | {"mdp": document["mdp"] | {"n_states": 2**60}}),
        json.dumps(document | {"mdp": document["mdp"] | {"reward": "!"}}),
        json.dumps(document | {"mdp": document["mdp"] | {"discount": 0}}),
        json.dumps(document | {"enclosure": {"midpoint": {}, "radius": (1.0).hex()}}),
        text.replace('"sha256"', '"format"'),
        text.replace("0x1", "0y1"),
        text[: len(text) // 2],
    ):
        path = tmp_path / "damaged.json"
        path.write_text(content)
        assert standalone.main([str(path)]) == standalone.NO_CERTIFICATE
        assert "is not a certificate" in capsys.readouterr().err


def test_any_flipped_bit_is_noticed(certificate, tmp_path):
    content, draw = bytearray(certificate.read_bytes()), random.Random(3)
    path = tmp_path / "flipped.json"
    for _ in range(300):
        place, bit = draw.randrange(len(content)), 1 << draw.randrange(8)
        content[place] ^= bit
        path.write_bytes(content)
        same = True
        try:
            same = json.loads(content) == json.loads(certificate.read_text())
        except ValueError:
            same = False
        if not same:  # white space may change
            assert standalone.main([str(path)]) != standalone.VALID, (place, bit)
        content[place] ^= bit
