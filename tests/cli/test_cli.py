"""The command line: what it prints and writes, its exit codes, and what it says to wrong input."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import maxent
from maxent import reports
from maxent.cli import main
from maxent.cli.model import Model
from maxent.cli.program import COMMANDS, HELP, parser_of
from maxent.cli.tradeoff import read_temperatures

SOLVE = ["solve", "four-rooms", "--temperature", "0.01"]
LONG = ["solve", "russell-norvig-4x3", "--temperature", "0.1", "--method", "value-iteration"]
"""Value iteration at a discount of 1 - 1e-9 would take about 1e10 sweeps."""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Each test works in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def command(*arguments: str, **settings) -> subprocess.CompletedProcess[str]:
    given = {"capture_output": True, "text": True, "timeout": 60} | settings
    return subprocess.run([sys.executable, "-m", "maxent", *arguments], **given)


# what is done


def test_solve_prints_a_compact_table(capsys):
    assert main(SOLVE) == 0
    out, err = capsys.readouterr()
    solution = maxent.solve(maxent.gridworld("four-rooms"), 0.01)
    assert err == ""
    assert f"value at start   {solution.v[0]:.10g}" in out
    assert f"certified error  {solution.error_bound:.2g} at most" in out
    for word in (
        f"converged, {solution.iterations} iterations",
        "modified soft policy iteration",
        "104 states",
        "discount 0.95",
    ):
        assert word in out
    assert max(map(len, out.splitlines())) <= 80


def test_solve_writes_every_number(folder):
    assert main([*SOLVE, "--json", "all.json"]) == 0
    record = json.loads(Path("all.json").read_text())
    mdp = maxent.gridworld("four-rooms")
    solution = maxent.solve(mdp, 0.01)
    for name in ("v", "lower", "upper", "q", "policy", "residuals"):
        assert np.array_equal(np.array(record["solution"][name]), getattr(solution, name)), name
    for name in ("error_bound", "policy_bound", "iterations", "status", "method", "tolerance"):
        assert record["solution"][name] == getattr(solution, name), name
    assert record["solution"]["value_at_start"] == mdp.initial_distribution @ solution.v
    assert record["request"]["temperature"] == 0.01
    assert record["request"]["model"]["mdp"] == "four-rooms"
    assert record["mdp"]["map"] == list(mdp.grid.text)
    assert record["versions"]["maxent"] == maxent.__version__
    assert names(folder) == ["all.json"]


@pytest.mark.parametrize("ending, start", [("png", b"\x89PNG\r\n"), ("svg", b"<?xml")])
def test_solve_draws(ending, start):
    assert main([*SOLVE, "--figure", f"values.{ending}"]) == 0
    assert Path(f"values.{ending}").read_bytes().startswith(start)


def test_a_saved_mdp_can_be_solved_and_changed(capsys):
    assert main([*SOLVE, "--save-mdp", "rooms.npz"]) == 0
    capsys.readouterr()
    assert main(["solve", "rooms.npz", "--temperature", "0.01"]) == 0
    same = capsys.readouterr().out
    assert main(["solve", "rooms.npz", "--temperature", "0.01", "--discount", "0.9"]) == 0
    changed = capsys.readouterr().out
    assert "-0.08235796" in same and "discount 0.9\n" in changed


@pytest.mark.parametrize("method", ["value", "policy", "modified-policy"])
def test_methods(method, capsys):
    assert main([*SOLVE, "--method", f"{method}-iteration"]) == 0
    name = {"modified-policy": "modified soft policy"}.get(method, f"soft {method}")
    assert f"method           {name} iteration\n" in capsys.readouterr().out


def test_map_options(capsys):
    Path("own.txt").write_text("S..G\n.#.A\na...\n")
    options = {"discount": 0.9, "slip": 0.1, "moves": 8, "wind": [0, 1, 0, 0], "step_reward": -1.0}
    options |= {"rewards": {"G": 5, "A": 2}, "bump_reward": -0.5, "goals": "absorbing"}
    given = [
        "--discount=0.9", "--slip=0.1", "--moves=8", "--wind=0,1,0,0", "--step-reward=-1",
        "--rewards=G=5,A=2", "--bump-reward", "-0.5", "--goals=absorbing",
    ]  # fmt: skip
    assert main(["solve", "own.txt", "--temperature", "0.5", *given, "--json", "own.json"]) == 0
    solution = maxent.solve(maxent.gridworld(Path("own.txt"), **options), 0.5)
    written = json.loads(Path("own.json").read_text())["solution"]["v"]
    assert np.array_equal(written, solution.v)


def test_gymnasium_with_options(capsys):
    lake = ["solve", "gym:FrozenLake-v1", "--discount", "0.99", "--temperature", "0"]
    assert main(lake) == 0
    assert "0.542025932" in capsys.readouterr().out
    assert main([*lake, "--env-option", "is_slippery=false", "--env-option", "map_name=8x8"]) == 0
    assert f"{0.99**13:.10g}" in capsys.readouterr().out


def test_arrows_point_where_the_moves_lead(monkeypatch):
    monkeypatch.setattr("maxent.reports.text.printable", lambda text: text)
    for text, wanted in [("S.G", "→→G"), ("G.S", "G←←"), ("S\n.\nG", "↓\n↓\nG"), ("G\nS", "G\n↑")]:
        mdp = maxent.gridworld(text, discount=0.9)
        assert reports.policy_picture(mdp, maxent.solve(mdp, 0.0)) == wanted
    mdp = maxent.gridworld("S.\n.G", discount=0.9)
    assert reports.policy_picture(mdp, maxent.solve(mdp, 0.0)) == "┌↓\n→G"


def test_a_map_too_large_to_draw(capsys):
    assert main(["solve", "open-61x3", "--temperature", "0"]) == 0
    assert "too large to draw" in capsys.readouterr().out


def test_verify_prints_the_report(capsys):
    asked = ["verify", "two-goals", "--temperature", "0.1", "--keys", "SQL-T2,SAC-L2"]
    assert main([*asked, "--json", "report.json"]) == 0
    out = capsys.readouterr().out
    assert "SQL-T2" in out and "SAC-L2" in out and "SQL-T3" not in out
    record = json.loads(Path("report.json").read_text())
    assert record["report"]["passed"] is True
    assert {check["key"] for check in record["report"]["checks"]} == {"SQL-T2", "SAC-L2"}


def test_a_report_that_does_not_pass_exits_with_1(capsys, monkeypatch):
    def failing(mdp, temperature, **settings):
        check = maxent.Check("SQL-T2", "x", "y", "z", (), -1.0, 1e-9, {"state": 3}, "fails")
        return maxent.Report((check,))

    monkeypatch.setattr(maxent, "verify", failing, raising=False)
    assert main(["verify", "two-goals", "--temperature", "0.1", "--json", "r.json"]) == 1
    assert "fails" in capsys.readouterr().out
    assert json.loads(Path("r.json").read_text())["report"]["passed"] is False


def test_tradeoff_prints_and_writes_the_curve(capsys):
    asked = ["tradeoff", "two-goals", "--temperatures", "0,0.01,1,inf"]
    assert main([*asked, "--json", "curve.json"]) == 0
    out, err = capsys.readouterr()
    curve = maxent.tradeoff(maxent.gridworld("two-goals"), [0.0, 0.01, 1.0, np.inf])
    rows = [line.split() for line in out.splitlines()]
    for i, temperature in enumerate(["0", "0.01", "1", "inf"]):
        numbers = (curve.returns[i], curve.entropies[i], curve.objectives[i])
        assert [temperature, *(f"{x:.8g}" for x in numbers)] in [row[:4] for row in rows]
    assert err == "" and max(map(len, out.splitlines())) <= 80
    record = json.loads(Path("curve.json").read_text())
    assert record["format"] == "maxent-tradeoff-1" and record["mdp"]["name"] == "two-goals"
    assert record["tradeoff"]["entropy_range"] == list(curve.entropy_range)
    points = record["tradeoff"]["points"]
    assert [point["return"] for point in points] == curve.returns.tolist()
    assert [point["temperature"] for point in points] == [0.0, 0.01, 1.0, None]


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("0.01:10:4", [0.01, 0.1, 1.0, 10.0]),
        ("10:0.1:3", [10.0, 1.0, 0.1]),
        ("0.3:0.3:1", [0.3]),
        ("1e-300:1e15:2", [1e-300, 1e15]),
        ("0,inf, 0.5", [0.0, np.inf, 0.5]),
        ("0.7", [0.7]),
    ],
)
def test_temperatures_are_a_range_or_a_list(text, wanted):
    assert read_temperatures(text) == pytest.approx(wanted, rel=1e-12)


def test_maps_are_listed_and_drawn(capsys):
    assert main(["maps"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in maxent.MAPS)
    assert "Sutton and Barto (2018)" in listed and max(map(len, listed.splitlines())) <= 80
    assert main(["maps", "windy-gridworld"]) == 0
    drawn = capsys.readouterr().out
    assert drawn.startswith(maxent.MAPS["windy-gridworld"].text)
    assert "wind 0,0,0,1,1,1,2,2,1,0" in drawn
    assert main(["maps", "maze-5x7"]) == 0


def test_version_and_help(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"maxent {maxent.__version__}\n"
    assert main(["--help"]) == 0
    assert capsys.readouterr().out == HELP
    assert main([]) == 2
    assert capsys.readouterr().err == HELP


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_three_examples_that_parse(name, capsys):
    assert main([name, "--help"]) == 0
    out = capsys.readouterr().out
    examples = [line.split()[1:] for line in out.splitlines() if line.startswith("  maxent ")]
    assert len(examples) == 3 and all(example[0] == name for example in examples)
    for example in examples:
        parser_of(name).read(example[1:])


@pytest.mark.parametrize(
    "text", [HELP, *(parser_of(name).epilog for name in ("solve", "verify", "tradeoff"))]
)
def test_examples_run(text, capsys):
    Path("my-map.txt").write_text("S..\n.#.\n..G\n")
    for line in text.splitlines():
        if line.strip().startswith("maxent ") and "tour" not in line:
            assert main(line.split()[1:]) == 0, line


def test_help_imports_nothing_heavy():
    code = "import sys; from maxent.cli import main; main(['solve', '--help']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"matplotlib", "gymnasium", "scipy", "numba", "torch", "pandas"}


def test_a_small_solve_takes_little_more_than_numpy_and_scipy():
    """What is slow to import and not needed for it is not imported."""
    code = (
        "import sys; from maxent.cli import main; main(['solve', 'four-rooms', '--temperature', "
        "'0.1']); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "scipy.sparse.linalg" in loaded
    slow = {"jaxtyping", "tqdm", "scipy.ndimage", "asyncio", "unittest.mock", "torch", "numba"}
    assert not loaded & slow


# not converged, interrupted


def test_not_converged_exits_with_3_and_writes(capsys):
    asked = ["--method", "value-iteration", "--max-iterations", "3", "--json", "short.json"]
    assert main([*SOLVE, *asked]) == 3
    out, err = capsys.readouterr()
    assert "max iterations, 3 iterations" in out
    assert err.startswith("maxent: warning: soft value iteration did not reach the tolerance")
    assert err.count("\n") == 1
    record = json.loads(Path("short.json").read_text())["solution"]
    truth = maxent.solve(maxent.gridworld("four-rooms"), 0.01).v
    assert record["status"] == "max_iterations"
    assert (np.array(record["lower"]) <= truth).all() and (truth <= np.array(record["upper"])).all()


@pytest.mark.parametrize("sent, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_solve_writes_its_best_answer(sent, code, folder):
    run = [sys.executable, "-m", "maxent", *LONG, "--json", "part.json"]
    for patience in (2.5, 10.0, 40.0):  # on a busy machine the solve begins later
        with subprocess.Popen(run, stdout=-1, stderr=-1, text=True) as process:
            time.sleep(patience)
            assert process.poll() is None
            process.send_signal(sent)
            try:
                out, err = process.communicate(timeout=60)
            except subprocess.TimeoutExpired:  # it ignores the signal
                process.kill()
                raise
        if (folder / "part.json").exists():
            break
    assert process.returncode == code, err
    assert "interrupted" in out and "Traceback" not in err
    record = json.loads((folder / "part.json").read_text())["solution"]
    assert record["status"] == "interrupted" and record["iterations"] > 0
    truth = maxent.soft_policy_iteration(maxent.gridworld("russell-norvig-4x3"), 0.1, tolerance=1e3)
    assert (np.array(record["lower"]) <= truth.upper).all()
    assert (np.array(record["upper"]) >= truth.lower).all()


INTERRUPTED_AT = """
import builtins, os, signal, sys
signal.signal(signal.SIGINT, signal.{handler})
whole = builtins.__import__

def interrupted(name, *arguments):
    if name == {module!r}:
        builtins.__import__ = whole
        os.kill(os.getpid(), signal.SIGINT)
    return whole(name, *arguments)

from maxent import __main__
builtins.__import__ = interrupted
sys.argv = ["maxent", "solve", "two-goals", "--temperature", "0.1"]
sys.exit(__main__.run())
"""


@pytest.mark.parametrize(
    ("module", "handler", "code", "said"),
    [
        ("maxent.cli", "default_int_handler", -signal.SIGINT, ""),
        ("maxent.tabular.solvers", "default_int_handler", 130, "maxent: interrupted\n"),
        ("maxent.cli", "SIG_IGN", 0, ""),
    ],
)
def test_interrupted_while_it_starts(module, handler, code, said):
    program = INTERRUPTED_AT.format(module=module, handler=handler)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (code, said)


@pytest.mark.parametrize("sent, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_elsewhere_leaves_nothing(sent, code, monkeypatch, capsys, folder):
    monkeypatch.setattr(Model, "build", lambda self: signal.raise_signal(sent))
    before = signal.getsignal(signal.SIGTERM)
    assert main([*SOLVE, "--json", "none.json"]) == code
    assert capsys.readouterr().err == "maxent: interrupted\n"
    assert names(folder) == []
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_reader_that_goes_away_is_no_error():
    read, write = os.pipe()
    os.close(read)
    done = command("maps", stdout=write, stderr=subprocess.PIPE, capture_output=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize(
    ("arguments", "ends", "code"),
    [
        ("solve two-goals --temperature 0.1 --json all.json", ">&- 2>&-", 0),
        ("solve two-goals", ">&-", 2),
        ("solve two-goals", "2>/dev/full", 2),
    ],
)
def test_closed_and_full_standard_streams(arguments, ends, code, folder):
    line = f"{sys.executable} -m maxent {arguments} {ends}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True)
    assert done.returncode == code, done
    assert "Traceback" not in done.stderr
    assert names(folder) == (["all.json"] if code == 0 else [])


def test_without_a_display():
    environment = {**os.environ, "MPLBACKEND": "TkAgg"}
    environment.pop("DISPLAY", None)
    done = command(*SOLVE, "--figure", "values.png", env=environment)
    assert done.returncode == 0, done.stderr
    assert Path("values.png").stat().st_size > 1000


def test_output_that_cannot_show_arrows():
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = command(*SOLVE, env=environment)
    assert done.returncode == 0, done.stderr
    assert "#>>>vv#" in done.stdout


# the user's errors

WRONG = {
    "an unknown command": (["solv", "four-rooms"], "did you mean 'solve'"),
    "no MDP": (["solve", "--temperature", "1"], "MDP"),
    "no temperature": (["solve", "four-rooms"], "--temperature"),
    "an unknown option": ([*SOLVE, "--discont", "0.9"], "did you mean '--discount'"),
    "an abbreviated option": (["solve", "four-rooms", "--temp", "1"], "--temperature"),
    "an option twice": ([*SOLVE, "--temperature=1"], "given twice"),
    "an option without value": (["solve", "four-rooms", "--temperature"], "needs a value"),
    "an option for a value": ([*SOLVE, "--json", "--overwrite"], "needs a value"),
    "one argument too many": ([*SOLVE, "two-goals"], "two-goals"),
    "no number": (["solve", "four-rooms", "--temperature", "hot"], "'hot' is not a number"),
    "no whole number": ([*SOLVE, "--max-iterations", "2.5"], "is not a whole number"),
    "a negative temperature": (["solve", "four-rooms", "--temperature", "-1"], "valid range"),
    "a temperature that is no number": (["solve", "four-rooms", "--temperature", "nan"], "nan"),
    "a tiny temperature": (["solve", "four-rooms", "--temperature", "1e-310"], "1e-300"),
    "a discount above 1": ([*SOLVE, "--discount", "1.5"], "outside [0, 1]"),
    "a discount of 1, too hot": (
        ["solve", "four-rooms", "--temperature", "0.1", "--discount", "1"],
        "critical temperature, between 0.0288753657",
    ),
    "a tolerance too small": ([*SOLVE, "--tolerance", "1e-30"], "float64"),
    "no iterations": ([*SOLVE, "--max-iterations", "0"], "at least 1"),
    "an unknown method": ([*SOLVE, "--method", "policy"], "policy-iteration"),
    "an unknown map": (["solve", "four-room", "--temperature", "1"], "did you mean 'four-rooms'"),
    "a maze without rooms": (["solve", "maze-1x1", "--temperature", "1"], "smallest"),
    "a map beyond memory": (["solve", "open-99999x99999", "--temperature", "1"], "GiB"),
    "no such map file": (["solve", "no.txt", "--temperature", "1"], "no map file 'no.txt'"),
    "no such archive": (["solve", "no.npz", "--temperature", "1"], "No such file"),
    "a folder": (["solve", ".", "--temperature", "1"], "'.' is a folder"),
    "a wrong map and no temperature": (["solve", "four-room"], "did you mean 'four-rooms'"),
    "a missing file and no output": (["walk", "no.txt"], "no map file 'no.txt'"),
    "no such map to verify": (["verify", "four-room"], "did you mean 'four-rooms'"),
    "a map for a certificate": (["check", "own.txt"], "no JSON from line 1, column 1"),
    "a folder for a sweep": (["sweep", "."], "'.' is no file"),
    "an empty method": ([*SOLVE, "--method", ""], "--method '' is unknown"),
    "a negative variant": (["learn", "course", "--seed", "-1"], "at least 0"),
    "no name": (["solve", "", "--temperature", "1"], "no map or file"),
    "an environment": (["solve", "Taxi-v4", "--temperature", "1"], "environment is named gym:Taxi"),
    "a file without --out": (["walk", "four-rooms", "a.gif"], "too many; write --out a.gif, if"),
    "NUL in a name": (["solve", "a\0b", "--temperature", "1"], "no map or file"),
    "a name too long": (["solve", "a" * 300, "--temperature", "1"], "no map or file"),
    "a map without discount": (["solve", "own.txt", "--temperature", "1"], "--discount 0.95"),
    "a ragged map": (["solve", "bad.txt", "--temperature", "1", "--discount", "0.9"], "line 2"),
    "no archive": (["solve", "bad.npz", "--temperature", "1"], "not an MDP"),
    "slip above 1": ([*SOLVE, "--slip", "2"], "slip"),
    "five moves": ([*SOLVE, "--moves", "5"], "4 or 8"),
    "unknown goals": ([*SOLVE, "--goals", "absorb"], "did you mean 'absorbing'"),
    "a reward without value": ([*SOLVE, "--rewards", "G"], "NAME=VALUE"),
    "a reward twice": ([*SOLVE, "--rewards", "G=1,G=2"], "twice"),
    "a reward that is no number": ([*SOLVE, "--rewards", "G=much"], "is not valid"),
    "a reward not on the map": ([*SOLVE, "--rewards", "Q=1"], "not on the map"),
    "wind of other columns": ([*SOLVE, "--wind", "1,2"], "13 columns"),
    "an environment without discount": (
        ["solve", "gym:FrozenLake-v1", "--temperature", "1"],
        "--discount 0.99",
    ),
    "an unknown environment": (
        ["solve", "gym:FrozenLak-v1", "--temperature", "1", "--discount", "0.9"],
        "FrozenLake-v1",
    ),
    "an environment without table": (
        ["solve", "gym:CartPole-v1", "--temperature", "1", "--discount", "0.9"],
        "CartPole-v1",
    ),
    "an unknown setting": (
        ["solve", "gym:FrozenLake-v1", "--temperature=1", "--discount=.9", "--env-option", "ice=1"],
        "ice",
    ),
    "a setting without value": (
        ["solve", "gym:FrozenLake-v1", "--temperature=1", "--discount=.9", "--env-option", "ice"],
        "NAME=VALUE",
    ),
    "an option of maps for gym": (
        ["solve", "gym:FrozenLake-v1", "--temperature=1", "--discount=.9", "--slip=.1"],
        "--slip does not concern a Gymnasium environment",
    ),
    "an option of gym for a map": ([*SOLVE, "--env-option", "a=1"], "does not concern a map"),
    "another ending": ([*SOLVE, "--json", "all.txt"], ".json"),
    "a figure of another kind": ([*SOLVE, "--figure", "all.bmp"], ".svg or .pdf"),
    "a missing folder": ([*SOLVE, "--json", "no/all.json"], "does not exist"),
    "an existing output": ([*SOLVE, "--json", "old.json"], "--overwrite"),
    "a folder as output": ([*SOLVE, "--json", "folder.json", "--overwrite"], "is a folder"),
    "a device as output": ([*SOLVE, "--json", "null.json", "--overwrite"], "no ordinary file"),
    "an output with NUL": ([*SOLVE, "--json", "a\0.json"], "NUL"),
    "an output like an option": ([*SOLVE, "--json=-a.json"], "begins with '-'"),
    "an output that is an option": ([*SOLVE, "--json", "-a.json"], "--json"),
    "an output too long": ([*SOLVE, "--json", "a" * 300 + ".json"], "255 bytes"),
    "a path too long": ([*SOLVE, "--json", "a/" * 3000 + "a.json"], "4096 bytes"),
    "an unknown theorem": (
        ["verify", "two-goals", "--temperature", "1", "--keys", "SQL-T33"],
        "did you mean 'SQL-T3'",
    ),
    "a negative seed": (["verify", "two-goals", "--temperature=1", "--seed", "-1"], "seed"),
    "no temperatures": (["tradeoff", "two-goals"], "0.01:10:40"),
    "half a range": (["tradeoff", "two-goals", "--temperatures", "1:2"], "LOW:HIGH:COUNT"),
    "a range from 0": (["tradeoff", "two-goals", "--temperatures", "0:1:9"], "logarithm"),
    "a negative range": (["tradeoff", "two-goals", "--temperatures=-1:1:9"], "-1.0"),
    "a range to infinity": (["tradeoff", "two-goals", "--temperatures=1:inf:9"], "valid range"),
    "a range of nothing": (["tradeoff", "two-goals", "--temperatures", "1:2:0"], "at least 1"),
    "a range of parts": (["tradeoff", "two-goals", "--temperatures", "1:2:2.5"], "COUNT"),
    "an endless range": (["tradeoff", "two-goals", "--temperatures", "1:2:999999999999"], "10000"),
    "a list of words": (
        ["tradeoff", "two-goals", "--temperatures", "0.1,hot"],
        "'0.1,hot' is not a number",
    ),
    "an empty list": (["tradeoff", "two-goals", "--temperatures", ""], "not a number"),
    "a negative list": (["tradeoff", "two-goals", "--temperatures", "-1,2"], "-1.0"),
    "a trade-off without discount": (
        ["tradeoff", "two-goals", "--temperatures", "1", "--discount", "1"],
        "discount",
    ),
    "an unknown map to draw": (["maps", "four-room"], "did you mean 'four-rooms'"),
    "a tour into a missing folder": (["tour", "--out", "no/tour"], "does not exist"),
    "a tour into a file": (["tour", "--out", "old.json"], "no folder"),
    "a tour into a full folder": (["tour", "--out", "."], "--overwrite"),
    "a tour like an option": (["tour", "--out=-tour"], "'-'"),
    "a tour with NUL": (["tour", "--out", "a\0"], "NUL"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_is_told_in_one_message(case, capsys, folder):
    Path("own.txt").write_text("S.G")
    Path("bad.txt").write_text("S.G\n..")
    Path("bad.npz").write_bytes(b"no archive")
    Path("old.json").write_text("old")
    Path("folder.json").mkdir()
    Path("null.json").symlink_to(os.devnull)
    before = names(folder)
    arguments, words = WRONG[case]
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err and "Traceback" not in err
    assert err.startswith("maxent: error: ") and err.count("\n") == 1
    assert len(err) < 600
    assert names(folder) == before
    assert Path("old.json").read_text() == "old"
    assert Path("null.json").is_symlink()


def test_overwriting_when_asked_to():
    Path("old.json").write_text("old")
    assert main([*SOLVE, "--json", "old.json", "--overwrite"]) == 0
    assert json.loads(Path("old.json").read_text())["format"] == "maxent-solve-1"


def test_outputs_are_checked_before_the_solve(monkeypatch):
    monkeypatch.setattr(Model, "build", lambda self: pytest.fail("work was done"))
    Path("old.png").write_text("old")
    assert main([*SOLVE, "--json", "new.json", "--figure", "old.png"]) == 2
    assert not Path("new.json").exists()


def test_a_full_disk_leaves_nothing(monkeypatch, capsys, folder):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(json, "dump", full)
    assert main([*SOLVE, "--json", "new.json"]) == 2
    assert capsys.readouterr().err == "maxent: error: 'new.json': No space left on device\n"
    assert names(folder) == []


def test_warnings_are_one_line(capsys):
    Path("island.txt").write_text("S.#G")
    assert main(["solve", "island.txt", "--temperature", "0", "--discount", "0.9"]) == 0
    err = capsys.readouterr().err
    assert err.startswith("maxent: warning: ") and err.endswith("line 1, column 4\n")
    assert err.count("\n") == 1


def test_json_is_strict():
    record = {"a": np.array([1.0, np.inf]), "b": float("nan"), "c": np.float64(0.1), "d": (1, None)}
    reports.write_json(record, "strict.json", overwrite=False)
    assert json.loads(Path("strict.json").read_text()) == {
        "a": [1.0, None],
        "b": None,
        "c": 0.1,
        "d": [1, None],
    }


def test_the_module_runs():
    done = command("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"maxent {maxent.__version__}\n", "")
    done = command("solve", "four-room", "--temperature", "1")
    assert (done.returncode, done.stdout) == (2, "") and done.stderr.startswith("maxent: error: ")


def test_an_unknown_backend_is_one_line_and_no_traceback(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "maxent", *SOLVE, "--figure", "f.png"],
        env={**os.environ, "MPLBACKEND": "nonsense"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "MPLBACKEND" in done.stderr and "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_device_is_no_map(capsys):
    assert main(["solve", "/dev/zero", "--temperature", "1", "--discount", "0.9"]) == 2
    assert "no ordinary file" in capsys.readouterr().err


def test_walk_writes_a_gif(tmp_path, capsys, monkeypatch):
    import inspect

    from PIL import Image

    from maxent import plots

    monkeypatch.chdir(tmp_path)
    asked = ["walk", "two-goals", "--out", "walk.gif", "--episodes", "2", "--max-steps", "6"]
    assert main(asked) == 0
    assert "2 episodes at temperature 0.02\nwrote walk.gif\n" in capsys.readouterr().out
    with Image.open("walk.gif") as image:
        assert image.format == "GIF" and 2 <= image.n_frames <= 7
    assert main(asked) == 2 and "exists" in capsys.readouterr().err
    assert main(["walk", "two-goals"]) == 2 and "give --out" in capsys.readouterr().err
    assert main([*asked[:3], "walk.png"]) == 2 and ".gif" in capsys.readouterr().err
    defaults = inspect.signature(plots.animate_rollouts).parameters
    for name in ("episodes", "max_steps", "seed"):
        assert parser_of("walk").get_default(name) == defaults[name].default


@pytest.mark.parametrize("command", sorted(set(COMMANDS) - {"maps", "tour"}))
def test_a_command_alone_says_what_it_needs(command, capsys):
    assert main([command]) == 2
    assert re.search("error: name (a|an|one) [A-Z]+", capsys.readouterr().err)


ADAPTER = """
from maxent import testing

class Broken:
    name = "broken"

    def train(self, make_env, **settings):
        raise KeyError("final_observation")
"""


def test_check_agent_reports_and_says_what_is_no_adapter(capsys):
    Path("broken_adapter.py").write_text(ADAPTER)
    asked = ["check-agent", "broken_adapter:Broken", "--case", "values", "--out", "report.json"]
    assert main([*asked, "--steps", "100"]) == 1
    assert "1. raises KeyError" in capsys.readouterr().out
    found = json.loads(Path("report.json").read_text())
    assert (found["format"], found["passed"]) == ("maxent-check-agent-1", False)
    assert main(asked) == 2 and "exists" in capsys.readouterr().err
    assert main(["check-agent", "broken_adapter:Other"]) == 2
    assert "has no 'Other'" in capsys.readouterr().err
    assert main(["check-agent", "not_there_at_all:X"]) == 2
    assert "cannot be imported" in capsys.readouterr().err
    assert main(["check-agent", "sax"]) == 2 and "sac" in capsys.readouterr().err
