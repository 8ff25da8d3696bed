"""What was found in each agent, as tables of docs/conformance.md, from the records in `results/`.

python benchmarks/conformance/matrix.py           # print
python benchmarks/conformance/matrix.py --write   # renew the page
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"
BEGIN, END = "<!-- conformance: begin -->", "<!-- conformance: end -->"
CASES = ("values", "truncation", "temperature", "border", "unbounded", "drift")


def verdict(record: dict[str, Any], case: str) -> str:
    """A cell: right, what is wrong, or why nothing is known."""
    found = dict.fromkeys(each["fault"] for each in record["findings"] if each["case"] == case)
    if found:
        return "; ".join(found)
    if case in record["cases"]:
        return "right"
    return "not offered" if case in record["not_checked"] else "-"


def tables(records: list[dict[str, Any]]) -> str:
    """A row an agent, then what was measured where something was wrong, and what is not offered."""
    heads = ["agent", "versions", *(f"`{case}`" for case in CASES), "CPU s"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for each in records:
        versions = ", ".join(f"{name} {version}" for name, version in each["versions"].items())
        cells = [each["agent"], versions, *(verdict(each, case) for case in CASES)]
        lines.append("| " + " | ".join([*cells, f"{each['seconds']:.0f}"]) + " |")
    lines.append("")
    for each in records:
        told = [f"`{one['case']}`: {one['fault']}: {one['detail']}" for one in each["findings"]]
        told += [f"`{name}` not offered: {why}" for name, why in each["not_checked"].items()]
        lines += [f"- {each['agent']}, {words}" for words in told]
    return "\n".join(lines)


def main() -> None:
    """Print, or write."""
    found = tables([json.loads(path.read_text()) for path in sorted(RESULTS.glob("*.json"))])
    if "--write" not in sys.argv:
        print(found)
        return
    before, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n\n{found}\n\n{END}{rest.partition(END)[2]}")


if __name__ == "__main__":
    main()
