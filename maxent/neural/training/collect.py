"""Environments stepped in turn, each reset when its episode ends, and brought back exactly.

A transition is (s, a, r, s', terminated) with s' the observation that the step really led to, also
where the episode ended (`vector.py` says where vector environments put it).  Only `terminated` ends
the future.  A step that terminates and is truncated at once terminated.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import VectorEnv
from numpy import ndarray

from maxent.environments.guard import Guarded, close, name_of
from maxent.environments.making import Environment, make_environment
from maxent.environments.masks import KEY, mask_in, require_mask
from maxent.errors import ConfigError, MaxEntWarning
from maxent.neural.parts.spaces import Spaces
from maxent.neural.training.snapshots import (
    Layers,
    can_be_put_back,
    changed,
    forgotten,
    put_back,
    remembered,
)
from maxent.neural.training.transitions import Episode, Tally, Transitions, copied
from maxent.neural.training.vector import VectorEnvironments
from maxent.support.shapes import Bool, Float

REPLAYED, LONGEST = 10_000, 100_000
"""Steps of an episode above which an environment that can be copied is brought back without taking
them again; and above which no more of them are kept."""


class Environments:
    """One or more environments of one kind, stepped in turn, each reset when its episode ends.

    spaces : theirs.  seed : environment i is seeded with seed + i.

    `observation` (n, d) is what each is in now, `available` (n, A) which actions there are in it
    (None where the environments tell of no action mask).  Environment i is seeded with seed + i.

    `state()` is what it takes to come back to this very point: an environment's generator as it
    was before its last reset, the actions since, and what its layers remember (`snapshots`).
    `restore` resets with that generator and takes those actions again, which is exact for every
    environment that is a function of its generator and its actions, MuJoCo's included (where
    setting positions and velocities is not); then what goes across episodes is put back.

    An episode of more than `REPLAYED` steps is brought back by what its layers remember alone,
    where that is seen to suffice.  Where it is not, the actions of `LONGEST` steps are kept; after
    that a warning says that a resumed run would begin a new episode.
    """

    kind = "environments"
    """The name of what they remember in a checkpoint."""

    def __init__(self, environments: Sequence[gymnasium.Env], spaces: Spaces, seed: int) -> None:
        self._environments, self._spaces = [Guarded(each) for each in environments], spaces
        self._tally = Tally(len(self._environments))
        self._made = [remembered(each.env) for each in self._environments]
        self._dropped = [False] * len(self._environments)
        self._generators: list[Any] = [None] * len(self._environments)
        self._taken: list[list[Any]] = [[] for _ in self._environments]
        self.available: Bool[ndarray, "n A"] | None = None
        self._masked: bool | None = None  # the first reset tells
        self._ignoring = self._warned = False
        spaces.require_room(len(self))
        firsts = [self._reset(index, seed + index) for index in range(len(self._environments))]
        self.observation: Float[ndarray, "n d"] = np.stack(firsts)

    def __len__(self) -> int:
        return len(self._environments)

    def step(self, actions: ndarray) -> tuple[Transitions, list[Episode]]:
        """Take one action in each environment, (n, m) or (n,)."""
        before, after = self.observation, self.observation.copy()
        available, after_available = self.available, copied(self.available)
        rewards, terminated, over = np.zeros(len(self)), np.zeros(len(self), bool), []
        for index, environment in enumerate(self._environments):
            action = self._spaces.to_environment(actions[index])
            self._keep(index, actions[index].tolist())
            seen, reward, ended, cut, info = environment.step(action)
            after[index], rewards[index] = self._spaces.flatten(seen), reward
            terminated[index] = ended
            mask = self._mask(index, info, ended)
            if after_available is not None:
                after_available[index] = mask
            over.append(ended or cut)
        new = Transitions(before, actions, rewards, after, terminated, available, after_available)
        episodes = self._tally.add(rewards, np.array(over))
        self.observation, self.available = after.copy(), copied(after_available)
        for index in np.flatnonzero(over).tolist():
            self.observation[index] = self._reset(index, None)
        return new, episodes

    def state(self) -> list[dict[str, Any]]:
        """For each environment its generator before the last reset, and the actions since."""
        return [
            {"generator": generator, "actions": list(taken)}
            for generator, taken in zip(self._generators, self._taken, strict=True)
        ]

    def memory(self) -> list[dict[str, Any]]:
        """For each environment what its layers remember, and where its episode is; to be called
        before `state`, which needs no actions of an episode that the layers say all of."""
        return [self._memory(index) for index in range(len(self))]

    def _put_back(self, index: int, saved: dict[str, Any]) -> None:
        put_back(self._environments[index].env, saved["layers"])
        self._dropped[index] = not saved["whole"]
        seen = np.asarray(saved["observation"], dtype=np.float32)
        if seen.shape != (self._spaces.observation_size,) or np.isnan(seen).any():
            raise ValueError(f"an observation of shape {seen.shape}, {str(seen)[:60]}")
        self.observation[index] = seen
        self._tally.totals[index] = saved["total"]
        self._tally.lengths[index] = saved["length"]
        if self.available is not None and saved["available"] is not None:
            self.available[index] = require_mask(saved["available"], self._spaces.action_size)

    def forgotten(self) -> list[str]:
        """What a checkpoint would lose of them."""
        return forgotten(self._environments[0].env)

    def _memory(self, index: int) -> dict[str, Any]:
        environment = self._environments[index].env
        layers = changed(remembered(environment), self._made[index])
        if len(self._taken[index]) > REPLAYED and can_be_put_back(environment, layers):
            self._taken[index], self._dropped[index] = [], True  # the layers say all
        return {
            "whole": not self._dropped[index],
            "layers": layers,
            "observation": self.observation[index].tolist(),
            "available": None if self.available is None else self.available[index].tolist(),
            "total": float(self._tally.totals[index]),
            "length": int(self._tally.lengths[index]),
        }

    def statistics(self) -> Layers:
        """What the layers of the first environment remember: an evaluation's statistics."""
        return changed(remembered(self._environments[0].env), self._made[0])

    def restore(
        self,
        state: list[dict[str, Any]],
        memory: list[dict[str, Any]] | None = None,
        step: int = 0,
    ) -> None:
        """Come back to where `state` and `memory` were taken, after `step` steps in all
        environments; the tallies of the episodes come back with it."""
        for index, (environment, saved) in enumerate(zip(self._environments, state, strict=True)):
            environment.unwrapped.np_random.bit_generator.state = saved["generator"]
            self._tally.take(index)
            self.observation[index] = self._reset(index, None)
            for action in saved["actions"]:
                policy_action = np.asarray(
                    action, dtype=np.int64 if self._spaces.discrete else np.float32
                )
                self._taken[index].append(action)
                seen, reward, ended, _, info = environment.step(
                    self._spaces.to_environment(policy_action)
                )
                self.observation[index] = self._spaces.flatten(seen)
                mask = self._mask(index, info, ended)
                if self.available is not None:
                    self.available[index] = mask
                self._tally.totals[index] += reward
                self._tally.lengths[index] += 1
            if memory is not None:  # version 0.1 knew the generator and the actions alone
                self._put_back(index, memory[index])
            environment.steps = step // len(self)  # as faults are told

    def close(self) -> None:
        """Close them all."""
        for environment in self._environments:
            close(environment)

    def _reset(self, index: int, seed: int | None) -> ndarray:
        environment = self._environments[index]
        if seed is not None:  # so that the generator's state is known before the first episode
            environment.reset(seed=seed)
        self._generators[index] = environment.unwrapped.np_random.bit_generator.state
        self._taken[index], self._dropped[index] = [], False
        seen, info = environment.reset()
        if self._masked is None:
            self._masked = mask_in(info, self._spaces.action) is not None
        mask = self._mask(index, info, False)
        if self._masked:
            if self.available is None:
                self.available = np.ones((len(self), self._spaces.action_size), dtype=bool)
            self.available[index] = mask
        return self._spaces.flatten(seen)

    def _keep(self, index: int, action: Any) -> None:
        """Remember an action of the running episode, to take it again."""
        taken = self._taken[index]
        if self._dropped[index]:
            return
        if len(taken) < LONGEST:
            taken.append(action)
        elif not self._warned:
            self._warned = True
            warnings.warn(
                f"environment {name_of(self._environments[index])}: an episode has gone on for "
                f"{LONGEST:,} steps, and it cannot be copied: a checkpoint keeps no more of them, "
                "and a resumed run would go on from another point of it; end episodes with "
                "max_episode_steps or gymnasium.wrappers.TimeLimit",
                MaxEntWarning,
                stacklevel=2,
            )

    def ignore_masks(self) -> None:
        """Tell of no action mask from here on, as a run of version 0.1 knew of none."""
        self._masked, self.available = False, None
        self._ignoring = True

    def _mask(self, index: int, info: Mapping[str, Any], terminated: bool) -> ndarray | None:
        """The mask of an info, (A,); ConfigError where masks come only now and then."""
        if not self._spaces.discrete or self._ignoring:
            return None
        environment = self._environments[index]
        where = f"environment {name_of(environment)}, step {environment.steps}"
        if bool(self._masked) is not (KEY in info) and not terminated:
            given, missing = ("reset", "step") if self._masked else ("step", "reset")
            raise ConfigError(
                f"{where}: info[{KEY!r}] came with {given} and not with {missing}; give it "
                "with both"
            )
        if not self._masked:
            return None
        try:
            return require_mask(info.get(KEY), self._spaces.action_size, terminated)
        except ConfigError as error:
            raise ConfigError(f"{where}: {error}") from None


def environments_of(
    env: Environment | VectorEnv,
    num_envs: int,
    seed: int,
    settings: Mapping[str, Any] | None = None,
) -> tuple[Environments | VectorEnvironments, Spaces]:
    """What `env` names, ready to step, and its spaces.

    env: a Gymnasium id, an environment (then `num_envs` must be 1), a vector environment, or a
    function without arguments that makes an environment.  settings: for `gymnasium.make`, with an
    id.  Raises ConfigError for anything else.
    """
    if settings and not isinstance(env, str):
        raise ConfigError(f"env_settings = {dict(settings)} go with the id of an environment")
    if isinstance(env, VectorEnv):
        spaces = Spaces(env.single_observation_space, env.single_action_space)
        return VectorEnvironments(env, spaces, seed), spaces
    if isinstance(env, gymnasium.Env):
        if num_envs != 1:
            raise ConfigError(
                f"num_envs = {num_envs} of an environment that is already made; give its id, or a "
                "function that makes one"
            )
        spaces = Spaces(env.observation_space, env.action_space)
        return Environments([env], spaces, seed), spaces
    with ExitStack() as undo:  # whatever goes wrong, no environment stays open
        made: list[gymnasium.Env] = []
        for _ in range(num_envs):
            made.append(make_environment(env, settings))
            undo.callback(made[-1].close)
        if len({id(environment) for environment in made}) < num_envs:
            raise ConfigError("env is a function that gave one environment twice; make a new one")
        spaces = Spaces(made[0].observation_space, made[0].action_space)
        ready = Environments(made, spaces, seed)
        undo.pop_all()
    return ready, spaces
