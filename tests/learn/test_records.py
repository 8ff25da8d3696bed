"""Recorded runs: whole, small, and refused when a number was changed."""

import doctest
import json

import pytest

from maxent.errors import ConfigError
from maxent.learn import records

NAMES = sorted(path.stem for path in records.FOLDER.glob("*.json"))


@pytest.mark.parametrize("name", NAMES)
def test_a_record_is_what_was_written(name, capsys):
    assert records.record(name)
    assert f"course_records.py {name}" in capsys.readouterr().out
    file = json.loads((records.FOLDER / f"{name}.json").read_text("utf-8"))
    assert set(file) == {"command", "versions", "sha256", "data"}
    assert (records.FOLDER / f"{name}.json").stat().st_size < 60_000


def test_a_changed_number_and_an_unknown_name_are_refused(tmp_path, monkeypatch):
    file = json.loads((records.FOLDER / "four-goals.json").read_text("utf-8"))
    file["data"]["sac"][0][0] += 0.001
    (tmp_path / "four-goals.json").write_text(json.dumps(file))
    monkeypatch.setattr(records, "FOLDER", tmp_path)
    with pytest.raises(ConfigError, match="another SHA-256"):
        records.record("four-goals")
    with pytest.raises(ConfigError, match="did you mean 'four-goals'"):
        records.record("four-goal")


def test_the_example_runs():
    assert doctest.testmod(records).failed == 0
