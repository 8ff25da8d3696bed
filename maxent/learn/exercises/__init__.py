"""The exercises of the course: two files a notebook, code in Python and words in TOML.

The Python file has NOTEBOOK, EXERCISES and QUIZZES.  A reference is a plain function that learners
can read: `learn.reference` prints its source.
"""
