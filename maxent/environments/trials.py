"""The trainings of `maxent.testing.check_agent`: what is learnt, and at which temperature."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy import ndarray

from maxent.environments.small_worlds import Clock, Curve, Drifting, Ring

LEVELS = 7
"""Actions of a discrete case; their rewards are those of as many evenly spread points."""

MakeEnv = Callable[[], gymnasium.Env]


@dataclass(frozen=True)
class Case:
    """One training.

    name, question : as in the report.
    worlds : of the number of steps of the training, a function that makes environments.
    space : of actions.
    curves : the rewards of the states of a `Ring`, if it is one.
    temperature : alpha; None: to be tuned to `target_entropy` nats, in [-1, 1]^m.
    discount : gamma.
    share : of the steps that `check_agent` was given.
    """

    name: str
    question: str
    worlds: Callable[[int], MakeEnv]
    space: gymnasium.Space
    curves: tuple[Curve, ...]
    temperature: float | None
    discount: float
    target_entropy: float | None = None
    share: float = 1.0

    @property
    def discrete(self) -> bool:
        """Whether actions are whole numbers."""
        return isinstance(self.space, spaces.Discrete)

    @property
    def dimension(self) -> int:
        """m, of the action."""
        return 1 if self.discrete else int(np.prod(self.space.shape))  # type: ignore[arg-type]

    @property
    def bounded(self) -> bool:
        """Whether actions fill a box with sides."""
        return isinstance(self.space, spaces.Box) and bool(np.isfinite(self.space.low).all())

    @property
    def log_half(self) -> float:
        """sum_i log((high_i - low_i) / 2): an entropy in the units of the box is more by this."""
        if not self.bounded:
            return 0.0
        assert isinstance(self.space, spaces.Box)
        half: ndarray = (self.space.high.astype(float) - self.space.low) / 2.0
        return float(np.log(half).sum())


ALPHA = 0.4
"""Away from 1, where many mistakes with the temperature are none."""
EDGE = 0.05
"""The temperature of the case whose policy lies at the border of the box."""


def _box(low: float, high: float, m: int = 1) -> spaces.Box:
    return spaces.Box(low, high, (m,), np.float32)


def _three() -> tuple[Curve, ...]:
    """A peak (deviation 0.3 at ALPHA), a plain, and a slope (1 - a falls off within 0.1)."""
    peak = Curve(3.0, curvature=ALPHA / (2 * 0.3**2), centre=0.2)
    return peak, Curve(1.0), Curve(-1.0, slope=10.0 * ALPHA)


def cases(discrete: bool) -> tuple[Case, ...]:
    """The trainings, for continuous or for discrete actions."""
    three = _three()
    wide = spaces.Discrete(LEVELS) if discrete else _box(-2.0, 10.0)

    def ring(
        curves: tuple[Curve, ...], space: gymnasium.Space, cut_after: int | None = None
    ) -> Callable[[int], MakeEnv]:
        return lambda steps: lambda: Ring(curves, space, cut_after)

    common = [
        Case(
            "values",
            "three states, one after the other, then the end",
            ring(three, wide),
            wide,
            three,
            ALPHA,
            0.8,
        ),
        Case(
            "truncation",
            "the same states in a ring, cut after two steps",
            ring(three, wide, 2),
            wide,
            three,
            ALPHA,
            0.5,
        ),
    ]
    if discrete:
        one = (Curve(0.0, curvature=2.0, centre=0.0),)
        tuned = Case(
            "temperature",
            "one state, temperature tuned",
            ring(one, wide),
            wide,
            one,
            None,
            0.5,
            1.0,
        )
        return (*common, tuned)
    square, edge, line = _box(-1.65, 1.65, 2), _box(-1.0, 1.0), _box(-np.inf, np.inf)
    sharp = (Curve(0.0, curvature=40.0, centre=0.1),)
    steep = (Curve(0.0, slope=100.0 * EDGE),)
    far = (Curve(0.0, curvature=ALPHA / (2 * 0.7**2), centre=3.0),)

    def drifting(steps: int) -> MakeEnv:
        clock = Clock()
        return lambda: Drifting(clock, int(0.4 * steps), edge)

    return (
        *common,
        Case(
            "temperature",
            "one state, two actions, temperature tuned",
            ring(sharp, square),
            square,
            sharp,
            None,
            0.5,
            -2.0,
        ),
        Case(
            "border",
            "one state, its best actions at the border",
            ring(steep, edge),
            edge,
            steep,
            EDGE,
            0.5,
        ),
        Case(
            "unbounded",
            "one state, a box without sides",
            ring(far, line),
            line,
            far,
            ALPHA,
            0.5,
            share=0.6,
        ),
        Case("drift", "observations that spread later on", drifting, edge, (), ALPHA, 0.5),
    )
