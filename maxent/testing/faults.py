"""What a soft solver can get wrong, and how each fault shows in its numbers.

A fault of the values has a fixed point of its own: it is computed here by plain iteration of the
faulty equations and compared with what the solver returned.  A fault of q or of the policy shows in
one line of algebra.  `explain` names every fault that predicts the numbers of one run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

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
    """

    def __init__(self, mdp: MDP, temperature: float) -> None:
        self.p, self.r = np.array(mdp.to_dense().transition), np.array(mdp.reward)
        self.nonterminal, self.available = ~mdp.terminal, np.array(mdp.action_mask)
        self.discount, self.temperature = mdp.discount, float(temperature)

    def q_of(self, v: ndarray) -> ndarray:
        return self.r + self.discount * self.p @ np.where(self.nonterminal, v, 0.0)

    def v_of(self, q: ndarray) -> ndarray:
        return np.where(self.nonterminal, self.soft_value(q), 0.0)

    def soft_value(self, q: ndarray, temperature: float | None = None) -> ndarray:
        """alpha log sum exp(q / alpha) over the available actions, the maximum at alpha = 0."""
        alpha = self.temperature if temperature is None else temperature
        scores = np.where(self.available, q, -np.inf)
        if alpha == 0.0:
            return scores.max(axis=1)
        return alpha * np.logaddexp.reduce(scores / alpha, axis=1)

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


class _TerminalBootstrapped(Equations):
    """Terminal states as they are stored: an empty row, and the entropy of a choice."""

    def __init__(self, mdp: MDP, temperature: float) -> None:
        super().__init__(mdp, temperature)
        self.nonterminal = np.ones_like(self.nonterminal)


class _TerminalAbsorbing(_TerminalBootstrapped):
    """Terminal states as absorbing ones, which earn entropy for ever."""

    def __init__(self, mdp: MDP, temperature: float) -> None:
        super().__init__(mdp, temperature)
        for s in np.flatnonzero(mdp.terminal):
            self.p[s, :, s] = 1.0


class _MaskIgnored(Equations):
    def __init__(self, mdp: MDP, temperature: float) -> None:
        super().__init__(mdp, temperature)
        self.available = np.ones_like(self.available)


class _MaskStays(_MaskIgnored):
    """Unavailable actions stay where they are, for no reward."""

    def __init__(self, mdp: MDP, temperature: float) -> None:
        super().__init__(mdp, temperature)
        for s, a in np.argwhere(~mdp.action_mask & ~mdp.terminal[:, None]):
            self.p[s, a, s] = 1.0


class _NeitherKnown(_TerminalBootstrapped):
    """Neither terminal states nor masks are known."""

    def __init__(self, mdp: MDP, temperature: float) -> None:
        super().__init__(mdp, temperature)
        self.available = np.ones_like(self.available)


class _TemperatureOne(Equations):
    def soft_value(self, q: ndarray, temperature: float | None = None) -> ndarray:
        return super().soft_value(q, 1.0)


class _TemperatureSquared(Equations):
    def soft_value(self, q: ndarray, temperature: float | None = None) -> ndarray:
        return super().soft_value(q, self.temperature**2)


class _TemperatureInverted(Equations):
    def soft_value(self, q: ndarray, temperature: float | None = None) -> ndarray:
        return super().soft_value(q, 1.0 / self.temperature)


class _Hard(Equations):
    def soft_value(self, q: ndarray, temperature: float | None = None) -> ndarray:
        return super().soft_value(q, 0.0)


class _MissingInside(Equations):
    def soft_value(self, q: ndarray, temperature: float | None = None) -> ndarray:
        return self.temperature * super().soft_value(q, 1.0)


class _MissingOutside(Equations):
    def soft_value(self, q: ndarray, temperature: float | None = None) -> ndarray:
        return super().soft_value(q) / self.temperature


class _SoftMinimum(Equations):
    def soft_value(self, q: ndarray, temperature: float | None = None) -> ndarray:
        return -super().soft_value(-q)


class _EntropySign(Equations):
    def soft_value(self, q: ndarray, temperature: float | None = None) -> ndarray:
        policy = self.policy(q)
        mean = (policy * np.where(policy > 0.0, q, 0.0)).sum(axis=1)
        return 2.0 * mean - super().soft_value(q)  # the entropy's share, taken off instead


class _EntropyLeftOut(Equations):
    def soft_value(self, q: ndarray, temperature: float | None = None) -> ndarray:
        policy = self.policy(q)
        return (policy * np.where(policy > 0.0, q, 0.0)).sum(axis=1)


class _Mellowmax(Equations):
    def soft_value(self, q: ndarray, temperature: float | None = None) -> ndarray:
        return super().soft_value(q) - self.temperature * np.log(self.available.sum(axis=1))


class _DiscountOne(Equations):
    def q_of(self, v: ndarray) -> ndarray:
        return self.r + self.p @ np.where(self.nonterminal, v, 0.0)


class _DiscountTwice(Equations):
    def q_of(self, v: ndarray) -> ndarray:
        return self.r + self.discount**2 * self.p @ np.where(self.nonterminal, v, 0.0)


class _DiscountOnReward(Equations):
    def q_of(self, v: ndarray) -> ndarray:
        return self.discount * (self.r + self.p @ np.where(self.nonterminal, v, 0.0))


class _RewardSign(Equations):
    def __init__(self, mdp: MDP, temperature: float) -> None:
        super().__init__(mdp, temperature)
        self.r = -self.r


class _Transposed(Equations):
    def __init__(self, mdp: MDP, temperature: float) -> None:
        super().__init__(mdp, temperature)
        self.p = self.p.swapaxes(0, 2)


VALUE_FAULTS: dict[str, tuple[type[Equations], ...]] = {
    "terminal states bootstrapped": (_TerminalBootstrapped, _TerminalAbsorbing, _NeitherKnown),
    "mask ignored": (_MaskIgnored, _MaskStays, _NeitherKnown),
    "temperature ignored (1 in its place)": (_TemperatureOne,),
    "temperature squared": (_TemperatureSquared,),
    "temperature inverted": (_TemperatureInverted,),
    "hard maximum in place of log-sum-exp": (_Hard,),
    "temperature missing inside log-sum-exp": (_MissingInside,),
    "temperature missing outside log-sum-exp": (_MissingOutside,),
    "entropy with the wrong sign": (_EntropySign, _SoftMinimum),
    "entropy left out (Boltzmann average)": (_EntropyLeftOut,),
    "mean in place of sum (mellowmax)": (_Mellowmax,),
    "discount ignored": (_DiscountOne,),
    "discount applied twice": (_DiscountTwice,),
    "discount applied to the reward": (_DiscountOnReward,),
    "reward with the wrong sign": (_RewardSign,),
    "transition transposed": (_Transposed,),
}
"""Faults of the values: each by the equations that a solver with it would solve."""


def _applies(fault: str, variant: type[Equations], mdp: MDP) -> bool:
    """Whether the MDP has what the fault is about."""
    ends, masks = bool(mdp.terminal.any()), not mdp.action_mask[~mdp.terminal].all()
    if variant is _NeitherKnown:
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
            wrong = variant(mdp, temperature).settled()
            if wrong is None or close(wrong[nonterminal], exact[nonterminal]):
                continue
            if close(v[nonterminal], wrong[nonterminal]):
                named.add(fault)
    right = Equations(mdp, temperature)
    if any(close(v[nonterminal], iterate[nonterminal]) for iterate in right.iterates()):
        named.add(EARLY)
    if named:
        return named
    for iterate in _DiscountOne(mdp, temperature).iterates(1000):
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
