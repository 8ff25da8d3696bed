"""The project's docstrings, which are plain text, as reStructuredText for autodoc.

Paragraphs and examples stay as they are.  `name : what it is` and an indented explanation under a
name become definitions; a title underlined with dashes becomes bold; characters that mean something
in reStructuredText are only themselves, except in backticks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sphinx.application import Sphinx

ITEM = re.compile(r"^([\w.*]+(?:, [\w.*]+)*) : (.+)$")
TERM = re.compile(r"^[\w.*]+(?:, [\w.*]+)*$")
CODE = re.compile(r"(``[^`]+``|`[^`]+`)")


def escaped(text: str) -> str:
    """Text in which only what stands in backticks means anything."""
    parts = CODE.split(text)
    parts[::2] = [re.sub(r"([*_|\\])", r"\\\1", part) for part in parts[::2]]
    parts[1::2] = [_code(part) for part in parts[1::2]]
    return "".join(parts)


def _code(part: str) -> str:
    name = part.strip("`")
    if re.fullmatch(r"[A-Za-z_]\w*(\.\w+)*", name) and not part.startswith("``"):
        return f":py:obj:`{name}`"
    return f"``{name}``"


def blocks(lines: list[str]) -> Iterator[list[str]]:
    """The runs of lines between empty ones."""
    block: list[str] = []
    for line in [*lines, ""]:
        if line.strip():
            block.append(line)
        elif block:
            yield block
            block = []


def converted(block: list[str]) -> list[str]:
    """A run of lines as reStructuredText."""
    first = block[0]
    if first.startswith((">>>", "===")):
        return block
    if len(block) > 1 and re.fullmatch(r"-{3,}", block[1]):
        return [f"**{first}**", "", *(converted(block[2:]) if block[2:] else [])]
    if first.startswith(" "):
        return ["::", "", *block]
    return list(_lines(block))


def _lines(block: list[str]) -> Iterator[str]:
    """Definitions, each a term and what is indented under it, and text between them."""
    inside = False  # a definition
    for line, following in zip(block, [*block[1:], ""]):
        item = ITEM.match(line)
        if item or (TERM.match(line) and following.startswith("    ")):
            yield from ("", f"``{item[1] if item else line}``")
            if item:
                yield f"    {escaped(item[2])}"
            inside = True
        elif line.startswith("    ") and inside:
            yield "    " + escaped(line.strip())
        else:
            if inside:
                yield ""
            yield escaped(line.strip())
            inside = False


def process(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """Called by autodoc with the lines of each docstring."""
    found = [converted(block) for block in blocks(lines)]
    lines[:] = [line for block in found for line in [*block, ""]]


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("autodoc-process-docstring", process)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
