"""The exercises of the course: a file a notebook, with NOTEBOOK, EXERCISES and QUIZZES.

A reference is a plain function that learners can read: `learn.reference` prints its source.
"""
