"""What a screen reader needs and the theme and Sphinx leave out of the pages that they make.

- The captions of the navigation are headings, of which level was not said.
- The arguments of a long signature are a definition list without terms; here, plain blocks.
"""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

SIGNATURE = re.compile(r'<dt class="sig .*?</dt>', re.DOTALL)
PLAIN = {"<dl>": '<div class="arguments">', "</dl>": "</div>", "<dd>": "<div>", "</dd>": "</div>"}


def plain_arguments(signature: re.Match[str]) -> str:
    """A signature with blocks in place of its definition list."""
    return re.sub("|".join(PLAIN), lambda tag: PLAIN[tag[0]], signature[0])


def mend(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Change the parts of a page before they are put together."""
    for part in ("furo_navigation_tree", "body"):
        if part in context:
            levelled = context[part].replace('role="heading">', 'role="heading" aria-level="2">')
            context[part] = SIGNATURE.sub(plain_arguments, levelled)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-page-context", mend, priority=900)  # after the theme
    return {"parallel_read_safe": True, "parallel_write_safe": True}
