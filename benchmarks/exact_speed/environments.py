"""An environment for each package that is measured, with exact versions."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".venv-peers"

COMMON = ["numpy==2.4.6", "scipy==1.17.1"]
PINS: dict[str, list[list[str]]] = {
    "maxent": [["-e", f"{ROOT}[fast]", "-c", f"{ROOT}/constraints.txt"]],
    "quantecon": [["quantecon==0.11.4", "numba==0.68.1", *COMMON]],
    "mdpsolver": [["mdpsolver==0.10.2", *COMMON]],
    "pymdptoolbox": [["pymdptoolbox==4.0b3", *COMMON]],
    "msdm": [["torch==2.13.0"], ["--no-deps", "msdm==0.11", "frozendict", "joblib", *COMMON]],
}
"""What pip installs where, call by call; maxent is this checkout."""


def version_of(name: str) -> str:
    """The version of a package that is measured."""
    each = next(pin for call in PINS[name] for pin in call if pin.startswith(f"{name}=="))
    return each.split("==")[1]


def python_of(name: str, given: dict[str, str]) -> str:
    """The interpreter of a package's environment, which is made where it does not exist."""
    if name in given:
        return given[name]
    python = HOME / name / "bin" / "python"
    if not python.exists():
        print(f"making the environment of {name} in {python.parent.parent}")
        subprocess.run([sys.executable, "-m", "venv", str(HOME / name)], check=True)
        for call in PINS[name]:
            subprocess.run([str(python), "-m", "pip", "install", "-q", *call], check=True)
    return str(python)
