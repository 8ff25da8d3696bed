"""What the notebooks use to ask and to answer: `from maxent import learn`.

===================================  =============================================================
`learn.reveal(prediction, actual)`   a guess made beforehand, beside what came out
`learn.check_exercise("3.2", mine)`  right, or which mistake it is, or where and by how much it is
                                     wrong
`learn.quiz("3.a", "b")`             a question, or why a choice is right or wrong
`learn.variant("1.2")`               the numbers that an exercise gives
`learn.reference("3.2")`             our solution
`learn.links("SQL-T3")`              where a statement, its functions and its checks are
===================================  =============================================================

Nothing here raises for a wrong answer, so that a notebook runs to its end.  An answer left as `...`
counts as not attempted.

The exercises themselves are in `exercises/`, a file a notebook; `exercise` says what one is,
`judging` and `differences` compare an answer, `progress` records what was done.
"""

from maxent.learn.answers import check_exercise, links, quiz, reference, reveal, variant
from maxent.learn.comparing import check, check_function

__all__ = [
    "check",
    "check_exercise",
    "check_function",
    "links",
    "quiz",
    "reference",
    "reveal",
    "variant",
]
