"""What other libraries call the things that have another name here: one table,
`other_words.toml`.

Errors about an unknown argument, setting or option, and the page `docs/coming_from.md`, are made
from it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from maxent.support.arguments import closest
from maxent.support.data_files import beside

WORDS: dict[str, list[tuple[list[str], str, list[str]]]] = {
    word: [(each["here"], each.get("value", ""), each.get("said_by", [])) for each in meanings]
    for word, meanings in beside(__file__).items()
}
"""Their word: for each of its meanings our words, how the value is made where it is another, and
who says so."""

OF_THE_MDP = ("discount", "gamma", "discount_factor")
"""What a function of an MDP is asked for, and has from the MDP."""

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def hint(word: str, known: Collection[str], written: Callable[[str], str] = "{}=".format) -> str:
    """What is said here in place of `word`, as the end of a message; empty where it is unknown.

    known : the names that can be given here.  written : how a name is written here.

    >>> hint("tol", ["temperature", "tolerance"])
    'here it is tolerance='
    >>> hint("beta", ["temperature", "discount"])
    'here it is temperature=1/beta, or discount='
    """
    meanings = []
    for names, value, _ in WORDS.get(word.replace("-", "_"), ()):
        given = [name if name in known else f"{name}s" for name in names]  # or several of it
        ours = [written(name) for name in given if name in known]
        if ours:
            meanings.append(" and ".join(ours) + value)
    return f"here it is {', or '.join(meanings)}" if meanings else ""


ATTRIBUTES = {
    "V": "v",
    "value": "v",
    "values": "v",
    "Q": "q",
    "pi": "policy",
    "gamma": "discount",
    "P": "transition",
    "R": "reward",
    "nS": "n_states",
    "num_states": "n_states",
    "nA": "n_actions",
    "num_actions": "n_actions",
    "num_iter": "iterations",
    "predict": "act",
    "get_action": "act",
}
"""Their attribute of a model, a solution or an agent, and ours."""


class AnswersOurWords:
    """A class whose AttributeError for a name of another library says what it is called here."""

    if not TYPE_CHECKING:  # where it would let every name pass

        def __getattr__(self, name: str) -> Any:
            found = f"{type(self).__name__!r} object has no attribute {name!r}"
            ours = ATTRIBUTES.get(name)
            if ours and ours in dir(self):
                found = f"{found}; here it is {ours}"
            raise AttributeError(found, name=name, obj=self)


def takes_our_words(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """The function, whose TypeError for an unknown argument names ours; its signature is kept."""
    parameters = inspect.signature(function).parameters
    open_ended = any(each.kind is each.VAR_KEYWORD for each in parameters.values())
    named = [name for name, each in parameters.items() if each.kind is not each.VAR_KEYWORD]
    by_name = [name for name in named if name != "self"]
    needed = {name for name in named if parameters[name].default is inspect.Parameter.empty}

    @wraps(function)
    def checked(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        for name in kwargs:
            if name not in parameters:
                absent = needed - kwargs.keys() - set(named[: len(args)])
                said = hint(name, absent if open_ended else named)
                if not said and "mdp" in named and name in OF_THE_MDP:
                    said = "the discount is the MDP's: mdp.replace(discount=...)"
                if not said and not open_ended and (meant := closest(name, by_name)):
                    said = f"did you mean {meant!r}?"
                if said:
                    found = f"{function.__qualname__}() got an unexpected keyword argument {name!r}"
                    raise TypeError(f"{found}; {said}")
        return function(*args, **kwargs)

    return checked


def markdown() -> str:
    """The table of the page `docs/coming_from.md`."""
    lines = ["| there | here | who says so |", "|---|---|---|"]
    for word, meanings in WORDS.items():
        here = " or ".join(
            " and ".join(f"`{name}`" for name in names) + (f" = {value}" if value else "")
            for names, value, _ in meanings
        )
        libraries = [library for _, _, libraries in meanings for library in libraries]
        lines.append(f"| `{word}` | {here} | {', '.join(libraries)} |")
    return "\n".join(lines)
