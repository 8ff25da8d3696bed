"""How an answer differs from the right one: where, by how much, and in a way that has a name."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from maxent.mdp import MDP

Axes = tuple[str | tuple[str, ...], ...]

ROUNDED = 0.01
"""A value that is off by less than this part of the right one was probably rounded."""

PATTERNS = {
    "rounded": "this is near; give more digits, or let Python compute it.",
    "an axis too many": "the numbers are right, but the shape is {}, and {} is wanted.",
    "axes swapped": "the numbers are right, but rows and columns have changed places.",
    "wrong sign": "right but for the sign, which is wrong throughout.",
    "bits instead of nats": "every number is too large by the factor 1/log 2: use the natural "
    "logarithm, so that entropy comes in nats.",
    "off by a factor": "every number is {:.6g} times what it should be.",
    "off by a constant": "every number is off by the same {:.6g}.",
}
"""Ways to be wrong that can happen in any exercise."""


def agree(answer: ndarray, wanted: ndarray, tolerance: float) -> bool:
    """Whether two results are the same, up to `tolerance` times the largest wanted, at least 1."""
    if answer.shape != wanted.shape:
        return False
    return not _off(answer, wanted, tolerance).any()


def difference(answer: ndarray, wanted: ndarray, tolerance: float, axes: Axes, mdp: Any) -> str:
    """What to say about a wrong result; "" for a right one."""
    if answer.shape != wanted.shape:
        found = f"the shape is {answer.shape}" if answer.ndim else "this is one number"
        return f"{found}, but {_shape(wanted, axes)} is wanted."
    wrong = _off(answer, wanted, tolerance)
    if not wrong.any():
        return ""
    odd = wrong & (np.isnan(answer) | np.isnan(wanted))
    if odd.any():
        where = np.unravel_index(int(np.argmax(odd)), wanted.shape)
        undefined = np.isnan(wanted[where])
        words = "should be nan: undefined here" if undefined else "is not a number (nan)"
        return f"{_place(where, axes, mdp)}the answer {words}."
    with np.errstate(invalid="ignore"):
        off = np.where(wrong, np.abs(answer - wanted), 0.0)
    where = np.unravel_index(int(np.argmax(off)), wanted.shape)
    differ = "differs" if wrong.sum() == 1 else "differ"
    many = f" {wrong.sum()} of {wanted.size} numbers {differ}." if wanted.size > 1 else ""
    return f"{_place(where, axes, mdp)}you have {answer[where]:.6g}, off by {off[where]:.2g}.{many}"


def pattern(
    answers: list[ndarray], wanted: list[ndarray], tolerance: float, *, rounded: bool
) -> tuple[str, str]:
    """The name of what is wrong with all results alike, and words for it; or "", "".

    rounded: numbers may have been typed in, with too few digits.
    """

    def all_agree(changed: Any) -> bool:
        pairs = zip(answers, wanted)
        return all(agree(np.asarray(changed(a)), w, tolerance) for a, w in pairs)

    if any(w.ndim == 2 for w in wanted) and all_agree(np.transpose):
        return "axes swapped", PATTERNS["axes swapped"]
    first, right = answers[0], wanted[0]
    if first.size == right.size and first.ndim > right.ndim and all_agree(np.squeeze):
        return "an axis too many", PATTERNS["an axis too many"].format(
            first.shape, _shape(right, ())
        )
    if first.shape != right.shape or not np.isfinite(first).all():
        return "", ""
    if rounded and _is_rounded(first, right):
        return "rounded", PATTERNS["rounded"]
    if all_agree(np.negative):
        return "wrong sign", PATTERNS["wrong sign"]
    if sum(w.size for w in wanted) < 2:
        return "", ""
    place = np.unravel_index(int(np.argmax(np.abs(right))), right.shape)
    factor, shift = (
        first[place] / right[place] if right[place] else 0.0,
        first[place] - right[place],
    )
    if factor and all_agree(lambda a: a / factor):
        name = "bits instead of nats" if abs(factor * np.log(2) - 1) < 1e-6 else "off by a factor"
        return name, PATTERNS[name].format(factor)
    if all_agree(lambda a: a - shift):
        return "off by a constant", PATTERNS["off by a constant"].format(shift)
    return "", ""


def _off(answer: ndarray, wanted: ndarray, tolerance: float) -> ndarray:
    """Where two results of one shape differ."""
    allowed = tolerance * max(1.0, float(np.abs(wanted[np.isfinite(wanted)]).max(initial=0.0)))
    with np.errstate(invalid="ignore"):
        near = np.abs(answer - wanted) <= allowed
    return np.asarray(~(near | (answer == wanted) | (np.isnan(answer) & np.isnan(wanted))))


def _is_rounded(answer: ndarray, right: ndarray) -> bool:
    """Whether an answer is near, or a single number is right to two digits or more."""
    if np.all(np.abs(answer - right) <= ROUNDED * np.abs(right)):
        return True
    return right.size == 1 and any(
        float(f"{right.item():.{digits}g}") == answer.item() for digits in (2, 3)
    )


def _shape(array: ndarray, axes: Axes) -> str:
    if not array.ndim:
        return "one number"
    names = [axis if isinstance(axis, str) else "/".join(axis) for axis in axes[: array.ndim]]
    return f"{array.shape}" + (f" ({', '.join(names)})" if len(names) == array.ndim else "")


def _place(where: tuple[Any, ...], axes: Axes, mdp: Any) -> str:
    """A place in the exercise's own words, as in "upper bound, state 12 (row 1, column 2): "."""
    words = []
    for axis, index in enumerate(int(i) for i in where):
        name = axes[axis] if axis < len(axes) else f"index {axis + 1},"
        if isinstance(name, tuple):
            words.append(name[index])
            continue
        label = f"{name} {index}"
        if isinstance(mdp, MDP) and name == "state" and mdp.grid is not None:
            row, column = (int(i) for i in mdp.grid.cells[index])
            label += f" (row {row}, column {column})"
        if isinstance(mdp, MDP) and name == "action" and mdp.action_names:
            label = f"action {mdp.action_names[index]}"
        words.append(label)
    return f"{', '.join(words)}: " if words else ""
