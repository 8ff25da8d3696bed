"""Write the files that `tests/test_old_files.py` reads, with the version installed.

    python tests/old_files/make.py tests/old_files/0.1.0

Files of a released version are never made anew: what it wrote, every later one must go on reading.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

import maxent

SMALL: dict[str, Any] = {
    "hidden": (8,),
    "batch_size": 8,
    "learning_starts": 20,
    "replay_capacity": 100,
}
RUNS: dict[str, dict[str, Any]] = {
    "sac": {"env": "maxent/LQR-v0", "copies": 2, "evaluate_every": 30},
    "sac_v1": {"env": "Pendulum-v1", "temperature": 0.2},
    "sac_discrete": {
        "env": "maxent/Gridworld-v0",
        "env_settings": {"map": "four-rooms", "discount": 0.9},
        "critics": 1,
    },
    "sql": {"env": "maxent/Multigoal-v0", "temperature": 0.5},
    "sql_discrete": {
        "env": "maxent/Gridworld-v0",
        "env_settings": {"map": "four-rooms", "discount": 0.9},
        "temperature": 0.1,
    },
}


def problems() -> dict[str, maxent.MDP]:
    """An MDP of each kind that a file can hold."""
    rng = np.random.default_rng(1)
    transition = rng.dirichlet(np.ones(4), size=(4, 3))
    mask = np.ones((4, 3), dtype=bool)
    mask[0, 2] = False
    return {
        "dense": maxent.MDP(
            transition,
            rng.normal(size=(4, 3, 4)),
            discount=0.9,
            terminal=[False, False, False, True],
            action_mask=mask,
            initial_distribution=[0.5, 0.5, 0.0, 0.0],
            state_names=["a", "b", "c", "d"],
            action_names=["x", "y", "z"],
        ),
        "gridworld": maxent.gridworld(
            "S.#.\n...X\n.!.G", discount=0.95, slip=0.1, rewards={"!": -5}
        ),
        "sparse": maxent.garnet(20, 3, branching=2, seed=1, discount=0.8),
    }


def main(folder: Path) -> None:
    expected: dict[str, dict] = {"mdps": {}, "certificates": {}, "runs": {}}
    for name, mdp in problems().items():
        path = folder / f"{name}.npz"
        mdp.save(path)
        solution = maxent.solve(mdp, 0.5, tolerance=1e-10)
        expected["mdps"][name] = {
            "shape": [mdp.n_states, mdp.n_actions],
            "v": solution.v.tolist(),
        }
    mdp = problems()["dense"]
    uniform = mdp.action_mask / mdp.action_mask.sum(axis=1, keepdims=True)
    for name, options in {
        "optimal": {},
        "prior": {"prior": uniform},
        "policy": {"policy": uniform},
    }.items():
        enclosure = maxent.enclose(mdp, 0.5, **options)
        maxent.write_certificate(enclosure, folder / f"{name}.json")
        expected["certificates"][name] = {"radius": enclosure.radius.hex()}
    for name, options in RUNS.items():
        agent = maxent.train(
            name, steps=60, seed=1, log_every=20, run=folder / name, **options, **SMALL
        )
        observation = np.zeros(agent.spaces.observation_size, dtype=np.float32)
        observation[0] = 1.0
        expected["runs"][name] = {
            "steps": agent.steps,
            "temperature": agent.temperature,
            "action": np.asarray(
                agent.actions(observation[None], agent.generator(0), deterministic=True)
            ).tolist(),
            "history": agent.history,
        }
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
