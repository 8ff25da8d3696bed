"""Maximum-entropy reinforcement learning: exact first, then lifted to networks.

Names are resolved when first used, so `import maxent` costs little more than NumPy.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

from maxent.support import moved

__version__ = "0.1.0"

_HOME = {
    "MDP": "maxent.mdp",
    "Grid": "maxent.mdp.grid",
    "Solution": "maxent.solution",
    "Iteration": "maxent.solution",
    "gridworld": "maxent.gridworlds",
    "maze": "maxent.gridworlds",
    "read_map": "maxent.gridworlds",
    "MAPS": "maxent.gridworlds",
    "garnet": "maxent.mdp.random_mdps",
    "from_gymnasium": "maxent.environments",
    "MDPEnv": "maxent.environments",
    "solve": "maxent.tabular.solvers",
    "soft_value_iteration": "maxent.tabular.solvers",
    "soft_policy_evaluation": "maxent.tabular.solvers",
    "soft_policy_iteration": "maxent.tabular.solvers",
    "modified_soft_policy_iteration": "maxent.tabular.solvers",
    "finite_horizon": "maxent.tabular.finite_horizon",
    "FiniteHorizonSolution": "maxent.tabular.finite_horizon",
    "finite_horizon_evaluation": "maxent.tabular.finite_horizon",
    "natural_policy_gradient": "maxent.tabular.policy_gradient",
    "policy_gradient": "maxent.tabular.policy_gradient",
    "policy_gradient_ascent": "maxent.tabular.policy_gradient",
    "EpsilonFloor": "maxent.tabular.restricted",
    "EntropyFloor": "maxent.tabular.restricted",
    "Choices": "maxent.tabular.restricted",
    "tradeoff": "maxent.tabular.tradeoff",
    "Tradeoff": "maxent.tabular.tradeoff",
    "temperature_for_entropy": "maxent.tabular.tradeoff",
    "recover_reward": "maxent.tabular.inverse",
    "compose": "maxent.tabular.composition",
    "Composition": "maxent.tabular.composition",
    "LinearQuadratic": "maxent.continuous.lqr",
    "solve_lqr": "maxent.continuous.lqr",
    "compose_agents": "maxent.neural.composition",
    "diagnose": "maxent.neural.diagnostics",
    "simulate": "maxent.tabular.sampled.simulation",
    "mellowmax": "maxent.tabular.operators",
    "occupancy": "maxent.tabular.occupancy",
    "policy_return": "maxent.tabular.occupancy",
    "discounted_entropy": "maxent.tabular.occupancy",
    "soft_value": "maxent.tabular.operators",
    "boltzmann_policy": "maxent.tabular.operators",
    "policy_value": "maxent.tabular.operators",
    "entropy": "maxent.tabular.operators",
    "kl_divergence": "maxent.tabular.operators",
    "backup": "maxent.tabular.operators",
    "soft_bellman": "maxent.tabular.operators",
    "soft_policy_bellman": "maxent.tabular.operators",
    "soft_policy_improvement": "maxent.tabular.operators",
    "train": "maxent.neural.training",
    "resume": "maxent.neural.training",
    "load_agent": "maxent.neural.training",
    "Agent": "maxent.neural.training.agent",
    "verify": "maxent.theorems.catalogue",
    "enclose": "maxent.proofs.enclosure",
    "Enclosure": "maxent.proofs.enclosure",
    "prove": "maxent.proofs.prove",
    "verify_rigorously": "maxent.proofs.prove",
    "write_certificate": "maxent.proofs.certificate",
    "check_certificate": "maxent.proofs.checker",
    "CertificateCheck": "maxent.proofs.checker",
    "Check": "maxent.theorems.check",
    "Report": "maxent.theorems.check",
    "CheckFailedError": "maxent.theorems.check",
    "MaxEntError": "maxent.errors",
    "ModelError": "maxent.errors",
    "ConfigError": "maxent.errors",
    "ToleranceError": "maxent.errors",
    "MapError": "maxent.errors",
    "MemoryBudgetError": "maxent.errors",
    "OutputExistsError": "maxent.errors",
    "CheckpointWriteError": "maxent.errors",
    "CorruptCheckpointError": "maxent.errors",
    "TrainingDivergedError": "maxent.errors",
    "ResumeMismatchError": "maxent.errors",
    "RunLockedError": "maxent.errors",
    "MaxEntWarning": "maxent.errors",
}

__all__ = sorted([*_HOME, "__version__"])


def _register_environments() -> None:
    """Make `gymnasium.make("maxent/MDP-v0", mdp=mdp)` work wherever Gymnasium is in use already."""
    if "gymnasium" in sys.modules:
        importlib.import_module("maxent.environments.registration")


def __getattr__(name: str) -> Any:
    _register_environments()
    if name == "testing":  # a module, for `maxent.testing.check_solver`
        return importlib.import_module("maxent.testing")
    if name not in _HOME:
        raise AttributeError(f"module 'maxent' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__


_register_environments()
moved.install()
