"""The simulated payment processor of the local stack: a checkout page that approves or declines. No money moves.

The pay page sends the browser to `GET /checkout?session=..&org=..&amount=..&currency=usd&reference=..&practice=..
&webhook=..&return=..`, with `asOf` where time is simulated. The person's choice goes to the webhook as a signed event,
and the browser back to the practice once the event was taken. `POST /expire` with `{"session": ..}`, signed like an
event, ends a checkout: its page then takes no choice any more.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import ipaddress
import json
import secrets
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, override
from urllib.parse import parse_qs, urlsplit

from local.processor import page as processor_page

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PROCESSOR_SIGNATURE_HEADER = "Dunlin-Sandbox-Signature"
AS_OF_HEADER = "Dunlin-As-Of"
EVENT_TYPES = {"approve": "checkout.completed", "decline": "checkout.declined"}
_REQUIRED = ("session", "org", "amount", "currency", "reference", "practice", "webhook", "return")
_CARRIED = (*_REQUIRED, "asOf")
_MOST_BYTES = 64 * 1024
_LONGEST_VALUE = 2048
_MOST_CENTS_DIGITS = 10
_WEBHOOK_SECONDS = 60.0
_MOST_STAMP_DIGITS = 11
EXPIRED = "This checkout has expired, because a newer one was started."


class RefusedError(ValueError):
    """The request isn't one that this processor takes; the message says why."""


class UnconfirmedError(Exception):
    """The practice's webhook didn't take the event; the message says why."""


def read_fields(query: str) -> dict[str, str]:
    """Return the fields of a checkout from a query string or form body, or raise RefusedError."""
    given = parse_qs(query, keep_blank_values=True, max_num_fields=50)
    fields = {name: given[name][0] for name in _CARRIED if name in given}
    for name in _REQUIRED:
        if not fields.get(name):
            raise RefusedError(f"The field “{name}” is missing.")
    for name, value in fields.items():
        if len(value) > _LONGEST_VALUE:
            raise RefusedError(f"The field “{name}” is too long.")
    _check(fields)
    return fields


def _check(fields: Mapping[str, str]) -> None:
    """Raise RefusedError for a value that a checkout can't have."""
    amount = fields["amount"]
    if not (amount.isascii() and amount.isdigit() and len(amount) <= _MOST_CENTS_DIGITS and int(amount) > 0):
        raise RefusedError("The amount must be a whole number of cents above zero.")
    if fields["currency"] != "usd":
        raise RefusedError("The currency must be usd.")
    for name in ("webhook", "return"):
        require_loopback(name, fields[name])
    if "asOf" in fields:
        _instant(fields["asOf"])


def require_loopback(name: str, url: str) -> None:
    """Refuse an address that isn't on this computer: this program must not be a way to anywhere else."""
    message = f"The {name} address must be http or https on this computer (127.0.0.1, ::1 or localhost)."
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        raise RefusedError(message) from None
    if (
        parts.scheme not in {"http", "https"}
        or parts.username is not None
        or not url.isascii()
        or not url.isprintable()
    ):
        raise RefusedError(message)
    try:
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise RefusedError(message)


def event(fields: Mapping[str, str], outcome: str, now: datetime) -> dict[str, Any]:
    """Return the event for an outcome. Its id depends on session and outcome alone, so a repeat is recognizable."""
    digest = hashlib.sha256(f"{fields['session']}\0{outcome}".encode()).hexdigest()
    return {
        "type": EVENT_TYPES[outcome],
        "eventId": f"evt_{digest[:32]}",
        "sessionId": fields["session"],
        "reference": fields["reference"],
        "amount": int(fields["amount"]),
        "currency": fields["currency"],
        "occurredAt": now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    }


def sign(key: str, body: bytes, now: datetime) -> str:
    """Return the signature header's value for a body: the time in Unix seconds and an HMAC-SHA-256 over both."""
    stamp = int(now.timestamp())
    digest = hmac.new(key.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


def signed(key: str, body: bytes, header: str) -> bool:
    """Whether the key signed a body, at whatever time."""
    stamp = header.removeprefix("t=").partition(",")[0]
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= _MOST_STAMP_DIGITS):
        return False
    return hmac.compare_digest(sign(key, body, datetime.fromtimestamp(int(stamp), UTC)), header)


def format_amount(cents: int) -> str:
    """Return an amount as a person reads it."""
    return f"${cents // 100:,}.{cents % 100:02d}"


class ProcessorServer(ThreadingHTTPServer):
    """The processor's HTTP server; port 0 chooses a free one. `key` signs its events."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], key: str | None = None, log: Path | None = None) -> None:
        self.key = key or secrets.token_hex(32)
        self.log = log
        self.expired = set[str]()
        super().__init__(address, _Handler)

    @property
    def url(self) -> str:
        """The address to redirect a payer's browser to, without `/checkout`."""
        return f"http://{self.server_address[0]!s}:{self.server_port}"

    def tell(self, fields: Mapping[str, str], outcome: str) -> None:
        """Send the event to the webhook, or raise UnconfirmedError.

        In simulated time the event bears that time, as everything that follows from a request does; the signature is
        of the moment it is made in, for its age is how a replay is told.
        """
        as_of, clock = fields.get("asOf"), datetime.now(UTC)
        body = json.dumps(event(fields, outcome, _instant(as_of) if as_of else clock), separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json", PROCESSOR_SIGNATURE_HEADER: sign(self.key, body, clock)}
        if as_of:
            headers[AS_OF_HEADER] = as_of
        try:
            status = post_event(fields["webhook"], body, headers)
        except (OSError, http.client.HTTPException) as error:
            raise UnconfirmedError(f"its system didn't answer ({type(error).__name__})") from error
        if not HTTPStatus(status).is_success:
            raise UnconfirmedError(f"its system answered with status {status}")


class _Handler(BaseHTTPRequestHandler):
    """One request to the processor."""

    server: ProcessorServer
    server_version = "SimulatedProcessor"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    timeout = 120

    def do_GET(self) -> None:
        """Show the checkout page; looking at it changes nothing."""
        parts = urlsplit(self.path)
        if parts.path == "/":
            self._answer(HTTPStatus.OK, processor_page.welcome())
        elif parts.path != "/checkout":
            self._answer(HTTPStatus.NOT_FOUND, processor_page.refused("There is no such page."))
        else:
            try:
                fields = read_fields(parts.query)
            except ValueError as error:
                self._answer(HTTPStatus.BAD_REQUEST, processor_page.refused(str(error)))
                return
            if fields["session"] in self.server.expired:
                self._answer(HTTPStatus.GONE, processor_page.refused(EXPIRED))
                return
            page = processor_page.checkout(fields, fields["practice"], format_amount(int(fields["amount"])))
            self._answer(HTTPStatus.OK, page)

    def do_HEAD(self) -> None:
        """Answer like GET, without the page."""
        self.do_GET()

    def do_POST(self) -> None:
        """Tell the practice of the choice and send the browser back."""
        path = urlsplit(self.path).path
        if path == "/expire":
            self._expire()
        elif path == "/checkout":
            self._choose()
        else:
            self._answer(HTTPStatus.NOT_FOUND, processor_page.refused("There is no such page."))

    def _expire(self) -> None:
        """End a checkout, if the practice asks for it."""
        try:
            body = self._form()
            if not signed(self.server.key, body.encode(), self.headers.get(PROCESSOR_SIGNATURE_HEADER, "")):
                raise RefusedError("The signature is missing or wrong.")
            session = json.loads(body)["session"]
        except (ValueError, KeyError, TypeError) as error:
            self.close_connection = True
            self._answer(HTTPStatus.BAD_REQUEST, processor_page.refused(str(error)))
            return
        self.server.expired.add(str(session))
        self._answer(HTTPStatus.NO_CONTENT, "")

    def _choose(self) -> None:
        try:
            form = self._form()
            fields = read_fields(form)
            outcome = parse_qs(form).get("outcome", [""])[0]
            if outcome not in EVENT_TYPES:
                raise RefusedError("The outcome must be “approve” or “decline”.")
            if fields["session"] in self.server.expired:
                raise RefusedError(EXPIRED)
        except ValueError as error:
            self.close_connection = True
            self._answer(HTTPStatus.BAD_REQUEST, processor_page.refused(str(error)))
            return
        try:
            self.server.tell(fields, outcome)
        except UnconfirmedError as error:
            page = processor_page.unconfirmed(fields, fields["practice"], outcome, str(error))
            self._answer(HTTPStatus.BAD_GATEWAY, page)
            return
        self._answer(HTTPStatus.SEE_OTHER, "", {"Location": fields["return"]})

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Write the method, the path without its query, and the status: references and names stay out of logs."""
        if self.server.log is None:
            return
        path = urlsplit(getattr(self, "path", "")).path
        status = args[1] if len(args) > 1 else "-"
        with self.server.log.open("a", encoding="utf-8") as file:
            file.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {self.command} {path} {status}\n")

    def _form(self) -> str:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or int(length) > _MOST_BYTES:
            raise RefusedError("The form is missing or too long.")
        try:
            return self.rfile.read(int(length)).decode()
        except UnicodeDecodeError:
            raise RefusedError("The form isn't readable text.") from None

    def _answer(self, status: HTTPStatus, page: str, headers: Mapping[str, str] | None = None) -> None:
        body = page.encode()
        self.send_response(status)
        for name, value in {**processor_page.SECURITY_HEADERS, **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _instant(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = datetime.min  # noqa: DTZ901 - stands for "unreadable", refused just below
    if moment.tzinfo is None:
        raise RefusedError("asOf must be an instant with a time zone, like 2026-03-02T15:00:00Z.")
    return moment


def post_event(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Post to an address on this computer, without proxies and without following redirects; return the status."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_WEBHOOK_SECONDS)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, body=body, headers=dict(headers))
        response = connection.getresponse()
        response.read(_MOST_BYTES)
        return response.status
    finally:
        connection.close()
