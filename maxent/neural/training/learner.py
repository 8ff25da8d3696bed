"""An algorithm in the middle of training: its environments, its memory, and the way back.

One iteration is one step in each environment: act, store what happened, update, and, when due,
log, evaluate, checkpoint.  The algorithms know nothing of it; it knows of an algorithm its
functions `init`, `act`, `draw` and `update`.

Every random number of the learner (initial parameters, exploration, minibatches, noise) comes from
one seeded `torch.Generator`; environment i is seeded with seed + i.  A checkpoint holds all
parameters, targets and moments, the generator's state, the stored transitions, the running sums of
the log, and the way back into the running episodes, so that a run that was cut and resumed goes on
as if it had not been, bit for bit, on the same machine, versions and threads.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, fields
from functools import partial
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.vector import VectorEnv
from torch import Tensor

from maxent.errors import ConfigError, TrainingDivergedError
from maxent.neural.algorithms import (
    ALGORITHMS,
    algorithm_for,
    choose_actions,
    fresh_state,
    random_actions,
    temperature,
)
from maxent.neural.algorithms.settings import configured
from maxent.neural.parts import normalise
from maxent.neural.parts.networks import named_tensors
from maxent.neural.parts.replay import Batch, Replay
from maxent.neural.parts.torch_settings import in_our_settings
from maxent.neural.runs import Checkpoint, Rows, Run, require_finite_tensors, stop_requested
from maxent.neural.training.agent import Agent
from maxent.neural.training.averages import Averages, Before
from maxent.neural.training.collect import Environments, environments_of
from maxent.neural.training.compiled import compiled, is_asked
from maxent.neural.training.endings import losing_nothing, telling_the_last_checkpoint
from maxent.neural.training.parallel import ParallelEnvironments, parallel_environments
from maxent.neural.training.parameters import begin_with, load_parameters
from maxent.neural.training.plan import Env, Plan
from maxent.neural.training.sizes import require_room
from maxent.neural.training.snapshots import Layers, require_layers
from maxent.neural.training.transitions import Episode, Transitions, require_float32
from maxent.neural.training.vector import VectorEnvironments
from maxent.support.arguments import quoted
from maxent.support.memory import keep_freed_memory
from maxent.support.progress import Lines, bar, duration

EVALUATION_SEED = 1_000_000
"""Evaluations start their episodes from this seed on, the same ones each time."""


class Learner:
    """Everything that changes while an agent is trained.

    remembers : whether there is a replay buffer; where the agent is only looked at there is none.
    """

    def __init__(
        self, plan: Plan, env: Env, settings: dict[str, Any], *, remembers: bool = True
    ) -> None:
        if plan.evaluate_every and isinstance(env, gymnasium.Env | VectorEnv):
            raise ConfigError(
                "evaluate_every needs an environment of its own: give env as an id or a function"
            )
        make = parallel_environments if plan.vectorization == "async" else environments_of
        self.environments: Environments | ParallelEnvironments | VectorEnvironments
        self.environments, self.spaces = make(env, plan.num_envs, plan.seed, plan.env_settings)
        self.plan, self.env = plan, env
        with ExitStack() as undo:
            undo.callback(self.close)
            self.algorithm = algorithm_for(plan.algorithm, self.spaces)
            self.module = ALGORITHMS[self.algorithm]
            arguments = [*(field.name for field in fields(plan)), "run", "progress"]
            self.config = configured(self.module.Config, settings, arguments)
            masked = self.environments.available is not None
            require_room(self.spaces, self.config, masked, plan.device, trained=remembers)
            self._begin(masked, remembers)
            undo.pop_all()
        self.step = self._updates = 0
        self.averages = Averages(plan.steps)
        self.history: list[dict[str, Any]] = []
        self._update: Callable[..., dict[str, Tensor]] = self.module.update
        self.compiled = False
        self._statistics: Layers | None = None  # of a checkpoint, where it is only looked at

    @in_our_settings
    def _begin(self, masked: bool, remembers: bool) -> None:
        """The first networks, and an empty memory."""
        self.generator = torch.Generator(self.plan.device).manual_seed(self.plan.seed)
        self.state = fresh_state(self.module, self.spaces, self.config, self.generator)
        if remembers:
            capacity = self.config.replay_capacity
            self.replay = Replay(self.spaces, capacity, self.plan.device, masked)

    @in_our_settings
    def compile(self, progress: bool | None = None) -> None:
        """Have updates compiled, where the plan asks for it and it can be done; before `train`."""
        if is_asked(self.plan, self.config):
            masked = self.environments.available is not None
            made = compiled(
                *(self.module, self.state, self.config, self.spaces),
                masked=masked,
                progress=progress,
            )
            self.compiled, self._update = made is not None, made or self.module.update

    def train(
        self,
        run: Run | None = None,
        *,
        progress: bool | None = None,
        announce: Callable[[str], None] | None = None,
        report: Callable[[dict[str, Any]], object] | None = None,
    ) -> Agent:
        """Train until the last step, or until a signal; the arguments are those of `train`, but for
        a run that is open."""
        for name, called in (("announce", announce), ("report", report)):
            if called is not None and not callable(called):
                raise ConfigError(f"{name} = {quoted(called)} is no function; give one, or None")
        keep_freed_memory()
        plan = self.plan
        if run and plan.start is not None and not run.steps:  # to resume from, too
            self._save(run, None, announce)
        with (
            telling_the_last_checkpoint(run),
            stop_requested() as stop,
            bar(progress, total=plan.steps, initial=self.step, unit="step") as shown,
        ):
            lines = Lines(shown, progress if report is None else False)
            saved, score = self.step, None
            while self.step < plan.steps and not stop:
                before, score = self.step, None  # a score belongs to the step it is measured at
                self._collect()
                if self.step >= self.config.learning_starts:
                    self._learn(self._updates_until(self.step) - self._updates_until(before))
                shown.update(self.step - before)
                done = self.step >= plan.steps
                row: dict[str, Any] = {}
                if _is_due(plan.evaluate_every, before, self.step, done):
                    row = self._evaluation()
                    score = row["evaluation_return"]
                if row or _is_due(plan.log_every, before, self.step, done):
                    self._log(row, run)
                    shown.set_postfix_str(f"{self.history[-1]['updates_per_second']:.0f} updates/s")
                    if lines.due:
                        lines.write(self._line())
                    if report is not None:
                        save = partial(self._save, score=score, announce=None)
                        with losing_nothing(self.agent, run, save):
                            stop.asked = stop.asked or report(self.history[-1]) is False
                if run and _is_due(plan.checkpoint_every, before, self.step, done):
                    saved = self._save(run, score, announce)
            self._check_state()
            if run and saved < self.step:
                self._save(run, score, announce)
        return self.agent("report" if stop.asked else stop.signal)

    def agent(self, stopped_by: int | str | None = None) -> Agent:
        """The agent as it is now."""
        return Agent(
            algorithm=self.algorithm,
            config=self.config,
            spaces=self.spaces,
            state=self.state,
            steps=self.step,
            env=self.plan.env,
            env_settings=self.plan.env_settings,
            start=self.plan.start,
            history=self.history,
            stopped_by=stopped_by,
            statistics=self._statistics or self.environments.statistics(),
        )

    def record(self) -> dict[str, Any]:
        """The whole configuration, for the run's `config.json`."""
        plan = asdict(self.plan) | {"algorithm": self.algorithm, "compile": self.compiled}
        return plan | {"settings": self.config.to_dict()}

    def begin_with(self, agent: Agent) -> None:
        """Take the networks of another agent; see `parameters.begin_with`."""
        begin_with(self.agent(), agent)

    @in_our_settings
    def restore(self, checkpoint: Checkpoint, rows: list[dict[str, Any]]) -> None:
        """Come back to a checkpoint; rows: what had been logged until then."""
        self.restore_networks(checkpoint, rows)
        tensors, values = checkpoint.tensors, checkpoint.values
        self.generator.set_state(tensors["generator"])
        seconds = self.history[-1].get("seconds", 0.0) if self.history else 0.0
        before = Before(self.step, seconds)
        self.averages.restore(tensors, values, self.plan.device, before)
        if checkpoint.rows is not None:
            if (
                self.environments.available is not None
                and "available" not in checkpoint.rows.arrays
            ):
                self.environments.ignore_masks()  # a run that was begun without them
                self.replay = Replay(self.spaces, self.replay.capacity, self.plan.device)
            self.replay.restore(checkpoint.rows.arrays, checkpoint.rows.inserted)
        memory = checkpoint.memory.get(self.environments.kind)  # of another kind: nothing
        if isinstance(self.environments, VectorEnvironments) or "environments" in values:
            self.environments.restore(values.get("environments", []), memory, checkpoint.step)
        self._statistics = None  # the environments have them now

    @in_our_settings
    def restore_networks(self, checkpoint: Checkpoint, rows: list[dict[str, Any]]) -> None:
        """Take a checkpoint's parameters and the rows logged until then: what an agent needs.

        Raises ConfigError where this environment has other sizes than the run's.
        """
        load_parameters(self.state, checkpoint.tensors)
        self.step = checkpoint.step
        self._updates = int(self.state["critic_moments"]["count"])
        places = checkpoint.memory.get(self.environments.kind)
        self._statistics = require_layers(places[0]["layers"]) if places else None
        self.history = [row for row in rows if row["step"] <= self.step]

    def close(self) -> None:
        """Close the environments that were made here."""
        if not isinstance(self.env, gymnasium.Env | VectorEnv):
            self.environments.close()

    def _collect(self) -> None:
        """One step in each environment, stored."""
        new, episodes = self.environments.step(self._actions())
        new.require_float32(self.step)
        self._store(new, episodes)

    @in_our_settings
    def _actions(self) -> np.ndarray:
        """What to do in each environment."""
        seen = torch.as_tensor(self.environments.observation, device=self.plan.device)
        normalise.include(self.state, seen)
        available = self.environments.available
        among = None if available is None else torch.as_tensor(available, device=seen.device)
        if self.step < self.config.learning_starts:
            return random_actions(len(seen), self.generator, self.spaces, among).cpu().numpy()
        try:
            with torch.no_grad():
                seen = normalise.as_seen(self.state, seen)
                actions = choose_actions(
                    self.module, self.state, seen, self.generator, self.spaces, available=among
                )
        except RuntimeError:  # torch draws from no probabilities that are NaN
            require_float32("observation", self.environments.observation, self.step)
            self._check_state()
            raise
        return actions.cpu().numpy()

    @in_our_settings
    def _store(self, new: Transitions, episodes: list[Episode]) -> None:
        discount = self.config.discount * (1.0 - new.terminated.astype(np.float32))
        arrays = (new.observation, new.action, new.reward, new.next_observation, discount)
        self.replay.add((*arrays, new.available, new.next_available))
        self.averages.add_episodes(episodes)
        self.step += len(new.reward)

    def _updates_until(self, step: int) -> int:
        return math.floor(step * self.config.updates_per_step)

    @in_our_settings
    def _learn(self, updates: int) -> None:
        """Gradient steps.

        Moments of units that no longer fire shrink to denormal numbers, which processors are slow
        with: they are flushed to 0 meanwhile.
        """
        progress = min(self.step / self.plan.steps, 1.0)
        config = self.config.at(progress)
        started = self.config.learning_starts
        since = min((self.step - started) / max(self.plan.steps - started, 1), 1.0)
        temperature.cool(self.state, self.config, since)
        torch.set_flush_denormal(True)
        try:
            for _ in range(updates):
                batch = self._batch()
                noise = self.module.draw(config.batch_size, self.generator, config, self.spaces)
                self._updates += 1
                follow = config.follows(self._updates)
                metrics = self._update(self.state, batch, noise, config, self.spaces, follow)
                self.averages.add_update(metrics)
        finally:
            torch.set_flush_denormal(False)

    def _batch(self) -> Batch:
        """A minibatch as the networks see it."""
        batch = self.replay.sample(self.config.batch_size, self.generator)
        if not self.config.normalize_observations:
            return batch
        return batch._replace(
            observation=normalise.as_seen(self.state, batch.observation),
            next_observation=normalise.as_seen(self.state, batch.next_observation),
        )

    def _check_state(self) -> None:
        require_finite_tensors(self.step, dict(named_tensors(self.state)))

    def _evaluation(self) -> dict[str, Any]:
        found = self.agent().evaluate(
            None if isinstance(self.env, str) else self.env,  # type: ignore[arg-type]
            episodes=self.plan.evaluation_episodes,
            seed=EVALUATION_SEED,
        )
        if not np.isfinite(found.returns).all():
            raise TrainingDivergedError(
                f"step {self.step}: an episode of the evaluation has a return that is not finite; "
                "look at the environment's rewards"
            )
        return {
            "evaluation_return": float(found.returns.mean()),
            "evaluation_length": float(found.lengths.mean()),
        }

    def _log(self, row: dict[str, Any], run: Run | None) -> None:
        if self.config.cooled_from is not None:
            row = {"temperature": float(temperature.current(self.state))} | row
        self.history.append(self.averages.take_row(self.step) | row)
        if run:
            run.log(self.history[-1])

    @in_our_settings
    def _save(self, run: Run, score: float | None, announce: Callable[[str], None] | None) -> int:
        tensors = {"generator": self.generator.get_state()} | dict(named_tensors(self.state))
        tensors |= self.averages.tensors()
        values = {"steps": self.plan.steps} | self.averages.values()
        memory = {self.environments.kind: self.environments.memory()}
        if not isinstance(self.environments, VectorEnvironments):
            values["environments"] = self.environments.state()
        new = self.replay.rows_since(run.inserted)
        rows = Rows(new, self.replay.inserted, self.replay.capacity)
        name = run.save(self.step, tensors, values, rows, score, memory)
        if announce is not None:
            with losing_nothing(self.agent):
                announce(f"saved {name}")
        return self.step

    def _line(self) -> str:
        """How far the training is, for people."""
        row = self.history[-1]
        return (
            f"maxent: step {self.step:,} of {self.plan.steps:,}, {row['steps_per_second']:.0f} "
            f"steps/s, {row['updates_per_second']:.0f} updates/s, about "
            f"{duration(row['seconds_left'])} left"
        )


def _is_due(every: int, before: int, now: int, done: bool) -> bool:
    """Whether a multiple of `every` was passed since the step `before`, or all is done; `every` 0:
    never."""
    return every > 0 and (done or before // every != now // every)
