r"""Any Gymnasium environment, with rewards whose maximum-entropy solution is known exactly.

Choose a policy pi and a value V of the observation, and pay

    r = alpha log pi(a|s) + V(s) - gamma V(s')      (V(s') = 0 where the episode terminated,
                                                     not where it was cut)

in place of the environment's own reward.  Then (V, pi) is the soft-optimal solution, whatever the
dynamics (`KNOWN`): Q(s, a) = alpha log pi(a|s) + V(s), and a policy p loses
alpha E_p sum_t gamma^t KL(p || pi).  It stays so under partial observation, since both are
functions of the observation.

What it is no test of: exploration (every state tells all about itself), memory, and, unless
`noise` is given, learning from noisy targets, as r + gamma V(s') = Q(s, a) on every transition.

Densities are in the policy's units: [-1, 1]^m for a box with sides, scaled to the box on the way
out; the environment's own for a box without; probabilities for discrete actions.  An agent that
counts entropy in the units of the box solves r + alpha c a step, c = sum log((high - low) / 2).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, SupportsFloat

import gymnasium
import numpy as np
import torch
from numpy import ndarray
from torch import Tensor
from torch.distributions import Distribution

from maxent.errors import ConfigError
from maxent.neural.parts.spaces import Spaces
from maxent.support.arguments import require_discount, require_positive, require_real
from maxent.support.shapes import Float

FLOOR = 1e-3
"""Share of the uniform policy in every known answer on bounded or discrete actions: it bounds the
rewards, also on the border of the box, where float32 puts actions."""

Policy = Callable[[Tensor], Distribution]
Value = Callable[[Tensor], Tensor]


class KnownEnvironment:
    """An environment and its soft-optimal solution; `maxent.known_answer` makes it.

    env : the Gymnasium environment, paying the made reward; its own is in
        `info["environment_reward"]`.
    temperature, discount : alpha and gamma, at which the answer is optimal.
    noise : standard deviation of what is added to each reward; the answer is the same.
    spaces : what observations and actions are to an agent.

    Observations are flattened vectors (n, d), as agents see them (`spaces.flatten`); actions are in
    the policy's units, (n, N, m) or (n, N): N in each state.
    """

    def __init__(
        self,
        env: gymnasium.Env,
        policy: Policy,
        value: Value,
        temperature: float,
        discount: float,
        noise: float = 0.0,
    ) -> None:
        self.temperature = require_positive("temperature", temperature)
        self.discount = require_discount(discount)
        self.noise = require_real("noise", noise, "a standard deviation, at least 0")
        if self.noise < 0.0:
            raise ConfigError(f"noise = {noise!r}; give a standard deviation, at least 0")
        for name, given in (("policy", policy), ("value", value)):
            if not callable(given):
                raise ConfigError(
                    f"{name} = {str(given)[:60]} must be a function of observations, (n, d)"
                )
        if not isinstance(env, gymnasium.Env):
            raise ConfigError(f"problem = {str(env)[:60]} is neither an MDP nor an environment")
        self.spaces = Spaces(env.observation_space, env.action_space)
        self._policy, self._value = policy, value
        self._require_answer()
        self.env: gymnasium.Env = KnownReward(env, self)

    def v(self, observations: Float[ndarray, "n d"]) -> Float[ndarray, " n"]:
        """V(s), of observations in which the episode goes on."""
        seen = _doubles(observations)
        found = _called("value", self._value, seen)
        if not isinstance(found, Tensor) or found.shape != seen.shape[:1]:
            raise ConfigError(
                f"value gives {_shape(found)} for {len(seen)} observations; it must give a tensor "
                f"of shape ({len(seen)},)"
            )
        return _finite("value", found)

    def log_density(
        self, observations: Float[ndarray, "n d"], actions: ndarray
    ) -> Float[ndarray, "n N"]:
        """log pi(a|s) of N actions in each state: (n, N, m), or (n, N) discrete -> (n, N)."""
        seen = _doubles(observations)
        taken = torch.as_tensor(np.asarray(actions))
        taken = taken.long() if self.spaces.discrete else taken.double()
        per_action = taken.movedim(1, 0)  # (N, n[, m]): the distribution's own batch is n
        logs = _called("policy", lambda s: self._policy(s).log_prob(per_action), seen)
        if logs.shape != taken.shape[:2][::-1]:
            raise ConfigError(
                f"policy gives log-densities of shape {_shape(logs)} for {tuple(taken.shape[:2])} "
                "actions; it must be one number an action: "
                "torch.distributions.Independent(policy, 1) joins an action's numbers"
            )
        # On the border a squashed density is infinity less infinity: the floor is what there is.
        given = logs.movedim(0, 1).nan_to_num(nan=-math.inf)
        uniform = self._log_uniform()
        if uniform is not None:
            floor = torch.full_like(given, math.log(FLOOR) + uniform)
            given = torch.logaddexp(given + math.log1p(-FLOOR), floor)
        return _finite("the log-density of policy", given)

    def q(self, observations: Float[ndarray, "n d"], actions: ndarray) -> Float[ndarray, "n N"]:
        """Q(s, a) = alpha log pi(a|s) + V(s) of N actions in each state."""
        v, logs = self.v(observations), self.log_density(observations, actions)
        q: ndarray = self.temperature * logs + v[:, None]
        return q

    def sample(
        self, observations: Float[ndarray, "n d"], count: int = 1, seed: int = 0
    ) -> Float[ndarray, "n N *m"]:
        """`count` actions of pi in each state, (n, N, m) or (n, N); same seed, same actions."""
        seen = _doubles(observations)
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.manual_seed(seed)
            drawn = self._policy(seen).sample((count,)).movedim(0, 1)
            if self._log_uniform() is not None:
                plain = torch.rand(drawn.shape, dtype=torch.float64)
                if self.spaces.discrete:
                    other = (plain * self.spaces.action_size).long()
                else:
                    other = 2.0 * plain - 1.0
                floored = torch.rand(drawn.shape[:2], dtype=torch.float64) < FLOOR
                drawn = torch.where(
                    floored if self.spaces.discrete else floored[..., None], other, drawn
                )
        actions: ndarray = drawn.numpy()
        return actions

    def __repr__(self) -> str:
        return (
            f"KnownEnvironment({self.env}, temperature {self.temperature:g}, "
            f"discount {self.discount:g})"
        )

    def _log_uniform(self) -> float | None:
        """Log of the uniform density or probability; None where there is none."""
        if self.spaces.discrete:
            return -math.log(self.spaces.action_size)
        return -self.spaces.action_size * math.log(2.0) if self.spaces.bounded else None

    def _require_answer(self) -> None:
        """ConfigError for a policy or a value that is none, found on one observation."""
        flat = self.spaces.flatten(self.spaces.observation.sample())
        seen = np.nan_to_num(np.clip(flat, -10.0, 10.0))[None]
        self.v(seen)
        drawn = _called("policy", lambda s: self._policy(s).sample((256,)), _doubles(seen))
        size = () if self.spaces.discrete else (self.spaces.action_size,)
        if not isinstance(drawn, Tensor) or drawn.shape != (256, 1, *size):
            raise ConfigError(
                f"policy gives samples of shape {_shape(drawn)} for (256,) of 1 observation; they "
                f"must be {(256, 1, *size)}"
            )
        if self.spaces.bounded and drawn.abs().max() > 1.0:
            raise ConfigError(
                f"policy gives the action {drawn.abs().max():.4g}, outside of [-1, 1]; squash it "
                "(torch.distributions.TransformedDistribution with TanhTransform) or cut it off, "
                "with a density that integrates to 1 over the box"
            )
        self.log_density(seen, drawn.movedim(0, 1).numpy())


class KnownReward(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Pays the reward that makes a known answer right, in place of the environment's own."""

    def __init__(self, env: gymnasium.Env, known: KnownEnvironment) -> None:
        super().__init__(env)
        self.known = known
        self._seen: ndarray | None = None
        self._v = 0.0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin an episode."""
        observation, info = self.env.reset(seed=seed, options=options)
        if seed is not None:
            self._noise = np.random.default_rng([seed, 1])
        elif not hasattr(self, "_noise"):
            self._noise = np.random.default_rng()
        self._look(observation)
        return observation, info

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Take an action of the environment's space, and pay alpha log pi + V - gamma V'."""
        if self._seen is None:
            raise gymnasium.error.ResetNeeded("call reset() before step()")
        known, spaces = self.known, self.known.spaces
        observation, own, terminated, truncated, info = self.env.step(action)
        if spaces.discrete:
            taken = np.array([[int(action) - int(spaces.action.start)]])  # type: ignore[attr-defined]
        else:
            taken = spaces.from_environment(np.asarray(action, dtype=float).ravel())[None, None]
        paid = known.temperature * float(known.log_density(self._seen, taken)[0, 0]) + self._v
        self._look(observation)
        if terminated:
            self._v = 0.0
        paid -= known.discount * self._v
        if known.noise:
            paid += known.noise * self._noise.standard_normal()
        return observation, paid, terminated, truncated, info | {"environment_reward": own}

    def _look(self, observation: Any) -> None:
        self._seen = self.known.spaces.flatten(observation)[None]
        self._v = float(self.known.v(self._seen)[0])


def _doubles(observations: ndarray) -> Tensor:
    return torch.as_tensor(np.asarray(observations), dtype=torch.float64)


def _called(name: str, function: Callable[[Tensor], Any], seen: Tensor) -> Any:
    """What the user's function gives, without gradient; ConfigError for what it raises."""
    try:
        with torch.no_grad():
            return function(seen)
    except (RuntimeError, ValueError, TypeError, AttributeError) as error:
        hint = "; a network must be .double()" if "dtype" in str(error) else ""
        raise ConfigError(
            f"{name} fails on a float64 tensor of observations of shape {tuple(seen.shape)}: "
            f"{str(error).splitlines()[0]}{hint}"
        ) from error


def _shape(found: Any) -> Any:
    return tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__


def _finite(name: str, found: Tensor) -> ndarray:
    if not bool(torch.isfinite(found).all()):
        raise ConfigError(f"{name} is {float(found[~torch.isfinite(found)][0])}; it must be finite")
    array: ndarray = found.double().numpy()
    return array
