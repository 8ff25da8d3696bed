"""What is made when the package is built.

The description that a package index shows is the README without links into the source tree: an
index shows no file of the project, so a picture gives way to its description, and a link to a page
of the docs to its words.  The wheel holds the course's notebooks, from `notebooks/`.
"""

import re
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface


class DescriptionHook(MetadataHookInterface):
    def update(self, metadata: dict[str, Any]) -> None:
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        text = re.sub(r"!\[([^]]*)\]\((?!https?:)[^)]*\)", r"*[Picture: \1]*", text)
        text = re.sub(r"(?<!!)\[([^]]*)\]\((?!https?:|#)[^)]*\)", r"\1", text)
        metadata["readme"] = {"content-type": "text/markdown", "text": text}


class NotebooksHook(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Put the notebooks into a wheel; an editable installation reads them where they are."""
        if version == "editable":
            return
        folder = Path(self.root) / "notebooks"
        files = [
            *folder.glob("*.ipynb"),
            *folder.glob("solutions/*.ipynb"),
            *folder.glob("glossary.md"),
        ]
        for path in files:
            inside = f"maxent/learn/notebooks/{path.relative_to(folder).as_posix()}"
            build_data["force_include"][str(path)] = inside
