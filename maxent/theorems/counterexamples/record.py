"""What a counter-example reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy import ndarray

from maxent.mdp import MDP
from maxent.theorems.statements import STATEMENTS


@dataclass(frozen=True, eq=False)
class CounterExample:
    """A problem on which a theorem's conclusion fails, since one hypothesis does.

    key : its name, as in "NOT-UNIFORM".
    against : the key of the theorem whose hypothesis is missing.
    hypothesis : the hypothesis, in words.
    claim : what happens without it, one sentence.
    source : where it comes from.
    mdp : the problem (the first, where there are several).
    temperature : alpha; nan where several are used.
    shown : whether what was computed bears the claim out.
    numbers : the quantities quoted, by name; values discounted, in units of reward.
    curves : arrays for the figure, by name.
    """

    key: str
    against: str
    hypothesis: str
    claim: str
    source: str
    mdp: MDP
    temperature: float
    shown: bool
    numbers: Mapping[str, float]
    curves: Mapping[str, ndarray] = field(repr=False)

    def __post_init__(self) -> None:
        plain = {name: float(value) for name, value in self.numbers.items()}
        arrays = {name: np.array(value, dtype=float) for name, value in self.curves.items()}
        for array in arrays.values():
            array.setflags(write=False)
        object.__setattr__(self, "numbers", MappingProxyType(plain))
        object.__setattr__(self, "curves", MappingProxyType(arrays))

    @classmethod
    def of(
        cls,
        key: str,
        mdp: MDP,
        temperature: float,
        shown: Any,
        numbers: Mapping[str, float],
        curves: Mapping[str, ndarray],
    ) -> CounterExample:
        """The counter-example of a key, whose words are in the table of statements."""
        about = STATEMENTS[key]
        words = (about.against, about.missing, about.plain, about.source)
        return cls(key, *words, mdp, temperature, bool(shown), numbers, curves)

    def __str__(self) -> str:
        verdict = "shown" if self.shown else "NOT shown"
        lines = [f"{name:<34} {value:.10g}" for name, value in self.numbers.items()]
        head = [f"{self.key} (against {self.against}): {verdict}", f"  needs: {self.hypothesis}"]
        return "\n".join([*head, f"  without: {self.claim}", *(f"    {line}" for line in lines)])
