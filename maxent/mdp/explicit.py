"""The explicit files of the model checkers PRISM and Storm, read as an MDP.

=============  ====================================================================
`NAME.tra`     `state choice successor probability [action]`, a line a transition
`NAME.rew`     rewards: `state reward`, `state choice reward`, or
               `state choice successor reward`
`NAME.lab`     labels of states; `init` names the initial one
=============  ====================================================================

PRISM begins a file with its sizes, Storm with the kind of the model; both are read, as are `.srew`
and `.trew` (PRISM), `.state.rew` and `.trans.rew` (Storm), comments (#, //) and Markov chains,
whose lines have no choice.  A state without transitions is terminal.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray
from scipy import sparse

from maxent.errors import ConfigError, ModelError
from maxent.mdp.model import MDP
from maxent.support.arguments import quoted
from maxent.support.files import require_path
from maxent.support.memory import require_memory
from maxent.support.other_words import takes_our_words

LARGEST = 2**30
"""Bytes of the largest file that is read."""
SIZES = "check the numbers of its states"
REWARDS = (".rew", ".srew", ".trew", ".state.rew", ".trans.rew")


@takes_our_words
def read_model(path: str | os.PathLike[str], *, discount: float, terminal: Any = None) -> MDP:
    """The MDP of a `.tra` file of PRISM or Storm, with the rewards of the same stem beside it.

    path : NAME.tra; NAME.rew (.srew, .trew, .state.rew, .trans.rew) and NAME.lab are read if they
        are there.  Without rewards they are 0.
    discount : gamma, which no such file has.
    terminal : states that end the episode, as of `MDP`, or a label of NAME.lab; None: those without
        transitions.  An absorbing state of the file (a loop) is an ordinary one otherwise.

    Actions are the choices of the file, named where each number has one name throughout.  The MDP
    starts in the state labelled `init`; without a NAME.lab uniformly in its nonterminal states.

    Raises ModelError, with file and line, for what is no such file; ConfigError for an argument.

    >>> import maxent, pathlib, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = pathlib.Path(folder.name, "coin.tra")
    >>> _ = path.write_text("2 2 3\\n0 0 0 0.5\\n0 0 1 0.5\\n1 0 1 1\\n")
    >>> _ = path.with_suffix(".rew").write_text("2 1\\n0 1\\n")
    >>> maxent.soft_policy_evaluation(maxent.read_model(path, discount=0.9), [1.0], 0.0).v.round(3)
    array([1.818, 0.   ])
    >>> folder.cleanup()
    """
    path = require_path(path, "path")
    if path.suffix != ".tra":
        raise ConfigError(f"{str(path)!r} does not end in .tra; name the file of the transitions")
    table, chain, named, header = _transitions(path)
    if not len(table) and not header:
        raise ModelError(f"{str(path)!r} holds no transitions")
    n_states = int(max(table[:, 0].max(initial=-1), table[:, 2].max(initial=-1))) + 1
    n_states = max(n_states, header[0] if header else 0)
    if header and header[-1] != len(table):
        raise ModelError(
            f"{path.name} has {len(table)} transitions where its first line says {header[-1]}; the "
            "file was cut off or changed: export it again"
        )
    n_actions = int(table[:, 1].max(initial=0)) + 1
    row = (table[:, 0] * n_actions + table[:, 1]).astype(np.int64)
    shape = (n_states * n_actions, n_states)
    require_memory(16 * shape[0] + 32 * len(table), f"{path.name} with {n_states} states", SIZES)
    rows = sparse.csr_array((table[:, 3], (row, table[:, 2].astype(np.int64))), shape)
    _require_whole(path, rows)
    mask = np.zeros((n_states, n_actions), dtype=bool)
    mask.ravel()[row] = True
    labels = _labels(path.with_suffix(".lab"), n_states)
    end = ~mask.any(axis=1)
    if isinstance(terminal, str):
        if terminal not in labels:
            raise ConfigError(
                f"terminal = {quoted(terminal)} is no label of {path.with_suffix('.lab').name}; "
                f"labels: {', '.join(labels) or 'none'}"
            )
        end |= labels[terminal]
    elif terminal is not None:
        from maxent.mdp.states import terminal_states

        end |= terminal_states(terminal, n_states)
    start = labels.get("init")
    of_action, of_transition = _rewards(path, rows, chain, n_actions)
    settings: dict[str, Any] = {"reward": of_action}
    if of_transition is not None:
        spread = np.repeat(of_action.ravel(), np.diff(rows.indptr))
        both = sparse.csr_array((spread + of_transition, rows.indices, rows.indptr), shape)
        settings = {"transition_reward": both}
    return MDP(
        rows,
        discount=discount,
        terminal=end,
        action_mask=mask,
        initial_distribution=None if start is None or not start.any() else start / start.sum(),
        action_names=_action_names(named, table, n_actions),
        **settings,
    )


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    """The words of each line that has some, with its number; comments left out."""
    try:
        if not path.is_file() or path.stat().st_size > LARGEST:
            raise ModelError(f"{str(path)!r} is no ordinary file of at most {LARGEST >> 30} GiB")
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(f"{str(path)!r} cannot be read: {error}") from error
    lines = (re.sub(r"(#|//).*", "", line).split() for line in text.split("\n"))
    return [(number, words) for number, words in enumerate(lines, start=1) if words]


def _transitions(path: Path) -> tuple[ndarray, bool, list[str], list[int]]:
    """(T, 4) state, choice, successor, probability; whether there are no choices; the name of each
    choice; the sizes that the file begins with."""
    lines = _lines(path)
    kind = lines[0][1][0].lower() if lines and not lines[0][1][0].isdigit() else ""
    if kind not in ("", "mdp", "dtmc"):
        raise ModelError(f"{path.name} is a model of kind {kind!r}; an MDP or a DTMC can be read")
    lines = lines[1:] if kind else lines
    sizes: list[int] = []
    if lines and not kind and len(lines[0][1]) in (2, 3):
        whole = [word.isdigit() for word in lines[0][1]]
        if all(whole) and (len(lines[0][1]) == 2 or len(lines) == 1 or len(lines[1][1]) > 3):
            sizes = [int(word) for word in lines.pop(0)[1]]
    bare = not sizes and not kind and bool(lines) and len(lines[0][1]) == 3
    chain = kind == "dtmc" or len(sizes) == 2 or bare
    found, names = [], []
    for number, words in lines:
        given = [words[0], "0", *words[1:]] if chain else words
        try:
            state, choice, successor = (int(word) for word in given[:3])
            entry = (state, choice, successor, float(given[3]))
            if not (min(entry) >= 0 and entry[3] < np.inf) or len(given) > 5:
                raise ValueError
        except (ValueError, IndexError):
            form = "state successor" if chain else "state choice successor"
            raise ModelError(
                f"{path.name}, line {number}: {' '.join(words)[:60]!r}; a line is {form} "
                "probability [action]: whole numbers from 0, and a decimal number of at least 0"
            ) from None
        if sizes and max(state, successor) >= sizes[0]:
            raise ModelError(
                f"{path.name}, line {number}: state {max(state, successor)} of {sizes[0]} states"
            )
        found.append(entry)
        names.append(given[4] if len(given) > 4 else "")
    return np.array(found, dtype=float).reshape(-1, 4), chain, names, sizes


def _require_whole(path: Path, rows: sparse.csr_array) -> None:
    """ModelError for probabilities that were written with few digits."""
    sums = np.asarray(rows.sum(axis=1)).ravel()
    off = np.abs(sums - 1.0) * (np.diff(rows.indptr) > 0)
    row = int(off.argmax()) if len(off) else 0
    if len(off) and 1e-9 < off[row] < 1e-3:
        state, choice = divmod(row, rows.shape[0] // rows.shape[1])
        raise ModelError(
            f"{path.name}: the probabilities of state {state}, choice {choice} sum to "
            f"{sums[row]:.10g}, not to 1 (tolerance 1e-09): they were written with too few digits; "
            "export the model with 17 significant digits, or correct the file"
        )


def _rewards(
    path: Path, rows: sparse.csr_array, chain: bool, n_actions: int
) -> tuple[ndarray, ndarray | None]:
    """Rewards by state and action (S, A), and by entry of `rows` where a file has such ones."""
    n_states = rows.shape[1]
    by_action = np.zeros((n_states, n_actions))
    by_entry = np.zeros(rows.nnz)
    sampled = False
    for file in (path.with_suffix(ending) for ending in REWARDS):
        if not file.exists():
            continue
        lines = _lines(file)
        width = len(lines[-1][1]) if lines else 0
        if lines and (len(lines[0][1]) < width or lines[0][1][0] == str(n_states)):
            lines.pop(0)  # the sizes: a state's number is below that of the states
        on_transition = width == 4 or (chain and width == 3)
        for number, words in lines:
            try:
                *place, value = [*map(int, words[:-1]), float(words[-1])]
                place = [place[0], 0, *place[1:]] if chain and len(place) == 2 else place
                if len(words) != width or not 2 <= width <= 4 or min(place) < 0:
                    raise ValueError
                if not on_transition:
                    by_action[tuple(place)] += value
                    continue
                sampled = True
                row = place[0] * n_actions + place[1]
                first, last = rows.indptr[row], rows.indptr[row + 1]
                entry = np.flatnonzero(rows.indices[first:last] == place[2])
                by_entry[first + entry[0]] += value
            except (ValueError, IndexError):
                raise ModelError(
                    f"{file.name}, line {number}: {' '.join(words)[:60]!r} is no reward of a "
                    "state, choice or transition of the model"
                ) from None
    return by_action, by_entry if sampled else None


def _labels(path: Path, n_states: int) -> dict[str, ndarray]:
    """The states (S,) of each label, from PRISM's `0="init" 1="end"` and `3: 1`, or from Storm's
    declaration and `3 end`."""
    if not path.exists():
        return {}
    text = path.read_text(encoding="utf-8")
    found: dict[str, ndarray] = {}
    numbered = dict(re.findall(r'(\d+)="([^"]*)"', text))
    body = text.partition("#END")[2] or text
    for line in body.split("\n"):
        match = re.fullmatch(r"\s*(\d+)\s*:?\s+(.+?)\s*", line)
        if match and '="' not in line and int(match[1]) < n_states:
            for label in match[2].split():
                name = numbered.get(label, label)
                found.setdefault(name, np.zeros(n_states, dtype=bool))[int(match[1])] = True
    return found


def _action_names(names: list[str], table: ndarray, n_actions: int) -> list[str] | None:
    """The name of each choice, where each has one and one only."""
    found = [{name for name, c in zip(names, table[:, 1]) if c == a} for a in range(n_actions)]
    if any(len(each) != 1 or "" in each for each in found):
        return None
    listed = [next(iter(each)) for each in found]
    return listed if len(set(listed)) == n_actions else None
