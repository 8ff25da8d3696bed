"""The entropy-reward trade-off: the Pareto front of return and discounted entropy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy import ndarray

from maxent.errors import ConfigError, ModelError
from maxent.plots.parts import add_legend, axes_for, colour_scale, entry
from maxent.plots.style import (
    INK,
    LINES,
    MARKERS,
    MUTED,
    PAPER,
    discount_text,
    figure_of,
    problem,
    styled,
    value_colours,
)
from maxent.support.arguments import quoted, require_count, require_names, require_temperature
from maxent.tabular.occupancy import discounted_entropy, policy_return
from maxent.tabular.tradeoff import Tradeoff

RETURN = "return (reward units, discounted)"
ENTROPY = "discounted entropy (nats)"
TEMPERATURE = "temperature \N{GREEK SMALL LETTER ALPHA} (reward units per nat, log scale)"
MAX_RANDOM = 100_000
ROUNDING = 1e-9
"""Spread of a coordinate, relative to its size, that is taken for rounding: one point."""
DASHES: tuple[Any, ...] = (
    "-",
    (0, (5, 1.5)),
    (0, (3, 1, 1, 1)),
    (0, (1, 1)),
    (0, (8, 2)),
    (0, (5, 1, 1, 1, 1, 1)),
)


@styled
def tradeoff(
    *curves: Tradeoff,
    labels: Sequence[str] | None = None,
    tangent: float | None = None,
    random_policies: int = 0,
    seed: int = 0,
    per_step: bool = False,
    ax: Axes | None = None,
    title: str | None = None,
) -> Figure:
    """The Pareto front: return against discounted entropy, with the temperature along it.

    curves: one or more results of `maxent.tradeoff`, of several MDPs or discounts if you like.
        One alone is coloured by temperature; of several each has a colour, a dash and a marker.
    labels: their names; left out: their discounts.
    tangent: a temperature: draws the line of slope -temperature that touches each front there.
    random_policies: how many random policies of the first curve's MDP to draw (`seed`), each mixed
        with a policy of the front; none lies above it.
    per_step: multiply both axes by 1 - discount, so that several discounts can be compared.
    ax: draw there instead of in a new figure.  Returns the figure.

    The ends are marked: a filled triangle for temperature -> 0, a hollow one for infinity.

    title: in place of the usual one.
    """
    names = curve_names(curves, labels)
    if require_count("random_policies", random_policies, minimum=0) > MAX_RANDOM:
        raise ConfigError(
            f"random_policies = {quoted(random_policies)} is more than {MAX_RANDOM:,}, the most "
            "that is drawn: each needs a linear solve; a few hundred fill the figure"
        )
    if tangent is not None:
        tangent = require_temperature(tangent)
    ax, own = axes_for(ax, 6.8, 4.9)
    alone = len(curves) == 1
    entries: list[Line2D] = []
    if random_policies:
        scale = _scale(curves[0], per_step)
        cloud = scale * _cloud(curves[0], random_policies, seed)
        look: dict[str, Any] = {"linestyle": "none", "marker": ".", "color": "#9a9a9a"}
        ax.plot(*cloud, markersize=3.0, zorder=1, gid="random policies", **look)
        entries.append(entry("policies mixed with random ones", **look))
    for index, (curve, name) in enumerate(zip(curves, names)):
        front = _front(curve, per_step)
        colour, dash = (INK if alone else LINES[index % len(LINES)]), DASHES[index % len(DASHES)]
        smooth = _scale(curve, per_step) * _smooth(curve)
        look = {"color": colour, "linestyle": dash}
        ax.plot(*smooth, linewidth=1.4, zorder=2, gid=f"front {index}", **look)
        if not alone:
            marker = MARKERS[index % len(MARKERS)]
            entries.append(entry(name, marker=marker, **look))
            inner = _points(curve, per_step)[0]
            ax.plot(*inner, linestyle="none", marker=marker, color=colour, markersize=3.5)
        elif labels is not None:
            entries.append(entry(name, **look))
        _mark_ends(ax, front, colour)
        if tangent is not None:
            _draw_tangent(ax, curve, tangent, per_step, colour)
    if alone:
        _colour_by_temperature(ax, curves[0], per_step)
    ends: dict[str, Any] = {"linestyle": "none", "color": INK, "markersize": 7.0}
    alpha = "\N{GREEK SMALL LETTER ALPHA}"
    entries.append(entry(f"{alpha} \N{RIGHTWARDS ARROW} 0", marker="^", **ends))
    infinite = f"{alpha} \N{RIGHTWARDS ARROW} \N{INFINITY}"
    entries.append(entry(infinite, marker="v", markerfacecolor=PAPER, **ends))
    if tangent is not None:
        touch = f"tangent at {alpha} = {tangent:g}, slope \N{MINUS SIGN}{tangent:g}"
        look = {"color": MUTED, "linestyle": "--", "linewidth": 1.0, "marker": "o"}
        entries.append(entry(touch, **look))
    _name_axes(ax, per_step)
    _widen_points(ax, curves, per_step)
    ax.set_title(f"What entropy costs in return{shared_discount(curves)}")
    return add_legend(ax, own, entries, min(4, len(entries)))


def curve_names(curves: Sequence[Tradeoff], labels: Sequence[str] | None) -> list[str]:
    if not curves:
        raise ConfigError("give at least one curve, a result of maxent.tradeoff")
    for curve in curves:
        if not isinstance(curve, Tradeoff):
            raise ModelError(
                f"{quoted(curve)} is a {type(curve).__name__}, not a curve; make one with "
                "maxent.tradeoff"
            )
    if labels is None:
        names = [f"discount {discount_text(curve.mdp.discount)}" for curve in curves]
        return names if len(set(names)) == len(names) else [problem(curve.mdp) for curve in curves]
    return require_names("labels", labels, len(curves))


def shared_discount(curves: Sequence[Tradeoff]) -> str:
    """The second line of a title: world and discount, where the curves share them."""
    problems = {problem(curve.mdp) for curve in curves}
    discounts = {curve.mdp.discount for curve in curves}
    if len(problems) == 1:
        return f"\n{problems.pop()}"
    return f"\ndiscount {discount_text(discounts.pop())}" if len(discounts) == 1 else ""


def _scale(curve: Tradeoff, per_step: bool) -> float:
    return 1.0 - curve.mdp.discount if per_step else 1.0


def _points(curve: Tradeoff, per_step: bool) -> tuple[ndarray, ndarray]:
    """(2, T) entropies and returns by temperature, the ends left out, and the temperatures."""
    order = curve.order
    order = order[(curve.temperatures[order] > 0.0) & np.isfinite(curve.temperatures[order])]
    where = np.stack([curve.entropies[order], curve.returns[order]])
    return _scale(curve, per_step) * where, curve.temperatures[order]


def _front(curve: Tradeoff, per_step: bool) -> ndarray:
    """(2, T + 2): entropies and returns from temperature 0 to infinity."""
    ends = _scale(curve, per_step) * np.array([curve.entropy_range, curve.return_range])
    return np.column_stack([ends[:, 0], _points(curve, per_step)[0], ends[:, 1]])


def _smooth(curve: Tradeoff) -> ndarray:
    """(2, N): the front between its points.  Their slopes are known, -temperature, so each piece is
    the parabola that has them at both of its ends; it lies between chord and tangents, as the
    front does."""
    (x, y), inner = _front(curve, False), _points(curve, False)[1]
    slopes = np.concatenate([[0.0], inner, [np.inf]])
    share = np.linspace(0.0, 1.0, 16)
    pieces = []
    for i in range(len(slopes) - 1):
        low, high = slopes[i], slopes[i + 1]
        meets = x[i + 1]
        if np.isfinite(high) and high > low:
            meets = x[i] + (y[i + 1] - y[i] + high * (x[i + 1] - x[i])) / (high - low)
        meets = float(np.clip(meets, *sorted((x[i], x[i + 1]))))
        corner = np.array([meets, np.clip(y[i] - low * (meets - x[i]), *sorted((y[i], y[i + 1])))])
        start, end = np.array([x[i], y[i]]), np.array([x[i + 1], y[i + 1]])
        t = share[:, None]
        pieces.append((1 - t) ** 2 * start + 2 * t * (1 - t) * corner + t**2 * end)
    return np.concatenate(pieces).T


def _mark_ends(ax: Axes, front: ndarray, colour: str) -> None:
    look: dict[str, Any] = {"color": colour, "markersize": 8.0, "linestyle": "none", "zorder": 5}
    ax.plot(*front[:, :1], marker="^", gid="end 0", **look)
    ax.plot(*front[:, -1:], marker="v", markerfacecolor=PAPER, gid="end inf", **look)


def _colour_by_temperature(ax: Axes, curve: Tradeoff, per_step: bool) -> None:
    """The points coloured by temperature, a few of them annotated."""
    (x, y), temperatures = _points(curve, per_step)
    if not len(temperatures):
        return
    front = _front(curve, per_step)
    size = np.ptp(front, axis=1, keepdims=True)
    place = (front - front[:, :1]) / np.where(size > 0.0, size, 1.0)
    inside = np.hypot(*place)[1:-1] > 0.02  # colours for where the curve is seen to move
    inside &= np.hypot(*(place - place[:, -1:]))[1:-1] > 0.02
    seen = temperatures[inside] if inside.any() else temperatures
    low, high = float(seen.min()), float(seen.max())
    norm = LogNorm(low, high, clip=True) if low < high else LogNorm(low / 3.0, low * 3.0)
    colours = ScalarMappable(norm, value_colours())
    shade = colours.to_rgba(temperatures)
    ax.scatter(x, y, c=shade, s=26.0, edgecolors=INK, linewidths=0.5, zorder=4, gid="points")
    bar: dict[str, Any] = {"pad": 0.03, "fraction": 0.06, "extend": "both"}
    colour_scale(figure_of(ax), colours, [ax], TEMPERATURE, **bar)
    for index in _spread(front, len(temperatures)):
        near: Any = {"xytext": (6.0, 5.0), "textcoords": "offset points"}
        text = ax.annotate(
            f"{temperatures[index]:.2g}", (x[index], y[index]), fontsize=7.5, zorder=6, **near
        )
        text.set_path_effects([patheffects.withStroke(linewidth=2.5, foreground=PAPER)])


def _spread(front: ndarray, count: int, room: float = 0.13) -> list[int]:
    """Which inner points to annotate: those at least `room` of the figure from the one before and
    from both ends."""
    size = np.ptp(front, axis=1, keepdims=True)
    place = (front - front.min(axis=1, keepdims=True)) / np.where(size > 0.0, size, 1.0)
    chosen: list[int] = []
    taken = [place[:, 0], place[:, -1]]
    for index in range(count):
        here = place[:, index + 1]
        if all(np.hypot(*(here - other)) >= room for other in taken):
            chosen.append(index)
            taken.append(here)
    return chosen


def _draw_tangent(
    ax: Axes, curve: Tradeoff, temperature: float, per_step: bool, colour: str
) -> None:
    """The line of slope -alpha through the point of alpha, a third of the axes each way."""
    policy = curve.policy(temperature)
    scale = _scale(curve, per_step)
    prior = curve.prior
    x = scale * discounted_entropy(curve.mdp, policy, prior)
    y = scale * policy_return(curve.mdp, policy)
    front = _front(curve, per_step)
    width, height = (max(float(np.ptp(axis)), 1e-12) for axis in front)
    half = 0.35 / np.hypot(1.0 / width, temperature / height)
    along = np.array([-half, half])
    look: dict[str, Any] = {"color": MUTED, "linewidth": 1.0, "zorder": 3, "gid": "tangent"}
    ax.plot(x + along, y - temperature * along, "--", **look)
    ax.plot([x], [y], "o", color=colour, markersize=7.0, markerfacecolor="none", zorder=5)


def _cloud(curve: Tradeoff, count: int, seed: int) -> ndarray:
    """(2, count): discounted entropies and returns of random policies, from decided to uniform,
    each mixed with a policy of the front (purely random ones hardly ever arrive anywhere, so that
    they all have one return)."""
    mdp, rng = curve.mdp, np.random.default_rng(seed)
    spread = np.linspace(curve.returns.min(), curve.returns.max(), 12)
    places = {int(np.abs(curve.returns - each).argmin()) for each in spread}
    near = [curve.policy(curve.temperatures[place]) for place in sorted(places)]
    found = []
    for concentration in np.exp(rng.uniform(-4.0, 3.0, count)):
        weights = (rng.standard_gamma(concentration, mdp.reward.shape) + 1e-300) * mdp.action_mask
        share = rng.uniform() ** 2
        policy = share * weights / weights.sum(axis=1, keepdims=True)
        policy += (1.0 - share) * near[rng.integers(len(near))]
        policy /= policy.sum(axis=1, keepdims=True)
        reward, nats = policy_return(mdp, policy), discounted_entropy(mdp, policy, curve.prior)
        found.append((nats, reward))
    return np.array(found).T


def _widen_points(ax: Axes, curves: Sequence[Tradeoff], per_step: bool) -> None:
    fronts = np.concatenate([_front(curve, per_step) for curve in curves], axis=1)
    cloud = [line.get_xydata() for line in ax.lines if line.get_gid() == "random policies"]
    entropies, returns = np.concatenate([fronts.T, *cloud]).T
    widen_point(ax.set_xlim, entropies, 1.0)
    widen_point(ax.set_ylim, returns, largest_reward(curves))


def largest_reward(curves: Sequence[Tradeoff]) -> float:
    return max(float(np.abs(curve.mdp.reward).max()) for curve in curves)


def widen_point(set_limits: Callable[[float, float], Any], values: ndarray, unit: float) -> None:
    """Limits beside values that are one number but for rounding: its name on the axis, no noise.

    unit: the size, beside that of the values, that rounding is measured by."""
    size = max(unit, float(np.abs(values).max())) or 1.0
    if float(np.ptp(values)) <= ROUNDING * size:
        middle = float(values.mean())
        set_limits(middle - 0.5 * size, middle + 0.5 * size)


def _name_axes(ax: Axes, per_step: bool) -> None:
    if per_step:
        factor = " \N{MULTIPLICATION SIGN} (1 \N{MINUS SIGN} discount)"
        ax.set_xlabel(f"discounted entropy{factor} (nats per step)")
        ax.set_ylabel(f"return{factor} (reward units per step)")
    else:
        ax.set(xlabel=ENTROPY, ylabel=RETURN)
    ax.grid(color="#ececec", linewidth=0.6, zorder=0)
    ax.margins(0.06)
