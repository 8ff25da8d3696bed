"""Conclusions drawn too far: control as inference, and the limit of infinite temperature."""

from __future__ import annotations

import numpy as np
from numpy import ndarray

from maxent.mdp import MDP
from maxent.tabular.finite_horizon import finite_horizon
from maxent.tabular.solvers import soft_policy_evaluation, solve
from maxent.theorems.counterexamples.record import CounterExample


def gamble(luck: float) -> MDP:
    """One decision: keep 0 for sure, or gamble for +1 with probability `luck`, else -1.

    States: start, won, lost, kept; all but the first terminal.
    """
    transition, reward = np.zeros((4, 2, 4)), np.zeros((4, 2, 4))
    transition[0, 0, 3] = 1.0
    transition[0, 1, 1:3] = luck, 1.0 - luck
    reward[0, 1, 1:3] = 1.0, -1.0
    return MDP(
        transition,
        reward,
        discount=1.0,
        terminal=[False, True, True, True],
        initial_distribution=[1.0, 0.0, 0.0, 0.0],
        state_names=("start", "won", "lost", "kept"),
        action_names=("keep", "gamble"),
    )


def _inference(mdp: MDP, temperature: float) -> dict[str, float]:
    """alpha log Z against V*, and the two laws of the one step, by enumeration of trajectories."""
    found = finite_horizon(mdp, temperature, 1)
    prior = mdp.transition[0]  # p(tau) without the actions' weights, (A, S)
    samples = mdp.transition_reward[0]  # type: ignore[index]
    weight = prior * np.exp(samples / temperature)
    posterior = weight / weight.sum()
    played = found.policy[0, 0][:, None] * prior
    gamble_odds = posterior[1].sum()
    return {
        "alpha log Z": temperature * np.log(weight.sum()),
        "V*": found.v[0, 0],
        "posterior of gambling": gamble_odds,
        "pi* of gambling": found.policy[0, 0, 1],
        "posterior of winning a gamble": posterior[1, 1] / gamble_odds,
        "chance of winning a gamble": prior[1, 1],
        "total variation of the two laws": 0.5 * np.abs(posterior - played).sum(),
    }


def stochastic_inference() -> CounterExample:
    """NOT-STOCHASTIC, against INFERENCE: with stochastic dynamics the posterior wins by luck.

    alpha log Z > V* by Jensen's inequality, and the posterior exp(R/alpha) p / Z over trajectories
    is not the law under pi*: it changes the dynamics, which no policy can.
    """
    temperature = 1.0
    mdp = gamble(0.5)
    numbers = _inference(mdp, temperature)
    lucks = np.linspace(0.0, 1.0, 101)
    swept = [_inference(gamble(float(p)), temperature) for p in lucks]
    gap = np.array([each["alpha log Z"] - each["V*"] for each in swept])
    certain = _inference(gamble(1.0), temperature)
    numbers["alpha log Z - V*"] = numbers["alpha log Z"] - numbers["V*"]
    numbers["the same, winning for certain"] = certain["alpha log Z"] - certain["V*"]
    numbers["total variation, winning for certain"] = certain["total variation of the two laws"]
    names = {"posterior of gambling": "posterior", "pi* of gambling": "policy"}
    shown = numbers["alpha log Z - V*"] > 0.1 and abs(gap[[0, -1]]).max() < 1e-12
    curves = {short: np.array([each[name] for each in swept]) for name, short in names.items()}
    curves |= {"luck": lucks, "gap": gap}
    return CounterExample.of("NOT-STOCHASTIC", mdp, temperature, shown, numbers, curves)


def non_uniform_limit() -> CounterExample:
    """NOT-UNIFORM, against LIMIT-INFINITY: where later choices differ, so does the policy.

    Three MDPs with discount 0.9 and 2 actions in state 0: *leave* or
    *stay*, where leaving ends the episode (exit), or leads to a state with one action (mask), or to
    one with two (equal).
    """
    discount = 0.9
    transition = np.zeros((2, 2, 2))
    transition[0, 0, 1] = transition[0, 1, 0] = 1.0
    transition[1, :, 1] = 1.0
    reward = [[1.0, 0.0], [0.5, 0.5]]
    settings: dict[str, dict] = {
        "exit": {"terminal": [False, True]},
        "mask": {"action_mask": [[True, True], [True, False]]},
        "equal": {},
    }
    mdps = {name: MDP(transition, reward, discount=discount, **s) for name, s in settings.items()}
    temperatures = np.logspace(-1, 6, 29)
    off, numbers = {}, {}
    for name, mdp in mdps.items():
        stay = [solve(mdp, float(alpha)).policy[0, 1] for alpha in temperatures]
        off[name] = np.array(stay) - 0.5
        unpaid = solve(mdp.replace(reward=np.zeros((2, 2))), 1.0)
        numbers[f"staying at temperature 1e6, {name}"] = stay[-1]
        numbers[f"staying in the limit, {name}"] = unpaid.policy[0, 1]
    shown = abs(off["exit"][-1]) > 0.3 and off["mask"][-1] > 0.1 and abs(off["equal"][-1]) < 1e-5
    curves = {"temperature": temperatures, **off}
    return CounterExample.of("NOT-UNIFORM", mdps["exit"], float("nan"), shown, numbers, curves)


def hard_q_in_the_bound() -> CounterExample:
    """NOT-HARD-Q, against LIMIT-INFINITY: Q*_0 in the bound for high temperatures.

    0 <= V*_alpha - alpha log|A|/(1-gamma) - V_uniform <= max_s span_a(Q)^2 / (8 alpha (1-gamma))
    holds with Q = Q*_alpha and with the Q of the uniform policy.  State 0 chooses between two
    states that stay; in one of them the second action costs 1.  The hard optimum never takes it, so
    Q*_0 sees no difference between the two.
    """
    discount = 0.99
    transition = np.zeros((3, 2, 3))
    transition[0, 0, 1] = transition[0, 1, 2] = transition[1, :, 1] = transition[2, :, 2] = 1.0
    mdp = MDP(transition, [[0.0, 0.0], [0.0, 0.0], [0.0, -1.0]], discount=discount)
    uniform = np.full((3, 2), 0.5)
    unpaid = soft_policy_evaluation(mdp, uniform, 0.0)
    hard = solve(mdp, 0.0)
    temperatures = np.logspace(1.5, 5, 36)

    def bound(q: ndarray, alpha: float) -> float:
        return float((np.ptp(q, axis=1) ** 2).max() / (8.0 * alpha * (1.0 - discount)))

    rows = []
    for alpha in map(float, temperatures):
        soft = solve(mdp, alpha)
        gap = float((soft.v - alpha * np.log(2.0) / (1.0 - discount) - unpaid.v).max())
        rows.append((gap, bound(hard.q, alpha), bound(soft.q, alpha), bound(unpaid.q, alpha)))
    gaps, wrong, right, explicit = np.array(rows).T
    at = int(np.argmin(np.abs(temperatures - 1000.0)))
    numbers = {
        "temperature": temperatures[at],
        "largest gap": gaps[at],
        "bound with Q*_0 (violated)": wrong[at],
        "bound with Q*_alpha": right[at],
        "bound with Q of the uniform policy": explicit[at],
        "gap over the bound with Q*_0": gaps[at] / wrong[at],
    }
    shown = np.all(gaps > wrong) and np.all(gaps <= right) and np.all(gaps <= explicit)
    curves = {"temperature": temperatures, "gap": gaps, "hard": wrong}
    curves |= {"soft": right, "uniform": explicit}
    return CounterExample.of("NOT-HARD-Q", mdp, float(temperatures[at]), shown, numbers, curves)
