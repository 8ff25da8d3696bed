"""One number an iteration, in memory that does not grow without bound."""

from __future__ import annotations

from array import array

import numpy as np
from numpy import ndarray

from maxent.support.shapes import Float, Int

MOST = 2**20
"""Numbers that are kept at most."""


class Trace:
    """The numbers of iterations 1, 2, ...: all of them up to `MOST`; then every second, fourth ...

    count : how many there were.
    """

    def __init__(self) -> None:
        self.count = 0
        self._every = 1
        self._kept = array("d")

    def append(self, number: float) -> None:
        self.count += 1
        if self.count % self._every == 0:
            self._kept.append(number)
            if len(self._kept) > MOST:
                del self._kept[::2]
                self._every *= 2

    def array(self) -> Float[ndarray, " N"]:
        """What is kept."""
        return np.array(self._kept)


def kept_iterations(count: int) -> Int[ndarray, " N"]:
    """Which of iterations 1 .. count a trace keeps."""
    every = 1
    while count // every > MOST:
        every *= 2
    return every * np.arange(1, count // every + 1)
