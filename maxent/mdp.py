"""The finite Markov decision process that everything else is about.

States s = 0 ... S-1, actions a = 0 ... A-1, transition probabilities P(s'|s,a), expected reward
r(s,a), discount gamma, initial distribution mu(s).

- The last axis is always actions: `transition` is (S, A, S) dense, or CSR of shape (S*A, S)
  with row s*A + a.
- A **terminal** state has value 0: it earns no reward and no entropy, and whatever its rows say
  is dropped.  An **absorbing** state is an ordinary state that stays where it is: it goes on
  earning reward and entropy.
- Not every action need be available in every state: `action_mask` (S, A) is true where it is.
- The discount enters every formula as a *discount on arrival*: gamma, or 0 at a terminal state.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray
from scipy import sparse

from maxent import validation
from maxent.errors import ConfigError, MemoryBudgetError, ModelError, check_discount
from maxent.files import write_whole
from maxent.grid import Grid

Transition: TypeAlias = Any
"""A dense float64 array or a SciPy `csr_array`."""


@dataclass(frozen=True, eq=False, init=False, repr=False)
class MDP:
    """A validated, immutable finite MDP.

    Parameters
    ----------
    transition : (S, A, S) array, or a SciPy sparse array of shape (S*A, S) with row s*A + a.
    reward : by its dimensions: (S,) paid when acting in s; (S, A); (S, A, S) paid on that
        transition (solvers use its expectation, simulation the samples).
    discount : gamma in [0, 1].
    initial_distribution : (S,); left out: uniform over the non-terminal states.
    terminal : bool (S,), or a list of state indices; left out: none.
    action_mask : bool (S, A), true where an action is available; left out: all are.
    transition_reward : for sparse transitions, instead of `reward`: sparse (S*A, S) within the
        transition's pattern, paid on that transition.
    state_names, action_names : optional names, one each.
    grid : optional `maxent.grid.Grid`: where the states lie on a map, for figures.

    Inputs are copied.  Rows of terminal states and of unavailable actions are dropped (set to
    zero), as they are never used.  Raises ModelError (arrays) or ConfigError (discount).
    """

    transition: Transition
    reward: ndarray
    discount: float
    initial_distribution: ndarray
    terminal: ndarray
    action_mask: ndarray
    transition_reward: Transition | None
    state_names: tuple[str, ...] | None
    action_names: tuple[str, ...] | None
    grid: Grid | None

    def __init__(
        self,
        transition: Any,
        reward: Any = None,
        *,
        discount: float,
        initial_distribution: Any = None,
        terminal: Any = None,
        action_mask: Any = None,
        transition_reward: Any = None,
        state_names: Sequence[str] | None = None,
        action_names: Sequence[str] | None = None,
        grid: Grid | None = None,
    ) -> None:
        discount = check_discount(discount)
        if (reward is None) == (transition_reward is None):
            raise ModelError("give exactly one of reward and transition_reward")
        rows, n_states, n_actions = _transition_rows(transition)
        ended = _terminal_states(terminal, n_states)
        if action_mask is None:
            available = np.ones((n_states, n_actions), dtype=bool)
        else:
            available = validation.boolean_array("action_mask", action_mask, (n_states, n_actions))
        nothing = ~available.any(axis=1)
        if nothing.any():
            raise ModelError(
                f"state {int(np.argmax(nothing))} has no available action in action_mask"
            )
        needed = (available & ~ended[:, None]).ravel()
        validation.check_transition_rows(rows, needed, n_actions)
        _drop_rows(rows, needed)

        samples: Transition | None = None
        if transition_reward is not None:
            samples = _aligned_reward(transition_reward, rows, n_actions)
            expected = np.asarray(rows.multiply(samples).sum(axis=1)).reshape(n_states, n_actions)
        else:
            given = validation.real_array("reward", reward)
            expected, samples = _expected_reward(given, rows, available, n_actions)
        expected = np.where(needed.reshape(available.shape), expected, 0.0)
        validation.check_reward(expected)

        if initial_distribution is None:
            start = (~ended).astype(float)
            if not start.any():
                raise ModelError("every state is terminal: give initial_distribution")
            start /= start.sum()
        else:
            start = validation.distribution("initial_distribution", initial_distribution, n_states)
        shape = (n_states, n_actions, n_states)
        fields = {
            "transition": rows if sparse.issparse(rows) else rows.reshape(shape),
            "reward": expected,
            "discount": discount,
            "initial_distribution": start,
            "terminal": ended,
            "action_mask": available,
            "transition_reward": samples,
            "state_names": _names("state_names", state_names, n_states),
            "action_names": _names("action_names", action_names, n_actions),
            "grid": grid,
        }
        for name, value in fields.items():
            _make_read_only(value)
            object.__setattr__(self, name, value)

    @property
    def n_states(self) -> int:
        """S, terminal states included."""
        return self.reward.shape[0]

    @property
    def n_actions(self) -> int:
        """A, unavailable actions included."""
        return self.reward.shape[1]

    @property
    def is_sparse(self) -> bool:
        """Whether `transition` is CSR (S*A, S) rather than a dense (S, A, S) array."""
        return sparse.issparse(self.transition)

    @property
    def transition_rows(self) -> Transition:
        """The transition as a matrix (S*A, S) with row s*A + a, dense or CSR; no copy."""
        if self.is_sparse:
            return self.transition
        return self.transition.reshape(-1, self.n_states)

    @property
    def discount_on_arrival(self) -> Float[ndarray, " S"]:
        """(S,): gamma, or 0 at a terminal state."""
        return np.where(self.terminal, 0.0, self.discount)

    @property
    def log_mask(self) -> Float[ndarray, "S A"] | None:
        """(S, A): 0 for an available action, -inf for another; None where all are available."""
        if self.action_mask.all():
            return None
        with np.errstate(divide="ignore"):
            return np.log(self.action_mask.astype(float))

    def log_prior(self, prior: Any = None) -> Float[ndarray, "S A"] | None:
        """log prior(a|s), (S, A), -inf for an action never taken; `log_mask` where prior is None.

        prior: action probabilities (S, A) or (A,).  Raises ModelError for anything else.
        """
        if prior is None:
            return self.log_mask
        array = validation.action_distribution("prior", prior, self.action_mask, self.terminal)
        with np.errstate(divide="ignore"):
            return np.log(array)

    def expect(self, x: Float[ndarray, " S"]) -> Float[ndarray, "S A"]:
        """E_{s'}[x(s')] for each state and action: (S,) -> (S, A)."""
        return (self.transition_rows @ x).reshape(self.n_states, self.n_actions)

    def __copy__(self) -> MDP:
        return self

    def __deepcopy__(self, memo: dict) -> MDP:
        return self  # immutable

    def replace(self, **changes: Any) -> MDP:
        """The same MDP with some constructor arguments changed, e.g. `replace(discount=0.5)`.

        `reward` replaces the transition reward as well, and the other way round.
        """
        kept = {name: getattr(self, name) for name in self.__dataclass_fields__}
        if "reward" in changes:
            kept["transition_reward"] = None
        elif "transition_reward" in changes or self.transition_reward is not None:
            kept["reward"] = None
            if not self.is_sparse and "transition_reward" not in changes:
                kept["reward"], kept["transition_reward"] = self.transition_reward, None
        return MDP(**(kept | changes))

    @classmethod
    def from_action_first(cls, transition: Any, reward: Any, **settings: Any) -> MDP:
        """From the action-first layout of MDP toolboxes.

        transition: (A, S, S) array, or a list of A sparse (S, S) matrices.  reward: (S,), (S, A),
        or (A, S, S) (also a list of A sparse matrices) paid on that transition.  `settings`: the
        keyword arguments of `MDP`.
        """
        if not _is_list_of_sparse(transition):
            by_action = validation.real_array("transition", transition, copy=False)
            if by_action.ndim != 3:
                raise ModelError(f"transition has shape {by_action.shape}; it must be (A, S, S)")
            given = validation.real_array("reward", _densely(reward), copy=False)
            if given.ndim == 3:
                if given.shape != by_action.shape:
                    raise ModelError(
                        f"reward has shape {given.shape}; it must be {by_action.shape} (A, S, S), "
                        "(S, A) or (S,)"
                    )
                given = given.transpose(1, 0, 2)
            return cls(by_action.transpose(1, 0, 2), given, **settings)
        rows = _interleave(transition)
        if _is_list_of_sparse(reward):
            return cls(rows, transition_reward=_interleave(reward), **settings)
        given = validation.real_array("reward", reward, copy=False)
        if given.ndim == 3:
            given = given.transpose(1, 0, 2)
        return cls(rows, given, **settings)

    def to_dense(self) -> MDP:
        """The same MDP with a dense (S, A, S) transition.

        Raises MemoryBudgetError, before anything is allocated, where it would take more than
        half of the memory available.
        """
        if not self.is_sparse:
            return self
        arrays = 1 if self.transition_reward is None else 2
        check_memory(
            8 * arrays * self.n_states**2 * self.n_actions,
            f"a dense transition of {self.n_states} x {self.n_actions} x {self.n_states}",
        )
        shape = (self.n_states, self.n_actions, self.n_states)
        reward = self.reward
        if self.transition_reward is not None:
            reward = self.transition_reward.toarray().reshape(shape)
        return self._as(self.transition.toarray().reshape(shape), reward=reward)

    def to_sparse(self) -> MDP:
        """The same MDP with a CSR (S*A, S) transition."""
        if self.is_sparse:
            return self
        rows = sparse.csr_array(self.transition_rows)
        if self.transition_reward is None:
            return self._as(rows, reward=self.reward)
        samples = self.transition_reward.reshape(rows.shape)
        row_of_entry = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
        data = samples[row_of_entry, rows.indices]
        return self._as(
            rows,
            transition_reward=sparse.csr_array((data, rows.indices, rows.indptr), rows.shape),
        )

    def _as(self, transition: Any, **reward: Any) -> MDP:
        kept = {name: getattr(self, name) for name in self.__dataclass_fields__}
        kept |= {"transition": transition, "reward": None, "transition_reward": None}
        return MDP(**(kept | reward))

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write everything to a NumPy archive (.npz, no pickle), whole or not at all.

        Raises OutputExistsError if `path` exists and `overwrite` is false.
        """
        if not os.fspath(path).endswith(".npz"):
            raise ConfigError(f"{os.fspath(path)!r}: an MDP is saved as an .npz file; end it so")
        arrays: dict[str, Any] = {
            "format": np.array("maxent-mdp-1"),
            "discount": np.array(self.discount),
            "initial_distribution": self.initial_distribution,
            "terminal": self.terminal,
            "action_mask": self.action_mask,
        }
        if self.transition_reward is None:
            arrays["reward"] = self.reward
        for name in ("transition", "transition_reward"):
            value = getattr(self, name)
            if sparse.issparse(value):
                arrays[f"{name}.data"] = value.data
                arrays[f"{name}.indices"] = value.indices
                arrays[f"{name}.indptr"] = value.indptr
            elif value is not None:
                arrays[name] = value
        for name in ("state_names", "action_names"):
            if getattr(self, name) is not None:
                arrays[name] = np.array(json.dumps(getattr(self, name)))
        if self.grid is not None:
            arrays["grid.text"] = np.array(json.dumps(self.grid.text))
            arrays["grid.cells"] = self.grid.cells
            arrays["grid.moves"] = self.grid.moves
        with write_whole(path, overwrite=overwrite) as staged, open(staged, "wb") as file:
            np.savez_compressed(file, **arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> MDP:
        """Read what `save` wrote; ModelError for anything else (nothing in a file is executed)."""
        try:
            with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
        except (ValueError, EOFError, zipfile.BadZipFile, AttributeError) as error:
            raise ModelError(
                f"{os.fspath(path)!r} is not an MDP saved by MDP.save ({error}); save it again"
            ) from error
        try:
            return cls._from_arrays(arrays)
        except KeyError as error:
            raise ModelError(
                f"{os.fspath(path)!r} lacks the array {error}; it was not written by MDP.save"
            ) from error

    @classmethod
    def _from_arrays(cls, arrays: dict[str, ndarray]) -> MDP:
        if str(arrays["format"]) != "maxent-mdp-1":
            raise ModelError(
                f"unknown format {str(arrays['format'])!r}; this version reads maxent-mdp-1"
            )
        n_states, n_actions = arrays["action_mask"].shape

        def stored(name: str) -> Any:
            if f"{name}.data" not in arrays:
                return arrays.get(name)
            parts = tuple(arrays[f"{name}.{part}"] for part in ("data", "indices", "indptr"))
            try:
                return sparse.csr_array(parts, shape=(n_states * n_actions, n_states))
            except ValueError as error:
                raise ModelError(f"{name} is not a valid sparse array: {error}") from error

        def text(name: str) -> Any:
            return json.loads(str(arrays[name])) if name in arrays else None

        samples, sampled = stored("transition_reward"), {}
        if samples is None:
            sampled["reward"] = arrays["reward"]
        elif sparse.issparse(samples):
            sampled["transition_reward"] = samples
        else:
            sampled["reward"] = samples
        grid = None
        if "grid.text" in arrays:
            grid = Grid(tuple(text("grid.text")), arrays["grid.cells"], arrays["grid.moves"])
        return cls(
            stored("transition"),
            discount=float(arrays["discount"]),
            initial_distribution=arrays["initial_distribution"],
            terminal=arrays["terminal"],
            action_mask=arrays["action_mask"],
            state_names=text("state_names"),
            action_names=text("action_names"),
            grid=grid,
            **sampled,
        )

    def __repr__(self) -> str:
        kind = "sparse" if self.is_sparse else "dense"
        ended = int(self.terminal.sum())
        masked = int((~self.action_mask).sum())
        extra = f", {ended} terminal" if ended else ""
        extra += f", {masked} actions masked" if masked else ""
        return (
            f"MDP({self.n_states} states, {self.n_actions} actions, "
            f"discount {self.discount:g}, {kind}{extra})"
        )


def check_memory(needed: int, what: str, advice: str = "use sparse transitions") -> None:
    """MemoryBudgetError where `needed` bytes are more than half of the memory available."""
    limit = _available_memory() // 2
    if needed > limit:
        raise MemoryBudgetError(
            f"{what} needs {needed / 2**30:.2f} GiB, above the limit of {limit / 2**30:.2f} GiB "
            f"(half of the memory available); {advice}"
        )


def _available_memory() -> int:
    """Bytes that can be had without swapping; 8 GiB on a system that does not tell."""
    try:
        with open("/proc/meminfo") as table:
            for line in table:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 8 * 2**30


def _transition_rows(transition: Any) -> tuple[Transition, int, int]:
    """A private copy as (S*A, S) with S and A, dense or canonical CSR."""
    if sparse.issparse(transition):
        if transition.ndim != 2 or transition.dtype.kind not in "biuf":
            raise ModelError(
                f"sparse transition has shape {transition.shape} and dtype {transition.dtype}; "
                "it must be real, of shape (S*A, S)"
            )
        n_rows, n_states = transition.shape
        if n_states == 0 or n_rows == 0 or n_rows % n_states:
            raise ModelError(
                f"sparse transition has shape {transition.shape}; it must be (S*A, S) with row "
                "s*A + a, so its height must be a multiple of its width"
            )
        rows = _checked_csr("transition", transition)
        rows.eliminate_zeros()
        if rows.nnz < 2**31:  # half the memory, twice the speed of 64-bit indices
            rows.indices = rows.indices.astype(np.int32, copy=False)
            rows.indptr = rows.indptr.astype(np.int32, copy=False)
        return rows, n_states, n_rows // n_states
    array = validation.real_array("transition", transition)
    if array.ndim != 3 or array.shape[0] != array.shape[2] or 0 in array.shape:
        hint = ""
        if array.ndim == 3 and array.shape[1] == array.shape[2]:
            hint = "; for the (A, S, S) layout use MDP.from_action_first"
        raise ModelError(
            f"transition has shape {array.shape}; it must be (S, A, S), or sparse (S*A, S){hint}"
        )
    n_states, n_actions, _ = array.shape
    return array.reshape(-1, n_states), n_states, n_actions


def _checked_csr(name: str, given: Any) -> sparse.csr_array:
    """A private canonical CSR copy; ModelError where the index arrays are not consistent."""
    try:
        matrix = sparse.csr_array(given, dtype=np.float64, copy=True)
        matrix.check_format(full_check=True)
    except ValueError as error:
        raise ModelError(f"{name} is not a valid sparse array: {error}") from error
    matrix.sum_duplicates()
    return matrix


def _terminal_states(terminal: Any, n_states: int) -> Bool[ndarray, " S"]:
    ended = np.zeros(n_states, dtype=bool)
    if terminal is None or np.size(terminal) == 0:
        return ended
    array = np.asarray(terminal)
    binary = (
        array.dtype.kind in "iu" and array.shape == (n_states,) and np.isin(array, (0, 1)).all()
    )
    if array.dtype == bool or (binary and n_states > 2):
        return validation.boolean_array("terminal", array, (n_states,))
    if (
        array.ndim != 1
        or array.dtype.kind not in "iu"
        or not (0 <= array.min() <= array.max() < n_states)
    ):
        raise ModelError(
            f"terminal = {terminal!r}; give booleans of shape ({n_states},) or state indices "
            f"between 0 and {n_states - 1}"
        )
    if binary:
        raise ModelError(
            f"terminal = {terminal!r} could be a mask or a list of states; give booleans"
        )
    ended[array] = True
    return ended


def _drop_rows(rows: Transition, needed: Bool[ndarray, " SA"]) -> None:
    """Set the rows that are never used to zero, in place."""
    if needed.all():
        return
    if not sparse.issparse(rows):
        rows[~needed] = 0.0
        return
    rows.data[~np.repeat(needed, np.diff(rows.indptr))] = 0.0
    rows.eliminate_zeros()


def _aligned_reward(given: Any, rows: Transition, n_actions: int) -> sparse.csr_array:
    """A sparse transition reward as CSR sharing the pattern of `rows`."""
    if not sparse.issparse(rows):
        raise ModelError(
            "transition_reward goes with sparse transitions; for dense ones give reward of shape "
            "(S, A, S)"
        )
    if not sparse.issparse(given) or given.shape != rows.shape or given.dtype.kind not in "biuf":
        raise ModelError(
            f"transition_reward has shape {getattr(given, 'shape', None)}; it must be a real "
            f"sparse array of shape {rows.shape}, like the transition"
        )
    reward = _checked_csr("transition_reward", given)
    pattern = (rows.indices, rows.indptr)
    same = np.array_equal(reward.indptr, rows.indptr) and np.array_equal(
        reward.indices, rows.indices
    )
    if not same:
        # read the reward at the transition's entries by addition to an explicit-zero pattern
        entries = sparse.csr_array((np.ones(rows.nnz), *pattern), rows.shape)
        extra = reward.copy()
        extra.data = (reward.data != 0.0).astype(float)
        extra.eliminate_zeros()
        outside = extra - extra.multiply(entries)
        outside.eliminate_zeros()
        occupied = np.diff(rows.indptr) > 0
        outside_rows = np.flatnonzero(np.diff(outside.indptr) > 0)
        outside_rows = outside_rows[occupied[outside_rows]]
        if len(outside_rows):
            row = int(outside_rows[0])
            column = int(outside.indices[outside.indptr[row]])
            raise ModelError(
                f"transition_reward pays for {validation.row_place(row, n_actions)}, next state "
                f"{column}, a transition of probability 0; keep to the transition's pattern"
            )
        row_of_entry = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
        data = np.asarray(reward[row_of_entry, rows.indices]).ravel()
        reward = sparse.csr_array((data, *pattern), rows.shape)
    bad = ~(np.abs(reward.data) <= validation.MAX_REWARD)
    if bad.any():
        entry = int(np.argmax(bad))
        row = int(np.searchsorted(rows.indptr, entry, side="right")) - 1
        raise ModelError(
            f"transition_reward of {validation.row_place(row, n_actions)}, next state "
            f"{int(rows.indices[entry])} is {float(reward.data[entry])!r}; rewards must be finite "
            f"and not exceed {validation.MAX_REWARD:g} (overflow)"
        )
    return reward


def _expected_reward(
    given: ndarray, rows: Transition, available: Bool[ndarray, "S A"], n_actions: int
) -> tuple[Float[ndarray, "S A"], Transition | None]:
    """The expected reward (S, A) of a reward given by state, action or transition, and the
    transition samples where it was given by transition."""
    n_states = rows.shape[1]
    shapes = {(n_states,), (n_states, n_actions), (n_states, n_actions, n_states)}
    if given.shape not in shapes:
        raise ModelError(
            f"reward has shape {given.shape}; with {n_states} states and {n_actions} actions it "
            f"must be one of {', '.join(map(str, sorted(shapes, key=len)))}"
        )
    if given.ndim == 1:
        validation.check_reward(given)
        return np.repeat(given[:, None], n_actions, axis=1), None
    validation.check_reward(given, available)
    if given.ndim == 2:
        return given, None
    flat = np.where(available[:, :, None], given, 0.0).reshape(rows.shape)
    if not sparse.issparse(rows):
        expected = np.einsum("ij,ij->i", rows, flat).reshape(n_states, n_actions)
        return expected, flat.reshape(n_states, n_actions, n_states)
    row_of_entry = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    samples = sparse.csr_array(
        (flat[row_of_entry, rows.indices], rows.indices, rows.indptr), rows.shape
    )
    expected = np.asarray(rows.multiply(samples).sum(axis=1)).reshape(n_states, n_actions)
    return expected, samples


def _names(kind: str, names: Sequence[str] | None, count: int) -> tuple[str, ...] | None:
    if names is None:
        return None
    if isinstance(names, str) or len(names) != count:
        raise ModelError(f"{kind} has {len(names)} entries; it must have {count}")
    return tuple(str(name) for name in names)


def _make_read_only(value: Any) -> None:
    if isinstance(value, ndarray):
        value.setflags(write=False)
    elif sparse.issparse(value):
        for part in (value.data, value.indices, value.indptr):
            part.setflags(write=False)


def _is_list_of_sparse(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and len(value) > 0 and all(map(sparse.issparse, value))


def _densely(value: Any) -> Any:
    return np.stack([part.toarray() for part in value]) if _is_list_of_sparse(value) else value


def _interleave(by_action: Sequence[Any]) -> sparse.csr_array:
    """A list of A sparse (S, S) matrices as one CSR (S*A, S) with row s*A + a."""
    shapes = {matrix.shape for matrix in by_action}
    shape = next(iter(shapes))
    if len(shapes) > 1 or len(shape) != 2 or shape[0] != shape[1]:
        raise ModelError(
            f"the matrices of the actions have shapes {sorted(shapes)}; all must be (S, S)"
        )
    n_states, n_actions = shape[0], len(by_action)
    stacked = sparse.csr_array(sparse.vstack(by_action, format="csr"))
    order = np.arange(n_states * n_actions).reshape(n_actions, n_states).T.ravel()
    return stacked[order]
