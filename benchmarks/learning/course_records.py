"""The recorded runs that the notebooks load: `maxent/learn/recorded/NAME.json`.

python benchmarks/learning/course_records.py cliff       # notebook 9: about three minutes
python benchmarks/learning/course_records.py pendulum    # notebook 12: about five minutes
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch

import maxent
from maxent.continuous import pendulum
from maxent.continuous.discretise import mean_action, roll_out
from maxent.learn.records import FOLDER, digest
from maxent.neural.diagnostics.tables import q_on
from maxent.tabular.sampled import expected_soft_sarsa, soft_q_learning

CLIFF = maxent.gridworld("cliff-walking", discount=0.95)
TEMPERATURE = 0.1
SAMPLES = 200_000
RESULTS = Path(__file__).parent / "results"


def cliff() -> dict[str, Any]:
    """Tables learned from samples at three explorations, and three networks."""
    exact = maxent.solve(CLIFF, TEMPERATURE)
    start = CLIFF.initial_distribution

    def worth(policy: np.ndarray) -> float:
        return float(start @ maxent.soft_policy_evaluation(CLIFF, policy, TEMPERATURE).v)

    exploration = {}
    for share in (1.0, 0.5, 0.1):
        settings: Any = {"steps": SAMPLES, "seed": 1, "exploration": share, "exact": exact}
        row = {}
        for learner in (soft_q_learning, expected_soft_sarsa):
            learned = learner(CLIFF, TEMPERATURE, **settings)
            row[learner.__name__] = {
                "rms_error": float(learned.rms_errors[-1]),
                "v_start": float(start @ learned.v),
                "policy_worth": worth(learned.policy),
            }
        exploration[str(share)] = row
    anywhere = CLIFF.replace(initial_distribution=~CLIFF.terminal / (~CLIFF.terminal).sum())
    common: Any = {"seed": 1, "temperature": TEMPERATURE, "discount": CLIFF.discount}
    common |= {"hidden": (64, 64), "batch_size": 64, "critics": 1, "learning_starts": 1_000}
    agents = {}
    for name, settings in AGENTS.items():
        agent = maxent.train(
            "sql",
            env=lambda: gymnasium.wrappers.TimeLimit(maxent.MDPEnv(anywhere), 50),
            log_every=250,
            **(common | settings),
        )
        rows = [row for row in agent.history if "critic_loss" in row]
        agents[name] = {
            "settings": settings,
            "steps": [int(row["step"]) for row in rows],
            "critic_loss": [float(f"{row['critic_loss']:.4g}") for row in rows],
            "q": np.round(q_on(agent, CLIFF), 4).tolist(),
        }
    return {"exploration": exploration, "agents": agents}


AGENTS: dict[str, dict[str, Any]] = {
    "A": {"steps": 8_000, "critic_rate": 1e-3, "target_rate": 2e-4},
    "B": {"steps": 8_000, "critic_rate": 1e-3, "target_rate": 2e-2},
    "C": {"steps": 8_000, "critic_rate": 1e-2, "target_rate": 2e-1},
}


def four_goals() -> dict[str, Any]:
    """Which goals the agents of `targets.py` reach at temperature 1: shares of 1,000 rollouts."""
    shares = {}
    for algorithm in ("sac", "sql"):
        files = sorted(RESULTS.glob(f"multigoal-1-{algorithm}-*.json"))
        measured = [json.loads(path.read_text())["measured"] for path in files]
        shares[algorithm] = [[m[f"goal_{goal}"] for goal in range(4)] for m in measured]
    return shares


def pendulum_runs() -> dict[str, Any]:
    """Returns from Gymnasium's first hundred seeds: the discretised exact policy and an agent."""
    env = gymnasium.make("Pendulum-v1")
    starts = []
    for seed in range(100):
        env.reset(seed=seed)
        starts.append(np.array(env.unwrapped.state))  # type: ignore[attr-defined]
    grid = pendulum.pendulum((100, 101), actions=21)
    solution = maxent.solve(grid.mdp(TEMPERATURE), TEMPERATURE)
    exact = roll_out(pendulum.TASK, mean_action(grid, solution), np.array(starts), steps=200)
    agent = maxent.train("sac", env="Pendulum-v1", seed=1, progress=True, **SWING)

    def act(states: np.ndarray) -> np.ndarray:
        seen = pendulum.observe(states).astype(np.float32)
        return 2.0 * agent.actions(seen, deterministic=True).astype(float)

    played = roll_out(pendulum.TASK, act, np.array(starts), steps=200)
    return {
        "settings": {name: value for name, value in SWING.items()},
        "starts": np.round(starts, 6).tolist(),
        "exact": np.round(exact.returns, 3).tolist(),
        "agent": np.round(played.returns, 3).tolist(),
        "history": [
            [int(row["step"]), round(float(row["return"]), 3)]
            for row in agent.history
            if "return" in row
        ],
    }


SWING: dict[str, Any] = {"steps": 10_000, "discount": 0.99, "temperature": TEMPERATURE}
SWING |= {"hidden": (64, 64), "batch_size": 64, "critics": 1, "target_rate": 0.02}
SWING |= {"critic_rate": 1e-3, "actor_rate": 1e-3, "env_settings": {"max_episode_steps": 50}}


def which_agents() -> dict[str, Any]:
    """What the study of known answers has found: {cell: {number: one a seed}}.

    Of 3,000 steps alone: MuJoCo's dynamics have other lengths, and V of another size.
    """
    sys.path.insert(0, str(Path(__file__).parents[1] / "known_answers"))
    import study

    kept = ("policy", "unit", "shift", "spread", "by the policy", "by caution")
    cells = {
        name: study.over_seeds(done)
        for name, done in study.records().items()
        if "steps" not in done[0]["changes"]
    }
    return {
        name: {key: [round(x, 4) for x in found[key]] for key in kept}
        for name, found in cells.items()
    }


RECORDS = {
    "cliff": cliff,
    "four-goals": four_goals,
    "pendulum": pendulum_runs,
    "which-agents": which_agents,
}


def main() -> None:
    """Make one record."""
    parser = argparse.ArgumentParser(description="Make a recorded run of the notebooks.")
    parser.add_argument("name", choices=RECORDS)
    name = parser.parse_args().name
    torch.set_num_threads(1)
    data = json.loads(json.dumps(RECORDS[name]()))
    made = {
        "command": f"python benchmarks/learning/course_records.py {name}",
        "versions": {
            "maxent": maxent.__version__,
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
        "sha256": digest(data),
        "data": data,
    }
    (FOLDER / f"{name}.json").write_text(json.dumps(made) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
