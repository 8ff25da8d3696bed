"""Headless Chromium for the tests of built pages: what a page asks for, says and looks like.

    @pytest.mark.browser
    def test_a_page(chromium):
        chromium.open(path)

The fixture `chromium` (tests/conftest.py) skips, by name, where there is no Chromium.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

CHROMIUM, DRIVER = (shutil.which(name) for name in ("chromium", "chromedriver"))
MISSING = "" if CHROMIUM and DRIVER else "no chromium and chromedriver on the PATH"
LOCAL = ("file:", "data:", "blob:", "about:", "http://127.0.0.1:", "chrome:")


class Chromium:
    """A window of headless Chromium."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, page: Path, *, anchor: str = "") -> None:
        """Open a file; what was logged before is forgotten."""
        self.requests(), self.complaints()
        self.driver.get(page.resolve().as_uri() + anchor)

    def look(self, *, width: int = 1440, height: int = 900, dark: bool = False) -> None:
        """Set the size of the window and whether the system prefers dark colours."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})

    def run(self, script: str, *arguments: Any) -> Any:
        """The value that a function body in JavaScript returns."""
        return self.driver.execute_script(script, *arguments)

    def requests(self) -> list[str]:
        """The addresses asked for since the last call."""
        entries = [json.loads(entry["message"])["message"] for entry in self._log("performance")]
        sent = [each for each in entries if each["method"] == "Network.requestWillBeSent"]
        return [each["params"]["request"]["url"] for each in sent]

    def external_requests(self) -> list[str]:
        """Those that would leave the machine."""
        return [url for url in self.requests() if not url.startswith(LOCAL)]

    def complaints(self) -> list[str]:
        """Warnings and errors in the console since the last call."""
        return [entry["message"] for entry in self._log("browser")]

    def _log(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.driver.get_log(kind)
        return found


@contextmanager
def opened() -> Iterator[Chromium]:
    """A fresh window, closed at the end."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for argument in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage"):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "WARNING", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    try:
        yield Chromium(driver)
    finally:
        driver.quit()
