"""`maxent check-agent ADAPTER`: what an agent of any library gets wrong."""

from __future__ import annotations

import importlib
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from maxent.cli.exit_codes import DONE, NOT_PASSED
from maxent.cli.outputs import require_outputs, say_written, write_record
from maxent.errors import ConfigError
from maxent.support.extras import require_neural


def run(asked: Namespace) -> int:
    """Check it, write the file, print the report."""
    from maxent import testing

    outputs = require_outputs("check-agent", asked)
    adapter = _adapter(asked.adapter)
    given = {} if asked.steps is None else {"steps": asked.steps}
    report = testing.check_agent(adapter, cases=asked.case, seed=asked.seed, **given)
    if "out" in outputs:
        write_record("check-agent", asked, outputs["out"], **report.to_dict())
    print(report)
    say_written(outputs)
    return DONE if report.passed else NOT_PASSED


def _adapter(name: str) -> Any:
    """What a MODULE:NAME names, or the adapter of an algorithm of ours."""
    module, colon, attribute = name.partition(":")
    if not colon:
        from maxent import testing

        require_neural()
        return testing.our_agent(name)
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found = importlib.import_module(module)
    except Exception as error:  # whatever a module of somebody else's does
        raise ConfigError(
            f"module {module!r} of ADAPTER cannot be imported: {type(error).__name__}: {error}"
        ) from error
    if not hasattr(found, attribute):
        raise ConfigError(f"module {module!r} has no {attribute!r}; ADAPTER is MODULE:NAME")
    return getattr(found, attribute)
