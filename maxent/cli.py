"""The command line: `maxent tour`, `maps`, `solve MDP`, `verify MDP` (also `python -m maxent`).

An MDP is named by a map name ("four-rooms", "maze-21x31"), a map file, an .npz file written by
`MDP.save`, or "gym:" and the id of a Gymnasium environment with a transition table.

Exit codes: 0 done; 1 a check did not pass; 2 an error of the user's, told in one message on
stderr, with nothing created or changed; 3 not converged (the result is written all the same);
130 and 143 ended by Ctrl-C and SIGTERM (`solve` still writes its best certified answer); 141 the
reader of standard output went away.

Everything heavy is imported when a command needs it, so that `--help` is quick.
"""

from __future__ import annotations

import ast
import io
import os
import re
import shutil
import signal
import sys
import textwrap
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_type_hints

import tyro
from tyro.conf import OmitArgPrefixes, Positional, UseAppendAction, arg

import maxent
from maxent.errors import ConfigError, MapError, MaxEntError, nearest

if TYPE_CHECKING:
    from maxent.mdp import MDP
    from maxent.solution import Solution

DONE, NOT_PASSED, USER_ERROR, NOT_CONVERGED = 0, 1, 2, 3
INTERRUPTED, READER_GONE, TERMINATED = 130, 141, 143

METHODS = {
    "auto": "solve",
    "value-iteration": "soft_value_iteration",
    "policy-iteration": "soft_policy_iteration",
    "modified-policy-iteration": "modified_soft_policy_iteration",
}
GYM = "gym:"
FOR_GYM = ("discount", "env_option")
FOR_NPZ = ("discount",)


def _option(metavar: str, hint: str = "") -> Any:
    """How an option is shown in --help: its placeholder, and a hint in place of "None"."""
    return arg(metavar=metavar, help_behavior_hint=hint)


@dataclass(frozen=True)
class Model:
    """Which MDP, and what to change in it."""

    mdp: Annotated[Positional[str], arg(metavar="MDP", help_behavior_hint="(required)")]
    """A map name (see: maxent maps), FILE.txt, FILE.npz or gym:ID."""
    discount: Annotated[float | None, _option("GAMMA")] = None
    """In [0, 1]; only named maps and .npz files have one of their own."""
    slip: Annotated[float | None, _option("P")] = None
    """Maps: total probability of the two neighbouring directions."""
    moves: Annotated[int | None, _option("4|8")] = None
    """Maps: number of directions."""
    wind: Annotated[str | None, _option("W,W,...")] = None
    """Maps: cells upwards per step, for each column or one for all."""
    step_reward: Annotated[float | None, _option("R")] = None
    """Maps: paid for each step."""
    rewards: Annotated[str | None, _option("G=R,X=R,...")] = None
    """Maps: rewards of characters."""
    bump_reward: Annotated[float | None, _option("R")] = None
    """Maps: added when a move meets a wall or an edge."""
    goals: Annotated[str | None, _option("terminal|absorbing|restart")] = None
    """Maps: what a goal does."""
    env_option: Annotated[
        UseAppendAction[tuple[str, ...]], _option("KEY=VALUE", "(repeatable)")
    ] = ()
    """gym: a setting of the environment, such as is_slippery=False."""

    def given(self) -> dict[str, Any]:
        """The options that were given, as keyword arguments of `gridworld`."""
        options = {name: value for name, value in asdict(self).items() if value not in (None, ())}
        del options["mdp"]
        if self.rewards is not None:
            options["rewards"] = _pairs("--rewards", self.rewards.split(","))
        if self.wind is not None:
            numbers = [_value(part) for part in self.wind.split(",")]
            options["wind"] = numbers[0] if len(numbers) == 1 else numbers
        return options

    def build(self) -> MDP:
        """The MDP; ConfigError for an option that does not concern its kind."""
        if self.mdp.startswith(GYM):
            return self._from_gymnasium(self.mdp.removeprefix(GYM))
        if self.mdp.endswith(".npz"):
            return self._from_archive()
        return self._from_map()

    def _only(self, allowed: Sequence[str], kind: str) -> dict[str, Any]:
        options = self.given()
        for name in options:
            if name not in allowed:
                raise ConfigError(
                    f"--{name.replace('_', '-')} does not concern {kind}; leave it out"
                )
        return options

    def _from_gymnasium(self, name: str) -> MDP:
        options = self._only(FOR_GYM, "a Gymnasium environment")
        if self.discount is None:
            raise ConfigError(f"{self.mdp} has no discount of its own; add, say, --discount 0.99")
        settings = _pairs("--env-option", options.get("env_option", ()))
        for taken in {"discount", "env"} & settings.keys():
            raise ConfigError(f"--env-option {taken}=... is no setting of an environment")
        return maxent.from_gymnasium(name, discount=self.discount, **settings)

    def _from_archive(self) -> MDP:
        changes = self._only(FOR_NPZ, "an .npz file")
        mdp = maxent.MDP.load(self.mdp)
        return mdp.replace(**changes) if changes else mdp

    def _from_map(self) -> MDP:
        from maxent import maps

        settings = self._only([field.name for field in fields(self)[1:-1]], "a map")
        if maps.is_name(self.mdp):
            with suppress(MapError):
                maps.named_map(self.mdp)
                return maxent.gridworld(self.mdp, **settings)
        if not _is_file(self.mdp):
            raise MapError(_unknown_mdp(self.mdp))
        if self.discount is None:
            raise ConfigError(f"{self.mdp} has no discount of its own; add, say, --discount 0.95")
        return maxent.gridworld(Path(self.mdp), **settings)


@dataclass(frozen=True)
class Solve:
    """Solve an MDP, with a certified bound on the error.

    examples:
      maxent solve four-rooms --temperature 0.01
      maxent solve gym:FrozenLake-v1 --discount 0.99 --temperature 0 --json lake.json
      maxent solve my-map.txt --discount 0.95 --slip 0.1 --temperature 0.1 --figure values.png
    """

    model: OmitArgPrefixes[Model]
    temperature: Annotated[float, arg(metavar="ALPHA")]
    """0 is the hard maximum; there is no default."""
    method: Annotated[str, arg(metavar="|".join(METHODS))] = "auto"
    """Solver."""
    tolerance: Annotated[float | None, _option("ERROR")] = None
    """Largest error of any state's value; left out: about 1e-9 of the largest value."""
    max_iterations: Annotated[int | None, _option("N")] = None
    """Stop after so many; left out: no limit."""
    json: Annotated[str | None, _option("FILE.json")] = None
    """Write every number there."""
    figure: Annotated[str | None, _option("FILE.png|FILE.svg")] = None
    """Draw values and policy there."""
    save_mdp: Annotated[str | None, _option("FILE.npz")] = None
    """Write the MDP itself there."""
    overwrite: Annotated[bool, arg(help_behavior_hint="")] = False
    """Replace output files that exist."""

    def run(self) -> int:
        """Solve, write the files, print the table."""
        from maxent import reports

        if self.method not in METHODS:
            raise ConfigError(f"--method {self.method} is unknown; {nearest(self.method, METHODS)}")
        endings = {"json": (".json",), "figure": (".png", ".svg"), "save_mdp": (".npz",)}
        outputs = _outputs(self, endings)
        mdp = self.model.build()
        solution = getattr(maxent, METHODS[self.method])(
            mdp,
            self.temperature,
            tolerance=self.tolerance,
            max_iterations=self.max_iterations,
            progress=True,
        )
        if "json" in outputs:
            record = {
                "format": "maxent-solve-1",
                "request": asdict(self),
                "mdp": {"name": self.model.mdp} | reports.mdp_record(mdp),
                "solution": reports.solution_record(mdp, solution),
                "versions": reports.versions(),
            }
            reports.write_json(record, outputs["json"], overwrite=self.overwrite)
        if "figure" in outputs:
            from maxent import plots

            figure = plots.value_map(mdp, solution)
            plots.save(figure, outputs["figure"], overwrite=self.overwrite)
        if "save_mdp" in outputs:
            mdp.save(outputs["save_mdp"], overwrite=self.overwrite)
        print(_summary(self.model.mdp, mdp, solution))
        _say_written(outputs)
        if solution.status == "interrupted":
            return INTERRUPTED
        return DONE if solution.converged else NOT_CONVERGED


@dataclass(frozen=True)
class Verify:
    """Check the theorems of maximum-entropy reinforcement learning on an MDP.

    examples:
      maxent verify four-rooms --temperature 0.1
      maxent verify gym:FrozenLake-v1 --discount 0.99 --temperature 1 --json report.json
      maxent verify sutton-barto-5x5 --temperature 0.5 --keys SQL-T3,SAC-T1
    """

    model: OmitArgPrefixes[Model]
    temperature: Annotated[float, arg(metavar="ALPHA")]
    """0 is the hard maximum; there is no default."""
    keys: Annotated[str | None, _option("KEY,KEY,...")] = None
    """Which theorems; left out: all."""
    seed: Annotated[int, arg(metavar="N")] = 0
    """For the random inputs of the checks."""
    json: Annotated[str | None, _option("FILE.json")] = None
    """Write the report there."""
    overwrite: Annotated[bool, arg(help_behavior_hint="")] = False
    """Replace an output file that exists."""

    def run(self) -> int:
        """Check, write the file, print the report."""
        from maxent import reports

        outputs = _outputs(self, {"json": (".json",)})
        mdp = self.model.build()
        keys = None if self.keys is None else self.keys.split(",")
        report = maxent.verify(mdp, self.temperature, keys=keys, seed=self.seed, progress=True)
        if "json" in outputs:
            record = {
                "format": "maxent-verify-1",
                "request": asdict(self),
                "mdp": {"name": self.model.mdp} | reports.mdp_record(mdp),
                "report": report.to_dict(),
                "versions": reports.versions(),
            }
            reports.write_json(record, outputs["json"], overwrite=self.overwrite)
        print(reports.printable(str(report)))
        _say_written(outputs)
        return DONE if report.passed else NOT_PASSED


@dataclass(frozen=True)
class Maps:
    """List the named maps, or draw one.

    examples:
      maxent maps
      maxent maps four-rooms
      maxent maps maze-15x31-seed7
    """

    name: Annotated[Positional[str | None], arg(metavar="NAME", help_behavior_hint="")] = None
    """The map to draw; left out: list them all."""

    def run(self) -> int:
        """Print them."""
        from maxent.maps import MAPS, named_map

        if self.name is not None:
            try:
                chosen = named_map(self.name)
            except MapError:
                raise MapError(
                    f"no map is called {self.name!r}; {_known_maps(self.name)}"
                ) from None
            print(f"{chosen.text}\n")
            print(_paragraph("", f"{chosen.description}\n{_settings(chosen)}\n{chosen.source}"))
            print(f"\nSolve it:  maxent solve {self.name} --temperature 0.1")
            return DONE
        for name, chosen in MAPS.items():
            rows = chosen.text.split("\n")
            label = f"{name}  {len(rows)}x{len(rows[0])}"
            about = f"{chosen.description}\n{_settings(chosen)}\n{chosen.source}"
            print(_paragraph(label, about))
        print("\nOf any size: open-50x50, maze-21x31, maze-21x31-seed7.")
        print("Draw one: maxent maps NAME.  What its characters mean: pydoc maxent.gridworlds")
        return DONE


@dataclass(frozen=True)
class Tour:
    """Solve well-known MDPs, compare with published values, check theorems, draw figures.

    examples:
      maxent tour
      maxent tour --out my-tour
      maxent tour --overwrite
    """

    out: Annotated[str, arg(metavar="FOLDER")] = "tour-output"
    """Where figures and tour.json go; it is created, or must be empty."""
    overwrite: Annotated[bool, arg(help_behavior_hint="")] = False
    """Write into a folder that is not empty, replacing the files of an earlier tour."""

    def run(self) -> int:
        """Take the tour."""
        from maxent import tour

        return DONE if tour.take(self.out, overwrite=self.overwrite) else NOT_PASSED


COMMANDS: dict[str, type[Tour] | type[Maps] | type[Solve] | type[Verify]] = {
    "tour": Tour,
    "maps": Maps,
    "solve": Solve,
    "verify": Verify,
}

HELP = """\
usage: maxent COMMAND ...

Maximum-entropy reinforcement learning: exact solutions with certified bounds.

commands:
  tour         a minute through solvers, published values, theorems and figures
  maps         list the named gridworlds, or draw one
  solve MDP    values and policy of an MDP at a temperature
  verify MDP   check the theorems on an MDP
  COMMAND --help says more; --version prints the version.

An MDP is a map name (four-rooms, maze-21x31), a map file (FILE.txt), a saved MDP
(FILE.npz) or an environment of Gymnasium's with a transition table (gym:FrozenLake-v1).

examples:
  maxent tour
  maxent solve four-rooms --temperature 0.01
  maxent verify gym:FrozenLake-v1 --discount 0.99 --temperature 1
"""


class Terminated(KeyboardInterrupt):
    """SIGTERM, so that what ends a solver gently on Ctrl-C does so here as well."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    with _plain_warnings(), _sigterm() as received:
        try:
            code = _dispatch(arguments)
            sys.stdout.flush()
        except KeyboardInterrupt:
            print("maxent: interrupted", file=sys.stderr)
            code = INTERRUPTED
        except BrokenPipeError:
            _drop_output()
            return READER_GONE
        except (MaxEntError, OSError) as error:
            print(f"maxent: error: {_told(error)}", file=sys.stderr)
            code = USER_ERROR
    return TERMINATED if received and code == INTERRUPTED else code


def _dispatch(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(HELP, end="", file=sys.stdout if arguments else sys.stderr)
        return DONE if arguments else USER_ERROR
    if arguments[0] in ("-V", "--version"):
        print(f"maxent {maxent.__version__}")
        return DONE
    name, *rest = arguments
    if name not in COMMANDS:
        raise ConfigError(f"unknown command {name!r}; {nearest(name, COMMANDS)}")
    command = COMMANDS[name]
    _check_arguments(name, command, rest)
    try:
        parsed = tyro.cli(
            command,
            prog=f"maxent {name}",
            description=textwrap.dedent(f"    {command.__doc__}"),
            args=rest,
            config=(tyro.conf.FlagCreatePairsOff,),
        )
    except SystemExit as end:  # tyro has printed its help, or what is wrong
        return end.code if isinstance(end.code, int) else DONE
    return parsed.run()


def _check_arguments(name: str, command: Any, arguments: Sequence[str]) -> None:
    """ConfigError for what tyro would refuse, in one line and with the nearest name."""
    if {"-h", "--help"} & set(arguments):
        return
    places, seen = _split(name, _kinds(command), arguments)
    needed, allowed = {Tour: (0, 0), Maps: (0, 1)}.get(command, (1, 1))
    if len(places) < needed:
        raise ConfigError(
            "name an MDP: a map (see: maxent maps), FILE.txt, FILE.npz or gym:ID, as in "
            f"maxent {name} four-rooms --temperature 0.01"
        )
    if len(places) > allowed:
        raise ConfigError(f"{places[allowed]!r} is one argument too many; see maxent {name} --help")
    if needed and "--temperature" not in seen:
        raise ConfigError(
            "give a --temperature: 0 is the hard maximum, and the larger, the more random the "
            "policy; it has no default"
        )


def _split(
    name: str, kinds: dict[str, type | None], arguments: Sequence[str]
) -> tuple[list[str], set[str]]:
    """The arguments that are no options, and the options, each checked with its value."""
    places: list[str] = []
    seen: set[str] = set()
    left = iter(arguments)
    for argument in left:
        if not _is_option(argument):
            places.append(argument)
            continue
        option, equals, value = argument.partition("=")
        option = option.replace("_", "-")
        if option not in kinds:
            raise ConfigError(f"maxent {name} has no option {option}; {nearest(option, kinds)}")
        if option in seen and option != "--env-option":
            raise ConfigError(f"{option} is given twice; give it once")
        seen.add(option)
        kind = kinds[option]
        if kind is None:
            if equals:
                raise ConfigError(f"{option} takes no value; write {option} alone")
            continue
        if not equals:
            value = next(left, "--")
            if _is_option(value):
                raise ConfigError(f"{option} needs a value; see maxent {name} --help")
        _check_number(option, value, kind)
    return places, seen


def _is_option(text: str) -> bool:
    """Whether an argument reads as an option rather than as a value such as -1."""
    return len(text) > 1 and re.match(r"-(?!\.?\d|inf$|nan$)", text) is not None


def _kinds(command: Any) -> dict[str, type | None]:
    """The options of a command with the type of their value, None for a flag."""
    hints = get_type_hints(command)
    if hints.pop("model", None):
        hints |= get_type_hints(Model)
    kinds: dict[str, type | None] = {}
    for name, hint in hints.items():
        if name not in ("mdp", "name"):
            kind = next((t for t in (float, int) if t in (hint, *get_args(hint))), str)
            kinds[f"--{name.replace('_', '-')}"] = None if hint is bool else kind
    return kinds


def _check_number(option: str, value: str, kind: type) -> None:
    try:
        kind(value)
    except ValueError:
        what = "whole number" if kind is int else "number"
        raise ConfigError(f"{option} {value!r} is not a {what}") from None


def _outputs(command: Solve | Verify, endings: dict[str, tuple[str, ...]]) -> dict[str, Path]:
    """The output files asked for, checked before any work is done."""
    from maxent import reports

    outputs: dict[str, Path] = {}
    for name, allowed in endings.items():
        given = getattr(command, name)
        if given is not None:
            outputs[name] = reports.check_file(given, command.overwrite, allowed)
    return outputs


def _say_written(outputs: dict[str, Path]) -> None:
    for path in outputs.values():
        print(f"wrote {path}")


def _summary(name: str, mdp: MDP, solution: Solution) -> str:
    """What a solve found, for people."""
    from maxent import reports

    ended = f", {mdp.terminal.sum()} terminal" if mdp.terminal.any() else ""
    size = f"{mdp.n_states} states, {mdp.n_actions} actions{ended}"
    picture = reports.policy_picture(mdp, solution)
    start = f"{reports.value_at_start(mdp, solution):.10g}  (discounted, over the start states)"
    lines = {
        "MDP": f"{name}: {size}, discount {reports.discount_text(mdp.discount)}",
        "temperature": f"{solution.temperature:g}"
        + (" (hard maximum)" if solution.temperature == 0.0 else ""),
        "value at start": start,
        "certified error": f"{solution.error_bound:.2g} at most, in every state",
        "policy": f"certified to lose at most {solution.policy_bound:.2g} against the best",
        "method": solution.method,
        "status": f"{solution.status.replace('_', ' ')}, {solution.iterations} iterations, "
        f"{solution.seconds:.3f} s",
    }
    text = "\n".join(f"{label:<16} {value}" for label, value in lines.items())
    if picture is not None:
        return f"{text}\n\n{picture}\n\n{reports.LEGEND}"
    if mdp.grid is not None:
        return f"{text}\n\nThe map is too large to draw here; --figure draws it."
    return text


def _settings(chosen: Any) -> str:
    """The settings of a named map, as options."""
    words = []
    for name, value in chosen.settings.items():
        if name == "rewards":
            value = ",".join(f"{key}={reward:g}" for key, reward in value.items())
        elif name == "wind":
            value = ",".join(map(str, value))
        elif isinstance(value, float):
            value = f"{value:.9g}"
        words.append(f"{name.replace('_', '-')} {value}")
    return ", ".join(words)


def _paragraph(label: str, text: str) -> str:
    """Lines of text beside a label, wrapped to the terminal."""
    margin = 26 if label else 0
    width = max(40, min(shutil.get_terminal_size().columns, 100))
    blank = " " * margin
    wrapped = [textwrap.wrap(line, width - margin) for line in text.split("\n")]
    lines = [line for part in wrapped for line in part]
    first = f"{label:<{margin}}{lines[0]}"
    return "\n".join([first, *(blank + line for line in lines[1:])])


def _is_file(name: str) -> bool:
    """Whether something that is no folder is there; False for a name that no file can have."""
    with suppress(OSError, ValueError):
        return Path(name).exists() and not Path(name).is_dir()
    return False


def _unknown_mdp(name: str) -> str:
    name = name if len(name) < 64 else f"{name[:60]}..."
    if name.endswith(".txt") or os.sep in name:
        return f"there is no map file {name!r}; name a file, or a map (see: maxent maps)"
    return (
        f"no map or file is called {name!r}; {_known_maps(name)}.  Else name a map file, an .npz "
        "file or an environment, such as gym:FrozenLake-v1"
    )


def _known_maps(name: str) -> str:
    from maxent.maps import MAPS

    return f"{nearest(name, MAPS)}; of any size: open-50x50, maze-21x31, maze-21x31-seed7"


def _pairs(option: str, texts: Sequence[str]) -> dict[str, Any]:
    """NAME=VALUE, ... as a dictionary; ConfigError for another form or a name given twice."""
    pairs: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise ConfigError(f"{option} {text!r} must have the form NAME=VALUE")
        if name in pairs:
            raise ConfigError(f"{option} gives {name!r} twice; give it once")
        pairs[name] = _value(value)
    return pairs


def _value(text: str) -> Any:
    """A number, boolean, None, list or text, as Python would read it; true and false too."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def _told(error: Exception) -> str:
    """The message of an error, without the errno of an OSError."""
    if isinstance(error, OSError) and not isinstance(error, MaxEntError) and error.strerror:
        place = str(error.filename or "")
        place = f"{place[:60]}..." if len(place) > 63 else place
        return f"{place!r}: {error.strerror}" if place else error.strerror
    return str(error)


@contextmanager
def _plain_warnings() -> Iterator[None]:
    """Show warnings as one line each, without a place in the source."""

    def show(message: Any, *_: Any, **__: Any) -> None:
        text = re.sub("\x1b\\[[0-9;]*m|WARN: ", "", str(message))  # Gymnasium colours its warnings
        print(f"maxent: warning: {text}", file=sys.stderr)

    with warnings.catch_warnings():
        warnings.simplefilter("default", UserWarning)
        warnings.showwarning = show
        yield


@contextmanager
def _sigterm() -> Iterator[list[int]]:
    """Raise Terminated on SIGTERM; yields a list that holds the signal once it came."""
    received: list[int] = []

    def handle(number: int, _: Any) -> None:
        received.append(number)
        raise Terminated

    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    before = signal.signal(signal.SIGTERM, handle)
    try:
        yield received
    finally:
        signal.signal(signal.SIGTERM, before)


def _drop_output() -> None:
    """Send what is left in standard output's buffer nowhere, so that exit stays silent."""
    with suppress(OSError, ValueError, io.UnsupportedOperation):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
