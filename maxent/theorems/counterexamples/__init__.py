"""What goes wrong without a hypothesis: small problems on which the conclusion fails.

Each function takes nothing, computes its problem anew (fractions of a second) and returns a
`CounterExample` with the MDP and the numbers.  `ALL` lists them by key; what each is against, and
the hypothesis that is missing, stand in `maxent.theorems.statements`; docs/counterexamples.md tells
them one by one; `maxent.plots.counterexample` draws any of them.
"""

from __future__ import annotations

from collections.abc import Callable

from maxent.theorems.counterexamples.iterations import (
    bare_residual,
    boltzmann_average,
    free_loop,
    unbounded_partition,
    undiscounted,
)
from maxent.theorems.counterexamples.limits import (
    hard_q_in_the_bound,
    non_uniform_limit,
    stochastic_inference,
)
from maxent.theorems.counterexamples.record import CounterExample
from maxent.theorems.counterexamples.shared_parameters import (
    tied_best,
    tied_improvement,
    tied_oscillation,
)

ALL: dict[str, Callable[[], CounterExample]] = {
    "NOT-TIED-IMPROVED": tied_improvement,
    "NOT-TIED-BEST": tied_best,
    "NOT-TIED-CONVERGENT": tied_oscillation,
    "NOT-ANY-SOFTMAX": boltzmann_average,
    "NOT-UNDISCOUNTED": undiscounted,
    "NOT-UNBOUNDED": unbounded_partition,
    "NOT-BARE-RESIDUAL": bare_residual,
    "NOT-STOCHASTIC": stochastic_inference,
    "NOT-UNIFORM": non_uniform_limit,
    "NOT-HARD-Q": hard_q_in_the_bound,
    "NOT-FREE-LOOP": free_loop,
}
"""Every counter-example by key, the function that computes it."""

__all__ = ["ALL", "CounterExample", "run_all", *sorted(f.__name__ for f in ALL.values())]


def run_all() -> tuple[CounterExample, ...]:
    """All of them, in the order of `ALL`; about two seconds."""
    return tuple(function() for function in ALL.values())
