"""A soft actor-critic of one page, with mistakes that can be switched on: what the suite must name.

`SmallSac()` is right.  `SmallSac("entropy missing in the target")` has the mistake of that name in
`MISTAKES`, made where implementations make it: in one line of the target, the loss, the replay
buffer, the environment's wrapper or the reported density.
"""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import relu, softplus

MISTAKES = (
    # the target of Q
    "entropy missing in the target",
    "temperature missing in the target",
    "wrong sign of the entropy in the target",
    "termination bootstrapped",
    "termination at the time limit bootstrapped",
    "truncation cut",
    "next episode's observation",
    "autoreset step stored",
    "termination inverted",
    "entropy bonus after the end",
    "current observation stored as the next",
    "temperature squared in the target",
    "bonus of the current state",
    "target frozen",
    "discount missing",
    "discount squared",
    # the policy
    "entropy missing in the actor",
    "temperature missing in the actor",
    "wrong sign of the entropy in the actor",
    "temperature inverted",
    "jacobian missing",
    "tanh clamped",
    "unbounded box squashed",
    "box not scaled",
    "box taken as symmetric",
    "critic sees actions in units of the box",
    # the temperature, and the units of the density
    "target entropy's sign",
    "target entropy of one dimension",
    "temperature's loss with the wrong sign",
    "temperature not tuned",
    "density in units of the box",
    # what is seen, paid and reported
    "replay normalised at collection",
    "policy sees other statistics",
    "observation ignored by the policy",
    "observations clipped",
    "rewards scaled",
    "reward discounted",
    "constant in the reward",
    "reported density without jacobian",
    "reported density in units of the box",
)


def networks(members: int, sizes: tuple[int, ...], generator: torch.Generator) -> list[Tensor]:
    """Weights of `members` networks side by side, as PyTorch begins them."""
    made = []
    for fan_in, fan_out in pairwise(sizes):
        for shape in ((members, fan_in, fan_out), (members, 1, fan_out)):
            drawn = torch.rand(shape, generator=generator) * 2.0 - 1.0
            made.append((drawn / math.sqrt(fan_in)).requires_grad_())
    return made


def forward(weights: list[Tensor], x: Tensor) -> Tensor:
    """(n, d) -> (members, n, out)."""
    x = x.expand(len(weights[0]), *x.shape)
    for layer in range(0, len(weights), 2):
        x = torch.baddbmm(weights[layer + 1], x, weights[layer])
        x = relu(x) if layer < len(weights) - 2 else x
    return x


class SmallSac:
    """An adapter; `train` begins anew."""

    def __init__(
        self,
        mistake: str | None = None,
        *,
        hidden: tuple[int, ...] = (32, 32),
        critics: int = 2,
        rate: float = 3e-3,
        target_rate: float = 0.02,
        batch: int = 64,
        normalise: bool = False,
    ) -> None:
        assert mistake is None or mistake in MISTAKES, mistake
        self.mistake, self.hidden, self.critics, self.batch = mistake, hidden, critics, batch
        self.rate, self.target_rate = rate, target_rate
        normalising = ("replay normalised at collection", "policy sees other statistics")
        self.normalise = normalise or mistake in normalising

    def has(self, *names: str) -> bool:
        return self.mistake in names

    def train(
        self,
        make_env: Any,
        *,
        steps: int,
        temperature: float | None,
        target_entropy: float | None,
        discount: float,
        seed: int,
    ) -> None:
        self.generator = torch.Generator().manual_seed(seed)
        self.env, self.discount = make_env(), discount
        box, observed = self.env.action_space, self.env.observation_space.shape[0]
        self.m = m = box.shape[0]
        self.bounded = bool(np.isfinite(box.low).all())
        self.squash = self.bounded or self.has("unbounded box squashed")
        self.low, self.high = (torch.as_tensor(side) for side in (box.low, box.high))
        sizes = (observed + m, *self.hidden, 1)
        self.critic = networks(self.critics, sizes, self.generator)
        self.target = [w.detach().clone() for w in self.critic]
        self.actor = networks(1, (observed, *self.hidden, 2 * m), self.generator)
        self.log_alpha = torch.zeros((), requires_grad=True)
        self.fixed, self.wanted = temperature, target_entropy
        self.optimisers = [
            torch.optim.Adam(p, lr=self.rate) for p in (self.critic, self.actor, [self.log_alpha])
        ]
        self.count, self.sum = 1e-6, torch.zeros(observed)
        self.squares = torch.full((observed,), 1e-6)
        self.replay = self.live(steps, seed)
        next(self.replay)
        for _ in self.replay:
            self.update()

    # acting

    def seen(self, observation: Tensor) -> Tensor:
        if not self.normalise:
            return observation
        mean = self.sum / self.count
        return (observation - mean) / (self.squares / self.count - mean**2).clamp(1e-8).sqrt()

    def act(self, observation: Tensor, statistics: bool = True) -> tuple[Tensor, Tensor, Tensor]:
        """Policy's action, its log-density and u, (n, m), (n,), (n, m); differentiable."""
        x = self.seen(observation) if statistics else observation
        mean, log_std = self.head(x)
        noise = torch.randn(mean.shape, generator=self.generator)
        u = mean + log_std.exp() * noise
        return self.squashed(u), self.density(u, mean, log_std), u

    def head(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-deviation before the tanh."""
        if self.has("observation ignored by the policy"):
            x = torch.zeros_like(x)
        if self.has("observations clipped"):
            x = x.clamp(-1.0, 1.0)
        mean, log_std = forward(self.actor, x)[0].chunk(2, -1)
        return mean, log_std.clamp(-12.0, 2.0)

    def squashed(self, u: Tensor) -> Tensor:
        return torch.tanh(u) if self.squash else u

    def density(self, u: Tensor, mean: Tensor, log_std: Tensor) -> Tensor:
        log = -(0.5 * ((u - mean) / log_std.exp()) ** 2 + log_std + 0.5 * math.log(2 * math.pi))
        if self.squash and not self.has("jacobian missing"):
            if self.has("tanh clamped"):
                log = log - torch.log(1.0 - torch.tanh(u) ** 2 + 0.03)
            else:
                log = log - 2.0 * (math.log(2.0) - u - softplus(-2.0 * u))
        if self.bounded and self.has("density in units of the box"):
            log = log - torch.log((self.high - self.low) / 2.0)
        return log.sum(-1)

    def to_env(self, action: Tensor) -> Tensor:
        if not self.squash or not self.bounded or self.has("box not scaled"):
            return action
        if self.has("box taken as symmetric"):
            return self.high * action
        return self.low + 0.5 * (action + 1.0) * (self.high - self.low)

    # living

    def live(self, steps: int, seed: int) -> Iterator[None]:
        """Take steps and store transitions; yields after each step that an update follows."""
        env, first = self.env, min(200, steps // 4)
        size = 2 * steps
        observed, m = env.observation_space.shape[0], self.m
        self.rows = torch.zeros(size, 2 * observed + m + 2)
        self.filled = 0
        observation, _ = env.reset(seed=seed)
        yield
        for step in range(steps):
            seen = torch.as_tensor(observation)
            self.count, self.sum = self.count + 1, self.sum + seen
            self.squares = self.squares + seen**2
            if step < first:
                action = torch.rand(m, generator=self.generator) * 2.0 - 1.0
            else:
                with torch.no_grad():
                    action = self.act(seen[None])[0][0]
            taken = self.to_env(action)
            if self.bounded:
                taken = taken.clamp(self.low, self.high)
            after, reward, terminated, truncated, _ = env.step(taken.numpy())
            following, over = after, terminated or truncated
            if over:
                following, _ = env.reset()
            ended = terminated
            if self.has("termination bootstrapped"):
                ended = False
            if self.has("termination at the time limit bootstrapped"):
                ended = terminated and not truncated
            if self.has("truncation cut"):
                ended = over
            stored = following if self.has("next episode's observation") else after
            kept = taken if self.has("critic sees actions in units of the box") else action
            if self.has("current observation stored as the next"):
                stored = observation
            reward = 0.25 * reward if self.has("rewards scaled") else reward
            reward = reward + 1.0 if self.has("constant in the reward") else reward
            self.store(observation, kept, reward, stored, ended)
            if over and self.has("autoreset step stored"):
                with torch.no_grad():
                    idle = self.act(torch.as_tensor(after)[None])[0][0]
                self.store(after, idle, 0.0, following, False)
            observation = following
            if step >= first:
                yield

    def store(
        self, observation: Any, action: Tensor, reward: float, after: Any, ended: bool
    ) -> None:
        seen, then = torch.as_tensor(observation), torch.as_tensor(after)
        if self.has("replay normalised at collection"):
            seen, then = self.seen(seen), self.seen(then)
        on = torch.tensor([reward, 0.0 if ended else self.discount], dtype=torch.float32)
        self.rows[self.filled] = torch.cat([seen, action, on, then])
        self.filled += 1

    # learning

    def smaller_q(self, weights: list[Tensor], x: Tensor, action: Tensor) -> Tensor:
        return forward(weights, torch.cat([x, action], -1))[..., 0].amin(0)

    def update(self) -> None:
        chosen = torch.randint(self.filled, (self.batch,), generator=self.generator)
        m, d = self.m, self.env.observation_space.shape[0]
        s, a, r, on, after = self.rows[chosen].split([d, m, 1, 1, d], -1)
        r, on = r[:, 0], on[:, 0]
        normalised = self.has("replay normalised at collection")
        x, x_after = (s, after) if normalised else (self.seen(s), self.seen(after))
        alpha = self.fixed or float(self.log_alpha.detach().exp())
        if self.has("temperature inverted"):
            alpha = 1.0 / alpha
        if self.has("discount missing"):
            on = (on > 0.0).float()
        if self.has("discount squared"):
            on = on**2
        if self.has("termination inverted"):
            on = self.discount * (on == 0.0)
        r = self.discount * r if self.has("reward discounted") else r
        with torch.no_grad():
            next_action, log_next, _ = (
                self.act(x_after, statistics=False) if normalised else self.act(after)
            )
            weight = {
                "entropy missing in the target": 0.0,
                "temperature missing in the target": 1.0,
                "temperature squared in the target": alpha**2,
                "wrong sign of the entropy in the target": -alpha,
            }.get(self.mistake or "", alpha)
            next_v = self.smaller_q(self.target, x_after, next_action) - weight * log_next
            y = r + on * next_v
            if self.has("entropy bonus after the end"):
                y = y - (on == 0.0) * self.discount * alpha * log_next
            if self.has("bonus of the current state"):
                y = y - alpha * self.act(s)[1]
        q = forward(self.critic, torch.cat([x, a], -1))[..., 0]
        self.descend(0, 0.5 * (q - y).square().mean(-1).sum())

        action, log, _ = self.act(x, statistics=False) if normalised else self.act(s)
        weight = alpha
        if self.has("temperature missing in the actor"):
            weight = 1.0
        if self.has("wrong sign of the entropy in the actor"):
            weight = -weight
        entropy = 0.0 if self.has("entropy missing in the actor") else weight * log
        self.descend(1, (entropy - self.smaller_q(self.critic, x, action)).mean(), self.actor)

        if self.fixed is None and not self.has("temperature not tuned"):
            wanted = float(self.wanted or 0.0)
            if self.has("target entropy's sign"):
                wanted = -wanted
            if self.has("target entropy of one dimension"):
                wanted = wanted / m
            loss = -self.log_alpha * (log.detach() + wanted).mean()
            if self.has("temperature's loss with the wrong sign"):
                loss = -loss
            self.descend(2, loss)
        if not self.has("target frozen"):
            with torch.no_grad():
                for old, new in zip(self.target, self.critic):
                    old.lerp_(new, self.target_rate)

    def descend(self, which: int, loss: Tensor, inputs: list[Tensor] | None = None) -> None:
        optimiser = self.optimisers[which]
        optimiser.zero_grad()
        loss.backward(inputs=inputs)
        optimiser.step()

    # being looked at

    @torch.no_grad()
    def sample(self, observations: Any, n: int, seed: int) -> Any:
        self.generator.manual_seed(seed)
        seen = torch.as_tensor(observations, dtype=torch.float32)
        each = seen.repeat_interleave(n, 0)
        action = self.act(each, statistics=not self.has("policy sees other statistics"))[0]
        return self.to_env(action).reshape(len(seen), n, self.m).numpy()

    @torch.no_grad()
    def log_density(self, observations: Any, actions: Any) -> Any:
        seen = torch.as_tensor(observations, dtype=torch.float32)
        unit = self.from_env(actions)
        mean, log_std = (part[:, None] for part in self.head(self.seen(seen)))
        u = torch.atanh(unit.clamp(-1 + 1e-6, 1 - 1e-6)) if self.squash else unit
        log = -(0.5 * ((u - mean) / log_std.exp()) ** 2 + log_std + 0.5 * math.log(2 * math.pi))
        if self.squash and not self.has("reported density without jacobian"):
            log = log - 2.0 * (math.log(2.0) - u - softplus(-2.0 * u))
        if self.has("reported density in units of the box") and self.bounded:
            log = log - torch.log((self.high - self.low) / 2.0)
        return log.sum(-1).numpy()

    def from_env(self, actions: Any) -> Tensor:
        taken = torch.as_tensor(np.asarray(actions), dtype=torch.float32)
        if not self.bounded:
            return taken
        return 2.0 * (taken - self.low) / (self.high - self.low) - 1.0

    @torch.no_grad()
    def q(self, observations: Any, actions: Any) -> Any:
        seen = self.seen(torch.as_tensor(observations, dtype=torch.float32))
        unit = self.from_env(actions)
        if self.has("critic sees actions in units of the box"):
            unit = torch.as_tensor(np.asarray(actions), dtype=torch.float32)
        each = seen[:, None].expand(-1, unit.shape[1], -1)
        flat = self.smaller_q(
            self.critic, each.reshape(-1, seen.shape[1]), unit.reshape(-1, self.m)
        )
        return flat.reshape(unit.shape[:2]).numpy()
