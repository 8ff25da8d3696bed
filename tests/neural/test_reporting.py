"""What a training tells while it runs, and how it is stopped from there."""

import io
import sys

import pytest
import torch

import maxent
from maxent.neural.parts.networks import named_tensors
from maxent.neural.runs.record import read_record
from maxent.neural.training.averages import CLOCK
from maxent.support import progress

SMALL = {"hidden": (8,), "batch_size": 8, "learning_starts": 10, "log_every": 10}


def train(steps=60, **settings):
    return maxent.train("sql", "CartPole-v1", steps=steps, seed=1, **SMALL | settings)


def same(one, two):
    pairs = zip(named_tensors(one.state), named_tensors(two.state), strict=True)
    return all(torch.equal(x, y) for (_, x), (_, y) in pairs)


def test_a_report_that_returns_false_stops_with_a_checkpoint(tmp_path):
    run = tmp_path / "run"
    agent = train(run=run, report=lambda row: row["step"] < 30)
    assert (agent.steps, agent.stopped_by) == (30, "report")
    assert maxent.load_agent(run).steps == 30
    assert same(maxent.resume(run), train())
    assert train(report=lambda row: None).stopped_by is None  # as `print` does: goes on
    assert train(report=lambda row: 0).steps == 60


@pytest.mark.parametrize("checkpoint_every", [0, 10, 30])
def test_a_report_that_fails_loses_nothing(tmp_path, checkpoint_every):
    run = tmp_path / "run"

    def fails(row):
        if row["step"] == 30:
            raise KeyError("dashboard")

    with pytest.raises(KeyError, match="dashboard") as caught:
        train(run=run, checkpoint_every=checkpoint_every, report=fails)
    assert "agent of step 30" in caught.value.__notes__[0]
    assert same(caught.value.agent, maxent.load_agent(run)) and caught.value.agent.steps == 30
    assert same(maxent.resume(run), train())
    with pytest.raises(KeyError) as caught:
        train(report=fails)
    assert caught.value.agent.steps == 30


def test_an_announcement_that_fails_loses_nothing(tmp_path):
    def fails(text):
        raise RuntimeError(text)

    with pytest.raises(RuntimeError, match="saved step-000020") as caught:
        train(run=tmp_path / "run", checkpoint_every=20, announce=fails)
    assert caught.value.agent.steps == maxent.load_agent(tmp_path / "run").steps == 20


def test_rows_tell_the_pace_and_the_time_left():
    first, *_, last = train().history
    assert set(first) >= CLOCK
    assert first["updates_per_second"] > 0 and last["seconds_left"] == 0.0
    assert first["seconds_left"] == pytest.approx(50 / first["steps_per_second"])
    assert last["updates_per_second"] == pytest.approx(last["steps_per_second"])


def test_the_clock_of_a_resumed_run_goes_on(tmp_path):
    train(steps=30, run=tmp_path / "run")
    before = train(steps=30).history  # a run takes time
    agent = maxent.resume(tmp_path / "run", steps=60)
    seconds = [row["seconds"] for row in agent.history]
    assert seconds == sorted(seconds) and len(before) == 3


def test_the_number_of_threads_is_set_recorded_and_restored(tmp_path):
    before, seen = torch.get_num_threads(), []

    def look(row):
        seen.append(torch.get_num_threads())

    train(run=tmp_path / "run", steps=30, threads=2, report=look)
    record = read_record(tmp_path / "run")
    assert record["config"]["threads"] == record["surroundings"]["threads"] == 2
    maxent.resume(tmp_path / "run", steps=60, report=look)
    assert set(seen) == {2} and torch.get_num_threads() == before
    for wrong in (0, 1.5, "all"):
        with pytest.raises(maxent.ConfigError, match="threads = "):
            train(threads=wrong)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(progress, "AFTER", 0.0)
    monkeypatch.setattr(progress, "BETWEEN", 0.0)
    return Terminal()


def test_a_terminal_shows_a_bar_or_lines(terminal, monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal)
    train(progress=True)
    assert "updates/s" in terminal.getvalue() and "60/60" in terminal.getvalue()
    terminal.truncate(0)
    train()
    assert "maxent: step 10 of 60, " in terminal.getvalue() and " left" in terminal.getvalue()
    terminal.truncate(0)
    train(progress=False)
    assert terminal.getvalue().strip("\0") == ""


def test_elsewhere_lines_come_only_when_asked_for(terminal, monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    train()
    assert stream.getvalue() == ""
    train(progress=True)
    assert stream.getvalue().startswith("maxent: step 10 of 60, ")
    stream.truncate(0)
    train(progress=True, report=lambda row: None)  # which tells already
    assert stream.getvalue().strip("\0") == ""
    monkeypatch.setenv("CI", "true")
    stream.truncate(0)
    train(progress=True)
    assert stream.getvalue().strip("\0") == ""


def test_a_notebook_has_a_bar_though_its_stderr_is_no_terminal(terminal, monkeypatch):
    class ZMQInteractiveShell:
        pass

    class IPython:
        get_ipython = staticmethod(ZMQInteractiveShell)

    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setitem(sys.modules, "IPython", IPython)
    train(progress=True)
    assert "60/60" in stream.getvalue()


def test_a_short_training_says_nothing_by_default(capsys):
    train()
    assert capsys.readouterr() == ("", "")
