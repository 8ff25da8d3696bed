"""Soft Q-iteration without what makes it contract, or stopped on less than a bound (SQL-T3)."""

from __future__ import annotations

import numpy as np
from numpy import ndarray
from scipy.optimize import brentq

from maxent.mdp import MDP
from maxent.mdp.random_mdps import garnet
from maxent.tabular import operators
from maxent.tabular.finite_horizon import finite_horizon
from maxent.tabular.solvers import soft_policy_evaluation, soft_policy_iteration, solve
from maxent.theorems.counterexamples.record import CounterExample


def boltzmann_average() -> CounterExample:
    """NOT-ANY-SOFTMAX, against SQL-T3: several fixed points of the Boltzmann operator.

    From state 0, one action loops (reward 0.02), the other ends the episode (reward 0.1).
    """
    temperature = 1.0 / 16.55
    mdp = MDP(
        [[[1.0, 0.0], [0.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]]],
        [[0.02, 0.1], [0.0, 0.0]],
        discount=0.98,
        terminal=[False, True],
    )

    def q(v: float) -> ndarray:
        return operators.backup(mdp, np.array([v, 0.0]))[:1]

    def average(v: float) -> float:  # the mean of q under its own Boltzmann policy
        return float(
            operators.policy_value(q(v), operators.boltzmann_policy(q(v), temperature), 0.0)[0]
        )

    def log_sum_exp(v: float) -> float:
        return float(operators.soft_value(q(v), temperature)[0])

    v = np.linspace(0.0, 1.2, 601)
    gap = np.array([average(x) for x in v]) - v
    places = np.flatnonzero(np.sign(gap[:-1]) != np.sign(gap[1:]))
    roots = [brentq(lambda x: average(x) - x, v[i], v[i + 1], xtol=1e-15) for i in places]
    slopes = [(average(x + 1e-6) - average(x - 1e-6)) / 2e-6 for x in roots]
    starts = {"0": 0.0, "0.17": 0.17, "0.18": 0.18}
    numbers = {f"fixed point {i}": root for i, root in enumerate(roots, start=1)}
    numbers |= {f"slope at fixed point {i}": slope for i, slope in enumerate(slopes, start=1)}
    for name, value in starts.items():
        for _ in range(2000):
            value = average(value)
        numbers[f"limit from V = {name}"] = value
    numbers["fixed point of log-sum-exp"] = solve(mdp, temperature).v[0]
    shown = len(roots) == 3 and slopes[0] < 1 < slopes[1] and slopes[2] < 1
    curves = {"v": v, "average": gap + v, "roots": np.array(roots)}
    curves["log_sum_exp"] = np.array([log_sum_exp(x) for x in v])
    return CounterExample.of("NOT-ANY-SOFTMAX", mdp, temperature, shown, numbers, curves)


def undiscounted() -> CounterExample:
    """NOT-UNDISCOUNTED, against SQL-T3: without discount or end values grow without bound.

    Two states, two actions (stay, or go to the other).  With an exit instead of the other state
    and a cost of 1 a step, the same sums settle; with the cost gone they grow again, like
    alpha log H: an exit is not enough where the entropy of staying is worth more than leaving.
    """
    temperature, horizon = 0.5, 400
    stay, swap = [[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]
    ring = MDP([stay, swap], [[-0.2, 0.0], [0.1, 0.0]], discount=1.0)
    costly = MDP([stay, stay], [[-1.0, -1.0], [0.0, 0.0]], discount=1.0, terminal=[False, True])
    free = costly.replace(reward=np.zeros((2, 2)))
    v = {
        name: finite_horizon(mdp, temperature, horizon).v[::-1, 0]
        for name, mdp in (("ring", ring), ("costly", costly), ("free", free))
    }
    uniform = soft_policy_evaluation(free, [[0.5, 0.5], [0.5, 0.5]], temperature)
    # growth per step in the ring: alpha log of the Perron root of sum_a exp(r(s,a)/alpha) P
    weights = np.einsum("sa,sat->st", np.exp(ring.reward / temperature), ring.transition)
    growth = temperature * np.log(np.abs(np.linalg.eigvals(weights)).max())
    numbers = {
        "value for 100 steps, no exit": v["ring"][100],
        "value for 400 steps, no exit": v["ring"][400],
        "growth of the last step, no exit": v["ring"][400] - v["ring"][399],
        "growth in theory": growth,
        "value for 400 steps, exit and cost": v["costly"][400],
        "growth of the last step, exit and cost": v["costly"][400] - v["costly"][399],
        "limit in theory, exit and cost": -temperature * np.log(np.exp(1 / temperature) - 1),
        "growth of the last step, exit, no cost": v["free"][400] - v["free"][399],
        "uniform policy, exit, no cost": uniform.v[0],
        "its error bound": uniform.error_bound,
    }
    last = {name: each[400] - each[399] for name, each in v.items()}
    shown = abs(last["ring"] - growth) < 1e-9 < growth and abs(last["costly"]) < 1e-9
    shown = shown and uniform.converged
    return CounterExample.of("NOT-UNDISCOUNTED", ring, temperature, shown, numbers, v)


def unbounded_partition() -> CounterExample:
    """NOT-UNBOUNDED, against SQL-T3: infinitely many actions whose partition sum is not finite.

    One state that stays, actions a = 1, 2, ... with reward -log a, so that exp(r/alpha) =
    a^(-1/alpha): the sum is finite exactly for alpha < 1.  Cut off after n actions,
    V_n = alpha log(sum_{a <= n} a^(-1/alpha)) / (1 - gamma).
    """
    discount, counts = 0.9, 10 ** np.arange(6)
    temperatures = (0.5, 1.0, 2.0)
    actions = np.arange(1, counts[-1] + 1)
    curves: dict[str, ndarray] = {"n": counts}
    numbers: dict[str, float] = {}
    for alpha in temperatures:
        sums = np.cumsum(actions ** (-1.0 / alpha))[counts - 1]
        curves[f"v at {alpha:g}"] = alpha * np.log(sums) / (1.0 - discount)
    curves["v without rewards"] = np.log(counts) / (1.0 - discount)  # temperature 1

    def cut_off(n: int) -> MDP:
        reward = -np.log(actions[:n])[None, :]
        return MDP(np.ones((1, n, 1)), reward, discount=discount)

    for alpha in temperatures:
        for n in (1000, 100_000):
            numbers[f"V, {n:,} actions, temperature {alpha:g}"] = solve(cut_off(n), alpha).v[0]
    numbers["limit, temperature 0.5"] = 0.5 * np.log(np.pi**2 / 6) / (1.0 - discount)
    # not bounded, and yet finite: one step of LQR, reward -a^2 on the whole line
    half_widths = np.array([0.5, 1.0, 2.0, 4.0, 8.0, 16.0])
    line = [np.linspace(-w, w, 20_001) for w in half_widths]
    gauss = np.array([np.log(np.trapezoid(np.exp(-(a**2)), a)) for a in line])
    numbers["soft value of -a^2 on [-16, 16]"] = gauss[-1]
    numbers["soft value of -a^2 on the line"] = 0.5 * np.log(np.pi)
    curves |= {"half_widths": half_widths, "gauss": gauss}
    rises = [np.diff(curves[f"v at {alpha:g}"])[-1] for alpha in temperatures]
    shown = rises[0] < 1e-3 and rises[1] > 1.0 and rises[2] > 10.0
    return CounterExample.of("NOT-UNBOUNDED", cut_off(10), float("nan"), shown, numbers, curves)


RESIDUAL_DISCOUNTS = (0.9, 0.99, 0.999, 0.9999)


def forest() -> MDP:
    """Forest management: wait or cut in 3 ages, a fire with probability 0.1; discount 0.9.

    Chades et al. (2014), MDPtoolbox; its exact value is (26.244, 29.484, 33.484).
    """
    wait = [[0.1, 0.9, 0.0], [0.1, 0.0, 0.9], [0.1, 0.0, 0.9]]
    cut = [[1.0, 0.0, 0.0]] * 3
    return MDP.from_action_first(
        np.array([wait, cut]), [[0.0, 0.0], [0.0, 1.0], [4.0, 2.0]], discount=0.9
    )


def bare_residual() -> CounterExample:
    """NOT-BARE-RESIDUAL, against SQL-T3: a sweep that changes little, taken for a small error.

    Started a constant 10 above V*, a sweep changes V by 10 (1 - gamma) only.  And a *span* of
    changes below a tolerance says that the policy is good, not the value.
    """
    temperature, offset = 0.1, 10.0
    changes, errors, certified = [], [], []
    for discount in RESIDUAL_DISCOUNTS:
        mdp = garnet(6, 2, discount=discount, seed=0)
        exact = soft_policy_iteration(mdp, temperature).v
        start = exact + offset
        after = operators.soft_value(operators.backup(mdp, start), temperature)
        changes.append(np.abs(after - start).max())
        errors.append(np.abs(after - exact).max())
        one = soft_policy_iteration(mdp, temperature, v0=start, tolerance=1e-6)
        certified.append(one.error_bound)
    trees, epsilon = forest(), 0.01
    v, sweeps, change = np.zeros(3), 0, np.array([np.inf, 0.0])
    while np.ptp(change) >= epsilon * (1.0 - trees.discount) / trees.discount:
        new = operators.soft_value(operators.backup(trees, v), 0.0)
        v, change, sweeps = new, new - v, sweeps + 1
    exact = solve(trees, 0.0).v
    numbers = {f"change, discount {g:g}": c for g, c in zip(RESIDUAL_DISCOUNTS, changes)}
    numbers |= {f"error, discount {g:g}": e for g, e in zip(RESIDUAL_DISCOUNTS, errors)}
    numbers |= {f"forest, V printed in age {s}": v[s] for s in range(3)}
    numbers |= {f"forest, V* in age {s}": exact[s] for s in range(3)}
    numbers |= {"forest, sweeps": sweeps, "forest, span of the last change": np.ptp(change)}
    numbers["largest certified error, true bounds"] = max(certified)
    ratio = np.array(errors) / np.array(changes) * (1.0 - np.array(RESIDUAL_DISCOUNTS))
    shown = np.all(ratio > 0.89) and np.abs(v - exact).max() > 20.0
    curves = {
        "discount": np.array(RESIDUAL_DISCOUNTS),
        "change": np.array(changes),
        "error": np.array(errors),
    }
    return CounterExample.of("NOT-BARE-RESIDUAL", mdp, temperature, shown, numbers, curves)


def free_loop() -> CounterExample:
    """NOT-FREE-LOOP, against FIRST-EXIT: without discount and cost the equation has many solutions.

    From the start one can stay, for 0, or leave, for 1.  V = max(V, 1) is solved by every V >= 1; a
    cost of 0.1 for staying leaves V = 1 alone.
    """
    transition = [[[1.0, 0.0], [0.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]]]
    sweeps = 41
    curves: dict[str, ndarray] = {}
    for name, cost in (("free", 0.0), ("costly", 0.1)):
        mdp = MDP(transition, [[-cost, 1.0], [0.0, 0.0]], discount=1.0, terminal=[False, True])
        for start in (0.0, 2.0, 4.0):
            v = [start]
            for _ in range(sweeps - 1):
                v.append(float(operators.backup(mdp, np.array([v[-1], 0.0]))[0].max()))
            curves[f"{name} from {start:g}"] = np.array(v)
        if not cost:
            loop = mdp
    numbers = {f"limit from V = {s}": curves[f"free from {s}"][-1] for s in (0, 2, 4)}
    numbers |= {f"with a cost, from V = {s}": curves[f"costly from {s}"][-1] for s in (0, 2, 4)}
    numbers["certified value"] = solve(loop, 0.0).v[0]
    shown = numbers["limit from V = 4"] == 4.0 and abs(numbers["certified value"] - 1.0) < 1e-9
    return CounterExample.of("NOT-FREE-LOOP", loop, 0.0, shown, numbers, curves)
