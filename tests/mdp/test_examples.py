"""The examples in the docstrings of models, gridworlds, environments and continuous problems."""

import doctest
import sys

import maxent

NAMES = (
    "MDP", "Grid", "garnet", "gridworld", "maze", "read_map", "from_gymnasium", "MDPEnv",
    "LinearQuadratic", "solve_lqr",
)  # fmt: skip


def test_the_examples_give_what_they_show():
    for name in NAMES:
        value = getattr(maxent, name)
        module = sys.modules[value.__module__]
        found = doctest.DocTestFinder(recurse=False).find(value, name, module, globs={})
        assert sum(len(each.examples) for each in found), f"{name} has no example"
        for each in found:
            heard: list[str] = []
            result = doctest.DocTestRunner().run(each, out=heard.append)
            assert result.failed == 0, "".join(heard)
