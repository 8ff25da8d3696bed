"""The problems of the study: a point in a box, and the dynamics of Pendulum, Hopper and
HalfCheetah, each with a solution that is chosen first.

The chosen policies are squashed Gaussians, or mixtures of them with equal weights.  Their means
move with the state, so that no constant policy is right anywhere.
"""

from __future__ import annotations

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from gymnasium.wrappers import TimeLimit
from torch import Tensor
from torch.distributions import (
    Categorical,
    Distribution,
    Independent,
    MixtureSameFamily,
    Normal,
    TanhTransform,
    TransformedDistribution,
)

import maxent
from maxent.neural.known_environment import KnownEnvironment

SIDE = 2.0
"""The point is in [-2, 2]^m."""
DEVIATION = 0.25
"""Of each Gaussian, before the squash."""
GRIDS = {1: (1, 1), 2: (2, 1), 4: (2, 2), 16: (4, 4)}
"""How the modes are laid out in the first two dimensions."""


class Point(gymnasium.Env):
    """A point that is pushed about, s' = s + .3 a, and stopped at the sides."""

    def __init__(self, dimension: int) -> None:
        self.observation_space = spaces.Box(-SIDE, SIDE, (dimension,), dtype=np.float64)
        self.action_space = spaces.Box(-1.0, 1.0, (dimension,), dtype=np.float64)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place = self.np_random.uniform(-SIDE, SIDE, self.observation_space.shape)
        return self.place.copy(), {}

    def step(self, action):
        self.place = np.clip(self.place + 0.3 * np.asarray(action), -SIDE, SIDE)
        return self.place.copy(), 0.0, False, False, {}


def mixture(means: Tensor) -> Distribution:
    """Equal weights on squashed Gaussians with these means before the squash: (n, k, m)."""
    squashed = TransformedDistribution(Normal(means, DEVIATION), [TanhTransform()])
    one_each = Independent(squashed, 1)
    if means.shape[1] == 1:
        return Independent(
            TransformedDistribution(Normal(means[:, 0], DEVIATION), [TanhTransform()]), 1
        )
    return MixtureSameFamily(Categorical(torch.ones(means.shape[:2], dtype=means.dtype)), one_each)


def centres(modes: int, dimension: int) -> Tensor:
    """(k, m): a grid between -1.2 and 1.2 in the first two dimensions, 0 in the others."""
    across, up = GRIDS[modes]
    along, over = (1.2 * (n > 1) * torch.linspace(-1, 1, n).double() for n in (across, up))
    grid = torch.cartesian_prod(along, over)
    found = torch.zeros((modes, dimension), dtype=torch.float64)
    kept = min(dimension, 2)
    found[:, :kept] = grid[:, :kept]
    return found


def point(
    *, dimension: int, modes: int, temperature: float, discount: float, noise: float
) -> KnownEnvironment:
    """V is 3 sum_i sin(1.5 s_i) / sqrt(m): it varies as much in every dimension."""
    placed = centres(modes, dimension)

    def policy(s: Tensor) -> Distribution:
        return mixture(placed - 0.4 * s[:, None])

    def value(s: Tensor) -> Tensor:
        return 3.0 * torch.sin(1.5 * s).sum(1) / dimension**0.5

    env = TimeLimit(Point(dimension), 50)
    return maxent.known_answer(env, policy, value, temperature, discount, noise)


def pendulum(*, modes: int, temperature: float, discount: float, noise: float) -> KnownEnvironment:
    """Pendulum-v1's dynamics; the chosen torque follows the angle, V the height and the speed."""
    placed = centres(modes, 1)

    def policy(s: Tensor) -> Distribution:
        return mixture(placed - 0.4 * s[:, 1:2, None])

    def value(s: Tensor) -> Tensor:
        return 2.0 * s[:, 0] + 0.4 * s[:, 2]

    env = gymnasium.make("Pendulum-v1")
    return maxent.known_answer(env, policy, value, temperature, discount, noise)


def robot(
    env_id: str, *, scale: float, modes: int, temperature: float, discount: float, noise: float
) -> KnownEnvironment:
    """A MuJoCo robot's dynamics.  V is 3 sum_i sin(1.5 tanh(s_i / scale)) / sqrt(d); the means of
    the chosen torques follow the speeds of the joints that they drive, the last numbers observed.

    Joints of HalfCheetah turn at about 8 a second, one way in a step and the other way in the next:
    with a scale of 1 the answer follows the signs of its speeds, with 10 the speeds.
    """
    env = gymnasium.make(env_id)
    assert isinstance(env.observation_space, spaces.Box) and isinstance(
        env.action_space, spaces.Box
    )
    seen, driven = env.observation_space.shape[0], env.action_space.shape[0]
    placed = centres(modes, driven)

    def policy(s: Tensor) -> Distribution:
        return mixture(placed - 0.8 * torch.tanh(s[:, None, -driven:] / scale))

    def value(s: Tensor) -> Tensor:
        return 3.0 * torch.sin(1.5 * torch.tanh(s / scale)).sum(1) / seen**0.5

    return maxent.known_answer(env, policy, value, temperature, discount, noise)
