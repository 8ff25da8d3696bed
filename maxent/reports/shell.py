"""What is around the content of every page: one file that asks for nothing from anywhere."""

from __future__ import annotations

import html
from importlib import resources

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""Of a page's content: nothing from outside, no script."""


def html_page(title: str, body: str) -> str:
    """A whole HTML document with the pages' style in it; body is HTML, title is text."""
    style = resources.files("maxent.reports").joinpath("page.css").read_text(encoding="utf-8")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<link rel="icon" href="data:,">\n<title>{html.escape(title)}</title>\n'
        f"<style>\n{style}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )
