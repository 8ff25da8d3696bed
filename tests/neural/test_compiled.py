"""An update compiled as one graph agrees with it uncompiled; a run says which it was."""

import json
import os
import subprocess
import sys

import pytest

import maxent
from maxent.errors import ConfigError, MaxEntWarning
from maxent.neural.algorithms import sac, sql_discrete
from maxent.neural.training import compiled
from maxent.neural.training.plan import Plan

SHORT = {"hidden": (8,), "batch_size": 8, "learning_starts": 20, "steps": 60, "seed": 1}


def test_a_graph_agrees_with_the_update_it_was_made_of(distances):
    """Traced, its gradients made functional, run operation by operation: what a compiler gets."""
    (distance,) = distances("compiled_driver.py", "aot_eager", "sac_discrete").values()
    assert distance < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["aot_eager", "inductor"])
def test_ten_compiled_updates_agree_for_all_algorithms(distances, backend):
    found = distances("compiled_driver.py", backend)
    assert max(found.values()) < 1e-5, found


@pytest.mark.slow
def test_a_graph_from_the_cache_has_its_products(distances, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    first, again = (distances("compiled_driver.py", "inductor", "sac, wide") for _ in range(2))
    assert first == again and first["sac, wide"] < 1e-5


def plan_of(steps, **fields):
    return Plan(algorithm="sac", env="Pendulum-v1", steps=steps, compile="auto", **fields)


def test_auto_looks_at_the_number_of_updates_alone():
    config = sac.Config(learning_starts=1_000)
    enough = compiled.PAYS + 1_000
    assert compiled.is_asked(plan_of(enough), config)
    assert not compiled.is_asked(plan_of(enough - 1), config)
    assert not compiled.is_asked(plan_of(enough), sac.Config(updates_per_step=0.5))
    assert compiled.is_asked(plan_of(enough), sql_discrete.Config(updates_per_step=1.0))
    assert not compiled.is_asked(Plan(algorithm="sac", env=None, steps=10**9), config)
    with pytest.raises(ConfigError, match="compile = 'yes'; give True, False or"):
        maxent.train("sac", "Pendulum-v1", steps=10, compile="yes")


def test_what_cannot_be_compiled_runs_uncompiled_and_says_so(tmp_path, monkeypatch):
    def refused(self, *arguments):
        raise RuntimeError("inductor raised:\n\nno compiler\nand more")

    monkeypatch.setattr(compiled.CompiledUpdate, "__call__", refused)
    with pytest.warns(MaxEntWarning, match=r"\(RuntimeError: inductor raised: no compiler\)"):
        one = maxent.train("sql", "CartPole-v1", compile=True, run=tmp_path / "run", **SHORT)
    two = maxent.train("sql", "CartPole-v1", compile=False, **SHORT)
    assert json.loads((tmp_path / "run/config.json").read_text())["config"]["compile"] is False
    assert one.history[-1]["critic_loss"] == two.history[-1]["critic_loss"]


@pytest.mark.slow
def test_warnings_of_the_compiler_are_no_errors(tmp_path):
    train = f"import maxent; maxent.train('sql', 'CartPole-v1', compile=True, **{SHORT})"
    said = subprocess.run(
        [sys.executable, "-W", "error", "-c", train],
        env=os.environ | {"PYTHONWARNINGS": "error", "TORCHINDUCTOR_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert said.returncode == 0, said.stderr


RESUMED = """
import json, sys, torch, maxent
from maxent.neural.parts.networks import named_tensors
torch.set_num_threads(1)
folder, = sys.argv[1:]
short = dict(hidden=(8,), batch_size=8, learning_starts=20, seed=1, threads=1)
task = ("sql", "CartPole-v1")
stop = {"report": lambda row: row["step"] < 60, "log_every": 30, "target_interval": 3}
part = maxent.train(*task, steps=100, compile=True, run=folder, **short, **stop)
assert part.steps == 60
whole = maxent.train(*task, steps=100, compile=True, target_interval=3, **short)
again = maxent.resume(folder)
assert json.load(open(folder + "/config.json"))["config"]["compile"] is True
for (name, a), (_, b) in zip(named_tensors(whole.state), named_tensors(again.state)):
    assert torch.equal(a, b), name
plain = maxent.train(*task, steps=100, compile=False, target_interval=3, **short)
loss = [agent.history[-1]["critic_loss"] for agent in (plain, whole)]
assert abs(loss[0] - loss[1]) < 1e-2 * loss[0], loss
"""


@pytest.mark.slow
def test_a_compiled_run_is_resumed_bit_for_bit(tmp_path):
    command = [sys.executable, "-c", RESUMED, str(tmp_path / "run")]
    said = subprocess.run(command, capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
