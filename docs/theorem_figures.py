"""The figures of docs/theorems: what each theorem says, and the slack that its checks measured.

    python docs/theorem_figures.py            # all of them, into docs/images/theorems
    python docs/theorem_figures.py sql-t3     # one

On the left the theorem at work on one problem.  On the right each clause's worst case on 24 random
MDPs, as a share of what it may be: for an equality the error over its rounding bound; for an
inequality the room that was left, in units of reward.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

import maxent
from maxent.plots import save
from maxent.plots.style import INK, LINES, MARKERS, MUTED, STYLE, new_figure
from maxent.theorems.check import Check

IMAGES = Path(__file__).parent / "images" / "theorems"
ROUNDING = 1e-16
"""Where the axis of the slack turns from logarithmic to linear."""


@cache
def four_rooms() -> maxent.MDP:
    return maxent.gridworld("four-rooms", slip=0.1, discount=0.95)


@cache
def random_mdp() -> maxent.MDP:
    return maxent.garnet(20, 4, discount=0.95, seed=0)


@cache
def checks() -> tuple[Check, ...]:
    """Every clause on 24 random MDPs of 10 states, at temperatures 0.03 to 3."""
    found: list[Check] = []
    for seed in range(24):
        mdp = maxent.garnet(10, 3, discount=(0.5, 0.9, 0.97)[seed % 3], seed=seed)
        found += maxent.verify(mdp, temperature=0.03 * 10 ** (2 * seed / 23), seed=seed).checks
    for seed in range(24):
        mdp = paid_by_the_step((0.5, 0.9, 0.97)[seed % 3], seed)
        temperature = maxent.balance_temperature(mdp) * 0.1 * 10 ** (2 * seed / 23)
        found += maxent.verify(mdp, temperature, seed=seed, keys=["BALANCE"]).checks
    return tuple(found)


def paid_by_the_step(discount: float, seed: int) -> maxent.MDP:
    """A random MDP in which a step pays -0.3 and arriving in the terminal state 2 more."""
    mdp = maxent.garnet(10, 3, discount=discount, seed=seed, branching=3, terminal=1)
    arrives = mdp.expect(mdp.terminal.astype(float))
    return mdp.replace(reward=np.where(mdp.terminal[:, None], 0.0, 2.0 * arrives - 0.3))


def measured(ax: Axes, *keys: str) -> None:
    """The slack of every clause of some keys: a row a clause, a dot an MDP."""
    chosen = [check for check in checks() if check.key in keys and np.isfinite(check.slack)]
    names = list(dict.fromkeys((check.key, check.clause) for check in chosen))
    for row, name in enumerate(names):
        own = [check for check in chosen if (check.key, check.clause) == name]
        slack = [check.slack for check in own]
        ax.plot(slack, np.full(len(own), row), "o", color=LINES[0], alpha=0.5, markersize=3.5)
        allowed = -max(check.tolerance for check in own)
        ax.plot([allowed, allowed], [row - 0.35, row + 0.35], color=LINES[1])
    ax.set_xscale("symlog", linthresh=ROUNDING, linscale=0.5)
    ax.set_xticks([-1e-8, -1e-12, -ROUNDING, 0, ROUNDING, 1e-12, 1e-8, 1e-4, 1])
    ax.set_xticklabels(["-1e-8", "-1e-12", "", "0", "", "1e-12", "1e-8", "1e-4", "1"], rotation=45)
    ax.set_xlim(-1e-6, 1e3)
    several = len(keys) > 1
    ax.set_yticks(
        range(len(names)), [f"{key}: {clause}" if several else clause for key, clause in names]
    )
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.axvline(0.0, color=MUTED, linewidth=0.6)
    ax.set_xlabel("worst slack, reward; bar: rounding allowed")
    ax.set_title("24 random MDPs")


def gibbs(ax: Axes) -> None:
    rng = np.random.default_rng(0)
    q, policy = rng.normal(size=(400, 4)), rng.dirichlet(np.full(4, 0.5), size=400)
    for temperature, colour, marker in zip((0.1, 1.0, 10.0), LINES, MARKERS):
        log_policy = np.log(policy)
        gap = maxent.soft_value(q, temperature) - maxent.policy_value(q, log_policy, temperature)
        best = maxent.boltzmann_policy(q, temperature)
        divergence = temperature * maxent.kl_divergence(log_policy, best)
        ax.plot(
            divergence,
            gap,
            marker,
            color=colour,
            markersize=3,
            label=f"temperature {temperature:g}",
        )
    ends = [1e-3, 1e2]
    ax.plot(ends, ends, color=INK, linewidth=0.8, zorder=0)
    ax.set(xscale="log", yscale="log", xlim=ends, ylim=ends)
    ax.set_xlabel("temperature x KL(p || p*), reward")
    ax.set_ylabel("soft maximum - value of p, reward")
    ax.set_title("The gap is a divergence (GIBBS-2)")
    ax.legend()


def sql_t1(ax: Axes) -> None:
    mdp, temperature = random_mdp(), 0.3
    best = maxent.solve(mdp, temperature)
    rng = np.random.default_rng(0)
    for mix, colour in zip((1.0, 0.1, 0.01), LINES):
        lost = []
        for _ in range(40):
            other = rng.dirichlet(np.ones(mdp.n_actions), size=mdp.n_states)
            policy = (1 - mix) * best.policy + mix * other
            lost.append(best.v - maxent.soft_policy_evaluation(mdp, policy, temperature).v)
        ax.plot(
            np.sort(np.ravel(lost)),
            np.linspace(0, 1, np.size(lost)),
            color=colour,
            label=f"{mix:g} of a random policy",
        )
    ax.set(xscale="log", xlim=(1e-6, 30))
    ax.set_xlabel("V*(s) - V of the policy (s), reward, discounted")
    ax.set_ylabel("share of policies and states")
    ax.set_title("No policy is better in any state")
    ax.legend(title="mixed into the optimum")


def sql_t2(ax: Axes) -> None:
    mdp = four_rooms()
    temperatures = np.geomspace(1e-3, 10, 25)
    for tolerance, colour, marker in zip((1e-2, 1e-5, 1e-8), LINES, MARKERS):
        residuals = []
        for temperature in temperatures:
            solution = maxent.soft_value_iteration(mdp, temperature, tolerance=tolerance)
            change = maxent.soft_bellman(mdp, solution.q, temperature) - solution.q
            residuals.append(np.abs(change[~mdp.terminal]).max())
        ax.plot(
            temperatures, residuals, marker=marker, color=colour, label=f"solved to {tolerance:g}"
        )
        ax.axhline(2 * tolerance, color=colour, linewidth=0.8, linestyle=":")
    ax.set(xscale="log", yscale="log")
    ax.set_xlabel("temperature, reward")
    ax.set_ylabel("largest |TQ - Q|, reward")
    ax.set_title("Four rooms: residual of the solution; dots: 2 x tolerance")
    ax.legend()


def sql_t3(ax: Axes) -> None:
    mdp, temperature = random_mdp(), 0.1
    best = maxent.solve(mdp, temperature)
    rng = np.random.default_rng(0)
    starts = {
        "0": np.zeros(mdp.n_states),
        "noise of size 10": 10 * rng.normal(size=mdp.n_states),
        "V* + 10": best.v + 10,
    }
    for (name, v), colour, marker in zip(starts.items(), LINES, MARKERS):
        errors = []
        for _ in range(201):
            errors.append(np.abs(v - best.v).max())
            v = maxent.soft_value(maxent.backup(mdp, v), temperature)
        ax.plot(errors, color=colour, marker=marker, markevery=40, label=f"from {name}")
        ax.plot(
            errors[0] * mdp.discount ** np.arange(201), color=colour, linestyle=":", linewidth=1
        )
    ax.set(yscale="log")
    ax.set_xlabel("sweeps k")
    ax.set_ylabel("largest |V_k - V*|, reward")
    ax.set_title("Error, and (dots) the bound by powers of the discount")
    ax.legend()


def improvement(ax: Axes) -> None:
    """Of one step from random policies: the gain, and the divergence that it is at least."""
    mdp, rng = random_mdp(), np.random.default_rng(0)
    for temperature, colour, marker in zip((0.03, 0.3, 3.0), LINES, MARKERS):
        least, gain = [], []
        for concentration in np.repeat([0.2, 1.0, 5.0], 5):
            policy = rng.dirichlet(np.full(mdp.n_actions, concentration), size=mdp.n_states)
            policy = 0.999 * policy + 0.001 / mdp.n_actions
            before = maxent.soft_policy_evaluation(mdp, policy, temperature)
            better = maxent.soft_policy_improvement(before.q, temperature)
            after = maxent.soft_policy_evaluation(mdp, np.exp(better), temperature)
            least.append(temperature * maxent.kl_divergence(np.log(policy), better))
            gain.append(after.v - before.v)
        ax.plot(
            np.ravel(least),
            np.ravel(gain),
            marker,
            color=colour,
            markersize=3,
            label=f"temperature {temperature:g}",
        )
    ends = [1e-3, 100]
    ax.plot(ends, ends, color=INK, linewidth=0.8)
    ax.set(xscale="log", yscale="log", xlim=ends, ylim=ends)
    ax.set_xlabel("temperature x KL(old || new) in the state, reward")
    ax.set_ylabel("rise of V in the state, reward")
    ax.set_title("One improvement: every dot above the line")
    ax.legend()


def sac_l1(ax: Axes) -> None:
    mdp, temperature = four_rooms(), 0.1
    uniform = np.full((mdp.n_states, mdp.n_actions), 1 / mdp.n_actions)
    greedy = maxent.solve(mdp, 0.02).policy
    for (name, policy), colour in zip(
        {"uniform": uniform, "optimal at 0.02": greedy}.items(), LINES
    ):
        exact = maxent.soft_policy_evaluation(mdp, policy, temperature)
        logs, q, errors = np.log(policy), np.zeros_like(policy), []
        for _ in range(151):
            errors.append(np.abs(q - exact.q)[~mdp.terminal].max())
            q = maxent.soft_policy_bellman(mdp, q, logs, temperature)
        ax.plot(errors, color=colour, label=f"{name} policy")
        ax.plot(
            errors[0] * mdp.discount ** np.arange(151), color=colour, linestyle=":", linewidth=1
        )
    ax.set(yscale="log", ylim=(1e-10, 100))
    ax.set_xlabel("applications k of the operator")
    ax.set_ylabel("largest |Q_k - Q of the linear system|, reward")
    ax.set_title("Four rooms: iteration against the linear solve; dots: bound")
    ax.legend()


def sac_t1(ax: Axes) -> None:
    mdp = random_mdp()
    for temperature, colour, marker in zip((0.03, 0.3, 3.0), LINES, MARKERS):
        best = maxent.solve(mdp, temperature, tolerance=1e-11)
        policy, errors = np.full((mdp.n_states, mdp.n_actions), 1 / mdp.n_actions), []
        for _ in range(7):
            found = maxent.soft_policy_evaluation(mdp, policy, temperature)
            errors.append(max(np.abs(best.v - found.v).max(), 1e-13))
            policy = np.exp(maxent.soft_policy_improvement(found.q, temperature))
        ax.plot(errors, color=colour, marker=marker, label=f"temperature {temperature:g}")
        ax.plot(errors[0] * mdp.discount ** np.arange(7), color=colour, linestyle=":", linewidth=1)
    ax.set(yscale="log")
    ax.set_xlabel("rounds k")
    ax.set_ylabel("largest V* - V of policy k, reward")
    ax.set_title("Policy iteration, and (dots) the bound of the theorem")
    ax.legend()


def newton(ax: Axes) -> None:
    mdp = random_mdp()
    for temperature, colour, marker in zip((0.1, 0.3, 1.0, 3.0), LINES, MARKERS):
        best = maxent.solve(mdp, temperature, tolerance=1e-11)
        policy, errors = np.full((mdp.n_states, mdp.n_actions), 1 / mdp.n_actions), []
        for _ in range(6):
            found = maxent.soft_policy_evaluation(mdp, policy, temperature)
            errors.append(np.abs(best.v - found.v).max())
            policy = np.exp(maxent.soft_policy_improvement(found.q, temperature))
        kept = [error for error in errors if error > 1e-12]
        ax.plot(
            kept[:-1],
            kept[1:],
            marker=marker,
            color=colour,
            linestyle="",
            label=f"temperature {temperature:g}",
        )
        error = np.geomspace(1e-6, 20, 50)
        bound = (mdp.discount * error) ** 2 / (8 * temperature * (1 - mdp.discount))
        ax.plot(error, bound, color=colour, linestyle=":", linewidth=1)
    ax.set(xscale="log", yscale="log", ylim=(1e-13, 100), xlim=(1e-6, 20))
    ax.set_xlabel("error before a round, reward")
    ax.set_ylabel("error after it, reward")
    ax.set_title("Each error against its predecessor; dots: quadratic bound")
    ax.legend()


def npg(ax: Axes) -> None:
    mdp, temperature = random_mdp(), 0.3
    best = maxent.solve(mdp, temperature, tolerance=1e-11)
    largest = (1 - mdp.discount) / temperature
    for weight, colour, marker in zip((0.1, 0.3, 1.0), LINES, MARKERS):
        trace = maxent.natural_policy_gradient(
            mdp, temperature, step=weight * largest, iterations=60
        )
        errors = np.maximum(
            trace.objectives[-1] * 0 + (mdp.initial_distribution @ best.v - trace.objectives), 1e-13
        )
        ax.plot(
            errors,
            color=colour,
            marker=marker,
            markevery=10,
            label=f"{weight:g} of the largest step",
        )
    ax.set(yscale="log")
    ax.set_xlabel("steps")
    ax.set_ylabel("J* - J, reward, discounted")
    ax.set_title("Natural policy gradient; 1 is soft policy iteration")
    ax.legend()


def slope(ax: Axes) -> None:
    mdp = four_rooms()
    temperatures = np.geomspace(3e-3, 3, 60)
    curve = maxent.tradeoff(mdp, temperatures)
    between = np.sqrt(temperatures[1:] * temperatures[:-1])
    price = -np.diff(curve.returns) / np.diff(curve.entropies)
    ax.fill_between(
        between,
        temperatures[:-1],
        temperatures[1:],
        color=LINES[5],
        alpha=0.5,
        label="what the theorem allows",
    )
    ax.plot(between, price, ".", color=LINES[1], label="measured: return lost for each nat")
    ax.set(xscale="log", yscale="log")
    ax.set_xlabel("temperature, reward")
    ax.set_ylabel("-(change of return) / (change of entropy)")
    ax.set_title("Four rooms: the price of a nat is the temperature")
    ax.legend()


def subopt(ax: Axes) -> None:
    mdp, rng = random_mdp(), np.random.default_rng(0)
    for temperature, colour, marker in zip((0.03, 0.3, 3.0), LINES, MARKERS):
        best = maxent.solve(mdp, temperature, tolerance=1e-11)
        lost, divergence = [], []
        for mix in np.geomspace(1e-4, 1, 30):
            policy = (1 - mix) * best.policy + mix * rng.dirichlet(
                np.ones(mdp.n_actions), size=mdp.n_states
            )
            value = maxent.soft_policy_evaluation(mdp, policy, temperature, tolerance=1e-11)
            lost.append(mdp.initial_distribution @ (best.v - value.v))
            visits = maxent.occupancy(mdp, policy).sum(axis=1)
            divergence.append(
                temperature * visits @ maxent.kl_divergence(np.log(policy), best.log_policy)
            )
        ax.plot(
            divergence,
            lost,
            marker,
            color=colour,
            markersize=4,
            label=f"temperature {temperature:g}",
        )
    ends = [1e-9, 100]
    ax.plot(ends, ends, color=INK, linewidth=0.8, zorder=0)
    ax.set(xscale="log", yscale="log", xlim=ends, ylim=ends)
    ax.set_xlabel("temperature x visits x KL(policy || optimum)")
    ax.set_ylabel("J* - J of the policy, by two solves")
    ax.set_title("Two routes to one number")
    ax.legend()


def sensitivity(ax: Axes) -> None:
    mdp, temperature = random_mdp(), 0.3
    best = maxent.solve(mdp, temperature, tolerance=1e-11)
    visits = maxent.occupancy(mdp, best.policy)
    sizes = np.geomspace(1e-4, 10, 30)
    for (state, action), colour, marker in zip(((0, 0), (3, 1), (7, 2)), LINES, MARKERS):
        excess = []
        for size in sizes:
            reward = mdp.reward.copy()
            reward[state, action] += size
            other = maxent.solve(mdp.replace(reward=reward), temperature, tolerance=1e-11)
            rise = mdp.initial_distribution @ (other.v - best.v)
            excess.append(rise - size * visits[state, action])
        ax.plot(sizes, excess, marker=marker, color=colour, label=f"r({state},{action})")
    ax.plot(sizes, sizes**2, color=INK, linewidth=0.8, linestyle=":", label="size squared")
    ax.set(xscale="log", yscale="log")
    ax.set_xlabel("size of the change of one reward")
    ax.set_ylabel("rise of J* - size x occupancy")
    ax.set_title("What the occupancy does not predict is of second order")
    ax.legend()


def limit_zero(ax: Axes) -> None:
    temperatures = np.geomspace(1e-4, 1, 30)
    for (name, mdp), colour, marker in zip(
        {"four rooms": four_rooms(), "random": random_mdp()}.items(), LINES, MARKERS
    ):
        hard = maxent.solve(mdp, 0.0)
        gaps = [(maxent.solve(mdp, t).v - hard.v).max() for t in temperatures]
        ax.plot(temperatures, gaps, marker=marker, color=colour, label=name)
    bound = temperatures * np.log(4) / (1 - 0.95)
    ax.plot(temperatures, bound, color=INK, linestyle=":", label="bound")
    ax.set(xscale="log", yscale="log")
    ax.set_xlabel("temperature, reward")
    ax.set_ylabel("largest V* - hard V*, reward")
    ax.set_title("The soft value comes down to the hard one")
    ax.legend()


def limit_infinity(ax: Axes) -> None:
    mdp, temperatures = random_mdp(), np.geomspace(0.1, 1e4, 30)
    uniform = np.full((mdp.n_states, mdp.n_actions), 1 / mdp.n_actions)
    judged = maxent.soft_policy_evaluation(mdp, uniform, 0.0)
    span = np.ptp(judged.q, axis=1).max()
    gap = []
    for t in temperatures:
        most = t * np.log(mdp.n_actions) / (1 - mdp.discount)
        gap.append((maxent.solve(mdp, t).v - most - judged.v).max())
    ax.plot(temperatures, gap, marker="o", color=LINES[0], label="measured")
    ax.plot(
        temperatures,
        span**2 / (8 * temperatures * (1 - mdp.discount)),
        color=INK,
        linestyle=":",
        label="bound",
    )
    ax.set(xscale="log", yscale="log")
    ax.set_xlabel("temperature, reward")
    ax.set_ylabel("V* - entropy's part - V of the uniform policy")
    ax.set_title("What reward is worth beyond the uniform policy")
    ax.legend()


def soft_pdl(ax: Axes) -> None:
    mdp, rng = random_mdp(), np.random.default_rng(0)
    for temperature, colour, marker in zip((0.03, 0.3, 3.0), LINES, MARKERS):
        bracket, gain = [], []
        for _ in range(15):
            old, new = rng.dirichlet(np.ones(mdp.n_actions), size=(2, mdp.n_states))
            before, after = (
                maxent.soft_policy_evaluation(mdp, policy, temperature) for policy in (old, new)
            )
            goal = maxent.boltzmann_policy(before.q, temperature)
            apart = [maxent.kl_divergence(np.log(policy), goal) for policy in (old, new)]
            paid = np.repeat((temperature * (apart[0] - apart[1]))[:, None], mdp.n_actions, axis=1)
            bracket.append(maxent.soft_policy_evaluation(mdp.replace(reward=paid), new, 0.0).v)
            gain.append(after.v - before.v)
        name = f"temperature {temperature:g}"
        ax.plot(np.ravel(bracket), np.ravel(gain), marker, color=colour, markersize=3, label=name)
    ends = [-60, 60]
    ax.plot(ends, ends, color=INK, linewidth=0.8, zorder=0)
    ax.set_xscale("symlog", linthresh=0.1)
    ax.set_yscale("symlog", linthresh=0.1)
    ax.set(xlim=ends, ylim=ends)
    ax.set_xlabel("sum of temperature x (KL(old || B) - KL(new || B))")
    ax.set_ylabel("V of the new policy - V of the old, reward")
    ax.set_title("Gain or loss, from every state")
    ax.legend()


def approx(ax: Axes) -> None:
    bandit = maxent.MDP(np.ones((1, 2, 1)), np.zeros((1, 2)), discount=0.9)
    mdp, rng = random_mdp(), np.random.default_rng(0)
    sizes, temperature = np.geomspace(1e-3, 30, 25), 0.3
    best = maxent.solve(mdp, temperature, tolerance=1e-11)
    tied = maxent.solve(bandit, temperature, tolerance=1e-11)
    lost, most = [], []
    for d in sizes:
        worst = 0.0
        for _ in range(10):
            q = best.q + d * rng.uniform(-1, 1, best.q.shape)
            policy = np.exp(maxent.boltzmann_policy(q, temperature))
            value = maxent.soft_policy_evaluation(mdp, policy, temperature, tolerance=1e-11)
            worst = max(worst, (best.v - value.v).max() * (1 - mdp.discount))
        lost.append(worst)
        policy = np.exp(maxent.boltzmann_policy(tied.q + np.array([[d, -d]]), temperature))
        value = maxent.soft_policy_evaluation(bandit, policy, temperature, tolerance=1e-11)
        most.append((tied.v - value.v).max() * (1 - bandit.discount))
    ax.plot(sizes, sizes**2 / (2 * temperature), color=INK, linestyle=":", label="d^2 / (2 alpha)")
    ax.plot(sizes, 2 * sizes, color=INK, linestyle="--", linewidth=1, label="2 d")
    ax.plot(sizes, most, marker=MARKERS[1], color=LINES[1], label="two tied actions")
    ax.plot(sizes, lost, marker=MARKERS[0], color=LINES[0], label="random MDP, random errors")
    ax.set(xscale="log", yscale="log", ylim=(1e-8, 100))
    ax.set_xlabel("d = largest |Q - Q*|, reward")
    ax.set_ylabel("(1 - discount) x largest loss, reward")
    ax.set_title("Temperature 0.3: small errors cost their square")
    ax.legend()


def robust(ax: Axes) -> None:
    rng, temperature = np.random.default_rng(0), 0.3
    mdp = random_mdp()
    best = maxent.solve(mdp, temperature, tolerance=1e-11)
    for (name, policy), colour in zip(
        {"pi*": best.policy, "uniform": np.full(best.policy.shape, 0.25)}.items(), LINES
    ):
        own = maxent.soft_policy_evaluation(mdp, policy, temperature)
        ways = np.geomspace(1e-3, 1, 25)
        for k in range(6):
            other = rng.dirichlet(np.ones(mdp.n_actions), size=mdp.n_states)
            room = []
            for mix in ways:
                lowered = mdp.reward - temperature * np.log((1 - mix) * policy + mix * other)
                hard = maxent.soft_policy_evaluation(mdp.replace(reward=lowered), policy, 0.0)
                room.append(mdp.initial_distribution @ (hard.v - own.v))
            label = name if k == 0 else None
            ax.plot(ways, room, color=colour, linewidth=1.2, label=label)
    ax.set(xscale="log", yscale="log")
    ax.set_xlabel("how far Delta is from alpha log pi (share of another policy)")
    ax.set_ylabel("return under r - Delta, less J, reward")
    ax.set_title("No Delta of the set does worse than alpha log pi")
    ax.legend()


def rate(ax: Axes) -> None:
    mdp, temperature = maxent.garnet(20, 4, discount=0.95, seed=0, branching=3), 0.3
    best = maxent.solve(mdp, temperature, tolerance=1e-11)
    moves = np.einsum("sa,sat->st", best.policy, mdp.to_dense().transition)
    second = np.sort(np.abs(np.linalg.eigvals(moves)))[-2]
    v, errors, spans = np.zeros(mdp.n_states), [], []
    for _ in range(60):
        errors.append(np.abs(v - best.v).max())
        spans.append(0.5 * np.ptp(v - best.v))
        v = maxent.soft_value(maxent.backup(mdp, v), temperature)
    sweeps = np.arange(60)
    ax.plot(errors, color=LINES[0], marker=MARKERS[0], markevery=10, label="values")
    ax.plot(spans, color=LINES[1], marker=MARKERS[1], markevery=10, label="half their span")
    for start, factor, colour in (
        (errors[0], mdp.discount, LINES[0]),
        (spans[5] / (mdp.discount * second) ** 5, mdp.discount * second, LINES[1]),
    ):
        ax.plot(start * factor**sweeps, color=colour, linestyle=":", label=f"{factor:.3f} a sweep")
    ax.set(yscale="log", ylim=(1e-9, 50))
    ax.set_xlabel("sweeps")
    ax.set_ylabel("error, reward")
    ax.set_title("The interval narrows faster than the values settle")
    ax.legend()


def balance(ax: Axes) -> None:
    mdp = four_rooms()
    live, critical = ~mdp.terminal, maxent.balance_temperature(mdp)
    paid = mdp.replace(reward=np.where(live[:, None], np.ones_like(mdp.reward), 0.0))

    def time(policy: np.ndarray) -> np.ndarray:
        return maxent.soft_policy_evaluation(paid, policy, 0.0).v[live]

    usual = time(np.full((mdp.n_states, mdp.n_actions), 1 / mdp.n_actions))
    temperatures = critical * np.geomspace(0.1, 10, 41)
    ratios = np.array([time(maxent.solve(mdp, t).policy) / usual for t in temperatures])
    ax.plot(temperatures, ratios, color=LINES[0], linewidth=0.5, alpha=0.4)
    ax.plot([], [], color=LINES[0], label="from each state")
    ax.plot(temperatures, ratios.mean(axis=1), color=LINES[1], label="mean over states")
    ax.axvline(critical, color=INK, linestyle=":", label=f"balance, {critical:.4f}")
    ax.axhline(1.0, color=MUTED, linewidth=0.6)
    ax.set(xscale="log")
    ax.set_xlabel("temperature, reward")
    ax.set_ylabel("discounted time to the goal / the random walk's")
    ax.set_title("Four rooms: sooner below the balance, later above")
    ax.legend()


FIGURES: dict[str, tuple[Callable[[Axes], None], tuple[str, ...]]] = {
    "gibbs": (gibbs, ("GIBBS-1", "GIBBS-2", "GIBBS-3", "GIBBS-4")),
    "sql-t1": (sql_t1, ("SQL-T1",)),
    "sql-t2": (sql_t2, ("SQL-T2",)),
    "sql-t3": (sql_t3, ("SQL-T3",)),
    "sql-t4": (improvement, ("SQL-T4",)),
    "sac-l1": (sac_l1, ("SAC-L1",)),
    "sac-l2": (improvement, ("SAC-L2",)),
    "sac-t1": (sac_t1, ("SAC-T1",)),
    "spi-newton": (newton, ("SPI-NEWTON",)),
    "npg": (npg, ("NPG",)),
    "slope": (slope, ("SLOPE", "ENVELOPE")),
    "subopt": (subopt, ("SUBOPT",)),
    "sensitivity": (sensitivity, ("SENSITIVITY",)),
    "limit-zero": (limit_zero, ("LIMIT-ZERO",)),
    "limit-infinity": (limit_infinity, ("LIMIT-INFINITY",)),
    "soft-pdl": (soft_pdl, ("SOFT-PDL",)),
    "approx": (approx, ("APPROX",)),
    "robust": (robust, ("ROBUST",)),
    "rate": (rate, ("RATE",)),
    "balance": (balance, ("BALANCE",)),
}


def main(names: list[str]) -> None:
    for name in names or FIGURES:
        draw, keys = FIGURES[name]
        with mpl.rc_context(STYLE):
            figure = new_figure(9.5, 3.6)
            left, right = figure.subplots(1, 2, width_ratios=[1.1, 1])
            draw(left)
            measured(right, *keys)
            save(figure, IMAGES / f"{name}.png", overwrite=True)
        print(name, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
