"""A figure of something else than what it is of: an error that names it, never a bare one."""

import fresh

PROGRAM = """
import inspect
import numpy as np
import maxent
from maxent import plots

mdp = maxent.garnet(3, 2, discount=0.9)
tried = 0
for name in plots.__all__:
    figure = getattr(plots, name)
    if not inspect.isfunction(figure):
        continue
    needed = [p for p in inspect.signature(figure).parameters.values() if p.default is p.empty]
    placed = sum(p.kind in (p.POSITIONAL_OR_KEYWORD, p.VAR_POSITIONAL) for p in needed)
    named = {p.name: None for p in needed if p.kind is p.KEYWORD_ONLY}
    for wrong in (5, "x", None, mdp, np.zeros(3), {}, []):
        try:
            figure(*[wrong] * placed, **named)
        except maxent.MaxEntError:
            tried += 1
        except Exception as error:
            raise AssertionError(f"{name}({wrong!r}): {error!r}") from error
try:
    plots.hard_and_soft(mdp, 5)
except maxent.ConfigError as error:
    assert "temperatures = 5; give a list" in str(error)
solved = maxent.solve(mdp, 0.5)
for wrong in ({"a": solved}, {"a": {"b": solved}}, {5: {}}):
    for figure in (plots.learning_curves, plots.error_budget):
        try:
            figure(wrong)
        except maxent.ConfigError as error:
            tried += 1
assert tried > 175, tried
"""


def test_wrong_objects(tmp_path):
    """In a process of its own: here the types of every call are checked before the figure is."""
    assert fresh.run(PROGRAM, tmp_path) == ""
