"""What the clauses of a proof share: V* and the values of policies, enclosed when first needed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy import ndarray

from maxent.mdp import MDP, validation
from maxent.proofs import balls
from maxent.proofs.balls import Ball, Operator
from maxent.proofs.enclosure import Proof, refine


class Ground:
    """What the clauses share: V* and the values of policies, enclosed when first asked for."""

    def __init__(
        self,
        mdp: MDP,
        temperature: float,
        prior: ndarray | None,
        policies: Mapping[str, Any] | None,
        width: float,
        rng: np.random.Generator,
    ) -> None:
        self.mdp, self.temperature, self.prior, self.width = mdp, temperature, prior, width
        self.rng, self.bits = rng, 256
        self.states = np.flatnonzero(~mdp.terminal).tolist()
        allowed = mdp.action_mask if prior is None else prior > 0.0
        if policies is None:
            random = np.where(allowed, rng.exponential(size=allowed.shape), 0.0)
            best = np.where(allowed, mdp.reward, -np.inf).argmax(axis=1)
            policies = {
                "uniform": allowed / allowed.sum(axis=1, keepdims=True),
                "random": random / random.sum(axis=1, keepdims=True),
                "greedy for the reward": np.eye(mdp.n_actions)[best],
            }
        self.policies: dict[str, ndarray] = {
            name: validation.action_distribution(f"policy {name!r}", p, allowed, mdp.terminal)
            for name, p in policies.items()
        }
        self._evaluated: dict[str, tuple[Operator, Proof]] = {}
        self._improved: dict[str, Proof] = {}

    @cached_property
    def operator(self) -> Operator:
        """T."""
        with balls.precision(self.bits):
            return balls.optimality_operator(self.mdp, self.temperature, self.prior)

    @cached_property
    def optimum(self) -> Proof:
        """V*."""
        return self._refine(self.operator, None, fine=True)

    def evaluated(self, name: str) -> tuple[Operator, Proof]:
        """T^pi and V^pi of a policy that was given."""
        if name not in self._evaluated:
            policy = self.policies[name]
            self._evaluated[name] = self._value_of(
                {s: {int(a): policy[s, a] for a in np.flatnonzero(policy[s])} for s in self.states}
            )
        return self._evaluated[name]

    def improved(self, name: str) -> Proof:
        """V^pi' for the Boltzmann policy pi' of Q^pi."""
        if name not in self._improved:
            v = self.evaluated(name)[1].v
            self._improved[name] = self.boltzmann(v)
        return self._improved[name]

    def boltzmann(self, v: list[Ball]) -> Proof:
        """The value of the Boltzmann policy of Q = r + gamma P V, one greedy at temperature 0."""
        rows: dict[int, dict[int, Any]] = {}
        with balls.precision(self.bits):
            _, listed = self.operator.apply(v)
            for state, actions, scores in zip(self.states, self.operator.actions, listed):
                if self.temperature == 0.0:
                    rows[state] = {actions[scores.index(balls.largest(scores))]: 1.0}
                else:
                    rows[state] = dict(zip(actions, self.operator.boltzmann(scores)))
        return self._value_of(rows, given=False)[1]

    def along(self, proof: Proof) -> list[Ball]:
        """The enclosed values of the non-terminal states."""
        v = proof.v
        return [v[state] for state in self.states]

    def _value_of(
        self, rows: dict[int, dict[int, Any]], given: bool = True
    ) -> tuple[Operator, Proof]:
        """T^pi and V^pi of a policy that is given, rows divided by their sums, or read off Q."""
        arb = balls.flint().arb

        def probabilities(state: int) -> dict[int, Ball]:
            row = {action: arb(p) for action, p in rows[state].items()}
            total = sum(row.values()) if given else arb(1)
            return {action: p / total for action, p in row.items()}

        policy = self.mdp.action_mask / self.mdp.action_mask.sum(axis=1, keepdims=True)
        for state, row in rows.items():
            policy[state] = 0.0
            for action, p in row.items():
                policy[state, action] = max(0.0, float(p))
            policy[state] /= policy[state].sum()
        with balls.precision(self.bits):
            operator = balls.evaluation_operator(
                self.mdp, self.temperature, self.prior, probabilities, normalised=True
            )
        return operator, self._refine(operator, policy, fine=given)

    def _refine(self, operator: Operator, policy: ndarray | None, fine: bool) -> Proof:
        """fine: narrower than asked for, as a policy is read off these values: what is uncertain in
        it counts once for each step, times the size of the values."""
        target = 0.1 * self.width
        if fine:
            room = min(1.0, max(self.temperature, 1e-40)) if self.temperature else 1.0
            steps = 1.0 / (1.0 - self.mdp.discount)
            size = max(1.0, self.temperature, float(np.abs(self.mdp.reward).max(initial=0.0)))
            target *= 1e-2 * room / (steps * steps * size)
        return refine(operator, self.mdp, self.temperature, self.prior, policy, target)
