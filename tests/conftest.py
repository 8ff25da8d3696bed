"""Settings shared by all tests.

The shapes and types that annotations state are executed: every call inside the modules below is
checked.  Left out is the front door (`mdp`, `solvers`, `loop`, `gridworlds`, `environments`,
`catalogue`, `cli`), which takes what users give it and answers with errors of its own.
Property tests are derandomised, so that a run can be repeated.
"""

from hypothesis import HealthCheck, settings
from jaxtyping import install_import_hook

CHECKED = [
    "maxent.grid",
    "maxent.neural.composition",
    "maxent.neural.gaussian",
    "maxent.neural.losses",
    "maxent.neural.networks",
    "maxent.neural.operators",
    "maxent.neural.policies",
    "maxent.neural.proposals",
    "maxent.neural.statistics",
    "maxent.neural.stein",
    "maxent.solution",
    "maxent.tabular.bounds",
    "maxent.tabular.convergence",
    "maxent.tabular.corrections",
    "maxent.tabular.kernels",
    "maxent.tabular.operators",
    "maxent.theorems.bench",
    "maxent.theorems.check",
    "maxent.theorems.inputs",
    "maxent.theorems.reference",
    "maxent.theorems.soft_policy_iteration",
    "maxent.theorems.soft_q_iteration",
    "maxent.plots",
]
install_import_hook(CHECKED, "typechecker.check")

settings.register_profile(
    "maxent",
    derandomize=True,
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("maxent")
