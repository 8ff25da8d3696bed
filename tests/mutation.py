"""How strong the tests are: small changes of the source, one at a time, and whether a test notices.

    python tests/mutation.py operators               # all mutants of maxent/tabular/operators.py
    python tests/mutation.py solvers --sample 60     # 60 of each file, drawn with a fixed seed
    python tests/mutation.py operators --list        # what would be tried
    python tests/mutation.py operators --record FILE # each verdict a line; what FILE has is not
                                                     # tried again

A mutant is one change in one function: an arithmetic operator, a comparison, a sign, a constant, a
condition, `max` for `min`, the two branches of `where`, or None for what is returned.  Strings,
messages of errors, annotations and docstrings stay.  Each mutant runs in a process of its own, on a
copy of the package, with the tests that `TESTS` names for the area, and is *killed* if one fails,
raises or takes too long.  What survives is printed: a missing test, or a change that makes no
difference.  The score is information; no test depends on it.

Made for this package because the ready-made mutmut leaves out every function that has a decorator
without a word, and much of what is imported through a hook, which is how the tests check shapes
here.  Functions without any mutant are named.  Needs a system that forks.
"""

from __future__ import annotations

import argparse
import ast
import copy
import hashlib
import json
import math
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

ROOT = Path(__file__).parents[1]
SOLVERS = "maxent/tabular/solvers"
TRADEOFF = "maxent/tabular/tradeoff"
CURVES = "maxent/plots/curves"
TESTS = {
    "operators": (["maxent/tabular/operators.py"], ["tabular/test_operators.py"]),
    "bounds": (
        ["maxent/tabular/bounds.py"],
        ["tabular/test_bounds.py", "tabular/test_certified_edges.py", "tabular/test_solvers.py"],
    ),
    "solvers": (
        [f"{SOLVERS}/{name}.py" for name in ("loop", "steps", "chosen", "automatic", "certified")],
        [f"tabular/test_{name}.py" for name in ("certified_edges", "hard_maximum", "solvers")],
    ),
    "exits": ([f"{SOLVERS}/exits.py"], ["tabular/test_certified_edges.py"]),
    "finite_horizon": (
        ["maxent/tabular/finite_horizon.py"],
        ["tabular/test_finite_horizon.py", "tabular/test_certified_edges.py"],
    ),
    "tradeoff": (
        [f"{TRADEOFF}/{name}.py" for name in ("curve", "front", "dual", "earned", "reaching")],
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
    "proof_checker": (["maxent/proofs/checker.py"], ["proofs/test_certificate.py"]),
}
"""Area -> its files, and the tests that they are held against, the quickest first."""
PATIENCE = 3.0
"""How many times the seconds of the processor that the tests take without a change a mutant has,
and ten more."""
LONGEST = 1200.0
"""Seconds by the clock, which other programs share, for a mutant that waits without computing."""

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
    """One change: where, the source of the whole module with it, and the change in words."""

    function: str
    line: int
    source: str
    words: str


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


def mutants(source: str) -> tuple[list[Mutant], list[str]]:
    """All mutants of a module, and the functions without any."""
    tree = ast.parse(source)
    found: list[Mutant] = []
    without, seen = [], {ast.unparse(tree)}
    for name, function in functions(tree):
        before = len(found)
        for parent, field, index, node in _places(function):
            for other in changes(node):
                made = _planted(tree, name, (parent, field, index), node, other)
                if made.source not in seen:
                    found.append(made)
                    seen.add(made.source)
        if len(found) == before:
            without.append(name)
    return found, without


def _places(node: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    """Parent, field, index and node of what may be changed in a function, nothing nested in it."""
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list", "type_params"):
            continue
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            message = isinstance(child, (ast.Raise, ast.Assert, ast.JoinedStr))
            if not isinstance(child, ast.AST) or message:
                continue
            if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
                continue  # has its own turn
            yield node, field, index, child
            yield from _places(child)


def _planted(
    tree: ast.Module,
    function: str,
    place: tuple[ast.AST, str, int | None],
    node: ast.AST,
    other: ast.AST,
) -> Mutant:
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
    where = cast(ast.expr, node)  # whatever is changed has a place in the source
    words = f"column {where.col_offset}, {before}  ->  {after}"
    return Mutant(function, where.lineno, source, words)


class Copy:
    """A copy of the package and its tests, in which one file at a time is changed.

    seconds : of the processor that a mutant may take.
    """

    def __init__(self, folder: Path, tests: list[str]) -> None:
        self.folder, self.tests, self.seconds = folder, tests, math.inf
        for name in ("maxent", "tests", "docs"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        shutil.copy(ROOT / "pyproject.toml", folder)

    def survives(self, target: str, source: str, *, keep: bool = False) -> bool:
        """Whether the tests pass with this source in that file, in a process of its own.

        keep : the compiled modules, which makes later processes start sooner.
        """
        original = (self.folder / target).read_text()
        (self.folder / target).write_text(source)
        try:
            return self._passes(keep)
        finally:
            (self.folder / target).write_text(original)

    def _passes(self, keep: bool) -> bool:
        child = os.fork()
        if child == 0:
            os._exit(self._test(keep))
        ends = time.monotonic() + LONGEST
        while time.monotonic() < ends:
            done, status, used = os.wait4(child, os.WNOHANG)
            if done:
                if keep:
                    self.seconds = PATIENCE * (used.ru_utime + used.ru_stime) + 10.0
                return os.waitstatus_to_exitcode(status) == 0
            time.sleep(0.02)
        os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return False

    def _test(self, keep: bool) -> int:
        os.setsid()
        os.chdir(self.folder)
        sys.path[0] = str(self.folder)
        sys.dont_write_bytecode = not keep  # else mutants of one size and second would be one
        if self.seconds < math.inf:
            resource.setrlimit(resource.RLIMIT_CPU, (int(self.seconds), int(self.seconds) + 5))
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        import pytest

        paths = [f"tests/{name}" for name in self.tests]
        options = ["-x", "-q", "-m", "not slow", "-p", "no:cacheprovider", "-p", "no:xdist"]
        return 0 if pytest.main([*options, *paths]) == 0 else 1

    def require_sound(self, target: str) -> None:
        """The tests pass as things are, and fail where the file cannot be imported."""
        if not self.survives(target, (ROOT / target).read_text(), keep=True):
            sys.exit("the tests fail, or take too long, without any change")
        for compiled in (self.folder / target).parent.glob(f"__pycache__/{Path(target).stem}.*"):
            compiled.unlink()
        if self.survives(target, "raise RuntimeError"):
            sys.exit(f"the tests do not import the copy of {target}")


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
    parser.add_argument("--sample", type=int, help="so many of each file, drawn with a fixed seed")
    parser.add_argument("--list", action="store_true", help="print the mutants, try none")
    parser.add_argument("--record", type=Path, help="JSON lines, one a verdict, to go on from")
    asked = parser.parse_args()
    targets, tests = TESTS[asked.area]
    if asked.list:
        for target in targets:
            for each in drawn(target, asked.sample):
                print(f"{target}:{each.line} {each.function}: {each.words}")
        return
    import numpy  # noqa: F401  what every child would import again
    import scipy.sparse.linalg  # noqa: F401

    known = verdicts(asked.record)
    with tempfile.TemporaryDirectory() as folder:
        copied = Copy(Path(folder), tests)
        for target in targets:
            try_out(copied, target, drawn(target, asked.sample), known, asked.record)


def drawn(target: str, sample: int | None) -> list[Mutant]:
    """The mutants of a file, or so many of them by a fixed seed, in the order of their lines."""
    made, without = mutants((ROOT / target).read_text())
    print(f"{target}: {len(made)} mutants; functions without: {', '.join(without) or 'none'}")
    if sample is None or sample >= len(made):
        return made
    return sorted(random.Random(0).sample(made, sample), key=lambda each: each.line)


def try_out(
    copied: Copy, target: str, made: list[Mutant], known: dict[str, bool], record: Path | None
) -> None:
    """Try each mutant of a file that is not known, and print what survives."""
    marks = [hashlib.sha256(f"{target}\n{each.source}".encode()).hexdigest() for each in made]
    if not set(marks) <= set(known):
        copied.require_sound(target)
    left = 0
    for number, (mutant, mark) in enumerate(zip(made, marks), start=1):
        what = f"{target}:{mutant.line} {mutant.function}: {mutant.words}"
        if mark not in known:
            known[mark] = copied.survives(target, mutant.source)
            if record is not None:
                row = {"mark": mark, "survives": known[mark], "mutant": what}
                with record.open("a") as stream:
                    stream.write(json.dumps(row) + "\n")
        if known[mark]:
            left += 1
            print(f"survives: {what}", flush=True)
        if number % 25 == 0:
            print(f"... {number} of {len(made)}, {left} survive", flush=True)
    killed = len(made) - left
    print(f"{target}: {killed} of {len(made)} mutants killed ({100 * killed / len(made):.0f} %)")


if __name__ == "__main__":
    main()
