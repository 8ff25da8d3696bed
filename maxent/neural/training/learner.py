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
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.vector import VectorEnv
from torch import Tensor
from tqdm import tqdm

from maxent.errors import ConfigError, TrainingDivergedError
from maxent.neural.algorithms import ALGORITHMS, algorithm_for
from maxent.neural.algorithms.settings import configured
from maxent.neural.parts.replay import Batch, Replay
from maxent.neural.runs import Checkpoint, Rows, Run, require_finite_tensors, stop_requested
from maxent.neural.training.agent import Agent
from maxent.neural.training.collect import Environments, Episode, Lived, environments_of
from maxent.support.arguments import require_count

Env = str | gymnasium.Env | VectorEnv | Callable[[], gymnasium.Env]
LARGEST = float(np.finfo(np.float32).max)
EVALUATION_SEED = 1_000_000
"""Evaluations start their episodes from this seed on, the same ones each time."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a training run is asked to do, besides the algorithm's own settings.

    algorithm : its name.  env : the environment's id; None: given as an object.
    env_settings : keyword arguments of `gymnasium.make`, plain values.
    steps : environment steps in all.  seed : of everything.  copies : environments, in turn.
    log_every, evaluate_every, checkpoint_every : in environment steps; 0: never.
    evaluation_episodes : in each evaluation.  device : where the networks are.
    start : of what agent the networks were begun with, in words; None: fresh.
    """

    algorithm: str
    env: str | None
    steps: int
    seed: int = 0
    copies: int = 1
    log_every: int = 1_000
    evaluate_every: int = 0
    evaluation_episodes: int = 10
    checkpoint_every: int = 0
    device: str = "cpu"
    env_settings: dict[str, Any] = field(default_factory=dict)
    start: str | None = None

    def __post_init__(self) -> None:
        for name in ("steps", "copies", "evaluation_episodes"):
            require_count(name, getattr(self, name))
        for name in ("seed", "log_every", "evaluate_every", "checkpoint_every"):
            require_count(name, getattr(self, name), 0)
        if self.seed >= 2**63:
            raise ConfigError(f"seed = {self.seed} is too large; give one below 2^63")
        try:
            torch.empty(0, device=self.device)
        except (RuntimeError, AssertionError) as error:
            raise ConfigError(f"device = {self.device!r} cannot be used: {error}") from error


class Learner:
    """Everything that changes while an agent is trained."""

    def __init__(self, plan: Plan, env: Env, settings: dict[str, Any]) -> None:
        if plan.evaluate_every and isinstance(env, gymnasium.Env | VectorEnv):
            raise ConfigError(
                "evaluate_every needs an environment of its own: give env as an id or a function"
            )
        self.environments, self.spaces = environments_of(
            env, plan.copies, plan.seed, plan.env_settings
        )
        self.plan, self.env = plan, env
        with ExitStack() as undo:
            undo.callback(self.close)
            self.algorithm = algorithm_for(plan.algorithm, self.spaces)
            self.module = ALGORITHMS[self.algorithm]
            self.config = configured(self.module.Config, settings)
            self.generator = torch.Generator(plan.device).manual_seed(plan.seed)
            self.state = self.module.init(self.spaces, self.config, self.generator)
            self.replay = Replay(self.spaces, self.config.replay_capacity, plan.device)
            undo.pop_all()
        self.step = 0
        self.sums: dict[str, Tensor] = {}
        self.updates = 0
        self.episodes: list[Episode] = []
        self.history: list[dict[str, Any]] = []
        self.started = time.monotonic()

    def go(
        self,
        run: Run | None,
        progress: bool,
        announce: Callable[[str], None] | None,
        report: Callable[[dict[str, Any]], None] | None = None,
    ) -> Agent:
        """Train until the last step, or until a signal."""
        plan = self.plan
        saved, score = self.step, None
        if run and plan.start is not None and not run.steps:  # to resume from, too
            self._save(run, score, announce)
        with (
            stop_requested() as stop,
            tqdm(total=plan.steps, initial=self.step, disable=None if progress else True) as bar,
        ):
            while self.step < plan.steps and not stop:
                before = self.step
                self._live()
                if self.step >= self.config.learning_starts:
                    self._learn(self._updates_until(self.step) - self._updates_until(before))
                bar.update(self.step - before)
                due = _Due(before, self.step, last=self.step >= plan.steps)
                row: dict[str, Any] = {}
                if due(plan.evaluate_every):
                    row = self._evaluation()
                    score = row["evaluation_return"]
                if row or due(plan.log_every):
                    self._log(row, run)
                    if report is not None:
                        report(self.history[-1])
                if run and plan.checkpoint_every and due(plan.checkpoint_every):
                    saved = self._save(run, score, announce)
            self._check_state()
            if run and saved < self.step:
                self._save(run, score, announce)
        return self.agent(stop.signal)

    def agent(self, stopped_by: int | None = None) -> Agent:
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
        )

    def record(self) -> dict[str, Any]:
        """The whole configuration, for the run's `config.json`."""
        plan = asdict(self.plan) | {"algorithm": self.algorithm}
        return plan | {"settings": self.config.to_dict()}

    def begin_with(self, agent: Agent) -> None:
        """Take the networks and targets of an agent, and its temperature where that is tuned; the
        moments stay fresh.

        Raises ConfigError where the agent is of another algorithm or has other sizes.
        """
        kept = ("temperature/",) if self.config.temperature is not None else ()
        given, own = dict(_flat(agent.state)), dict(_flat(self.state))
        if agent.algorithm != self.algorithm:
            raise ConfigError(f"start = {agent} is of another algorithm than {self.algorithm}")
        if agent.spaces.bounded != self.spaces.bounded:
            raise ConfigError(f"start = {agent} has other actions: {agent.spaces.action}")
        there, here = ({name: tuple(x.shape) for name, x in of.items()} for of in (given, own))
        for name in sorted(there | here):
            if there.get(name) != here.get(name):
                raise ConfigError(
                    f"start = {agent} has other sizes: {name} is {there.get(name, 'absent')}, here "
                    f"{here.get(name, 'absent')}; look at hidden, critics and the spaces"
                )
        for name, tensor in own.items():
            if "_moments/" not in name and not name.startswith(kept):
                tensor.copy_(given[name])

    def restore(self, checkpoint: Checkpoint, rows: list[dict[str, Any]]) -> None:
        """Come back to a checkpoint; rows: what had been logged until then."""
        self.restore_networks(checkpoint, rows)
        tensors, values = checkpoint.tensors, checkpoint.values
        self.generator.set_state(tensors["generator"])
        self.sums = {
            name.removeprefix("sums/"): tensor.to(self.plan.device)
            for name, tensor in tensors.items()
            if name.startswith("sums/")
        }
        if checkpoint.rows is not None:
            self.replay.restore(checkpoint.rows.arrays, checkpoint.rows.inserted)
        self.updates = values["updates"]
        self.episodes = [Episode(*episode) for episode in values["episodes"]]
        if isinstance(self.environments, Environments) and "environments" in values:
            self.environments.restore(values["environments"])

    def restore_networks(self, checkpoint: Checkpoint, rows: list[dict[str, Any]]) -> None:
        """Take a checkpoint's parameters and the rows logged until then: what an agent needs.

        Raises ConfigError where this environment has other sizes than the run's.
        """
        for name, tensor in _flat(self.state):
            saved = checkpoint.tensors[name]
            if saved.shape != tensor.shape:
                raise ConfigError(
                    f"env is another environment than the run's: {name} has the shape "
                    f"{tuple(tensor.shape)} there, in the checkpoint {tuple(saved.shape)}"
                )
            tensor.copy_(saved)
        self.step = checkpoint.step
        self.history = [row for row in rows if row["step"] <= self.step]

    def close(self) -> None:
        """Close the environments that were made here."""
        if not isinstance(self.env, gymnasium.Env | VectorEnv):
            self.environments.close()

    def _live(self) -> None:
        """One step in each environment, stored."""
        seen = torch.as_tensor(self.environments.observation, device=self.plan.device)
        if self.step < self.config.learning_starts:
            actions = self._random_actions(len(seen))
        else:
            try:
                with torch.no_grad():
                    actions = self.module.act(self.state, seen, self.generator, self.spaces)
            except RuntimeError:  # torch draws from no probabilities that are NaN
                self._check_state()
                raise
        lived, episodes = self.environments.step(actions.cpu().numpy())
        self._check(lived)
        discount = self.config.discount * (1.0 - lived.terminated.astype(np.float32))
        arrays = (lived.observation, lived.action, lived.reward, lived.next_observation, discount)
        self.replay.add(Batch(*(torch.from_numpy(np.asarray(array)) for array in arrays)))
        self.episodes += episodes
        self.step += len(lived.reward)

    def _updates_until(self, step: int) -> int:
        return math.floor(step * self.config.updates_per_step)

    def _learn(self, updates: int) -> None:
        """Gradient steps; their metrics are added up until they are logged.

        Moments of units that no longer fire shrink to denormal numbers, which processors are slow
        with: they are flushed to 0 meanwhile.
        """
        config = self.config.at(min(self.step / self.plan.steps, 1.0))
        torch.set_flush_denormal(True)
        for _ in range(updates):
            batch = self.replay.sample(self.config.batch_size, self.generator)
            noise = self.module.draw(config.batch_size, self.generator, config, self.spaces)
            metrics = self.module.update(self.state, batch, noise, config, self.spaces)
            for name, value in metrics.items():
                self.sums[name] = self.sums.get(name, torch.zeros_like(value)) + value.detach()
        self.updates += updates
        torch.set_flush_denormal(False)

    def _random_actions(self, count: int) -> Tensor:
        source, size = self.generator, self.spaces.action_size
        if self.spaces.discrete:
            return torch.randint(size, (count,), generator=source, device=source.device)
        if not self.spaces.bounded:
            return torch.randn((count, size), generator=source, device=source.device)
        return 2.0 * torch.rand((count, size), generator=source, device=source.device) - 1.0

    def _check(self, lived: Lived) -> None:
        for name in ("observation", "reward", "next_observation"):
            if not (np.abs(getattr(lived, name)) <= LARGEST).all():
                raise TrainingDivergedError(
                    f"step {self.step}: the environment gave a {name} that is NaN, infinite or "
                    "beyond float32; look at the environment, or at the actions it was sent"
                )

    def _check_state(self) -> None:
        require_finite_tensors(self.step, dict(_flat(self.state)))

    def _evaluation(self) -> dict[str, Any]:
        told = self.agent().evaluate(
            self.env,  # type: ignore[arg-type]
            episodes=self.plan.evaluation_episodes,
            seed=EVALUATION_SEED,
        )
        if not np.isfinite(told.returns).all():
            raise TrainingDivergedError(
                f"step {self.step}: an episode of the evaluation has a return that is not finite; "
                "look at the environment's rewards"
            )
        return {
            "evaluation_return": float(told.returns.mean()),
            "evaluation_length": float(told.lengths.mean()),
        }

    def _log(self, row: dict[str, Any], run: Run | None) -> None:
        means = {name: float(value) / self.updates for name, value in self.sums.items()}
        for name, value in means.items():
            if not np.isfinite(value):
                raise TrainingDivergedError(
                    f"step {self.step}: {name} is {value}; the training diverged. Lower the "
                    "learning rates, or look at the rewards"
                )
        if self.episodes:
            totals, lengths = zip(*self.episodes, strict=True)
            means |= {"return": float(np.mean(totals)), "length": float(np.mean(lengths))}
        seconds = time.monotonic() - self.started
        row = {"step": self.step, "seconds": seconds, "episodes": len(self.episodes)} | means | row
        self.sums, self.updates, self.episodes = {}, 0, []
        self.history.append(row)
        if run:
            run.log(row)

    def _save(self, run: Run, score: float | None, announce: Callable[[str], None] | None) -> int:
        tensors = {"generator": self.generator.get_state()} | dict(_flat(self.state))
        tensors |= {f"sums/{name}": value for name, value in self.sums.items()}
        values: dict[str, Any] = {
            "steps": self.plan.steps,
            "updates": self.updates,
            "episodes": self.episodes,
        }
        if isinstance(self.environments, Environments):
            values["environments"] = self.environments.state()
        new = self.replay.rows_since(run.inserted)
        rows = Rows(new, self.replay.inserted, self.replay.capacity)
        name = run.save(self.step, tensors, values, rows, score)
        if announce is not None:
            announce(f"saved {name}")
        return self.step


@dataclass(frozen=True)
class _Due:
    """Whether something that is done every so many steps is due after this one."""

    before: int
    now: int
    last: bool

    def __call__(self, every: int) -> bool:
        return every > 0 and (self.before // every != self.now // every or self.last)


def _flat(state: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Tensor]]:
    """Every tensor of nested dictionaries with its path, "critic/weight0"."""
    for name, value in state.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}/")
        else:
            yield f"{prefix}{name}", value
