"""The commands about agents: what they say and write, signals and kills, and wrong input."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import MISSING, fields
from inspect import Parameter, signature
from pathlib import Path

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.envs.classic_control import PendulumEnv

import maxent
from maxent.cli import main
from maxent.cli.program import parser_of
from maxent.neural.algorithms import ALGORITHMS, sac
from maxent.neural.runs import Run
from maxent.neural.runs.checkpoints import load, steps_in
from maxent.neural.runs.record import read_record
from maxent.neural.training.averages import CLOCK
from maxent.neural.training.plan import Plan
from maxent.statistics import interquartile_mean, probability_of_improvement

SMALL = ["--set", "hidden=16", "--set", "batch_size=16", "--set", "learning_starts=40"]
STEPS = 120
EVALUATED = ["--evaluate-every", "60", "--evaluation-episodes", "1"]
KEPT = ["--checkpoint-every", "50"]
PLAIN = ["train", "sac", "--env", "Pendulum-v1", "--steps", str(STEPS), "--seed", "3"]
PLAIN += ["--log-every", "30", *SMALL]
TRAIN = [*PLAIN, *EVALUATED, *KEPT]


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """The same sums in this process and in those that it starts."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Each test works in an empty folder, and the disk is not waited for."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    return tmp_path


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run of `TRAIN` that nothing interrupted."""
    run = tmp_path_factory.mktemp("whole") / "run"
    assert main([*TRAIN, "--run", str(run)]) == 0
    return run


@pytest.fixture
def copy(whole):
    """A copy of it, to be changed."""
    shutil.copytree(whole, "run")
    return Path("run")


def names(place: Path | str = ".") -> list[str]:
    return sorted(str(path) for path in Path(place).rglob("*"))


def kept(run: Path | str, step: int = STEPS) -> dict[str, bytes]:
    """The files of a checkpoint, all but the manifest, which names the replay's segments."""
    folder = Path(run, "checkpoints", f"step-{step:06d}")
    return {name: (folder / name).read_bytes() for name in ("tensors.safetensors", "values.json")}


def same_training(run: Path | str, whole: Path) -> None:
    """Bit for bit: all tensors, the way back into the episodes, the replay buffer."""
    assert kept(run) == kept(whole)
    rows, wanted = load(Path(run)).rows, load(whole).rows
    assert rows.inserted == wanted.inserted == STEPS
    for name, array in wanted.arrays.items():
        assert rows.arrays[name].tobytes() == array.tobytes(), name


def start(*arguments: str, **settings) -> subprocess.Popen[str]:
    """`maxent ...` in a process of its own."""
    paths = os.pathsep.join([str(Path.cwd()), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": paths}
    environment.pop("PYTHONUNBUFFERED", None)  # what is said at once is flushed by the program
    return subprocess.Popen(
        [sys.executable, "-m", "maxent", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        **settings,
    )


def read_until(process: subprocess.Popen[str], words: str) -> str:
    """What was said up to a line with these words."""
    said = ""
    for line in process.stdout:
        said += line
        if words in line:
            return said
    pytest.fail(f"{words!r} was never said: {process.stderr.read()}")


# train


def test_train_says_what_it_logs_and_saves(whole, capsys):
    assert main([*TRAIN, "--run", "run"]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert [line for line in lines if line.startswith("saved")] == [
        "saved step-000050",
        "saved step-000100",
        "saved step-000120",
    ]
    logged = [int(line.split()[1]) for line in lines if line.startswith("step")]
    assert logged == [30, 60, 90, 120]
    assert "evaluation -" in lines[2] and "temperature" in lines[2]
    assert lines[-1] == "evaluate it: maxent evaluate run"
    assert err == ""
    same_training("run", whole)


def test_train_is_maxent_train(whole):
    maxent.train(
        "sac",
        "Pendulum-v1",
        steps=STEPS,
        seed=3,
        run="run",
        log_every=30,
        evaluate_every=60,
        evaluation_episodes=1,
        checkpoint_every=50,
        hidden=(16,),
        batch_size=16,
        learning_starts=40,
    )
    same_training("run", whole)
    config = json.loads(Path("run/config.json").read_text())["config"]
    assert config == json.loads((whole / "config.json").read_text())["config"]


def test_train_the_plan_and_the_command_have_the_same_defaults():
    function = {name: each.default for name, each in signature(maxent.train).parameters.items()}
    plan = {each.name: each.default for each in fields(Plan)}
    command = vars(parser_of("train").read(["--list"]))  # with which nothing else is needed

    assert plan.pop("env_settings") is MISSING  # an empty dictionary, made anew for each plan
    needed = {name: function.pop(name) for name in ("algorithm", "env", "steps")}
    assert set(needed.values()) == {Parameter.empty}
    assert {plan.pop(name) for name in needed} == {MISSING}
    assert {command.pop(name) for name in needed} == {None}

    assert plan.pop("compile") is False and function["compile"] == "auto"  # old runs say nothing
    assert plan == {name: function[name] for name in plan}
    assert function.keys() - plan.keys() == {
        *("run", "overwrite", "env_settings", "compile"),
        *("progress", "announce", "report", "settings"),
    }
    for name in (
        "env_option",
        "set",
        "copies",
        "seeds",
        "jobs",
        "cluster",
    ):  # the command's own: not given
        assert not command.pop(name)
    assert command.pop("list")
    assert command.pop("checkpoint_every") is None  # 10,000 with --run, as --help says
    assert command == {name: function[name] for name in command}
    assert function.keys() - command.keys() == {
        *("checkpoint_every", "env_settings", "start"),
        *("progress", "announce", "report", "settings"),
    }


def test_the_old_name_of_num_envs_warns_and_does_the_same(capsys):
    command = ["train", "sac", "--env", "maxent/LQR-v0", "--steps", str(STEPS), *SMALL]
    assert main([*command, "--num-envs", "2", "--run", "new"]) == 0
    assert "--copies" not in capsys.readouterr().err
    assert main([*command, "--copies", "2", "--run", "old"]) == 0
    warning = "--copies is --num-envs now; the old name goes with version 0.3.0"
    assert warning in capsys.readouterr().err
    settings = {"hidden": (16,), "batch_size": 16, "learning_starts": 40}
    with pytest.warns(DeprecationWarning, match="copies= is num_envs= now"):
        maxent.train(
            "sac",
            "maxent/LQR-v0",
            steps=STEPS,
            run="called",
            checkpoint_every=10_000,
            copies=2,
            **settings,
        )
    for run in ("old", "called"):
        same_training(run, Path("new"))
        assert read_record(Path(run))["config"] == read_record(Path("new"))["config"]
    assert read_record(Path("new"))["config"]["num_envs"] == 2


def test_train_without_a_run_evaluates_and_writes_nothing(capsys):
    assert main(["train", "sql", "--env", "CartPole-v1", "--steps", "60", *SMALL]) == 0
    out = capsys.readouterr().out
    assert "trained: Agent(sql_discrete, CartPole-v1, 60 steps" in out
    assert "return           " in out and "saved" not in out
    assert names() == []


def test_environments_of_the_package_and_of_modules(folder, monkeypatch, capsys):
    assert main(["train", "sac", "--env", "maxent/Multigoal-v0", "--steps", "50", *SMALL]) == 0
    Path("my_module.py").write_text(
        "import gymnasium\n"
        "from gymnasium.envs.classic_control import PendulumEnv\n"
        "gymnasium.register('Mine-v0', entry_point=PendulumEnv, max_episode_steps=10)\n"
    )
    monkeypatch.syspath_prepend(folder)
    assert main(["train", "sac", "--env", "my_module:Mine-v0", "--steps", "50", *SMALL]) == 0
    assert "my_module:Mine-v0" in capsys.readouterr().out


def test_overwrite_replaces_a_run_and_nothing_else(copy, capsys):
    before = kept(copy)
    assert main([*TRAIN, "--run", "run"]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert kept(copy) == before
    assert main([*TRAIN, "--run", "run", "--overwrite", "--set", "temperature=0.5"]) == 0
    assert steps_in(copy) == [100, 120] and kept(copy) != before
    Path("other").mkdir()
    Path("other/letter.txt").write_text("dear")
    assert main([*TRAIN, "--run", "other", "--overwrite"]) == 2
    assert "no training run" in capsys.readouterr().err
    assert names("other") == ["other/letter.txt"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_list_names_every_setting_with_its_default(algorithm, capsys):
    assert main(["train", algorithm, "--list"]) == 0
    out = capsys.readouterr().out
    explained, _, defaults = out.partition("Defaults")
    for field in fields(ALGORITHMS[algorithm].Config):
        assert f" {field.name} " in defaults
    if algorithm != "sac_discrete":  # whose are those of sac
        for field in fields(ALGORITHMS[algorithm].Config):
            assert field.name in explained, field.name
    unused = ALGORITHMS[algorithm].Config().unused
    lines = [line for line in defaults.splitlines()[1:] if "(used only " not in line]
    assert len(lines) == len(fields(ALGORITHMS[algorithm].Config)) - len(unused)
    written = [line.replace(" ", "") for line in lines]
    given = [word for pair in written if "=None" not in pair for word in ("--set", pair)]
    arguments = ["--env", "Pendulum-v1", "--steps", "1", *given]
    if not algorithm.endswith("_discrete"):
        assert main(["train", algorithm, *arguments]) == 0


def test_list_of_all_algorithms(capsys):
    assert main(["train", "--list"]) == 0
    out = capsys.readouterr().out
    assert [line.split()[0] for line in out.splitlines()] == list(ALGORITHMS)


def test_no_setting_is_called_as_an_argument_of_train():
    """--set steps=5 is told to be unknown, and never reaches `maxent.train` as its own."""
    taken = set(signature(maxent.train).parameters)
    for module in ALGORITHMS.values():
        assert not taken & {field.name for field in fields(module.Config)}


# signals and kills


def interrupting(sent: int, moment: str, monkeypatch) -> int:
    """Arrange for a signal at a moment of the training; the step after which it stops."""
    if moment == "update":
        update, calls = sac.update, []

        def interrupted(*arguments):
            calls.append(None)
            if len(calls) == 23:
                signal.raise_signal(sent)
            return update(*arguments)

        monkeypatch.setattr(sac, "update", interrupted)
        return 40 + 23 - 1
    step, calls = PendulumEnv.step, []
    wanted = {"warm-up": 7, "evaluation": 60 + 11}[moment]

    def interrupted(*arguments):
        calls.append(None)
        if len(calls) == wanted:
            signal.raise_signal(sent)
        return step(*arguments)

    monkeypatch.setattr(PendulumEnv, "step", interrupted)
    return {"warm-up": 7, "evaluation": 60}[moment]


@pytest.mark.parametrize("moment", ["warm-up", "update", "evaluation"])
@pytest.mark.parametrize("sent, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_at_any_moment_leaves_a_checkpoint(sent, code, moment, whole, monkeypatch, capsys):
    with monkeypatch.context() as patched:
        step = interrupting(sent, moment, patched)
        assert main([*TRAIN, "--run", "run"]) == code
    out, err = capsys.readouterr()
    assert f"saved step-{step:06d}" in out.splitlines()[-1]
    assert err == f"maxent: stopped after step {step}; go on with: maxent resume run\n"
    assert maxent.load_agent("run").steps == step
    assert main(["resume", "run"]) == 0
    same_training("run", whole)


def test_a_signal_without_a_run(monkeypatch, capsys):
    interrupting(signal.SIGTERM, "warm-up", monkeypatch)
    assert main([*PLAIN, *EVALUATED]) == 143
    assert capsys.readouterr().err == "maxent: stopped after step 7\n"
    assert names() == []


@pytest.mark.parametrize("sent, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_before_the_training_begins_leaves_nothing(sent, code, monkeypatch, capsys):
    monkeypatch.setattr(PendulumEnv, "__init__", lambda *_: signal.raise_signal(sent))
    assert main([*TRAIN, "--run", "run"]) == code
    assert capsys.readouterr().err == "maxent: interrupted\n"
    assert names() == []


def test_a_signal_while_resuming(whole, monkeypatch, capsys):
    with monkeypatch.context() as patched:
        interrupting(signal.SIGINT, "warm-up", patched)
        assert main([*TRAIN, "--run", "run"]) == 130
    with monkeypatch.context() as patched:
        interrupting(signal.SIGTERM, "update", patched)
        assert main(["resume", "run"]) == 143
    assert maxent.load_agent("run").steps == 62
    assert main(["resume", "run"]) == 0
    same_training("run", whole)


SLOW_ENVIRONMENT = """
import time, gymnasium
from gymnasium.envs.classic_control import PendulumEnv

class Slow(PendulumEnv):
    def step(self, action):
        print("stepping", flush=True)
        time.sleep({seconds})
        return super().step(action)

gymnasium.register("Slow-v0", entry_point=Slow, max_episode_steps=200)
"""


def test_a_second_signal_exits_at_once():
    """The first one waits for a step that takes a minute."""
    Path("slow.py").write_text(SLOW_ENVIRONMENT.format(seconds=60))
    with start("train", "sac", "--env", "slow:Slow-v0", "--steps", "9", "--run", "run") as process:
        read_until(process, "stepping")
        process.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=1.0)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20.0) == 143
        assert "Traceback" not in process.stderr.read()
    assert main(["evaluate", "run"]) == 2  # there is no checkpoint, and this is told


STUCK_ENVIRONMENT = """
import time, gymnasium
from pathlib import Path
from gymnasium.envs.classic_control import PendulumEnv

class Stuck(PendulumEnv):
    taken = 0

    def step(self, action):
        self.taken += 1
        if self.taken == 51 and Path("wait").exists():
            time.sleep(30)
        return super().step(action)

gymnasium.register("Stuck-v0", entry_point=Stuck, max_episode_steps=200)
"""


def test_kill_9_then_resume(whole, folder, monkeypatch):
    """What is saved is told at once, and going on gives the uninterrupted run, bit for bit."""
    Path("stuck.py").write_text(STUCK_ENVIRONMENT)
    Path("wait").touch()
    asked = [word.replace("Pendulum-v1", "stuck:Stuck-v0") for word in TRAIN]
    with start(*asked, "--run", "run") as process:
        read_until(process, "saved step-000050")
        process.kill()
        assert process.wait(timeout=20.0) == -signal.SIGKILL
    assert steps_in(Path("run")) == [50]
    Path("wait").unlink()
    monkeypatch.syspath_prepend(folder)
    assert main(["resume", "run", "--trust"]) == 0
    same_training("run", whole)


@pytest.mark.slow
@pytest.mark.parametrize(
    "sent, code, moment",
    [
        (signal.SIGINT, 130, "step 30"),
        (signal.SIGTERM, 143, "saved step-000050"),
        (signal.SIGINT, 130, "step 60"),
    ],
)
def test_a_signal_from_outside(sent, code, moment, whole, capsys):
    """As the shell sends it, while the environment takes its time."""
    Path("slow.py").write_text(SLOW_ENVIRONMENT.format(seconds=0.01))
    asked = [word.replace("Pendulum-v1", "slow:Slow-v0") for word in TRAIN]
    with start(*asked, "--run", "run") as process:
        said = read_until(process, moment)
        process.send_signal(sent)
        out, err = process.communicate(timeout=120)
    assert process.returncode == code, err
    step = load(Path("run")).step
    assert f"saved step-{step:06d}" in said + out and step < STEPS
    assert err == f"maxent: stopped after step {step}; go on with: maxent resume run --trust\n"
    with start("resume", "run", "--trust") as process:
        process.communicate(timeout=120)
    assert process.returncode == 0
    assert kept("run")["tensors.safetensors"] == kept(whole)["tensors.safetensors"]


@pytest.mark.slow
def test_killed_again_and_again(whole):
    """A training that is killed at each checkpoint comes to the same end."""
    asked = [*TRAIN, "--run", "run"]
    for saved in ("step-000050", "step-000100"):
        with start(*asked) as process:
            read_until(process, f"saved {saved}")
            process.kill()
            process.wait(timeout=20.0)
        asked = ["resume", "run"]
    assert main(asked) == 0
    same_training("run", whole)


# resume


@pytest.mark.parametrize("ends", [(60, 120), (30, 90, 120)])
def test_a_chain_of_resumes_is_one_run(ends, whole, capsys):
    asked = [word if word != str(STEPS) else str(ends[0]) for word in TRAIN]
    assert main([*asked, "--run", "run"]) == 0
    for end in ends[1:]:
        assert main(["resume", "run", "--steps", str(end)]) == 0
    same_training("run", whole)
    assert rows_of(Path("run")) == rows_of(whole)


def rows_of(run: Path) -> list[dict]:
    """What was logged, but for the seconds, and for the evaluation at the end of each part."""
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    for row in rows:
        assert all(row.pop(name) >= 0.0 for name in CLOCK)
        if row["step"] in (30, 90):
            row.pop("evaluation_return", None), row.pop("evaluation_length", None)
    return rows


def test_nothing_to_resume(copy, capsys):
    before = kept(copy)
    assert main(["resume", "run"]) == 0
    assert "nothing to do: 120 steps are done already" in capsys.readouterr().out
    assert kept(copy) == before


def test_a_run_that_was_cut_before_its_first_checkpoint(whole, monkeypatch, capsys):
    with monkeypatch.context() as patched:
        patched.setattr(sac, "update", lambda *_: os.abort.unknown)  # any bug of a program
        with pytest.raises(AttributeError):
            main([*TRAIN, "--run", "run"])
    assert main(["resume", "run"]) == 0
    same_training("run", whole)


def test_two_processes_on_one_run(copy, capsys):
    before = kept(copy)
    with Run.open(copy):
        for asked in (["resume", "run", "--steps", "200"], [*TRAIN, "--run", "run", "--overwrite"]):
            assert main(asked) == 2
            err = capsys.readouterr().err
            assert f"in use by process {os.getpid()}" in err and err.count("\n") == 1
        assert main(["evaluate", "run", "--episodes", "1"]) == 0  # looking on is allowed
    assert kept(copy) == before


def test_a_diverged_training_exits_with_3(monkeypatch, capsys):
    """The checkpoints before are whole, and none has a number that is not finite."""
    step, calls = PendulumEnv.step, []

    def broken(*arguments):
        calls.append(None)
        observation, reward, *rest = step(*arguments)
        return observation, float("nan") if len(calls) == 70 else reward, *rest

    monkeypatch.setattr(PendulumEnv, "step", broken)
    assert main([*PLAIN, *KEPT, "--run", "run"]) == 3
    err = capsys.readouterr().err
    assert err.startswith("maxent: error: step ") and "reward" in err and err.count("\n") == 1
    assert steps_in(Path("run")) == [50]
    assert all(torch.isfinite(x.float()).all() for x in load(Path("run")).tensors.values())


# evaluate


def test_evaluate_is_agent_evaluate(copy, capsys):
    asked = ["evaluate", "run", "--episodes", "3", "--seed", "5"]
    assert main([*asked, "--out", "told.json"]) == 0
    out = capsys.readouterr().out
    record = json.loads(Path("told.json").read_text())
    told = maxent.load_agent("run").evaluate(episodes=3, seed=5)
    assert record["returns"] == told.returns.tolist()
    assert record["lengths"] == [200, 200, 200] and record["steps"] == STEPS
    assert f"{told.returns.mean():.6g} on average" in out and "wrote told.json" in out
    assert f"{interquartile_mean(told.returns):.6g} on average (interquartile mean)" in out
    assert main([*asked, "--out", "told.json"]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main([*asked, "--out", "told.json", "--overwrite", "--stochastic"]) == 0
    assert json.loads(Path("told.json").read_text())["returns"] != told.returns.tolist()


def test_evaluate_a_checkpoint_by_its_step(copy, capsys):
    assert main(["evaluate", "run", "--step", "100", "--episodes", "1"]) == 0
    assert "100 steps" in capsys.readouterr().out
    assert main(["evaluate", "run", "--step", "50"]) == 2  # pruned by then
    assert "there are 100, 120" in capsys.readouterr().err


def test_a_damaged_checkpoint_is_told_with_the_next_good_one(copy, capsys):
    tensors = copy / "checkpoints/step-000120/tensors.safetensors"
    damaged = bytearray(tensors.read_bytes())
    damaged[-1] ^= 1
    tensors.write_bytes(damaged)
    for asked in (["evaluate", "run"], ["resume", "run", "--steps", "200"], ["diagnose", "run"]):
        assert main(asked) == 2
        err = capsys.readouterr().err
        assert "step-000120 is damaged" in err and "newest good one is step 100" in err


# compare


def pretend(name: str, values: list[float], config: dict, metric: str = "return") -> None:
    """A run that logged these values, 10 steps apart."""
    given = {"algorithm": "sac", "env": "Pendulum-v1", "seed": 0, "num_envs": 1}
    given["steps"] = 10 * len(values)
    settings = {"settings": {"temperature": 0.1, "hidden": [16]} | config.pop("settings", {})}
    with Run.create(name, given | settings | config) as run:
        for i, value in enumerate(values):
            run.log({"step": 10 * (i + 1), "seconds": 1.0, metric: value})


def test_five_runs_a_side_have_an_interval(capsys):
    scores = np.random.default_rng(0).normal(size=(10, 2)).round(3)
    for seed in range(5):
        pretend(f"sac-{seed}", scores[seed].tolist(), {"seed": seed})
        pretend(f"sql-{seed}", scores[5 + seed].tolist(), {"seed": seed, "algorithm": "sql"})
    runs = [f"{name}-{seed}" for name in ("sac", "sql") for seed in range(5)]
    assert main(["compare", *runs]) == 0
    assert re.search(r"P\(sac > sql\) = \S+, 95 % interval \S+ to ", capsys.readouterr().out)


def test_compare_groups_runs_and_says_who_is_ahead(capsys):
    scores = np.random.default_rng(0).normal(size=(7, 3)).round(3)
    for seed in range(4):
        pretend(f"sac-{seed}", scores[seed].tolist(), {"seed": seed})
    for seed in range(3):
        pretend(f"sql-{seed}", scores[4 + seed].tolist(), {"seed": seed, "algorithm": "sql"})
    pretend("lake", [1.0], {"env": "FrozenLake-v1"})
    runs = [f"sac-{seed}" for seed in range(4)] + [f"sql-{seed}" for seed in range(3)] + ["lake"]
    assert main(["compare", *runs, "--out", "all.json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    ahead = probability_of_improvement(scores[:4, 2], scores[4:, 2])
    told = re.search(r"P\(sac > sql\) = (\S+) \((\S+) to (\S+) over resamples: too few runs", out)
    assert told[1] == f"{ahead:.3g}" and float(told[2]) <= ahead <= float(told[3])
    assert "P(sac > sql) = " in out and "at step 30" in out and "95 % interval 0" not in out
    assert "FrozenLake-v1: return of training episodes" in out and "one run" in out
    groups = json.loads(Path("all.json").read_text())["groups"]
    assert [group["name"] for group in groups] == ["sac", "sql", "sac"]
    assert groups[0]["seeds"] == [0, 1, 2, 3] and groups[0]["steps"] == [10, 20, 30]
    for k in range(3):
        mean = interquartile_mean(scores[:4, k])
        assert groups[0]["interquartile_mean"][k] == pytest.approx(mean)
        assert groups[0]["low"][k] <= mean <= groups[0]["high"][k]
    assert groups[2]["low"] == [None]
    assert f"{interquartile_mean(scores[:4, 2]):.5g}" in out


def test_compare_pools_a_run_of_version_0_1_with_one_of_the_same_settings(capsys):
    old = Path(__file__).parents[1] / "old_files" / "0.1.0" / "sac"
    assert '"copies": 2' in (old / "config.json").read_text()
    config = read_record(old)["config"]
    for name, num_envs in (("same", 2), ("other", 1)):
        maxent.train(
            *("sac", config["env"]),
            steps=60,
            seed=2,
            num_envs=num_envs,
            evaluate_every=30,
            run=name,
            **config["settings"],
        )
    assert main(["compare", str(old), "same", "--out", "pooled.json"]) == 0
    (group,) = json.loads(Path("pooled.json").read_text())["groups"]
    assert group["runs"] == [str(old), "same"] and group["settings"]["num_envs"] == 2
    assert main(["compare", str(old), "other", "--out", "apart.json"]) == 0
    apart = json.loads(Path("apart.json").read_text())["groups"]
    assert [each["name"] for each in apart] == ["sac, num_envs 2", "sac, num_envs 1"]


def test_compare_keeps_other_settings_apart(capsys):
    for seed in range(2):
        pretend(f"cold-{seed}", [1.0, 2.0], {"seed": seed})
        pretend(f"hot-{seed}", [0.0, 1.0], {"seed": seed, "settings": {"temperature": 10.0}})
    assert main(["compare", "cold-0", "cold-1", "hot-0", "hot-1"]) == 0
    out = capsys.readouterr().out
    assert "sac, temperature 0.1 " in out and "sac, temperature 10 " in out
    assert "hidden" not in out


def test_compare_takes_another_environment_for_another_task(capsys):
    for seed in range(2):
        pretend(f"long-{seed}", [1.0, 2.0], {"seed": seed})
        short = {"seed": seed, "env_settings": {"max_episode_steps": 50}}
        pretend(f"short-{seed}", [0.0, 1.0], short)
    assert main(["compare", "long-0", "long-1", "short-0", "short-1"]) == 0
    out = capsys.readouterr().out
    assert 'Pendulum-v1 with {"max_episode_steps": 50}: ' in out
    pretend("short-2", [0.0, 1.0], {"seed": 2, "env_settings": {"max_episode_steps": 50.0}})
    assert main(["compare", "short-0", "short-2", "--out", "all.json"]) == 0
    assert len(json.loads(Path("all.json").read_text())["groups"]) == 1
    assert "P(" not in out and "env_settings" not in out


def test_compare_keeps_runs_begun_with_an_agent_apart(capsys):
    pretend("fresh", [1.0, 2.0], {"seed": 1})
    pretend("warm", [1.0, 2.0], {"seed": 2, "start": "Pendulum-v1, 20 steps, settings 1a2b3c4d"})
    assert main(["compare", "fresh", "warm"]) == 0
    out = capsys.readouterr().out
    assert "sac, begun with (Pendulum-v1, 20 steps" in out and "sac, begun fresh" in out


def test_compare_takes_a_default_left_out_and_given_as_one(capsys):
    pretend("a", [1.0, 2.0], {"seed": 0})
    pretend("b", [1.0, 2.0], {"seed": 1, "settings": {"updates_per_step": 1, "batch_size": 256}})
    assert main(["compare", "a", "b", "--out", "all.json"]) == 0
    assert [group["seeds"] for group in json.loads(Path("all.json").read_text())["groups"]] == [
        [0, 1]
    ]
    assert capsys.readouterr().err == ""


def test_compare_prefers_evaluations_where_all_have_them(copy, capsys):
    pretend("a", [1.0, 2.0], {"seed": 1}, "evaluation_return")
    pretend("b", [1.0, 2.0], {"seed": 2}, "return")
    assert main(["compare", "a"]) == 0
    assert "deterministic policy" in capsys.readouterr().out
    assert main(["compare", "a", "b"]) == 2
    assert "'a' has logged no episode yet" in capsys.readouterr().err
    assert main(["compare", "run", "--metric", "entropy"]) == 0
    assert "Pendulum-v1: entropy" in capsys.readouterr().out
    assert main(["compare", "run", "--metric", "entrop"]) == 2
    assert "did you mean 'entropy'" in capsys.readouterr().err


def test_compare_names_each_run_once(capsys):
    pretend("a", [1.0, 2.0], {})
    assert main(["compare", "a", "./a"]) == 2
    assert "run 'a' is named twice" in capsys.readouterr().err


def test_compare_warns_of_one_seed_twice(capsys):
    pretend("a", [1.0, 2.0], {"seed": 1})
    pretend("b", [1.0, 2.0], {"seed": 1})
    assert main(["compare", "a", "b"]) == 0
    assert "same settings and seed 1" in capsys.readouterr().err


@pytest.mark.parametrize(
    "ending, begin", [("png", b"\x89PNG"), ("svg", b"<?xml"), ("html", b"<!D")]
)
def test_compare_draws(ending, begin, capsys):
    pretend("a", [1.0, 2.0], {"seed": 1})
    pretend("b", [1.5, 1.0], {"seed": 2})
    pretend("c", [0.5, 1.0], {"seed": 1, "algorithm": "<sql>", "env": "My $x$ & y"})
    assert main(["compare", "a", "b", "c", "--out", f"curves.{ending}"]) == 0
    written = Path(f"curves.{ending}").read_bytes()
    assert written.startswith(begin)
    if ending == "html":
        assert b"data:image/svg+xml;base64," in written and b"My $x$ &amp; y" in written
        for outside in (b'src="http', b'href="http', b"url(", b"@import", b"<script", b"<sql>"):
            assert outside not in written
    assert main(["compare", "a", "--out", f"curves.{ending}"]) == 2
    assert Path(f"curves.{ending}").read_bytes() == written


# diagnose


def test_diagnose_from_episodes_and_against_an_mdp(copy, capsys):
    assert main(["diagnose", "run", "--episodes", "1", "--out", "found.json"]) == 0
    out = capsys.readouterr().out
    assert "estimated from 1 episode" in out and "SQL-T2" in out
    found = json.loads(Path("found.json").read_text())
    assert {finding["key"] for finding in found["diagnosis"]["findings"]} >= {"SQL-T2", "SAC-L1"}
    asked = ["train", "sac", "--env", "FrozenLake-v1", "--steps", "60", "--run", "lake", *SMALL]
    assert main(asked) == 0
    capsys.readouterr()
    assert main(["diagnose", "lake", "gym:FrozenLake-v1"]) == 0
    told = capsys.readouterr().out
    assert "discount 0.99" in told and "exact" in told and "SUBOPT" in told
    assert main(["diagnose", "lake", "gym:FrozenLake-v1", "--discount", "0.9"]) == 2
    assert "trained with 0.99" in capsys.readouterr().err
    assert main(["diagnose", "run", "gym:FrozenLake-v1"]) == 2
    assert "trained on something else" in capsys.readouterr().err


# the user's errors

PENDULUM = ["train", "sac", "--env", "Pendulum-v1", "--steps", "9"]
WRONG = {
    "no algorithm": (["train"], "name an ALGORITHM"),
    "no environment": (["train", "sac", "--steps", "9"], "--env"),
    "no steps": (["train", "sac", "--env", "Pendulum-v1"], "--steps"),
    "an unknown algorithm": (["train", "sca", "--env", "Pendulum-v1", "--steps", "9"], "'sac'"),
    "an unknown algorithm to list": (["train", "sca", "--list"], "did you mean 'sac'"),
    "an unknown environment": (["train", "sac", "--env", "Pendulm-v1", "--steps", "9"], "Pendulum"),
    "a module that is not there": (
        ["train", "sac", "--env", "no_module:Mine-v0", "--steps", "9"],
        "no_module",
    ),
    "an environment with arguments": (
        ["train", "sac", "--env", "maxent/Gridworld-v0", "--steps", "9"],
        "map",
    ),
    "continuous actions for a discrete algorithm": (
        ["train", "sac_discrete", "--env", "Pendulum-v1", "--steps", "9"],
        "use sac",
    ),
    "discrete actions for a continuous algorithm": (
        ["train", "sac_v1", "--env", "CartPole-v1", "--steps", "9"],
        "sac_discrete",
    ),
    "an unknown algorithm and no steps": (["train", "sax"], "did you mean 'sac'"),
    "a run at a broken link": ([*PENDULUM, "--run", "broken"], "leads nowhere"),
    "a text as an agent": (["evaluate", "text.txt"], "does not begin as one"),
    "no such option": ([*PENDULUM, "--sed", "1"], "did you mean '--seed'"),
    "an unknown setting": ([*PENDULUM, "--set", "batchsize=9"], "did you mean 'batch_size'"),
    "an argument as a setting": ([*PENDULUM, "--set", "steps=9"], "no setting 'steps'"),
    "a setting of another algorithm": ([*PENDULUM, "--set", "particles=9"], "'particles'"),
    "both names of one setting": ([*PENDULUM, "--copies", "2", "--num-envs", "4"], "alone"),
    "a setting twice": ([*PENDULUM, "--set", "discount=0.9", "--set", "discount=0.8"], "twice"),
    "a setting without value": ([*PENDULUM, "--set", "discount"], "NAME=VALUE"),
    "a discount of 1": ([*PENDULUM, "--set", "discount=1"], "below 1"),
    "a temperature of 0": ([*PENDULUM, "--set", "temperature=0"], "greater than 0"),
    "a temperature that is a word": ([*PENDULUM, "--set", "temperature=hot"], "'hot'"),
    "hidden layers of nothing": ([*PENDULUM, "--set", "hidden=0"], "hidden"),
    "half a batch": ([*PENDULUM, "--set", "batch_size=0.5"], "batch_size"),
    "a replay beyond memory": ([*PENDULUM, "--set", "replay_capacity=10**15"], "replay_capacity"),
    "a replay beyond memory in digits": (
        [*PENDULUM, "--set", "replay_capacity=1000000000000"],
        "GiB",
    ),
    "no steps at all": ([*PENDULUM[:-1], "0"], "steps"),
    "steps that are no number": ([*PENDULUM[:-1], "many"], "not a whole number"),
    "a negative seed": ([*PENDULUM, "--seed", "-1"], "seed"),
    "a negative rhythm": ([*PENDULUM, "--checkpoint-every", "-1"], "checkpoint_every"),
    "no environments": ([*PENDULUM, "--num-envs", "0"], "num_envs"),
    "an unknown device": ([*PENDULUM, "--device", "abacus"], "device = 'abacus' cannot be used"),
    "a run that exists": ([*PENDULUM, "--run", "full"], "--overwrite"),
    "a run in a file": ([*PENDULUM, "--run", "full/letter.txt", "--overwrite"], "no folder"),
    "a run over other files": ([*PENDULUM, "--run", "full", "--overwrite"], "no training run"),
    "a run with NUL": ([*PENDULUM, "--run", "a\0b"], "NUL"),
    "a run with NUL to overwrite": ([*PENDULUM, "--run", "a\0b", "--overwrite"], "NUL"),
    "a run too long": ([*PENDULUM, "--run", "a" * 300], "255 bytes"),
    "a run like an option": ([*PENDULUM, "--run=-a"], "'-'"),
    "a run that is an option": ([*PENDULUM, "--run", "-a"], "needs a value"),
    "a run nowhere": ([*PENDULUM, "--run", "no/run"], "does not exist"),
    "a run without name": ([*PENDULUM, "--run", ""], "empty"),
    **{
        f"{name} {words}": ([name, place], told)
        for name in ("resume", "evaluate", "compare", "diagnose")
        for words, place, told in (
            ("no run", "full", "no training run"),
            ("a missing run", "missing", "no training run"),
            ("a run with NUL", "a\0b", "NUL"),
            ("a name too long", "a" * 300, "255 bytes"),
            ("like an option", "-a", "no option -a"),
        )
    },
    "resume nothing": (["resume"], "name a RUN"),
    "compare nothing": (["compare"], "name one RUN or more"),
    "evaluate two runs": (["evaluate", "a", "b"], "one argument too many"),
    "evaluate into another kind": (["evaluate", "a", "--out", "a.txt"], ".json"),
    "compare into another kind": (["compare", "a", "--out", "a.txt"], ".html"),
    "a slip without an MDP": (["diagnose", "a", "--slip", "0.1"], "--slip needs an MDP"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_is_told_in_one_message(case, capsys):
    Path("full").mkdir()
    Path("full/letter.txt").write_text("dear")
    Path("text.txt").write_text("dear")
    Path("broken").symlink_to("nowhere")
    before = names()
    arguments, words = WRONG[case]
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err and err.startswith("maxent: error: ") and err.count("\n") == 1
    assert len(err) < 700
    assert names() == before
    assert Path("full/letter.txt").read_text() == "dear"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there(capsys):
    assert main([*PENDULUM, "--device", "cuda", "--run", "run"]) == 2
    err = capsys.readouterr().err
    assert "device = 'cuda' cannot be used" in err and err.count("\n") == 1
    assert names() == []


def test_help_needs_no_torch():
    code = "import sys; from maxent.cli import main; main(['train', '--help']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "gymnasium", "matplotlib", "scipy"} & set(done.stdout.split())


def test_a_run_of_an_environment_that_is_not_there_any_more(folder, capsys):
    gymnasium.register("Gone-v0", entry_point=PendulumEnv, max_episode_steps=10)
    assert main(["train", "sac", "--env", "Gone-v0", "--steps", "9", "--run", "run"]) == 0
    del gymnasium.registry["Gone-v0"]
    capsys.readouterr()
    for asked in (["resume", "run", "--steps", "20"], ["evaluate", "run"]):
        assert main(asked) == 2
        assert "Gone" in capsys.readouterr().err
