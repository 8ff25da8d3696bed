"""A vector environment stepped, and its transitions read right at every kind of ending.

A transition is (s, a, r, s', terminated) with s' the observation that the step really led to.
At an end that is *not* what the next episode starts from, and where Gymnasium's vector
environments put it depends on their autoreset mode:

==============  ============================================================================
next step       the ending step returns s'; the following step ignores the action and returns
                the next episode's first observation: it is no transition and is left out
same step       the ending step returns the next episode's first observation; s' is in
                ``infos["final_obs"]``
disabled        the ending step returns s'; the ended environments are reset here
==============  ============================================================================

Only `terminated` ends the future.  A step that terminates and is truncated at once terminated.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import concatenate, create_empty_array, iterate
from numpy import ndarray

from maxent.environments.guard import close, guarded_step, misfit, name_of
from maxent.environments.masks import KEY, require_mask
from maxent.errors import ConfigError
from maxent.neural.parts.spaces import Spaces
from maxent.neural.training.snapshots import Layers, changed, forgotten, put_back, remembered
from maxent.neural.training.transitions import Episode, Tally, Transitions, copied
from maxent.support.shapes import Bool, Float


class VectorEnvironments:
    """A Gymnasium vector environment, in whichever autoreset mode it was made.

    `observation` (n, d).  Its episodes cannot be restored, its environments are its own; what its
    wrappers remember can.
    """

    kind = "vector"

    def __init__(self, vector: VectorEnv, spaces: Spaces, seed: int) -> None:
        spaces.require_room(vector.num_envs)
        self._vector, self._spaces, self._steps = vector, spaces, 0
        self._made = remembered(vector)
        mode = vector.metadata.get("autoreset_mode", AutoresetMode.NEXT_STEP)
        self._mode = AutoresetMode(mode)
        self._ends_tell = self._mode is not AutoresetMode.SAME_STEP  # an end's info is its own
        self._tally = Tally(vector.num_envs)
        self._starting = np.zeros(vector.num_envs, dtype=bool)
        seen, infos = vector.reset(seed=seed)
        self.available: Bool[ndarray, "n A"] | None = None
        if spaces.discrete and KEY in infos:
            self.available = np.ones((vector.num_envs, spaces.action_size), dtype=bool)
            self.available = self._masks(infos)
        if wrong := misfit(vector.observation_space, seen):
            raise ConfigError(f"vector environment {name_of(vector)}, reset: observation {wrong}")
        self.observation: Float[ndarray, "n d"] = self._flatten(seen)

    def __len__(self) -> int:
        return self._vector.num_envs

    def step(self, actions: ndarray) -> tuple[Transitions, list[Episode]]:
        """Take one action in each environment; steps that only begin an episode are left out."""
        vector, space = self._vector, self._vector.single_action_space
        taken = [self._spaces.to_environment(action) for action in actions]
        together = concatenate(space, taken, cast(Any, create_empty_array(space, n=len(taken))))
        self._steps += 1
        seen, rewards, ended, cut, infos = guarded_step(vector, together, self._steps)
        before, after, over = self.observation, self._flatten(seen), ended | cut
        available = self.available
        self.available = self._masks(infos, ended)
        next_available = copied(self.available)
        self.observation = after.copy()
        if self._mode is AutoresetMode.SAME_STEP:
            for index in np.flatnonzero(over).tolist():
                after[index] = self._spaces.flatten(infos["final_obs"][index])
                if next_available is not None:
                    mask = infos["final_info"][KEY][index]
                    next_available[index] = require_mask(
                        mask, self._spaces.action_size, ended[index]
                    )
        elif self._mode is AutoresetMode.DISABLED and over.any():
            seen, infos = vector.reset(options={"reset_mask": over})
            self.observation, self.available = self._flatten(seen), self._masks(infos)
        real = ~self._starting
        new = Transitions(
            *(x[real] for x in (before, actions, rewards, after, ended)),
            *(x if x is None else x[real] for x in (available, next_available)),
        )
        episodes = self._tally.add(rewards, over & real)
        for index in np.flatnonzero(self._starting).tolist():
            self._tally.take(index)
        if self._mode is AutoresetMode.NEXT_STEP:
            self._starting = over
        return new, episodes

    def close(self) -> None:
        """Close the vector environment."""
        close(self._vector)

    def memory(self) -> list[dict[str, Any]]:
        """What the wrappers of the vector environment remember; not where its episodes are."""
        return [{"layers": self.statistics()}]

    def statistics(self) -> Layers:
        """As of `Environments`."""
        return changed(remembered(self._vector), self._made)

    def forgotten(self) -> list[str]:
        """As of `Environments`; where its episodes are is never kept."""
        return forgotten(self._vector)

    def restore(
        self, state: object, memory: list[dict[str, Any]] | None = None, step: int = 0
    ) -> None:
        """Put back what the wrappers remembered; the episodes begin anew."""
        self._steps = step // len(self)
        if memory is None:
            return
        put_back(self._vector, memory[0]["layers"])
        seen, infos = self._vector.reset()
        self.observation, self.available = self._flatten(seen), self._masks(infos)

    def ignore_masks(self) -> None:
        """As of `Environments`."""
        self.available = None

    def _masks(
        self, infos: Mapping[str, Any], ended: Bool[ndarray, " n"] | None = None
    ) -> Bool[ndarray, "n A"] | None:
        """The masks of all environments, (n, A); of one that tells nothing, the one before."""
        if self.available is None:
            return None
        masks = self.available.copy()
        for index in np.flatnonzero(infos.get(f"_{KEY}", np.ones(len(masks), bool))).tolist():
            over = ended is not None and bool(ended[index]) and self._ends_tell
            masks[index] = require_mask(infos[KEY][index], self._spaces.action_size, over)
        return masks

    def _flatten(self, observations: Any) -> Float[ndarray, "n d"]:
        singles = iterate(self._vector.observation_space, observations)
        return np.stack([self._spaces.flatten(single) for single in singles])
