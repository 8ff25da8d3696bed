"""The directive `public`: the documentation of the public names that come from some modules.

    .. public:: maxent.tabular.solvers maxent.solution

Which names there are, and from which module each comes, is read from `maxent/__init__.pyi`.  The
build warns of a public name that no page shows.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from docstrings import blocks, converted
from docutils import nodes
from docutils.statemachine import StringList
from source_pages import ROOT, page_of, shown_besides
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.pycode import ModuleAnalyzer
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

import maxent

MODULE_OF: dict[str, str] = maxent._MODULE_OF
logger = logging.getLogger(__name__)


class Public(SphinxDirective):
    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        modules = self.arguments[0].split()
        names = [name for name in MODULE_OF if any(_within(name, module) for module in modules)]
        if not names:
            logger.warning(
                "no public name is from %s", self.arguments[0], location=self.get_location()
            )
        shown(self.env).setdefault(self.env.docname, set()).update(names)
        lines = [line for name in names for line in documented(name)]
        return self.parse_text_to_nodes(StringList(lines, self.get_source_info()[0]))


def _within(name: str, module: str) -> bool:
    home = MODULE_OF[name]
    home = f"maxent.{name}" if home == "maxent" else home  # a room that is a public name itself
    return home == module or home.startswith(f"{module}.")


def documented(name: str) -> Iterator[str]:
    """The lines that document `maxent.<name>`."""
    value = getattr(maxent, name)
    if isinstance(value, ModuleType):
        for each in getattr(value, "__all__", None) or _defined(value):
            if str(getattr(getattr(value, each), "__module__", "")).startswith("maxent."):
                yield from _lines(f"maxent.{name}.{each}", getattr(value, each))
    else:
        yield from _lines(f"maxent.{name}", value)


def _defined(module: ModuleType) -> list[str]:
    return [
        name
        for name, value in vars(module).items()
        if inspect.isclass(value) and value.__module__ == module.__name__
    ]


def _lines(path: str, value: object) -> Iterator[str]:
    if inspect.isclass(value):
        yield from (f".. autoclass:: {path}", "   :members:", *_of_bases(value), "")
    elif callable(value):
        yield from (f".. autofunction:: {path}", "")
    else:
        yield from (f".. py:data:: {path.removeprefix('maxent.')}", "")
        yield from (f"   {line}" for line in _said_of(path.rpartition(".")[2]))
        yield ""


def _of_bases(value: type) -> list[str]:
    """The members of a class's bases too, where all of these are ours."""
    bases = value.__mro__[1:-1]
    ours = bases and all(each.__module__.startswith("maxent.") for each in bases)
    return ["   :inherited-members:"] if ours else []


def _said_of(name: str) -> list[str]:
    """The docstring under the line that gives a public value."""
    for module in [MODULE_OF[name], *sorted(sys.modules)]:
        if module.startswith(MODULE_OF[name]):
            said = ModuleAnalyzer.for_module(module).find_attr_docs().get(("", name))
            if said:
                return [line for block in blocks(said) for line in ["", *converted(block)]]
    return []


def shown(env: BuildEnvironment) -> dict[str, set[str]]:
    """The public names that each page documents."""
    if not hasattr(env, "public_names"):
        env.public_names = {}  # type: ignore[attr-defined]
    found: dict[str, set[str]] = env.public_names  # type: ignore[attr-defined]
    return found


def complain(app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of public names that no page shows."""
    missing = set(MODULE_OF) - set().union(*shown(env).values())
    if missing:
        logger.warning("no page of docs/reference shows %s", ", ".join(sorted(missing)))


def linkcode_resolve(domain: str, info: dict[str, str]) -> str | None:
    """Where the source of a public name is shown, from a page of docs/reference."""
    value: Any = maxent
    try:
        for part in info["fullname"].split("."):
            value = getattr(value, part)
        value = inspect.unwrap(getattr(value, "fget", value))
        path = Path(inspect.getfile(value)).relative_to(ROOT).as_posix()
        line = inspect.getsourcelines(value)[1]
    except (AttributeError, TypeError, ValueError, OSError):
        return None
    shown_besides.add(path)
    return f"../{page_of(path)}.html#L{line}"


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("public", Public)
    app.connect("env-check-consistency", complain)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
