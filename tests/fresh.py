"""Python code in a fresh process that has imported what takes long, and nothing of maxent."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import traceback
import warnings
from pathlib import Path

HEAVY = ["gymnasium", "matplotlib.figure", "numpy", "pandas", "scipy.stats", "torch"]
SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(HEAVY)


def run(code: str, folder: Path) -> str:
    """What the code says of its failure when it runs in a folder, every warning an error; "" for a
    success."""
    said = folder / ".said"
    process = SERVER.Process(target=_run, args=(code, folder, said))
    process.start()
    process.join(300)
    if process.is_alive():
        process.kill()
        return "it runs for ever"
    if process.exitcode == 0:
        return ""
    return said.read_text("utf-8") if said.exists() else f"it ended with {process.exitcode}"


def _run(code: str, folder: Path, said: Path) -> None:
    os.chdir(folder)
    os.environ["CI"] = "1"  # where Hypothesis gives a busy machine its time
    warnings.simplefilter("error")
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        try:
            exec(compile(code, "page", "exec"), {"__name__": "__main__"})
        except BaseException:
            said.write_text(traceback.format_exc(), encoding="utf-8")
            raise SystemExit(1) from None
