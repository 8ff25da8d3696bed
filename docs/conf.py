"""The site: `make docs` builds it from these pages into build/docs, warnings being errors.

Nothing in a built page is fetched from anywhere: formulas are typeset by the copy of MathJax that
is put beside them.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from importlib.metadata import distribution
from pathlib import Path

import maxent

sys.path.insert(0, str(Path(__file__).parent / "site"))

from public_names import linkcode_resolve  # noqa: F401  Sphinx calls it

project = "maxent"
author = "The maxent developers"
copyright = "The maxent developers, MIT license"
version = release = maxent.__version__
language = "en"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.linkcode",
    "sphinx.ext.mathjax",
    "accessible",
    "docstrings",
    "notebooks",
    "public_names",
    "source_pages",
]
exclude_patterns = ["_build", "site"]
templates_path = ["site/templates"]

# Markdown
myst_enable_extensions = ["dollarmath", "amsmath", "deflist", "attrs_inline", "colon_fence"]
myst_heading_anchors = 4
nb_execution_mode = "cache"
nb_execution_cache_path = str(Path(__file__).parents[1] / "build" / "notebooks")
nb_execution_timeout = 600  # seconds a cell: machines that do other things too
nb_execution_raise_on_error = True
nb_merge_streams = True

# Python
default_role = "py:obj"
add_module_names = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80

# Pages
html_theme = "furo"
html_title = f"maxent {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_show_search_summary = False  # it fetches pages, which a browser refuses for files
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"

# Formulas: MathJax 3.2.2, `es5/tex-svg.js`, from the package sphinx-mathjax-offline.
MATHJAX = "tex-svg.js"
MATHJAX_SHA256 = "d4295dc33744836935c1399feece5159577b34c5c8ffb9f1c6324cd82e03a882"
mathjax_path = f"mathjax/{MATHJAX}"
mathjax3_config = {
    "options": {"enableMenu": False},
    "svg": {"fontCache": "global"},
    "startup": {"typeset": True},
}


def put_mathjax(app: object, *_: object) -> None:
    """Copy MathJax into the built site, if it is the file it ought to be."""
    package = distribution("sphinx-mathjax-offline")
    found = Path(str(package.locate_file(f"sphinx-mathjax-offline/static/mathjax/{MATHJAX}")))
    digest = hashlib.sha256(found.read_bytes()).hexdigest()
    if digest != MATHJAX_SHA256:
        raise RuntimeError(f"{found} is not MathJax 3.2.2: SHA-256 {digest}")
    folder = Path(app.outdir) / "_static" / "mathjax"  # type: ignore[attr-defined]
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(found, folder / MATHJAX)


def put_explorer(app: object, *_: object) -> None:
    """Write the explorer that `explorer.md` shows."""
    target = Path(app.outdir) / "_static" / "explorer.html"  # type: ignore[attr-defined]
    four_rooms = maxent.gridworld("four-rooms", slip=0.1)
    maxent.explore(four_rooms, 0.03, title="Four rooms, slip 0.1").save(target, overwrite=True)


def setup(app: object) -> None:
    app.connect("build-finished", put_mathjax)  # type: ignore[attr-defined]
    app.connect("build-finished", put_explorer)  # type: ignore[attr-defined]
