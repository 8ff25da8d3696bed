"""Every loss at exact solutions (zero gradient, at any temperature), and what must not reach it."""

import inspect
import math

import numpy as np
import pytest
import torch
from jaxtyping import TypeCheckError
from scipy import integrate, optimize

import maxent
from maxent.errors import ConfigError
from maxent.neural import losses
from maxent.neural import operators as ops
from maxent.neural.parts import gaussian
from maxent.neural.parts.replay import Batch
from maxent.tabular import operators as exact

PARTS = 4
TEMPERATURES = [0.05, 0.3, 5.0]


def tensor(array):
    return torch.tensor(np.array(array), dtype=torch.float64)


def parameter(array):
    return tensor(array).requires_grad_(True)


def in_parts(rng, shape):
    """Distributions whose probabilities are multiples of 1/4, so that rows of a batch are them."""
    size = shape[-1]
    counts = rng.multinomial(PARTS, np.full(size, 1.0 / size), size=shape[:-1])
    return counts / PARTS


class Lattice:
    """A small MDP, with a terminal state and a masked action, that a batch can hold exactly."""

    def __init__(self, seed=0, scale=1.0):
        rng = np.random.default_rng(seed)
        mask = np.ones((5, 3), dtype=bool)
        mask[1, 2] = mask[3, 0] = False
        self.mdp = maxent.MDP(
            in_parts(rng, (5, 3, 5)),
            scale * rng.normal(size=(5, 3)),
            discount=0.9,
            terminal=[4],
            action_mask=mask,
        ).to_dense()
        self.policy = np.zeros((5, 3))  # any policy in parts of 1/4, on available actions
        for s in range(5):
            self.policy[s, mask[s]] = in_parts(rng, (mask[s].sum(),))
        self.log_mask = tensor(self.mdp.log_mask)

    def rows(self, next_policy=None):
        """Rows (s, a, s') as often as they occur in 4 tries, or (s, a, s', a') in 16."""
        rows = []
        for s, a, t in np.ndindex(self.mdp.transition.shape):
            if self.mdp.terminal[s] or not self.mdp.action_mask[s, a]:
                continue
            row = [[s, a, t]] * round(PARTS * self.mdp.transition[s, a, t])
            if next_policy is None:
                rows += row
                continue
            for b, probability in enumerate(next_policy[t]):
                rows += [[s, a, t, b] for s, a, t in row] * round(PARTS * probability)
        return torch.tensor(rows).T

    def batch(self, rows):
        s, a, t = rows[:3]
        states = torch.eye(5, dtype=torch.float64)
        discount = tensor(self.mdp.discount_on_arrival)[t]
        return Batch(states[s], a, tensor(self.mdp.reward)[s, a], states[t], discount)

    def states(self):
        return tensor(np.eye(5)[:4])


def at(table, action):
    return losses.q_taken(table, action)


def assert_flat(loss, *parameters, size=1e-9):
    assert loss.shape == () and loss.isfinite()
    for gradient in torch.autograd.grad(loss, parameters):
        assert gradient.abs().max() <= size, gradient


@pytest.fixture(params=TEMPERATURES)
def temperature(request):
    return request.param


@pytest.fixture
def world():
    return Lattice()


def solved(world, temperature):
    solution = maxent.solve(world.mdp, temperature, tolerance=1e-11)
    return parameter(solution.q), parameter(solution.v), tensor(solution.log_policy)


def evaluated(world, temperature):
    solution = maxent.soft_policy_evaluation(world.mdp, world.policy, temperature)
    return parameter(solution.q), parameter(solution.v), torch.log(tensor(world.policy))


# A linear layer on one-hot states holds any table, so the exact solution has to be a fixed point.


def test_soft_q_loss_is_flat_at_the_soft_optimal_q(world, temperature):
    q, v, _ = solved(world, temperature)
    rows = world.rows()
    batch = world.batch(rows)
    next_v = ops.soft_value(batch.next_observation @ q, temperature, world.log_mask[rows[2]])
    taken = at(batch.observation @ q, batch.action)
    assert_flat(losses.soft_q_loss(taken, batch, next_v), q)
    # the first soft actor-critic: the same loss with the values of a separate network
    taken = at(batch.observation @ q, batch.action)
    assert_flat(losses.soft_q_loss(taken, batch, batch.next_observation @ v), q)


def test_soft_policy_evaluation_loss_is_flat_at_the_value_of_a_policy(world, temperature):
    q, _, log_policy = evaluated(world, temperature)
    rows = world.rows(world.policy)
    batch, next_action = world.batch(rows), rows[3]
    taken = at(batch.observation @ q, batch.action)
    next_q = at(batch.next_observation @ q, next_action)
    next_log_policy = at(log_policy[rows[2]], next_action)
    loss = losses.soft_policy_evaluation_loss(taken, batch, next_q, next_log_policy, temperature)
    assert_flat(loss, q)


def test_at_the_optimum_every_next_action_gives_the_same_target(world, temperature):
    """Q* - alpha log pi* is V*, whatever the action: without alpha, or with another, it is not."""
    q, _, log_policy = solved(world, temperature)
    one_action = np.eye(3)[world.mdp.action_mask.argmax(axis=1)]
    rows = world.rows(one_action)
    batch, next_action = world.batch(rows), rows[3]
    next_log_policy = at(log_policy[rows[2]], next_action)

    def loss(alpha):
        taken = at(batch.observation @ q, batch.action)
        next_q = at(batch.next_observation @ q, next_action)
        return losses.soft_policy_evaluation_loss(taken, batch, next_q, next_log_policy, alpha)

    assert_flat(loss(temperature), q)
    (slope,) = torch.autograd.grad(loss(1.0), q)
    assert slope.abs().max() > 1e-3


def test_discrete_evaluation_loss_is_flat_at_the_value_of_a_policy(world, temperature):
    q, _, log_policy = evaluated(world, temperature)
    rows = world.rows()
    batch = world.batch(rows)
    taken = at(batch.observation @ q, batch.action)
    next_q, next_log_policy = batch.next_observation @ q, log_policy[rows[2]]
    loss = losses.discrete_soft_policy_evaluation_loss(
        taken, batch, next_q, next_log_policy, temperature
    )
    assert_flat(loss, q)


def test_soft_value_loss_is_flat_at_the_value_of_a_policy(world, temperature):
    q, v, log_policy = evaluated(world, temperature)
    nonterminal = world.policy * ~world.mdp.terminal[:, None]
    s, a = np.nonzero(nonterminal)
    repeats = np.round(PARTS * nonterminal[s, a]).astype(int)
    s, a = np.repeat(s, repeats), np.repeat(a, repeats)
    loss = losses.soft_value_loss(tensor(np.eye(5))[s] @ v, q[s, a], log_policy[s, a], temperature)
    assert_flat(loss, v)


def test_discrete_improvement_loss_is_flat_at_the_boltzmann_policy(world, temperature):
    q, _, _ = solved(world, temperature)
    logits = parameter(q.detach().numpy() / temperature)
    mask = world.log_mask[:4]
    log_policy = torch.log_softmax(world.states() @ logits + mask, dim=-1)
    loss = losses.discrete_soft_policy_improvement_loss(world.states() @ q, log_policy, temperature)
    assert_flat(loss, logits)
    # GIBBS-2: what is left above minus the soft value is alpha KL
    other = torch.log_softmax(world.states() @ (0.5 * logits) + mask, dim=-1)
    loss = losses.discrete_soft_policy_improvement_loss(world.states() @ q, other, temperature)
    kl = ops.kl_divergence(other, log_policy)
    v = ops.soft_value(world.states() @ q, temperature, mask)
    torch.testing.assert_close(loss, (temperature * kl - v).mean(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("factor", [4.0, 0.125])
def test_reward_and_temperature_scaled_by_one_factor_leave_the_policy_unchanged(factor):
    """A temperature left out of any term breaks it.  A power of two: nothing is rounded."""
    alpha, world, scaled = 0.3, Lattice(), Lattice(scale=factor)
    q, v, log_policy = evaluated(world, alpha)
    q, v = q.detach() + 0.1, v.detach() - 0.2  # not a solution, where the losses would be 0
    rows = world.rows(world.policy)
    batch, larger, b = world.batch(rows), scaled.batch(rows), rows[3]
    next_log = at(log_policy[rows[2]], b)
    log_policy = torch.log_softmax(tensor(np.random.default_rng(2).normal(size=(4, 3))), dim=-1)

    def of(scale, batch):
        table = scale * q
        taken, next_q = at(batch.observation @ table, batch.action), table[rows[2], b]
        heat = scale * alpha
        squares = [
            losses.soft_q_loss(taken, batch, ops.soft_value(table[rows[2]], heat)),
            losses.soft_policy_evaluation_loss(taken, batch, next_q, next_log, heat),
            losses.discrete_soft_policy_evaluation_loss(
                taken, batch, table[rows[2]], torch.log(tensor(world.policy))[rows[2]], heat
            ),
            losses.soft_value_loss(scale * v[rows[2]], next_q, next_log, heat),
        ]
        plain = [
            losses.soft_policy_improvement_loss(next_q, next_log, heat),
            losses.discrete_soft_policy_improvement_loss(table[:4], log_policy, heat),
        ]
        return torch.stack(squares), torch.stack(plain)

    squares, plain = of(1.0, batch)
    scaled_squares, scaled_plain = of(factor, larger)
    assert (squares > 1e-4).all()
    torch.testing.assert_close(scaled_squares, factor**2 * squares, rtol=1e-14, atol=0.0)
    torch.testing.assert_close(scaled_plain, factor * plain, rtol=1e-14, atol=0.0)


def test_a_terminated_transition_has_no_bootstrap_and_no_entropy():
    """The target is the reward; a truncated transition has the discount and both."""
    n, alpha = 3, 5.0
    reward = tensor([1.0, -2.0, 0.5])
    blank = torch.zeros(n, 1)
    batch = Batch(blank, torch.zeros(n, dtype=torch.int64), reward, blank, torch.zeros(n).double())
    large = torch.full((n,), 1e3, dtype=torch.float64)
    table, log_policy = torch.full((n, 2), 1e3).double(), torch.full((n, 2), math.log(0.5)).double()
    q = reward.clone()
    for loss in (
        losses.soft_q_loss(q, batch, large),
        losses.soft_policy_evaluation_loss(q, batch, large, -large, alpha),
        losses.discrete_soft_policy_evaluation_loss(q, batch, table, log_policy, alpha),
    ):
        assert loss == 0.0
    cut_off = batch._replace(discount=torch.full((n,), 0.9, dtype=torch.float64))
    assert losses.soft_q_loss(reward + 0.9 * large, cut_off, large) == 0.0
    assert losses.soft_policy_evaluation_loss(
        reward + 0.9 * (large + 5.0 * large), cut_off, large, -large, alpha
    ) == pytest.approx(0.0, abs=1e-20)


def test_a_constant_left_out_of_the_density_is_a_bonus_for_surviving():
    """Reward 0 each step, the end with probability 1/2: V = alpha H / (1 - gamma / 2)."""
    alpha, gamma, dimension, log_std = 0.7, 0.9, 3, -0.4
    noise = torch.cat([torch.ones(2, dimension), -torch.ones(2, dimension)]).double()
    draw = gaussian.gaussian_sample(torch.zeros_like(noise), torch.full_like(noise, log_std), noise)
    entropy = dimension * (log_std + 0.5 * math.log(2 * math.pi * math.e))
    q = parameter(gamma / 2 * alpha * entropy / (1 - gamma / 2))
    assert abs(q.item()) > 0.1
    blank = torch.zeros(4, 1)
    batch = Batch(blank, draw.action, torch.zeros(4).double(), blank, tensor([gamma, 0.0] * 2))
    loss = losses.soft_policy_evaluation_loss(
        q.expand(4), batch, q.expand(4), draw.log_density, alpha
    )
    assert_flat(loss, q, size=1e-14)


def test_copies_learn_as_if_each_were_alone():
    world = Lattice()
    rows = world.rows()
    batch = world.batch(rows)
    tables = parameter(np.random.default_rng(1).normal(size=(2, 5, 3)))
    next_v = tensor(np.linspace(-1, 1, 5))[rows[2]]
    both = losses.soft_q_loss(at(batch.observation @ tables, batch.action), batch, next_v)
    (together,) = torch.autograd.grad(both, tables)
    alone = [
        losses.soft_q_loss(at(batch.observation @ table, batch.action), batch, next_v)
        for table in tables
    ]
    torch.testing.assert_close(both, alone[0] + alone[1])
    by_hand = (at(batch.observation @ tables[1], batch.action) - batch.reward).sub(
        batch.discount * next_v
    )
    torch.testing.assert_close(alone[1], (0.5 * by_hand**2).mean())
    for index in range(2):
        (single,) = torch.autograd.grad(alone[index], tables)
        torch.testing.assert_close(together[index], single[index], rtol=1e-14, atol=0.0)


def test_q_taken_picks_the_action_of_each_row():
    q = torch.arange(24.0).reshape(2, 4, 3)
    taken = losses.q_taken(q, torch.tensor([2, 0, 1, 2]))
    assert taken.tolist() == [[2.0, 3.0, 7.0, 11.0], [14.0, 15.0, 19.0, 23.0]]
    assert losses.q_taken(q[0], torch.tensor([2, 0, 1, 2])).tolist() == [2.0, 3.0, 7.0, 11.0]


# What may carry a gradient, and what may not; what shapes fit.

N, A = 4, 3


def arguments(name):
    """Valid tensors for every argument of a loss, each a leaf that could carry a gradient."""
    generator = torch.Generator().manual_seed(0)

    def leaf(*shape):
        return torch.randn(shape, generator=generator).requires_grad_(True)

    rows = ["next_v", "next_log_density", "v", "log_density"]
    made = {}
    for key in inspect.signature(getattr(losses, name)).parameters:
        discrete = name.startswith("discrete")
        if key == "batch":
            made[key] = Batch(leaf(N, 2), torch.zeros(N).long(), leaf(N), leaf(N, 2), leaf(N))
        elif key == "target_entropy":
            made[key] = 0.5
        elif key in ("temperature", "log_temperature"):
            made[key] = leaf()
        elif key in rows or not discrete or (key == "q" and "evaluation" in name):
            made[key] = leaf(N)
        else:
            made[key] = leaf(N, A)
    return made


LEARNED = {  # loss: the arguments whose gradient is followed
    "soft_q_loss": {"q"},
    "soft_policy_evaluation_loss": {"q"},
    "discrete_soft_policy_evaluation_loss": {"q"},
    "soft_value_loss": {"v"},
    "soft_policy_improvement_loss": {"q", "log_density"},
    "discrete_soft_policy_improvement_loss": {"log_policy"},
    "temperature_loss": {"log_temperature"},
    "discrete_temperature_loss": {"log_temperature"},
}


@pytest.mark.parametrize("name", LEARNED)
def test_gradients_reach_what_is_learned_and_nothing_held_fixed(name):
    given = arguments(name)
    leaves = {key: value for key, value in given.items() if isinstance(value, torch.Tensor)}
    if "batch" in given:
        fields = given["batch"]._asdict().items()
        leaves |= {
            f"batch.{key}": value
            for key, value in fields
            if value is not None and value.requires_grad
        }
    loss = getattr(losses, name)(**given)
    found = torch.autograd.grad(loss, leaves.values(), allow_unused=True)
    reached = {key for key, g in zip(leaves, found, strict=True) if g is not None and g.any()}
    assert reached == LEARNED[name]


CHECKED_ARGUMENTS = [
    (name, key)
    for name in LEARNED
    for key, value in arguments(name).items()
    if isinstance(value, torch.Tensor) and value.ndim == 1
]


@pytest.mark.parametrize(("name", "key"), CHECKED_ARGUMENTS)
def test_a_column_against_a_row_is_an_error_and_not_a_table_of_all_pairs(name, key):
    given = arguments(name)
    getattr(losses, name)(**given)
    with pytest.raises(TypeCheckError):
        getattr(losses, name)(**given | {key: given[key][:, None]})


@pytest.mark.parametrize("field", ["reward", "discount"])
@pytest.mark.parametrize("name", [name for name in LEARNED if "batch" in arguments(name)])
def test_a_column_of_rewards_or_discounts_is_an_error(name, field):
    given = arguments(name)
    column = {field: getattr(given["batch"], field)[:, None]}
    with pytest.raises(TypeCheckError):
        getattr(losses, name)(**given | {"batch": given["batch"]._replace(**column)})


# The policy's gradient, SAC Eq. 13, where it is known.

# the trapezoidal rule against a normal density is exact to rounding for analytic integrands
NODES, SPACING = np.linspace(-12.0, 12.0, 151, retstep=True)
WEIGHTS = SPACING * np.exp(-0.5 * NODES**2) / math.sqrt(2.0 * math.pi)


def reparameterised_gradient(sample, q_of, mean, log_std, alpha):
    """The gradient of the loss in (mean, log_std), its expectation by quadrature over the noise."""
    point = parameter([mean, log_std])
    total = torch.zeros(2, dtype=torch.float64)
    for node, weight in zip(NODES, WEIGHTS, strict=True):
        draw = sample(point[None, :1], point[None, 1:], tensor([[node]]))
        loss = losses.soft_policy_improvement_loss(q_of(draw.action)[:, 0], draw.log_density, alpha)
        total += weight * torch.autograd.grad(loss, point)[0]
    return total


@pytest.mark.parametrize("alpha", [0.2, 3.0])
def test_on_a_gaussian_and_a_quadratic_both_gradients_are_the_exact_one(alpha):
    curvature, centre, mean, log_std = 1.7, 0.6, -0.3, -0.5

    def q_of(action):
        return -0.5 * curvature * (action - centre) ** 2

    reparameterised = reparameterised_gradient(gaussian.gaussian_sample, q_of, mean, log_std, alpha)
    variance = math.exp(2 * log_std)
    exact_gradient = tensor([curvature * (mean - centre), curvature * variance - alpha])
    torch.testing.assert_close(reparameterised, exact_gradient, rtol=1e-11, atol=1e-11)

    point = parameter([mean, log_std])
    actions = tensor(mean + math.exp(log_std) * NODES)[:, None]
    log_density = gaussian.gaussian_log_density(
        actions, point[:1].expand_as(actions), point[1:].expand_as(actions)
    )
    signal = alpha * log_density.detach() - q_of(actions)[:, 0]
    (score,) = torch.autograd.grad((tensor(WEIGHTS) * log_density * signal).sum(), point)
    torch.testing.assert_close(score, exact_gradient, rtol=1e-11, atol=1e-11)

    best = reparameterised_gradient(
        gaussian.gaussian_sample, q_of, centre, 0.5 * math.log(alpha / curvature), alpha
    )
    assert best.abs().max() < 1e-11  # N(centre, alpha / curvature), LQR-2 in one dimension


@pytest.mark.parametrize("alpha", [0.2, 3.0])
def test_squashed_the_gradient_is_that_of_the_objective_by_quadrature_over_actions(alpha):
    curvature, centre, mean, log_std = 4.0, 0.5, 0.2, -0.7

    def objective(mean, log_std):
        """E[alpha log pi(a) - Q(a)], an integral over actions with the density written out."""

        def integrand(a):
            u, std = math.atanh(a), math.exp(log_std)
            p = math.exp(-0.5 * ((u - mean) / std) ** 2) / (std * math.sqrt(2 * math.pi))
            p /= 1.0 - a * a
            return p * (alpha * math.log(p) + 0.5 * curvature * (a - centre) ** 2) if p else 0.0

        return integrate.quad(integrand, -1.0, 1.0, limit=200, epsabs=1e-12, epsrel=1e-12)[0]

    def slope(f, x, h=1e-2):
        """Sixth-order central difference."""
        terms = ((45, 1), (-9, 2), (1, 3))
        return sum(c * (f(x + k * h) - f(x - k * h)) for c, k in terms) / (60 * h)

    expected = [
        slope(lambda x: objective(x, log_std), mean),
        slope(lambda x: objective(mean, x), log_std),
    ]
    got = reparameterised_gradient(
        gaussian.squashed_sample,
        lambda action: -0.5 * curvature * (action - centre) ** 2,
        mean,
        log_std,
        alpha,
    )
    torch.testing.assert_close(got, tensor(expected), rtol=1e-7, atol=1e-7)


# The temperature.


def test_target_entropies_are_minus_the_dimension_and_a_part_of_log_n():
    assert [losses.continuous_target_entropy(m) for m in (1, 6, 17)] == [-1.0, -6.0, -17.0]
    for actions in (2, 4, 18):
        target = losses.discrete_target_entropy(actions, 0.3)
        assert target == pytest.approx(0.3 * math.log(actions), rel=1e-15)
        assert 0.0 < target < math.log(actions)
    for fraction in (0.0, 1.0, 1.5, -0.98, math.nan):
        with pytest.raises(ConfigError, match="fraction"):
            losses.discrete_target_entropy(4, fraction)
    with pytest.raises(ConfigError):
        losses.discrete_target_entropy(1, 0.5)
    with pytest.raises(ConfigError):
        losses.continuous_target_entropy(0)


def test_too_much_entropy_cools_too_little_heats():
    for policy, sign in (([0.4, 0.3, 0.3], 1.0), ([0.98, 0.01, 0.01], -1.0)):
        entropy = -float(np.dot(policy, np.log(policy)))
        log_alpha = parameter(-3.0)
        log_density = torch.full((5,), -entropy, dtype=torch.float64)
        sampled = losses.temperature_loss(log_alpha, log_density, 0.7)
        summed = losses.discrete_temperature_loss(log_alpha, tensor([np.log(policy)] * 5), 0.7)
        for loss in (sampled, summed):
            (slope,) = torch.autograd.grad(loss, log_alpha)
            assert slope.item() == pytest.approx(entropy - 0.7) and slope * sign > 0
        # the paper's form, -alpha (log pi + target): in log alpha, alpha times as steep
        paper = -(log_alpha.exp() * (log_density + 0.7)).mean()
        (steeper,) = torch.autograd.grad(paper, log_alpha)
        assert steeper.item() == pytest.approx(math.exp(-3.0) * slope.item())


BANDIT = np.array([1.0, 0.6, -0.5, 0.9, -2.0])


@pytest.mark.parametrize("start", [0.01, 1.0, 50.0])
@pytest.mark.parametrize("fraction", [0.2, 0.5, 0.9])
def test_on_a_bandit_the_temperature_settles_where_the_entropy_is_the_target(fraction, start):
    target = losses.discrete_target_entropy(len(BANDIT), fraction)

    def excess(log_alpha):
        return exact.entropy(exact.boltzmann_policy(BANDIT[None], math.exp(log_alpha)))[0] - target

    solution = optimize.brentq(excess, -10.0, 10.0, xtol=1e-12)
    log_alpha, q = parameter(math.log(start)), tensor(BANDIT)[None]
    for _ in range(600):
        log_policy = ops.boltzmann_policy(q, log_alpha.exp())
        loss = losses.discrete_temperature_loss(log_alpha, log_policy, target)
        (slope,) = torch.autograd.grad(loss, log_alpha)
        log_alpha.data -= 0.5 * slope
    assert log_alpha.item() == pytest.approx(solution, abs=1e-6)


def test_a_target_that_the_policy_cannot_hold_makes_the_temperature_climb_without_end():
    """0.98 log 5 with three of five actions barred: at most log 2.  Each step adds the same."""
    target, log_alpha = losses.discrete_target_entropy(5, 0.98), parameter(0.0)
    barred = tensor([[0.0, 0.0, -np.inf, -np.inf, -np.inf]])
    path = []
    for _ in range(40):
        log_policy = ops.boltzmann_policy(tensor(BANDIT)[None], log_alpha.exp(), barred)
        loss = losses.discrete_temperature_loss(log_alpha, log_policy, target)
        log_alpha.data -= torch.autograd.grad(loss, log_alpha)[0]
        path.append(log_alpha.item())
    assert np.diff(path[20:]) == pytest.approx(target - math.log(2.0), abs=1e-6)


def test_policy_and_temperature_together_reach_the_closed_form():
    """Q = -k |a - c|^2 / 2: std^2 = alpha / k, so alpha = k exp(2 target / m - 1) / (2 pi)."""
    k, m = 20.0, 2
    centre = tensor([0.4, -1.0])
    target = losses.continuous_target_entropy(m)
    policy, log_alpha = parameter(np.zeros((2, m))), parameter(1.0)
    noise = tensor([[1.0, 1.0], [-1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]])  # exact for quadratics
    for _ in range(2500):
        mean, log_std = policy.expand(4, 2, m).unbind(1)
        draw = gaussian.gaussian_sample(mean, log_std, noise)
        q = -0.5 * k * (draw.action - centre).square().sum(-1)
        improvement = losses.soft_policy_improvement_loss(q, draw.log_density, log_alpha.exp())
        tuning = losses.temperature_loss(log_alpha, draw.log_density, target)
        (step,) = torch.autograd.grad(improvement, policy, retain_graph=True)
        (slope,) = torch.autograd.grad(tuning, log_alpha)
        policy.data -= 0.08 * step
        log_alpha.data -= 0.006 * slope
    alpha = k * math.exp(2.0 * target / m - 1.0) / (2.0 * math.pi)
    assert log_alpha.exp().item() == pytest.approx(alpha, rel=1e-6)
    torch.testing.assert_close(policy[0], centre, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(
        policy[1], torch.full_like(centre, 0.5 * math.log(alpha / k)), rtol=1e-6, atol=1e-6
    )


def temperature_path(low, high, *, box_units=False, target=None):
    """The tuned temperature of a squashed policy that learns to act in the box [low, high]."""
    m = len(low)
    generator = torch.Generator().manual_seed(1)
    policy, log_alpha, path = parameter(np.zeros((2, m))), parameter(0.0), []
    target = losses.continuous_target_entropy(m) if target is None else target
    for _ in range(60):
        noise = torch.randn((64, m), dtype=torch.float64, generator=generator)
        mean, log_std = policy.expand(64, 2, m).unbind(1)
        draw = gaussian.squashed_sample(mean, log_std, noise)
        applied = low + 0.5 * (draw.action + 1.0) * (high - low)
        q = -4.0 * ((applied - low) / (high - low) - 0.7).square().sum(-1)
        inside = draw.log_density
        log_density = gaussian.log_density_in_box(inside, low, high) if box_units else inside
        improvement = losses.soft_policy_improvement_loss(q, log_density, log_alpha.exp())
        tuning = losses.temperature_loss(log_alpha, log_density, target)
        (step,) = torch.autograd.grad(improvement, policy, retain_graph=True)
        (slope,) = torch.autograd.grad(tuning, log_alpha)
        policy.data -= 0.1 * step
        log_alpha.data -= 0.1 * slope
        path.append(log_alpha.item())
    return np.array(path)


def test_rescaling_the_action_box_does_not_change_the_temperature_s_path():
    unit = temperature_path(tensor([-1.0] * 3), tensor([1.0] * 3))
    low, high = tensor([-0.4, 1.0, -7.0]), tensor([0.4, 1.5, 3.0])
    np.testing.assert_allclose(temperature_path(low, high), unit, atol=1e-10)
    # a density in box units asks for a target in box units, more by the log half-widths
    target = losses.continuous_target_entropy(3) + math.log(0.4) + math.log(0.25) + math.log(5.0)
    converted = temperature_path(low, high, box_units=True, target=target)
    np.testing.assert_allclose(converted, unit, atol=1e-10)
    mixed = temperature_path(low, high, box_units=True)
    assert np.abs(mixed - unit).max() > 0.1
