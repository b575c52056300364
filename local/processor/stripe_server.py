"""The simulated Stripe over HTTP: its API for what Dunlin uses, its hosted page, and its signed webhooks.

Webhooks can be forced to come as they come in bad weather: several times, in another order, late (`Weather`). What
nobody clicks, such as a dispute, is done by `POST /simulate/<what>` (`python -m local.processor`).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import threading
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, override
from urllib.parse import parse_qsl, urlsplit

from local.processor import page as processor_page
from local.processor.server import format_amount, post_event, require_loopback
from local.processor.stripe_objects import StripeApiError, StripeFields, StripeObjects

if TYPE_CHECKING:
    from collections.abc import Callable

STRIPE_HEADER = "Stripe-Signature"
_MOST_FORM_BYTES = 64 * 1024


@dataclass(frozen=True)
class Weather:
    """How webhooks come. copies: of each event; reordered: the last one first; seconds: how late."""

    copies: int = 1
    reordered: bool = False
    seconds: float = 0.0


@dataclass
class StripeWebhooks:
    """What is to be told to the practice's endpoint. url: empty: nobody is told, and events wait in `waiting`."""

    url: str = ""
    secret: str = field(default_factory=lambda: f"whsec_{secrets.token_hex(16)}")
    weather: Weather = Weather()
    waiting: list[StripeFields] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def tell(self, event: StripeFields) -> None:
        """Keep an event until it is delivered."""
        with self.lock:
            self.waiting.append(event)

    def signed(self, body: bytes, at: float) -> str:
        """The header by which Stripe signs a body."""
        mac = hmac.new(self.secret.encode(), f"{int(at)}.".encode() + body, hashlib.sha256)
        return f"t={int(at)},v1={mac.hexdigest()}"

    def deliver(self) -> list[int]:
        """Tell all that waits, as the weather has it; the endpoint's statuses. What isn't taken waits on."""
        with self.lock:
            events, self.waiting = self.waiting, []
        if not self.url:
            self.waiting = events
            return []
        time.sleep(self.weather.seconds)
        statuses = list[int]()
        for event in events[::-1] if self.weather.reordered else events:
            told = [self._post(event) for _ in range(self.weather.copies)]
            statuses += told
            if not any(HTTPStatus(status).is_success for status in told):
                self.tell(event)
        return statuses

    def _post(self, event: StripeFields) -> int:
        body = json.dumps(event).encode()
        try:
            return post_event(
                self.url, body, {"Content-Type": "application/json", STRIPE_HEADER: self.signed(body, time.time())}
            )
        except OSError:
            return HTTPStatus.BAD_GATEWAY


def unfolded(form: str) -> StripeFields:
    """A form body as Stripe reads it: `a[b][0]=c` is a member within a member."""
    found: StripeFields = {}
    for name, value in parse_qsl(form, keep_blank_values=True, max_num_fields=200):
        first, *rest = name.replace("]", "").split("[")
        at, path = found, [first, *rest]
        for step in path[:-1]:
            at = at.setdefault(step, {})
        at[path[-1]] = value
    return found


class StripeServer(ThreadingHTTPServer):
    """The simulated Stripe's server; port 0 chooses a free one. key: the secret API key of its one account."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], key: str | None = None, webhook: str = "") -> None:
        if webhook:
            require_loopback("webhook", webhook)
        self.key = key or f"sk_test_{secrets.token_hex(16)}"
        self.webhooks = StripeWebhooks(url=webhook)
        self.objects = StripeObjects(time.time, self.webhooks.tell)
        self.requests = list[tuple[str, str, str]]()
        """Each API request with its path and its body: what Stripe was told."""
        super().__init__(address, _StripeHandler)
        self.objects.base_url = self.url

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{self.server_address[0]!s}:{self.server_port}"

    @property
    def simulations(self) -> dict[str, Callable[[str, StripeFields], str | None]]:
        """What nobody clicks, by its name; each gets the id of what it is about."""
        objects = self.objects
        return {
            "bank-pays": lambda session, _: objects.bank_pays(session),
            "bank-refuses": lambda session, _: objects.bank_refuses(session),
            "refund": lambda payment, asked: objects.refund_at_the_desk(payment, asked.get("amount")),
            "fail-refund": lambda refund, _: objects.fail_refund(refund),
            "dispute": lambda payment, _: objects.dispute(payment),
            "win-dispute": lambda dispute, _: objects.close_dispute(dispute, "won"),
            "lose-dispute": lambda dispute, _: objects.close_dispute(dispute, "lost"),
            "endpoint": lambda url, _: self._send_to(url),
            "weather": lambda _, asked: self._turn(asked),
        }

    def _send_to(self, url: str) -> None:
        require_loopback("webhook", url)
        self.webhooks.url = url

    def _turn(self, asked: StripeFields) -> None:
        copies, seconds = int(asked.get("copies", 1)), float(asked.get("seconds", 0))
        self.webhooks.weather = Weather(copies, bool(asked.get("reordered")), seconds)

    def deliver_soon(self) -> None:
        """Tell the endpoint what has happened, after the answer that it is part of."""
        if self.webhooks.url:
            threading.Thread(target=self.webhooks.deliver, daemon=True).start()


class _StripeHandler(BaseHTTPRequestHandler):
    """One request to the simulated Stripe."""

    server: StripeServer
    server_version = "SimulatedStripe"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    timeout = 120

    def do_GET(self) -> None:
        """Read an object, or show a hosted page."""
        parts = urlsplit(self.path)
        match parts.path.strip("/").split("/"):
            case ["v1", "checkout", "sessions", session_id]:
                self._api(lambda _: self.server.objects.session(session_id), "")
            case ["v1", "refunds"]:
                self._api(self.server.objects.list_refunds, parts.query)
            case ["pay", session_id]:
                self._page(session_id)
            case _:
                self._answer(HTTPStatus.NOT_FOUND, processor_page.refused("There is no such page."))

    def do_POST(self) -> None:
        """Make an object, end a checkout, pay, or simulate what nobody clicks."""
        objects, form = self.server.objects, self._form()
        match urlsplit(self.path).path.strip("/").split("/"):
            case ["v1", "checkout", "sessions"]:
                self._api(self._once(objects.create_session), form)
            case ["v1", "checkout", "sessions", session_id, "expire"]:
                self._api(lambda _: objects.expire_session(session_id), form)
            case ["v1", "refunds"]:
                self._api(self._once(objects.create_refund), form)
            case ["pay", session_id]:
                self._pay(session_id, unfolded(form).get("way", ""))
            case ["simulate", what]:
                self._simulate(what, unfolded(form))
            case _:
                self._answer(HTTPStatus.NOT_FOUND, processor_page.refused("There is no such page."))
        self.server.deliver_soon()

    def _once(self, make: Callable[[StripeFields], StripeFields]) -> Callable[[StripeFields], StripeFields]:
        key = self.headers.get("Idempotency-Key", "")
        return lambda asked: self.server.objects.once(key, asked, make)

    def _api(self, answer: Callable[[StripeFields], StripeFields], form: str) -> None:
        self.server.requests.append((self.command, urlsplit(self.path).path, form))
        if self.headers.get("Authorization", "") != f"Bearer {self.server.key}":
            self._json(HTTPStatus.UNAUTHORIZED, StripeApiError("Invalid API Key provided").body)
            return
        try:
            self._json(HTTPStatus.OK, answer(unfolded(form)))
        except StripeApiError as error:
            self._json(error.status, error.body)

    def _page(self, session_id: str) -> None:
        session = self.server.objects.sessions.get(session_id)
        if session is None or session["status"] != "open":
            self._answer(HTTPStatus.GONE, processor_page.refused("This checkout is over."))
            return
        amount = format_amount(session["amount_total"])
        self._answer(HTTPStatus.OK, processor_page.stripe_checkout(session_id, amount, session["cancel_url"] or ""))

    def _pay(self, session_id: str, way: str) -> None:
        try:
            session = self.server.objects.pay(session_id, way)
        except StripeApiError as error:
            self._answer(error.status, processor_page.refused(error.message))
            return
        self._answer(HTTPStatus.SEE_OTHER, "", {"Location": session["success_url"]})

    def _simulate(self, what: str, asked: StripeFields) -> None:
        act = self.server.simulations.get(what)
        if act is None:
            self._json(HTTPStatus.NOT_FOUND, {"error": {"message": f"One of {', '.join(self.server.simulations)}."}})
            return
        try:
            done = act(str(asked.get("id", "")), asked)
        except StripeApiError as error:
            self._json(error.status, error.body)
        except ValueError as error:
            self._json(HTTPStatus.BAD_REQUEST, {"error": {"message": str(error)}})
        else:
            self._json(HTTPStatus.OK, {"id": done or ""})

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: what is asked of it names references and tokens."""

    def _form(self) -> str:
        length = min(int(self.headers.get("Content-Length") or 0), _MOST_FORM_BYTES)
        return self.rfile.read(length).decode("utf-8", "replace")

    def _json(self, status: HTTPStatus, body: StripeFields) -> None:
        self._send(status, json.dumps(body).encode(), {"Content-Type": "application/json", "Request-Id": "req_1"})

    def _answer(self, status: HTTPStatus, page: str, headers: dict[str, str] | None = None) -> None:
        told = {**processor_page.SECURITY_HEADERS, "Content-Type": "text/html; charset=utf-8", **(headers or {})}
        self._send(status, page.encode(), told)

    def _send(self, status: HTTPStatus, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
