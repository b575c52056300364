"""Every patient page in every state, as Chromium shows it: axe-core, narrow and wide, light and dark, focus."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

import pytest

from functions.payment_link.page import render
from functions.payment_link.site import HEADERS, page_policy
from shared.domain.vocabulary.words import Language
from tests.worlds.page_server import Sent, served
from tests.worlds.patient_pages import PAGES

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NARROW, WIDE = {"width": 320, "height": 640}, {"width": 1280, "height": 800}
VIEWS = [(Language.ENGLISH, NARROW, "light"), (Language.ENGLISH, WIDE, "dark")]
VIEWS += [(Language.SPANISH, NARROW, "dark"), (Language.SPANISH, WIDE, "light")]
"""Each language at each width, and each in both colours."""


def made(_method: str, address: str, _headers: dict[str, str], _body: str) -> Sent:
    """A page by its name and language, with the headers that it goes out with."""
    _, language, name = address.split("/", 2)
    if unquote(name) not in PAGES:
        return Sent(b"", 404)
    page, base_url = PAGES[unquote(name)], "https://pay.example.com/prod"
    headers = {**HEADERS, "Content-Security-Policy": page_policy(base_url, page.sends_to)}
    headers["Content-Type"] = "text/html; charset=utf-8"
    return Sent(render(page, Language(language), base_url, "").encode(), 200, tuple(headers.items()))


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served(made) as found:
        yield found


@pytest.fixture(scope="module", params=VIEWS, ids=lambda view: f"{view[0]}-{view[1]['width']}-{view[2]}")
def view(request: pytest.FixtureRequest, chromium: "Browser") -> "Iterator[tuple[Language, Page]]":
    language, size, scheme = request.param
    context = chromium.new_context(viewport=size, color_scheme=scheme, reduced_motion="reduce")
    yield language, context.new_page()
    context.close()


def test_nothing_that_axe_core_knows_keeps_people_out_and_nothing_is_wider_than_the_screen(
    view: "tuple[Language, Page]", address: str, violations: "Callable[[Page], list[str]]"
) -> None:
    """One run over all states, so that each view is opened once."""
    language, page = view
    wrong = dict[str, object]()
    told = list[str]()
    page.on("console", lambda message: told.append(message.text))
    for name, state in PAGES.items():
        page.goto(f"{address}/{language}/{quote(name, safe='')}")
        found: list[object] = [*violations(page), *told]
        told.clear()
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            found.append("wider than the screen")
        at = page.evaluate("document.activeElement.className")
        if bool(state.problem) != (at == "summary"):
            found.append(f"the focus is at {at or 'the page'}")
        if found:
            wrong[name] = found
    assert wrong == {}
