"""The exact half given tensors: the answer for arrays, or an error that says what to give."""

import inspect

import numpy as np
import pytest
import torch

import maxent

OPERATORS = [
    *("soft_value", "boltzmann_policy", "policy_value", "entropy", "kl_divergence", "mellowmax"),
    *("backup", "soft_bellman", "soft_policy_bellman", "soft_policy_improvement"),
]
UNREADABLE = {
    "gradient": lambda t: t.clone().requires_grad_(),
    "bfloat16": torch.Tensor.bfloat16,
    "sparse": torch.Tensor.to_sparse,
    "meta": lambda t: t.to("meta"),
    "complex": lambda t: torch.complex(t, t),
    "conjugate": lambda t: torch.complex(t, t).conj(),
}
READABLE = {
    "float64": torch.Tensor.double,
    "float16": torch.Tensor.half,
    "list": torch.Tensor.tolist,
}


def arguments(operator, kind):
    """Arguments of an operator, its arrays made by `kind` of a tensor; numbers that float16 has."""
    mdp = maxent.gridworld("two-goals", discount=0.5)
    given = {}
    for name in inspect.signature(operator).parameters:
        if name == "mdp":
            given[name] = mdp
        elif name == "temperature":
            given[name] = 0.5
        elif name != "tie_tolerance":
            shape = (mdp.n_states,) if name == "v" else (mdp.n_states, mdp.n_actions)
            given[name] = kind(torch.full(shape, -0.5 if "log" in name else 2.0))
    return given


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_read_tensors_and_lists(name):
    operator = getattr(maxent, name)
    expected = operator(**arguments(operator, lambda t: t.double().numpy()))
    for kind in READABLE.values():
        found = operator(**arguments(operator, kind))
        assert isinstance(found, np.ndarray)
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(operator(*arguments(operator, kind).values()), expected)


@pytest.mark.parametrize("kind", UNREADABLE)
@pytest.mark.parametrize("name", OPERATORS)
def test_operators_refuse_other_tensors(name, kind):
    operator = getattr(maxent, name)
    for given in ("keywords", "positions"):
        values = arguments(operator, UNREADABLE[kind])
        with pytest.raises(maxent.ModelError, match=r"detach|give real numbers"):
            operator(**values) if given == "keywords" else operator(*values.values())


@pytest.mark.parametrize("value", [torch.tensor(True), torch.tensor([0.5]), None, "cold"])
def test_a_temperature_that_is_no_number(value):
    with pytest.raises(maxent.ConfigError, match=r"temperature = .* give a number"):
        maxent.soft_value(np.zeros((1, 2)), value)


@pytest.mark.parametrize("kind", UNREADABLE)
def test_models_and_evaluations_refuse_other_tensors(kind):
    made = UNREADABLE[kind]
    uniform = torch.full((1, 1), 1.0)
    with pytest.raises(maxent.ModelError):
        maxent.MDP(made(torch.ones(1, 1, 1)), np.zeros((1, 1)), discount=0.5)
    mdp = maxent.MDP(np.ones((1, 1, 1)), np.zeros((1, 1)), discount=0.5)
    with pytest.raises(maxent.ModelError):
        maxent.soft_policy_evaluation(mdp, made(uniform), 0.1)
    with pytest.raises(maxent.MaxEntError):
        maxent.solve(mdp, made(uniform))
