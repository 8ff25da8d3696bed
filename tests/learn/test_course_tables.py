"""The pages for teachers are what the exercises and the statements make of them."""

import importlib.util
from pathlib import Path

from maxent.learn.registry import exercises

DOCS = Path(__file__).parents[2] / "docs"


def test_the_pages_for_teachers_are_up_to_date():
    spec = importlib.util.spec_from_file_location("course_tables", DOCS / "course_tables.py")
    tables = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tables)
    for path, text in tables.pages().items():
        assert path.read_text("utf-8") == text, "run: python docs/course_tables.py --write"
    table = (DOCS / "teaching.md").read_text("utf-8")
    assert all(f"[{number}](" in table for number in exercises())
