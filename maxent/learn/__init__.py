"""What the notebooks use to ask and to answer: predictions and exercise checks.

`reveal(prediction, actual)` compares a guess made beforehand with what came out;
`check(answer, expected)` and `check_function(function, cases, expected)` look at an exercise.  All
three print what a teacher would say, never only "wrong", and never raise for a wrong answer, so
that a notebook runs to its end.  An answer left as `...` counts as not attempted.
"""

from maxent.learn.answers import check, check_function, reveal

__all__ = ["check", "check_function", "reveal"]
