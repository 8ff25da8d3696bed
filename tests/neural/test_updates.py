"""One update of each algorithm beside the same update written out plainly, and what must not
change it: which Q comes first, the unit of reward, gradients left lying about."""

import copy
import math

import pytest
import torch
from gymnasium import spaces
from torch import distributions

from maxent.neural.algorithms import sac, sac_discrete, sac_v1, sql, sql_discrete, temperature
from maxent.neural.parts.replay import Batch
from maxent.neural.parts.spaces import Spaces

BOX = Spaces(spaces.Box(-1.0, 1.0, (3,)), spaces.Box(-1.0, 1.0, (2,)))
ENDLESS = Spaces(spaces.Box(-1.0, 1.0, (3,)), spaces.Box(-math.inf, math.inf, (2,)))
CHOICES = Spaces(spaces.Box(-1.0, 1.0, (3,)), spaces.Discrete(4))
FIVE = {
    "sac": (sac, BOX),
    "sac_v1": (sac_v1, BOX),
    "sac_discrete": (sac_discrete, CHOICES),
    "sql": (sql, BOX),
    "sql_discrete": (sql_discrete, CHOICES),
}
ROWS, ALPHA = 12, 0.3


@pytest.fixture(autouse=True)
def double():
    """Double precision, noise included, so that little is forgiven."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture
def single(double):
    """What training uses."""
    torch.set_default_dtype(torch.float32)


def batch_of(found):
    """Transitions of which the last third terminated."""
    generator = torch.Generator().manual_seed(5)

    def normal(*shape):
        return torch.randn(shape, generator=generator)

    action = torch.tanh(normal(ROWS, found.action_size))
    if found.discrete:
        action = torch.arange(ROWS) % found.action_size
    discount = torch.full((ROWS,), 0.9)
    discount[-4:] = 0.0
    return Batch(normal(ROWS, 3), action, normal(ROWS), normal(ROWS, 3), discount)


def begun(name, found=None, **settings):
    """A fresh state whose targets differ from what they follow."""
    module, usual = FIVE[name]
    found = found or usual
    settings = {"temperature": ALPHA, "critics": 2} | settings
    config = module.Config(hidden=(7, 5), batch_size=ROWS, **settings)
    state = module.init(found, config, torch.Generator().manual_seed(1))
    for tensor in state["target"].values():
        tensor += 0.1 * torch.randn(tensor.shape, generator=torch.Generator().manual_seed(2))
    return module, found, config, state


def updated(module, found, config, state, batch, seed=3):
    """The state after one update, and what it logged."""
    after = copy.deepcopy(state)
    return after, module.update(after, batch, drawn(module, found, config, seed), config, found)


def drawn(module, found, config, seed=3):
    """The noise of an update."""
    return module.draw(ROWS, torch.Generator().manual_seed(seed), config, found)


def slopes(state, network):
    """The gradient that the first step was taken by: Adam's first moment over 1 - 0.9."""
    return {name: tensor / 0.1 for name, tensor in state[f"{network}_moments"]["first"].items()}


def plain(parameters, x, index=None):
    """A multilayer perceptron layer by layer; `index` picks one of its copies."""
    pick = (lambda tensor: tensor) if index is None else (lambda tensor: tensor[index])
    layers = len(parameters) // 2
    for layer in range(layers):
        x = torch.mm(x, pick(parameters[f"weight{layer}"])) + pick(parameters[f"bias{layer}"])
        x = torch.where(x > 0.0, x, 0.0) if layer < layers - 1 else x
    return x


def q_of(parameters, observation, action, index):
    return plain(parameters, torch.cat([observation, action], 1), index)[:, 0]


def smaller(parameters, observation, action):
    return torch.minimum(*(q_of(parameters, observation, action, index) for index in (0, 1)))


def acted(actor, observation, noise, found):
    """Actions and their log density by torch.distributions."""
    mean, log_std = plain(actor, observation).chunk(2, 1)
    normal = distributions.Normal(mean, log_std.exp())
    u = mean + log_std.exp() * noise
    if not found.bounded:
        return u, normal.log_prob(u).sum(1)
    squash = distributions.TanhTransform(cache_size=1)
    law = distributions.TransformedDistribution(normal, [squash])
    action = squash(u)
    return action, law.log_prob(action).sum(1)


def leaves(parameters):
    return {name: tensor.clone().requires_grad_() for name, tensor in parameters.items()}


def assert_gradient(state, network, loss, parameters):
    expected = torch.autograd.grad(loss, list(parameters.values()))
    found = slopes(state, network)
    for name, gradient in zip(parameters, expected, strict=True):
        assert gradient.abs().max() > 0.0, name
        torch.testing.assert_close(found[name], gradient, rtol=1e-9, atol=1e-12)


def assert_follows(before, after, network, rate):
    for name, old in before["target"].items():
        expected = (1.0 - rate) * old + rate * after[network][name]
        torch.testing.assert_close(after["target"][name], expected, rtol=1e-12, atol=1e-14)


def half_squares(critic, batch, target):
    """Sum over both Q's of E[ 1/2 (Q - target)^2 ] in the actions taken."""
    total = 0.0
    for index in (0, 1):
        if batch.action.ndim == 2:
            q = q_of(critic, batch.observation, batch.action, index)
        else:
            q = plain(critic, batch.observation, index)[range(ROWS), batch.action]
        total = total + 0.5 * ((q - target.detach()) ** 2).mean()
    return total


def noises(shape, count, seed=3):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator) for _ in range(count)]


@pytest.mark.parametrize("found", [BOX, ENDLESS], ids=["squashed", "unsquashed"])
def test_soft_actor_critic_written_out(found):
    module, _, _, state = begun("sac", found, temperature=None)
    tuned = module.Config(hidden=(7, 5), batch_size=ROWS)
    state["temperature"]["log"] += math.log(ALPHA)
    batch = batch_of(found)
    after, logged = updated(module, found, tuned, state, batch)
    next_noise, noise = noises((ROWS, 2), 2)

    # targets: the target's smaller Q at an action of the policy before its step, and its entropy
    action, log_density = acted(state["actor"], batch.next_observation, next_noise, found)
    v = smaller(state["target"], batch.next_observation, action) - ALPHA * log_density
    critic = leaves(state["critic"])
    loss = half_squares(critic, batch, batch.reward + batch.discount * v)
    assert_gradient(after, "critic", loss, critic)
    assert logged["critic_loss"].item() == pytest.approx(loss.item(), rel=1e-9)

    # the policy climbs the smaller of the Q's that were just improved
    actor = leaves(state["actor"])
    action, log_density = acted(actor, batch.observation, noise, found)
    loss = (ALPHA * log_density - smaller(after["critic"], batch.observation, action)).mean()
    assert_gradient(after, "actor", loss, actor)
    # the temperature falls where the entropy is above -m (in log alpha)
    excess = -log_density.mean() + 2.0
    assert slopes(after, "temperature")["log"].item() == pytest.approx(excess.item(), rel=1e-9)
    assert_follows(state, after, "critic", tuned.target_rate)


@pytest.mark.parametrize("found", [BOX, ENDLESS], ids=["squashed", "unsquashed"])
def test_the_first_soft_actor_critic_written_out(found):
    module, _, config, state = begun("sac_v1", found)
    batch = batch_of(found)
    after, logged = updated(module, found, config, state, batch)
    (noise,) = noises((ROWS, 2), 1)

    actor = leaves(state["actor"])
    action, log_density = acted(actor, batch.observation, noise, found)
    q = smaller(state["critic"], batch.observation, action)
    loss = (ALPHA * log_density - q).mean()
    assert_gradient(after, "actor", loss, actor)
    assert logged["actor_loss"].item() == pytest.approx(loss.item(), rel=1e-9)

    value = leaves(state["value"])
    v = plain(value, batch.observation)[:, 0]
    loss = 0.5 * ((v - (q - ALPHA * log_density).detach()) ** 2).mean()
    assert_gradient(after, "value", loss, value)
    assert logged["value_loss"].item() == pytest.approx(loss.item(), rel=1e-9)

    critic = leaves(state["critic"])
    next_v = plain(state["target"], batch.next_observation)[:, 0]
    loss = half_squares(critic, batch, batch.reward + batch.discount * next_v)
    assert_gradient(after, "critic", loss, critic)
    assert_follows(state, after, "value", config.target_rate)


def test_discrete_soft_actor_critic_written_out():
    module, found, _, state = begun("sac_discrete", temperature=None)
    config = module.Config(hidden=(7, 5), batch_size=ROWS, target_entropy=0.5)
    state["temperature"]["log"] += math.log(ALPHA)
    batch = batch_of(found)
    after, _ = updated(module, found, config, state, batch)

    policy = torch.softmax(plain(state["actor"], batch.next_observation), 1)
    q = torch.minimum(*(plain(state["target"], batch.next_observation, i) for i in (0, 1)))
    v = (policy * (q - ALPHA * policy.log())).sum(1)
    critic = leaves(state["critic"])
    loss = half_squares(critic, batch, batch.reward + batch.discount * v)
    assert_gradient(after, "critic", loss, critic)

    actor = leaves(state["actor"])
    policy = torch.softmax(plain(actor, batch.observation), 1)
    q = torch.minimum(*(plain(after["critic"], batch.observation, i) for i in (0, 1)))
    loss = (policy * (ALPHA * policy.log() - q)).sum(1).mean()
    assert_gradient(after, "actor", loss, actor)
    excess = -(policy * policy.log()).sum(1).mean() - 0.5
    assert slopes(after, "temperature")["log"].item() == pytest.approx(excess.item(), rel=1e-9)
    assert_follows(state, after, "critic", config.target_rate)


def test_discrete_soft_q_learning_written_out():
    module, found, config, state = begun("sql_discrete", target_rate=0.3)
    batch = batch_of(found)
    after, logged = updated(module, found, config, state, batch)
    q = torch.minimum(*(plain(state["target"], batch.next_observation, i) for i in (0, 1)))
    v = ALPHA * torch.log(torch.exp(q / ALPHA).sum(1))
    critic = leaves(state["critic"])
    loss = half_squares(critic, batch, batch.reward + batch.discount * v)
    assert_gradient(after, "critic", loss, critic)
    assert logged["next_v"].item() == pytest.approx(v.mean().item(), rel=1e-9)
    assert_follows(state, after, "critic", 0.3)


def test_soft_q_learning_written_out():
    count = 6
    settings = {"policy": "sampler", "proposal": "uniform", "target_rate": 0.3}
    module, found, config, state = begun("sql", value_particles=5, particles=count, **settings)
    batch = batch_of(found)
    after, _ = updated(module, found, config, state, batch)
    generator = torch.Generator().manual_seed(3)
    uniform = torch.rand((ROWS, 5, 2), generator=generator)
    noise = torch.randn((2, ROWS, count, 2), generator=generator)

    weights = 0.0
    for i in range(5):  # density 1/4 on the square
        q = smaller(state["target"], batch.next_observation, 2.0 * uniform[:, i] - 1.0)
        weights = weights + torch.exp(q / ALPHA) / 0.25
    v = ALPHA * torch.log(weights / 5)
    critic = leaves(state["critic"])
    loss = half_squares(critic, batch, batch.reward + batch.discount * v)
    assert_gradient(after, "critic", loss, critic)

    # Eq. 13 and 14, particle by particle, before the squash, with the Q's that were just improved
    sampler = leaves(state["sampler"])
    total = 0.0
    for b in range(ROWS):
        seen = batch.observation[b].expand(count, 3)
        x = plain(state["sampler"], torch.cat([seen, noise[0, b]], 1)).requires_grad_()
        y = plain(sampler, torch.cat([seen, noise[1, b]], 1))
        a = torch.tanh(x)
        height = smaller(after["critic"], seen, a) + ALPHA * torch.log(1.0 - a**2).sum(1)
        (gradient,) = torch.autograd.grad(height.sum(), x)
        squared = ((x[:, None] - y[None]) ** 2).sum(-1).detach()
        h = max(squared.flatten().sort().values[count * count // 2] / math.log(count), 1e-3)
        for j in range(count):
            kappa = torch.exp(-((x - y[j].detach()) ** 2).sum(1) / h)
            (repulsion,) = torch.autograd.grad(kappa.sum(), x)
            delta = (kappa[:, None] * gradient + ALPHA * repulsion).mean(0).detach()
            total = total - (delta * y[j]).sum() / (ROWS * count)
    assert_gradient(after, "sampler", total, sampler)
    assert_follows(state, after, "critic", 0.3)


def copies(state, order):
    """Its critics, and their targets where there are any, in another order or fewer."""
    twins = [name for name in ("critic", "target") if state[name]["weight0"].ndim == 3]
    chosen = {
        name: {key: tensor[order].clone() for key, tensor in state[name].items()} for name in twins
    }
    moments = {
        kind: {key: tensor[order].clone() for key, tensor in state["critic_moments"][kind].items()}
        for kind in ("first", "second")
    }
    return copy.deepcopy(state) | chosen | {"critic_moments": state["critic_moments"] | moments}


@pytest.mark.parametrize("name", FIVE)
def test_only_the_smaller_of_two_counts_wherever_it_stands(name):
    """Beside a Q that is far above, in either place, all goes as if the other were alone."""
    module, found, config, state = begun(name)
    for network in ("critic", "target"):
        if state[network]["bias2"].ndim == 3:
            state[network]["bias2"][1] += 50.0
    batch = batch_of(found)
    alone, _ = updated(module, found, config, copies(state, [0]), batch)
    learned = [part for part in ("actor", "value", "sampler") if part in state]
    for order, place in (([0, 1], 0), ([1, 0], 1)):
        after, _ = updated(module, found, config, copies(state, order), batch)
        for part in learned:
            torch.testing.assert_close(slopes(after, part), slopes(alone, part))
        for key, gradient in slopes(alone, "critic").items():
            torch.testing.assert_close(slopes(after, "critic")[key][place], gradient[0])


@pytest.mark.parametrize("name", FIVE)
def test_a_unit_of_reward_scales_every_gradient_as_it_should(name):
    """Rewards, temperature and q times c: policies climb the same way, c times as steeply."""
    c = 8.0
    settings = {"critic_rate": 1e-30}  # the policy's gradient is at the critic it began with
    module, found, config, state = begun(name, **settings)
    _, _, scaled_config, scaled = begun(name, temperature=c * ALPHA, **settings)
    for network in ("critic", "target", "value"):
        for key in ("weight2", "bias2"):
            if network in scaled:
                scaled[network][key] *= c
    batch = batch_of(found)
    one, _ = updated(module, found, config, state, batch)
    other, _ = updated(
        module, found, scaled_config, scaled, batch._replace(reward=c * batch.reward)
    )
    for part in ("actor", "sampler"):
        if part in state:
            for key, gradient in slopes(one, part).items():
                torch.testing.assert_close(
                    slopes(other, part)[key], c * gradient, rtol=1e-6, atol=0
                )
    for part in ("critic", "value"):
        if part in state:
            for key, gradient in slopes(one, part).items():
                power = (
                    1 if key in ("weight2", "bias2") else 2
                )  # behind the scaled layer: its c too
                torch.testing.assert_close(
                    slopes(other, part)[key], c**power * gradient, rtol=1e-6, atol=1e-12
                )


@pytest.mark.usefixtures("single")
@pytest.mark.parametrize("name", FIVE)
def test_an_update_leaves_no_gradient_behind(name):
    """Even where every parameter is one that a `backward()` would fill."""
    module, found, config, state = begun(name)
    tensors = [
        tensor.requires_grad_()
        for network, group in state.items()
        if not network.endswith("moments")
        for tensor in group.values()
        if tensor.is_floating_point()
    ]
    moved = [tensor.detach().clone() for tensor in tensors]
    module.update(state, batch_of(found), drawn(module, found, config), config, found)
    assert all(tensor.grad is None for tensor in tensors)
    assert any(not torch.equal(x, y) for x, y in zip(moved, tensors, strict=True))


@pytest.mark.usefixtures("single")
@pytest.mark.parametrize(
    ("name", "learned"),
    [
        ("sac", ["critic", "actor", "temperature"]),
        ("sac_v1", ["value", "critic", "actor"]),
        ("sac_discrete", ["critic", "actor", "temperature"]),
        ("sql", ["critic", "sampler"]),
        ("sql_discrete", ["critic"]),
    ],
)
def test_each_step_moves_only_what_it_is_for(name, learned, monkeypatch):
    settings = {"temperature": None} if "temperature" in learned else {}
    module, found, config, state = begun(name, **settings)
    moved, real = [], module.adam

    def numbers():
        return {
            f"{network}/{key}": tensor.clone()
            for network, group in state.items()
            if not network.endswith("moments")
            for key, tensor in group.items()
        }

    def watched(parameters, *others):
        before = numbers()
        assert set(others[0]) == set(parameters)
        real(parameters, *others)
        now = numbers()
        changed = {key.partition("/")[0] for key in now if not torch.equal(now[key], before[key])}
        moved.append(changed)

    for place in (module, temperature):
        monkeypatch.setattr(place, "adam", watched)
    module.update(state, batch_of(found), drawn(module, found, config), config, found)
    assert moved == [{part} for part in learned]


@pytest.mark.usefixtures("single")
@pytest.mark.parametrize("temperature", [1e-300, 1e-46, 1e-6, 1e6, 1e15])
@pytest.mark.parametrize("name", FIVE)
def test_extreme_temperatures_stay_finite(name, temperature):
    module, found, config, state = begun(name, temperature=temperature)
    batch, generator = batch_of(found), torch.Generator().manual_seed(0)
    for _ in range(50):
        noise = module.draw(ROWS, generator, config, found)
        logged = module.update(state, batch, noise, config, found)
        assert all(value.isfinite().all() for value in logged.values())
    with torch.no_grad():
        action = module.act(state, batch.observation, generator, found)
    assert action.isfinite().all()
    for network, group in state.items():
        if not network.endswith("moments"):
            assert all(tensor.isfinite().all() for tensor in group.values()), network


@pytest.mark.usefixtures("single")
@pytest.mark.parametrize("particles", [1, 2])
@pytest.mark.parametrize("proposal", ["uniform", "network"])
def test_soft_q_learning_with_one_particle(particles, proposal):
    """A single sample has no spread, and is at its place: the log says 0 and training goes on."""
    settings = {"policy": "sampler", "proposal": proposal}
    module, found, config, state = begun(
        "sql", particles=particles, value_particles=particles, **settings
    )
    _, logged = updated(module, found, config, state, batch_of(found))
    assert all(value.isfinite().all() for value in logged.values())
    assert (logged["spread"] == 0.0) == (particles == 1)


@pytest.mark.parametrize("proposal", ["mixture", "uniform", "network"])
def test_every_state_of_a_minibatch_is_valued_at_actions_of_its_own(proposal):
    """The same state twelve times: shared actions would give all targets one common error."""
    module, found, config, state = begun("sql", policy="sampler", proposal=proposal)
    observation = torch.ones(ROWS, 3)
    noise = drawn(module, found, config)
    proposed = module.propose(state["sampler"], observation, noise, config)
    assert proposed.action.shape == (ROWS, config.value_particles, 2)
    assert len(torch.unique(proposed.action.flatten(1), dim=0)) == ROWS
