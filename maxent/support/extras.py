"""Optional libraries: one error, with the line that installs them, wherever one is missing."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from maxent.errors import MissingExtraError

LIBRARIES = {
    "torch": ("PyTorch", "torch safetensors"),
    "safetensors": ("safetensors", "safetensors"),
    "flint": ("python-flint", "python-flint"),
    "numba": ("Numba", "numba"),
    "pandas": ("pandas", "pandas"),
    "hypothesis": ("Hypothesis", "hypothesis"),
    "zuko": ("zuko", "zuko"),
    "moviepy": ("MoviePy", "moviepy"),
    "joblib": ("joblib", "joblib"),
    "distributed": ("Dask's distributed", "'dask[distributed]'"),
    "ray": ("Ray", "ray"),
    "ray.util.joblib": ("Ray", "ray"),
    "ipykernel": ("ipykernel", "maxent[notebooks]"),
    "nbclient": ("nbclient", "maxent[notebooks]"),
    "nbformat": ("nbformat", "maxent[notebooks]"),
}
"""The modules that only a part of the package needs: what each is called, and what to install for
it: by the libraries' own names, which is right for a clone as for a package."""


def require_neural() -> None:
    """MissingExtraError unless the libraries that agents are made of are found; imports neither."""
    for module in ("torch", "safetensors"):
        if importlib.util.find_spec(module) is None:
            raise MissingExtraError(_words(module, "agents need", "is not installed"))


def optional_module(module: str, what_for: str) -> Any:
    """A module of `LIBRARIES`; MissingExtraError where it is not installed or cannot be imported.

    what_for : how the message begins, such as "proofs need".
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        absent = isinstance(error, ModuleNotFoundError) and error.name == module
        found = "is not installed" if absent else f"cannot be imported ({error})"
        raise MissingExtraError(_words(module, what_for, found)) from error


def _words(module: str, what_for: str, found: str) -> str:
    name, source = LIBRARIES[module]
    return f"{what_for} {name}, which {found}: pip install {source}"
