"""One solver in its own process: `worker.py PROBLEM SOLVER SETTING`, then a line in, a line out.

`solve` solves once and answers with seconds of processor time and whether the values, which are
written beside the problem, are new; `stop` ends.  The first line out says what construction took.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
from scipy import sparse
from solvers import SOFT, SOLVERS, Problem


def main(path: str, name: str, setting: str) -> None:
    answer = sys.stdout
    sys.stdout = sys.stderr  # some packages print
    folder = Path(path)
    meta = json.loads((folder / "meta.json").read_text())
    rows = (
        sparse.csr_array(sparse.load_npz(folder / "rows.npz"))
        if (folder / "rows.npz").exists()
        else np.load(folder / "rows.npy")
    )
    problem = Problem(rows=rows, reward=np.load(folder / "reward.npy"), **meta)
    began = time.process_time()
    solve = (SOLVERS | SOFT)[name][1](problem, setting)
    construction = time.process_time() - began
    print(json.dumps({"construction": construction}), file=answer, flush=True)
    prepare = getattr(solve, "prepare", lambda: None)
    read = getattr(solve, "read", lambda values: values)
    target = folder / f"values-{name.replace(' ', '-')}.npy"
    for line in sys.stdin:
        if line.strip() != "solve":
            break
        prepare()
        began = time.process_time()
        found = solve()
        seconds = time.process_time() - began
        np.save(target, np.asarray(read(found), dtype=np.float64))
        print(json.dumps({"seconds": seconds, "values": str(target)}), file=answer, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
