"""The finite Markov decision process that everything else is about.

States s = 0 ... S-1, actions a = 0 ... A-1, transition probabilities P(s'|s,a), expected reward
r(s,a), discount gamma, initial distribution mu(s).

- The last axis is always actions: `transition` is (S, A, S) dense, or CSR of shape (S*A, S)
  with row s*A + a.
- A **terminal** state has value 0: it earns no reward and no entropy, and whatever its rows say
  is dropped.  An **absorbing** state is an ordinary state that stays where it is: it goes on
  earning reward and entropy.
- Not every action need be available in every state: `action_mask` (S, A) is true where it is.
- The discount enters every formula as a *discount on arrival*: gamma, or 0 at a terminal state.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy import ndarray
from scipy import sparse

from maxent.errors import ConfigError, ModelError
from maxent.mdp import states, storage, transitions, validation
from maxent.mdp.grid import Grid
from maxent.mdp.transitions import Transition
from maxent.support.arguments import count, quoted, require_discount
from maxent.support.arrays import logs, read_only
from maxent.support.memory import require_memory
from maxent.support.other_words import AnswersOurWords, takes_our_words
from maxent.support.shapes import Float, Int

FREE_OF_RULES = {"discount", "state_names", "action_names", "grid", "observations"}
"""What can change in a gridworld without its transitions and rewards being others."""

HOW_TO_REPLACE = (
    "to change an MDP write mdp.replace(discount=0.5), not dataclasses.replace(mdp, ...)"
)


@dataclass(frozen=True, eq=False, init=False, repr=False)
class MDP(AnswersOurWords):
    """A validated, immutable finite MDP.

    Parameters
    ----------
    transition : (S, A, S) array, or a SciPy sparse array of shape (S*A, S) with row s*A + a.
    reward : by its dimensions: (S,) paid when acting in s; (S, A); (S, A, S) paid on that
        transition (solvers use its expectation, simulation the samples).
    discount : gamma in [0, 1].
    initial_distribution : (S,), or {state: probability}, or the one state in which all begins;
        left out: uniform over the non-terminal states.
    terminal : bool (S,), or a list of states; left out: none.  A state is given by its number or,
        where it has one, its name.
    action_mask : bool (S, A), true where an action is available; left out: all are.  The row of
        a terminal state may be all false.
    transition_reward : for sparse transitions, instead of `reward`: sparse (S*A, S) within the
        transition's pattern, paid on that transition.
    state_names, action_names : optional names, one each.
    grid : optional `maxent.mdp.grid.Grid`: where the states lie on a map, for figures.
    observations : optional (S, d, ...): what an agent sees in each state; left out: its number.
    actions : optional (A, m): the action of a continuous space that each number stands for.

    Inputs are copied.  Rows of terminal states and of unavailable actions are dropped (set to
    zero), as they are never used.  A terminal state has value 0: it earns no reward and no
    entropy.  `save(path)` writes everything to an .npz file, `MDP.load(path)` reads it back.

    Raises ModelError (arrays; it names state, action and value) or ConfigError (discount).

    >>> import numpy as np
    >>> import maxent
    >>> transition = np.zeros((2, 2, 2))  # state, action, next state
    >>> transition[0, 0, 0] = transition[0, 1, 1] = 1.0  # stay, go
    >>> mdp = maxent.MDP(transition, [[0.0, 1.0], [0.0, 0.0]], discount=0.9, terminal=[1])
    >>> mdp
    MDP(2 states, 2 actions, discount 0.9, dense, 1 terminal)
    >>> maxent.solve(mdp, temperature=0.0).v.tolist()  # go at once; the terminal state has value 0
    [1.0, 0.0]
    """

    transition: Transition
    reward: ndarray
    discount: float
    initial_distribution: ndarray
    terminal: ndarray
    action_mask: ndarray
    transition_reward: Transition | None
    state_names: tuple[str, ...] | None
    action_names: tuple[str, ...] | None
    grid: Grid | None
    observations: ndarray | None
    actions: ndarray | None

    @takes_our_words
    def __init__(
        self,
        transition: Any,
        reward: Any = None,
        *,
        discount: float,
        initial_distribution: Any = None,
        terminal: Any = None,
        action_mask: Any = None,
        transition_reward: Any = None,
        state_names: Sequence[str] | None = None,
        action_names: Sequence[str] | None = None,
        grid: Grid | None = None,
        observations: Any = None,
        actions: Any = None,
    ) -> None:
        discount = require_discount(discount)
        if (reward is None) == (transition_reward is None):
            both = "" if reward is None else f"; {HOW_TO_REPLACE}"
            raise ModelError(f"give exactly one of reward and transition_reward{both}")
        rows, n_states, n_actions = transitions.transition_rows(transition)
        named = validation.names("state_names", state_names, n_states)
        acts = validation.names("action_names", action_names, n_actions)
        at_end = states.terminal_states(terminal, n_states, named)
        if action_mask is None:
            available = np.ones((n_states, n_actions), dtype=bool)
        else:
            available = validation.boolean_array("action_mask", action_mask, (n_states, n_actions))
        nothing = ~available.any(axis=1)
        if (nothing & ~at_end).any():
            raise ModelError(
                f"{validation.place('state', int(np.argmax(nothing & ~at_end)), named)} has no "
                "available action in action_mask; leave it one, or mark the state terminal"
            )
        needed = (available & ~at_end[:, None]).ravel()
        sums = validation.require_transition_rows(rows, needed, n_actions, 0, named, acts)
        transitions.drop_rows(rows, needed)

        samples: Transition | None = None
        if transition_reward is not None:
            samples = transitions.aligned_reward(transition_reward, rows, n_actions)
            paid_on = (rows.data * samples.data, rows.indices, rows.indptr)  # of one pattern
            expected = sparse.csr_array(paid_on, rows.shape).sum(axis=1)
            expected = np.asarray(expected).reshape(n_states, n_actions)
        else:
            paid = available & ~at_end[:, None]
            expected, samples = transitions.expected_reward(reward, rows, paid, n_actions)
        available[at_end & nothing] = True  # placeholders, as in every other terminal state
        expected = np.where(needed.reshape(available.shape), expected, 0.0)
        validation.require_reward(expected)

        if initial_distribution is None:
            start = (~at_end).astype(float)
            if not start.any():
                raise ModelError("every state is terminal: give initial_distribution")
            start /= start.sum()
        else:
            start = states.start_distribution(initial_distribution, n_states, named)
        if grid is not None and not (isinstance(grid, Grid) and grid.cells.shape == (n_states, 2)):
            raise ModelError(f"grid = {quoted(grid)} is no maxent.Grid with a cell for each state")
        shape = (n_states, n_actions, n_states)
        fields = {
            "transition": rows if sparse.issparse(rows) else rows.reshape(shape),
            "reward": expected,
            "discount": discount,
            "initial_distribution": start,
            "terminal": at_end,
            "action_mask": available,
            "transition_reward": samples,
            "state_names": named,
            "action_names": acts,
            "grid": grid,
            "observations": validation.points("observations", observations, n_states),
            "actions": validation.points("actions", actions, n_actions, flat=True),
        }
        for name, value in fields.items():
            read_only(value)
            object.__setattr__(self, name, value)
        if not at_end.any():
            self.__dict__["going_on"] = (float(sums[needed].min()), float(sums[needed].max()))

    @cached_property
    def going_on(self) -> tuple[float, float]:
        """The least and the greatest probability of going on to a nonterminal state, over the
        available actions of nonterminal states: about (1, 1) without terminal states."""
        nonterminal = ~self.terminal
        if not nonterminal.any():
            return 0.0, 0.0
        sums = self.expect(nonterminal.astype(float))[self.action_mask & nonterminal[:, None]]
        return float(sums.min()), float(sums.max())

    @cached_property
    def nonterminal(self) -> Int[ndarray, " N"] | slice:
        """What selects the nonterminal states: their numbers, or a slice where all are."""
        if not self.terminal.any():
            return slice(None)
        found = np.flatnonzero(~self.terminal)
        read_only(found)
        return found

    @cached_property
    def all_available(self) -> bool:
        """Whether every action is available in every state."""
        return bool(self.action_mask.all())

    @cached_property
    def extremes(self) -> tuple[int, float]:
        """The most actions that a nonterminal state has, and the largest size of their rewards."""
        used = self.action_mask & ~self.terminal[:, None]
        count = int(used.sum(axis=1).max(initial=1))
        return count, float(np.abs(self.reward[used]).max(initial=0.0))

    @cached_property
    def longest_row(self) -> int:
        """Entries of the longest transition row; of a dense one S."""
        if self.is_sparse:
            return int(np.diff(self.transition.indptr).max(initial=1))
        return self.n_states

    is_matrix_free = False
    """Whether `transition` is made only on demand (`maxent.mdp.matrix_free`)."""

    @property
    def n_states(self) -> int:
        """S, terminal states included."""
        found: int = self.reward.shape[0]
        return found

    @property
    def n_actions(self) -> int:
        """A, unavailable actions included."""
        found: int = self.reward.shape[1]
        return found

    @property
    def is_sparse(self) -> bool:
        """Whether `transition` is CSR (S*A, S) rather than a dense (S, A, S) array."""
        return not isinstance(self.transition, ndarray)

    @property
    def transition_rows(self) -> Transition:
        """The transition as a matrix (S*A, S) with row s*A + a, dense or CSR; no copy."""
        if self.is_sparse:
            return self.transition
        return self.transition.reshape(-1, self.n_states)

    @property
    def discount_on_arrival(self) -> Float[ndarray, " S"]:
        """(S,): gamma, or 0 at a terminal state."""
        return np.where(self.terminal, 0.0, self.discount)

    @property
    def log_mask(self) -> Float[ndarray, "S A"] | None:
        """(S, A): 0 for an available action, -inf for another; None where all are available."""
        if self.all_available:
            return None
        return logs(self.action_mask.astype(float))

    def log_prior(self, prior: Any = None) -> Float[ndarray, "S A"] | None:
        """log prior(a|s), (S, A), -inf for an action never taken; `log_mask` where prior is None.

        prior: action probabilities (S, A) or (A,).  Raises ModelError for anything else.
        """
        if prior is None:
            return self.log_mask
        array = validation.action_distribution("prior", prior, self.action_mask, self.terminal)
        return logs(array)

    def expect(self, x: Float[ndarray, " S"]) -> Float[ndarray, "S A"]:
        """E_{s'}[x(s')] for each state and action: (S,) -> (S, A)."""
        return self._expected(validation.of_states("x", x, self.n_states))

    def _expected(self, x: Float[ndarray, " S"]) -> Float[ndarray, "S A"]:
        found: Float[ndarray, "S A"] = (self.transition_rows @ x).reshape(
            self.n_states, self.n_actions
        )
        return found

    def __replace__(self, **changes: Any) -> MDP:  # of Python's copy.replace
        return self.replace(**changes)

    def __copy__(self) -> MDP:
        return self

    def __deepcopy__(self, memo: dict) -> MDP:
        return self  # immutable

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():  # unpickled arrays are writeable
            read_only(value)
            object.__setattr__(self, name, value)

    def replace(self, **changes: Any) -> MDP:
        """The same MDP with some constructor arguments changed, e.g. `replace(discount=0.5)`.

        `reward` replaces the transition reward as well, and the other way round.
        """
        kept = {name: getattr(self, name) for name in self.__dataclass_fields__}
        if self.grid is not None and not changes.keys() <= FREE_OF_RULES:
            kept["grid"] = replace(self.grid, rules=None)
        if "reward" in changes:
            kept["transition_reward"] = None
        elif "transition_reward" in changes or self.transition_reward is not None:
            kept["reward"] = None
            if not self.is_sparse and "transition_reward" not in changes:
                kept["reward"], kept["transition_reward"] = self.transition_reward, None
        return MDP(**(kept | changes))

    @classmethod
    def from_action_first(cls, transition: Any, reward: Any, **settings: Any) -> MDP:
        """From the action-first layout of MDP toolboxes.

        transition: (A, S, S) array, or a list of A (S, S) matrices, sparse ones among them.
        reward: (S,), (S, A), or (A, S, S) (also such a list) paid on that transition.
        `settings`: the keyword arguments of `MDP`.
        """
        if not transitions.is_list_of_sparse(transition):
            by_action = validation.real_array("transition", transition, copy=False)
            if by_action.ndim != 3:
                raise ModelError(f"transition has shape {by_action.shape}; it must be (A, S, S)")
            given = validation.real_array("reward", transitions.densely(reward), copy=False)
            if given.ndim == 3:
                if given.shape != by_action.shape:
                    raise ModelError(
                        f"reward has shape {given.shape}; it must be {by_action.shape} (A, S, S), "
                        "(S, A) or (S,)"
                    )
                given = given.transpose(1, 0, 2)
            return cls(by_action.transpose(1, 0, 2), given, **settings)
        rows = transitions.interleave(transition)
        if transitions.is_list_of_sparse(reward):
            paid = transitions.interleave(reward)
            if paid.shape == rows.shape and not all(map(sparse.issparse, reward)):
                paid = paid.multiply(rows != 0.0)  # dense ones say something everywhere
            return cls(rows, transition_reward=paid, **settings)
        given = validation.real_array("reward", reward, copy=False)
        if given.ndim == 3:
            given = given.transpose(1, 0, 2)
        return cls(rows, given, **settings)

    def to_dense(self) -> MDP:
        """The same MDP with a dense (S, A, S) transition.

        Raises MemoryBudgetError, before anything is allocated, where it would take more than
        half of the memory available.
        """
        if not self.is_sparse:
            return self
        arrays = 1 if self.transition_reward is None else 2
        require_memory(
            8 * arrays * self.n_states**2 * self.n_actions,
            f"a dense transition of {self.n_states} x {self.n_actions} x {self.n_states}",
        )
        shape = (self.n_states, self.n_actions, self.n_states)
        reward = self.reward
        if self.transition_reward is not None:
            reward = self.transition_reward.toarray().reshape(shape)
        return self._as(self.transition.toarray().reshape(shape), reward=reward)

    def to_sparse(self) -> MDP:
        """The same MDP with a CSR (S*A, S) transition."""
        if self.is_sparse:
            return self
        rows = sparse.csr_array(self.transition_rows)
        if self.transition_reward is None:
            return self._as(rows, reward=self.reward)
        samples = self.transition_reward.reshape(rows.shape)
        row_of_entry = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
        data = samples[row_of_entry, rows.indices]
        return self._as(
            rows, transition_reward=sparse.csr_array((data, rows.indices, rows.indptr), rows.shape)
        )

    def _as(self, transition: Any, **reward: Any) -> MDP:
        kept = {name: getattr(self, name) for name in self.__dataclass_fields__}
        kept |= {"transition": transition, "reward": None, "transition_reward": None}
        return MDP(**(kept | reward))

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write everything to a NumPy archive (.npz, no pickle), whole or not at all.

        Raises OutputExistsError if `path` exists and `overwrite` is false.
        """
        storage.write(
            path, {name: getattr(self, name) for name in self.__dataclass_fields__}, overwrite
        )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> MDP:
        """Read what `save` wrote; ModelError for anything else (nothing in a file is executed)."""
        return cls(**storage.read(path))

    def __repr__(self) -> str:
        kind = "sparse" if self.is_sparse else "dense"
        kind = "matrix-free" if self.is_matrix_free else kind
        terminal = int(self.terminal.sum())
        masked = int((~self.action_mask).sum())
        extra = f", {terminal} terminal" if terminal else ""
        extra += f", {count(masked, 'action')} masked" if masked else ""
        return (
            f"MDP({count(self.n_states, 'state')}, {count(self.n_actions, 'action')}, "
            f"discount {self.discount:g}, {kind}{extra})"
        )


def require_mdp(value: Any) -> MDP:
    """`value` if it is an MDP, else ModelError."""
    if isinstance(value, MDP):
        return value
    raise ModelError(
        f"{quoted(value)} is a {type(value).__name__}, not an MDP; make one with maxent.MDP, "
        "gridworld, from_gymnasium, from_table, from_pairs, from_simulator or read_model"
    )


def require_discounted(mdp: MDP, what: str) -> None:
    """ConfigError at a discount of 1, for what needs one below it."""
    if mdp.discount == 1.0:
        raise ConfigError(
            f"discount = 1: {what} needs a discount below 1; use mdp.replace(discount=0.999)"
        )
