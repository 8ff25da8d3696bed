"""The faulty solvers of notebook 8 have the faults that they are said to have, and no others."""

import numpy as np
import pytest

import maxent
from maxent.learn.exercises.nb08 import balance_gap
from maxent.learn.patients import FAULTS, HEALTHY, PATIENTS
from maxent.testing import check_solver

ENDING = maxent.gridworld("S.G", slip=0.1, discount=0.8)
GOING_ON = maxent.garnet(3, 2, discount=0.8, branching=2, seed=0)
NAMED = {
    "A": "entropy left out (Boltzmann average)",
    "B": "terminal states bootstrapped",
    "C": "mean in place of sum (mellowmax)",
    "D": "discount applied twice",
    "E": "stops too early",
    "F": "v differs from the truth",
}


MASKED = GOING_ON.replace(action_mask=[[True, True], [False, True], [True, False]])


def test_the_healthy_one_passes():
    assert check_solver(HEALTHY, mdps=[ENDING, GOING_ON, MASKED]).passed


@pytest.mark.slow
def test_the_healthy_one_passes_everything():
    assert check_solver(HEALTHY).passed


@pytest.mark.parametrize("letter", PATIENTS)
def test_a_patient_has_its_fault(letter):
    found = check_solver(
        PATIENTS[letter], mdps=[ENDING, GOING_ON], temperatures=[0.5], smaller=False
    )
    assert found.faults == (NAMED[letter],)
    assert FAULTS[letter] and set(FAULTS) == set(PATIENTS)


@pytest.mark.parametrize("letter", PATIENTS)
def test_the_balance_law_convicts_every_patient(letter):
    assert balance_gap(PATIENTS[letter], ENDING) > 1e-4 > 1e-10 > balance_gap(HEALTHY, ENDING)


def test_which_are_right_at_temperature_1():
    exact = maxent.solve(ENDING, 1.0).v
    off = {letter: np.abs(s(ENDING, 1.0)[1] - exact).max() for letter, s in PATIENTS.items()}
    assert [letter for letter, error in off.items() if error < 1e-6] == ["F"]
    assert off["B"] == pytest.approx(np.log(4))
