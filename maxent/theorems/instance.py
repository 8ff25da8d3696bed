"""One instance of the theorems: an MDP, the operators under test, the truth, rounding bounds."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any, Literal, TypeVar

import numpy as np
from numpy import ndarray

import maxent
from maxent.errors import MaxEntError, MaxEntWarning
from maxent.mdp import MDP
from maxent.support.arrays import logs
from maxent.tabular import operators as tabular_operators
from maxent.theorems import inputs
from maxent.theorems.case import Case
from maxent.theorems.reference import ReferenceProblem, ReferenceValue

EPS = float(np.finfo(np.float64).eps)
ROUNDING = 4.0
"""The constant of the rounding bound; docs/checks.md counts the operations behind it."""

SWEEPS_CHECKED = (1, 2, 3, 5, 10, 20)
"""Of an iteration, the sweeps after which its bounds are checked."""

UNDERFLOW = -745.0
"""exp of less than this is 0 in float64."""


@dataclass(frozen=True)
class ValueIterates:
    """Soft Q-iteration from `start`: sweep k -> (V_(k-1), V_k), for the k checked."""

    name: str
    start: ndarray
    sweeps: dict[int, tuple[ndarray, ndarray]]


Found = TypeVar("Found")


def _once(
    store_of: Callable[[Instance], dict[Any, Any]],
) -> Callable[[Callable[[Instance], Found]], Callable[[Instance], Found]]:
    def decorator(make: Callable[[Instance], Found]) -> Callable[[Instance], Found]:
        @wraps(make)
        def made(instance: Instance) -> Found:
            store = store_of(instance)
            if make not in store:
                store[make] = make(instance)
            found: Found = store[make]
            return found

        return made

    return decorator


def once(make: Callable[[Instance], Found]) -> Callable[[Instance], Found]:
    """Make something of an instance once: several clauses ask for it."""
    return _once(lambda instance: instance.shared)(make)


def once_for_all(make: Callable[[Instance], Found]) -> Callable[[Instance], Found]:
    """The same for what holds of the problem, whatever the operators: other instances share it."""
    return _once(lambda instance: instance.problem.known)(make)


class Instance:
    """What a clause needs to test itself.

    Methods named like an operator call the operator under test with this instance's MDP,
    temperature and prior; `problem` and what it returns are the independent truth.  `problems`
    makes the problem of an MDP: instances that share a `ReferenceProblems` compute each truth once.
    """

    start: ndarray | None
    """Where Newton's method for the optimum starts: q (S, A), or None."""

    def __init__(
        self,
        mdp: MDP,
        temperature: float,
        prior: ndarray | None,
        seed: int,
        operators: Any,
        problems: Callable[..., ReferenceProblem] = ReferenceProblem,
    ) -> None:
        self.log_prior = None if prior is None else logs(prior)
        self.log_support = mdp.log_mask if self.log_prior is None else self.log_prior
        self.mdp, self.temperature, self.operators = mdp, temperature, operators
        self.prior, self.start = prior, None
        self.problems, self.problem = problems, problems(mdp, temperature, self.log_prior)
        self.seed = seed
        self.shared: dict[Any, Any] = {}

    # the operators under test

    def soft_value(self, q: ndarray) -> ndarray:
        return self._call("soft_value", q, self.temperature, self.log_support)

    def boltzmann_policy(self, q: ndarray) -> ndarray:
        return self._call("boltzmann_policy", q, self.temperature, self.log_support)

    def soft_policy_improvement(self, q: ndarray) -> ndarray:
        return self._call("soft_policy_improvement", q, self.temperature, self.log_support)

    def policy_value(self, q: ndarray, log_policy: ndarray) -> ndarray:
        return self._call("policy_value", q, log_policy, self.temperature, self.log_support)

    def backup(self, v: ndarray) -> ndarray:
        return self._call("backup", self.mdp, v)

    def soft_bellman(self, q: ndarray) -> ndarray:
        return self._call("soft_bellman", self.mdp, q, self.temperature, self.log_prior)

    def soft_policy_bellman(self, q: ndarray, log_policy: ndarray) -> ndarray:
        given = (self.mdp, q, log_policy, self.temperature, self.log_prior)
        return self._call("soft_policy_bellman", *given)

    def entropy(self, log_policy: ndarray) -> ndarray:
        return self._call("entropy", log_policy, self.log_support)

    def kl_divergence(self, log_p: ndarray, log_q: ndarray) -> ndarray:
        return self._call("kl_divergence", log_p, log_q)

    def mellowmax(self, q: ndarray) -> ndarray:
        return self._call("mellowmax", q, self.temperature, self.mdp.log_mask)

    def call(self, name: str, *given: Any, **settings: Any) -> Any:
        """A public function of maxent, or the one of that name among the operators given.

        nan where it refuses what it is given: a faulty operator's policy need not be one.
        """
        function = getattr(self.operators, name, None) or getattr(maxent, name)
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore", MaxEntWarning)
                return function(*given, **settings)
        except MaxEntError:
            return np.nan

    def _call(self, name: str, *given: Any) -> ndarray:
        """A faulty operator may overflow, or give what another refuses: that is a finding, no
        warning and no error."""
        function = getattr(self.operators, name, None) or getattr(tabular_operators, name)
        try:
            with np.errstate(all="ignore"):
                return np.asarray(function(*given))
        except MaxEntError:
            return np.full(np.shape(given[0])[:-1], np.nan)

    # the same instance with something changed

    def variant(
        self,
        *,
        mdp: MDP | None = None,
        temperature: float | None = None,
        prior: ndarray | Literal["same"] | None = "same",
    ) -> Instance:
        """The same operators on another MDP, at another temperature or with another prior."""
        return Instance(
            self.mdp if mdp is None else mdp,
            self.temperature if temperature is None else temperature,
            self.prior if isinstance(prior, str) else prior,
            self.seed,
            self.operators,
            self.problems,
        )

    def at(self, temperature: float) -> Instance:
        """This instance at another temperature; remembered, as several clauses ask for the same."""
        if temperature == self.temperature:
            return self
        if ("at", temperature) not in self.shared:
            made = self.variant(temperature=temperature)
            made.start = self.optimum.q
            self.shared["at", temperature] = made
        found: Instance = self.shared["at", temperature]
        return found

    # the truth

    @cached_property
    def optimum(self) -> ReferenceValue:
        return self.problem.optimum(self.start)

    @cached_property
    def best_policy(self) -> ndarray:
        """log pi* (S, A) by the operator under test, from the true Q*."""
        return self.boltzmann_policy(self.q_float(self.optimum.q))

    @cached_property
    def initial(self) -> ndarray:
        """mu (S,) over the states that are not terminal."""
        return np.where(self.problem.nonterminal, self.mdp.initial_distribution, 0.0)

    def interior_policies(self) -> list[tuple[str, ndarray, ReferenceValue]]:
        """The policies of the list that take every action of the support."""
        support = self.problem.support
        return [found for found in self.policies if found[1][support].min() > -300.0]

    @cached_property
    def policies(self) -> list[tuple[str, ndarray, ReferenceValue]]:
        """Named policies with their exact values."""
        listed = inputs.policies(self.problem, self.optimum, self.rng(1))
        return [(name, policy, self.evaluate(policy)) for name, policy in listed]

    def evaluate(self, log_policy: ndarray) -> ReferenceValue:
        """The exact value of a policy."""
        return self.problem.evaluate(log_policy)

    @cached_property
    def value_iterations(self) -> list[ValueIterates]:
        """Soft Q-iterations, V <- soft_value(backup(V)), by the operators under test."""
        last = SWEEPS_CHECKED[-1] if self.is_small else 5
        runs = []
        for name, start in inputs.v_functions(self.problem, self.optimum, self.rng(2)):
            run, v = ValueIterates(name, start, {}), start
            for k in range(1, last + 1):
                before, v = v, self.soft_value(self.backup(v))
                if k in SWEEPS_CHECKED:
                    run.sweeps[k] = before, v
            runs.append(run)
        return runs

    @property
    def is_small(self) -> bool:
        found: bool = self.problem.support.size <= inputs.FEW
        return found

    def rng(self, stream: int) -> np.random.Generator:
        """A generator of its own for each use, so that checks do not depend on their order."""
        return np.random.default_rng([self.seed, stream])

    def q_float(self, q: ndarray) -> ndarray:
        """q as an input for the operators: float64, large where nothing may look."""
        return inputs.hide(self.problem, q, inputs.size_of(self.problem, self.optimum))

    # rounding bounds

    @property
    def beta(self) -> float:
        return self.problem.modulus

    def sweep_rounding(self, *values: ndarray) -> float:
        """Rounding of one application of an operator to values of this size (docs/checks.md)."""
        finite = [self._seen(value) for value in values]
        k, n_actions = self.problem.longest_row, self.problem.n_actions
        found: float = ROUNDING * EPS * (k + n_actions + 8) * self.problem.scale(*finite)
        return found

    def solve_rounding(self, *values: ndarray) -> float:
        """The same, carried through (I - gamma P)^{-1}."""
        return self.sweep_rounding(*values) / (1.0 - self.beta)

    def row_rounding(self) -> float:
        """Rounding of the sum of a row of probabilities."""
        found: float = ROUNDING * EPS * (self.problem.n_actions + 8)
        return found

    def distance(self, left: ndarray, right: ndarray) -> float:
        """max |left - right| over what counts: non-terminal states, actions in the support."""
        return float(np.abs(self._seen(self.difference(left, right))).max(initial=0.0))

    def difference(self, left: Any, right: Any) -> ndarray:
        """left - right; not finite where a faulty operator's answers are not."""
        with np.errstate(all="ignore"):
            return np.asarray(left - right)

    # cases

    def equal(
        self, left: Any, right: Any, tolerance: float, doubt: float = 0.0, **witness: Any
    ) -> Case:
        """left = right; arrays (S,) or (S, A), or numbers."""
        slack = np.asarray(-np.abs(self.difference(left, right)))
        return Case.worst_of(slack, self._where(slack), tolerance, doubt, **witness)

    def at_most(
        self, left: Any, right: Any, tolerance: float, doubt: float = 0.0, **witness: Any
    ) -> Case:
        """left <= right; arrays (S,) or (S, A), or numbers."""
        slack = self.difference(right, left)
        return Case.worst_of(slack, self._where(slack), tolerance, doubt, **witness)

    def boltzmann_cases(self, policy_of: Callable[[ndarray], ndarray]) -> Iterator[Case]:
        """alpha log(pi / prior) = Q - V for the policy of each Q, entry by entry."""
        problem = self.problem
        alpha = problem.temperature
        for name, q in inputs.q_functions(problem, self.optimum, self.rng(3)):
            log_policy = policy_of(q)
            gap = q.astype(np.longdouble) - problem.soft_value(q)[:, None]
            vanished = (log_policy == -np.inf) & (gap / alpha + problem.bonus < UNDERFLOW)
            with np.errstate(all="ignore"):
                found = np.where(vanished, gap, alpha * (log_policy - problem.bonus))
            yield self.equal(found, gap, self.sweep_rounding(q), q=name)

    def _where(self, values: ndarray) -> ndarray:
        if values.ndim == 0:
            return np.ones((), dtype=bool)
        return self.problem.nonterminal if values.ndim == 1 else self.problem.support

    def _seen(self, values: ndarray) -> ndarray:
        return np.where(self._where(values), values, 0.0)
