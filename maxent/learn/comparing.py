"""Answers to exercises that stand in a notebook itself, not in `exercises/`."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from maxent.errors import ConfigError
from maxent.learn.differences import difference
from maxent.mdp import MDP
from maxent.mdp.validation import real_array
from maxent.support.arguments import quoted, require_list, require_real

NOT_YET = "Not attempted yet: replace the `...` and run this cell again."


def check(
    answer: Any, expected: Any, *, tolerance: float = 1e-8, hint: str = "", mdp: MDP | None = None
) -> None:
    """Print whether `answer` agrees with `expected`, else the worst place, its error and a hint.

    expected: a number or an array whose axes are states, or states and actions; `mdp` lets places
    be named by cell and action.  tolerance: relative to the largest expected number, at least 1.
    """
    if _is_blank(answer):
        print(NOT_YET)
        return
    difference = _difference(answer, expected, tolerance, mdp)
    print(_with_hint(difference, hint) if difference else _praise(expected, tolerance))


def check_function(
    function: Callable[..., Any],
    cases: Sequence[tuple[Any, ...]],
    expected: Callable[..., Any],
    *,
    tolerance: float = 1e-8,
    hint: str = "",
    mdp: MDP | None = None,
) -> None:
    """Print whether `function` agrees with `expected` on every case, a tuple of arguments each.

    Each is given its own copy of the arguments.
    """
    if not callable(expected):
        raise ConfigError(f"expected = {quoted(expected)} cannot be called; give a function")
    cases = require_list("cases", cases)
    for number, case in enumerate(cases, start=1):
        place = f"case {number} of {len(cases)}: "
        try:
            answer = function(*copy.deepcopy(case))
        except Exception as error:
            print(_with_hint(f"{place}your function raised {type(error).__name__}: {error}", hint))
            return
        if _is_blank(answer):
            print(NOT_YET)
            return
        difference = _difference(answer, expected(*copy.deepcopy(case)), tolerance, mdp)
        if difference:
            print(_with_hint(place + difference, hint))
            return
    print(f"Right, in {len(cases)} of {len(cases)} cases.")


def _difference(answer: Any, expected: Any, tolerance: float, mdp: MDP | None) -> str:
    """What to say about a wrong answer; "" for a right one."""
    try:
        got = np.asarray(answer, dtype=float)
    except (TypeError, ValueError):
        return f"a number or an array is wanted here, not {type(answer).__name__}."
    right = real_array("expected", expected)
    return difference(
        got, right, require_real("tolerance", tolerance, "[0, inf)"), ("state", "action"), mdp
    )


def _praise(expected: Any, tolerance: float) -> str:
    count = np.asarray(expected).size
    return "Right." if count == 1 else f"Right: all {count} numbers agree (to {tolerance:g})."


def _with_hint(difference: str, hint: str) -> str:
    message = f"Not quite: {difference}"
    return f"{message}\nHint: {hint}" if hint else message


def _is_blank(answer: Any) -> bool:
    return answer is ... or answer is None
