"""The built site (`make docs`) in headless Chromium, as a reader without a network has it."""

import time
from pathlib import Path

import pytest

SITE = Path(__file__).parents[2] / "build" / "docs"
PAGES = [page for page in sorted(SITE.rglob("*.html")) if "_static" not in page.parts]
WIDTHS = {"phone": 360, "desktop": 1440}

LOADED = """
if (window.MathJax && MathJax.startup) { return MathJax.startup.promise.then(() => true); }
return true;
"""
FAULTS = """
const all = (selector) => [...document.querySelectorAll(selector)];
const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
return [
    ...all(".math:not(:has(svg))").map((e) => "not typeset: " + e.innerText),
    ...all("[data-mjx-error]").map((e) => "not TeX: " + e.getAttribute("data-mjx-error")),
    ...all("img").filter((e) => !e.alt || !e.alt.trim()).map((e) => "no alt text: " + e.src),
    ...all("img").filter((e) => e.complete && !e.naturalWidth).map((e) => "no image: " + e.src),
    ...(wide > 0 ? ["the page is wider than the window by " + wide] : []),
];
"""

pytestmark = pytest.mark.browser


def test_the_site_is_built():
    assert (SITE / "index.html").exists(), "run `make docs`"


@pytest.mark.parametrize("width", WIDTHS)
def test_a_page_is_whole_and_asks_for_nothing(chromium, width):
    chromium.look(width=WIDTHS[width], dark=width == "phone")
    faults = {}
    for page in PAGES:
        chromium.open(page)
        chromium.run(LOADED)
        found = chromium.run(FAULTS) + chromium.external_requests() + chromium.complaints()
        if found:
            faults[page.relative_to(SITE).as_posix()] = found
    assert faults == {}


def test_search_finds_a_page_without_a_network(chromium):
    chromium.look()
    chromium.open(SITE / "search.html", anchor="?q=contraction")
    for _ in range(100):
        said = chromium.run("return document.querySelector('#search-results').innerText")
        if "Search finished" in said:
            break
        time.sleep(0.1)
    assert "The mathematics in one notation" in said
    assert chromium.external_requests() == []
