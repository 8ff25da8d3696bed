"""The built site (`make docs`) in headless Chromium, as a reader without a network has it."""

import base64
import re
import time
from importlib.resources import files
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
const wide = Math.max(...[document.documentElement, ...all(".content")]
    .map((e) => e.scrollWidth - e.clientWidth));
return [
    ...all(".math:not(:has(svg))").map((e) => "not typeset: " + e.innerText),
    ...all("[data-mjx-error]").map((e) => "not TeX: " + e.getAttribute("data-mjx-error")),
    ...all("img").filter((e) => !e.alt || !e.alt.trim()).map((e) => "no alt text: " + e.src),
    ...all("img").filter((e) => e.complete && !e.naturalWidth).map((e) => "no image: " + e.src),
    ...(wide > 0 ? ["the page is wider than the window by " + wide] : []),
];
"""

OF_EACH_KIND = (
    "index.html",
    "quickstart.html",
    "theorems/sql-t3.html",
    "algorithms/sac.html",
    "guides/own_mdp.html",
    "reference/solvers.html",
    "notebooks/08-find-the-bug.html",
    "search.html",
    "theorem_sheet.html",
    "keys.html",
    "neural.html",
    "teaching.html",
)
AXE = """
const done = arguments[arguments.length - 1];
const settings = {iframes: false, resultTypes: ["violations"]};
axe.run({exclude: [["mjx-container"]]}, settings).then((r) => done(r.violations
    .filter((v) => ["serious", "critical"].includes(v.impact))
    .map((v) => v.id + ": " + v.nodes[0].html)));
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


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_of_each_kind_are_accessible(chromium, width):
    axe = files(pytest.importorskip("axe_core_python"))
    script = (axe / "axe.min.js").read_text()
    faults = {}
    for number, page in enumerate(OF_EACH_KIND):
        dark = (number + (width == "phone")) % 2 == 1  # each page in both, a width each
        chromium.look(width=WIDTHS[width], dark=dark)
        chromium.open(SITE / page)
        chromium.run(LOADED)
        chromium.run(script + "; window.axe = axe;")
        if found := chromium.driver.execute_async_script(AXE):
            faults[page] = found
    assert faults == {}


def test_the_theorem_sheet_prints_on_two_pages(chromium):
    chromium.look()
    chromium.open(SITE / "theorem_sheet.html")
    chromium.run(LOADED)
    a4 = {"paperWidth": 8.27, "paperHeight": 11.69}
    printed = chromium.driver.execute_cdp_cmd("Page.printToPDF", a4)["data"]
    assert len(re.findall(rb"/Type /Page\b", base64.b64decode(printed))) == 2
