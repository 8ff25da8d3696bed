"""`help(maxent.solve)` is enough: the main names have examples, and the examples run."""

import doctest
import inspect

import pytest

import maxent

MAIN = [
    "MDP",
    "Report",
    "Solution",
    "boltzmann_policy",
    "compare",
    "compose",
    "diagnose",
    "enclose",
    "finite_horizon",
    "from_gymnasium",
    "garnet",
    "gridworld",
    "load_agent",
    "modified_soft_policy_iteration",
    "occupancy",
    "policy_gradient",
    "policy_return",
    "prove",
    "recover_reward",
    "resume",
    "simulate",
    "soft_policy_evaluation",
    "soft_policy_iteration",
    "soft_value",
    "soft_value_iteration",
    "solve",
    "temperature_for_entropy",
    "tradeoff",
    "train",
    "verify",
]


def examples(name):
    """The example in the docstring of a public name; None where there is none."""
    text = inspect.getdoc(getattr(maxent, name)) or ""
    found = doctest.DocTestParser().get_doctest(text, {}, name, None, None)
    return found if found.examples else None


@pytest.mark.parametrize("name", [n for n in maxent.__all__ if n != "__version__" and examples(n)])
def test_an_example_runs(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    said = []
    done = doctest.DocTestRunner(optionflags=flags).run(examples(name), out=said.append)
    assert not done.failed, "".join(said)


def test_the_main_names_have_an_example():
    assert [name for name in MAIN if name not in maxent.__all__ or not examples(name)] == []
