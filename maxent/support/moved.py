"""Where modules went that had another name in version 0.1: one table, kept until 0.3.0.

`import maxent.simulation` still works, with a DeprecationWarning that names the new place.  Only
paths that the documentation taught are listed.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

MOVED = {
    "maxent.frames": "maxent.support.frames",
    "maxent.files": "maxent.support.files",
    "maxent.grid": "maxent.mdp.grid",
    "maxent.maps": "maxent.gridworlds.maps",
    "maxent.memory": "maxent.support.memory",
    "maxent.proof_checker": "maxent.proofs.checker",
    "maxent.random_mdps": "maxent.mdp.random_mdps",
    "maxent.registration": "maxent.environments.registration",
    "maxent.rendering": "maxent.environments.rendering",
    "maxent.simulation": "maxent.tabular.sampled.simulation",
    "maxent.transitions": "maxent.mdp.transitions",
    "maxent.validation": "maxent.mdp.validation",
    "maxent.neural.agent": "maxent.neural.training.agent",
    "maxent.neural.learner": "maxent.neural.training.learner",
    "maxent.neural.networks": "maxent.neural.parts.networks",
    "maxent.neural.policies": "maxent.neural.parts.policies",
    "maxent.neural.proposals": "maxent.neural.parts.proposals",
    "maxent.neural.sac": "maxent.neural.algorithms.sac",
    "maxent.neural.sac_discrete": "maxent.neural.algorithms.sac_discrete",
    "maxent.neural.sac_v1": "maxent.neural.algorithms.sac_v1",
    "maxent.neural.settings": "maxent.neural.algorithms.settings",
    "maxent.neural.soft_q_discrete": "maxent.neural.algorithms.sql_discrete",
    "maxent.neural.soft_q_learning": "maxent.neural.algorithms.sql",
    "maxent.neural.spaces": "maxent.neural.parts.spaces",
    "maxent.neural.statistics": "maxent.statistics",
    "maxent.neural.stein": "maxent.neural.parts.stein",
    "maxent.neural.diagnostics.corridor": "maxent.continuous.corridor",
    "maxent.plots.composition": "maxent.plots.maps.composition",
    "maxent.plots.error_budget": "maxent.plots.curves.error_budget",
    "maxent.plots.grids": "maxent.plots.maps.grids",
    "maxent.tabular.convergence": "maxent.tabular.solvers.convergence",
    "maxent.tabular.estimators": "maxent.tabular.sampled.estimators",
    "maxent.tabular.kernels": "maxent.tabular.solvers.kernels",
    "maxent.tabular.loop": "maxent.tabular.solvers.loop",
    "maxent.theorems.balls": "maxent.proofs.balls",
    "maxent.theorems.certificate": "maxent.proofs.certificate",
    "maxent.theorems.enclosure": "maxent.proofs.enclosure",
}
"""Old name of a module: its new one."""
LEFT = {"maxent.neural.diagnostics.error_budget": "benchmarks/learning/rungs.py"}
"""Old name of a module that left the package: the file that it is in the repository."""


class _OldNames:
    """Finds modules by their old names: what is imported is the module at the new one."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname in MOVED | LEFT else None  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> None:
        """The usual kind of module, which `exec_module` replaces."""

    def exec_module(self, module: ModuleType) -> None:
        old = module.__name__
        if old in LEFT:
            raise ModuleNotFoundError(f"{old} is {LEFT[old]} in maxent's repository now", name=old)
        new = MOVED[old]
        _warn_importer(f"{old} is {new} now; the old name goes with version 0.3.0")
        sys.modules[old] = importlib.import_module(new)
        package, _, name = old.rpartition(".")
        if name in vars(sys.modules[package]):
            sys.modules[package].__class__ = _KeepsItsNames


class _KeepsItsNames(ModuleType):
    """A package with a function that has an old module's name: importing that keeps the function.

    Python sets an imported module as an attribute of its package, `plots.composition` too.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (f"{self.__name__}.{name}" in MOVED and name in vars(self)):
            super().__setattr__(name, value)


def _warn_importer(message: str) -> None:
    """A DeprecationWarning at the line that imports, however it does: the frames of Python's own
    import system are passed over."""
    frame = sys._getframe(2)
    while frame.f_globals["__name__"].partition(".")[0] == "importlib" and frame.f_back:
        frame = frame.f_back
    warnings.warn_explicit(
        message,
        DeprecationWarning,
        frame.f_code.co_filename,
        frame.f_lineno,
        module=frame.f_globals["__name__"],
        registry=frame.f_globals.setdefault("__warningregistry__", {}),
    )


def install() -> None:
    """Let `import` find the old names, after everything that is really there."""
    if not any(isinstance(finder, _OldNames) for finder in sys.meta_path):
        sys.meta_path.append(_OldNames())
