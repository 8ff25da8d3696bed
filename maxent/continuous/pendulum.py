"""Gymnasium's Pendulum-v1 as a vectorised task, and the grid on which it is solved exactly.

State (angle, angular velocity), angle 0 upright; torque |u| <= 2, time step 0.05:

    velocity' = clip(velocity + (15 sin(angle) + 3 u) 0.05, +-8),  angle' = angle + 0.05 velocity',
    reward = -(angle^2 + 0.1 velocity^2 + 0.001 u^2), the angle taken in [-pi, pi),

what an agent sees is (cos angle, sin angle, velocity), an episode starts at an angle uniform in
[-pi, pi] with a velocity uniform in [-1, 1], and nothing ever terminates.  The reward is that of
the state before the step.
"""

from __future__ import annotations

import math

import numpy as np
from numpy import ndarray

from maxent.continuous.discretise import Discretisation, discretise
from maxent.continuous.tasks import Task
from maxent.support.shapes import Bool, Float

TORQUE, SPEED, TIME_STEP = 2.0, 8.0, 0.05


def step(
    states: Float[ndarray, "N 2"], actions: Float[ndarray, "N 1"]
) -> tuple[Float[ndarray, "N 2"], Float[ndarray, " N"], Bool[ndarray, " N"]]:
    """One step of each pendulum: next states, rewards, terminated (never)."""
    angle, velocity = states.T
    torque = np.clip(actions[:, 0], -TORQUE, TORQUE)
    wrapped = (angle + math.pi) % (2.0 * math.pi) - math.pi
    reward = -(wrapped**2 + 0.1 * velocity**2 + 0.001 * torque**2)
    velocity = velocity + (15.0 * np.sin(angle) + 3.0 * torque) * TIME_STEP
    velocity = np.clip(velocity, -SPEED, SPEED)
    after = np.stack([angle + velocity * TIME_STEP, velocity], axis=1)
    return after, reward, np.zeros(len(states), dtype=bool)


def start(count: int, rng: np.random.Generator) -> Float[ndarray, "N 2"]:
    """Start states as those of Pendulum-v1, (count, 2)."""
    return rng.uniform([-math.pi, -1.0], [math.pi, 1.0], size=(count, 2))


def observe(states: Float[ndarray, "N 2"]) -> Float[ndarray, "N 3"]:
    """(cos angle, sin angle, velocity) of each state."""
    return np.stack([np.cos(states[:, 0]), np.sin(states[:, 0]), states[:, 1]], axis=1)


TASK = Task(
    step=step,
    state_low=(-math.pi, -SPEED),
    state_high=(math.pi, SPEED),
    action_low=(-TORQUE,),
    action_high=(TORQUE,),
    periodic=(True, False),
    start=start,
    observe=observe,
)


def pendulum(
    states: tuple[int, int] = (200, 201), actions: int = 21, *, discount: float = 0.99
) -> Discretisation:
    """Pendulum-v1 on a grid; docs/continuous.md says what the resolution costs in return."""
    return discretise(TASK, states, (actions,), discount=discount)
