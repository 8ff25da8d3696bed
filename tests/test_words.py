"""One word for one concept: names in the code are those of docs/words.md."""

import ast
from pathlib import Path

import maxent

NOT_USED = {  # a name that was: the word for it
    "lasting": "nonterminal",
    "chances": "policy or log_policy",
}


def names(path):
    """Every name that a file gives to something."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Attribute):
            yield node.attr


def test_old_words_name_nothing():
    found = [
        f"{path}: {name} (say {word})"
        for path in Path(maxent.__file__).parent.rglob("*.py")
        for name in set(names(path))
        for old, word in NOT_USED.items()
        if old in name.split("_")
    ]
    assert found == []
