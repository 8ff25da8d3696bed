"""The arguments of a command, checked before tyro parses them.

tyro would refuse them as well, in a box of several lines that names types; here each mistake is
told in one line with the nearest name.  What a command takes is read off its dataclass.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import Any, get_args, get_origin, get_type_hints

from tyro.conf import arg

from maxent.errors import ConfigError
from maxent.support.arguments import nearest

PLACES = ("mdp", "name", "file", "algorithm", "folder", "folders")
"""The fields that are given by place, without a --name before them."""

NEEDED = {
    "algorithm": "name an ALGORITHM: sac, sac_v1, sql, sac_discrete or sql_discrete (see: maxent "
    "train --list)",
    "env": "give an --env: the id of a Gymnasium environment, such as Pendulum-v1",
    "file": "name a FILE: a certificate, as written by maxent solve ... --certificate FILE",
    "folder": "name a RUN: the folder of a training, as given to maxent train ... --run RUN",
    "folders": "name one RUN or more: folders of trainings, as given to maxent train ... --run RUN",
    "mdp": "name an MDP: a map such as four-rooms (see: maxent maps), FILE.txt, FILE.npz or gym:ID",
    "steps": "give --steps: how many environment steps to train for, such as 20000",
    "temperature": "give a --temperature: 0 is the hard maximum, and the larger, the more random "
    "the policy; it has no default",
    "temperatures": "give --temperatures: a range LOW:HIGH:COUNT such as 0.01:10:40, or a list "
    "such as 0,0.01,0.1,1",
}
"""What to say where a field without a default is left out."""


def option(metavar: str, hint: str = "", name: str | None = None) -> Any:
    """How an option is shown in --help: its placeholder, and a hint in place of its default.

    name: where a field is called otherwise; only by an underscore at its end, as in `run_`.
    """
    return arg(metavar=metavar, help_behavior_hint=hint, name=name)


@dataclass(frozen=True)
class _Taken:
    """What a field of a command takes: a `kind` of value, or none at all for a flag; by place
    perhaps `many`."""

    name: str
    kind: type
    required: bool
    repeatable: bool
    many: bool


def require_arguments(name: str, command: type, arguments: Sequence[str]) -> None:
    """ConfigError for what the command called `name` does not take, or lacks."""
    if {"-h", "--help"} & set(arguments):
        return
    taken = list(_taken(command))
    places = [field for field in taken if field.name in PLACES]
    words, seen = _split(name, {as_option(f.name): f for f in taken if f not in places}, arguments)
    for word in [] if any(place.many for place in places) else words[len(places) :]:
        raise ConfigError(f"{word!r} is one argument too many; see maxent {name} --help")
    given = {place.name for place, _ in zip(places, words)} | seen
    for field in taken:
        if field.required and field.name not in given:
            raise ConfigError(NEEDED[field.name])


def as_option(name: str) -> str:
    """A field's name as it is written on the command line."""
    return f"--{name.rstrip('_').replace('_', '-')}"


def read_pairs(written: str, texts: Sequence[str]) -> dict[str, Any]:
    """NAME=VALUE, ... as a dictionary; ConfigError for another form or a name given twice."""
    pairs: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise ConfigError(f"{written} {text!r} must have the form NAME=VALUE")
        if name in pairs:
            raise ConfigError(f"{written} gives {name!r} twice; give it once")
        pairs[name] = read_value(value)
    return pairs


def read_value(text: str) -> Any:
    """A number, boolean, None, list or text, as Python would read it; true and false too."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def _taken(command: type) -> Iterator[_Taken]:
    """The fields of a command, those of dataclasses within it included."""
    hints = get_type_hints(command)
    for field in fields(command):
        hint = hints[field.name]
        if is_dataclass(hint):
            assert isinstance(hint, type)
            yield from _taken(hint)
            continue
        kind = next((kind for kind in (bool, float, int) if kind in (hint, *get_args(hint))), str)
        required = field.default is MISSING and field.default_factory is MISSING
        repeatable = field.default == ()
        many = get_origin(hint) is tuple and not repeatable
        yield _Taken(field.name, kind, required, repeatable, many)


def _split(
    name: str, options: dict[str, _Taken], arguments: Sequence[str]
) -> tuple[list[str], set[str]]:
    """The arguments given by place, and the names of the options, each checked with its value."""
    words: list[str] = []
    seen: set[str] = set()
    left = iter(arguments)
    for argument in left:
        if not _is_option(argument):
            words.append(argument)
            continue
        written, equals, value = argument.partition("=")
        written = written.replace("_", "-")
        if written not in options:
            raise ConfigError(f"maxent {name} has no option {written}; {nearest(written, options)}")
        field = options[written]
        if field.name in seen and not field.repeatable:
            raise ConfigError(f"{written} is given twice; give it once")
        seen.add(field.name)
        if field.kind is bool:
            if equals:
                raise ConfigError(f"{written} takes no value; write {written} alone")
            continue
        if not equals:
            value = next(left, "--")
            if _is_option(value):
                raise ConfigError(f"{written} needs a value; see maxent {name} --help")
        _check_number(written, value, field.kind)
    return words, seen


def _is_option(text: str) -> bool:
    """Whether an argument reads as an option rather than as a value such as -1."""
    return len(text) > 1 and re.match(r"-(?!\.?\d|inf$|nan$)", text) is not None


def _check_number(written: str, value: str, kind: type) -> None:
    try:
        kind(value)
    except ValueError:
        what = "whole number" if kind is int else "number"
        raise ConfigError(f"{written} {value!r} is not a {what}") from None
