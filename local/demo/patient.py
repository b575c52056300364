"""A patient with a browser: follows links, fills in forms, presses buttons, and knows nothing else of the product."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http import HTTPStatus
from typing import TYPE_CHECKING, Self, override
from urllib.parse import urljoin

import httpx
import pymupdf
import zxingcpp

from local.demo.api import AS_OF
from local.stack.errors import LocalStackError
from local.stack.watch import instant

if TYPE_CHECKING:
    from datetime import date, datetime

_SECONDS = 60.0
_QR_DOTS_PER_INCH = 150
_LINK = re.compile(r"https?://[^\s\"'<>]+/pay/[\w-]+")
_UNSUBSCRIBE = re.compile(r"https?://[^\s\"'<>]+/unsubscribe/[\w-]+")
_BILL_CODE = re.compile(r"(?:Bill code|Código de factura)\s*:?\s*([0-9A-Z]{5}-[0-9A-Z]{5})")
_TOTAL = re.compile(r"<dd>\s*\$?([0-9,.]+)")
_MAIL_SCANNER_FETCHES = 20


class PatientError(LocalStackError):
    """A page isn't what a patient would need it to be."""


@dataclass
class HtmlForm:
    """A form of a page: where it goes, and what its fields hold before anybody types."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class BrowserPage:
    """A page as a browser shows it."""

    url: str
    status: int
    heading: str
    forms: tuple[HtmlForm, ...]
    html: str

    def form(self, part: str) -> HtmlForm:
        """Find the form whose action contains a part; raises PatientError."""
        for form in self.forms:
            if part in form.action:
                return form
        raise PatientError(f"the page “{self.heading}” ({self.status}) has no form for {part}")


class _Reader(HTMLParser):
    """Reads the heading and the forms of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.heading = ""
        self.forms: list[HtmlForm] = []
        self._in_heading = False
        self._form: HtmlForm | None = None

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = {name: value or "" for name, value in attrs}
        if tag == "h1":
            self._in_heading = True
        elif tag == "form":
            self._form = HtmlForm(facts.get("action", ""))
            self.forms.append(self._form)
        elif tag == "input" and self._form and facts.get("name"):
            chosen = facts.get("type") not in {"radio", "checkbox"} or "checked" in facts
            if chosen:
                self._form.fields[facts["name"]] = facts.get("value", "")

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag == "h1":
            self._in_heading = False
        elif tag == "form":
            self._form = None

    @override
    def handle_data(self, data: str) -> None:
        if self._in_heading:
            self.heading += data


class Browser:
    """A browser at an instant of simulated time."""

    def __init__(self, now: datetime) -> None:
        self._client = httpx.Client(
            headers={AS_OF: instant(now), "Accept": "text/html"},
            timeout=_SECONDS,
            follow_redirects=True,
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def open(self, url: str) -> BrowserPage:
        """Go to an address."""
        return _page(self._client.get(url))

    def submit(self, page: BrowserPage, action: str, **typed: str) -> BrowserPage:
        """Send a page's form with what was typed into it; with the rest of its fields as they were."""
        form = page.form(action)
        return _page(self._client.post(urljoin(page.url, form.action), data={**form.fields, **typed}))

    def post(self, url: str, **fields: str) -> BrowserPage:
        """Post fields to an address without a page, as mail programs and scanners do."""
        return _page(self._client.post(url, data=fields))

    def head(self, url: str) -> int:
        """Ask for an address's head alone; returns the status."""
        return self._client.head(url).status_code


def scan(browser: Browser, link: str) -> None:
    """Look at a link as a mail scanner does, over and over, and post to it what a script might."""
    for _ in range(_MAIL_SCANNER_FETCHES):
        _expect(browser.open(link), HTTPStatus.OK)
    browser.head(link)
    browser.post(f"{link}/verify")
    browser.post(f"{link}/checkout", amount="1.00")


def identify(browser: Browser, link: str, answer: date | str) -> BrowserPage:
    """Open a link and answer its question, with a date of birth or a postal code; returns the page with the balance."""
    page = _expect(browser.open(link), HTTPStatus.OK)
    return _expect(answer_question(browser, page, answer), HTTPStatus.OK)


def answer_question(browser: Browser, page: BrowserPage, answer: date | str) -> BrowserPage:
    """Answer the question of a page, rightly or wrongly."""
    if isinstance(answer, str):
        return browser.submit(page, "/verify", postalCode=answer)
    return browser.submit(page, "/verify", month=str(answer.month), day=str(answer.day), year=str(answer.year))


def amount_asked(balance: BrowserPage) -> int:
    """Return the amount in cents that the balance page offers to pay."""
    # Among several bills the field is empty for all of what is chosen; the sum stands on top.
    typed = balance.form("/checkout").fields["amount"] or _TOTAL.findall(balance.html)[0]
    return round(float(typed.replace(",", "")) * 100)


def pay(browser: Browser, balance: BrowserPage, outcome: str = "approve", **typed: str) -> BrowserPage:
    """Pay on the balance page, decide at the processor, and come back; returns the page that thanks or regrets."""
    processor = browser.submit(balance, "/checkout", **typed)
    if processor.status != HTTPStatus.OK or "/pay/" in processor.url:
        raise PatientError(f"the payment didn't start: “{processor.heading}” ({processor.status})")
    done = browser.submit(processor, "/checkout", outcome=outcome)
    return _expect(done, HTTPStatus.OK)


def thanks(page: BrowserPage) -> bool:
    """Whether a page says that a payment was made, in whatever language."""
    return 'class="good"' in page.html


def link_in(text: str) -> str:
    """Find the payment link in a message; raises PatientError."""
    return _found(_LINK.search(text), "payment link")


def unsubscribe_link_in(text: str) -> str:
    """Find the unsubscribe link in an email; raises PatientError."""
    return _found(_UNSUBSCRIBE.search(text), "unsubscribe link")


def link_on_letter(pdf: bytes) -> str:
    """Read the QR code on a letter's first page; raises PatientError."""
    with pymupdf.open(stream=pdf, filetype="pdf") as document:  # type: ignore[no-untyped-call] # untyped library
        pixels = document[0].get_pixmap(dpi=_QR_DOTS_PER_INCH, colorspace=pymupdf.csGRAY)
        image = memoryview(pixels.samples).cast("B", (pixels.height, pixels.width))
        codes = [code.text for code in zxingcpp.read_barcodes(image)]
    return link_in(" ".join(codes))


def bill_code_on_letter(pdf: bytes) -> str:
    """Read the bill code printed on a letter; raises PatientError."""
    with pymupdf.open(stream=pdf, filetype="pdf") as document:  # type: ignore[no-untyped-call] # untyped library
        text = " ".join(page.get_text() for page in document)
    found = _BILL_CODE.search(re.sub(r"\s+", " ", text))
    if found is None:
        raise PatientError("the letter has no bill code")
    return found[1]


def _found(match: re.Match[str] | None, what: str) -> str:
    if match is None:
        raise PatientError(f"the message has no {what}")
    return match[0]


def _expect(page: BrowserPage, status: HTTPStatus) -> BrowserPage:
    if page.status != status:
        raise PatientError(f"the page “{page.heading}” came with status {page.status}, not {status.value}")
    return page


def _page(answer: httpx.Response) -> BrowserPage:
    reader = _Reader()
    reader.feed(answer.text)
    heading = " ".join(reader.heading.split())
    return BrowserPage(str(answer.url), answer.status_code, heading, tuple(reader.forms), answer.text)
