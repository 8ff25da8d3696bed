r"""The checker of certificates: one module that trusts nothing but the file.

It shares no code with what writes certificates or finds solutions, only the classes of errors; it
needs python-flint and the standard library.  What it does, in order:

1. reads the JSON strictly (no number twice, no unknown field, arrays of the right length);
2. compares the SHA-256 of the document, and of the MDP in it, with those stored;
3. checks that the MDP is one: probabilities at least 0 that sum to 1 within 1e-9, rewards finite,
   a discount below 1; the same for the policy or the prior;
4. proves the statement again.  The file claims |V(s) - v(s)| <= radius in every state, where V is
   V* or V^pi of the MDP as stored and v is given exactly, as a sum of float64 numbers.  One
   application of the Bellman operator in ball arithmetic encloses b = T v - v.  Let low and high be
   the least and greatest beta(s, a) = gamma * (probability of going on to a state that is not
   terminal).  As T is monotone and T(v + c) <= T v + beta c, T v <= v + M implies

       V <= v + M (1 + beta + beta^2 + ...) = v + M / (1 - beta),
                                               beta = high if M > 0, low if M < 0,

   and in the same way from below (MacQueen 1966).  Valid means that this proves the claim.

The format is described in docs/proofs.md.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import importlib
import itertools
import json
import math
import os
import stat
import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from maxent.errors import ConfigError, MissingExtraError

FORMAT = "maxent-certificate-1"
KINDS = ("optimal value", "policy value")
ROW_SUM_TOLERANCE = 1e-9
MOST_PARTS = 16
LARGEST_FILE = 2**31
NOISE = Fraction(1, 2**30)
"""Values below this share of rewards and temperature are as good as 0."""
FIELDS = {
    "": "format statement mdp mdp_sha256 enclosure versions sha256",
    "statement": "kind temperature prior policy",
    "mdp": "n_states n_actions discount row_ends successors probabilities reward terminal "
    "action_mask initial_distribution",
    "enclosure": "midpoint radius",
}


@dataclass(frozen=True)
class CertificateCheck:
    """What came of checking a certificate; true where it is valid.

    valid : whether the statement was proved again.
    statement : what the certificate states.
    reason : why it is not valid; empty where it is.
    mdp_sha256 : a digest of the MDP that the certificate is about.

    >>> import maxent, tempfile
    >>> proved = maxent.enclose(maxent.gridworld("two-goals", discount=0.95), temperature=0.1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     maxent.write_certificate(proved, f"{folder}/proof.json")
    ...     found = maxent.check_certificate(f"{folder}/proof.json")
    >>> bool(found), len(found.mdp_sha256)
    (True, 64)
    """

    valid: bool
    statement: str
    reason: str
    mdp_sha256: str

    def __bool__(self) -> bool:
        return self.valid


class _Invalid(Exception):
    """The file is a certificate, but it proves nothing."""


def check_certificate(path: str | os.PathLike[str]) -> CertificateCheck:
    """Prove the statement of a certificate again, from the file alone.

    Raises ConfigError where the file is not a certificate (damaged JSON, missing fields, another
    format), MissingExtraError where python-flint is missing, OSError where it cannot be read.

    >>> import maxent, tempfile
    >>> proved = maxent.enclose(maxent.gridworld("two-goals", discount=0.95), temperature=0.1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     maxent.write_certificate(proved, f"{folder}/proof.json")
    ...     found = maxent.check_certificate(f"{folder}/proof.json")
    >>> found.valid, found.reason
    (True, '')
    """
    arb, context = _flint()
    try:
        name = repr(os.fsdecode(path))
        about = os.stat(path)
    except (TypeError, ValueError) as error:  # no path, or a NUL in it
        raise ConfigError(f"path = {str(path)[:60]!r} names no file: {error}") from error
    if not stat.S_ISREG(about.st_mode) or about.st_size > LARGEST_FILE:
        # a device or a pipe may have no end
        raise ConfigError(
            f"{name} is no ordinary file of at most {LARGEST_FILE} bytes; give a certificate"
        )
    with open(path, "rb") as file:
        content = file.read()
    try:
        document = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_once,
            parse_float=_no_number,
            parse_constant=_no_number,
        )
        _check_fields(document)
        read = _Certificate(document)
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"{name} is not a certificate, or it is damaged: it is no JSON from line "
            f"{error.lineno}, column {error.colno} on; name what solve --certificate or "
            "write_certificate wrote"
        ) from error
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError, struct.error) as error:
        raise ConfigError(
            f"{name} is not a certificate, or it is damaged: {str(error)[:200]}"
        ) from error
    digest = ""
    try:
        digest = read.require_hashes(document)
        read.require_model()
        with context.workprec(64 * (len(read.midpoint) + 1)):
            read.prove(arb)
    except _Invalid as reason:
        return CertificateCheck(False, read.statement, str(reason), digest)
    return CertificateCheck(True, read.statement, "", digest)


def _flint() -> tuple[Any, Any]:
    try:
        flint = importlib.import_module("flint")
    except ImportError as error:
        raise MissingExtraError(
            "certificates are checked in the ball arithmetic of python-flint, which is not "
            "installed: pip install python-flint; or use the checker that needs nothing but "
            "Python, maxent/proofs/standalone.py"
        ) from error
    return flint.arb, flint.ctx


class _Certificate:
    """The numbers of a file, as Python floats and integers; ValueError for anything malformed."""

    def __init__(self, document: dict[str, Any]) -> None:
        if document["format"] != FORMAT:
            raise ValueError(f"format {document['format']!r}; this version reads {FORMAT}")
        statement, mdp, enclosure = (document[k] for k in ("statement", "mdp", "enclosure"))
        self.kind = statement["kind"]
        if self.kind not in KINDS or (self.kind == KINDS[1]) != (statement["policy"] is not None):
            raise ValueError(f"statement of unknown kind {self.kind!r}, or without its policy")
        n, m = _count(mdp["n_states"]), _count(mdp["n_actions"])
        self.n, self.m = n, m
        self.temperature = _number(statement["temperature"])
        self.discount = _number(mdp["discount"])
        self.row_ends = _array("q", mdp["row_ends"], n * m)
        entries = self.row_ends[-1]
        self.successors = _array("q", mdp["successors"], entries)
        self.probabilities = _array("d", mdp["probabilities"], entries)
        self.reward = _array("d", mdp["reward"], n * m)
        self.terminal = _array("B", mdp["terminal"], n)
        self.mask = _array("B", mdp["action_mask"], n * m)
        self.start = _array("d", mdp["initial_distribution"], n)
        prior, policy = statement["prior"], statement["policy"]
        self.prior = None if prior is None else _array("d", prior, n * m)
        self.policy = None if policy is None else _array("d", policy, n * m)
        parts = enclosure["midpoint"]
        if not isinstance(parts, list) or not 1 <= len(parts) <= MOST_PARTS:
            raise ValueError(f"the midpoint is no list of 1 to {MOST_PARTS} parts")
        for name in ("mdp_sha256", "sha256"):
            if not isinstance(document[name], str):
                raise ValueError(f"{name} is no text")
        self.midpoint = [_array("d", part, n) for part in parts]
        self.radius = _number(enclosure["radius"])
        versions = document["versions"]
        if not (isinstance(versions, dict) and all(isinstance(x, str) for x in versions.values())):
            raise ValueError("versions are no strings")

    @property
    def statement(self) -> str:
        """What is claimed, in words."""
        what = "V*" if self.policy is None else "V^pi of the policy stored"
        cost = "the entropy" if self.prior is None else "minus the divergence from the prior stored"
        return (
            f"|{what} - midpoint| <= {self.radius!r} in every state, for the MDP of {self.n} "
            f"states and {self.m} actions stored, discount {self.discount!r}, with {cost} at "
            f"temperature {self.temperature!r}; the midpoints reach {self._reach()} in size"
        )

    def _largest(self) -> Fraction:
        """max |midpoint|, exactly."""
        return max(abs(sum(map(Fraction, each), Fraction(0))) for each in zip(*self.midpoint))

    def _reach(self) -> str:
        try:
            return f"{float(self._largest()):.6g}"
        except (OverflowError, ValueError):  # beyond float64, infinite or no number
            return "no finite number"

    def require_hashes(self, document: dict[str, Any]) -> str:
        """The SHA-256 of the MDP, after comparing it and that of the document."""
        n, m = self.n, self.m
        parts = [
            b"maxent-mdp-1\n",
            struct.pack("<qqd", n, m, self.discount),
            struct.pack(f"<{n * m}q", *self.row_ends),
            struct.pack(f"<{len(self.successors)}q", *self.successors),
            struct.pack(f"<{len(self.probabilities)}d", *self.probabilities),
            struct.pack(f"<{n * m}d", *self.reward),
            bytes(self.terminal),
            bytes(self.mask),
            struct.pack(f"<{n}d", *self.start),
        ]
        digest = hashlib.sha256(b"".join(parts)).hexdigest()
        if document["mdp_sha256"] != digest:
            raise _Invalid(f"the MDP stored has the SHA-256 {digest}, not the one stated")
        rest = {key: value for key, value in document.items() if key != "sha256"}
        text = json.dumps(rest, sort_keys=True, separators=(",", ":"))
        if document["sha256"] != hashlib.sha256(text.encode()).hexdigest():
            raise _Invalid("the document does not have the SHA-256 stated: it was changed")
        return digest

    def require_model(self) -> None:
        """_Invalid unless the numbers are an MDP, a temperature, a policy or prior, a midpoint."""
        _require(0.0 <= self.discount < 1.0, "the discount is not in [0, 1)")
        _require(0.0 <= self.temperature < math.inf, "the temperature is negative or infinite")
        _require(0.0 <= self.radius < math.inf, "the radius is negative or infinite")
        _require(set(self.terminal) | set(self.mask) <= {0, 1}, "a mask is not of 0 and 1")
        _require(all(map(math.isfinite, self.reward)), "a reward is not finite")
        _require_distribution(self.start, "the initial distribution")
        starts = [0, *self.row_ends]
        for row, (begin, end) in enumerate(itertools.pairwise(starts)):
            place = f"state {row // self.m}, action {row % self.m}"
            _require(0 <= begin <= end <= len(self.successors), f"{place}: rows overlap")
            own = self.successors[begin:end]
            ascending = all(one < two for one, two in itertools.pairwise(own))
            _require(ascending and (not own or 0 <= own[0] <= own[-1] < self.n), f"{place}: states")
            if self.mask[row] and not self.terminal[row // self.m]:
                _require_distribution(self.probabilities[begin:end], place)
            else:
                _require(begin == end, f"{place} is not available but leads somewhere")
        for state in range(self.n):
            here = slice(state * self.m, (state + 1) * self.m)
            _require(any(self.mask[here]), f"state {state} has no action")
            allowed = [bool(x) for x in self.mask[here]]
            for given, what in ((self.prior, "prior"), (self.policy, "policy")):
                if given is None:
                    continue
                _require_distribution(given[here], f"the {what} in state {state}")
                inside = all(x == 0.0 or ok for x, ok in zip(given[here], allowed))
                _require(
                    inside or bool(self.terminal[state]),
                    f"the {what} leaves state {state}'s actions",
                )
                allowed = [ok and x > 0.0 for x, ok in zip(given[here], allowed)]
            for part in self.midpoint:
                _require(math.isfinite(part[state]), f"the midpoint of state {state} is not finite")
                _require(
                    not self.terminal[state] or part[state] == 0.0,
                    f"the midpoint of the terminal state {state} is not 0",
                )

    def prove(self, arb: Any) -> None:
        """_Invalid unless one application of the operator proves the claim."""
        scale = max(Fraction(max(map(abs, self.reward))), Fraction(self.temperature))
        _require(
            Fraction(self.radius) <= max(self._largest(), NOISE * scale),
            "the radius is larger than every value: it says nothing",
        )
        v = [sum((arb(part[s]) for part in self.midpoint), arb(0)) for s in range(self.n)]
        gamma, alpha, radius = arb(self.discount), arb(self.temperature), arb(self.radius)
        low, high, below, above = arb("+inf"), arb("-inf"), arb("+inf"), arb("-inf")
        worst = -1
        for state in range(self.n):
            if self.terminal[state]:
                continue
            weights, scores, sums = [], [], []
            for action in range(self.m):
                row = state * self.m + action
                weight = self._weight(row)
                if not weight:
                    continue
                total = mass = arb(0)
                for i in range(self.row_ends[row - 1] if row else 0, self.row_ends[row]):
                    successor = self.successors[i]
                    if not self.terminal[successor]:
                        probability = arb(self.probabilities[i])
                        mass += probability
                        total += probability * v[successor]
                weights.append(arb(weight))
                scores.append(arb(self.reward[row]) + gamma * total)
                sums.append(gamma * mass)
            if self.policy is None:
                gap = _soft_maximum(arb, alpha, scores, weights) - v[state]
            else:
                gap, mean = -v[state], arb(0)
                used = [i for i in self._row(state) if self.policy[i] > 0.0]
                for i, p, score, mass in zip(used, weights, scores, sums):
                    cost = p.log() if self.prior is None else (p / arb(self.prior[i])).log()
                    gap += p * (score - alpha * cost)
                    mean += p * mass
                sums = [mean]
            numbers = gap.is_finite() and all(mass.is_finite() for mass in sums)
            _require(numbers, f"the residual of state {state} is not finite")
            for mass in sums:
                low, high = min(low, mass.lower()), max(high, mass.upper())
            below = min(below, gap.lower())
            if gap.upper() > above:
                above, worst = gap.upper(), state
        if worst < 0:
            return  # every state is terminal: V = 0, which require_model compared
        _require(high < 1, "gamma times a row sum is not below 1: nothing is contracted")
        up = above / (1 - (high if above > 0 else low))
        down = -below / (1 - (high if below < 0 else low))
        _require(
            up <= radius and down <= radius,
            f"the statement does not follow: residuals reach from {float(below):.3g} to "
            f"{float(above):.3g} (state {worst}), which proves a radius of "
            f"{max(float(up), float(down)):.6g}, not {self.radius:.6g}",
        )

    def _row(self, state: int) -> range:
        return range(state * self.m, (state + 1) * self.m)

    def _weight(self, row: int) -> float:
        """What an action counts for: its probability under the policy, else the prior, else 1."""
        if self.policy is not None:
            found: float = self.policy[row]
            return found
        return float(self.mask[row]) if self.prior is None else self.prior[row]


def _soft_maximum(arb: Any, alpha: Any, scores: list[Any], weights: list[Any]) -> Any:
    """alpha log sum_i weight_i exp(score_i / alpha), the maximum at alpha = 0, as a ball."""
    shift = max(score.mid() for score in scores)
    exponents = [] if alpha == 0 else [(score - shift) / alpha for score in scores]
    if exponents and all(x.rad() < 1 for x in exponents):
        terms = [weight * x.exp() for weight, x in zip(weights, exponents)]
        return shift + alpha * sum(terms, arb(0)).log()
    # between the greatest of score + alpha log weight and that plus alpha log n
    ends = [score + alpha * weight.log() for score, weight in zip(scores, weights)]
    least, greatest = max(x.lower() for x in ends), max(x.upper() for x in ends)
    return least.union((greatest + alpha * arb(len(ends)).log()).upper())


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise _Invalid(otherwise)


def _require_distribution(numbers: Any, what: str) -> None:
    """Finite numbers of at least 0 that sum to 1 within 1e-9, exactly computed where that is
    near."""
    sound = all(0.0 <= x <= 2.0 for x in numbers)  # of larger ones the sum would overflow
    off: float | Fraction = abs(math.fsum(numbers) - 1.0) if sound else math.inf
    if abs(off - ROW_SUM_TOLERANCE) < 1e-15:
        off = abs(sum(map(Fraction, numbers), Fraction(-1)))
    _require(off <= Fraction(1, 10**9), f"{what}: not probabilities that sum to 1")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field is given twice")
    return found


def _no_number(text: str) -> Any:
    raise ValueError(f"{text[:30]} is neither a whole number nor in hexadecimal text")


def _check_fields(document: Any) -> None:
    for name, expected in FIELDS.items():
        part = document if not name else document[name]
        if not isinstance(part, dict) or set(part) != set(expected.split()):
            raise ValueError(f"the fields of {name or 'the document'} are not {expected}")


def _count(value: Any) -> int:
    if type(value) is not int or not 1 <= value < 2**40:
        raise ValueError(f"{value!r} is no size")
    return value


def _number(text: Any) -> float:
    """A float64 from hexadecimal text, in the one form that float.hex gives."""
    found = float.fromhex(text)
    if found.hex() != text:
        raise ValueError(f"{text[:40]!r} is not the hexadecimal form of a float64")
    return found


def _array(code: str, text: Any, length: int) -> tuple[Any, ...]:
    """Little-endian numbers from base64: d float64, q int64, B bytes."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError) as error:
        raise ValueError(f"an array is not base64: {error}") from error
    size = struct.calcsize(f"<{code}")
    if len(data) != length * size:
        raise ValueError(f"an array has {len(data) // size} numbers; it must have {length}")
    return struct.unpack(f"<{length}{code}", data)
