"""maxent's own algorithms, held against `maxent.testing.check_agent` as any others are.

python benchmarks/conformance/run.py maxent_agents:sac
"""

from __future__ import annotations

from functools import partial
from importlib.metadata import version

import maxent
from maxent import testing

VERSIONS = {"maxent": maxent.__version__, **{x: version(x) for x in ("gymnasium", "torch")}}
sac, sac_v1, sql, sac_discrete, sql_discrete = (
    partial(testing.our_agent, name)
    for name in ("sac", "sac_v1", "sql", "sac_discrete", "sql_discrete")
)
