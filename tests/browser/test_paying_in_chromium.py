"""From the link to the thanks in Chromium: with the keyboard alone, and with script switched off."""

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from functions.payment_link.ports import ports
from shared.domain.records.policy import PaymentSettings
from shared.domain.vocabulary.words import Processor
from tests.worlds.aws import TABLE
from tests.worlds.clinic import KEY, RIGHT, Clinic, open_clinic
from tests.worlds.examples import NOW, bill, organization
from tests.worlds.page_server import STAGE, Sent, from_the_function, served
from tests.worlds.render_function import NAME, called_function
from tests.worlds.wiring import wired

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient
    from playwright.sync_api import Browser, Page

MOST_TABS = 30


@pytest.fixture
def site(dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> "Iterator[tuple[str, Clinic]]":
    """The function and a payment company, on this machine; answers the address of the pages, and the practice."""
    function = from_the_function(NOW.isoformat())

    def answer(method: str, address: str, headers: dict[str, str], body: str) -> Sent:
        if address.startswith(STAGE):
            return function(method, address, headers, body)
        return Sent(b"<!doctype html><title>Card</title><p>The payment company's page</p>")

    with served(answer) as origin:
        settings = {"TABLE_NAME": TABLE, "PUBLIC_BASE_URL": f"{origin}{STAGE}", "ALLOW_SIMULATED_TIME": "true"}
        company = {"SANDBOX_PROCESSOR_URL": f"{origin}/company", "SANDBOX_PROCESSOR_KEY": KEY, "RENDER_FUNCTION": NAME}
        wired(monkeypatch, ports, **settings, **company)
        called_function(monkeypatch, f"{origin}{STAGE}")
        practice = organization(payments=PaymentSettings(processor=Processor.SANDBOX))
        yield f"{origin}{STAGE}", open_clinic(dynamodb, practice, bills=(bill(), bill("S-2", balance=5_00)))


@pytest.fixture(params=[True, False], ids=["script", "no script"])
def page(request: pytest.FixtureRequest, chromium: "Browser") -> "Iterator[Page]":
    context = chromium.new_context(
        viewport={"width": 320, "height": 640}, java_script_enabled=request.param, locale="en-US"
    )
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


def tab_to(page: "Page", selector: str) -> None:
    """Press Tab until the element has the focus, which has to be seen on it."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if page.locator(f"{selector}:focus-visible").count():
            outline: Any = page.locator(selector).evaluate("element => getComputedStyle(element).outlineWidth")
            assert outline == "3px"
            return
    pytest.fail(f"no Tab leads to {selector}")


def answers(page: "Page", answer: dict[str, str]) -> None:
    tab_to(page, "#month")
    for part in ("month", "day", "year"):
        if part != "month":
            page.keyboard.press("Tab")
        page.keyboard.press("ControlOrMeta+A")
        page.keyboard.type(answer[part])
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_a_bill_is_paid_with_the_keyboard_alone(site: tuple[str, Clinic], page: "Page") -> None:
    address, clinic = site
    page.goto(f"{address}{clinic.path}")
    answers(page, RIGHT | {"day": "32"})
    assert page.locator(".summary:focus").count() == 1  # the first thing that is read out is what is wrong
    page.keyboard.press("Tab")
    with_focus = page.locator(".summary a:focus")
    assert with_focus.inner_text() == "Enter a day that exists in that month"
    page.keyboard.press("Enter")
    assert page.locator("#day:focus").count() == 1
    page.goto(f"{address}{clinic.path}")
    answers(page, RIGHT)
    assert page.url == f"{address}{clinic.path}"
    assert "$79.60" in page.locator("main").inner_text()
    tab_to(page, "#bill-all")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    tab_to(page, "form[action$='/checkout'] button")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    sent = parse_qs(urlsplit(page.url).query)
    assert (urlsplit(page.url).path, sent["amount"]) == ("/company/checkout", ["500"])
    page.go_back()
    assert "$79.60" in page.locator("main").inner_text()  # no "confirm form resubmission"
    clinic.webhook(reference=sent["reference"][0], amount=500)
    page.goto(sent["return"][0])
    thanks = page.locator("main").inner_text()
    assert re.search(r"We received \$5\.00 .* \$74\.60 is still open", " ".join(thanks.split()))


def test_documents_open_in_the_browser_that_has_answered_and_in_no_other(
    site: tuple[str, Clinic], page: "Page", chromium: "Browser"
) -> None:
    address, clinic = site
    page.goto(f"{address}{clinic.path}")
    answers(page, RIGHT)
    [first, second] = [link.get_attribute("href") or "" for link in page.locator(".documents a").all()]
    assert first != second
    stranger = chromium.new_context()
    asked = stranger.new_page()
    for document in (first, second):
        asked.goto(document)
        assert asked.locator("#month").count() == 1
    stranger.close()


def test_an_objection_and_a_later_reminder_are_sent_with_the_keyboard_alone(
    site: tuple[str, Clinic], page: "Page"
) -> None:
    address, clinic = site
    page.goto(f"{address}{clinic.path}")
    answers(page, RIGHT)
    tab_to(page, "details:has(#on) summary")
    page.keyboard.press("Enter")
    tab_to(page, "#on")
    page.keyboard.type("03112026")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "You get no reminders before March 11, 2026" in page.locator("main").inner_text()
    page.goto(f"{address}{clinic.path}")
    tab_to(page, "details:has(#text) summary")
    page.keyboard.press("Enter")
    tab_to(page, "form[action$='/objection'] button")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.locator(".summary:focus").count() == 1
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator("#kind-AlreadyPaid:focus").count() == 1
    page.keyboard.press("Space")
    tab_to(page, "#text")
    page.keyboard.type("By check")
    tab_to(page, "form[action$='/objection'] button")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "I already paid this" in page.locator("main").inner_text()
    assert [each.kind for each in clinic.book.account.objections] == ["AlreadyPaid"]
