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
    "jaxdp": [["jaxdp==0.4.0", "jax==0.10.2", *COMMON]],
    "mdpax": [
        ["jax==0.10.2", "chex==0.1.92", "hydra-core==1.3.8", "orbax==0.1.9", "numpyro==0.22.0"],
        ["--no-deps", "mdpax==0.2.2", "jaxtyping==0.3.11", "wadler-lindig", "loguru==0.7.3"],
        COMMON,
    ],
    "msdm": [["torch==2.13.0"], ["--no-deps", "msdm==0.11", "frozendict", "joblib", *COMMON]],
    "imitation": [
        ["torch==2.13.0"],
        ["--no-deps", "imitation==1.0.1", "stable-baselines3==2.9.2", "seals==0.2.1"],
        ["gymnasium==1.4.0", "cloudpickle", "pandas", "tqdm", "rich", *COMMON],
    ],
}
"""What pip installs where, call by call; maxent is this checkout.

Without its dependencies where these would bring CUDA (mdpax) or old versions (imitation)."""


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
