"""For testing code that is not ours: what a foreign soft solver, agent or environment gets wrong,
and random MDPs.

`check_solver`   tries a solver on small MDPs and names its mistakes, with the smallest witness
`check_agent`   trains an agent on tiny environments and names its mistakes, each with a number
`our_agent`   an algorithm of ours as `check_agent` takes it
`check_environment`   says what an environment does wrong, before a training finds out
`mdps`, `policies`, `temperatures`   Hypothesis strategies (Hypothesis is needed for these alone)
"""

from maxent.testing.agent_check import check_agent
from maxent.testing.agent_report import AgentFault, AgentReport
from maxent.testing.cases import as_code, default_mdps
from maxent.testing.environment_check import check_environment
from maxent.testing.ours import our_agent
from maxent.testing.report import SolverFault, SolverReport
from maxent.testing.solver_check import check_solver
from maxent.testing.strategies import FEATURES, mdps, policies, temperatures

__all__ = [
    "FEATURES",
    "AgentFault",
    "AgentReport",
    "SolverFault",
    "SolverReport",
    "as_code",
    "check_agent",
    "check_environment",
    "check_solver",
    "default_mdps",
    "mdps",
    "our_agent",
    "policies",
    "temperatures",
]
