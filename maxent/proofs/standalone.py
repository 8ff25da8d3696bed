#!/usr/bin/env python3
r"""A second checker of certificates, which needs nothing but Python: python standalone.py FILE

It shares no code with the prover, nor with `checker.py`, and no library either: no NumPy, no ball
arithmetic, whole numbers alone.  Copy the file anywhere and read it.  It exits with

    0   the certificate is valid: what it states was proved again
    1   it is not: the statement does not follow, says nothing, or was changed
    2   the file is no certificate, or cannot be read

**What is proved.**  The file claims |V(s) - v(s)| <= radius in every state, for V = V* or V^pi of
the finite MDP in it, v being a sum of float64 numbers.  With b = T v - v, T the soft Bellman
operator (of the policy, if there is one), and beta(s, a) = gamma * (probability of going on),

    min b / (1 - beta) <= V - v <= max b / (1 - beta)                          (MacQueen 1966)

with the beta, least or greatest, that makes each bound weaker.

**How.**  Float64 numbers are whole multiples of a power of 2, so r + gamma sum P v is computed
exactly, in whole numbers.  Only exp and log are not exact: they are enclosed between two multiples
of 2^-bits, by Taylor sums whose rounding errors are counted.  With j the action of the greatest
x + alpha log w (x = r + gamma P v; w the prior, or 1),

    alpha log sum_i w_i exp(x_i / alpha)
        = x_j + alpha ( log w_j + log sum_i exp( (x_i - x_j) / alpha + log w_i - log w_j ) ).
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import math
import os
import stat
import struct
import sys
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

FORMAT = "maxent-certificate-1"
VALID, NOT_VALID, NO_CERTIFICATE = 0, 1, 2
LARGEST_FILE = 2**31
FIELDS = {
    "": {"format", "statement", "mdp", "mdp_sha256", "enclosure", "versions", "sha256"},
    "statement": {"kind", "temperature", "prior", "policy"},
    "mdp": {
        *("n_states", "n_actions", "discount", "row_ends", "successors", "probabilities"),
        *("reward", "terminal", "action_mask", "initial_distribution"),
    },
    "enclosure": {"midpoint", "radius"},
}


class NotValid(Exception):
    """A certificate that proves nothing."""


class NoCertificate(Exception):
    """A file that is no certificate."""


# Reading


def read(path: str) -> dict[str, Any]:
    """The document in a file; NoCertificate where there is none."""
    about = os.stat(path)
    if not stat.S_ISREG(about.st_mode) or about.st_size > LARGEST_FILE:
        raise NoCertificate(f"it is no ordinary file of at most {LARGEST_FILE} bytes")
    with open(path, "rb") as file:
        content = file.read(LARGEST_FILE)
    try:
        document: dict[str, Any] = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=without_repeats,
            parse_float=not_a_number,
            parse_constant=not_a_number,
        )
    except json.JSONDecodeError as error:
        raise NoCertificate(
            f"it is no JSON from line {error.lineno}, column {error.colno} on"
        ) from error
    except (ValueError, RecursionError) as error:
        raise NoCertificate(f"it is not JSON of the kind expected: {error}") from error
    for name, fields in FIELDS.items():
        part = document.get(name) if name and isinstance(document, dict) else document
        if not isinstance(part, dict) or set(part) != fields:
            raise NoCertificate(f"the fields of {name or 'the document'} are not {sorted(fields)}")
    if document["format"] != FORMAT:
        raise NoCertificate(f"its format is not {FORMAT}")
    return document


def without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a field is given twice")
    return found


def not_a_number(text: str) -> Any:
    raise ValueError(f"{text[:30]} is neither a whole number nor in hexadecimal text")


def numbers(
    document: dict[str, Any], part: str, name: str, code: str, count: int
) -> tuple[Any, ...]:
    """`count` little-endian numbers from base64; code: d float64, q int64, B bytes."""
    return unpacked(document[part][name], f"{part}.{name}", code, count)


def unpacked(text: Any, name: str, code: str, count: int) -> tuple[Any, ...]:
    size = count * struct.calcsize("<" + code)
    if not isinstance(text, str) or len(text) != 4 * ((size + 2) // 3):
        raise NoCertificate(f"{name} does not have {count} numbers")
    try:
        return struct.unpack(f"<{count}{code}", base64.b64decode(text, validate=True))
    except (ValueError, struct.error) as error:
        raise NoCertificate(f"{name}: {error}") from error


def number(document: dict[str, Any], part: str, name: str) -> float:
    """A float64 from hexadecimal text."""
    text = document[part][name]
    try:
        found = float.fromhex(text)
    except (TypeError, ValueError, OverflowError) as error:
        raise NoCertificate(f"{part}.{name}: {error}") from error
    if found.hex() != text:
        raise NoCertificate(f"{part}.{name} is no float64 in the form of float.hex")
    return found


class Certificate:
    """The numbers of a document: the MDP, the claim; NoCertificate or NotValid for wrong ones."""

    def __init__(self, document: dict[str, Any]) -> None:
        mdp, claim = document["mdp"], document["statement"]
        for name in ("n_states", "n_actions"):
            if type(mdp[name]) is not int or not 1 <= mdp[name] < 2**31:
                raise NoCertificate(f"mdp.{name} is no size")
        n, m = self.n_states, self.n_actions = mdp["n_states"], mdp["n_actions"]
        self.discount = number(document, "mdp", "discount")
        self.temperature = number(document, "statement", "temperature")
        self.radius = number(document, "enclosure", "radius")
        self.row_ends = numbers(document, "mdp", "row_ends", "q", n * m)
        entries = self.row_ends[-1]
        if not 0 <= entries < 2**31:
            raise NoCertificate("mdp.row_ends does not end with a size")
        self.successors = numbers(document, "mdp", "successors", "q", entries)
        self.probabilities = numbers(document, "mdp", "probabilities", "d", entries)
        self.reward = numbers(document, "mdp", "reward", "d", n * m)
        self.terminal = numbers(document, "mdp", "terminal", "B", n)
        self.mask = numbers(document, "mdp", "action_mask", "B", n * m)
        self.start = numbers(document, "mdp", "initial_distribution", "d", n)
        self.prior, self.policy = (
            None if claim[name] is None else numbers(document, "statement", name, "d", n * m)
            for name in ("prior", "policy")
        )
        if claim["kind"] != ("optimal value" if self.policy is None else "policy value"):
            raise NoCertificate("statement.kind and statement.policy do not fit together")
        parts = document["enclosure"]["midpoint"]
        if not isinstance(parts, list) or not 1 <= len(parts) <= 16:
            raise NoCertificate("enclosure.midpoint is no list of 1 to 16 arrays")
        self.midpoint = [unpacked(part, "enclosure.midpoint", "d", n) for part in parts]
        for name in ("mdp_sha256", "sha256"):
            if not isinstance(document[name], str):
                raise NoCertificate(f"{name} is no text")
        versions = document["versions"]
        if not isinstance(versions, dict) or not all(isinstance(x, str) for x in versions.values()):
            raise NoCertificate("versions holds something other than text")

    def mdp_sha256(self) -> str:
        """The hash that names the MDP."""
        digest = hashlib.sha256(b"maxent-mdp-1\n")
        digest.update(struct.pack("<qqd", self.n_states, self.n_actions, self.discount))
        for code, array in (
            *(("q", self.row_ends), ("q", self.successors), ("d", self.probabilities)),
            *(("d", self.reward), ("B", self.terminal), ("B", self.mask), ("d", self.start)),
        ):
            digest.update(struct.pack(f"<{len(array)}{code}", *array))
        return digest.hexdigest()

    def rows(self) -> Iterator[tuple[int, int, int, int]]:
        """(state, action, first entry, end) of each row of the transition."""
        for row, (first, end) in enumerate(itertools.pairwise((0, *self.row_ends))):
            yield row // self.n_actions, row % self.n_actions, first, end

    def require_sound(self) -> None:
        """NotValid unless the numbers are an MDP with a temperature, policy, prior, midpoint."""
        require(0.0 <= self.discount < 1.0, "the discount is not in [0, 1)")
        require(0.0 <= self.temperature < math.inf, "the temperature is negative or infinite")
        require(0.0 <= self.radius < math.inf, "the radius is negative or infinite")
        require(set(self.terminal) | set(self.mask) <= {0, 1}, "a mask is not of 0 and 1")
        require(all(map(math.isfinite, self.reward)), "a reward is not finite")
        require_distribution(self.start, "the initial distribution")
        for state, action, first, end in self.rows():
            place = f"state {state}, action {action}"
            require(0 <= first <= end <= len(self.successors), f"{place}: rows overlap")
            own = self.successors[first:end]
            ascending = all(a < b for a, b in itertools.pairwise((-1, *own, self.n_states)))
            require(ascending, f"{place}: the successors are not ascending states")
            if self.terminal[state] or not self.mask[state * self.n_actions + action]:
                require(first == end, f"{place} is not available but leads somewhere")
            else:
                require_distribution(self.probabilities[first:end], place)
        for state in range(self.n_states):
            self._require_sound_state(state)

    def _require_sound_state(self, state: int) -> None:
        here = slice(state * self.n_actions, (state + 1) * self.n_actions)
        available = [bool(x) for x in self.mask[here]]
        require(any(available), f"state {state} has no action")
        for name, given in (("prior", self.prior), ("policy", self.policy)):
            if given is not None:
                require_distribution(given[here], f"the {name} in state {state}")
                used = [x > 0.0 for x in given[here]]
                inside = all(ok or not x for x, ok in zip(used, available))
                require(
                    inside or bool(self.terminal[state]),
                    f"the {name} takes an action that state {state} does not have",
                )
                available = [a and b for a, b in zip(used, available)]
        for part in self.midpoint:
            require(math.isfinite(part[state]), f"the midpoint of state {state} is not finite")
            if self.terminal[state]:
                require(part[state] == 0.0, f"the midpoint of the terminal state {state} is not 0")


def require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise NotValid(otherwise)


def require_distribution(given: Sequence[float], what: str) -> None:
    """Finite numbers of at least 0 that sum to 1 within 1e-9, exactly computed."""
    require(all(0.0 <= x < math.inf for x in given), f"{what}: a number is no probability")
    whole, bits = as_whole(given)
    require(abs(sum(whole) - 2**bits) * 10**9 <= 2**bits, f"{what}: the sum is not 1")


# Exact numbers: whole multiples of a power of 2


def as_whole(floats: Sequence[float]) -> tuple[list[int], int]:
    """Whole numbers k_i and bits with float_i = k_i / 2^bits, exactly."""
    ratios = [x.as_integer_ratio() for x in floats]
    bits = max((below.bit_length() for _, below in ratios), default=1) - 1
    return [above << (bits + 1 - below.bit_length()) for above, below in ratios], bits


# Enclosures of log 2, exp and log in units of 2^-bits: (lower, upper), whole numbers


@lru_cache
def log_2(bits: int) -> tuple[int, int]:
    """log 2 = sum_k 1 / (k 2^k): each term loses less than 1, what is left out less than 1."""
    lower = sum((1 << (bits - k)) // k for k in range(1, bits + 1))
    return lower, lower + bits + 1


@lru_cache(maxsize=100_000)
def exponential(y: int, bits: int) -> tuple[int, int]:
    """exp(y / 2^bits) for y <= 0, from the Taylor sum of the remainder modulo log 2."""
    low, high = log_2(bits)
    halvings = -(y // low)  # y + halvings log 2 >= y + halvings low >= 0, and below log 2 + slack
    if halvings > bits + 1:
        return 0, 1
    lower = taylor(y + halvings * low, bits)[0]
    upper = taylor(y + halvings * high, bits)[1]
    return lower >> halvings, (upper >> halvings) + 1


def taylor(r: int, bits: int) -> tuple[int, int]:
    """exp(r / 2^bits) for r / 2^bits in [0, 1].

    Terms t_k = t_(k-1) r / k are rounded down, so the sum is too small.  Term k is off by less than
    2k, and all terms that are left out, once one is 0, are in truth less than 2k + 2 together.
    """
    total = term = 1 << bits
    k = 0
    while term:
        k += 1
        term = ((term * r) >> bits) // k
        total += term
    return total, total + (k + 1) * (k + 2)


@lru_cache(maxsize=100_000)
def logarithm(above: int, below: int, bits: int) -> tuple[int, int]:
    """log(above / below) of two whole numbers greater than 0.

    above / below = 2^e m with m in [1, 2); log m = 2 (z + z^3 / 3 + z^5 / 5 + ...), z = (m-1)/(m+1)
    in [0, 1/3).  Every division rounds down.  Power k of z^2 is off by less than 2 (as z^2 < 1/9),
    so each of the terms added is off by less than 3, and what is left out is less than 3.
    """
    if above == below:
        return 0, 0
    e = above.bit_length() - below.bit_length()
    top, bottom = (above, below << e) if e >= 0 else (above << -e, below)
    if top < bottom:
        e, top = e - 1, 2 * top
    power = ((top - bottom) << bits) // (top + bottom)
    square, total, k = (power * power) >> bits, 0, 0
    while power:
        total += power // (2 * k + 1)
        power, k = (power * square) >> bits, k + 1
    low, high = log_2(bits)
    least, greatest = sorted((e * low, e * high))
    return least + 2 * total, greatest + 2 * (total + 3 * (k + 2))


# The proof


def prove(given: Certificate) -> None:
    """NotValid unless one application of the operator proves the claim."""
    terminal, m = given.terminal, given.n_actions
    parts = [as_whole(part) for part in given.midpoint]
    v_bits = max(bits for _, bits in parts)
    v = [sum(w[s] << (v_bits - bits) for w, bits in parts) for s in range(given.n_states)]
    (gamma,), gamma_bits = as_whole([given.discount])
    probability, p_bits = as_whole(given.probabilities)
    reward, r_bits = as_whole(given.reward)
    bits = max(v_bits + gamma_bits + p_bits, r_bits)  # of x, and of v beside it
    x_shift, r_shift, v_shift = bits - v_bits - gamma_bits - p_bits, bits - r_bits, bits - v_bits
    x, beta = [], []  # r + gamma P v in units of 2^-bits; gamma * mass in 2^-(gamma_bits + p_bits)
    for row, (state, _, first, end) in enumerate(given.rows()):
        total = mass = 0
        for i in range(first, end) if not terminal[state] else ():
            if not terminal[given.successors[i]]:
                mass += probability[i]
                total += probability[i] * v[given.successors[i]]
        x.append((reward[row] << r_shift) + ((gamma * total) << x_shift))
        beta.append(gamma * mass)
    alpha = Fraction(given.temperature)
    digits = precision(given, alpha)
    all_masses, gaps = [], []  # gaps: (least, greatest, state) of T v - v
    for state in range(given.n_states):
        if terminal[state]:
            continue
        rows = [i for i in range(state * m, (state + 1) * m) if weight(given, i) > 0.0]
        scores = [x[i] for i in rows]
        if given.policy is None:
            exact, enclosed = soft_maximum(given, rows, scores, alpha, bits, digits)
            all_masses += [Fraction(beta[i]) for i in rows]
        else:
            exact, enclosed = expectation(given, rows, scores, bits, digits)
            all_masses.append(
                sum((Fraction(weight(given, i)) * beta[i] for i in rows), Fraction(0))
            )
        exact -= Fraction(v[state] << v_shift, 1 << bits)
        least, greatest = (exact + alpha * end / (1 << digits) for end in enclosed)
        gaps.append((least, greatest, state))
    if not gaps:
        return  # every state is terminal: V = 0
    scale = 1 << (gamma_bits + p_bits)
    low, high = min(all_masses) / scale, max(all_masses) / scale
    below, (above, worst) = min(gap[0] for gap in gaps), max(gap[1:] for gap in gaps)
    require(high < 1, "gamma times a row sum is not below 1: nothing is contracted")
    up = above / (1 - (high if above > 0 else low))
    down = -below / (1 - (high if below < 0 else low))
    proved, radius = max(up, down, Fraction(0)), Fraction(given.radius)
    require(
        proved <= radius,
        f"the statement does not follow: a radius of {short(proved)} is proved (residuals up to "
        f"{short(above)}, state {worst}), not {given.radius!r}",
    )


def precision(given: Certificate, alpha: Fraction) -> int:
    """Bits after the point for exp and log: their errors shall be far below the radius."""
    wanted = Fraction(given.radius) * (1 - Fraction(given.discount))
    if not alpha or not wanted:
        return 64 * (len(given.midpoint) + 1)
    ratio = alpha / wanted
    return max(64, ratio.numerator.bit_length() - ratio.denominator.bit_length() + 64)


def weight(given: Certificate, row: int) -> float:
    """What an action counts for: its probability under the policy, else the prior, else 1."""
    weights = given.prior if given.policy is None else given.policy
    return float(given.mask[row] if weights is None else weights[row])


def soft_maximum(
    given: Certificate, rows: list[int], scores: list[int], alpha: Fraction, bits: int, digits: int
) -> tuple[Fraction, tuple[Fraction, Fraction]]:
    """alpha log sum w exp(x / alpha), as exact + alpha * (lower, upper) 2^-digits."""
    if not alpha:
        return Fraction(max(scores), 1 << bits), (Fraction(0), Fraction(0))
    logs = [log_of(given, i, digits) for i in rows]
    # of (x_i - x_0) / alpha + log w_i, rounded down and up
    up = alpha.denominator << digits
    under = alpha.numerator << bits
    ends = [
        ((score - scores[0]) * up // under + low, -((scores[0] - score) * up // under) + high)
        for score, (low, high) in zip(scores, logs)
    ]
    j = max(range(len(rows)), key=lambda i: ends[i][1])
    total_low = total_high = 0
    for i, score in enumerate(scores):
        if i == j:
            total_low, total_high = total_low + (1 << digits), total_high + (1 << digits)
            continue
        difference = score - scores[j]
        low = difference * up // under + logs[i][0] - logs[j][1]
        high = -(-difference * up // under) + logs[i][1] - logs[j][0]
        total_low += exponential(min(low, 0), digits)[0]
        # j is best but for what log loses: an exponent above 0 is at most a few units
        total_high += exponential(min(high, 0), digits)[1] + (4 * high if high > 0 else 0)
    one = 1 << digits
    low = logs[j][0] + logarithm(total_low, one, digits)[0]
    high = logs[j][1] + logarithm(total_high, one, digits)[1]
    return Fraction(scores[j], 1 << bits), (Fraction(low), Fraction(high))


def expectation(
    given: Certificate, rows: list[int], scores: list[int], bits: int, digits: int
) -> tuple[Fraction, tuple[Fraction, Fraction]]:
    """sum p (x - alpha log(p / prior)), as exact + alpha * (lower, upper) 2^-digits."""
    exact, low, high = Fraction(0), Fraction(0), Fraction(0)
    for i, score in zip(rows, scores):
        p = Fraction(weight(given, i))
        exact += p * Fraction(score, 1 << bits)
        q = Fraction(1) if given.prior is None else Fraction(given.prior[i])
        ratio = p / q
        least, greatest = logarithm(ratio.numerator, ratio.denominator, digits)
        low, high = low - p * greatest, high - p * least
    return exact, (low, high)


def log_of(given: Certificate, row: int, digits: int) -> tuple[int, int]:
    """log of an action's weight."""
    return logarithm(*weight(given, row).as_integer_ratio(), digits)


def short(fraction: Fraction) -> str:
    """A fraction in a few digits, whatever its size."""
    if not fraction:
        return "0"
    size = abs(fraction)
    tens = (size.numerator.bit_length() - size.denominator.bit_length()) * 30103 // 100000
    scaled = float(fraction / Fraction(10) ** tens)
    return f"{scaled:.3g}e{tens:+d}" if tens else f"{scaled:.3g}"


# The command


def check(path: str) -> tuple[int, str]:
    """What the certificate in a file states and whether that follows: (exit code, text)."""
    document = read(path)
    given = Certificate(document)
    digest = given.mdp_sha256()
    what = "V*" if given.policy is None else "V^pi of the policy stored"
    prior = "no prior" if given.prior is None else "with the prior stored"
    claim = (
        f"|{what} - midpoint| <= {given.radius!r} in every state\nMDP {digest}: "
        f"{given.n_states} states, {given.n_actions} actions, discount {given.discount!r}\n"
        f"temperature {given.temperature!r}, {prior}"
    )
    try:
        require(document["mdp_sha256"] == digest, "the MDP does not have the hash stated")
        rest = {name: value for name, value in document.items() if name != "sha256"}
        text = json.dumps(rest, sort_keys=True, separators=(",", ":"))
        changed = document["sha256"] != hashlib.sha256(text.encode()).hexdigest()
        require(not changed, "the document does not have the hash stated: it was changed")
        given.require_sound()
        largest = max(
            abs(sum(map(Fraction, values), Fraction(0))) for values in zip(*given.midpoint)
        )
        claim += f"; the midpoints reach {short(largest)} in size"
        scale = max(Fraction(max(map(abs, given.reward))), Fraction(given.temperature))
        require(
            Fraction(given.radius) <= max(largest, scale / 2**30),  # below that, values are 0
            "the radius is larger than every value: it says nothing",
        )
        prove(given)
    except NotValid as reason:
        return NOT_VALID, f"NOT VALID: {reason}\nclaimed: {claim}"
    return VALID, f"valid: {claim}"


def main(arguments: list[str]) -> int:
    if arguments and arguments[0] in ("-h", "--help"):
        print(__doc__)
        return VALID
    if len(arguments) != 1:
        print(f"give one FILE, not {len(arguments)}\n{__doc__}", file=sys.stderr)
        return NO_CERTIFICATE
    try:
        code, text = check(arguments[0])
    except (NoCertificate, OSError, ValueError) as error:
        print(f"{arguments[0]!r} is not a certificate: {error}", file=sys.stderr)
        return NO_CERTIFICATE
    print(text)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
