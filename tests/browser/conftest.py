"""One Chromium for all tests of the pages, and axe-core. Where either isn't there the tests fail, never pass unseen."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

AXE = Path(__file__).parents[2] / ".tools/browser/node_modules/axe-core/axe.min.js"
NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]

type Judge = Callable[[Page], list[str]]


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The machine's Chromium. Nothing is fetched: all that it looks at is on this machine."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.fail("chromium isn't on the path: `make .tools/browser/.ready` installs it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def violations() -> Judge:
    """What axe-core finds wrong with a page: each rule with the element that breaks it."""
    if not AXE.exists():
        pytest.fail("axe-core isn't there: `make .tools/browser/.ready` installs it")
    source = AXE.read_text()

    def judge(page: Page) -> list[str]:
        page.evaluate(source)
        result: Any = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{found['id']}: {node['html']} {node['failureSummary']}"
            for found in result["violations"]
            for node in found["nodes"]
        ]

    return judge
