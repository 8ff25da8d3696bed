"""A figure for each counter-example of `maxent.theorems.counterexamples`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator
from numpy import ndarray

from maxent.errors import ConfigError
from maxent.plots.parts import headline, rule
from maxent.plots.style import INK, LINES, MARKERS, MUTED, discount_text, new_figure, styled
from maxent.support.arguments import quoted
from maxent.theorems.counterexamples import CounterExample

VALUE = "soft value (reward units, discounted)"
DASHES = ("-", "--", ":", "-.")


@styled
def counterexample(example: Any, *, title: str | None = None) -> Figure:
    """What happens without a hypothesis, drawn from the record of a counter-example.

    example: the `CounterExample` that one of the functions of `maxent.theorems.counterexamples.ALL`
        returns; ConfigError for anything else.

    title: in place of the usual one.
    """
    key = example.key if isinstance(example, CounterExample) else example
    if not isinstance(example, CounterExample) or key not in DRAWN:
        known = key if isinstance(key, str) and key in DRAWN else "NOT-UNIFORM"
        raise ConfigError(
            f"example = {quoted(key)} is no record of a counter-example; give one, as in "
            f"counterexample(maxent.theorems.counterexamples.ALL[{known!r}]())"
        )
    figure = new_figure(9.2, 3.9)
    DRAWN[key](figure, example)
    rule(*figure.axes)
    for ax in figure.axes:
        if ax.get_legend() is None and ax.get_legend_handles_labels()[1]:
            ax.legend(loc="best")
    several = "discount" in example.curves  # the figure's own axis
    where = "discounts below" if several else f"discount {discount_text(example.mdp.discount)}"
    if not np.isnan(example.temperature) and "temperature" not in example.curves:
        where = f"temperature {float(f'{example.temperature:.3g}'):g}, {where}"
    text = f"{example.key}: without the hypothesis of {example.against} ({where})"
    headline(figure, f"{text}\n{example.claim}")
    return figure


def _curve(ax: Axes, x: ndarray, y: ndarray, index: int, label: str, *, marks: int = 0) -> None:
    """Curve number `index`: its colour, dash and marker; about `marks` markers, or none."""
    look: dict[str, Any] = {"color": LINES[index], "linestyle": DASHES[index % len(DASHES)]}
    if marks:
        look |= {"marker": MARKERS[index], "markevery": max(1, len(x) // marks)}
    ax.plot(x, y, label=label, gid=label, zorder=3, **look)


def _improvement(figure: Figure, example: CounterExample) -> None:
    ax = figure.subplots()
    x, v = example.curves["x"], example.curves["v"]
    for state in range(v.shape[1]):
        _curve(ax, np.arange(len(x)), v[:, state], state, f"state {state}", marks=20)
    ax.axvspan(1, 2, color="#ececec", zorder=0, linewidth=0)
    place: Any = {"xytext": (0, -8), "textcoords": "offset points", "ha": "center", "va": "top"}
    ax.annotate("worse in every state", (2, v[2].min()), color=MUTED, **place)
    ax.margins(y=0.2)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel="projection step, one action distribution for all states", ylabel=VALUE)


def _best(figure: Figure, example: CounterExample) -> None:
    left, right = figure.subplots(1, 2)
    x, v = example.curves["x"], example.curves["v"]
    odds = np.log10(x) - np.log10(1.0 - x)
    for state in range(v.shape[1]):
        _curve(left, odds, v[:, state], state, f"state {state}")
        top = int(v[:, state].argmax())
        left.plot(odds[top], v[top, state], marker=MARKERS[state], color=LINES[state], zorder=4)
    shortfall = (v.max(axis=0) - v).max(axis=1)
    right.plot(odds, shortfall, color=INK, gid="shortfall")
    least = float(shortfall.min())
    right.axhline(least, color=MUTED, linestyle=":", linewidth=1.0)
    place: Any = {"xytext": (0, -4), "textcoords": "offset points", "va": "top"}
    place["xycoords"] = ("axes fraction", "data")
    right.annotate(f"never below {least:.2f}", (0.02, least), color=MUTED, **place)
    right.set_ylim(bottom=0.0)
    for ax in (left, right):
        ax.set_xlabel("shared policy: log10 of the odds of action 0")
    left.set(ylabel=VALUE, title="Each state has its own best (marked)")
    right.set(ylabel="shortfall in the worst state", title="No policy is best everywhere")


def _oscillation(figure: Figure, example: CounterExample) -> None:
    left, right = figure.subplots(1, 2)
    x, grid, after = (example.curves[name] for name in ("x", "grid", "after"))
    left.plot(np.arange(21), x[:21], color=LINES[0], marker="o", gid="x")
    left.xaxis.set_major_locator(MaxNLocator(integer=True))
    left.set(xlabel="projection step", ylabel="probability of action 0, in all states", ylim=(0, 1))
    _curve(right, grid, after, 0, "after one step")
    right.plot(grid, grid, color=MUTED, linewidth=1.0, label="unchanged")
    steps = np.repeat(x[-9:], 2)
    right.plot(steps[:-1], steps[1:], color=LINES[1], marker="s", label="the cycle", zorder=4)
    right.set_aspect("equal", adjustable="box")
    right.legend(loc="upper left", bbox_to_anchor=(1.02, 1.0))
    right.set(xlabel="probability of action 0", ylabel="after the step")


def _softmax(figure: Figure, example: CounterExample) -> None:
    left, right = figure.subplots(1, 2)
    v, roots = example.curves["v"], example.curves["roots"]
    for ax, zoom in ((left, False), (right, True)):
        for index, name in enumerate(("average", "log_sum_exp")):
            label = "Boltzmann average" if name == "average" else "log-sum-exp"
            label = f"_{label}" if zoom else label  # one legend, on the left
            shown = v >= 0.0 if not zoom else (v >= 0.14) & (v <= 0.2)
            change = example.curves[name] - v
            _curve(ax, v[shown], change[shown], index, label, marks=8 if index else 0)
        inside = roots if not zoom else roots[roots <= 0.2]
        for root in inside:
            face = INK if root != roots[1] else "white"
            ax.plot(root, 0.0, marker="o", color=INK, markerfacecolor=face, zorder=5)
        ax.axhline(0.0, color=MUTED, linewidth=0.8)
        ax.set_xlabel("value V of state 0")
    right.set(ylim=(-2e-4, 2e-4), title="The two on the left, enlarged")
    left.set_ylabel("change by one sweep, T V \N{MINUS SIGN} V")
    left.set_title("Filled: stable fixed points; open: unstable")


def _undiscounted(figure: Figure, example: CounterExample) -> None:
    left, right = figure.subplots(1, 2)
    _curve(left, np.arange(401), example.curves["ring"], 0, "no exit", marks=8)
    left.set_title("Without termination: linear, for ever")
    for index, (name, label) in enumerate(
        (("costly", "exit, cost 1 a step: settles"), ("free", "exit, no cost: grows like log H")), 1
    ):
        _curve(right, np.arange(401), example.curves[name], index, label, marks=8)
    right.set_title("With an exit")
    for ax in (left, right):
        ax.set(xlabel="horizon H (steps)", ylabel="soft value, undiscounted")


def _unbounded(figure: Figure, example: CounterExample) -> None:
    left, right = figure.subplots(1, 2)
    n = example.curves["n"]
    for index, alpha in enumerate(("0.5", "1", "2")):
        label = f"rewards \N{MINUS SIGN}log a, temperature {alpha}"
        _curve(left, n, example.curves[f"v at {alpha}"], index, label, marks=6)
    _curve(left, n, example.curves["v without rewards"], 3, "no rewards, temperature 1", marks=6)
    left.set(xscale="log", xlabel="number of actions counted", ylabel=VALUE)
    left.set_title("Finite only below temperature 1")
    widths = example.curves["half_widths"]
    right.plot(widths, example.curves["gauss"], color=LINES[0], marker="o", gid="gauss")
    right.axhline(0.5 * np.log(np.pi), color=MUTED, linestyle=":", label="log of root pi")
    right.set_xscale("log", base=2)
    right.set_xticks(widths, labels=[f"{w:g}" for w in widths])
    right.set_xlabel("action interval [\N{MINUS SIGN}w, w], half-width w")
    right.set_ylabel("soft value of one step, temperature 1")
    right.set_title("Unbounded, yet finite: reward \N{MINUS SIGN}a\N{SUPERSCRIPT TWO}")


def _residual(figure: Figure, example: CounterExample) -> None:
    ax = figure.subplots()
    away = 1.0 - example.curves["discount"]
    _curve(ax, away, example.curves["error"], 0, "error left", marks=4)
    _curve(ax, away, example.curves["change"], 1, "change by the sweep", marks=4)
    ax.set(
        xscale="log", yscale="log", xlabel="discount", ylabel="largest over states (reward units)"
    )
    ax.invert_xaxis()
    ax.set_xticks(away, labels=[discount_text(g) for g in example.curves["discount"]])
    ax.xaxis.set_minor_locator(NullLocator())


def _stochastic(figure: Figure, example: CounterExample) -> None:
    left, right = figure.subplots(1, 2)
    luck = example.curves["luck"]
    _curve(left, luck, example.curves["gap"], 0, "alpha log Z \N{MINUS SIGN} V*")
    left.set_ylabel("alpha log Z \N{MINUS SIGN} V* (reward units)")
    left.set_title("Zero only where nothing is left to chance")
    _curve(right, luck, example.curves["posterior"], 1, "posterior")
    _curve(right, luck, example.curves["policy"], 0, "pi*")
    right.set(ylim=(0.0, 1.0), ylabel="probability of gambling")
    for ax in (left, right):
        ax.set_xlabel("chance that the gamble is won (+1, else \N{MINUS SIGN}1)")


def _uniform(figure: Figure, example: CounterExample) -> None:
    ax = figure.subplots()
    names = {
        "exit": "the other action ends the episode",
        "mask": "the other action leads to a state with one action",
        "equal": "two actions everywhere",
    }
    for index, (name, label) in enumerate(names.items()):
        stay = 0.5 + example.curves[name]
        _curve(ax, example.curves["temperature"], stay, index, label, marks=8 + index)
    ax.axhline(0.5, color=MUTED, linewidth=0.8)
    ax.set(xscale="log", ylim=(0.0, 1.0))
    ax.set(xlabel="temperature", ylabel="probability of staying in state 0")


def _hard_q(figure: Figure, example: CounterExample) -> None:
    ax = figure.subplots()
    temperature = example.curves["temperature"]
    names = {
        "gap": "largest gap to the uniform policy's value",
        "hard": "bound with Q*_0: exceeded",
        "soft": "bound with Q*_alpha",
        "uniform": "bound with Q of the uniform policy",
    }
    for index, (name, label) in enumerate(names.items()):
        _curve(ax, temperature, example.curves[name], index, label, marks=6 + index)
    ax.lines[2].set_linewidth(4.0)  # the last curve lies on it
    ax.set(xscale="log", yscale="log", xlabel="temperature", ylabel="reward units, discounted")


def _free_loop(figure: Figure, example: CounterExample) -> None:
    left, right = figure.subplots(1, 2, sharey=True)
    for ax, name in ((left, "free"), (right, "costly")):
        for index, start in enumerate((0, 2, 4)):
            v = example.curves[f"{name} from {start}"]
            _curve(ax, np.arange(len(v)), v, index, f"from V = {start}", marks=6 + index)
        ax.set_xlabel("sweep")
    left.set(ylabel="value of the start, undiscounted")
    left.set_title("Staying is free: each stays where it is")
    right.set_title("Staying costs 0.1: one limit")


DRAWN: dict[str, Callable[[Figure, CounterExample], None]] = {
    "NOT-TIED-IMPROVED": _improvement,
    "NOT-TIED-BEST": _best,
    "NOT-TIED-CONVERGENT": _oscillation,
    "NOT-ANY-SOFTMAX": _softmax,
    "NOT-UNDISCOUNTED": _undiscounted,
    "NOT-UNBOUNDED": _unbounded,
    "NOT-BARE-RESIDUAL": _residual,
    "NOT-STOCHASTIC": _stochastic,
    "NOT-UNIFORM": _uniform,
    "NOT-HARD-Q": _hard_q,
    "NOT-FREE-LOOP": _free_loop,
}
