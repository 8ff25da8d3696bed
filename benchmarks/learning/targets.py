"""Does learning reach the exact answers?  Every task with a known solution, seeds 1 to 5.

    python benchmarks/learning/targets.py                      # what is missing, then the tables
    python benchmarks/learning/targets.py --tasks lqr --seeds 1 2
    python benchmarks/learning/targets.py --tables             # only the tables, from results/
    python benchmarks/learning/targets.py --tables --figure docs/images/targets.png

==============  ===================================================================  ==============
task            what is measured                                                     to reach
==============  ===================================================================  ==============
gridworld       (J - J_uniform) / (J* - J_uniform); visited mean of KL(pi* || pi)    0.98; 0.02
lqr             relative errors of gain, covariance (Frobenius), V (deviations)      5, 15, 5 %
multigoal-10    share of 1,000 rollouts that reach each goal in 30 steps; missed     15-35 %; 5 %
multigoal-1     the same at temperature 1
pendulum        mean return from 100 fixed starts, against the discretised exact     within 10
                solution's on the finest grid, same starts
==============  ===================================================================  ==============

A finished (task, algorithm, seed) is a small JSON file in `results/`, and is not run again.  The
settings of each task are below; everything else is the algorithm's default.
"""

from __future__ import annotations

import argparse
import json
import time
from functools import cache
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch
from targets_figure import targets_figure

import maxent
from maxent import plots
from maxent.continuous import multigoal, pendulum
from maxent.continuous.discretise import mean_action, roll_out
from maxent.neural.diagnostics import Diagnosis, diagnose
from maxent.neural.training.agent import Agent

RESULTS = Path(__file__).parent / "results"
SEEDS = (1, 2, 3, 4, 5)
BOARD = """\
..........
..........
..##......
..........
..........
..........
......##..
..........
..........
.........G
"""


def gridworld_mdp() -> maxent.MDP:
    """10x10 with two walls, slipping, a goal in the corner; starts anywhere."""
    return maxent.gridworld(BOARD, slip=0.1, discount=0.95, step_reward=-0.1)


def gridworld_env() -> gymnasium.Env:
    """The same as an environment whose episodes are cut after 100 steps."""
    return gymnasium.wrappers.TimeLimit(maxent.MDPEnv(gridworld_mdp()), 100)


def _errors(diagnosis: Diagnosis) -> dict[str, float]:
    return {finding.statement: finding.error for finding in diagnosis.findings}


def measure_gridworld(agent: Agent) -> dict[str, float]:
    """Exact, on the MDP."""
    errors = _errors(diagnose(agent, gridworld_mdp()))
    return {
        "score": errors["(J - J_uniform) / (J* - J_uniform)"],
        "kl": errors["pi = pi*: KL(pi* || pi)"],
    }


def measure_lqr(agent: Agent) -> dict[str, float]:
    """Against the closed form."""
    errors = _errors(diagnose(agent))
    return {
        "gain": errors["gain K, fitted"],
        "covariance": errors["covariance = alpha/2 M^-1"],
        "value": errors["V, in deviations of V"],
    }


def measure_multigoal(agent: Agent) -> dict[str, float]:
    """Shares of 1,000 rollouts that reach each goal within 30 steps, and those that reach none;
    KL divergences from the exact policy, and entropies less its entropy, at the figure's three
    states, in cells of 0.1 x 0.1, nats."""
    reached, _ = multigoal_rollouts(agent, 1_000)
    shares = {f"goal_{goal}": float((reached == goal).mean()) for goal in range(4)}
    exact, own = multigoal_policies(agent)
    own_log, log = np.log(np.maximum(own, 1e-300)), np.log(exact)
    divergences = (own * (own_log - log)).sum(axis=1)
    entropy_errors = (exact * log).sum(axis=1) - (own * own_log).sum(axis=1)
    return (
        shares
        | {"missed": float((reached < 0).mean())}
        | {f"kl_{index}": float(each) for index, each in enumerate(divergences)}
        | {f"entropy_error_{index}": float(each) for index, each in enumerate(entropy_errors)}
    )


def multigoal_rollouts(agent: Agent, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The goal that each of `count` rollouts reached first (-1: none), and all paths (31, n, 2)."""
    generator = agent.generator(0)
    states = multigoal.start(count, np.random.default_rng(0))
    reached, paths = np.full(count, -1), [states]
    for _ in range(30):
        actions = agent.actions(states.astype(np.float32), generator)
        moved, _, _ = multigoal.step(states, actions.astype(float))
        states = np.where((reached < 0)[:, None], moved, states)
        reached = np.where(reached < 0, multigoal.goal_reached(states), reached)
        paths.append(states)
    return reached, np.stack(paths)


def multigoal_policies(agent: Agent, samples: int = 200_000) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of the exact and the agent's policy at the paper's three states, in the cells
    of the grid (3, 441) of the exact solution; the agent's from samples."""
    exact = multigoal_exact(agent.temperature, agent.config.discount)
    own = np.zeros_like(exact)
    generator = agent.generator(1)
    for index, state in enumerate(multigoal.FIGURE_STATES):
        seen = np.tile(state.astype(np.float32), (samples, 1))
        actions = agent.actions(seen, generator)
        cells = np.round(10.0 * (actions + 1.0)).astype(int)
        np.add.at(own[index], cells[:, 0] * 21 + cells[:, 1], 1.0 / samples)
    return exact, own


@cache
def multigoal_exact(temperature: float, discount: float) -> np.ndarray:
    """Probabilities of the exact policy at the paper's three states, (3, 441)."""
    grid = multigoal.multigoal(10, discount=discount)
    solution = maxent.solve(grid.mdp(temperature), temperature, tolerance=1e-3)
    return np.exp(grid.log_policy(solution, multigoal.FIGURE_STATES))


@cache
def exact_pendulum(temperature: float) -> float:
    """The exact solution's mean return from the same starts, on the finest grid that was tried."""
    starts = pendulum.start(100, np.random.default_rng(0))
    grid = pendulum.pendulum((800, 801))
    solution = maxent.solve(grid.mdp(temperature), temperature, tolerance=1e-2)
    played = roll_out(pendulum.TASK, mean_action(grid, solution), starts, 200)
    return float(played.returns.mean())


def measure_pendulum(agent: Agent) -> dict[str, float]:
    """Returns of 200 steps from 100 fixed starts; both play their deterministic action."""
    starts = pendulum.start(100, np.random.default_rng(0))

    def act(states: np.ndarray) -> np.ndarray:
        seen = pendulum.observe(states).astype(np.float32)
        return 2.0 * agent.actions(seen, deterministic=True).astype(float)

    grid = pendulum.pendulum()
    finest = exact_pendulum(agent.temperature)
    solution = maxent.solve(grid.mdp(agent.temperature), agent.temperature, tolerance=1e-2)
    own, exact = (
        roll_out(pendulum.TASK, player, starts, 200).returns
        for player in (act, mean_action(grid, solution))
    )
    return {
        "return": float(own.mean()),
        "exact": float(exact.mean()),
        "finest": finest,
        "median_behind": float(np.median(exact - own)),
        "starts_40_behind": float((exact - own > 40.0).sum()),
        "temperature": agent.temperature,
    }


SMALL = {"hidden": (64, 64), "batch_size": 128, "critic_rate": 1e-3, "replay_capacity": 20_000}
FAST = SMALL | {"actor_rate": 1e-3}
GRID = {"env": gridworld_env, "steps": 15_000, "discount": 0.95, "temperature": 0.05}
GRID |= {"critics": 1, "target_rate": 0.02}
LQR = {"env": "maxent/LQR-v0", "steps": 400_000, "discount": 0.9, "temperature": 0.2}
LQR |= {"critics": 1, "hidden": (128, 128), "batch_size": 256, "target_rate": 0.03}
LQR |= {"critic_rate": 3e-3, "actor_rate": 1e-3, "final_rate_share": 0.005}
LQR |= {"num_envs": 10, "updates_per_step": 0.1, "replay_capacity": 400_000}
LQR |= {"learning_starts": 2_000}
GOALS = {"env": "maxent/Multigoal-v0", "steps": 20_000, "discount": 0.99, "target_rate": 0.02}
GOALS |= {"learning_starts": 5_000, "critics": 1}
SWING = {"env": "Pendulum-v1", "steps": 20_000, "discount": 0.99, "temperature": 0.1}
SWING |= {"hidden": (128, 128), "batch_size": 256, "critics": 1, "target_rate": 0.02}
SWING |= {"env_settings": {"max_episode_steps": 50}}  # 400 starts instead of 100
COMPILED = {"compile": True}
STEIN = SMALL | {"sampler_rate": 1e-3, "policy": "sampler"}
# Begun at temperature 1 only one or two goals are kept: so first WARM, and from there COLD.
PHASE = STEIN | GOALS | {"hidden": (128, 128), "critic_rate": 3e-3, "value_particles": 32}
WARM = PHASE | {"temperature": 10.0, "final_rate_share": 0.1}
COLD = PHASE | {"temperature": 1.0, "final_rate_share": 0.02, "steps": 80_000, "num_envs": 10}
COLD |= {"updates_per_step": 0.25, "replay_capacity": 80_000}
# Acting from Q itself: no WARM, and from uniform candidates alone no sampling network either.
RESAMPLED = {"policy": "resampled"}
UNIFORM = RESAMPLED | {"proposal": "uniform", "sampler_rate": None}
MIXTURE, FLOW = {"policy": "mixture"}, {"policy": "flow"}
COOLING = {"cooled_from": 10.0, "cooling_share": 0.75} | COMPILED
# The same transitions, updates and networks for policies of several hills.
OF_SQL = ("sampler_rate", "value_particles", "policy")
HILLS = {name: x for name, x in COLD.items() if name not in OF_SQL}
HILLS |= {"actor_rate": 1e-3}
SLOW = {"compile": False, "hidden": (64, 64), "updates_per_step": 0.125}  # an update takes 20 ms
COOLED = HILLS | COOLING

GOAL_AIMS = {
    "shares of the goals": lambda m: max(abs(m[f"goal_{goal}"] - 0.25) for goal in range(4)) / 0.1,
    "missed": lambda m: m["missed"] / 0.05,
}

TASKS: dict[str, dict[str, Any]] = {
    "gridworld": {
        "measure": measure_gridworld,
        "aims": {
            "score": lambda m: (1.0 - m["score"]) / 0.02,
            "KL": lambda m: m["kl"] / 0.02,
        },
        "settings": {"sql": [SMALL | GRID], "sac": [FAST | GRID]},
    },
    "lqr": {
        "measure": measure_lqr,
        "aims": {
            "gain": lambda m: m["gain"] / 0.05,
            "covariance": lambda m: m["covariance"] / 0.15,
            "V": lambda m: m["value"] / 0.05,
        },
        "settings": {
            "sac": [FAST | LQR],
            "sac_mixture": [FAST | LQR | MIXTURE | COMPILED],
            "sac_flow": [FAST | LQR | FLOW],
        },
    },
    "multigoal-10": {
        "measure": measure_multigoal,
        "aims": GOAL_AIMS,
        "settings": {
            "sql": [STEIN | GOALS | {"temperature": 10.0}],
            "sac": [FAST | GOALS | {"temperature": 10.0}],
            "sql_resampled": [STEIN | GOALS | RESAMPLED | {"temperature": 10.0}],
            "sql_uniform": [STEIN | GOALS | UNIFORM | {"temperature": 10.0}],
            "sac_mixture": [FAST | GOALS | MIXTURE | {"temperature": 10.0}],
            "sac_flow": [FAST | GOALS | FLOW | {"temperature": 10.0}],
        },
    },
    "multigoal-1": {
        "measure": measure_multigoal,
        "aims": GOAL_AIMS,
        "settings": {
            "sql": [WARM, COLD],
            "sac": [FAST | GOALS | {"temperature": 1.0}],
            "sql_sampler": [COLD | COMPILED],
            "sql_sampler_cooled": [COLD | COOLING],
            "sql_resampled": [COLD | RESAMPLED | COMPILED],
            "sql_cooled": [COLD | RESAMPLED | COOLING],
            "sql_uniform": [COLD | UNIFORM],
            "sac_mixture": [COOLED | MIXTURE],
            "sac_flow": [COOLED | SLOW | FLOW],
        },
    },
    "pendulum": {
        "measure": measure_pendulum,
        "aims": {"return": lambda m: abs(m["return"] - m["finest"]) / 10.0},
        "settings": {
            "sac": [FAST | SWING],
            "sac_mixture": [FAST | SWING | MIXTURE | COMPILED],
            "sac_flow": [FAST | SWING | FLOW],
            "sql_sampler": [SWING | STEIN | COMPILED],
            "sql_resampled": [SWING | STEIN | RESAMPLED | COMPILED],
        },
    },
}
"""Of each task: what is measured of an agent, each error as a share of what its aim allows, and the
settings of each algorithm, a list of phases trained one after the other.  `sql_uniform`,
`sac_mixture` and the like are an algorithm with another policy (docs/policy_classes.md)."""


def phases(task: str, algorithm: str) -> list[dict[str, Any]]:
    """The settings of each phase; what is None there is left out."""
    return [
        {name: value for name, value in phase.items() if value is not None}
        for phase in TASKS[task]["settings"][algorithm]
    ]


def train(task: str, algorithm: str, seed: int) -> Agent:
    """The agent of one task, algorithm and seed.

    A phase starts with the networks of the one before it; its replay is empty and its first
    `learning_starts` steps are random, as in a run of its own.
    """
    agent: Agent | None = None
    for phase in phases(task, algorithm):
        agent = maxent.train(
            algorithm.partition("_")[0], **phase, seed=seed, start=agent, progress=True
        )
        if agent.stopped_by is not None:
            raise SystemExit(128 + agent.stopped_by)
    assert agent is not None, f"{task} has no phase for {algorithm}"
    return agent


def run(task: str, algorithm: str, seed: int, agents: Path | None = None) -> dict[str, Any]:
    """Train and measure; the small record that is kept.  agents: a folder for the agent, too."""
    began = time.process_time()
    agent = train(task, algorithm, seed)
    seconds = time.process_time() - began
    print(f"{task} {algorithm} seed {seed}: trained in {seconds:.0f} CPU s", flush=True)
    if agents is not None:
        agents.mkdir(parents=True, exist_ok=True)
        agent.save(agents / f"{task}-{algorithm}-{seed}.safetensors", overwrite=True)
    measured = TASKS[task]["measure"](agent)
    return {
        "task": task,
        "algorithm": algorithm,
        "seed": seed,
        "settings": [
            {name: value for name, value in phase.items() if not callable(value)}
            for phase in phases(task, algorithm)
        ],
        "measured": measured,
        "cpu_seconds": round(seconds, 1),
        "versions": {"maxent": maxent.__version__, "torch": torch.__version__},
    }


Found = dict[tuple[str, str], list[dict[str, Any]]]
"""The records of each task and algorithm, by seed."""


def found() -> Found:
    """What is in `results/`."""
    every = {
        (task, algorithm): [
            json.loads(path.read_text())
            for path in sorted(RESULTS.glob(f"{task}-{algorithm}-*.json"))
        ]
        for task, described in TASKS.items()
        for algorithm in described["settings"]
    }
    return {run: records for run, records in every.items() if records}


def used_up(records: list[dict[str, Any]], task: str) -> dict[str, list[float]]:
    """Each error of a task, as a share of what its aim allows, by seed: reached if at most 1."""
    return {
        name: [error(record["measured"]) for record in records]
        for name, error in TASKS[task]["aims"].items()
    }


def tables(every: Found) -> str:
    """One block a task and algorithm, one row a seed; the last column is the largest share."""
    blocks = []
    for (task, algorithm), records in every.items():
        names = [x for x in records[0]["measured"] if all(x in r["measured"] for r in records)]
        largest = map(max, zip(*used_up(records, task).values(), strict=True))
        lines = [
            f"| seed | {' | '.join(names)} | of what is allowed |",
            "|---" * (len(names) + 2) + "|",
        ]
        for record, share in zip(records, largest, strict=True):
            cells = [f"{record['measured'][name]:.4g}" for name in names]
            lines.append(f"| {record['seed']} | {' | '.join(cells)} | {share:.2f} |")
        blocks.append(f"{task}, {algorithm}\n\n" + "\n".join(lines))
    return "\n\n".join(blocks)


def main() -> None:
    """Run what is missing, then print the tables, and draw them."""
    parser = argparse.ArgumentParser(description="Learning held against exact answers.")
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--algorithms", nargs="+", default=["sql", "sac"])
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument("--agents", type=Path, help="a folder for what is trained")
    parser.add_argument("--tables", action="store_true", help="run nothing")
    parser.add_argument("--figure", help="a file for the errors as shares of what is allowed")
    options = parser.parse_args()
    torch.set_num_threads(1)
    RESULTS.mkdir(exist_ok=True)
    for task in () if options.tables else options.tasks:
        for algorithm in (name for name in TASKS[task]["settings"] if name in options.algorithms):
            for seed in options.seeds:
                path = RESULTS / f"{task}-{algorithm}-{seed}.json"
                if not path.exists():
                    record = run(task, algorithm, seed, options.agents)
                    path.write_text(json.dumps(record, indent=1) + "\n")
    every = found()
    print(tables(every))
    if options.figure is not None:
        drawn = targets_figure({run: used_up(records, run[0]) for run, records in every.items()})
        plots.save(drawn, options.figure, overwrite=True)


if __name__ == "__main__":
    main()
