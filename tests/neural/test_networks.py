"""Networks beside plain loops, and the optimiser beside PyTorch's."""

import pytest
import torch

from maxent.neural.parts.networks import (
    action_value,
    action_values,
    mlp,
    mlp_parameters,
    state_value,
)
from maxent.neural.parts.optim import adam, average_into, copied, gradient_of, moments

DOUBLE = torch.float64


def random(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(*shape, seed=0, dtype=DOUBLE):
    return torch.randn(shape, generator=random(seed), dtype=dtype)


def parameters_of(sizes, members=None):
    made = mlp_parameters(sizes, generator=random(1), members=members)
    return {name: tensor.to(DOUBLE) for name, tensor in made.items()}


def neuron_by_neuron(parameters, x, index):
    """One row through one copy, with numbers only."""
    for layer in range(len(parameters) // 2):
        weight = parameters[f"weight{layer}"][index].tolist()
        bias = parameters[f"bias{layer}"][index, 0].tolist()
        x = [
            b + sum(value * row[unit] for value, row in zip(x, weight, strict=True))
            for unit, b in enumerate(bias)
        ]
        if layer < len(parameters) // 2 - 1:
            x = [max(value, 0.0) for value in x]
    return x


@pytest.mark.parametrize("hidden", [(), (6,), (6, 5)])
@pytest.mark.parametrize("copies", [1, 2])
def test_copies_are_as_many_networks(hidden, copies):
    parameters, x = parameters_of((4, *hidden, 3), copies), normal(7, 4)
    found = mlp(parameters, x)
    assert found.shape == (copies, 7, 3)
    for index in range(copies):
        for row in range(7):
            expected = neuron_by_neuron(parameters, x[row].tolist(), index)
            assert found[index, row].tolist() == pytest.approx(expected, rel=1e-12)
        alone = {name: tensor[index] for name, tensor in parameters.items()}
        torch.testing.assert_close(mlp(alone, x), found[index], rtol=1e-13, atol=1e-13)


def test_values_of_many_actions_are_those_of_each():
    parameters = parameters_of((5, 6, 1), 2)
    observation, actions = normal(3, 3), normal(3, 4, 2, seed=1)
    found = action_values(parameters, observation, actions)
    assert found.shape == (2, 3, 4)
    for i in range(4):
        torch.testing.assert_close(
            found[:, :, i], action_value(parameters, observation, actions[:, i])
        )
    lone = parameters_of((3, 6, 1))
    expected = mlp(lone, observation)[:, 0]
    torch.testing.assert_close(state_value(lone, observation), expected)


def test_copies_begin_apart_and_within_the_usual_bounds():
    parameters = mlp_parameters((9, 400, 1), generator=random(), members=2)
    for name, bound in (("weight0", 1 / 3), ("bias0", 1 / 3), ("weight1", 0.05)):
        one, two = parameters[name]
        assert not torch.equal(one, two)
        assert 0.9 * bound < one.abs().max() <= bound
        assert abs(one.mean()) < 0.15 * bound


@pytest.mark.parametrize(("dtype", "close"), [(DOUBLE, 1e-13), (torch.float32, 1e-6)])
def test_adam_is_that_of_pytorch(dtype, close):
    """Fifty steps with slopes from 1e-9 to 1e3, one of them seen through a transpose, then none."""
    shapes = {"weight": (3, 4), "bias": (1, 4), "log": ()}
    ours = {name: normal(*shape, dtype=dtype) for name, shape in shapes.items()}
    theirs = {name: tensor.clone().requires_grad_() for name, tensor in ours.items()}
    optimiser = torch.optim.Adam(theirs.values(), lr=3e-3)
    state = moments(ours)
    for step in range(60):
        size = 0.0 if step >= 50 else 10.0 ** (step % 13 - 9)
        gradient = {
            name: size * normal(*shape, seed=step, dtype=dtype) for name, shape in shapes.items()
        }
        gradient["weight"] = size * normal(4, 3, seed=step, dtype=dtype).T
        assert not gradient["weight"].is_contiguous()
        for name, tensor in theirs.items():
            tensor.grad = gradient[name].clone()
        optimiser.step()
        adam(ours, gradient, state, 3e-3)
        for name, tensor in theirs.items():
            torch.testing.assert_close(ours[name], tensor.detach(), rtol=close, atol=close)
    assert state["count"] == 60


def test_adam_goes_on_counting_beyond_what_single_precision_can_count():
    parameters = {"x": torch.zeros(1)}
    state = moments(parameters)
    state["count"] += 2**24
    adam(parameters, {"x": torch.ones(1)}, state, 1e-3)
    assert int(state["count"]) == 2**24 + 1


def test_a_gradient_is_of_these_parameters_alone():
    mine, other = {"x": normal(3)}, normal(3, seed=1).requires_grad_()

    def loss(parameters):
        return (parameters["x"].square() * other).sum(), parameters["x"] + 1.0

    gradient, value, told = gradient_of(loss, mine)
    torch.testing.assert_close(gradient["x"], 2.0 * mine["x"] * other.detach())
    assert value.item() == pytest.approx(float((mine["x"].square() * other).sum().detach()))
    assert not value.requires_grad and not mine["x"].requires_grad
    assert other.grad is None and mine["x"].grad is None
    torch.testing.assert_close(told.detach(), mine["x"] + 1.0)


@pytest.mark.parametrize("rate", [0.005, 0.4, 1.0])
def test_targets_average_into_place(rate):
    target, online = {"x": normal(4), "y": normal(2, 2)}, {"x": normal(4, seed=2)}
    online["y"] = normal(2, 2, seed=3)
    before, places = copied(target), {name: t.data_ptr() for name, t in target.items()}
    average_into(target, online, rate)
    for name in target:
        expected = (1.0 - rate) * before[name] + rate * online[name]
        torch.testing.assert_close(target[name], expected, rtol=1e-14, atol=1e-14)
        assert target[name].data_ptr() == places[name] != online[name].data_ptr()
    if rate == 1.0:
        assert torch.equal(target["x"], online["x"])
