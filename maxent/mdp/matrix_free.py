"""An MDP whose transition is made only when something asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy import ndarray
from scipy import sparse

from maxent.errors import ConfigError
from maxent.mdp import validation
from maxent.mdp.directions import Directions
from maxent.mdp.grid import Grid
from maxent.mdp.model import HOW_TO_REPLACE, MDP
from maxent.support.arguments import require_discount
from maxent.support.arrays import read_only
from maxent.support.shapes import Float

KEEPS = {"discount", "grid", "action_names"}
"""What can be replaced without a transition."""


class MatrixFreeMDP(MDP):
    """An MDP made of `Directions`: it solves and plots like any other, in a fraction of the memory.

    `transition`, `transition_reward` and what is computed from them (evaluation, occupancies,
    simulation, files, proofs) are made on demand and then kept; MemoryBudgetError where they would
    need more than half of the memory available.
    """

    is_matrix_free = True
    directions: Directions

    def __init__(
        self,
        directions: Directions | None = None,
        *,
        discount: float,
        initial_distribution: Float[ndarray, " S"],
        action_names: Sequence[str],
        grid: Grid,
        **stored: Any,
    ) -> None:
        if directions is None:  # `dataclasses.replace` hands over what it would store
            raise ConfigError(HOW_TO_REPLACE)
        n_states, n_actions = directions.shape
        for _, amounts in directions.paid:
            validation.require_reward(np.abs(amounts) + abs(directions.step_reward))
        fields = {
            "directions": directions,
            "discount": require_discount(discount),
            "initial_distribution": initial_distribution,
            "terminal": directions.terminal,
            "action_mask": np.broadcast_to(np.True_, (n_states, n_actions)),
            "state_names": None,
            "action_names": tuple(action_names),
            "grid": grid,
            "observations": None,
            "actions": None,
        }
        self.__setstate__(fields)

    @property
    def n_states(self) -> int:
        """S, terminal states included."""
        return self.directions.shape[0]

    @property
    def n_actions(self) -> int:
        """A; all are available."""
        return self.directions.shape[1]

    @property
    def is_sparse(self) -> bool:
        """True: `transition` is CSR, once it is made."""
        return True

    @cached_property
    def longest_row(self) -> int:
        """Of the transition; 3 more, since where several directions meet, probabilities are summed
        in each sweep."""
        return self.directions.longest_row + 3

    @cached_property
    def _matrices(self) -> tuple[sparse.csr_array, sparse.csr_array]:
        made = self.directions.matrices()
        read_only(*made)
        return made

    @cached_property
    def transition(self) -> sparse.csr_array:
        """CSR (S*A, S), made on demand."""
        return self._matrices[0]

    @cached_property
    def transition_reward(self) -> sparse.csr_array:
        """CSR of the transition's pattern, made on demand."""
        return self._matrices[1]

    @cached_property
    def reward(self) -> Float[ndarray, "S A"]:
        """(S, A), made on demand."""
        found = self.directions.reward()
        read_only(found)
        return found

    def _expected(self, x: Float[ndarray, " S"]) -> Float[ndarray, "S A"]:
        return np.ascontiguousarray((self.directions @ x).reshape(self.n_actions, -1).T)

    def replace(self, **changes: Any) -> MDP:
        """As `MDP.replace`; matrix-free still where only discount or names change."""
        if not changes.keys() <= KEEPS:
            return super().replace(**changes)
        kept = {name: getattr(self, name) for name in (*KEEPS, "initial_distribution")}
        return MatrixFreeMDP(self.directions, **(kept | changes))

    def to_sparse(self) -> MDP:
        """The same MDP with its transition stored."""
        return super().replace()
