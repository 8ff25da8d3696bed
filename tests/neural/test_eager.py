"""Trainings of fixed seeds leave what they left before updates could be compiled: every bit on the
machine and versions of the record, within rounding elsewhere."""

import json

import pytest
from neural import eager_record

RECORD = json.loads(eager_record.FILE.read_text())


@pytest.mark.parametrize("name", eager_record.CASES)
def test_a_training_leaves_what_it_always_left(name):
    found, kept = eager_record.left(name), RECORD["left"][name]
    if eager_record.machine() == RECORD["machine"]:
        assert found["sha256"] == kept["sha256"]
    assert found["sums"] == pytest.approx(kept["sums"], rel=1e-3)
