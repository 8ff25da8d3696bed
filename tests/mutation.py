"""How strong the tests are: small changes of the source, one at a time, and whether a test notices.

    python tests/mutation.py operators               # all mutants of maxent/tabular/operators.py
    python tests/mutation.py solvers --sample 60     # 60 of the area, drawn with a fixed seed
    python tests/mutation.py operators --list        # what would be tried
    python tests/mutation.py operators --record FILE # each verdict a line; what FILE has is not
                                                     # tried again
    python tests/mutation.py operators -k "not slow" # what is left goes to pytest

A mutant is one change in one function: an arithmetic operator, a comparison, a sign, a constant, a
condition, `max` for `min`, the two branches of `where`, or None for what is returned.  Strings,
messages of errors and warnings, `__repr__`, annotations and docstrings stay.  The tests that
`TESTS` names for the area are collected once and run once, to see which lines each of them reaches.
Then each mutant has a forked process of its own, in which the code of the changed function takes
the place of the original's, and the tests that reach the changed statement run, the quickest
first.  It is *killed* if one fails, raises or takes too long.  What survives is printed: a missing
test, or a change that makes no difference.  The score is information; no test depends on it.

What is computed while modules are imported and tests collected is computed without the change.

Made for this package because the ready-made mutmut leaves out every function that has a decorator
without a word, and much of what is imported through a hook, which is how the tests check shapes
here.  Functions without any mutant are named.  Needs a system that forks.
"""

from __future__ import annotations

import argparse
import ast
import copy
import functools
import gc
import hashlib
import importlib
import inspect
import json
import math
import os
import random
import re
import resource
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import IO, Any, cast

ROOT = Path(__file__).parents[1]
SOLVERS = "maxent/tabular/solvers"
INSIDE = ("loop", "steps", "chosen", "arranged", "averaged", "automatic", "certified", "many")
TRADEOFF = "maxent/tabular/tradeoff"
CURVES = "maxent/plots/curves"
TESTS = {
    "operators": (["maxent/tabular/operators.py"], ["tabular/test_operators.py"]),
    "bounds": (
        ["maxent/tabular/bounds.py"],
        ["tabular/test_bounds.py", "tabular/test_certified_edges.py", "tabular/test_solvers.py"],
    ),
    "solvers": (
        [f"{SOLVERS}/{name}.py" for name in INSIDE],
        [
            *(f"tabular/test_{name}.py" for name in ("certified_edges", "hard_maximum", "solvers")),
            *(f"tabular/test_{name}.py" for name in ("engines", "many", "threads")),
        ],
    ),
    "exits": (
        [f"{SOLVERS}/exits.py"],
        ["tabular/test_exits.py", "tabular/test_certified_edges.py"],
    ),
    "finite_horizon": (
        ["maxent/tabular/finite_horizon.py"],
        ["tabular/test_finite_horizon.py", "tabular/test_certified_edges.py"],
    ),
    "tradeoff": (
        [
            f"{TRADEOFF}/{name}.py"
            for name in ("curve", "front", "dual", "earned", "newton", "reaching")
        ],
        ["tabular/test_tradeoff.py", "tabular/test_many.py"],
    ),
    "continuous": (["maxent/continuous/lqr.py"], ["continuous/test_lqr.py"]),
    "plots": ([f"{CURVES}/tradeoff.py"], ["plots/test_plots_tradeoff.py"]),
    "curves": (
        [f"{CURVES}/{name}.py" for name in ("by_temperature", "convergence", "lines", "newton")],
        ["plots/test_lines.py", "plots/test_plots_tradeoff.py", "plots/test_plots.py"],
    ),
    "proposals": (
        ["maxent/neural/parts/proposals.py"],
        ["neural/test_proposals.py", "neural/test_resampling.py"],
    ),
    "validation": (["maxent/mdp/validation.py"], ["mdp/test_mdp.py", "mdp/test_bad_input.py"]),
    "arguments": (
        ["maxent/support/arguments.py"],
        ["support/test_errors.py", "mdp/test_bad_input.py"],
    ),
    "known": (
        ["maxent/tabular/known_answers.py", "maxent/neural/known_environment.py"],
        ["tabular/test_known_answers.py", "neural/test_known_environment.py"],
    ),
    "enclosures": (
        ["maxent/proofs/enclosure.py", "maxent/proofs/balls.py"],
        ["proofs/test_enclosure.py", "proofs/test_proof.py"],
    ),
    "proof_checker": (["maxent/proofs/checker.py"], ["proofs/test_certificate.py"]),
}
"""Area -> its files, and the tests that they are held against, the quickest first."""
PATIENCE = 3.0
"""How many times the seconds of the processor that the tests take without a change a mutant has,
and ten more."""
LONGEST = 900.0
"""Seconds by the clock, which other programs share, for a mutant that waits without computing."""
BROKEN = 9
"""Exit code of a child in which not a test failed but this program."""
OUTPUT = os.dup(1)
"""Where verdicts go, whatever pytest captures."""

ARITHMETIC = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
COMPARISONS = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
NAMES = {"max": "min", "any": "all", "maximum": "minimum", "argmax": "argmin", "exp": "expm1"}
NAMES |= {second: first for first, second in NAMES.items()} | {"log": "log1p", "log1p": "log"}


def changes(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that may stand in the place of this one."""
    made = copy.deepcopy(node)
    match made:
        case ast.BinOp(op=op) if type(op) in ARITHMETIC:
            made.op = ARITHMETIC[type(op)]()
            yield made
        case ast.Compare(ops=[op]) if type(op) in COMPARISONS:
            for other in COMPARISONS[type(op)]:
                yield ast.Compare(made.left, [other()], made.comparators)
        case ast.BoolOp(op=op):
            made.op = ast.Or() if isinstance(op, ast.And) else ast.And()
            yield made
        case ast.UnaryOp():
            yield made.operand
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield ast.Constant(value + 1)
        case ast.Constant(value=float(value)):
            yield ast.Constant(2.0 * value if value else 1.0)
        case ast.If() | ast.IfExp():
            made.test = ast.UnaryOp(ast.Not(), made.test)
            yield made
        case ast.Call(func=ast.Attribute(attr="where"), args=[test, one, other]):
            yield ast.Call(made.func, [test, other, one], made.keywords)
        case ast.Attribute(attr=name) if name in NAMES:
            made.attr = NAMES[name]
            yield made
        case ast.Name(id=name) if name in ("max", "min", "any", "all"):
            yield ast.Name(NAMES[name], made.ctx)
        case ast.Return(value=value) if value is not None:
            yield ast.Return(ast.Constant(None))
        case ast.AugAssign(op=op) if type(op) in ARITHMETIC:
            made.op = ARITHMETIC[type(op)]()
            yield made


@dataclass(frozen=True)
class Mutant:
    """One change: where, the source of the whole module with it, and the change in words.

    function: with the classes and functions around it.  lines: of the statement that is changed.
    """

    target: str
    function: str
    lines: range
    source: str
    words: str

    @property
    def mark(self) -> str:
        """What stands for it in a record."""
        return hashlib.sha256(f"{self.target}\n{self.source}".encode()).hexdigest()

    def __str__(self) -> str:
        return f"{self.target}:{self.lines[0]} {self.function}: {self.words}"


def functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Every function of a module, methods and functions within functions included."""

    def within(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.FunctionDef]]:
        for child in ast.iter_child_nodes(node):
            name = f"{prefix}{getattr(child, 'name', '')}"
            if isinstance(child, ast.FunctionDef):
                yield name, child
            deeper = isinstance(child, (ast.FunctionDef, ast.ClassDef))
            yield from within(child, f"{name}." if deeper else prefix)

    yield from within(tree, "")


def mutants(target: str) -> tuple[list[Mutant], list[str]]:
    """All mutants of a module, and the functions without any."""
    tree = ast.parse((ROOT / target).read_text())
    found: list[Mutant] = []
    without, seen = [], {ast.unparse(tree)}
    for name, function in functions(tree):
        before = len(found)
        places = [] if function.name == "__repr__" else _places(function, function)
        for parent, field, index, node, lines in places:
            for other in changes(node):
                source, words = _planted(tree, (parent, field, index), node, other)
                if source not in seen:
                    found.append(Mutant(target, name, lines, source, words))
                    seen.add(source)
        if len(found) == before:
            without.append(name)
    return found, without


Place = tuple[ast.AST, str, int | None, ast.AST, range]


def _places(node: ast.AST, statement: ast.stmt) -> Iterator[Place]:
    """Parent, field, index, node and lines of what may be changed in a function, nothing nested in
    it."""
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list", "type_params"):
            continue
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if not isinstance(child, ast.AST) or _is_message(child):
                continue
            if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
                continue  # has its own turn
            within = child if isinstance(child, ast.stmt) else statement
            last = getattr(child, "end_lineno", None) or within.lineno
            if within is child and hasattr(within, "body"):
                last = within.body[0].lineno - 1
            elif isinstance(within, ast.FunctionDef):  # a default
                last = within.end_lineno or last
            yield node, field, index, child, range(within.lineno, max(last, within.lineno) + 1)
            yield from _places(child, within)


def _is_message(node: ast.AST) -> bool:
    match node:
        case ast.Raise() | ast.Assert() | ast.JoinedStr():
            return True
        case ast.Call(func=ast.Attribute(value=ast.Name(id="warnings"))):
            return True
    return False


def _planted(
    tree: ast.Module, place: tuple[ast.AST, str, int | None], node: ast.AST, other: ast.AST
) -> tuple[str, str]:
    """The source with another node in that place, and the change in words."""
    parent, field, index = place
    holder = getattr(parent, field)

    def put(what: ast.AST) -> None:
        if index is None:
            setattr(parent, field, what)
        else:
            holder[index] = what

    put(ast.fix_missing_locations(ast.copy_location(other, node)))
    source = ast.unparse(tree)
    put(node)
    before, after = (ast.unparse(x).splitlines()[0][:70] for x in (node, other))
    return source, f"column {cast(ast.expr, node).col_offset}, {before}  ->  {after}"


def apply(mutant: Mutant, objects: list[object]) -> None:
    """Give the functions among the objects of this process the changed code and defaults."""
    path = str(ROOT / mutant.target)
    tree = ast.parse(mutant.source)
    codes = _codes(compile(tree, path, "exec"))
    name = max((n for n in codes if f"{mutant.function}.".startswith(f"{n}.")), key=len)
    nodes = [node for n, node in functions(tree) if n == name]
    held = [
        each
        for each in objects
        if type(each) is FunctionType
        and each.__code__.co_filename == path
        and each.__code__.co_qualname == name
    ]
    lines = sorted({each.__code__.co_firstlineno for each in held})
    if len(lines) != len(codes[name]):
        raise LookupError(f"{len(lines)} of {name} in this process, {len(codes[name])} in {path}")
    for each in held:
        at = lines.index(each.__code__.co_firstlineno)
        each.__code__ = codes[name][at]
        args = nodes[at].args
        values = [eval(ast.unparse(x), each.__globals__) for x in args.defaults]
        each.__defaults__ = tuple(values) or None
        named = zip(args.kwonlyargs, args.kw_defaults)
        each.__kwdefaults__ = {
            a.arg: eval(ast.unparse(x), each.__globals__) for a, x in named if x is not None
        } or None
    for cached in objects:
        if type(cached) is functools._lru_cache_wrapper:
            cached.cache_clear()


def _codes(module: CodeType) -> dict[str, list[CodeType]]:
    """Code of the functions of a module and its classes, by name; nothing within functions."""
    found: dict[str, list[CodeType]] = {}

    def look(code: CodeType) -> None:
        for inner in code.co_consts:
            if isinstance(inner, CodeType) and inner.co_flags & inspect.CO_OPTIMIZED:
                found.setdefault(inner.co_qualname, []).append(inner)
            elif isinstance(inner, CodeType):
                look(inner)

    look(module)
    return found


@dataclass
class Reach:
    """What one test did without a change: the seconds it took, and the lines it ran."""

    seconds: float
    lines: set[tuple[str, int]]


class Trial:
    """A plugin of pytest which, instead of running the tests once, tries mutants on them."""

    def __init__(self, made: list[Mutant], record: Path | None, budget: float) -> None:
        self.made, self.record, self.budget = made, record, budget
        self.known = verdicts(record)

    def pytest_collection(self) -> None:
        """Failing examples are not made smaller: one is enough."""
        from hypothesis import Phase, settings

        phases = (Phase.explicit, Phase.generate)
        settings.register_profile("mutants", settings(), phases=phases, report_multiple_bugs=False)
        settings.load_profile("mutants")

    def pytest_runtestloop(self, session: Any) -> bool:
        """Try each mutant that is not known, and print what survives."""
        if session.testsfailed:
            sys.exit("the tests cannot be collected")
        for target in {each.target for each in self.made}:
            importlib.import_module(target.removesuffix(".py").replace("/", "."))
        kinds = (FunctionType, functools._lru_cache_wrapper)
        items, objects = session.items, [x for x in gc.get_objects() if type(x) in kinds]
        gc.freeze()
        new = [each for each in self.made if each.mark not in self.known]
        reached = baseline(items, {str(ROOT / each.target) for each in new}) if new else []
        left = 0
        for number, mutant in enumerate(self.made, start=1):
            if mutant.mark not in self.known:
                tests = [pair for pair in zip(reached, items) if _reaches(pair[0], mutant)]
                self._try_out(mutant, tests, objects)
            if self.known[mutant.mark]:
                left += 1
                say(f"survives: {mutant}")
            if number % 25 == 0:
                say(f"... {number} of {len(self.made)}, {left} survive")
        killed = len(self.made) - left
        say(f"{killed} of {len(self.made)} mutants killed ({100 * killed / len(self.made):.0f} %)")
        return True

    def _try_out(self, mutant: Mutant, tests: list[tuple[Reach, Any]], objects: list[Any]) -> None:
        tests.sort(key=lambda test: test[0].seconds)
        sums = accumulate(reach.seconds for reach, _ in tests)
        tests = [test for test, spent in zip(tests, sums) if spent <= self.budget] or tests[:1]
        spent: dict[str, float] = {}
        for reach, item in tests:
            spent[item.path.name] = spent.get(item.path.name, 0.0) + reach.seconds
        tests.sort(key=lambda t: (spent[t[1].path.name], t[1].path.name, t[0].seconds))
        seconds = PATIENCE * sum(spent.values()) + 10.0
        items = [item for _, item in tests]
        killer = in_child(lambda: first_failure(mutant, items, objects), seconds)
        self.known[mutant.mark] = not killer
        if self.record is not None:
            row = {"mark": mutant.mark, "survives": not killer, "mutant": str(mutant)}
            row |= {"tests": len(items), "by": killer}
            with self.record.open("a") as stream:
                stream.write(json.dumps(row) + "\n")


def _reaches(reach: Reach, mutant: Mutant) -> bool:
    path = str(ROOT / mutant.target)
    return any((path, line) in reach.lines for line in mutant.lines)


def say(words: str) -> None:
    """Print where pytest captures."""
    os.write(OUTPUT, f"{words}\n".encode())


def first_failure(mutant: Mutant, items: list[Any], objects: list[Any]) -> str:
    """The test that fails first with the change, or nothing."""
    apply(mutant, objects)
    for item, following in zip(items, [*items[1:], None]):
        if not _passes(item, following):
            return str(item.nodeid)
    return ""


def _passes(item: Any, following: Any) -> bool:
    from _pytest.runner import runtestprotocol

    try:
        return not any(report.failed for report in runtestprotocol(item, False, following))
    except KeyboardInterrupt:  # which pytest does not report but raise
        return False


def baseline(items: list[Any], paths: set[str]) -> list[Reach]:
    """Every test once, without a change."""

    def run() -> str:
        found = []
        for item, following in zip(items, [*items[1:], None]):
            lines: set[tuple[str, int]] = set()
            started = time.process_time()
            with traced(paths, lines):
                passed = _passes(item, following)
            found.append((passed, time.process_time() - started, sorted(lines)))
        return json.dumps(found)

    found = json.loads(in_child(run, math.inf) or "[]")
    failed = [item.nodeid for item, each in zip(items, found) if not each[0]]
    if failed or len(found) != len(items):
        sys.exit(f"without any change {len(found)} of {len(items)} tests ran; failed: {failed}")
    return [Reach(seconds, {(p, n) for p, n in lines}) for _, seconds, lines in found]


@contextmanager
def traced(paths: set[str], lines: set[tuple[str, int]]) -> Iterator[None]:
    """Add to `lines` what runs of these files."""

    def line(frame: FrameType, event: str, _: object) -> Any:
        lines.add((frame.f_code.co_filename, frame.f_lineno))
        return line

    def call(frame: FrameType, event: str, _: object) -> Any:
        return line(frame, event, _) if frame.f_code.co_filename in paths else None

    threading.settrace(call)
    sys.settrace(call)
    try:
        yield
    finally:
        sys.settrace(None)
        threading.settrace(None)


def in_child(work: Callable[[], str], seconds: float) -> str:
    """What `work` returns in a forked process; how it ended where it did not return."""
    with tempfile.TemporaryFile() as answer:
        child = os.fork()
        if child == 0:
            os._exit(_work(work, seconds, answer))
        ends = time.monotonic() + LONGEST
        while time.monotonic() < ends or seconds == math.inf:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                answer.seek(0)
                code = os.waitstatus_to_exitcode(status)
                if code == BROKEN:
                    sys.exit("this is no verdict")
                return f"it ended with {code}" if code else answer.read().decode()
            time.sleep(0.02)
        os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return "too long by the clock"


def _work(work: Callable[[], str], seconds: float, answer: IO[bytes]) -> int:
    os.setsid()
    if seconds < math.inf:
        used = time.process_time()
        resource.setrlimit(resource.RLIMIT_CPU, (int(used + seconds), int(used + seconds) + 5))
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    try:
        answer.write(work().encode())
        answer.flush()
    except BaseException as error:  # whatever it is, this process must end here
        say(f"{type(error).__name__}: {error}")
        return BROKEN
    return 0


def verdicts(record: Path | None) -> dict[str, bool]:
    """What a file has: the mark of a mutant -> whether it survived."""
    if record is None or not record.exists():
        return {}
    rows = (json.loads(line) for line in record.read_text().splitlines())
    return {row["mark"]: row["survives"] for row in rows}


def main() -> None:
    """Try the mutants of one area and print what survives."""
    parser = argparse.ArgumentParser(description="mutation testing")
    parser.add_argument("area", choices=TESTS)
    parser.add_argument("--sample", type=int, help="so many of the area, drawn with a fixed seed")
    parser.add_argument("--functions", default="", help="a pattern: only in these")
    parser.add_argument(
        "--budget", type=float, default=math.inf, help="seconds of tests for a mutant, if it lives"
    )
    parser.add_argument("--list", action="store_true", help="print the mutants, try none")
    parser.add_argument("--record", type=Path, help="JSON lines, one a verdict, to go on from")
    asked, others = parser.parse_known_args()
    targets, tests = TESTS[asked.area]
    made = drawn(targets, asked.functions, asked.sample)
    if asked.list:
        for each in made:
            print(each)
        return
    import pytest

    record = asked.record and asked.record.absolute()
    os.chdir(ROOT)
    sys.path[0] = str(ROOT)
    options = ["-q", "-m", "not slow", "--tb=no", "-p", "no:cacheprovider", "-p", "no:xdist"]
    paths = [f"tests/{name}" for name in tests]
    code = pytest.main([*options, *others, *paths], [Trial(made, record, asked.budget)])
    sys.exit(int(code))


def drawn(targets: list[str], within: str, sample: int | None) -> list[Mutant]:
    """The mutants of the files, or so many of them by a fixed seed, in the order of their lines."""
    made: list[Mutant] = []
    for target in targets:
        found, without = mutants(target)
        print(f"{target}: {len(found)} mutants; functions without: {', '.join(without) or 'none'}")
        made += [each for each in found if re.search(within, each.function)]
    if sample is None or sample >= len(made):
        return made
    chosen = sorted(random.Random(0).sample(range(len(made)), sample))
    return [made[index] for index in chosen]


if __name__ == "__main__":
    main()
