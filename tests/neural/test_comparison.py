"""`maxent.compare`: runs side by side, in the library."""

import json

import numpy as np
import pytest

import maxent
from maxent.cli import main

SMALL = {
    "env": "maxent/Gridworld-v0",
    "env_settings": {"map": "S.G", "discount": 0.9},
    "steps": 60,
    "log_every": 20,
    "hidden": (8,),
    "batch_size": 4,
    "learning_starts": 10,
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two seeds of one configuration, one of another."""
    folder = tmp_path_factory.mktemp("runs")
    for name, seed, temperature in (("a", 1, 0.1), ("b", 2, 0.1), ("c", 1, 0.5)):
        settings = SMALL | {"temperature": temperature}
        maxent.train("sql", seed=seed, run=folder / name, **settings)
    return [folder / name for name in "abc"]


def test_groups_are_configurations(runs):
    found = maxent.compare(runs)
    assert found.metric == "return"
    groups = [(group.name, len(group.runs)) for group in found.groups]
    assert groups == [("sql_discrete, temperature 0.1", 2), ("sql_discrete, temperature 0.5", 1)]
    assert list(found.by_task.values()) == [list(found.groups)]
    scores = [
        [row["return"] for row in maxent.load_agent(run).history if "return" in row]
        for run in runs[:2]
    ]
    last = np.array([each[-1] for each in scores])
    np.testing.assert_allclose(found.groups[0].curve.runs[:, -1], last)
    assert found.groups[0].curve.mean[-1] == pytest.approx(last.mean())


def test_every_number_in_a_frame_and_in_a_dictionary(runs):
    pytest.importorskip("pandas")
    found = maxent.compare(runs)
    frame = found.to_frame()
    assert list(frame.columns) == [
        *("environment", "group", "runs", "step", "interquartile_mean", "low", "high")
    ]
    assert len(frame) == sum(len(group.curve.steps) for group in found.groups)
    record = found.to_dict()
    assert record["metric"] == "return"
    assert [group["seeds"] for group in record["groups"]] == [[1, 2], [1]]


def test_the_command_prints_it(runs, capsys, tmp_path):
    out = tmp_path / "numbers.json"
    assert main(["compare", *map(str, runs), "--out", str(out)]) == 0
    text = capsys.readouterr().out
    assert text == f"{maxent.compare(runs)}\nwrote {out}\n"
    names = [group["name"] for group in json.loads(out.read_text())["groups"]]
    assert names == [group.name for group in maxent.compare(runs).groups]


def test_what_cannot_be_compared(runs):
    for wrong, words in (
        (([],), "name one run or more"),
        (([runs[0], runs[0]],), "named twice"),
        ((runs, "critic_los"), "did you mean 'critic_loss'"),
        (([runs[0].parent],), "no training run"),
    ):
        with pytest.raises(maxent.ConfigError, match=words):
            maxent.compare(*wrong)
