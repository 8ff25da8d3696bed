"""Which correction `solve` uses when: the method that pays, found while solving.

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

from maxent.mdp import MDP
from maxent.mdp.transitions import is_local
from maxent.tabular.solvers import steps
from maxent.tabular.solvers.loop import Run

SMALL, LARGE = 2_000, 250_000
"""States up to which a local MDP is factorised at once, and at all."""
COST = 10
"""What an iteration with truncated evaluation costs, in sweeps."""
TRIAL = 10
"""Iterations after which a method is judged."""


class Choice:
    """Called before each correction; keeps `run.method` and `run.correct` up to date."""

    def __init__(self, mdp: MDP, temperature: float, run: Run) -> None:
        self.mdp, self.run = mdp, run
        self.hard = temperature == 0.0
        self.truncated = steps.neumann(steps.usual_sweeps(temperature))
        self.local = not mdp.is_sparse or is_local(mdp.transition)
        self.next_look, self.rest = 30, 20

    def __call__(self) -> steps.Correction:
        if self.run.iterations == self.next_look:
            self._look()
        return self.run.correct

    def _look(self) -> None:
        run = self.run
        self.next_look += 100
        if run.correct is steps.sweep and run.sweeps_left() <= 100:
            return
        if self._factorise():
            run.method, run.correct = "soft policy iteration", steps.direct
            self.next_look = 0  # for good: its iterations are few
        elif run.correct is steps.sweep:
            run.method, run.correct = "modified soft policy iteration", self.truncated
            self.next_look = run.iterations + TRIAL
        elif not self._pays():
            run.method, run.correct = "soft value iteration", steps.sweep
            self.next_look, self.rest = run.iterations + self.rest, 2 * self.rest

    def _factorise(self) -> bool:
        states = self.mdp.n_states
        clearly_slow = 2_000 + states // 10 if self.hard else 130
        most = LARGE if self.run.iterations >= clearly_slow else SMALL
        return not self.mdp.is_sparse or (self.local and states <= most)

    def _pays(self) -> bool:
        before, now = self.run.widths[-1 - TRIAL], self.run.widths[-1]
        return now < before * self.mdp.discount ** (TRIAL * COST)
