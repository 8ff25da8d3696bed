"""What a learner is told: where an answer is wrong, by how much, and what to try."""

import doctest

import numpy as np
import pytest

import maxent
from maxent import learn


@pytest.fixture
def told(capsys):
    return lambda: capsys.readouterr().out


def test_predictions(told):
    learn.reveal(..., 0.5)
    assert told() == "No prediction made. The answer: 0.5.\n"
    learn.reveal(0.75, 0.5, "Because.")
    assert told() == "You predicted 0.75; it is 0.5 (off by 0.25).\nBecause.\n"
    learn.reveal("rises", "falls")
    assert told() == "The answer: falls; you predicted rises.\n"
    learn.reveal(True, np.bool_(True))
    assert told() == "The answer: True; as you predicted.\n"
    learn.reveal("much", 0.5)
    assert "'much' is not a number" in told()


def test_an_answer_not_attempted(told):
    for blank in (..., None):
        learn.check(blank, 1.0)
        assert told().startswith("Not attempted yet")
    learn.check_function(lambda q: ..., [(1.0,)], lambda q: q)
    assert told().startswith("Not attempted yet")


def test_a_wrong_answer_is_told_where_and_by_how_much(told):
    mdp = maxent.gridworld("S.#\n..G", discount=0.9)
    q = maxent.backup(mdp, np.arange(5.0))
    wrong = q.copy()
    wrong[3, 1] += 0.25
    learn.check(wrong, q, hint="look right", mdp=mdp)
    text = told()
    assert "state 3 (row 1, column 1), action right: you have" in text
    assert (
        "off by 0.25" in text and "1 of 20 numbers differs" in text and "Hint: look right" in text
    )
    learn.check(q, q)
    assert told().startswith("Right: all 20 numbers")
    learn.check(1.0 + 1e-10, 1.0)
    assert told() == "Right.\n"


def test_wrong_shapes_and_types(told):
    for answer, words in [
        (np.zeros(3), "the shape is (3,), but (2,) (state) is wanted"),
        ("two", "a number or an array is wanted here, not str"),
        ([np.nan, 0.0], "state 0: the answer is not a number"),
        ([np.inf, 0.0], "state 0: you have inf"),
    ]:
        learn.check(answer, np.zeros(2))
        assert words in told()


def test_undefined_numbers_and_large_ones(told):
    learn.check([np.nan, 1.0], [np.nan, 1.0])
    assert told().startswith("Right")
    learn.check([1.0, 1.0], [np.nan, 1.0])
    assert "should be nan" in told()
    learn.check([1000.0, 1000.0000001, 2.0], [1000.0] * 3)
    assert "1 of 3 numbers differ" in told()
    learn.reveal("Rises", "rises")
    learn.reveal(" rises. ", "rises")
    assert told().count("as you predicted") == 2


def test_a_function_that_changes_its_argument_is_not_judged_by_its_own_damage(told):
    def doubling(x):
        x *= 2
        return x

    learn.check_function(doubling, [(np.ones(3),)], lambda x: x)
    assert told().startswith("Not quite")


def test_functions_are_tried_case_by_case(told):
    cases = [(1.0,), (2.0,), (3.0,)]
    learn.check_function(lambda x: x * x, cases, lambda x: x * x)
    assert told() == "Right, in 3 of 3 cases.\n"
    learn.check_function(lambda x: 1.0 if x == 1.0 else 5.0, cases, lambda x: x * x, hint="square")
    assert told() == "Not quite: case 2 of 3: you have 5, off by 1.\nHint: square\n"
    learn.check_function(lambda x: 1 / 0, cases, lambda x: x)
    assert "case 1 of 3: your function raised ZeroDivisionError: division by zero" in told()


def test_a_quiz(told):
    learn.quiz("3.a", ...)
    assert "(d) " in told()
    learn.quiz("3.a", "(C)")
    assert told().startswith("(c)")
    learn.quiz("3.a", "e")
    assert "takes one of a, b, c, d" in told()
    with pytest.raises(maxent.errors.ConfigError, match=r"no quiz is numbered '3\.z'"):
        learn.quiz("3.z", "a")


def test_the_examples_of_the_docstrings_run():
    from maxent.learn import answers

    assert doctest.testmod(answers).failed == 0


def test_an_unknown_exercise_and_an_unknown_key():
    with pytest.raises(maxent.errors.ConfigError, match=r"no exercise is numbered '3\.9'"):
        learn.check_exercise("3.9", 1.0)
    with pytest.raises(maxent.errors.ConfigError, match="no statement has the key 'SQL-T9'"):
        learn.links("SQL-T9")


@pytest.mark.parametrize(
    "number, answer, said",
    [
        ("0.1", 0.0289, "Not quite (rounded): this is near"),
        ("0.1", [0.04 / np.log(4)], "Not quite (an axis too many): the numbers are right"),
        ("4.3", ["no", "no", "yes", "yes", "no"], "five times True or False is wanted"),
        ("4.3", [False, False, True, True], "five times True or False is wanted"),
        ("4.3", [True, True, True, True, False], "(hard maximum accepted)"),
        ("7.3", ["S.G", "..."], "a text is wanted"),
        ("0.1", None, "write `my_temperature = ...`."),
        ("0.1", True, "a number or an array of numbers is wanted, not this bool"),
        ("1.3", 0.046, "Not quite (rounded)"),
        ("1.3", -0.0455119, "Not quite (wrong sign): a temperature is positive"),
        ("5.2", -0.0926316, "right but for the sign"),
        ("6.1", lambda mdp, policy: (0.0, 0.0), "2 of 2 numbers differ."),
        ("5.3", lambda rows, columns: "half", "case 1 of 3: a number or an array of numbers"),
        ("3.1", lambda mdp, v: v, "your function raised TypeError"),
        (
            "6.1",
            lambda mdp, policy: maxent.entropy(policy),
            "give their logarithms, np.log(policy)",
        ),
        ("3.1", lambda mdp, v, alpha: v[:2], "shape is (2,), but (7,) (state) is wanted"),
        ("3.1", lambda mdp, v, alpha: 1.0, "this is one number, but (7,) (state) is wanted"),
        ("5.3", lambda rows, columns: np.ones(4), "the shape is (4,), but one number is wanted"),
        ("8.1", lambda solver, mdp, alpha: True, "a number or an array of numbers is wanted, not"),
        (
            "3.1",
            lambda mdp, v, alpha: [v, print("seen")][0],
            "(no sweep): this is v as it was given",
        ),
    ],
)
def test_what_is_said_of_other_wrong_answers(told, number, answer, said):
    learn.check_exercise(number, answer)
    assert said in told()


def test_what_a_function_prints_is_shown(told):
    learn.check_exercise("3.1", lambda mdp, v, alpha: [v, print("seen")][0])
    assert "It printed: seen" in told()


def test_the_patterns_that_any_exercise_knows():
    from maxent.learn.differences import pattern

    right = [np.array([[1.0, 2.0], [3.0, 5.0]]), np.array([[2.0, 7.0], [1.0, 1.0]])]
    for name, change in [
        ("axes swapped", np.transpose),
        ("wrong sign", np.negative),
        ("bits instead of nats", lambda a: a / np.log(2)),
        ("off by a factor", lambda a: 3 * a),
        ("off by a constant", lambda a: a - 0.5),
        ("an axis too many", lambda a: a[None]),
        ("", lambda a: a**2),
    ]:
        assert pattern([change(a) for a in right], right, 1e-9, rounded=False)[0] == name
