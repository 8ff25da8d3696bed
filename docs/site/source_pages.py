"""Links to files of the project become links to pages that show them, line by line.

A Markdown page links `../maxent/tabular/operators.py`, which works on a code host; in the built
site the link leads to `source/maxent/tabular/operators.html`, made here.  A link to a Markdown file
outside docs/ leads to the page that includes it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.highlighting import PygmentsBridge

ROOT = Path(__file__).parents[2]
LANGUAGES = {".py": "python", ".pyi": "python", ".toml": "toml", ".css": "css", ".sh": "bash"}
PAGES = {
    "README.md": "index",
    "CONTRIBUTING.md": "contributing",
    "CHANGELOG.md": "changes",
    "SECURITY.md": "security",
}
"""Files outside docs/, and the page that shows each."""


shown_besides: set[str] = set()
"""Files that the API reference links."""


def page_of(path: str) -> str:
    """The page of the site that shows a file, given from the project's root."""
    if path.startswith("notebooks/") and path.endswith((".md", ".ipynb")):
        name = path.removeprefix("notebooks/").rpartition(".")[0]
        return "notebooks/index" if name == "README" else f"notebooks/{name}"
    return PAGES.get(path) or f"source/{path.removesuffix(Path(path).suffix)}"


def turn_links(app: Sphinx, doctree: nodes.document) -> None:
    """Downloads of a file of the project into links to the page that shows it."""
    here = app.env.docname
    shown = source_files(app.env).setdefault(here, set())
    for node in list(doctree.findall(addnodes.download_reference)):
        target = Path(app.env.relfn2path(node["reftarget"], here)[1]).resolve()
        if not target.is_relative_to(ROOT):
            continue
        path = target.relative_to(ROOT).as_posix()
        page = page_of(path)
        if page.startswith("source/"):
            if target.suffix not in LANGUAGES:
                continue
            shown.add(path)
        link = nodes.reference("", "", *node.children, internal=True)
        link["refuri"] = app.builder.get_relative_uri(here, page)
        node.replace_self(link)


def source_files(env: BuildEnvironment) -> dict[str, set[str]]:
    """The files that each page links."""
    if not hasattr(env, "source_files"):
        env.source_files = {}  # type: ignore[attr-defined]
    found: dict[str, set[str]] = env.source_files  # type: ignore[attr-defined]
    return found


def pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """A page for each file that is linked."""
    bridge = PygmentsBridge("html", app.config.pygments_style)
    for path in sorted(shown_besides.union(*source_files(app.env).values())):
        text = (ROOT / path).read_text(encoding="utf-8")
        listing = bridge.highlight_block(
            text,
            LANGUAGES[Path(path).suffix],
            linenos="inline",
            lineanchors="L",
            anchorlinenos=True,
        )
        body = f"<h1>{path}</h1>\n{listing.replace('L-', 'L')}"
        yield page_of(path), {"title": posixpath.basename(path), "body": body}, "page.html"


ELSEWHERE = re.compile(
    r"\]\((?:\.\./)+(notebooks/[\w-]+|CONTRIBUTING|CHANGELOG|SECURITY)\.(md|ipynb)"
)


def point_to_pages(app: Sphinx, docname: str, content: list[str]) -> None:
    """Links of a page to Markdown and notebooks outside docs/: to the pages made of them."""
    up = "../" * docname.count("/")

    def link(found: re.Match[str]) -> str:
        ending = found[2] if found[1].startswith("notebooks/") else "md"
        return f"]({up}{page_of(f'{found[1]}.{found[2]}')}.{ending}"

    if not docname.startswith("notebooks/"):  # where `notebooks` did it
        content[0] = ELSEWHERE.sub(link, content[0])


def point_into_docs(app: Sphinx, path: Path, docname: str, content: list[str]) -> None:
    """Links of a file that a page includes: to the pages of the site, where they are such."""
    for file, page in PAGES.items():
        content[0] = content[0].replace(f"]({file}", f"](docs/{page}.md")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("source-read", point_to_pages)
    app.connect("include-read", point_into_docs)
    app.connect("doctree-read", turn_links, priority=400)  # before downloads are collected
    app.connect("html-collect-pages", pages)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
