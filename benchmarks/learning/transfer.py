"""A path is blocked: what is a maximum-entropy policy worth as a start for the changed task?

    python benchmarks/learning/transfer.py                    # everything, two minutes a seed
    python benchmarks/learning/transfer.py --seeds 1 2        # fewer runs
    python benchmarks/learning/transfer.py --exact            # only the exact half, seconds

A ring with a short way and a slightly longer one from S to G; then a wall on the short one.

Exact half: the optimum of the open ring, at several temperatures, moved to the blocked ring.  What
is its policy still worth there, and how many sweeps does a solver save that starts from its values?

Neural half: soft Q-learning on the open ring, at a high temperature and at a low one (nearly
deterministic), with episodes that start anywhere or in S; then on the blocked ring, from S and at
the same temperature, from those parameters and from fresh ones.  After every 100 steps the policy
is evaluated exactly.  Its score is the share of the way from the uniform policy's return to that of
the optimum at its temperature; a run has learned once its score is 0.9 and stays there.  (In the
exact half 1 is the best return of all.)

Finished runs are in `results/transfer.json` and are not run again.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch
from numpy import ndarray

import maxent
from maxent.neural.diagnostics import policy_on
from maxent.neural.training.agent import Agent
from maxent.neural.training.learner import Learner
from maxent.neural.training.plan import Plan
from maxent.plots import save
from maxent.plots.maps.grids import draw_map, value_limits
from maxent.plots.style import LINES, MARKERS, MUTED, new_figure, styled

RESULTS = Path(__file__).parent / "results" / "transfer.json"
FIGURE = Path(__file__).parents[2] / "docs" / "images" / "transfer.png"
OPEN = """\
.......
.#####.
S#####G
.#####.
.#####.
.......
"""
BLOCKED = OPEN.replace(".#####.\nS", "######.\nS")
DISCOUNT, STEP_REWARD = 0.95, -0.1
TEMPERATURES = (0.003, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1)
LOW, HIGH = 0.005, 0.05
"""Temperatures of the neural half."""

SETTINGS: dict[str, Any] = {
    "discount": DISCOUNT,
    "hidden": (64, 64),
    "batch_size": 64,
    "critic_rate": 1e-3,
    "target_rate": 0.02,
    "learning_starts": 100,
}
BEFORE_STEPS, AFTER_STEPS, EVERY, LEARNED = 6_000, 3_000, 100, 0.9
ARMS = {
    f"{'fresh' if start == 'fresh' else f'open ring, starts {start}'}, temperature {temperature}": (
        start,
        temperature,
    )
    for temperature in (HIGH, LOW)
    for start in ("fresh", "anywhere", "in S")
}


def ring(text: str) -> maxent.MDP:
    """The MDP of a map; what is seen in a cell is the same on both maps, one-hot."""
    mdp = maxent.gridworld(text, discount=DISCOUNT, step_reward=STEP_REWARD)
    rows, columns = mdp.grid.cells.T
    return mdp.replace(observations=np.eye(42, dtype=np.float32)[7 * rows + columns])


def moved(old: maxent.MDP, new: maxent.MDP, values: ndarray) -> ndarray:
    """Values (S, ...) of the old map's states, at the same cells of the new map."""
    return values[[old.grid.state_at(*cell) for cell in new.grid.cells]]


def score(mdp: maxent.MDP, policy: ndarray, temperature: float = 0.0) -> float:
    """0 for the uniform policy's return from S, 1 for that of the optimum at a temperature."""
    uniform = np.full(mdp.reward.shape, 1.0 / mdp.n_actions)
    worst = maxent.policy_return(mdp, uniform)
    best = maxent.policy_return(mdp, maxent.solve(mdp, temperature).policy)
    return (maxent.policy_return(mdp, policy) - worst) / (best - worst)


def arrives(mdp: maxent.MDP, policy: ndarray, steps: int = 100) -> float:
    """Probability of having reached the goal."""
    state = mdp.initial_distribution
    for _ in range(steps):
        onward = (state[:, None] * policy * ~mdp.terminal[:, None]).ravel() @ mdp.transition_rows
        state = onward + state * mdp.terminal
    return float(state[mdp.terminal].sum())


def exact() -> list[dict[str, float]]:
    """A row for each temperature."""
    old, new = ring(OPEN), ring(BLOCKED)
    rows = []
    for temperature in TEMPERATURES:
        known = maxent.solve(old, temperature)
        policy, v = moved(old, new, known.policy), moved(old, new, known.v)
        best = maxent.solve(new, temperature)
        hard = moved(old, new, maxent.solve(old, 0.0).v)
        objective = maxent.soft_policy_evaluation(new, policy, temperature).v
        row = {
            "temperature": temperature,
            "score before": score(old, known.policy),
            "score after": score(new, policy),
            "arrives after": arrives(new, policy),
            "objective": float(new.initial_distribution @ objective),
            "optimum": float(new.initial_distribution @ best.v),
        }
        starts = {"fresh": None, "soft start": v, "hard start": hard}
        methods = {"VI": maxent.soft_value_iteration, "PI": maxent.soft_policy_iteration}
        for word, method in methods.items():
            for name, v0 in starts.items():
                found = method(new, temperature, v0=v0, tolerance=1e-6)
                row[f"{word}, {name}"] = found.iterations
        rows.append(row)
    return rows


def trained(
    mdp: maxent.MDP,
    begins: str,
    temperature: float,
    seed: int,
    *,
    steps: int,
    every: int,
    start: Agent | None = None,
) -> Agent:
    """An agent trained on a ring, its `history` with scores.

    begins: where episodes do, "anywhere" or "in S".  every: steps between scores.  start: an agent
    whose parameters it takes.
    """
    lived = mdp.replace(initial_distribution=None) if begins == "anywhere" else mdp

    def env() -> gymnasium.Env:
        return gymnasium.wrappers.TimeLimit(maxent.MDPEnv(lived), 50)

    plan = Plan(algorithm="sql", env=None, steps=steps, seed=seed, log_every=every)
    learner = Learner(plan, env, SETTINGS | {"temperature": temperature})
    if start is not None:
        learner.begin_with(start)

    def scored() -> float:
        return score(mdp, policy_on(learner.agent(), mdp), temperature)

    first = {"step": 0, "score": scored()}

    def report(row: dict[str, Any]) -> None:
        row["score"] = scored()

    try:
        agent = learner.train(report=report)
    finally:
        learner.close()
    if agent.stopped_by is not None:
        raise SystemExit(128 + agent.stopped_by)
    agent.history.insert(0, first)
    return agent


def learned_at(steps: list[int], scores: list[float]) -> float:
    """The first step from which on the score is at least `LEARNED`; inf if there is none."""
    short = [step for step, value in zip(steps, scores, strict=True) if value < LEARNED]
    later = [step for step in steps if not short or step > short[-1]]
    return float(later[0]) if later else float("inf")


def neural(seed: int) -> dict[str, Any]:
    """The four first trainings and the six second ones, of one seed."""
    length = {"steps": BEFORE_STEPS, "every": BEFORE_STEPS}
    before = {
        (begins, temperature): trained(ring(OPEN), begins, temperature, seed, **length)
        for begins in ("anywhere", "in S")
        for temperature in (HIGH, LOW)
    }
    curves, length = {}, {"steps": AFTER_STEPS, "every": EVERY}
    for name, arm in ARMS.items():
        agent = trained(ring(BLOCKED), "in S", arm[1], 100 + seed, start=before.get(arm), **length)
        curves[name] = [round(row["score"], 4) for row in agent.history]
        print(f"seed {seed}, {name}: {np.round(curves[name][::5], 2).tolist()}", flush=True)
    return {
        "steps": [row["step"] for row in agent.history],
        "scores before": {
            f"{begins}, temperature {t}": agent.history[-1]["score"]
            for (begins, t), agent in before.items()
        },
        "scores": curves,
    }


def tables(found: dict[str, Any]) -> str:
    """Both halves in Markdown."""
    names = list(found["exact"][0])
    lines = ["| " + " | ".join(names) + " |", "|---" * len(names) + "|"]
    for row in found["exact"]:
        lines.append("| " + " | ".join(f"{row[name]:.3g}" for name in names) + " |")
    if found["neural"]:
        lines += [
            "",
            "| start | score at step 0 | steps to 0.9, by seed | median |",
            "|---|---|---|---|",
        ]
    for name in ARMS if found["neural"] else ():
        runs = [(run["steps"], run["scores"][name]) for run in found["neural"].values()]
        at = [learned_at(*run) for run in runs]
        zero = ", ".join(f"{scores[0]:.2f}" for _, scores in runs)
        lines.append(f"| {name} | {zero} | {', '.join(f'{a:g}' for a in at)} | {np.median(at):g} |")
    return "\n".join(lines)


@styled
def figure(found: dict[str, Any]) -> Any:
    """The two maps; what the old policy is worth by temperature; learning curves."""
    fig = new_figure(12.5, 6.6)
    axes = fig.subplots(2, 2, width_ratios=[1, 1.8])
    for ax, text, name in ((axes[0, 0], OPEN, "open"), (axes[1, 0], BLOCKED, "blocked")):
        mdp, known = ring(text), maxent.solve(ring(OPEN), HIGH)
        policy, v = moved(ring(OPEN), mdp, known.policy), moved(ring(OPEN), mdp, known.v)
        draw_map(ax, mdp, policy, v, value_limits(mdp, v))
        ax.set_title(f"{name} ring; the open ring's policy and values,\ntemperature {HIGH}")
    _draw_exact(axes[0, 1], found["exact"])
    _draw_curves(axes[1, 1], list(found["neural"].values()))
    return fig


def _draw_exact(ax: Any, rows: list[dict[str, float]]) -> None:
    temperatures = [row["temperature"] for row in rows]
    labels = {
        "score before": "score on the open ring",
        "score after": "score on the blocked ring",
        "arrives after": "reaches G within 100 steps, blocked",
    }
    for index, (key, label) in enumerate(labels.items()):
        look = {"color": LINES[index], "marker": MARKERS[index], "label": label}
        ax.plot(temperatures, [row[key] for row in rows], **look)
    ax.set(xscale="log", xlabel="temperature", ylabel="score; probability")
    ax.set_title("The open ring's optimal policy, exact")
    ax.legend()


def _draw_curves(ax: Any, runs: list[dict[str, Any]]) -> None:
    if not runs:
        ax.set_visible(False)
        return
    steps = runs[0]["steps"]
    for index, name in enumerate(ARMS):
        scores = np.array([run["scores"][name] for run in runs])
        dash = "-" if ARMS[name][1] == HIGH else "--"
        look = {"color": LINES[index], "marker": MARKERS[index], "markevery": 4, "label": name}
        ax.plot(steps, np.median(scores, axis=0), linestyle=dash, **look)
        for run in scores:
            ax.plot(steps, run, color=LINES[index], linestyle=dash, linewidth=0.5, alpha=0.4)
    ax.axhline(LEARNED, color=MUTED, linestyle=":", linewidth=0.8)
    ax.axhline(1.0, color=MUTED, linewidth=0.6, zorder=0)
    label = "score (1: soft optimum's return;\nabove: more return, less entropy)"
    ax.set(xlabel="environment steps on the blocked ring", ylabel=label, ylim=(-0.1, 1.25))
    ax.set_title(
        f"Soft Q-learning on the blocked ring: median of {len(runs)} seeds; thin: each run"
    )
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))


def _keep(found: dict[str, Any]) -> None:
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")


def main() -> None:
    """Run what is missing; print the tables, draw the figure."""
    parser = argparse.ArgumentParser(description="A maximum-entropy policy as a start.")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3, 4, 5])
    parser.add_argument("--exact", action="store_true", help="only the exact half")
    options = parser.parse_args()
    torch.set_num_threads(1)
    found: dict[str, Any] = {"neural": {}}
    if RESULTS.exists():
        found = json.loads(RESULTS.read_text())
    found["exact"] = exact()
    for seed in () if options.exact else options.seeds:
        if str(seed) not in found["neural"]:
            found["neural"][str(seed)] = neural(seed)
            _keep(found)
    _keep(found)
    print(tables(found))
    save(figure(found), FIGURE, overwrite=True)


if __name__ == "__main__":
    main()
