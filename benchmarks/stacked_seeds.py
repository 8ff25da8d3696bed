"""How fast many seeds train side by side on one device: K agents in one graph, and other packages.

    python benchmarks/stacked_seeds.py                                   # a GPU where there is one
    python benchmarks/stacked_seeds.py --seeds 1 8 32 --sb3-python .venv-sb3/bin/python
    python benchmarks/stacked_seeds.py --device cpu --seeds 1 2 --steps 100 --hidden 16

Soft actor-critic with the settings of `mujoco_returns/protocol.py`.  Each agent has an environment,
a replay buffer and noise of its own; one gradient step a step.  Replay lies on the device, noise
and minibatches are drawn there, outside of the graph, and nothing waits for the device but the
actions that the environments take.  On a GPU the update of all agents is one CUDA graph.

Told are steps a second of one seed, and of all together, after a warm-up that is told apart; and
updates alone, which is what the device does.  Another package trains one seed in a process of its
own: Stable-Baselines3 by `--sb3-python`.
"""

from __future__ import annotations

import argparse
import copy
import platform
import subprocess
import time
from pathlib import Path
from typing import Any

import gymnasium
import torch
from torch import Tensor

from maxent.neural.algorithms import fresh_state, sac
from maxent.neural.parts.networks import named_tensors
from maxent.neural.parts.replay import Batch
from maxent.neural.parts.spaces import Spaces
from maxent.neural.runs import Checkpoint, Rows, Run
from maxent.neural.training.collect import environments_of
from maxent.neural.training.parameters import load_parameters
from maxent.neural.training.stacked import Replayed, stack, stacked_update

WARM_UP = 50
"""Steps of everything before the clock starts; the compilation is before them."""

THEIRS = """
import sys, time, torch
from stable_baselines3 import SAC
env, steps, hidden, batch, device = sys.argv[1:]
torch.set_num_threads(1)
net = [int(part) for part in hidden.split(",")]
common = dict(batch_size=int(batch), learning_starts=int(batch), buffer_size=100_000)
agent = SAC("MlpPolicy", env, seed=1, device=device, policy_kwargs={"net_arch": net}, **common)
agent.learn(int(batch) + 50)
began = time.perf_counter()
agent.learn(int(steps), reset_num_timesteps=False)
print(int(steps) / (time.perf_counter() - began))
"""


class StackedReplay:
    """K replay buffers of one size on a device, filled side by side."""

    def __init__(self, agents: int, capacity: int, spaces: Spaces, device: torch.device) -> None:
        wide, size = spaces.observation_size, spaces.action_size
        shapes = ((wide,), (size,), (), (wide,), ())
        self.parts = [torch.zeros(agents, capacity, *shape, device=device) for shape in shapes]
        self.capacity, self.inserted = capacity, 0
        self.agents = torch.arange(agents, device=device)[:, None]

    def add(self, *new: Any) -> None:
        """A transition of each agent."""
        place = self.inserted % self.capacity
        for part, values in zip(self.parts, new):
            part[:, place] = torch.as_tensor(values, dtype=part.dtype).to(part.device)
        self.inserted += 1

    def sample(self, count: int, generator: torch.Generator) -> Batch:
        """A minibatch for each agent: (K, count, ...)."""
        shape, filled = (len(self.agents), count), min(self.inserted, self.capacity)
        chosen = torch.randint(filled, shape, generator=generator, device=self.agents.device)
        return Batch(*(part[self.agents, chosen] for part in self.parts))

    def rows_since(self, inserted: int) -> Rows:
        """What was added after `inserted` transitions of each agent, (n, K, ...), for a run."""
        first = max(inserted, self.inserted - self.capacity)
        places = torch.arange(first, self.inserted, device=self.agents.device) % self.capacity
        arrays = {
            name: part[:, places].transpose(0, 1).cpu().numpy()
            for name, part in zip(Batch._fields, self.parts)
        }
        return Rows(arrays, self.inserted, self.capacity)

    def restore(self, rows: Rows) -> None:
        """Take up what a run kept."""
        first = rows.inserted - len(rows.arrays["reward"])
        places = torch.arange(first, rows.inserted, device=self.agents.device) % self.capacity
        for name, part in zip(Batch._fields, self.parts):
            kept = torch.from_numpy(rows.arrays[name]).to(part.device)
            part[:, places] = kept.transpose(0, 1)
        self.inserted = rows.inserted


class Agents:
    """K agents, their environments and their buffers; then `explore` or `restore`, and `prepare`.

    Agent i and environment i have the seed first_seed + i.
    """

    def __init__(
        self, env: str, first_seed: int, count: int, config: sac.Config, device: str
    ) -> None:
        self.count, self.config, self.device = count, config, torch.device(device)
        self.environments, self.spaces = environments_of(env, count, first_seed)
        seeds = range(first_seed, first_seed + count)
        sources = [torch.Generator(self.device).manual_seed(seed) for seed in seeds]
        self.state = stack([fresh_state(sac, self.spaces, config, each) for each in sources])
        self.generator = torch.Generator(self.device).manual_seed(first_seed)
        self.replay = StackedReplay(count, config.replay_capacity, self.spaces, self.device)
        self.act = torch.func.vmap(self._of_one)

    def explore(self) -> None:
        """The random steps before the first update."""
        for _ in range(self.config.learning_starts):
            self.step(random=True)

    def save(self, run: Run, step: int, values: dict[str, Any]) -> None:
        """A checkpoint, from which all goes on as if it had not been cut; values: of the caller."""
        tensors = {"generator": self.generator.get_state()} | dict(named_tensors(self.state))
        memory = {"environments": self.environments.memory()}  # before their state: see there
        values = values | {"environments": self.environments.state()}
        run.save(step, tensors, values, self.replay.rows_since(run.inserted), memory=memory)

    def restore(self, saved: Checkpoint) -> None:
        """Come back to a checkpoint."""
        load_parameters(self.state, saved.tensors)
        self.generator.set_state(saved.tensors["generator"])
        self.replay.restore(saved.rows)
        memory = saved.memory["environments"]
        self.environments.restore(saved.values["environments"], memory, saved.step * self.count)

    def _of_one(self, actor: dict[str, Tensor], observation: Tensor, noise: Tensor) -> Tensor:
        drawn = sac.actors.sample(actor, observation[None], noise[None], self.spaces)
        return drawn.action[0]

    def prepare(self, backend: str = "inductor") -> None:
        """Make the graph of an update; draws nothing that is used."""
        update = stacked_update(sac, self.config, self.spaces, backend)
        before = self.generator.get_state()
        self.batch, self.noise = self._batch(), self._noise(self.config.batch_size)
        self.generator.set_state(before)
        if self.device.type == "cuda":
            self.learn = Replayed(update, self.state, self.batch, self.noise).replay
        else:
            update(copy.deepcopy(self.state), self.batch, self.noise, True)
            self.learn = lambda: update(self.state, self.batch, self.noise, True)

    def _batch(self) -> Batch:
        return self.replay.sample(self.config.batch_size, self.generator)

    def _noise(self, rows: int) -> dict[str, Tensor]:
        drawn = sac.draw(self.count * rows, self.generator, self.config, self.spaces)
        return {name: x.reshape(self.count, rows, *x.shape[1:]) for name, x in drawn.items()}

    def step(self, random: bool = False) -> None:
        """One step in each environment."""
        if random:
            shape = (self.count, self.spaces.action_size)
            inside = torch.rand(shape, generator=self.generator, device=self.device) * 2.0 - 1.0
        else:
            seen = torch.as_tensor(self.environments.observation).to(self.device)
            noise = self._noise(1)["action"][:, 0]
            with torch.no_grad():
                inside = self.act(self.state["actor"], seen, noise)
        new, _ = self.environments.step(inside.cpu().numpy())
        discount = self.config.discount * (1.0 - new.terminated)
        self.replay.add(new.observation, inside, new.reward, new.next_observation, discount)

    def update(self) -> None:
        """One gradient step of each agent."""
        for mine, new in zip(self.batch[:5], self._batch()[:5]):
            mine.copy_(new)
        for name, new in self._noise(self.config.batch_size).items():
            self.noise[name].copy_(new)
        self.learn()


def rate(what: Any, steps: int, device: str) -> float:
    """Calls a second, the device's work included."""
    for _ in range(min(WARM_UP, steps)):
        what()
    _wait(device)
    began = time.perf_counter()
    for _ in range(steps):
        what()
    _wait(device)
    return steps / (time.perf_counter() - began)


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def main() -> None:
    """Print the table."""
    best = "cuda" if torch.cuda.is_available() else "cpu"
    parser = argparse.ArgumentParser(description="Steps a second of K seeds in one graph.")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 8, 32])
    parser.add_argument("--env", default="HalfCheetah-v5")
    parser.add_argument("--steps", type=int, default=1_000)
    parser.add_argument("--device", choices=["cpu", "cuda"], default=best)
    parser.add_argument("--hidden", nargs="+", type=int, default=[256, 256])
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--capacity", type=int, default=10_000)
    parser.add_argument("--backend", default="inductor", help="of torch.compile")
    parser.add_argument("--sb3-python", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    card = torch.cuda.get_device_name() if asked.device == "cuda" else platform.processor()
    print(
        f"{asked.env}, {asked.hidden}, batches of {asked.batch_size}; {card or platform.machine()}"
    )
    print(f"torch {torch.__version__}, gymnasium {gymnasium.__version__}\n")
    print("| seeds | steps/s a seed | steps/s in all | updates/s in all | made in, s |")
    print("|---|---|---|---|---|")
    config = sac.Config(
        hidden=tuple(asked.hidden),
        batch_size=asked.batch_size,
        learning_starts=asked.batch_size,
        replay_capacity=asked.capacity,
    )
    for count in asked.seeds:
        agents = Agents(asked.env, 0, count, config, asked.device)
        agents.explore()
        began = time.perf_counter()
        agents.prepare(asked.backend)
        prepared_in = time.perf_counter() - began

        def both(agents: Agents = agents) -> None:
            agents.step()
            agents.update()

        whole = rate(both, asked.steps, asked.device)
        alone = rate(agents.update, asked.steps, asked.device)
        print(
            f"| {count} | {whole:.0f} | {whole * count:.0f} | {alone * count:.0f} | "
            f"{prepared_in:.0f} |",
            flush=True,
        )
        agents.environments.close()
    if asked.sb3_python is not None:
        told = [asked.env, asked.steps, ",".join(map(str, asked.hidden)), asked.batch_size]
        command = [asked.sb3_python, "-c", THEIRS, *map(str, told), asked.device]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        print(f"| Stable-Baselines3, 1 | {float(done.stdout.split()[-1]):.0f} | | | |")


if __name__ == "__main__":
    main()
