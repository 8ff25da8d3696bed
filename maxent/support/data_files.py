"""What stands in a TOML file beside the module that uses it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any


def beside(file: str) -> dict[str, Any]:
    """The contents of the TOML file that has the name of the module `file`."""
    return tomllib.loads(Path(file).with_suffix(".toml").read_text(encoding="utf-8"))


def paragraphs(value: Any) -> Any:
    """The same, each text of several lines as one."""
    if isinstance(value, dict):
        return {key: paragraphs(each) for key, each in value.items()}
    if isinstance(value, list):
        return [paragraphs(each) for each in value]
    return " ".join(value.split()) if isinstance(value, str) else value
