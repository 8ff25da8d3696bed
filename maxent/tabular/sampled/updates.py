"""How a sample changes the tables of a learner (`sampled.py`), for K runs side by side.

The arithmetic of `operators.py` is repeated here for one state a run: it runs once a sample.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from maxent.errors import ConfigError, ModelError
from maxent.mdp import validation
from maxent.support.arguments import require_fraction, require_positive
from maxent.support.arrays import logs
from maxent.support.shapes import Float, Int
from maxent.tabular import operators
from maxent.tabular.sampled.sampler import Episodes, MDPEpisodes
from maxent.tabular.sampled.step_sizes import StepSize, step_sizes


class Samples(NamedTuple):
    """A sample of each run; discounts are 0 where it terminated, `uniform` draws what is needed."""

    states: Int[ndarray, " K"]
    actions: Int[ndarray, " K"]
    rewards: Float[ndarray, " K"]
    discounts: Float[ndarray, " K"]
    successors: Int[ndarray, " K"]
    uniform: Float[ndarray, " K"]


class TableLearner(ABC):
    """The tables of K runs, (K * S, A) with row k S + s, and how a sample changes them."""

    method = ""

    def __init__(
        self,
        episodes: Episodes,
        runs: int,
        temperature: float,
        step_size: StepSize | None,
        settings: dict,
    ) -> None:
        self.episodes, self.temperature = episodes, temperature
        self.step_size = step_sizes(step_size)
        self.exploration = settings["exploration"]
        shape = (runs * episodes.n_states, episodes.n_actions)
        self.q, self.visits = np.full(shape, settings["q0"]), np.zeros(shape, dtype=int)
        self.offsets = episodes.n_states * np.arange(runs)
        self.prepare(settings)

    def prepare(self, settings: dict[str, Any]) -> None:  # noqa: B027 (a rule may need nothing)
        """Make what a rule needs beside the tables."""

    def policy(self, states: Int[ndarray, " K"]) -> Float[ndarray, "K A"]:
        """What the agent would do, (K, A) probabilities."""
        return self._soft(states)[1]

    @abstractmethod
    def next_value(self, states: Int[ndarray, " K"]) -> Float[ndarray, " K"]:
        """Vhat(s'), what tells the learners apart."""

    def learn(self, seen: Samples) -> None:
        """Use one sample of each run."""
        target = seen.rewards + seen.discounts * self.next_value(seen.successors)
        place = (self.offsets + seen.states, seen.actions)
        self.visits[place] += 1
        self.q[place] += self.step_size(self.visits[place]) * (target - self.q[place])

    def behaviour(self, states: Int[ndarray, " K"]) -> Float[ndarray, "K A"]:
        """The policy with exploration mixed in."""
        return self.explore(self.policy(states), states)

    def explore(self, policy: ndarray, states: Int[ndarray, " K"]) -> Float[ndarray, "K A"]:
        if self.exploration == 0.0:
            return policy
        anything = 1.0 / policy.shape[1]
        if self.episodes.log_mask is not None:
            available = np.exp(self.episodes.log_mask[states])
            anything = available / available.sum(axis=1, keepdims=True)
        found: Float[ndarray, "K A"] = (
            1.0 - self.exploration
        ) * policy + self.exploration * anything
        return found

    def result(self, run: int) -> tuple[Float[ndarray, " S"], Float[ndarray, "S A"]]:
        """v and log_policy of a run, as its final tables have them."""
        q, mask = self.table(self.q, run), self.episodes.log_mask
        v = operators.soft_value(q, self.temperature, mask)
        return v, operators.boltzmann_policy(q, self.temperature, mask)

    def table(self, table: ndarray, run: int) -> ndarray:
        """The rows of one run."""
        return table[run * self.episodes.n_states : (run + 1) * self.episodes.n_states]

    def _available(self, table: ndarray, states: Int[ndarray, " K"]) -> Float[ndarray, "K A"]:
        """What a table holds of each run's state; -inf for actions that are not available."""
        rows, mask = table[self.offsets + states], self.episodes.log_mask
        found: Float[ndarray, "K A"] = rows if mask is None else rows + mask[states]
        return found

    def _soft(
        self, states: Int[ndarray, " K"]
    ) -> tuple[Float[ndarray, " K"], Float[ndarray, "K A"]]:
        """Soft value and Boltzmann policy of q, as in `operators`, from one exponential."""
        q = self._available(self.q, states)
        top = q.max(axis=1)
        if self.temperature == 0.0:
            tied = (q == top[:, None]).astype(float)
            return top, tied / tied.sum(axis=1, keepdims=True)
        weights = np.exp((q - top[:, None]) / self.temperature)
        total = weights.sum(axis=1)
        return top + self.temperature * np.log(total), weights / total[:, None]


class SoftQ(TableLearner):
    """Soft Q-learning: Vhat is the soft value of q."""

    method = "soft Q-learning"

    def next_value(self, states: Int[ndarray, " K"]) -> Float[ndarray, " K"]:
        return self._soft(states)[0]


class Sarsa(TableLearner):
    """Expected soft SARSA: Vhat is the value, under q, of a given policy or of the behaviour."""

    method = "expected soft SARSA"

    def prepare(self, settings: dict[str, Any]) -> None:
        self.given: ndarray | None = None
        episodes = self.episodes
        if settings.get("policy") is not None:
            available = np.ones((episodes.n_states, episodes.n_actions), dtype=bool)
            terminal = np.zeros(episodes.n_states, dtype=bool)
            if isinstance(episodes, MDPEpisodes):
                available, terminal = episodes.mdp.action_mask, episodes.mdp.terminal
            self.given = validation.action_distribution(
                "policy", settings["policy"], available, terminal
            )

    def policy(self, states: Int[ndarray, " K"]) -> Float[ndarray, "K A"]:
        if self.given is None:
            return self._soft(states)[1]
        policy, mask = self.given[states], self.episodes.log_mask
        if mask is not None and (forbidden := policy[mask[states] == -np.inf]).any():
            raise ModelError(
                f"policy gives probability {float(forbidden.max())!r} to an action that is not "
                f"available in state {int(states[0])}; set it to 0"
            )
        found: Float[ndarray, "K A"] = policy
        return found

    def next_value(self, states: Int[ndarray, " K"]) -> Float[ndarray, " K"]:
        policy = self.behaviour(states) if self.given is None else self.given[states]
        surprise = np.log(np.where(policy > 0.0, policy, 1.0))
        q = self.q[self.offsets + states]
        found: Float[ndarray, " K"] = (policy * (q - self.temperature * surprise)).sum(axis=1)
        return found

    def result(self, run: int) -> tuple[Float[ndarray, " S"], Float[ndarray, "S A"]]:
        q = self.table(self.q, run)
        policy = self.given
        if policy is None:
            _, log_policy = super().result(run)
            policy = self.explore(np.exp(log_policy), np.arange(len(q)))
        log_policy = logs(policy)
        return operators.policy_value(q, log_policy, self.temperature), log_policy


class ActorCritic(TableLearner):
    """Tabular soft actor-critic: tables V and log pi beside q."""

    method = "soft actor-critic"

    def prepare(self, settings: dict[str, Any]) -> None:
        if self.temperature == 0.0:
            raise ConfigError(
                "temperature = 0: soft_actor_critic moves towards a Boltzmann policy, so give a "
                "temperature above 0; soft_q_learning takes 0"
            )
        self.step = require_fraction(
            "policy_step", require_positive("policy_step", settings["step"])
        )
        self.v = np.full(len(self.q), settings["q0"])
        self.seen = np.zeros(len(self.q), dtype=int)
        self.scores = np.zeros_like(self.q)

    def log_policy(self, states: Int[ndarray, " K"]) -> Float[ndarray, "K A"]:
        scores = self._available(self.scores, states)
        scores = scores - scores.max(axis=1, keepdims=True)
        found: Float[ndarray, "K A"] = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        return found

    def policy(self, states: Int[ndarray, " K"]) -> Float[ndarray, "K A"]:
        found: Float[ndarray, "K A"] = np.exp(self.log_policy(states))
        return found

    def next_value(self, states: Int[ndarray, " K"]) -> Float[ndarray, " K"]:
        found: Float[ndarray, " K"] = self.v[self.offsets + states]
        return found

    def learn(self, seen: Samples) -> None:
        rows = self.offsets + seen.states
        log_policy = self.log_policy(seen.states)
        fresh = (np.arange(len(rows)), pick(np.exp(log_policy), seen.uniform))
        sample = self.q[rows][fresh] - self.temperature * log_policy[fresh]
        self.seen[rows] += 1
        self.v[rows] += self.step_size(self.seen[rows]) * (sample - self.v[rows])
        super().learn(seen)
        pull = self.step / self.temperature * self.q[rows]
        improved = (1.0 - self.step) * self.scores[rows] + pull
        self.scores[rows] = improved - improved.max(axis=1, keepdims=True)

    def result(self, run: int) -> tuple[Float[ndarray, " S"], Float[ndarray, "S A"]]:
        scores = self.table(self.scores, run)
        log_policy = operators.boltzmann_policy(scores, 1.0, self.episodes.log_mask)
        return self.table(self.v, run).copy(), log_policy


def pick(probabilities: Float[ndarray, "K A"], uniform: Float[ndarray, " K"]) -> Int[ndarray, " K"]:
    """The action that a number in [0, 1) draws in each row."""
    cumulative = probabilities.cumsum(axis=1)
    found: Int[ndarray, " K"] = (cumulative <= uniform[:, None] * cumulative[:, -1:]).sum(axis=1)
    return found
