from __future__ import annotations

import io
import threading
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, override
from urllib.parse import parse_qs, urlsplit

import pymupdf
import pytest
import segno

from local.demo import patient
from tests.worlds.bounds import some

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
BORN = date(1980, 2, 29)
BALANCE = """<h1>Your balance</h1>
<form method="post" action="/pay/tok-1/checkout?lang=en"><input type="hidden" name="verification" value="secret">
<input type="radio" name="statementId" value="" checked><input type="radio" name="statementId" value="S-1">
<input type="text" name="amount" value="1,074.60"></form>"""
QUESTION = '<h1>First,\n confirm</h1><form method="post" action="/pay/tok-1/verify"><input name="day" value=""></form>'
PROCESSOR = '<h1>Pay</h1><form method="post" action="/checkout"><input type="hidden" name="session" value="s"></form>'


class _Practice(BaseHTTPRequestHandler):
    """A payment page and a processor in one, that remember what they were sent."""

    server: _Server

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/pay/tok-1/done":
            approved = self.server.posts[-1][1]["outcome"] == ["approve"]
            self._say(200, f'<h1>Done</h1><p class="{"good" if approved else "bad"}">.</p>')
        else:
            self._say(200, PROCESSOR if path == "/processor" else QUESTION)

    def do_HEAD(self) -> None:
        self._say(200, "")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        fields, path = parse_qs(body, keep_blank_values=True), urlsplit(self.path).path
        self.server.posts.append((path, fields))
        self.server.times.add(self.headers["Dunlin-As-Of"])
        if path.endswith("/verify"):
            right = fields.get("year") == ["1980"]
            self._say(200 if right else 403, BALANCE if right else QUESTION)
        else:
            self._say(303, "", "/processor" if path.startswith("/pay/") else "/pay/tok-1/done")

    def _say(self, status: int, page: str, location: str = "") -> None:
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(page.encode())

    @override
    def log_message(self, format: str, *args: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Practice)
        self.posts: list[tuple[str, dict[str, list[str]]]] = []
        self.times: set[str] = set()

    @property
    def link(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/pay/tok-1"


@pytest.fixture
def practice() -> Iterator[_Server]:
    server = _Server()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_payment_goes_by_the_pages_own_forms(practice: _Server) -> None:
    """What the page holds and wasn't changed is sent along; the radio that isn't chosen isn't."""
    with patient.Browser(NOW) as browser:
        balance = patient.identify(browser, practice.link, BORN)
        assert patient.amount_asked(balance) == 107_460
        assert patient.thanks(patient.pay(browser, balance))
        assert not patient.thanks(patient.pay(browser, balance, outcome="decline", amount="5.00"))
    assert practice.posts[0] == ("/pay/tok-1/verify", {"month": ["2"], "day": ["29"], "year": ["1980"]})
    unchanged = {"verification": ["secret"], "statementId": [""], "amount": ["1,074.60"]}
    assert practice.posts[1] == ("/pay/tok-1/checkout", unchanged)
    assert practice.posts[2] == ("/checkout", {"session": ["s"], "outcome": ["approve"]})
    assert practice.posts[3][1]["amount"] == ["5.00"]
    assert practice.times == {"2026-03-02T14:00:00Z"}


def test_a_wrong_answer_does_not_open_the_balance(practice: _Server) -> None:
    """Whoever counts on the balance is told of the page that came instead."""
    with patient.Browser(NOW) as browser, pytest.raises(patient.PatientError, match="First, confirm"):
        patient.identify(browser, practice.link, date(1981, 1, 1))


def test_a_scanner_posts_no_answer(practice: _Server) -> None:
    """It looks twenty times and posts what a script might, without a date of birth."""
    with patient.Browser(NOW) as scanner:
        patient.scan(scanner, practice.link)
    assert [path for path, _ in practice.posts] == ["/pay/tok-1/verify", "/pay/tok-1/checkout"]
    assert all("year" not in fields for _, fields in some(practice.posts))


def test_a_link_is_found_in_a_message() -> None:
    """With its whole address, and nothing behind it."""
    text = "Example: your statement is ready: http://127.0.0.1:4700/x/pay/aB3_x-9 Reply STOP to opt out"
    assert patient.link_in(text) == "http://127.0.0.1:4700/x/pay/aB3_x-9"
    with pytest.raises(patient.PatientError, match="payment link"):
        patient.link_in("nothing here")


def test_code_and_qr_code_are_read_from_a_letter() -> None:
    """As a camera and an eye would."""
    qr = io.BytesIO()
    segno.make("http://127.0.0.1:4700/pay/aB3").save(qr, kind="png", scale=8)
    with pymupdf.open() as document:  # type: ignore[no-untyped-call] # untyped library
        page = document.new_page()
        page.insert_image((72, 72, 172, 172), stream=qr.getvalue())
        page.insert_text((72, 300), "Bill code")
        page.insert_text((72, 320), "7KM2P-X94QD")
        letter = document.tobytes()
    assert patient.link_on_letter(letter) == "http://127.0.0.1:4700/pay/aB3"
    assert patient.bill_code_on_letter(letter) == "7KM2P-X94QD"
