"""The checks of scalar arguments: what is let through, at both ends of each range, and what not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from maxent import errors
from maxent.support import arguments

ABOVE, BELOW = math.nextafter(1.0, 2.0), -5e-324
REAL = {
    arguments.require_discount: ([0, 0.0, 0.5, 1, 1.0, np.float32(0.5)], [BELOW, ABOVE, math.inf]),
    arguments.require_temperature: (
        [0, 0.0, 1e-300, 1.0, 1e15],
        [-1.0, BELOW, 5e-324, math.nextafter(1e-300, 0.0), math.nextafter(1e15, 2e15), math.inf],
    ),
    lambda value: arguments.require_positive("x", value): (
        [5e-324, 1, 1e308],
        [0.0, -1.0, math.inf],
    ),
    lambda value: arguments.require_fraction("x", value): (
        [0, 0.3, 1.0],
        [BELOW, ABOVE, -math.inf],
    ),
    lambda value: arguments.require_finite("x", value): ([0, -1e308], [math.inf, -math.inf]),
}
NO_NUMBERS = [True, np.True_, None, "0.5", 1j, [0.5], math.nan, np.nan, 10**400]


@pytest.mark.parametrize("check", REAL)
def test_numbers_at_the_ends_of_their_range(check):
    taken, refused = REAL[check]
    for value in taken:
        found = check(value)
        assert type(found) is float and found == value
    for value in [*refused, *NO_NUMBERS]:
        with pytest.raises(errors.ConfigError, match="= "):
            check(value)


def test_an_array_without_axes_is_its_number():
    for value in (np.array(0.5), np.array(1)):
        assert arguments.require_temperature(value) == value.item()
    for value in (np.array(True), np.array("0.5"), np.array([0.5])):
        with pytest.raises(errors.ConfigError, match="temperature = "):
            arguments.require_temperature(value)
    with pytest.raises(errors.ConfigError, match=r"temperature = .*-1.* is outside"):
        arguments.require_temperature(np.array(-1.0))


def test_a_tensor_without_axes_is_its_number():
    torch = pytest.importorskip("torch")
    assert arguments.require_temperature(torch.tensor(0.5, requires_grad=True)) == 0.5
    with pytest.raises(errors.ConfigError, match="temperature = "):
        arguments.require_temperature(torch.tensor([0.5]))


def test_whole_numbers():
    assert arguments.require_count("n", 1) == arguments.require_count("n", np.int64(1)) == 1
    assert type(arguments.require_count("n", np.int64(7))) is int
    assert arguments.require_count("n", -3, minimum=-3) == -3
    for value, minimum in [(0, 1), (1, 2), (1.0, 1), (True, 1), ("1", 1), (None, 1), (-4, -3)]:
        with pytest.raises(errors.ConfigError, match=f"at least {minimum}$"):
            arguments.require_count("n", value, minimum)
    assert arguments.require_counts("n", (1, np.int64(2))) == [1, 2]
    assert arguments.require_counts("n", []) == [] and arguments.require_counts("n", [0], 0) == [0]
    for values in (5, [0], [1, 2.5], "12"):
        with pytest.raises(errors.ConfigError, match=r"n = .*at least 1$"):
            arguments.require_counts("n", values)


def test_the_nearest_name_and_all_of_them():
    assert arguments.nearest("SQL-T33", ["SQL-T3", "NPG"]) == (
        "did you mean 'SQL-T3'? Known: NPG, SQL-T3"
    )
    assert arguments.nearest("zzz", ["SQL-T3", "NPG"]) == "Known: NPG, SQL-T3"
    assert arguments.nearest("slvoe", ["solve", "tour"]).startswith("did you mean 'solve'?")
    assert arguments.nearest(None, ["solve"]) == "Known: solve"
