"""One input of one clause, and how close it came."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray

from maxent.theorems.check import Verdict

_GRAVITY: dict[Verdict, int] = {"holds": 0, "undecided": 1, "fails": 2}


@dataclass(frozen=True)
class Case:
    """One input of one clause: the worst slack over states and actions, and where."""

    slack: float
    tolerance: float
    doubt: float
    witness: dict[str, Any]

    @classmethod
    def worst_of(
        cls, slack: ndarray, where: ndarray, tolerance: float, doubt: float, **witness: Any
    ) -> Case:
        """The case of slacks over (), (S,) or (S, A), looked at only `where` (same shape)."""
        looked_at = np.where(where, np.where(np.isnan(slack), -np.inf, slack), np.inf)
        place = np.unravel_index(int(np.argmin(looked_at)), looked_at.shape)
        named = {name: int(i) for name, i in zip(("state", "action"), place)}
        return cls(float(looked_at[place]), float(tolerance), float(doubt), witness | named)

    @property
    def verdict(self) -> Verdict:
        """The true slack lies within `doubt` of the one found: where does that interval lie?"""
        if not (self.tolerance < math.inf and self.slack >= -(self.tolerance + self.doubt)):
            return "fails"  # nan as well: something was not finite
        return "holds" if self.slack >= self.doubt - self.tolerance else "undecided"

    @property
    def gravity(self) -> tuple[int, float]:
        """For comparing cases: by verdict, then by how many tolerances the slack is negative."""
        scale = self.tolerance if self.tolerance > 0.0 else math.ulp(0.0)
        with np.errstate(all="ignore"):
            excess = float(-np.float64(self.slack) / scale)
        return _GRAVITY[self.verdict], math.inf if math.isnan(excess) else excess
