"""The page and the figure of the records: `run.py --report`."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

from environments import version_of

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "speed.md"
FIGURE = ROOT / "docs" / "images" / "exact-speed.png"
BEGIN, END = "<!-- exact speed: begin -->", "<!-- exact speed: end -->"
PEERS = ("QuantEcon", "MDPSolver", "pymdptoolbox", "jaxdp", "mdpax", "msdm", "imitation")
OURS = ("maxent", "maxent[fast]")
KINDS = ("grid", "random", "dense")

Record = dict[str, Any]


def write(folder: Path) -> None:
    """Renew the generated part of docs/speed.md, and the figure."""
    records = sorted((json.loads(each.read_text()) for each in folder.glob("*.json")), key=_order)
    page = PAGE.read_text()
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n{_told(records)}\n{END}{after}")
    draw(records)


def fastest(record: Record, package: str) -> float | None:
    """Milliseconds of a package's fastest solver that reached the true error; None if none did."""
    times = [
        each["median"]
        for name, each in record["solvers"].items()
        if name.split()[0] == package and "fails" not in each
    ]
    return min(times, default=None)


def ratio(record: Record, ours: str) -> float | None:
    """The fastest peer's time over ours: above 1 we are ahead."""
    peers = [time for package in PEERS if (time := fastest(record, package)) is not None]
    own = fastest(record, ours)
    return min(peers) / own if peers and own is not None else None


def draw(records: list[Record]) -> None:
    """Ratios, one line a row, on a logarithmic axis."""
    from maxent.plots import save
    from maxent.plots.style import new_figure

    figure = new_figure(7.0, 1.3 + 0.22 * len(records))
    ax = figure.add_subplot()
    for name, marker, colour in ((OURS[0], "o", "#0072b2"), (OURS[1], "^", "#d55e00")):
        known = [(value, i) for i, each in enumerate(records) if (value := ratio(each, name))]
        ax.plot(*zip(*known, strict=True), marker, color=colour, label=name, markersize=5)
    ax.axvline(1.0, color="0.4", linewidth=0.8)
    ax.set_xscale("log")
    for axis in (ax.xaxis.set_major_formatter, ax.xaxis.set_minor_formatter):
        axis(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "125" else "")
    ax.set_yticks(range(len(records)), [_name(record) for record in records], fontsize=6)
    ax.invert_yaxis()
    ax.grid(axis="x", linewidth=0.4, color="0.85")
    ax.set_xlabel("time of the fastest other package / ours (right of 1: ours is faster)")
    ax.legend(loc="best", fontsize=8)
    save(figure, FIGURE, overwrite=True)


def _order(record: Record) -> tuple[Any, ...]:
    kind, size, *rest = record["row"].split()
    temperature = record["temperature"]
    return record["discount"], temperature > 0.0, KINDS.index(kind), int(size), rest, -temperature


def _name(record: Record) -> str:
    found: str = record["row"]
    if record["discount"] != 0.99:
        found += f", discount {record['discount']:g}"
    if record["temperature"]:
        found += f", T = {record['temperature']:g}"
    return found


def _told(records: list[Record]) -> str:
    limits = {
        name: statistics.median(record["limits"][name] for record in records)
        for name in ("gather", "exp", "log")
    }
    shown = [package for package in PEERS if any(fastest(record, package) for record in records)]
    versions = [f"{name} {version_of(name.lower())}" for name in shown]
    own = sorted({record["maxent"] for record in records})
    lines = [
        f"Processor: {', '.join(sorted({record['processor'] for record in records}))}, one thread. "
        f"Versions: maxent {', '.join(own)}, {', '.join(versions)}. The machine's limit, taken in",
        f"the same runs: a random read {limits['gather']:.1f} ns, an exponential "
        f"{limits['exp']:.1f} ns, a logarithm {limits['log']:.1f} ns.",
        "",
        "Milliseconds of each package's fastest method; `-`: none reached the true error, or not "
        "measured.",
        "",
        "| row | " + " | ".join([*shown, *OURS]) + " | best other / maxent | / maxent[fast] |",
        "|---" * (len(shown) + len(OURS) + 3) + "|",
    ]
    for record in records:
        times = [_milliseconds(fastest(record, package)) for package in (*shown, *OURS)]
        ratios = [_times(ratio(record, ours)) for ours in OURS]
        lines.append(f"| {' | '.join([_name(record), *times, *ratios])} |")
    failures = _failures(records)
    if failures:
        lines += ["", "What did not reach the true error:", "", *failures]
    return "\n".join(lines)


def _failures(records: list[Record]) -> list[str]:
    found: dict[tuple[str, str], list[str]] = {}
    for record in records:
        for name, each in record["solvers"].items():
            if "fails" in each and "not tried" not in each["fails"]:
                why = each["fails"].split(": ")[-1]
                why = "a true error above the tolerance" if why.startswith("true error") else why
                found.setdefault((name, why), []).append(_name(record))
    return [f"- {name}: {why}. {'; '.join(where)}" for (name, why), where in sorted(found.items())]


def _milliseconds(time: float | None) -> str:
    if time is None:
        return "-"
    return f"{time:.2g}" if time < 10.0 else f"{time:,.0f}"


def _times(value: float | None) -> str:
    return "-" if value is None else f"**{value:.2f}**" if value >= 1.0 else f"{value:.2f}"
