"""The arguments of a command: how they are parsed, and refused in one line.

A parser is an `argparse` parser of what `commands.toml` says.  What differs from argparse's habits:
each mistake is a ConfigError with the nearest name, an option given twice is refused, nothing is
abbreviated, options may stand before, between and after what is given by place, and `-1` is a
value.

Defaults are those of the library: `library_default` reads them in the signature of the function
that the command calls, from its source, so that `--help` imports nothing heavy.
"""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import maxent
from maxent.cli.commands import COMMANDS, NEEDED, Entry, entries
from maxent.errors import ConfigError
from maxent.support.arguments import nearest
from maxent.support.other_words import hint


class Parser(argparse.ArgumentParser):
    """The arguments of one command; settings: what `--set NAME=VALUE` can set; check_given: raises
    for what was given and is wrong, and is called before something is missed."""

    def __init__(
        self,
        command: str,
        settings: Sequence[str] = (),
        check_given: Callable[[argparse.Namespace], None] | None = None,
    ) -> None:
        about = COMMANDS[command]
        super().__init__(
            prog=f"maxent {command}",
            description=about["description"],
            epilog=f"examples:\n{about['examples']}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        self.command, self.settings, self.check_given = command, settings, check_given
        self.seen: set[str] = set()
        self.options: list[str] = []
        for entry in entries(command):
            self._add(entry)

    def _add(self, entry: Entry) -> None:
        """An argument given by place, or an option; a default is shown."""
        about: dict[str, Any] = {"metavar": entry.metavar, "help": entry.words}
        if not entry.is_option:
            self.add_argument(entry.name, nargs="*" if entry.kind == "many" else "?", **about)
            return
        written, kind = as_option(entry.name), KINDS[entry.kind]
        self.options.append(written)
        about |= {"dest": entry.name, "action": _Once}
        if not entry.metavar:
            about |= {"metavar": None, "nargs": 0, "const": True, "default": False}
            self.add_argument(written, **about)
            return
        if entry.kind == "repeatable":
            about |= {"action": "append", "help": f"{entry.words} (repeatable)"}
        elif entry.default is not None:
            function, _, parameter = entry.default.rpartition(".")
            is_number = not function or function.isdigit()
            default = kind(entry.default) if is_number else library_default(function, parameter)
            about |= {"default": default, "help": f"{entry.words} (default: {default})"}
        self.add_argument(written, type=kind, **about)

    def read(self, arguments: Sequence[str]) -> argparse.Namespace:
        """The arguments, each checked; ConfigError for what the command does not take, or lacks."""
        self.seen.clear()
        asked, left = self.parse_known_intermixed_args(_joined(arguments))
        unknown = [word for word in left if _is_option(word)]
        if unknown:
            written = unknown[0].partition("=")[0]
            if written in self.options:
                raise ConfigError(f"{written} comes after a bare --, which ends the options")
            advice = self._in_our_words(written) or nearest(written, self.options)
            if self.settings and not advice.startswith("here it is"):
                name = written.removeprefix("--").replace("-", "_")
                advice = f"a setting of the algorithm is given as --set {name}=VALUE; {advice}"
            raise ConfigError(f"maxent {self.command} has no option {written}; {advice}")
        if left:
            found = f"{left[0]!r} is one argument too many"
            for name in self._not_given(asked):
                if as_option(name) in self.options:
                    raise ConfigError(f"{found}; write {as_option(name)} {left[0]}, if it is that")
            raise ConfigError(f"{found}; see maxent {self.command} --help")
        self._require(asked)
        return asked

    def _in_our_words(self, written: str) -> str:
        """What is said here in place of an option that other libraries have."""
        options = {option.removeprefix("--").replace("-", "_") for option in self.options}
        return hint(
            written.removeprefix("--"),
            options | set(self.settings),
            lambda name: f"{as_option(name)} " if name in options else f"--set {name}=",
        ).rstrip()

    def _require(self, asked: argparse.Namespace) -> None:
        """ConfigError for the first argument that was not given; but first for what was given and
        is wrong, so that nothing has to be typed to hear of it."""
        about = COMMANDS[self.command]
        if "unless" in about and getattr(asked, about["unless"]):
            return
        for name in self._not_given(asked):
            if self.check_given is not None:
                self.check_given(asked)
            raise ConfigError(NEEDED[name])

    def _not_given(self, asked: argparse.Namespace) -> list[str]:
        """The arguments that the command needs and was not given."""
        needed = COMMANDS[self.command].get("needs", ())
        return [name for name in needed if getattr(asked, name) in (None, [])]

    def error(self, message: str) -> Any:
        """What argparse finds wrong, in this program's words."""
        about = re.fullmatch(r"argument ([^:]*): (.*)", message, re.DOTALL)
        if about is None:
            raise ConfigError(f"{message}; see maxent {self.command} --help")
        name, words = about.groups()
        if words.startswith("expected"):
            raise ConfigError(f"{name} needs a value; see maxent {self.command} --help")
        if words.startswith("ignored explicit argument"):
            raise ConfigError(f"{name} takes no value; write {name} alone")
        raise ConfigError(f"{name} {words}")


class _Once(argparse.Action):
    """Keep the value of an option, or a flag's constant; ConfigError where it is given again."""

    def __call__(
        self, parser: Any, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        if self.dest in parser.seen:
            raise ConfigError(f"{option} is given twice; give it once")
        parser.seen.add(self.dest)
        setattr(namespace, self.dest, self.const if self.nargs == 0 else values)


def number(text: str) -> float:
    """The value of an option that is a number."""
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None


def whole_number(text: str) -> int:
    """The value of an option that is a whole number."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def auto_or_flag(text: str) -> bool | str:
    """auto, true or false."""
    known: dict[str, bool | str] = {"auto": "auto", "true": True, "false": False}
    if text.lower() not in known:
        raise argparse.ArgumentTypeError(f"is {text!r}; give auto, true or false")
    return known[text.lower()]


KINDS: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("", "repeatable"), str),
    "number": number,
    "whole": whole_number,
    "auto or flag": auto_or_flag,
}
"""What the value of an option must be, by the word for it in `commands.toml`."""


def as_option(name: str) -> str:
    """An argument's name as it is written on the command line."""
    return f"--{name.replace('_', '-')}"


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


def library_default(function: str, parameter: str) -> Any:
    """The default of a parameter in the signature of a public function, or method, of maxent.

    It is read from the source: nothing is imported.
    """
    name, _, method = function.partition(".")
    body, node = _definition(vars(maxent)["_MODULE_OF"][name], name)
    if method:
        body = node.body  # type: ignore[attr-defined]
        node = next(each for each in body if getattr(each, "name", None) == method)
    assert isinstance(node, ast.FunctionDef)
    arguments = node.args
    placed = arguments.posonlyargs + arguments.args
    defaults = dict(zip([a.arg for a in placed[::-1]], arguments.defaults[::-1]))
    defaults |= {
        a.arg: value for a, value in zip(arguments.kwonlyargs, arguments.kw_defaults) if value
    }
    return ast.literal_eval(defaults[parameter])


def _definition(module: str, name: str) -> tuple[list[ast.stmt], ast.stmt]:
    """Where a name of a module is defined, imports followed."""
    place = Path(maxent.__path__[0], *module.split(".")[1:])
    source = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    body = ast.parse(source.read_text(encoding="utf-8")).body
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            return body, node
        if isinstance(node, ast.ImportFrom) and name in [alias.name for alias in node.names]:
            assert node.module is not None
            return _definition(node.module, name)
    raise LookupError(f"{module} does not define {name}")


def _joined(arguments: Sequence[str]) -> list[str]:
    """--max_iterations as --max-iterations, and `--name -1` as `--name=-1`: a number is a value."""
    found: list[str] = []
    for argument in arguments:
        if _is_option(argument):
            written, equals, value = argument.partition("=")
            found.append(f"{written.replace('_', '-')}{equals}{value}")
        elif argument.startswith("-") and len(argument) > 1 and found and _is_bare(found[-1]):
            found[-1] += f"={argument}"
        else:
            found.append(argument)
    return found


def _is_option(text: str) -> bool:
    """Whether an argument reads as an option rather than as a value such as -1."""
    return len(text) > 1 and re.match(r"-(?!\.?\d|inf$|nan$)", text) is not None


def _is_bare(text: str) -> bool:
    """Whether an argument is an option without a value of its own."""
    return text.startswith("--") and "=" not in text
