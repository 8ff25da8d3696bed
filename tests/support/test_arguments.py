"""Arguments, wrong ones and odd ones: clear errors, or the number that is meant."""

import os
from pathlib import Path

import fresh
import numpy as np
import pytest

import maxent
from maxent.support.arguments import quoted, require_count, require_flag, require_real

MDP = maxent.garnet(4, 3, discount=0.9, seed=1)


class Unprintable:
    def __repr__(self):
        raise RuntimeError("none")


def test_what_a_stranger_passes(tmp_path):
    folder = Path(__file__).parent
    program = (
        f"import sys; sys.path.insert(0, {str(folder)!r}); import strange_arguments as s; s.run()"
    )
    assert fresh.run(program, tmp_path) == ""


def test_values_in_messages_are_short():
    assert quoted("x" * 10**6) == "'" + "x" * 79 + "..."
    assert quoted(10**5000) == "an int"
    assert quoted(Unprintable()) == "an Unprintable"
    for wrong in (10**5000, Unprintable(), np.timedelta64(1)):
        with pytest.raises(maxent.ConfigError, match="horizon = "):
            require_count("horizon", -wrong if isinstance(wrong, int) else wrong)
    with pytest.raises(maxent.ConfigError, match="discount = an int is not valid"):
        require_real("discount", 10**5000, "[0, 1]")
    with pytest.raises(maxent.ConfigError, match="timedelta64"):
        require_real("discount", np.timedelta64(1), "[0, 1]")


def test_flags():
    assert require_flag("overwrite", np.True_) is True
    for wrong in (None, 0, "no", [True]):
        with pytest.raises(maxent.ConfigError, match="give True or False"):
            require_flag("overwrite", wrong)


def test_counts_of_few_bits_do_not_wrap_around():
    short = maxent.garnet(np.uint8(100), np.uint8(3), discount=0.9, branching=np.int8(2), seed=1)
    assert (
        short.transition != maxent.garnet(100, 3, discount=0.9, branching=2, seed=1).transition
    ).nnz == 0
    report = maxent.prove(MDP, 0.5, keys="SQL-T1", tolerance=np.uint8(1))
    assert all(check.tolerance == 1.0 for check in report)


def test_linear_quadratic_functions_read_what_they_are_given():
    problem = maxent.LinearQuadratic([[0.9]], [[1.0]], [[1.0]], [[1.0]], [[0.1]], discount=0.9)
    assert problem.reward([[2]], [[1]]).tolist() == [-5.0]
    assert problem.expected_next(np.array([[3]], np.uint8), [[0.0]]).tolist() == [[2.7]]
    with pytest.raises(
        maxent.ModelError, match=r"states has shape \(2,\); its last axis must be 1"
    ):
        problem.reward([1.0, 2.0], [1.0])
    with pytest.raises(maxent.ModelError, match="rectangular"):
        maxent.LinearQuadratic(
            [[1.0]], [[1.0], [1.0, 2.0]], [[1.0]], [[1.0]], [[1.0]], discount=0.9
        )


def test_bytes_are_paths(tmp_path):
    path = os.fsencode(Path(tmp_path, "mdp.npz"))
    MDP.save(path)
    assert maxent.MDP.load(path).n_states == 4
