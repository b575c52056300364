from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import re
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, override
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from functions.payment_link import sandbox
from local.processor import page as processor_page
from local.processor.server import ProcessorServer, RefusedError, event, read_fields, require_loopback, sign

if TYPE_CHECKING:
    from collections.abc import Iterator

FIELDS = {
    "session": "cs_1",
    "org": "org_1",
    "amount": "7460",
    "currency": "usd",
    "reference": "ref_1",
    "practice": "Riverbend <Clinic> & Söhne",
    "webhook": "http://127.0.0.1:9/webhooks/sandbox/org_1",
    "return": "http://127.0.0.1:9/pay/t/done",
}
NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)


@dataclass
class Practice:
    """The other side: takes events and answers with the status it is told to."""

    url: str
    status: int = 200
    events: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def practice() -> Iterator[Practice]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            here.events.append((dict(self.headers.items()), body))
            self.send_response(here.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        @override
        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    here = Practice(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield here
    server.shutdown()
    server.server_close()


@pytest.fixture
def processor() -> Iterator[ProcessorServer]:
    server = ProcessorServer(("127.0.0.1", 0), key="made-up")
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    text: str


def ask(server: ProcessorServer, method: str, path: str, form: dict[str, str] | None = None) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    try:
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if form is not None else {}
        connection.request(method, path, urlencode(form) if form is not None else None, headers)
        answer = connection.getresponse()
        return Answer(answer.status, dict(answer.getheaders()), answer.read().decode())
    finally:
        connection.close()


class Page(HTMLParser):
    """What a browser without script would see: hidden fields, buttons, the language and the headings."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.hidden: dict[str, str] = {}
        self.buttons: list[tuple[str, str]] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append((tag, given))
        if tag == "input" and given.get("type") == "hidden":
            self.hidden[given["name"] or ""] = given["value"] or ""
        elif tag == "button":
            self.buttons.append((given["name"] or "", given["value"] or ""))


def checkout(practice: Practice, **changes: str) -> dict[str, str]:
    return FIELDS | {"webhook": f"{practice.url}/hook", "return": f"{practice.url}/done?x=1"} | changes


def test_the_page_says_what_it_is_and_carries_the_fields(processor: ProcessorServer) -> None:
    """The person sees the practice, the amount and that no money moves; the form has two buttons."""
    answer = ask(processor, "GET", f"/checkout?{urlencode(FIELDS)}")
    page = Page(answer.text)
    assert answer.status == 200
    assert processor_page.LABEL in answer.text
    assert "$74.60" in answer.text
    assert "Riverbend &lt;Clinic&gt; &amp; Söhne" in answer.text
    assert page.hidden == FIELDS
    assert page.buttons == [("outcome", "approve"), ("outcome", "decline")]


def test_the_page_is_accessible_and_works_without_script(processor: ProcessorServer) -> None:
    """A language, a title, one heading, a viewport that can be zoomed, and no script."""
    answer = ask(processor, "GET", f"/checkout?{urlencode(FIELDS)}")
    tags = Page(answer.text).tags
    names = [name for name, _ in tags]
    assert ("html", {"lang": "en"}) in tags
    assert names.count("h1") == 1
    assert {"title", "main", "header"} <= set(names)
    assert "script" not in names
    assert ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}) in tags
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("front", "back", "least"),
    [
        ("ink", "paper", 4.5),
        ("ink", "ground", 4.5),
        ("soft", "paper", 4.5),
        ("go-ink", "go", 4.5),
        ("banner-ink", "banner", 4.5),
        ("line", "paper", 3.0),
        ("ring", "paper", 3.0),
    ],
)
def test_colours_have_enough_contrast(scheme: str, front: str, back: str, least: float) -> None:
    """WCAG 2.1 AA, computed from the style sheet in both colour schemes."""
    rules = processor_page.PROCESSOR_STYLE.split("@media (prefers-color-scheme: dark)")
    light_rule, dark_rule = (rule.split("}", 1)[0] for rule in rules)
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", light_rule if scheme == "light" else dark_rule))

    def luminance(name: str) -> float:
        channels = [int(colours[name][place : place + 2], 16) / 255 for place in (1, 3, 5)]
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(front), luminance(back)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= least


@pytest.mark.parametrize(("outcome", "kind"), [("approve", "checkout.completed"), ("decline", "checkout.declined")])
def test_a_choice_is_told_to_the_practice_and_the_browser_goes_back(
    processor: ProcessorServer, practice: Practice, outcome: str, kind: str
) -> None:
    """The event is signed over its raw body; the redirect is one that turns into a GET."""
    answer = ask(processor, "POST", "/checkout", checkout(practice, outcome=outcome))
    assert (answer.status, answer.headers["Location"]) == (303, f"{practice.url}/done?x=1")
    [(headers, body)] = practice.events
    told = json.loads(body)
    assert told["type"] == kind
    assert (told["sessionId"], told["reference"], told["amount"], told["currency"]) == ("cs_1", "ref_1", 7460, "usd")
    parts = dict(part.split("=") for part in headers["Dunlin-Sandbox-Signature"].split(","))
    expected = hmac.new(b"made-up", parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    assert parts["v1"] == expected
    assert "Dunlin-As-Of" not in headers


def test_simulated_time_travels_along(processor: ProcessorServer, practice: Practice) -> None:
    """The webhook call and the event bear the time that the pay page was asked with."""
    page = Page(ask(processor, "GET", f"/checkout?{urlencode(checkout(practice, asOf='2026-03-02T15:00:00Z'))}").text)
    ask(processor, "POST", "/checkout", page.hidden | {"outcome": "approve"})
    [(headers, body)] = practice.events
    assert headers["Dunlin-As-Of"] == "2026-03-02T15:00:00Z"
    assert json.loads(body)["occurredAt"] == "2026-03-02T15:00:00Z"


def test_a_practice_that_refuses_can_be_told_again(processor: ProcessorServer, practice: Practice) -> None:
    """The page offers to try again; the repeat is the same event, so it counts once."""
    practice.status = 500
    answer = ask(processor, "POST", "/checkout", checkout(practice, outcome="approve"))
    page = Page(answer.text)
    assert answer.status == 502
    assert page.buttons == [("outcome", "approve")]
    practice.status = 200
    assert ask(processor, "POST", "/checkout", page.hidden | {"outcome": "approve"}).status == 303
    first, second = (json.loads(body) for _, body in practice.events)
    assert first["eventId"] == second["eventId"]


def test_a_practice_that_is_not_there_is_said_to_be(processor: ProcessorServer) -> None:
    """Nothing listens on that port."""
    answer = ask(processor, "POST", "/checkout", FIELDS | {"outcome": "approve"})
    assert answer.status == 502
    assert "didn&#x27;t answer" in answer.text


def test_looking_changes_nothing(processor: ProcessorServer, practice: Practice) -> None:
    """A scanner's GET and HEAD tell nobody anything."""
    path = f"/checkout?{urlencode(checkout(practice))}"
    assert ask(processor, "GET", path).status == 200
    head = ask(processor, "HEAD", path)
    assert (head.status, head.text) == (200, "")
    assert practice.events == []


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/x", "https://localhost/x", "http://[::1]:8/x", "http://127.9.9.9/"]
)
def test_addresses_on_this_computer_are_taken(url: str) -> None:
    """Loopback in its forms."""
    require_loopback("return", url)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/x",
        "http://10.0.0.1/x",
        "http://0.0.0.0/x",
        "ftp://127.0.0.1/x",
        "javascript:alert(1)",
        "//127.0.0.1/x",
        "http://127.0.0.1@example.com/x",
        "http://example.com#@127.0.0.1",
        "http://user@127.0.0.1/x",
        "http://localhost.example.com/x",
        "http://127.0.0.1:99999/x",
        "http://127.0.0.1/x\r\nX-Evil: 1",
        "http://[::1/x",
        "",
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    """This program must not be a way to anywhere else."""
    with pytest.raises(RefusedError):
        require_loopback("webhook", url)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("amount", "0"),
        ("amount", "-5"),
        ("amount", "12.50"),
        ("amount", "٣"),
        ("amount", "99999999999"),
        ("currency", "eur"),
        ("session", ""),
        ("practice", "x" * 3_000),
        ("webhook", "https://example.com/"),
        ("return", "https://example.com/"),
        ("asOf", "yesterday"),
        ("asOf", "2026-03-02T15:00:00"),
    ],
)
def test_a_bad_field_is_a_clear_400(processor: ProcessorServer, name: str, value: str) -> None:
    """The page and the form's target refuse alike, and name the field."""
    query = urlencode(FIELDS | {name: value})
    shown = ask(processor, "GET", f"/checkout?{query}")
    sent = ask(processor, "POST", "/checkout", dict(FIELDS, outcome="approve") | {name: value})
    assert (shown.status, sent.status) == (400, 400)
    assert name.lower() in shown.text.lower()


@pytest.mark.parametrize("outcome", ["", "refund"])
def test_an_unknown_outcome_is_refused(processor: ProcessorServer, practice: Practice, outcome: str) -> None:
    """Only approve and decline are there to choose."""
    assert ask(processor, "POST", "/checkout", checkout(practice, outcome=outcome)).status == 400
    assert practice.events == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_other_paths_are_not_there(processor: ProcessorServer, method: str) -> None:
    """One page and the welcome."""
    assert ask(processor, method, "/other", {} if method == "POST" else None).status == 404
    assert ask(processor, "GET", "/").status == 200


def test_a_form_that_is_too_long_is_refused(processor: ProcessorServer) -> None:
    """The body isn't read to its end."""
    connection = http.client.HTTPConnection("127.0.0.1", processor.server_port, timeout=10)
    connection.putrequest("POST", "/checkout")
    connection.putheader("Content-Length", str(10**9))
    connection.endheaders()
    assert connection.getresponse().status == 400
    connection.close()


def test_event_ids_depend_on_session_and_outcome_alone() -> None:
    """What repeats is the same event; what differs isn't."""
    first = event(FIELDS, "approve", NOW)["eventId"]
    assert first == event(FIELDS | {"amount": "1"}, "approve", datetime.now(UTC))["eventId"]
    assert first != event(FIELDS, "decline", NOW)["eventId"]
    assert first != event(FIELDS | {"session": "cs_2"}, "approve", NOW)["eventId"]


def test_fields_are_read_as_they_were_sent() -> None:
    """The address to go back to keeps its own query."""
    fields = read_fields(urlencode(FIELDS | {"return": "http://127.0.0.1/done?a=1&b=%20"}))
    assert parse_qs(urlsplit(fields["return"]).query, keep_blank_values=True) == {"a": ["1"], "b": [" "]}


def test_signature_covers_time_and_body() -> None:
    """A known answer, so that the other side's check can be compared with it."""
    digest = hmac.new(b"key", b'1772463600.{"a":1}', hashlib.sha256).hexdigest()
    assert sign("key", b'{"a":1}', NOW) == f"t=1772463600,v1={digest}"


# --- a checkout that the practice ended --------------------------------------------------------------------------


def test_a_checkout_that_the_practice_ended_takes_no_choice_any_more(
    processor: ProcessorServer, practice: Practice
) -> None:
    fields = FIELDS | {"webhook": practice.url}
    assert sandbox.expire(processor.url, fields["session"], "made-up")
    assert ask(processor, "GET", f"/checkout?{urlencode(fields)}").status == 410
    assert ask(processor, "POST", "/checkout", fields | {"outcome": "approve"}).status == 400
    assert practice.events == []
    assert ask(processor, "GET", f"/checkout?{urlencode(fields | {'session': 'cs_2'})}").status == 200


def test_nobody_else_can_end_a_checkout(processor: ProcessorServer) -> None:
    assert not sandbox.expire(processor.url, FIELDS["session"], "another key")
    assert ask(processor, "GET", f"/checkout?{urlencode(FIELDS)}").status == 200


def test_a_processor_that_is_not_there_stops_nobody() -> None:
    assert not sandbox.expire("http://127.0.0.1:9", FIELDS["session"], "made-up")
