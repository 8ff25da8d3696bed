"""The operators on tensors against the exact half, number by number, and their derivatives."""

import math

import numpy as np
import pytest
import small_mdps
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from mpmath import mp, mpf

import maxent
from maxent.neural import operators as ops
from maxent.neural.parts.replay import Batch
from maxent.tabular import operators as exact

TEMPERATURES = [1e-6, 1e-3, 0.3, 1.0, 7.0, 1e4, 1e9]
FAMILIES = [name for name in small_mdps.FAMILIES if name != "rows off by 1e-9"]

values = hnp.arrays(float, (3, 4), elements=st.floats(-50, 50))
priors = hnp.arrays(float, (3, 4), elements=st.sampled_from([-np.inf, -3.0, -0.5, 0.0])).map(
    lambda log_prior: np.where(np.arange(4) == 2, -0.1, log_prior)  # one action is always there
)
temperatures = st.sampled_from([0.0, *TEMPERATURES])


def tensor(array):
    return None if array is None else torch.tensor(array, dtype=torch.float64)


def same(got, expected, scale=1.0):
    expected = np.asarray(expected)
    assert got.shape == expected.shape and got.dtype == torch.float64
    # the few roundings between two orders of the same sum, and no more
    np.testing.assert_allclose(got.detach().numpy(), expected, rtol=1e-12, atol=1e-13 * scale)


def problem(name, seed=0):
    """An MDP with its log prior, an arbitrary q, and an arbitrary policy on its actions."""
    if name == "garnet":
        mdp = maxent.garnet(7, 3, discount=0.9, seed=seed, branching=3, terminal=2, masked=0.3)
        mdp, prior = mdp.to_dense(), None
    elif name == "rewards on transitions":
        rng = np.random.default_rng(seed)
        transition = rng.dirichlet(np.ones(4), size=(4, 2))
        mdp = maxent.MDP(transition, rng.normal(size=(4, 2, 4)), discount=0.8, terminal=[1])
        prior = None
    else:
        mdp, prior = small_mdps.family(name, 0.95, seed)
        mdp = mdp.to_dense()
    rng = np.random.default_rng(seed + 1)
    log_prior = mdp.log_prior(prior)
    available = np.ones_like(mdp.action_mask) if log_prior is None else log_prior > -np.inf
    policy = rng.dirichlet(np.ones(mdp.n_actions), size=mdp.n_states) * available
    with np.errstate(divide="ignore"):
        log_policy = np.log(policy / policy.sum(axis=1, keepdims=True))
    return mdp, log_prior, 3.0 * rng.normal(size=mdp.reward.shape), log_policy


def every_transition(mdp):
    """The batch of all (s, a, s'), and what averages it over s'."""
    n, m = mdp.reward.shape
    s, a, t = (index.ravel() for index in np.indices((n, m, n)))
    paid = mdp.reward if mdp.transition_reward is None else mdp.transition_reward
    reward = np.broadcast_to(paid if paid.ndim == 3 else paid[:, :, None], (n, m, n))
    states = np.eye(n)
    batch = Batch(
        tensor(states[s]),
        torch.tensor(a),
        tensor(reward.ravel()),
        tensor(states[t]),
        tensor(mdp.discount_on_arrival[t]),
    )

    def average(x):
        return (tensor(mdp.transition).ravel() * x).reshape(n, m, n).sum(dim=-1)

    return batch, torch.tensor(t), average


@given(values, priors, temperatures)
def test_the_same_numbers_give_the_same_answers(q, log_prior, temperature):
    scale = max(1.0, temperature)
    log_policy = exact.boltzmann_policy(q[::-1].copy(), 2.0, log_prior)
    for prior in (None, log_prior):
        expected = exact.soft_value(q, temperature, prior)
        same(ops.soft_value(tensor(q), temperature, tensor(prior)), expected, scale)
        if temperature > 0.0:
            as_tensor = torch.tensor(temperature, dtype=torch.float64)
            same(ops.soft_value(tensor(q), as_tensor, tensor(prior)), expected, scale)
        for twin, own in (
            (ops.boltzmann_policy, exact.boltzmann_policy),
            (ops.soft_policy_improvement, exact.soft_policy_improvement),
            (ops.mellowmax, exact.mellowmax),
        ):
            got = twin(tensor(q), temperature, tensor(prior))
            same(got, own(q, temperature, prior), 50.0)
        expected = exact.policy_value(q, log_policy, temperature, prior)
        got = ops.policy_value(tensor(q), tensor(log_policy), temperature, tensor(prior))
        same(got, expected, scale)
        expected = exact.entropy(log_policy, prior)
        same(ops.entropy(tensor(log_policy), tensor(prior)), expected)
    other = exact.boltzmann_policy(q, 3.0)
    same(
        ops.kl_divergence(tensor(log_policy), tensor(other)), exact.kl_divergence(log_policy, other)
    )


@pytest.mark.parametrize("temperature", [0.0, 0.3, 5.0])
@pytest.mark.parametrize("name", [*FAMILIES, "garnet", "rewards on transitions"])
def test_averaged_over_next_states_a_batch_is_the_mdp(name, temperature):
    mdp, log_prior, q, log_policy = problem(name)
    batch, t, average = every_transition(mdp)
    v = q[:, 0]
    same(average(ops.backup(batch, tensor(v)[t])), exact.backup(mdp, v))
    next_q, next_log_policy = tensor(q)[t], tensor(log_policy)[t]
    next_prior = None if log_prior is None else tensor(log_prior)[t]
    same(
        average(ops.soft_bellman(batch, next_q, temperature, next_prior)),
        exact.soft_bellman(mdp, q, temperature, log_prior),
    )
    same(
        average(ops.soft_policy_bellman(batch, next_q, next_log_policy, temperature, next_prior)),
        exact.soft_policy_bellman(mdp, q, log_policy, temperature, log_prior),
    )


def test_ties_at_temperature_zero_are_shared_within_the_tolerance():
    q = tensor([[1.0, 1.0 + 1e-12, 0.0], [2.0, 2.0, 2.0]])
    log_prior = tensor([[0.0, 0.0, 0.0], [0.0, -np.inf, -5.0]])
    for tolerance in (0.0, 1e-11):
        same(
            ops.boltzmann_policy(q, 0.0, log_prior, tolerance),
            exact.boltzmann_policy(q.numpy(), 0.0, log_prior.numpy(), tolerance),
        )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_cold_and_hot_temperatures_neither_overflow_nor_cancel(dtype):
    q = torch.tensor([[1.0, 3.0, 2.0], [-40.0, -60.0, -20.0]], dtype=dtype)
    eps = torch.finfo(dtype).eps
    cold, hot = 1e-6, 1e9
    assert (ops.soft_value(q, cold) == q.amax(-1)).all()
    torch.testing.assert_close(
        ops.soft_value(q, hot), hot * math.log(3) + q.mean(-1), rtol=2 * eps, atol=0.0
    )
    # without expm1 and log1p the mean is lost: alpha eps is 1e-7, in float32 100
    assert ops.mellowmax(q, hot).sub(q.mean(-1)).abs().max() < 1e-6 + 100 * eps
    assert (ops.mellowmax(q, cold) - q.amax(-1) + cold * math.log(3)).abs().max() <= 40 * eps
    policy = ops.boltzmann_policy(q, hot).exp()
    torch.testing.assert_close(policy, torch.full_like(q, 1 / 3), rtol=1e-6, atol=0.0)
    log_policy = ops.boltzmann_policy(q, cold)
    assert log_policy.isfinite().all() and log_policy[0].exp().tolist() == [0.0, 1.0, 0.0]
    torch.testing.assert_close(
        log_policy[0], torch.tensor([-2e6, 0.0, -1e6], dtype=dtype), rtol=1e-6, atol=0.0
    )


@given(values, st.sampled_from([1e-3, 0.3, 1.0, 1e4, 1e9]))
def test_mellowmax_against_high_precision(q, temperature):
    with mp.workdps(60):
        alpha = mpf(temperature)
        for row, got in zip(q, ops.mellowmax(tensor(q), temperature), strict=True):
            top = mpf(float(row.max()))
            mean = mp.fsum(mp.exp((mpf(float(x)) - top) / alpha) for x in row) / 4
            assert abs(mpf(float(got)) - (top + alpha * mp.log(mean))) <= 20 * 2.3e-16 * 100


def leaves(*arrays, dtype=torch.float64):
    return [torch.tensor(array, dtype=dtype, requires_grad=True) for array in arrays]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_gradients_of_every_operator_are_finite_where_actions_are_masked(temperature, dtype):
    q0 = [[1.0, 3.0, -np.inf, 2.0], [50.0, -50.0, 7.0, 50.0]]
    mask0 = [[0.0, -0.7, -np.inf, 0.0], [0.0, 0.0, -np.inf, -np.inf]]
    q, alpha, mask = leaves(q0, temperature, mask0, dtype=dtype)
    log_policy = ops.boltzmann_policy(q, alpha, mask)
    taken = log_policy > -math.inf
    outputs = {
        "soft_value": ops.soft_value(q, alpha, mask),
        "boltzmann_policy": torch.where(taken, log_policy, 0.0),
        "policy_value": ops.policy_value(q, log_policy, alpha, mask),
        "policy_value without prior": ops.policy_value(q, log_policy, alpha),
        "entropy": ops.entropy(log_policy, mask),
        "kl_divergence": ops.kl_divergence(log_policy, ops.boltzmann_policy(2 * q, alpha, mask)),
        "mellowmax": ops.mellowmax(q, alpha, mask),
    }
    for name, output in outputs.items():
        assert output.isfinite().all(), name
        found = torch.autograd.grad(
            output.sum(), (q, alpha, mask), retain_graph=True, allow_unused=True
        )
        for gradient in found:
            assert gradient is None or gradient.isfinite().all(), name
        assert found[0] is not None and (found[0][mask == -math.inf] == 0.0).all(), name


@pytest.mark.parametrize("temperature", [1e-3, 0.3, 7.0, 1e4])
def test_the_derivatives_of_the_soft_value_are_the_policy_and_its_entropy(temperature):
    mask0 = [[0.0, -np.inf, -0.4, 0.0], [0.0] * 4]
    q, alpha, mask = leaves([[1.0, 3.0, 0.5, 1.0], [0.2, 0.1, -4.0, 0.0]], temperature, mask0)
    v = ops.soft_value(q, alpha, mask).sum()
    by_q, by_alpha, by_prior = torch.autograd.grad(v, (q, alpha, mask))
    log_policy = exact.boltzmann_policy(q.detach().numpy(), temperature, mask.detach().numpy())
    same(by_q, np.exp(log_policy))
    same(by_prior, temperature * np.exp(log_policy), temperature)
    expected = exact.entropy(log_policy, mask.detach().numpy()).sum()
    same(by_alpha, expected, 10.0)


def test_gradients_agree_with_differences_away_from_the_extremes():
    rng = np.random.default_rng(3)
    q, alpha, prior = leaves(rng.normal(size=(2, 3)), 0.7, rng.normal(size=(2, 3)))
    for function in (
        ops.soft_value,
        ops.boltzmann_policy,
        lambda q, alpha, prior: ops.mellowmax(q, alpha),
        lambda q, alpha, prior: ops.policy_value(q, torch.log_softmax(prior, -1), alpha, prior),
        lambda q, alpha, prior: ops.entropy(torch.log_softmax(prior, -1)),
        lambda q, alpha, prior: ops.kl_divergence(torch.log_softmax(prior, -1), q),
    ):
        assert torch.autograd.gradcheck(function, (q, alpha, prior))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_temperature_that_rounds_to_zero_is_the_hard_maximum_with_finite_gradients(dtype):
    q, alpha = leaves([[1.0, 3.0, 3.0], [2.0, -1.0, 0.0]], 0.0, dtype=dtype)
    v = ops.soft_value(q, alpha)
    assert v.tolist() == [3.0, 2.0]
    v.sum().backward()
    torch.testing.assert_close(
        q.grad, torch.tensor([[0.0, 0.5, 0.5], [1.0, 0.0, 0.0]], dtype=dtype)
    )
    assert alpha.grad.isfinite()
    assert ops.boltzmann_policy(q, alpha).exp().tolist() == [[0.0, 0.5, 0.5], [1.0, 0.0, 0.0]]


def test_a_policy_on_an_unavailable_action_has_value_minus_infinity():
    q = tensor([[1.0, 2.0]])
    outside, half = tensor([[-np.inf, 0.0]]), tensor([[math.log(0.5)] * 2])
    assert ops.policy_value(q, half, 2.0, outside).item() == -math.inf
    assert ops.kl_divergence(half, outside).item() == math.inf


def test_a_terminated_transition_is_worth_its_reward_and_nothing_else():
    batch = Batch(
        torch.zeros(2, 1),
        torch.zeros(2, dtype=torch.int64),
        tensor([1.5, 1.5]),
        torch.zeros(2, 1),
        tensor([0.0, 0.9]),
    )
    q = torch.full((2, 3), 10.0, dtype=torch.float64)
    log_policy = torch.full_like(q, -math.log(3.0))
    for got in (
        ops.soft_bellman(batch, q, 4.0),
        ops.soft_policy_bellman(batch, q, log_policy, 4.0),
    ):
        assert got[0] == 1.5
        same(got[1], 1.5 + 0.9 * (10.0 + 4.0 * math.log(3.0)))


def test_one_graph_serves_every_temperature_tensor():
    """Nothing looks at a tensor's number, so an update can be one compiled graph."""
    q = torch.randn(2, 3, dtype=torch.float64, device="meta")
    alpha = torch.empty((), dtype=torch.float64, device="meta")
    for function in (ops.soft_value, ops.boltzmann_policy, ops.mellowmax):
        assert function(q, alpha, torch.zeros_like(q)).device.type == "meta"
    assert ops.policy_value(q, q, alpha, q).shape == (2,)
