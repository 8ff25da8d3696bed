"""Settings shared by all tests.

The shapes and types that annotations state are executed: in each test the first calls of every
function of the modules below are checked.  Left out is the front door (`mdp`, `solvers`, `loop`,
`gridworlds`, `environments`, `catalogue`, `cli`), which takes what users give it and answers with
errors of its own, and the theorems, which the checks would make twice as slow:
tests/theorems/test_types.py runs them checked.
Property tests are derandomised, so that a run can be repeated.
"""

from collections.abc import Iterator

import pytest
import typechecker
from hypothesis import HealthCheck, settings

CHECKED = [
    "maxent.mdp.grid",
    "maxent.neural.composition",
    "maxent.neural.losses",
    "maxent.neural.operators",
    "maxent.neural.parts.gaussian",
    "maxent.neural.parts.networks",
    "maxent.neural.parts.policies",
    "maxent.neural.parts.proposals",
    "maxent.neural.parts.stein",
    "maxent.plots",
    "maxent.solution",
    "maxent.statistics",
    "maxent.tabular.bounds",
    "maxent.tabular.operators",
    "maxent.tabular.solvers.convergence",
    "maxent.tabular.solvers.kernels",
    "maxent.tabular.solvers.steps",
]
typechecker.install(CHECKED)

settings.register_profile(
    "maxent",
    derandomize=True,
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("maxent")


@pytest.fixture(autouse=True)
def _types_are_checked_anew() -> None:
    typechecker.calls.clear()


@pytest.fixture(scope="session")
def chromium() -> Iterator[object]:
    """A window of headless Chromium (tests/browser.py)."""
    pytest.importorskip("selenium")
    import browser

    if browser.MISSING:
        pytest.skip(browser.MISSING)
    with browser.opened() as window:
        yield window
