"""Hypothesis strategies: MDPs, policies and temperatures that shrink to small witnesses.

Hypothesis is imported when a strategy is made, not with this module.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from maxent.errors import ConfigError
from maxent.mdp import MDP, require_mdp
from maxent.support.arguments import (
    require_count,
    require_discount,
    require_flag,
    require_list,
    require_one_of,
    require_positive,
)
from maxent.support.extras import optional_module

FEATURES = ("terminal", "absorbing", "masked", "deterministic", "sparse", "rounding")
"""What an MDP may have, each drawn at random unless `mdps` says which to allow."""

DISCOUNTS = (0.5, 0.0, 0.9, 0.99, 0.999)
LARGEST_MISS = 5e-10
"""How far a row may miss 1 with "rounding": half of what an MDP accepts."""


def _hypothesis() -> Any:
    optional_module("hypothesis", "maxent.testing's strategies need")
    import hypothesis.strategies as strategies

    return strategies


def mdps(
    *,
    max_states: int = 4,
    max_actions: int = 3,
    discounts: Any = DISCOUNTS,
    features: Any = FEATURES,
    max_reward: float = 10.0,
) -> Any:
    """A strategy for MDPs with up to `max_states` states, `max_actions` actions.

    discounts: those to choose from, the simplest first.  features: which of `FEATURES` may occur:
    terminal and absorbing states, masked actions, deterministic transitions, sparse storage, and
    rows of probabilities that miss 1 by up to 5e-10 ("rounding").  At least one state is not
    terminal.  max_reward: rewards lie in [-max_reward, max_reward].

    Shrinks to one state with one action and reward 0.  MissingExtraError without Hypothesis.
    """
    require_count("max_states", max_states)
    require_count("max_actions", max_actions)
    chosen_discounts = [require_discount(each) for each in require_list("discounts", discounts)]
    allowed = [features] if isinstance(features, str) else require_list("features", features)
    for feature in allowed:
        require_one_of("feature", feature, FEATURES)
    st = _hypothesis()

    @st.composite
    def strategy(draw: Any) -> MDP:
        n_states = draw(st.integers(1, max_states))
        n_actions = draw(st.integers(1, max_actions))
        has = {name: name in allowed and draw(st.booleans()) for name in FEATURES}
        terminal = np.zeros(n_states, dtype=bool)
        if has["terminal"] and n_states > 1:
            flags = st.lists(st.booleans(), min_size=n_states - 1, max_size=n_states - 1)
            terminal[1:] = draw(flags)  # state 0 lasts
        mask = np.ones((n_states, n_actions), dtype=bool)
        if has["masked"] and n_actions > 1:
            count = n_states * n_actions
            masked = draw(st.lists(st.booleans(), min_size=count, max_size=count))
            mask = ~np.array(masked).reshape(mask.shape)
            mask[np.arange(n_states), 0] |= ~mask.any(axis=1)
        stays = np.zeros(n_states, dtype=bool)
        if has["absorbing"]:
            stays[draw(st.integers(0, n_states - 1))] = True
        transition = np.zeros((n_states, n_actions, n_states))
        reward = np.zeros((n_states, n_actions))
        amount = st.one_of(
            st.integers(-int(max_reward), int(max_reward)).map(float),
            st.floats(-max_reward, max_reward, allow_subnormal=False),
        )
        for s, a in np.ndindex(n_states, n_actions):
            if terminal[s] or not mask[s, a]:
                continue
            reward[s, a] = draw(amount)
            transition[s, a] = np.eye(n_states)[s] if stays[s] else draw(_row(n_states, has))
        settings: dict[str, Any] = {"terminal": terminal, "action_mask": mask}
        mdp = MDP(transition, reward, discount=draw(st.sampled_from(chosen_discounts)), **settings)
        return mdp.to_sparse() if has["sparse"] else mdp

    def _row(n_states: int, has: dict[str, bool]) -> Any:
        if has["deterministic"]:
            return st.integers(0, n_states - 1).map(lambda s: np.eye(n_states)[s])
        weights = st.lists(st.integers(0, 4), min_size=n_states, max_size=n_states)
        miss = st.floats(-LARGEST_MISS, LARGEST_MISS) if has["rounding"] else st.just(0.0)
        return st.builds(_normalised, weights, miss)

    return strategy()


def _normalised(weights: list[int], miss: float) -> ndarray:
    """Weights as a row of probabilities that misses 1 by `miss`; the first state if all are 0."""
    row = np.array(weights, dtype=float)
    if row.sum() == 0.0:
        row[0] = 1.0
    found: ndarray = row / row.sum() * (1.0 + miss)
    return found


def policies(mdp: MDP, *, deterministic: bool | None = None) -> Any:
    """A strategy for policies of `mdp`, probabilities (S, A), 0 for unavailable actions.

    deterministic: only such (True), none on purpose (False), or either.  Terminal states have the
    uniform placeholder.  Shrinks to the first available action in each state.
    """
    require_mdp(mdp)
    st = _hypothesis()
    n_states, n_actions = mdp.reward.shape

    @st.composite
    def strategy(draw: Any) -> ndarray:
        pure = draw(st.booleans()) if deterministic is None else deterministic
        policy = np.zeros((n_states, n_actions))
        for s in range(n_states):
            actions = np.flatnonzero(mdp.action_mask[s])
            if mdp.terminal[s]:
                policy[s, actions] = 1.0 / len(actions)
            elif pure:
                policy[s, draw(st.sampled_from(list(actions)))] = 1.0
            else:
                count = {"min_size": len(actions), "max_size": len(actions)}
                policy[s, actions] = _normalised(draw(st.lists(st.integers(0, 20), **count)), 0.0)
        return policy

    return strategy()


def temperatures(*, least: float = 1e-3, most: float = 1e3, zero: bool = False) -> Any:
    """A strategy for temperatures between `least` and `most`, evenly in the logarithm; with `zero`
    also the hard maximum.  Shrinks to 1, or what lies nearest to it."""
    least, most = require_positive("least", least), require_positive("most", most)
    if not least <= most:
        raise ConfigError(f"least = {least!r} and most = {most!r}; give 0 < least <= most")
    zero = require_flag("zero", zero)
    st = _hypothesis()
    simplest = min(max(1.0, least), most)
    spread = st.floats(float(np.log(least)), float(np.log(most)))
    drawn = [
        st.just(simplest),
        spread.map(lambda x: float(np.clip(np.exp(x), least, most))),
    ]
    return st.one_of(*drawn, *([st.just(0.0)] if zero else []))
