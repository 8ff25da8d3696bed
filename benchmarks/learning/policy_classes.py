"""How near each class of policy comes to an exact policy with four hills, and what an update costs.

    python benchmarks/learning/policy_classes.py --out FILE.json
    python benchmarks/learning/policy_classes.py --tables    # of what is in results/ alone
    python benchmarks/learning/policy_classes.py --write     # those of docs/policy_classes.md
    python benchmarks/learning/policy_classes.py --networks FOLDER   # of `targets.py --agents`

The exact Q of the four-goal task at temperature 1 in the middle, (0, 0), interpolated between the
actions of the grid.  The classes of `sac` are fitted to exp(Q) by their own loss, at temperature 1
and cooled from 10 to 1; the resampled policy of `sql` needs no fit.  KL(pi || pi*) in nats, by
sums over cells of 0.1 x 0.1 of 200,000 actions.  Then the process time of one update of each, on
random transitions of the same task.  `--tables`: what trained agents reach on the tasks of
`targets.py`, over the seeds that there are, and how far off the soft value is with each proposal.
`--networks`: what resampled agents would do by their sampling network, all else the same.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import targets
import torch
from gymnasium import spaces
from torch import Tensor

import maxent
from maxent.continuous import multigoal
from maxent.neural import losses
from maxent.neural.algorithms import sac, sql
from maxent.neural.parts import actors
from maxent.neural.parts.optim import adam, gradient_of
from maxent.neural.parts.replay import Batch
from maxent.neural.parts.resampling import Resampled
from maxent.neural.parts.spaces import Spaces

SPACES = Spaces(spaces.Box(-7.0, 7.0, (2,)), spaces.Box(-1.0, 1.0, (2,)))
STEPS, BATCH, DRAWN = 1_500, 128, 200_000
HAS_FLOWS = importlib.util.find_spec("zuko") is not None


class OfGrid(Resampled):
    """A resampled policy whose Q is `table` (21, 21), the same in every state."""

    def _q(self, actions: Tensor) -> Tensor:
        return interpolated(self.state["table"], actions)


def interpolated(table: Tensor, actions: Tensor) -> Tensor:
    """Q (..., ) of actions (..., 2), bilinear between the grid's."""
    places = actions.flip(-1).reshape(1, 1, -1, 2)
    found = torch.nn.functional.grid_sample(table[None, None], places, align_corners=True)
    return found.reshape(actions.shape[:-1])


def divergence(actions: Tensor, log_cells: Tensor) -> float:
    """KL of the frequencies of actions (n, 2) in the cells to exp(log_cells) (441,)."""
    places = torch.round(10.0 * (actions + 1.0)).long()
    counts = torch.bincount(places[:, 0] * 21 + places[:, 1], minlength=441).double()
    own = counts / counts.sum()
    return float((torch.xlogy(own, own) - own * log_cells).sum())


def fitted(name: str, cooled: bool, seed: int, table: Tensor, log_cells: Tensor) -> float:
    """KL of a class of `sac` after fitting."""
    config = sac.Config(policy=name, hidden=(64, 64), actor_rate=1e-3)
    state = sac.init(SPACES, config, torch.Generator().manual_seed(seed))
    generator, seen = torch.Generator().manual_seed(seed), torch.zeros(BATCH, 2)
    for step in range(STEPS):
        alpha = 10.0 ** max(0.0, 1.0 - step / (0.75 * STEPS)) if cooled else 1.0
        noise = sac.draw(BATCH, generator, config, SPACES)["action"]

        def loss(actor: dict[str, Tensor]) -> tuple[Tensor, tuple[()]]:
            own = actors.sample(actor, seen, noise, SPACES)  # noqa: B023
            q, log_density = interpolated(table, own.action), own.mean(own.log_density)
            return losses.soft_policy_improvement_loss(own.mean(q), log_density, alpha), ()  # noqa: B023

        gradient, _, _ = gradient_of(loss, state["actor"])
        adam(state["actor"], gradient, state["actor_moments"], config.actor_rate)
    with torch.no_grad():
        policy = actors.policy_in(state["actor"], seen[:1], SPACES)
        return divergence(policy.drawn(DRAWN, generator)[0][0], log_cells)


def cost(module: Any, config: Any) -> float:
    """Milliseconds of process time of an update: the median of five times ten."""
    generator = torch.Generator().manual_seed(0)
    state = module.init(SPACES, config, generator)
    action = 2.0 * torch.rand(BATCH, 2, generator=generator) - 1.0
    seen = torch.randn(BATCH, 2, generator=generator)
    batch = Batch(seen, action, -torch.ones(BATCH), seen + action, torch.full((BATCH,), 0.99))
    found = []
    for _ in range(6):
        began = time.process_time()
        for _ in range(10):
            noise = module.draw(BATCH, generator, config, SPACES)
            module.update(state, batch, noise, config, SPACES)
        found.append(100.0 * (time.process_time() - began))
    return float(np.median(found[1:]))


RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).parents[2] / "docs" / "policy_classes.md"
BEGIN, END = "<!-- trained: begin -->", "<!-- trained: end -->"
ROWS = {
    "sac": "`sac`, Gaussian",
    "sac_mixture": "`sac`, mixture of 8",
    "sac_flow": "`sac`, flow",
    "sql": "`sql`, sampling network",
    "sql_resampled": "`sql`, resampled, with a network",
    "sql_cooled": "the same, cooled from 10",
    "sql_cooled_network": "the networks of that row, acting by the sampling network",
    "sql_sampler": "`sql`, sampling network, not begun at 10",
    "sql_uniform": "`sql`, resampled, without",
}
STATES = ("(-2.5, 0)", "(0, 0)", "(2.5, 2.5)")
GOALS = {
    "each goal": ("{:.0%}", [f"goal_{goal}" for goal in range(4)]),
    "missed": ("{:.1%}", ["missed"]),
    **{f"KL at {state}": ("{:.3f}", [f"kl_{i}"]) for i, state in enumerate(STATES)},
    **{f"H - H* at {state}": ("{:+.2f}", [f"entropy_error_{i}"]) for i, state in enumerate(STATES)},
}
OTHERS = {
    "lqr": {name: ("{:.1%}", [name]) for name in ("gain", "covariance", "value")},
    "pendulum": {
        "return": ("{:.1f}", ["return"]),
        "exact, finest grid": ("{:.1f}", ["finest"]),
        "median behind the grid's policy": ("{:.2f}", ["median_behind"]),
    },
}
TASKS = {"multigoal-1": GOALS, "multigoal-10": GOALS, **OTHERS}
"""Of each task its columns: how a number is written, and its names in a record."""


def by_network(folder: Path) -> None:
    """Records of the agents of `sql_cooled`, had their sampling networks acted."""
    for path in sorted(folder.glob("multigoal-1-sql_cooled-[0-9].safetensors")):
        record = json.loads((RESULTS / f"{path.stem}.json").read_text())
        agent = maxent.load_agent(path)
        config = replace(agent.config, policy="sampler")
        state = {name: part for name, part in agent.state.items() if name != "resampling"}
        measured = targets.measure_multigoal(replace(agent, config=config, state=state))
        name, seed = "sql_cooled_network", record["seed"]
        record |= {"algorithm": name, "measured": measured}
        path = RESULTS / f"multigoal-1-{name}-{seed}.json"
        path.write_text(json.dumps(record, indent=1) + "\n")


def trained(task: str) -> str:
    """A row a class, in Markdown: least to largest over the seeds that there are."""
    columns = TASKS[task]
    heads = ["class", "seeds", *columns, "CPU s"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for name, words in ROWS.items():
        paths = sorted(RESULTS.glob(f"{task}-{name}-[0-9].json"))
        records = [json.loads(path.read_text()) for path in paths]
        if not records:
            continue
        cells = []
        for form, names in columns.values():
            found = [r["measured"][n] for r in records for n in names if n in r["measured"]]
            ends = dict.fromkeys(form.format(x) for x in (min(found), max(found))) if found else ()
            cells.append(" to ".join(ends) or "-")
        seconds = [r["cpu_seconds"] for r in records if "cpu_seconds" in r]
        cells.append(f"{np.median(seconds):.0f}" if seconds else "-")
        row = "| " + " | ".join([words, str(len(records)), *cells]) + " |"
        lines.append(row.replace("%", " %"))
    return "\n".join(lines)


def write() -> None:
    """Renew the tables of trained agents on the page."""
    blocks = [f"`{task}`\n\n{trained(task)}" for task in TASKS]
    before, _, rest = PAGE.read_text().partition(BEGIN)
    text = "\n\n".join([BEGIN, *blocks, END])
    PAGE.write_text(before + text + rest.partition(END)[2])


def widths() -> str:
    """The biases of `proposal_widths.py`, in Markdown."""
    found = json.loads((RESULTS / "proposal-widths.json").read_text())["bias"]
    heads = next(iter(found.values()))
    lines = [f"| density | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    lines += [
        f"| {name} | {' | '.join(f'{x:.3f}' for x in row.values())} |"
        for name, row in found.items()
    ]
    return "\n".join(lines)


def main() -> None:
    """Fit, time, print and write."""
    parser = argparse.ArgumentParser(description="Classes of policies on an exact one.")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--tables", action="store_true", help="run nothing")
    parser.add_argument("--write", action="store_true", help="renew the tables of the page")
    parser.add_argument("--networks", type=Path, help="a folder of agents: act by their networks")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    options = parser.parse_args()
    if options.networks is not None:
        by_network(options.networks)
        return
    if options.write:
        write()
        return
    if options.tables or options.out is None:
        print(*(trained(task) for task in TASKS), widths(), sep="\n\n")
        return
    torch.set_num_threads(1)
    grid = multigoal.multigoal()
    solution = maxent.solve(grid.mdp(1.0), 1.0, tolerance=1e-3)
    middle = multigoal.FIGURE_STATES[1:2]
    log_cells = torch.as_tensor(grid.log_policy(solution, middle)[0])
    table = torch.as_tensor(grid.q(solution, middle).reshape(21, 21), dtype=torch.float32)
    classes = ["gaussian", "mixture", *(["flow"] if HAS_FLOWS else [])]
    record: dict[str, Any] = {"kl": {}, "update_ms": {}, "actions": DRAWN, "steps": STEPS}
    generator = torch.Generator().manual_seed(0)
    for count in (16, 64, 256):
        policy = OfGrid({"table": table}, torch.zeros(1, 2), torch.tensor(1.0), count, 2)
        kl = divergence(policy.actions(DRAWN, generator)[0], log_cells)
        record["kl"][f"resampled, {count} uniform"] = [kl]
    small = {"hidden": (64, 64), "batch_size": BATCH, "critics": 1, "temperature": 1.0}
    for name in classes:
        config = sac.Config(policy=name, **small)
        record["update_ms"][f"sac, {name}"] = cost(sac, config)
    for name, more in (
        ("sampler", {}),
        ("resampled", {"policy": "resampled"}),
        ("resampled, uniform", {"policy": "resampled", "proposal": "uniform"}),
    ):
        record["update_ms"][f"sql, {name}"] = cost(sql, sql.Config(**small, **more))
    print(json.dumps(record), flush=True)
    for name in classes:
        for cooled in (False, True):
            words = f"{name}{', cooled' if cooled else ''}"
            record["kl"][words] = [
                fitted(name, cooled, seed, table, log_cells) for seed in options.seeds
            ]
            print(words, record["kl"][words], flush=True)
    record["of sampling"] = 440 / (2 * DRAWN)  # what frequencies alone add to a KL
    record["entropy"] = float(-(log_cells.exp() * (log_cells - math.log(0.01))).sum())
    record["versions"] = {"maxent": maxent.__version__, "torch": torch.__version__}
    options.out.write_text(json.dumps(record, indent=1) + "\n")
    print(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
