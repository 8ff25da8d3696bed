"""The notebooks as pages: copies of `notebooks/`, executed, under docs/notebooks (ignored by git).

A link from a notebook into docs/ or the source is made relative to its new place.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ROOT / "notebooks"
PAGES = ROOT / "docs" / "notebooks"
HEAD = "```{toctree}\n:hidden:\n\n%s\n```\n\n"


def moved(text: str) -> str:
    """Links of a file in notebooks/, as they are from docs/notebooks/."""
    text = re.sub(r"\]\(\.\./(?!docs/)", "](../../", text)
    text = text.replace("](../docs/", "](../")
    return re.sub(r"\]\((build\.py|sources/|solutions/)", r"](../../notebooks/\1", text)


def copy(app: Sphinx, config: Config) -> None:
    """Bring docs/notebooks up to date; files that are right already keep their dates."""
    PAGES.mkdir(exist_ok=True)
    wanted = {path.name: moved(path.read_text(encoding="utf-8")) for path in _sources()}
    names = [Path(name).stem for name in wanted if name != "README.md"]
    title, rest = wanted.pop("README.md").split("\n", 1)
    wanted["index.md"] = f"{title}\n\n{HEAD % chr(10).join(names)}{rest}"
    for path in PAGES.iterdir():
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        if not (PAGES / name).exists() or (PAGES / name).read_text(encoding="utf-8") != text:
            (PAGES / name).write_text(text, encoding="utf-8")


def _sources() -> list[Path]:
    found = sorted([*NOTEBOOKS.glob("*.ipynb"), *NOTEBOOKS.glob("*.md")])
    for path in found:
        if path.suffix == ".ipynb":
            json.loads(path.read_text(encoding="utf-8"))  # whole, or an error here
    return found


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("config-inited", copy)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
