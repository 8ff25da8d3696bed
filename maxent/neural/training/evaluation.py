"""What whole episodes of an agent came to."""

from __future__ import annotations

from dataclasses import dataclass

from numpy import ndarray

from maxent.statistics import bootstrap_interval, interquartile_mean
from maxent.support.arguments import count
from maxent.support.shapes import Float, Int


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Whole episodes: `returns` (n,), undiscounted sums of reward, and `lengths` (n,).

    unfinished : how many were stopped at `longest` steps, where nothing had ended them.
    """

    returns: Float[ndarray, " n"]
    lengths: Int[ndarray, " n"]
    unfinished: int = 0

    def __repr__(self) -> str:
        spread = self.returns.std(ddof=1) if len(self.returns) > 1 else 0.0
        stopped = f", {self.unfinished} unfinished" if self.unfinished else ""
        return (
            f"Evaluation({count(len(self.returns), 'episode')}, return {self.returns.mean():.4g} "
            f"+- {spread:.2g}, length {self.lengths.mean():.4g}{stopped})"
        )

    def summary(self) -> str:
        """Returns and lengths in a line each, for people."""
        returns = self.returns
        lines = {
            "return": f"{returns.mean():.6g} on average, from {returns.min():.6g} to "
            f"{returns.max():.6g}, undiscounted",
            "length": f"{self.lengths.mean():.6g} steps on average",
        }
        if self.unfinished:
            lines["unfinished"] = f"{self.unfinished}, stopped at {self.lengths.max()} steps"
        if len(returns) > 1:
            low, high = bootstrap_interval(interquartile_mean, returns)
            lines["middle half"] = (
                f"{interquartile_mean(returns):.6g} on average (interquartile mean); 95 % "
                f"interval, of these episodes, {low:.6g} to {high:.6g}"
            )
        return "\n".join(f"{label:<16} {value}" for label, value in lines.items())
