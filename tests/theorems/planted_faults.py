"""One fault at a time, planted in the operators and functions that the theorems' checks call.

`faulty(name)` is a namespace like `maxent.tabular.operators` in which the fault is in one formula
and the operators built on that formula inherit it, as they would in the real module.

    python tests/theorems/planted_faults.py            # print the matrix fault x key
    python tests/theorems/planted_faults.py --write    # put it into docs/checks
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

if __name__ == "__main__":  # the tests' folder, as pytest has it
    sys.path.insert(0, str(Path(__file__).parents[1]))

from theorems import faulty_models, faulty_operators
from theorems.faulty_operators import Array, Formula

import maxent
from maxent.tabular import operators as true
from maxent.theorems.catalogue import CLAUSES, KEYS, report_on
from maxent.theorems.instance import Instance
from maxent.theorems.reference import ReferenceProblems

GROUPS: dict[str, Mapping[str, Mapping[str, Callable[..., Any]]]] = {
    "The soft value": faulty_operators.OF_THE_SOFT_VALUE,
    "The Boltzmann policy": faulty_operators.OF_THE_POLICY,
    "The value of a policy": faulty_operators.OF_AN_EVALUATION,
    "The backup": faulty_models.OF_THE_BACKUP,
    "The prior": faulty_models.OF_THE_PRIOR,
    "The public functions": faulty_models.OF_A_FUNCTION,
}
FAULTS = {name: parts for group in GROUPS.values() for name, parts in group.items()}

CORE = ("SQL-T1", "SQL-T2", "SQL-T3", "SQL-T4", "SAC-L1", "SAC-L2", "SAC-T1")
"""The theorems of the two papers: the columns of the tables; other keys are named in the last."""

DOCS = Path(__file__).parents[2] / "docs" / "checks"
PAGES = {
    "operator_faults.md": ("The soft value", "The Boltzmann policy", "The value of a policy"),
    "model_faults.md": ("The backup", "The prior", "The public functions"),
}
"""The groups of faults that each page has; the last page ends with the summary."""
BEGIN, END = "<!-- planted faults: begin -->", "<!-- planted faults: end -->"


def family(
    *,
    soft_value: Formula = true.soft_value,
    boltzmann_policy: Formula = true.boltzmann_policy,
    policy_value: Formula = true.policy_value,
    backup: Formula = true.backup,
    soft_policy_bellman: Formula | None = None,
    **functions: Callable[..., Any],
) -> SimpleNamespace:
    """The seven operators, built on the formulas given, and public functions in place of maxent's
    own."""

    def soft_bellman(
        mdp: maxent.MDP, q: Array, temperature: float, log_prior: Array | None = None
    ) -> Array:
        log_prior = mdp.log_mask if log_prior is None else log_prior
        return backup(mdp, soft_value(q, temperature, log_prior))

    def built_policy_bellman(
        mdp: maxent.MDP,
        q: Array,
        log_policy: Array,
        temperature: float,
        log_prior: Array | None = None,
    ) -> Array:
        log_prior = mdp.log_mask if log_prior is None else log_prior
        return backup(mdp, policy_value(q, log_policy, temperature, log_prior))

    return SimpleNamespace(
        soft_value=soft_value,
        boltzmann_policy=boltzmann_policy,
        policy_value=policy_value,
        backup=backup,
        soft_bellman=soft_bellman,
        soft_policy_bellman=soft_policy_bellman or built_policy_bellman,
        soft_policy_improvement=lambda q, temperature, log_prior=None: boltzmann_policy(
            q, temperature, log_prior
        ),
        **functions,
    )


def faulty(name: str) -> SimpleNamespace:
    return family(**FAULTS[name])


class Setting(NamedTuple):
    """What the checks are run on."""

    mdp: maxent.MDP
    temperature: float
    prior: np.ndarray | None = None


def settings() -> dict[str, Setting]:
    """Ordinary, but each fault must be able to matter: some actions masked, a terminal state, a
    start that is not even, a temperature that is no float32 number, a prior, ties."""
    rng = np.random.default_rng(0)
    masked = maxent.garnet(7, 3, discount=0.9, seed=1, terminal=1, masked=0.3)
    masked = masked.replace(initial_distribution=rng.dirichlet(np.ones(7)))
    sparse = maxent.garnet(12, 4, discount=0.95, seed=2, branching=3, terminal=1, masked=0.3)
    prior = rng.dirichlet(np.ones(4), size=12) * sparse.action_mask
    prior /= prior.sum(axis=1, keepdims=True)
    plain = maxent.garnet(6, 3, discount=0.8, seed=0)
    tied = maxent.garnet(6, 3, discount=0.9, seed=3, branching=1)
    tied = tied.replace(reward=np.tile(np.round(tied.reward[:, :1], 1), 3))
    tied = tied.replace(transition=np.repeat(tied.to_dense().transition[:, :1], 3, axis=1))
    paid = maxent.garnet(6, 3, discount=0.9, seed=4, branching=3, terminal=1)
    arrives = paid.expect(paid.terminal.astype(float))
    paid = paid.replace(reward=np.where(paid.terminal[:, None], 0.0, 2.0 * arrives - 0.3))
    return {
        "masked, terminal": Setting(masked, 0.1),
        "sparse, prior": Setting(sparse, 0.7, prior),
        "every action, no end": Setting(plain, 0.3),
        "temperature 0": Setting(masked, 0.0),
        "temperature 0, ties": Setting(tied, 0.0),
        "paid by the step": Setting(paid, 0.2),
    }


SETTINGS = settings()
TRUTHS = ReferenceProblems()
"""What is true of a setting does not depend on the fault: computed once, for all of them."""

ABOUT_MDPS = [clause for clause in CLAUSES if not clause.key.startswith("LQR")]


def caught_by(
    operators: SimpleNamespace, setting: Setting, keys: Iterable[str] | None = None
) -> dict[str, set[str]]:
    """Key -> the clauses that fail with these operators."""
    instance = Instance(*setting, seed=0, operators=operators, problems=TRUTHS)
    chosen = None if keys is None else set(keys)
    report = report_on(instance, [c for c in ABOUT_MDPS if chosen is None or c.key in chosen])
    caught: dict[str, set[str]] = {}
    for check in report:
        if check.verdict == "fails":
            caught.setdefault(check.key, set()).add(check.clause)
    return caught


def caught(name: str) -> dict[str, set[str]]:
    """Key -> the clauses that fail under this fault, in one setting or another."""
    together: dict[str, set[str]] = {}
    for setting in SETTINGS.values():
        for key, clauses in caught_by(faulty(name), setting).items():
            together.setdefault(key, set()).update(clauses)
    return together


def row(name: str) -> str:
    """The line of a fault: how many clauses of each of the papers' theorems fail, then the other
    keys that catch it."""
    found = caught(name)
    numbers = [str(len(found.get(key, ())) or "·") for key in CORE]
    others = [f"{key} {len(found[key])}" for key in KEYS if key in found and key not in CORE]
    return "| " + " | ".join([name, *numbers, ", ".join(others) or "·"]) + " |"


def matrices() -> dict[str, str]:
    """Of each page of docs/checks the tables fault x key, one a group, in Markdown."""
    made = {page: [table(group) for group in groups] for page, groups in PAGES.items()}
    made["model_faults.md"].append(summary(table for tables in made.values() for table in tables))
    return {page: "\n\n".join(tables) for page, tables in made.items()}


def table(group: str) -> str:
    """The table of a group."""
    total = {key: sum(clause.key == key for clause in CLAUSES) for key in CORE}
    header = " | ".join(["fault", *(f"{key} ({total[key]})" for key in CORE), "other keys"])
    rule = " | ".join(["---", *(":-:" for _ in CORE), "---"])
    rows = (row(name) for name in GROUPS[group])
    return "\n".join([f"**{group}**", "", f"| {header} |", f"| {rule} |", *rows])


def summary(tables: Iterable[str]) -> str:
    """How many faults each key catches, counted in the tables."""
    counts = {key: 0 for key in KEYS if not key.startswith("LQR")}  # those about MDPs
    for line in "\n".join(tables).splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] not in FAULTS:
            continue
        for key, cell in zip(CORE, cells[1:]):
            counts[key] += cell != "·"
        for entry in cells[-1].split(", "):
            if entry != "·":
                counts[entry.split()[0]] += 1
    found = ", ".join(f"{key} {count}" for key, count in counts.items() if count)
    none = ", ".join(key for key, count in counts.items() if not count)
    text = f"Of {len(FAULTS)} faults each key catches: {found}."
    return f"{text} None: {none}." if none else text


def main(arguments: list[str]) -> None:
    for page, made in matrices().items():
        if arguments != ["--write"]:
            print(made)
            continue
        before, rest = (DOCS / page).read_text().split(BEGIN)
        _, after = rest.split(END)
        (DOCS / page).write_text(f"{before}{BEGIN}\n\n{made}\n\n{END}{after}")


if __name__ == "__main__":
    main(sys.argv[1:])
