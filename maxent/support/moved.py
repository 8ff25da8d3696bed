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
    "maxent.neural.diagnostics.error_budget": "benchmarks/learning/rungs.py",
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
"""Old name of a module: its new one, or the file that it is now, outside of the package."""


class _Renamed:
    """Finds modules by their old names: what is imported is the module at the new one."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname in MOVED else None  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> None:
        """The usual kind of module, which `exec_module` replaces."""

    def exec_module(self, module: ModuleType) -> None:
        old, new = module.__name__, MOVED[module.__name__]
        if new.endswith(".py"):
            raise ModuleNotFoundError(f"{old} is {new} in maxent's repository now", name=old)
        warnings.warn(
            f"{old} is {new} now; the old name goes with version 0.3.0",
            DeprecationWarning,
            stacklevel=2,
        )
        sys.modules[old] = importlib.import_module(new)


def install() -> None:
    """Let `import` find the old names, after everything that is really there."""
    if not any(isinstance(finder, _Renamed) for finder in sys.meta_path):
        sys.meta_path.append(_Renamed())
