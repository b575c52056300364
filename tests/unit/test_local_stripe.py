"""The simulated Stripe: it answers the official SDK, refuses what Stripe refuses, and tells of it in any weather."""

import http.client
import json
import threading
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, override
from urllib.parse import urlencode, urlsplit

import pytest
import stripe

from local.processor.stripe_server import STRIPE_HEADER, StripeServer, Weather, unfolded
from tests.worlds.stripe_clinic import simulated_stripe


@pytest.fixture
def server() -> Iterator[StripeServer]:
    with simulated_stripe() as running:
        yield running


@pytest.fixture
def client(server: StripeServer) -> Any:
    return stripe.StripeClient(server.key, base_addresses={"api": server.url}, max_network_retries=0)


def wanted(cents: int = 50_00, **changes: Any) -> dict[str, Any]:
    price = {"currency": "usd", "unit_amount": cents, "product_data": {"name": "Payment"}}
    asked = {
        "mode": "payment",
        "success_url": "http://127.0.0.1/done",
        "line_items": [{"quantity": 1, "price_data": price}],
    }
    return asked | changes


def ask(server: StripeServer, method: str, path: str, **form: str) -> tuple[int, str, str]:
    """A request as a browser makes it: status, way on, body."""
    parts = urlsplit(server.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    connection.request(method, path, urlencode(form))
    answer = connection.getresponse()
    told = answer.status, answer.headers.get("Location", ""), answer.read().decode()
    connection.close()
    return told


def test_a_form_is_unfolded_as_stripe_reads_it() -> None:
    assert unfolded("a=1&b[c]=2&d[0][e]=3&d[0][f]=") == {"a": "1", "b": {"c": "2"}, "d": {"0": {"e": "3", "f": ""}}}


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (wanted(49), "amount_too_small"),
        (wanted(100_000_000), "amount_too_large"),
        (wanted(success_url="javascript:x"), "url_invalid"),
        (wanted(made_up="x"), "parameter_unknown"),
        (wanted(line_items=[]), "parameter_missing"),
        (wanted(mode="subscription"), None),
        (wanted(metadata={"k" * 41: "v"}), None),
        (wanted(client_reference_id="r" * 201), None),
    ],
)
def test_what_stripe_refuses_is_refused(client: Any, asked: dict[str, Any], code: str | None) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.checkout.sessions.create(asked)
    assert refused.value.code == code


def test_a_stranger_is_refused(server: StripeServer) -> None:
    stranger = stripe.StripeClient("sk_test_other", base_addresses={"api": server.url}, max_network_retries=0)
    with pytest.raises(stripe.AuthenticationError):
        stranger.v1.checkout.sessions.create(wanted())  # type: ignore[arg-type]  # a test's own dictionary


def test_an_idempotency_key_makes_one_object_and_serves_one_request(client: Any) -> None:
    key = {"idempotency_key": "k-1"}
    first, again = (client.v1.checkout.sessions.create(wanted(), key) for _ in range(2))
    assert first.id == again.id
    with pytest.raises(stripe.IdempotencyError):
        client.v1.checkout.sessions.create(wanted(60_00), key)


def test_only_an_open_checkout_is_ended_and_a_paid_one_is_not_paid_again(server: StripeServer, client: Any) -> None:
    session = client.v1.checkout.sessions.create(wanted())
    server.objects.pay(session.id, "card")
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.checkout.sessions.expire(session.id)
    assert client.v1.checkout.sessions.retrieve(session.id).status == "complete"
    assert ask(server, "POST", f"/pay/{session.id}", way="card")[0] == HTTPStatus.BAD_REQUEST
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.checkout.sessions.retrieve("cs_test_none")


def test_no_more_is_refunded_than_was_paid(server: StripeServer, client: Any) -> None:
    payment = server.objects.pay(client.v1.checkout.sessions.create(wanted()).id, "card")["payment_intent"]
    client.v1.refunds.create({"payment_intent": payment, "amount": 20_00})
    for amount in (30_01, 0):
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.refunds.create({"payment_intent": payment, "amount": amount})
    client.v1.refunds.create({"payment_intent": payment})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"payment_intent": payment})
    assert refused.value.code == "charge_already_refunded"
    assert [one.amount for one in client.v1.refunds.list({"payment_intent": payment}).data] == [30_00, 20_00]


def test_the_hosted_page_is_labelled_and_leads_back_when_paid(server: StripeServer, client: Any) -> None:
    session = client.v1.checkout.sessions.create(wanted())
    path = urlsplit(session.url).path
    status, _, page = ask(server, "GET", path)
    assert (status, "Simulated" in page, "no real money" in page, "$50.00" in page) == (200, True, True, True)
    assert ask(server, "POST", path, way="decline")[0] == HTTPStatus.PAYMENT_REQUIRED
    assert ask(server, "POST", path, way="card")[:2] == (303, "http://127.0.0.1/done")
    assert ask(server, "GET", path)[0] == HTTPStatus.GONE


def test_what_nobody_clicks_is_done_by_name(server: StripeServer, client: Any) -> None:
    session = client.v1.checkout.sessions.create(wanted())
    payment = server.objects.pay(session.id, "bank")["payment_intent"]
    assert ask(server, "POST", "/simulate/bank-pays", id=session.id)[0] == 200
    assert ask(server, "POST", "/simulate/refund", id=payment, amount="20_0")[0] == 400
    assert ask(server, "POST", "/simulate/refund", id=payment, amount="2000")[0] == 200
    dispute = json.loads(ask(server, "POST", "/simulate/dispute", id=payment)[2])["id"]
    assert ask(server, "POST", "/simulate/lose-dispute", id=dispute)[0] == 200
    assert ask(server, "POST", "/simulate/made-up")[0] == 404
    assert ask(server, "POST", "/simulate/endpoint", id="https://example.com/hook")[0] == 400
    assert [event["type"] for event in server.webhooks.waiting] == [
        "checkout.session.completed",
        "checkout.session.async_payment_succeeded",
        "refund.created",
        "charge.refunded",
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.closed",
    ]


class Endpoint(BaseHTTPRequestHandler):
    """A practice's endpoint, which fails once."""

    heard: list[tuple[str, str]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.heard.append((body, self.headers[STRIPE_HEADER]))
        self.send_response(500 if len(self.heard) == 1 else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def test_webhooks_come_signed_in_the_weather_that_was_asked_for_until_they_are_taken(
    server: StripeServer, client: Any
) -> None:
    Endpoint.heard = []
    endpoint = HTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=endpoint.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    payment = server.objects.pay(client.v1.checkout.sessions.create(wanted()).id, "card")["payment_intent"]
    server.objects.dispute(payment)
    server.webhooks.weather = Weather(copies=2, reordered=True)
    server.webhooks.url = f"http://127.0.0.1:{endpoint.server_port}/hook"
    assert server.webhooks.deliver() == [500, 200, 200, 200, 200, 200]
    endpoint.shutdown()
    endpoint.server_close()
    assert server.webhooks.waiting == []
    told = [json.loads(body)["type"].rsplit(".", 1)[1] for body, _ in Endpoint.heard]
    assert told == ["funds_withdrawn"] * 2 + ["created"] * 2 + ["completed"] * 2
    for body, signature in Endpoint.heard:
        assert stripe.WebhookSignature.verify_header(body, signature, server.webhooks.secret, 300)
