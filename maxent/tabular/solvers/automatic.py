"""Which step `solve` takes when: the method that pays, found while solving.

Sweeps come first, 30 of them.  If their rate promises the answer within 100 more they go on.
Otherwise:

- a direct solve (policy iteration), where a factorisation is cheap: dense MDPs, and small ones
  that couple only nearby states; larger ones of that kind once it is clear that sweeps are slow;
- else truncated evaluation (modified policy iteration), as long as ten of its iterations narrow the
  interval by more than the sweeps that they cost would for sure.  Near the hard maximum values
  spread one state an iteration, however long each policy is evaluated; then sweeps take over again
  and the trial is repeated ever more rarely.
"""

from __future__ import annotations

from collections.abc import Callable

from maxent.mdp import MDP
from maxent.mdp.transitions import is_local
from maxent.tabular.linear_systems import SMALL
from maxent.tabular.solvers import steps
from maxent.tabular.solvers.loop import History

LARGE = 250_000
"""States up to which a local MDP is factorised at all."""
COST = 10
"""What an iteration with truncated evaluation costs, in sweeps."""
FIRST, AGAIN = 30, 100
"""Sweeps before the rate is judged, and iterations between one judgement of a step and the next."""
TRIAL, REST = 10, 20
"""Iterations with truncated evaluation before they are judged; sweeps after the first failure."""


def automatic(mdp: MDP, temperature: float) -> Callable[[History], steps.Step]:
    """The rule of this page for one MDP: a function from the history to the next step.

    It keeps no record of its own: the same history gives the same step.
    """
    truncated = steps.truncated(steps.usual_sweeps(temperature))
    clearly_slow = 2_000 + mdp.n_states // 10 if temperature == 0.0 else 130

    def next_step(history: History) -> steps.Step:
        began, step = history.steps[-1]
        if step is steps.DIRECT:  # for good: its iterations are few
            return step
        waited = history.iterations - began - _first_look(history)
        if waited < 0 or waited % AGAIN:
            return step
        if step is steps.SWEEP and history.iterations_left() <= 100:
            return step
        if _factorises(mdp, history.iterations >= clearly_slow):
            return steps.DIRECT
        if step is steps.SWEEP:
            return truncated
        return truncated if _pays(history, mdp.discount) else steps.SWEEP

    return next_step


def _first_look(history: History) -> int:
    """Iterations before a step is first judged: after a failed trial twice as many each time."""
    changes = len(history.steps) - 1
    if changes == 0:
        return FIRST
    return TRIAL if changes % 2 else REST * 2 ** (changes // 2 - 1)


def _factorises(mdp: MDP, slow: bool) -> bool:
    return not mdp.is_sparse or (
        mdp.n_states <= (LARGE if slow else SMALL) and is_local(mdp.transition)
    )


def _pays(history: History, discount: float) -> bool:
    before, now = history.widths[-1 - TRIAL], history.widths[-1]
    return now < before * discount ** (TRIAL * COST)
