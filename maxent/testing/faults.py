"""What a soft solver can get wrong, and how each fault shows in its numbers.

A fault of the values has a fixed point of its own: it is computed here by plain iteration of the
faulty equations and compared with what the solver returned.  A fault of q or of the policy shows in
one line of algebra.  `explain` names every fault that predicts the numbers of one run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from numpy import ndarray

from maxent.mdp import MDP

SWEEPS = 3000
LOOK = 64
"""How often an iteration is asked whether it will settle at all."""
EARLY = "stops too early"
UNEXPLAINED = "differs from the truth"


class Equations:
    """The soft Bellman equation of one MDP, part by part, so that any part can be made wrong.

    p (S, A, S), r (S, A), nonterminal (S,), available (S, A); all dense.
    q_from : Q of the next states' values (S,).  soft_value : V of Q.
    wrong : what is changed in them; None: nothing.
    """

    def __init__(self, mdp: MDP, temperature: float, wrong: Wrong | None = None) -> None:
        self.p, self.r = np.array(mdp.to_dense().transition), np.array(mdp.reward)
        self.nonterminal, self.available = ~mdp.terminal, np.array(mdp.action_mask)
        self.discount, self.temperature = mdp.discount, float(temperature)
        self.q_from: Part = lambda v: self.r + self.discount * self.p @ v
        self.soft_value: Part = self.log_sum_exp
        if wrong is not None:
            wrong(self)

    def q_of(self, v: ndarray) -> ndarray:
        return self.q_from(np.where(self.nonterminal, v, 0.0))

    def v_of(self, q: ndarray) -> ndarray:
        return np.where(self.nonterminal, self.soft_value(q), 0.0)

    def log_sum_exp(self, q: ndarray, temperature: float | None = None) -> ndarray:
        """alpha log sum exp(q / alpha) over the available actions, the maximum at alpha = 0."""
        alpha = self.temperature if temperature is None else temperature
        scores = np.where(self.available, q, -np.inf)
        if alpha == 0.0:
            return scores.max(axis=1)
        return alpha * np.logaddexp.reduce(scores / alpha, axis=1)

    def mean(self, q: ndarray) -> ndarray:
        """The mean of q under its Boltzmann policy."""
        policy = self.policy(q)
        return (policy * np.where(policy > 0.0, q, 0.0)).sum(axis=1)

    def policy(self, q: ndarray) -> ndarray:
        """The Boltzmann policy of q, as probabilities (greedy, ties shared, at alpha = 0)."""
        scores = np.where(self.available, q, -np.inf)
        if self.temperature == 0.0:
            best = scores == scores.max(axis=1, keepdims=True)
            return best / best.sum(axis=1, keepdims=True)
        scores = scores / self.temperature
        return np.exp(scores - np.logaddexp.reduce(scores, axis=1, keepdims=True))

    def iterates(self, limit: int = SWEEPS) -> Iterator[ndarray]:
        """V_0 = 0, V_1, ... until they settle or leave the range of float64."""
        v = np.zeros(len(self.r))
        for _ in range(limit):
            yield v
            new = self.v_of(self.q_of(v))
            if not np.isfinite(new).all() or np.abs(new).max() > 1e12:
                return
            if np.abs(new - v).max() <= 1e-13 * (1.0 + np.abs(new).max()):
                yield new
                return
            v = new

    def settled(self) -> ndarray | None:
        """The fixed point; None where the iteration reaches none, or only after very long."""
        before, last = np.full(len(self.r), np.inf), np.inf
        for k, v in enumerate(self.iterates()):
            with np.errstate(invalid="ignore"):
                change = float(np.abs(v - before).max())
            if k % LOOK == 0 and k > 0:
                if change > 0.9 * last:
                    return None
                last = change
            before = v
        return v if change <= 1e-12 * (1.0 + np.abs(v).max()) else None


Part = Callable[[ndarray], ndarray]
Wrong = Callable[[Equations], None]
"""What a fault changes in the equations."""


def _terminal_bootstrapped(own: Equations) -> None:
    """Terminal states as they are stored: an empty row, and the entropy of a choice."""
    own.nonterminal = np.ones_like(own.nonterminal)


def _terminal_absorbing(own: Equations) -> None:
    """Terminal states as absorbing ones, which earn entropy for ever."""
    for s in np.flatnonzero(~own.nonterminal):
        own.p[s, :, s] = 1.0
    _terminal_bootstrapped(own)


def _mask_ignored(own: Equations) -> None:
    own.available = np.ones_like(own.available)


def _mask_stays(own: Equations) -> None:
    """Unavailable actions stay where they are, for no reward."""
    for s, a in np.argwhere(~own.available & own.nonterminal[:, None]):
        own.p[s, a, s] = 1.0
    _mask_ignored(own)


def _neither_known(own: Equations) -> None:
    """Neither terminal states nor masks are known."""
    _terminal_bootstrapped(own)
    _mask_ignored(own)


def _soft_value(wrong: Callable[[Equations, ndarray], ndarray]) -> Wrong:
    return lambda own: setattr(own, "soft_value", partial(wrong, own))


def _q_from(wrong: Callable[[Equations, ndarray], ndarray]) -> Wrong:
    return lambda own: setattr(own, "q_from", partial(wrong, own))


_discount_one = _q_from(lambda own, v: own.r + own.p @ v)

VALUE_FAULTS: dict[str, tuple[Wrong, ...]] = {
    "terminal states bootstrapped": (_terminal_bootstrapped, _terminal_absorbing, _neither_known),
    "mask ignored": (_mask_ignored, _mask_stays, _neither_known),
    "temperature ignored (1 in its place)": (_soft_value(lambda own, q: own.log_sum_exp(q, 1.0)),),
    "temperature squared": (_soft_value(lambda own, q: own.log_sum_exp(q, own.temperature**2)),),
    "temperature inverted": (
        _soft_value(lambda own, q: own.log_sum_exp(q, 1.0 / own.temperature)),
    ),
    "hard maximum in place of log-sum-exp": (_soft_value(lambda own, q: own.log_sum_exp(q, 0.0)),),
    "temperature missing inside log-sum-exp": (
        _soft_value(lambda own, q: own.temperature * own.log_sum_exp(q, 1.0)),
    ),
    "temperature missing outside log-sum-exp": (
        _soft_value(lambda own, q: own.log_sum_exp(q) / own.temperature),
    ),
    "entropy with the wrong sign": (
        _soft_value(lambda own, q: 2.0 * own.mean(q) - own.log_sum_exp(q)),  # its share, taken off
        _soft_value(lambda own, q: -own.log_sum_exp(-q)),
    ),
    "entropy left out (Boltzmann average)": (_soft_value(lambda own, q: own.mean(q)),),
    "mean in place of sum (mellowmax)": (
        _soft_value(
            lambda own, q: own.log_sum_exp(q) - own.temperature * np.log(own.available.sum(axis=1))
        ),
    ),
    "discount ignored": (_discount_one,),
    "discount applied twice": (_q_from(lambda own, v: own.r + own.discount**2 * own.p @ v),),
    "discount applied to the reward": (_q_from(lambda own, v: own.discount * (own.r + own.p @ v)),),
    "reward with the wrong sign": (lambda own: setattr(own, "r", -own.r),),
    "transition transposed": (lambda own: setattr(own, "p", own.p.swapaxes(0, 2)),),
}
"""Faults of the values: each by the equations that a solver with it would solve."""


def _applies(fault: str, variant: Wrong, mdp: MDP) -> bool:
    """Whether the MDP has what the fault is about."""
    ends, masks = bool(mdp.terminal.any()), not mdp.action_mask[~mdp.terminal].all()
    if variant is _neither_known:
        return ends and masks
    return (ends or "terminal" not in fault) and (masks or "mask" not in fault)


def value_faults(
    mdp: MDP,
    temperature: float,
    v: ndarray,
    exact: ndarray,
    close: Callable[..., bool],
    known: frozenset[str] | None = None,
) -> set[str]:
    """The faults whose own fixed point is v; else how far an iteration got; else unexplained."""
    nonterminal = ~mdp.terminal
    named = set()
    if close(v[nonterminal], exact[nonterminal]):  # only a value at terminal states is wrong
        return {"terminal states bootstrapped"}
    for fault, variants in VALUE_FAULTS.items():
        for variant in variants:
            if known is not None and fault not in known:
                continue
            if not _applies(fault, variant, mdp):
                continue
            if temperature == 0.0 and "temperature" in fault:
                continue
            wrong = Equations(mdp, temperature, variant).settled()
            if wrong is None or close(wrong[nonterminal], exact[nonterminal]):
                continue
            if close(v[nonterminal], wrong[nonterminal]):
                named.add(fault)
    right = Equations(mdp, temperature)
    if any(close(v[nonterminal], iterate[nonterminal]) for iterate in right.iterates()):
        named.add(EARLY)
    if named:
        return named
    for iterate in Equations(mdp, temperature, _discount_one).iterates(1000):
        if close(v[nonterminal], iterate[nonterminal]):
            return {"discount ignored"}
    start = np.where(mdp.terminal, 0.0, v)
    residual = np.abs(right.v_of(right.q_of(start)) - start).max()
    error = np.abs(v - exact)[nonterminal].max()
    if residual <= 0.2 * error and residual <= 0.05 * max(1.0, float(np.abs(exact).max())):
        return {EARLY}  # nearly a fixed point, and far from it
    return {f"v {UNEXPLAINED}"}


def q_faults(
    mdp: MDP, temperature: float, q: ndarray, v: ndarray, exact: ndarray, close: Callable[..., bool]
) -> set[str]:
    """Why q is wrong where v is right.  q, exact (S, A); v (S,), right."""
    live = mdp.action_mask & ~mdp.terminal[:, None]
    right = Equations(mdp, temperature)
    flow = right.p @ v
    everywhere = np.where(mdp.terminal, 1.0, v)  # 1: any value that is not 0
    guesses = {
        "discount ignored in q": right.r + flow,
        "discount applied twice in q": right.r + right.discount**2 * flow,
        "reward left out of q": right.discount * flow,
        "q is the advantage (v was subtracted)": exact - v[:, None],
        "q divided by the temperature": exact / (temperature or 1.0),
        "q is log-probabilities": (exact - v[:, None]) / (temperature or 1.0),
    }
    named = {name for name, guess in guesses.items() if close(q[live], guess[live])}
    if not named and q.shape[0] == q.shape[1] and close(q.T[live], exact[live]):
        return {"q transposed"}
    if not named and mdp.terminal.any():
        into = (right.p @ (everywhere - v))[live] > 0.0
        if close(q[live][~into], exact[live][~into]):
            return {"terminal states bootstrapped"}
    return named or {f"q {UNEXPLAINED}"}


def policy_faults(
    mdp: MDP, temperature: float, log_policy: ndarray, q: ndarray, close: Callable[..., bool]
) -> set[str]:
    """Why a policy is not the Boltzmann policy of q, (S, A): one fault, the plainest first."""
    nonterminal = ~mdp.terminal
    live = mdp.action_mask & nonterminal[:, None]
    right = Equations(mdp, temperature)
    best = right.policy(q)
    if close(log_policy[live], best[live]):
        return {"probabilities in place of log-probabilities"}
    with np.errstate(over="ignore"):
        policy = np.exp(log_policy)
    outside = (policy > 1e-9) & ~mdp.action_mask & nonterminal[:, None]
    if outside.any():
        return {"mask ignored by the policy"}
    sums = np.where(live, policy, 0.0).sum(axis=1)[nonterminal]
    if not np.allclose(sums, 1.0, rtol=0.0, atol=1e-6):
        return {"log-policy not normalised"}
    guesses: dict[str, ndarray] = {
        "uniform policy": mdp.action_mask / mdp.action_mask.sum(axis=1, keepdims=True)
    }
    alphas = {"greedy policy": 0.0}
    if temperature > 0.0:
        alphas |= {
            "temperature missing in the policy": 1.0,
            "temperature inverted in the policy": 1.0 / temperature,
        }
        guesses["policy of the wrong sign"] = right.policy(-q)
    for name, alpha in alphas.items():
        guesses[name] = Equations(mdp, alpha).policy(q)
    named = {
        name
        for name, guess in guesses.items()
        if close(policy[live], guess[live]) and not close(best[live], guess[live])
    }
    return named or {f"policy {UNEXPLAINED}"}
