"""Seeded rollouts of a policy, all episodes side by side.

`simulate` estimates what `maxent.occupancy`, `policy_return` and `discounted_entropy` compute:
returns, entropies and state-action visits, all discounted, each with a confidence interval.  Two
things stand between an estimate and the truth, and an interval covers both:

- *chance*, by Student's t (or the bootstrap) over episodes;
- *truncation*: what an episode that is still running after `horizon` steps would yet have earned
  lies in gamma^horizon [low, high] / (1 - gamma), with the least and the greatest reward (entropy)
  of a step.  The lower end of an interval is that of the mean of R + gamma^horizon low / (1 -
  gamma), the upper end that of R + gamma^horizon high / (1 - gamma), episodes that ended excepted.

Entropies are those of the policy in the states visited, not the surprise -log pi(a|s) of the
actions drawn, and visits are spread over actions by the policy: same mean, less variance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy import ndarray
from scipy import stats

from maxent.errors import ConfigError
from maxent.mdp import MDP, require_mdp, validation
from maxent.support.arguments import (
    count,
    require_count,
    require_flag,
    require_one_of,
    require_temperature,
)
from maxent.support.arrays import ReadOnly, logs
from maxent.support.memory import require_memory
from maxent.support.other_words import takes_our_words
from maxent.support.shapes import Float
from maxent.tabular import operators
from maxent.tabular.bounds import longest_stay
from maxent.tabular.sampled.intervals import BATCHES, Interval, batch_of, confidence, require_level
from maxent.tabular.sampled.sampler import Draws, Sampler

Quantity = Literal["return", "entropy", "objective"]
TRUNCATION, MOST_STEPS = 1e-4, 100_000


@dataclass(frozen=True, eq=False)
class Simulation(ReadOnly):
    """What n episodes of a policy gave; rewards and entropies are discounted sums, in nats.

    returns, entropies : (n,), summed over the steps taken (entropies not multiplied by the
        temperature).
    lengths : (n,), steps taken.  terminated : bool (n,), whether a terminal state was reached;
        the other episodes were truncated at the horizon.
    horizon, discount, seed : of the run.  policy : (S, A), as checked.
    visits : (B, S), mean discounted visits of each state, in B batches of episodes.
    states (n, T+1), actions, rewards (n, T) : the trajectories where they were asked for, with T
        the longest length; after the end of an episode -1, -1 and nan.
    """

    returns: ndarray
    entropies: ndarray
    lengths: ndarray
    terminated: ndarray
    horizon: int
    discount: float
    seed: int
    policy: ndarray
    visits: ndarray
    states: ndarray | None
    actions: ndarray | None
    rewards: ndarray | None
    _later_return: tuple[float, float] = field(repr=False)
    _later_entropy: tuple[float, float] = field(repr=False)

    @property
    def episodes(self) -> int:
        """n, the number of episodes."""
        return len(self.returns)

    @property
    def occupancy(self) -> Float[ndarray, "S A"]:
        """Estimate of `maxent.occupancy(mdp, policy)`: discounted state-action visits, (S, A)."""
        found: Float[ndarray, "S A"] = (self._weights @ self.visits)[:, None] * self.policy
        return found

    def interval(
        self,
        quantity: Quantity = "return",
        *,
        temperature: float = 0.0,
        level: float = 0.95,
        method: Literal["student", "bootstrap"] = "student",
    ) -> Interval:
        """The mean of a quantity over episodes with a confidence interval, truncation included.

        quantity: "return", "entropy", or "objective", return + temperature * entropy.  method:
        "student", or "bootstrap" (BCa, for skewed returns and few episodes; seeded).  Both hold
        for many episodes, approximately; an outcome too rare to have been seen is in neither.
        """
        level = require_level(level)
        require_one_of("method", method, ("student", "bootstrap"))
        samples, later = self._samples(quantity, require_temperature(temperature))
        ends = []
        for side, rest in enumerate(later):
            bounded = samples.copy()
            bounded[~self.terminated] += self.discount**self.horizon * rest
            ends.append(confidence(bounded, level, method, self.seed)[side])
        return Interval(float(samples.mean()), ends[0], ends[1], level)

    def occupancy_interval(
        self, level: float = 0.95
    ) -> tuple[Float[ndarray, "S A"], Float[ndarray, "S A"]]:
        """(low, high), (S, A) each: an interval for each entry by itself, by Student's t over the
        batches.  It needs a few hundred episodes, and says little where visits are rare."""
        level = require_level(level)
        mean, batches = self._weights @ self.visits, len(self.visits)
        half = np.full_like(mean, math.inf)
        if batches > 1:
            half = stats.t.ppf(0.5 + level / 2, batches - 1) * stats.sem(self.visits, axis=0)
        running = float((~self.terminated).mean())
        later = 0.0
        if running > 0.0 and self.discount == 1.0:
            later = math.inf
        elif running > 0.0:
            later = running * self.discount**self.horizon / (1.0 - self.discount)
        taken = np.where(self.policy > 0.0, self.policy, np.nan)
        low = np.maximum(mean - half, 0.0)[:, None] * taken
        high = (mean + half + later)[:, None] * taken
        return np.nan_to_num(low, posinf=np.inf), np.nan_to_num(high, posinf=np.inf)

    @property
    def _weights(self) -> Float[ndarray, " B"]:
        """The part of all episodes that is in each batch."""
        return np.bincount(batch_of(self.episodes)) / self.episodes

    def _samples(
        self, quantity: str, temperature: float
    ) -> tuple[Float[ndarray, " n"], tuple[float, float]]:
        """A number an episode, and the bounds on what is left out by truncation, undiscounted."""
        require_one_of("quantity", quantity, ("return", "entropy", "objective"))
        if quantity == "return":
            return self.returns, self._later_return
        if quantity == "entropy":
            return self.entropies, self._later_entropy
        low, high = (
            reward + (temperature * entropy if temperature else 0.0)
            for reward, entropy in zip(self._later_return, self._later_entropy, strict=True)
        )
        return self.returns + temperature * self.entropies, (low, high)

    def __repr__(self) -> str:
        return (
            f"Simulation({count(self.episodes, 'episode')}, horizon {self.horizon}, "
            f"seed {self.seed}, {self.terminated.mean():.0%} terminated, return {self.interval()})"
        )


@takes_our_words
def simulate(
    mdp: MDP,
    policy: Any,
    *,
    episodes: int,
    horizon: int | None = None,
    seed: int = 0,
    prior: Any = None,
    trajectories: bool = False,
) -> Simulation:
    """Run `episodes` episodes of a policy from the initial distribution, all in parallel.

    mdp : the problem.
    policy : probabilities (S, A) or (A,).
    episodes : how many, n >= 1.
    horizon : steps after which an episode is cut off.  None: as many as it takes for
        gamma^horizon to fall to 1e-4, or, at a discount so near 1 that this is more than 100,000,
        for all episodes of a policy that surely ends.
    seed : of all that is random.  Same arguments, same numbers.
    prior : probabilities (S, A) or (A,); entropies become minus the KL divergence from it.
    trajectories : keep states, actions and rewards.

    Returns a `Simulation`: returns and entropies (n,), discounted, with confidence intervals.

    Raises ConfigError for bad settings and where there is no horizon and none can be chosen,
    ModelError for a policy or a prior that is none, MemoryBudgetError for more episodes than fit.

    >>> import maxent
    >>> mdp = maxent.gridworld("S.G", discount=0.9)
    >>> policy = maxent.solve(mdp, temperature=0.1).policy
    >>> found = maxent.simulate(mdp, policy, episodes=1000, seed=0)
    >>> found.returns.shape, bool(found.terminated.all())
    ((1000,), True)
    >>> maxent.policy_return(mdp, policy) in found.interval("return", level=0.999)
    True
    """
    episodes, seed = require_count("episodes", episodes), require_count("seed", seed, minimum=0)
    trajectories = require_flag("trajectories", trajectories)
    log_prior = require_mdp(mdp).log_prior(prior)
    allowed = mdp.action_mask if log_prior is None else log_prior > -np.inf
    policy = validation.action_distribution("policy", policy, allowed, mdp.terminal)
    horizon = _horizon(mdp, policy) if horizon is None else require_count("horizon", horizon)
    n_batches = min(BATCHES, episodes)
    require_memory(
        150 * episodes + 8 * n_batches * mdp.n_states,
        f"simulating {episodes} episodes of {mdp.n_states} states",
        "ask for fewer episodes",
    )
    batch = batch_of(episodes)
    entropy = operators.entropy(logs(policy), log_prior)
    earned = (policy * mdp.reward).sum(axis=1)
    log = _Log(episodes) if trajectories else None

    rng = np.random.default_rng(seed)
    sampler, choice = Sampler(mdp), Draws(policy)
    returns, entropies, lengths = np.zeros(episodes), np.zeros(episodes), np.zeros(episodes, int)
    visits = np.zeros(n_batches * mdp.n_states)
    states = sampler.start(rng.random(episodes))
    ended = mdp.terminal[states]
    np.add.at(visits, batch * mdp.n_states + states, 1.0)
    if log is not None:
        log.states.append(states)
    running, states, weight = np.flatnonzero(~ended), states[~ended], 1.0
    for step in range(horizon):
        if len(running) == 0:
            break
        uniform = rng.random((2, len(running)))
        actions = choice.outcomes[choice.entries(states, uniform[0])]
        successors, rewards = sampler.step(states, actions, uniform[1])
        returns[running] += weight * rewards
        entropies[running] += weight * entropy[states]
        lengths[running] += 1
        if log is not None:
            log.write(step, running, actions, rewards, successors)
        weight *= mdp.discount
        over = mdp.terminal[successors]
        # the state after the last step is visited beyond the horizon, unless the episode ends there
        counted = slice(None) if step + 1 < horizon else over
        places = batch[running[counted]] * mdp.n_states + successors[counted]
        np.add.at(visits, places, weight)
        ended[running[over]] = True
        running, states = running[~over], successors[~over]
    states_kept, actions_kept, rewards_kept = log.arrays() if log is not None else (None,) * 3
    return Simulation(
        returns=returns,
        entropies=entropies,
        lengths=lengths,
        terminated=ended,
        horizon=horizon,
        discount=mdp.discount,
        seed=seed,
        policy=policy,
        visits=visits.reshape(n_batches, mdp.n_states) / np.bincount(batch)[:, None],
        states=states_kept,
        actions=actions_kept,
        rewards=rewards_kept,
        _later_return=_later(mdp, earned),
        _later_entropy=_later(mdp, entropy),
    )


class _Log:
    """Trajectories as they grow, a row a step."""

    def __init__(self, episodes: int) -> None:
        self.episodes = episodes
        self.states: list[ndarray] = []
        self.actions: list[ndarray] = []
        self.rewards: list[ndarray] = []

    def write(
        self, step: int, running: ndarray, actions: ndarray, rewards: ndarray, states: ndarray
    ) -> None:
        if step % 256 == 0:
            require_memory(24 * self.episodes * 256, "256 more steps of trajectories", "keep fewer")
        for rows, fill, values in (
            (self.actions, -1, actions),
            (self.rewards, np.nan, rewards),
            (self.states, -1, states),
        ):
            row = np.full(self.episodes, fill)
            row[running] = values
            rows.append(row)

    def arrays(self) -> tuple[ndarray, ndarray, ndarray]:
        """States (n, T+1), actions and rewards (n, T)."""
        nothing = np.empty((0, self.episodes))
        actions = np.array(self.actions) if self.actions else nothing.astype(int)
        rewards = np.array(self.rewards) if self.rewards else nothing
        return np.array(self.states).T, actions.T, rewards.T


def _horizon(mdp: MDP, policy: Float[ndarray, "S A"]) -> int:
    """Steps until gamma^steps is 1e-4, or until a policy that surely ends has ended."""
    if mdp.discount == 0.0:
        return 1
    steps = math.log(TRUNCATION) / math.log(mdp.discount) if mdp.discount < 1.0 else math.inf
    if steps <= MOST_STEPS:
        return math.ceil(steps)
    stay = longest_stay(operators.policy_transition(mdp, policy), ~mdp.terminal, mdp.n_actions)
    if math.isinf(stay):
        raise ConfigError(
            f"discount = {mdp.discount!r} with a policy that need not end: gamma^horizon falls to "
            f"{TRUNCATION:g} only after {steps:.3g} steps; give horizon, or a smaller discount"
        )
    # by Markov's inequality an episode outlasts 2 * stay steps, again and again, with 1/2 each time
    return math.ceil(min(steps, 64.0 * max(stay, 1.0)))


def _later(mdp: MDP, per_step: Float[ndarray, " S"]) -> tuple[float, float]:
    """Bounds on the discounted sum of what each step brings from now on; ends count as 0."""
    nonterminal = per_step[~mdp.terminal]
    ends = 0.0 if mdp.terminal.any() else None
    low = min(x for x in (float(nonterminal.min(initial=np.inf)), ends) if x is not None)
    high = max(x for x in (float(nonterminal.max(initial=-np.inf)), ends) if x is not None)
    left = 1.0 - mdp.discount
    if left == 0.0:
        return -math.inf if low < 0.0 else 0.0, math.inf if high > 0.0 else 0.0
    return low / left, high / left
