"""Averaged Q's: the bounds hold, are attained where they should be, and a wrong one is noticed."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_mdps import DISCOUNTS, FAMILIES, family
from truth import optimal_value

import maxent
from maxent.tabular import composition, operators
from maxent.tabular.bounds import soft_bounds
from maxent.tabular.composition import compose
from maxent.testing import strategies


def rewards_like(mdp, count, seed, scale=3.0):
    """The MDP with `count` random rewards."""
    rng = np.random.default_rng(seed)
    return [mdp.replace(reward=scale * rng.normal(size=mdp.reward.shape)) for _ in range(count)]


def dirichlet(count, seed):
    return np.random.default_rng(seed).dirichlet(np.ones(count))


def exact_divergence(tasks, weights, temperature, mdp):
    """-alpha log sum_a prod_i pi_i^w_i over the available actions, state by state, as printed."""
    found = np.zeros(mdp.n_states)
    for s in np.flatnonzero(~mdp.terminal):
        log_products = sum(w * t.log_policy[s, mdp.action_mask[s]] for w, t in zip(weights, tasks))
        found[s] = -temperature * np.log(np.exp(log_products).sum())
    return found


def met(mdp, gap, policy):
    """gamma P (D + E_pi[...]), the divergence that a policy meets, (S, A), by a linear solve."""
    rows = mdp.to_dense().transition
    onward = mdp.discount * np.einsum("sat,t->sat", rows, (~mdp.terminal).astype(float))
    along = np.einsum("sa,sat->st", policy, onward)
    total = np.linalg.solve(np.eye(mdp.n_states) - along, gap)
    return onward @ total


def most_met(mdp, gap):
    """C* by trying every deterministic policy."""
    choices = [np.flatnonzero(row) for row in mdp.action_mask]
    found = []
    for actions in itertools.product(*choices):
        policy = np.zeros(mdp.reward.shape)
        policy[np.arange(mdp.n_states), actions] = 1.0
        found.append(met(mdp, gap, policy))
    return np.max(found, axis=0)


def wrong(found):
    """The certified statements that do not hold, against the certified optimum and evaluation."""
    mdp, optimum, value = found.mdp, found.optimum, found.value
    available = mdp.action_mask & ~mdp.terminal[:, None]
    norm = max(np.abs(optimum.lower).max(), np.abs(optimum.upper).max())
    rounding = soft_bounds(mdp, found.temperature, mdp.log_mask).rounding(norm)
    most = operators.backup(mdp, optimum.upper) + rounding
    least = operators.backup(mdp, optimum.lower) - rounding
    claims = {
        "Q_C <= upper": (least <= found.upper)[available],
        "lower <= Q_C": (found.lower <= most)[available],
        "Q_C - Q^pi <= loss bound": (optimum.lower - value.upper <= found.loss_bound),
        "lower <= Q^pi": (found.lower <= operators.backup(mdp, value.upper) + rounding)[available],
    }
    return [name for name, holds in claims.items() if not holds.all()]


temperatures = st.one_of(st.just(0.0), strategies.temperatures(least=1e-2, most=1e2))


@given(st.data(), strategies.mdps(max_states=4, discounts=(0.5, 0.0, 0.9, 0.99)), temperatures)
@settings(max_examples=60)
def test_the_bounds_hold_on_random_mdps(data, mdp, temperature):
    count = data.draw(st.integers(2, 3))
    seed = data.draw(st.integers(0, 1000))
    found = compose(rewards_like(mdp, count, seed), temperature, dirichlet(count, seed))
    assert wrong(found) == []
    assert (found.lower <= found.upper).all() and (found.loss_bound >= 0.0).all()


@pytest.mark.parametrize("name", [name for name in FAMILIES if name != "prior"])
@pytest.mark.parametrize("temperature", [0.0, 1e-2, 1.0, 1e4])
def test_the_bounds_hold_against_60_digits(name, temperature):
    discount = DISCOUNTS[FAMILIES.index(name) % 2 + 1]
    mdp, _ = family(name, discount)
    found = compose(rewards_like(mdp, 2, seed=3), temperature, [0.3, 0.7])
    exact = optimal_value(found.mdp, temperature, found.optimum.v)
    v = np.array([float(x) for x in exact])
    q = operators.backup(found.mdp, v)
    room = 1e-13 * (1.0 + np.abs(v).max())
    available = found.mdp.action_mask & ~found.mdp.terminal[:, None]
    assert (q <= found.upper + room)[available].all()
    assert (q >= found.lower - room)[available].all()
    assert (v - found.value.v <= found.loss_bound + found.value.error_bound + room).all()


@pytest.mark.parametrize("seed", range(8))
def test_every_quantity_is_what_its_definition_says(seed):
    """Divergence as printed, C* by enumeration, Q^pi = Q_Sigma - E by a linear solve."""
    temperature = 10.0 ** np.random.default_rng(seed).uniform(-1.5, 1.0)
    base = maxent.garnet(
        4, 3, discount=0.9, branching=2, seed=seed, terminal=seed % 2, masked=0.3 * (seed % 3)
    )
    weights = dirichlet(2 + seed % 2, seed)
    found = compose(rewards_like(base, len(weights), seed), temperature, weights)
    mdp, available = found.mdp, base.action_mask & ~base.terminal[:, None]
    gap = exact_divergence(found.tasks, weights, temperature, mdp)
    np.testing.assert_allclose(found.divergence, gap, atol=1e-11 * (1.0 + temperature))
    most = most_met(mdp, gap)
    np.testing.assert_allclose((found.q - found.lower)[available], most[available], atol=2e-6)
    own = met(mdp, gap, found.policy)
    np.testing.assert_allclose((found.q - own)[available], found.value.q[available], atol=1e-6)
    bound = (found.policy * np.where(available, most, 0.0)).sum(axis=1)
    np.testing.assert_allclose(found.loss_bound, bound, atol=2e-6)
    # the composed policy's own divergence is the sharper bound, the paper's sum the wider one
    sharper = (found.policy * np.where(available, own, 0.0)).sum(axis=1)
    assert (found.loss <= sharper + 1e-6).all() and (sharper <= bound + 1e-9).all()
    paper = met(mdp, bound, found.policy)
    once = mdp.expect(mdp.discount_on_arrival * bound)
    assert ((mdp.expect(mdp.discount_on_arrival * found.loss) <= once + 1e-6)[available]).all()
    assert (once <= paper + 1e-9)[available].all()


def test_two_tasks_give_renyi_divergence_of_their_policies():
    """D = alpha (1 - w) D_w(pi_1 || pi_2), D_w = log sum pi_1^w pi_2^(1-w) / (w - 1)."""
    rng = np.random.default_rng(0)
    q, w, temperature = rng.normal(size=(2, 5, 4)), 0.2, 0.7
    one, two = np.exp(operators.boltzmann_policy(q, temperature))
    renyi = np.log((one**w * two ** (1.0 - w)).sum(axis=1)) / (w - 1.0)
    got = composition.divergence(q, np.array([w, 1.0 - w]), temperature)
    np.testing.assert_allclose(got, temperature * (1.0 - w) * renyi, rtol=1e-12)
    bhattacharyya = -np.log(np.sqrt(one * two).sum(axis=1))
    got = composition.divergence(q, np.array([0.5, 0.5]), temperature)
    np.testing.assert_allclose(got, temperature * bhattacharyya, rtol=1e-12)
    hard = composition.divergence(q, np.array([w, 1.0 - w]), 0.0)
    near = composition.divergence(q, np.array([w, 1.0 - w]), 1e-6)
    np.testing.assert_allclose(hard, near, atol=1e-5)


def test_tasks_that_agree_compose_exactly():
    mdp = maxent.garnet(6, 3, discount=0.9, seed=1, branching=3, terminal=1, masked=0.5)
    # rewards that differ by a potential have the same policy (SHAPE)
    potential = np.where(mdp.terminal, 0.0, np.random.default_rng(0).normal(size=6))
    shaped = mdp.reward + mdp.expect(mdp.discount_on_arrival * potential) - potential[:, None]
    found = compose([mdp, mdp.replace(reward=shaped)], 0.5, [0.25, 0.75])
    assert np.abs(found.divergence).max() < 1e-8
    assert found.loss_bound.max() < 1e-6 and np.abs(found.loss).max() < 1e-8
    assert (found.upper - found.lower).max() < 1e-6


def blind(temperature, seed=0):
    """Two tasks in which no action changes what comes next."""
    rng = np.random.default_rng(seed)
    rows = np.repeat(rng.dirichlet(np.ones(4), size=(4, 1)), 3, axis=1)
    mdp = maxent.MDP(rows, np.zeros((4, 3)), discount=0.8)
    return compose(rewards_like(mdp, 2, seed), temperature)


@pytest.mark.parametrize("temperature", [0.3, 1.5, 3.0])
def test_the_lower_bound_is_attained_where_actions_change_nothing(temperature):
    found = blind(temperature)
    assert (found.q - found.lower).min() > 0.1
    np.testing.assert_allclose(found.lower, found.optimum.q, atol=1e-6)
    np.testing.assert_allclose(found.loss, 0.0, atol=1e-7)  # the composed policy is optimal
    # D_1/2 with neither the half nor the temperature: a bound up to temperature 2 and no further
    careless = 2.0 * (found.q - found.lower) / temperature
    assert ((found.q - careless <= found.optimum.q).all()) == (temperature <= 2.0)


def test_a_sum_of_rewards_is_twice_the_composition_at_half_the_temperature():
    tasks = rewards_like(maxent.garnet(5, 3, discount=0.9, seed=2), 2, seed=1)
    total = maxent.solve(tasks[0].replace(reward=tasks[0].reward + tasks[1].reward), 0.6)
    half = compose(tasks, 0.3)
    np.testing.assert_allclose(2.0 * half.optimum.q, total.q, atol=1e-6)


CASES = [
    (maxent.garnet(5, 3, discount=0.9, seed=seed, branching=2), temperature, weights)
    for seed in range(3)
    for temperature in (0.3, 4.0)
    for weights in ([0.5, 0.5], [0.1, 0.9])
]


def caught():
    """Whether any of the cases, with `divergence` as it is now, is refuted by the exact answers."""
    for seed, (mdp, temperature, weights) in enumerate(CASES):
        if wrong(compose(rewards_like(mdp, 2, seed), temperature, weights)):
            return True
    rng = np.random.default_rng(1)
    rows = np.repeat(rng.dirichlet(np.ones(4), size=(4, 1)), 3, axis=1)
    task = maxent.MDP(rows, np.zeros((4, 3)), discount=0.8)
    for temperature, weights in itertools.product((0.3, 4.0), ([0.5, 0.5], [0.1, 0.9])):
        found = compose(rewards_like(task, 2, seed=5), temperature, weights)
        if wrong(found) or np.abs(found.lower - found.optimum.q).max() > 1e-5:
            return True
    return False


def renyi(order, factor):
    """A divergence with Renyi's order and the factor in front given by w and alpha."""

    def faulty(q, weights, temperature, log_prior=None):
        one, two = np.exp(operators.boltzmann_policy(q, temperature, log_prior))
        w = order(weights[0])
        affinity = np.log((one**w * two ** (1.0 - w)).sum(axis=1))
        return factor(weights[0], temperature) * affinity / (w - 1.0)

    return faulty


FAULTS = {
    "sign": renyi(lambda w: w, lambda w, alpha: -alpha * (1 - w)),
    "order 1 - w for w": renyi(lambda w: 1 - w, lambda w, alpha: alpha * (1 - w)),
    "factor w for 1 - w": renyi(lambda w: w, lambda w, alpha: alpha * w),
    "order 1/2 always": renyi(lambda w: 0.5, lambda w, alpha: 0.5 * alpha),
    "no temperature": renyi(lambda w: w, lambda w, alpha: 1 - w),
    "no half": renyi(lambda w: 0.5, lambda w, alpha: alpha),
}


def test_the_right_divergence_passes_what_the_faults_fail(monkeypatch):
    assert not caught()
    monkeypatch.setattr(
        composition, "divergence", renyi(lambda w: w, lambda w, alpha: alpha * (1 - w))
    )
    assert not caught()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_divergence_is_caught(fault, monkeypatch):
    monkeypatch.setattr(composition, "divergence", FAULTS[fault])
    assert caught()


def test_the_discount_on_the_divergence_is_noticed(monkeypatch):
    """C* without its gamma, P (D + max C*), is wider than the exact one where that is attained."""
    right = composition._most_met
    monkeypatch.setattr(composition, "_most_met", lambda mdp, gap: right(mdp, gap) / mdp.discount)
    assert caught()


def test_what_cannot_be_composed_is_refused():
    mdp = maxent.garnet(5, 3, discount=0.9, seed=1, branching=3)
    other = mdp.replace(reward=-mdp.reward)
    for changed, word in (
        ({"discount": 0.8}, "discount"),
        ({"terminal": [4]}, "terminal"),
        ({"initial_distribution": [1, 0, 0, 0, 0]}, "initial_distribution"),
        ({"action_mask": np.array([[1, 1, 0]] + [[1, 1, 1]] * 4, dtype=bool)}, "action_mask"),
    ):
        with pytest.raises(maxent.ModelError, match=word):
            compose([mdp, other.replace(**changed)], 0.5)
    elsewhere = maxent.garnet(5, 3, discount=0.9, seed=2, branching=3)
    with pytest.raises(maxent.ModelError, match="task 2 and task 0 differ in transition, by up to"):
        compose([mdp, other, elsewhere], 0.5)
    with pytest.raises(maxent.ModelError, match="n_states 6, task 0 5"):
        compose([mdp, maxent.garnet(6, 3, discount=0.9)], 0.5)
    with pytest.raises(maxent.ModelError, match="not an MDP"):
        compose([mdp, 3], 0.5)
    with pytest.raises(maxent.ConfigError, match="1 tasks; give two"):
        compose([mdp], 0.5)
    for weights, word in (([1.0, 1.0], "sum to 1"), ([2.0, -1.0], "at least 0"), ([1.0], "shape")):
        with pytest.raises(maxent.ConfigError, match=word):
            compose([mdp, other], 0.5, weights)
    with pytest.raises(maxent.ConfigError, match="temperature"):
        compose([mdp, other], -1.0)


def test_sparse_and_dense_tasks_compose_alike():
    mdp = maxent.garnet(5, 3, discount=0.9, seed=1, branching=3)
    other = mdp.replace(reward=-mdp.reward)
    mixed = compose([mdp, other.to_dense()], 0.5)
    np.testing.assert_allclose(mixed.q, compose([mdp, other], 0.5).q, atol=1e-12)
    assert "2 tasks, temperature 0.5" in repr(mixed)


def test_the_figure_shows_tasks_composition_loss_and_bound(tmp_path):
    from maxent import plots
    from maxent.plots.maps.composition import composition as draw

    mdp = maxent.gridworld("...\n...", discount=0.9, step_reward=0.0)
    row, column = mdp.grid.cells.T
    tasks = [mdp.replace(reward=(row == 0) * 1.0), mdp.replace(reward=(column == 2) * 1.0)]
    found = compose(tasks, 0.3)
    figure = draw(found, ["top", "right"])
    maps = figure.findobj(lambda artist: artist.get_gid() == "values")
    shown = [np.ma.filled(mesh.get_array(), np.nan).ravel() for mesh in maps]
    values = [*(task.v for task in found.tasks), found.value.v, found.optimum.v]
    for got, expected in zip(shown, [*values, found.loss, found.loss_bound], strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-12)
    points = [line for line in figure.findobj() if getattr(line, "get_label", str)() == "the bound"]
    (ax,) = {line.axes for line in points if hasattr(line, "axes") and line.axes is not None}
    for line in ax.get_lines()[:2]:  # every point lies below the bound
        x, y = line.get_data()
        assert len(x) == 6 * 4 and (y <= x).all() and (y >= 0.0).all()
    plots.save(figure, tmp_path / "composition.png")
    garnet = maxent.garnet(5, 3, discount=0.9)
    plain = draw(compose([garnet, garnet.replace(reward=-garnet.reward)], 0.3))
    assert len(plain.axes) == 1
    with pytest.raises(maxent.ConfigError, match=r"names has 1 entries, .*; give 2 names"):
        draw(found, ["top"])
