"""Statements in plain characters as HTML: `V^pi_(k+1) <= gamma max|Q|` with Greek letters, raised
and lowered indices and signs, so that a page needs no script to show mathematics.
"""

from __future__ import annotations

import html
import re

LETTERS = "alpha beta gamma delta epsilon eta theta lambda mu pi rho sigma tau omega"
GREEK = {name: f"&{name};" for name in f"{LETTERS} Phi Sigma".split()} | {"inf": "&infin;"}
SIGNS = {"<=": "≤", ">=": "≥", "->": "→", "<-": "←", "||": "‖", " - ": " \N{MINUS SIGN} "}
INDEXED = ("sum", "prod", "max", "min", "span", "entropy", "return", "log_pi")
"""Words that take an index; others of several letters are names, such as policy_gradient."""

_SCRIPT = r"(?:\{[^{}]*\}|\([^()]*\)|-\d+|[A-Za-z0-9]+[*']?)"
_TOKEN = re.compile(
    rf"(?P<raised>\^(?P<power>{_SCRIPT}(?:_{_SCRIPT})?))"
    rf"|(?P<lowered>(?<=[A-Za-z*'|])_(?P<index>{_SCRIPT}(?:_{_SCRIPT})?))"
    r"|(?P<name>[A-Za-z]+(?:_[A-Za-z]+)+'?)"
    r"|(?P<word>[A-Za-z]+)"
    r"|(?P<inner><(?P<one>[^<>=\s][^<>=]*?),(?P<two>[^<>=]+)>)"
    r"|(?P<code>`(?P<called>[^`]+)`)"
    r"|(?P<stressed>\*(?P<what>[a-z]+)\*)"
    r"|(?P<sign><=|>=|->|<-|\|\|| - )"
    r"|(?P<range>(?<=\d)-(?=\d))"
    r"|(?P<minus>(?<=\d)-(?=[a-z])|(?<=\b[a-z])-(?=\d)|(?<!\w)-(?=\w))"
)


def formula(text: str) -> str:
    """HTML of a statement, everything else in it escaped."""
    parts, place = [], 0
    for token in _TOKEN.finditer(text):
        if token.start() < place:
            continue
        parts.append(_plain(text[place : token.start()]))
        place = token.end()
        if token["name"]:
            base, index = token["name"].split("_", 1)
            if len(base) > 1 and base not in GREEK and base not in INDEXED:
                parts.append(f"<code>{_plain(token['name'])}</code>")
            else:
                parts.append(f"{GREEK.get(base, base)}<sub>{_script(index)}</sub>")
        else:
            parts.append(_shown(token))
    return "".join([*parts, _plain(text[place:])])


def _shown(token: re.Match[str]) -> str:
    if token["raised"]:
        return f"<sup>{_script(token['power'])}</sup>"
    if token["lowered"]:
        return f"<sub>{_script(token['index'])}</sub>"
    if token["inner"]:
        return f"⟨{formula(token['one'])}, {formula(token['two'].strip())}⟩"
    if token["code"]:
        return f"<code>{_plain(token['called'])}</code>"
    if token["stressed"]:
        return f"<em>{token['what']}</em>"
    if token["range"]:
        return "&ndash;"
    if token["minus"]:
        return "\N{MINUS SIGN}"
    if token["sign"]:
        return SIGNS[token["sign"]]
    return GREEK.get(token["word"], _plain(token["word"]))


def _script(text: str) -> str:
    """The inside of an index; brackets that only group are dropped."""
    if text[0] in "({" and text[-1] in ")}" and not re.search(r"[(){}]", text[1:-1]):
        text = text[1:-1]
    return formula(text)


def _plain(text: str) -> str:
    return html.escape(text, quote=False)
