"""Every exercise and quiz, found by its number: each notebook has a file in `exercises/`."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from types import ModuleType

from maxent.errors import ConfigError
from maxent.learn import exercises as folder
from maxent.learn.exercise import Exercise, Quiz
from maxent.support.arguments import nearest, quoted


@cache
def sheets() -> dict[str, ModuleType]:
    """The file of exercises of each notebook, by the notebook's name, in the course's order."""
    names = sorted(module.name for module in pkgutil.iter_modules(folder.__path__))
    modules = [importlib.import_module(f"{folder.__name__}.{name}") for name in names]
    return {module.NOTEBOOK: module for module in modules}


@cache
def exercises() -> dict[str, Exercise]:
    """Every exercise, by number."""
    return {each.number: each for sheet in sheets().values() for each in sheet.EXERCISES}


@cache
def quizzes() -> dict[str, Quiz]:
    """Every quiz, by number."""
    return {each.number: each for sheet in sheets().values() for each in sheet.QUIZZES}


def exercise(number: str) -> Exercise:
    """The exercise of that number; ConfigError where there is none."""
    if not isinstance(number, str) or number not in exercises():
        advice = nearest(number, exercises())
        if quoted(number) in exercises():
            advice = f"write its number in quotes, '{number}'"
        raise ConfigError(f"no exercise is numbered {quoted(number)}; {advice}")
    return exercises()[number]


def quiz(number: str) -> Quiz:
    """The quiz of that number; ConfigError where there is none."""
    if not isinstance(number, str) or number not in quizzes():
        raise ConfigError(f"no quiz is numbered {quoted(number)}; {nearest(number, quizzes())}")
    return quizzes()[number]
