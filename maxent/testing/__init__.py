"""For testing code that is not ours: what a foreign soft solver or an environment gets wrong, and
random MDPs.

`check_solver`   tries a solver on small MDPs and names its mistakes, with the smallest witness
`check_environment`   says what an environment does wrong, before a training finds out
`mdps`, `policies`, `temperatures`   Hypothesis strategies (Hypothesis is needed for these alone)
"""

from maxent.testing.cases import as_code, default_mdps
from maxent.testing.environment_check import check_environment
from maxent.testing.report import SolverFault, SolverReport
from maxent.testing.solver_check import check_solver
from maxent.testing.strategies import FEATURES, mdps, policies, temperatures

__all__ = [
    "FEATURES",
    "SolverFault",
    "SolverReport",
    "as_code",
    "check_environment",
    "check_solver",
    "default_mdps",
    "mdps",
    "policies",
    "temperatures",
]
