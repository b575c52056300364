"""The practice of clinic.py with an account at a simulated Stripe, which the official SDK talks to over HTTP."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.processor.stripe_objects import StripeFields
from local.processor.stripe_server import STRIPE_HEADER, StripeServer
from shared.domain.records.payment_link import Checkout
from shared.domain.records.policy import PaymentSettings
from shared.domain.vocabulary.words import Processor
from shared.messaging import clients
from tests.worlds.clinic import Answer, Clinic, gateway_event, invoke

KEY_NAME, WEBHOOK_NAME = "dunlin-test/stripe/org_1", "dunlin-test/stripe/org_1-webhook"
STRIPE = PaymentSettings(
    processor=Processor.STRIPE, stripe_secret_name=KEY_NAME, stripe_webhook_secret_name=WEBHOOK_NAME
)


@contextmanager
def simulated_stripe() -> Iterator[StripeServer]:
    """A simulated Stripe on this computer, until the test ends."""
    server = StripeServer(("127.0.0.1", 0))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def store_secrets(server: StripeServer) -> None:
    """Put the account's two secrets into Secrets Manager, as a practice does."""
    for name, value in ((KEY_NAME, server.key), (WEBHOOK_NAME, server.webhooks.secret)):
        clients.secrets().create_secret(Name=name, SecretString=value)


@dataclass
class StripeClinic:
    """The clinic, and what happens at its Stripe. `events` were told by it and aren't delivered yet."""

    clinic: Clinic
    stripe: StripeServer

    @property
    def checkouts(self) -> list[Checkout]:
        """The link's checkouts, as they began."""
        return sorted(self.clinic.book.checkouts, key=lambda checkout: checkout.created_at)

    @property
    def session_ids(self) -> list[str]:
        return list(self.stripe.objects.sessions)

    def opened(self, **form: str) -> str:
        """Go to Stripe; the session's id."""
        self.clinic.verify()
        answer = self.clinic.checkout(**form)
        assert (answer.status, answer.location.startswith(self.stripe.url)) == (303, True)
        return answer.location.rsplit("/", 1)[1]

    def events(self) -> list[StripeFields]:
        """What Stripe has told since this was asked last."""
        told, self.stripe.webhooks.waiting = self.stripe.webhooks.waiting, []
        return told

    def deliver(self, events: list[StripeFields] | None = None) -> list[int]:
        """Tell the practice, one after the other; the statuses."""
        return [self.hook(event).status for event in (self.events() if events is None else events)]

    def hook(
        self,
        event: StripeFields,
        *,
        org_id: str = "org_1",
        at: float | None = None,
        signature: str | None = None,
        now: datetime | None = None,
    ) -> Answer:
        """Send one event to the practice's endpoint."""
        body = json.dumps(event)
        stamp = datetime.now(UTC).timestamp() if at is None else at
        signed = self.stripe.webhooks.signed(body.encode(), stamp) if signature is None else signature
        headers = {STRIPE_HEADER: signed, "Dunlin-As-Of": (now or self.clinic.now).isoformat()}
        return invoke(gateway_event("POST", f"/webhooks/stripe/{org_id}", body, headers), self.clinic.context)

    def paid(self, way: str = "card", **form: str) -> str:
        """Pay all, or what the form says, and let the practice know; the payment's id at Stripe."""
        session = self.stripe.objects.pay(self.opened(**form), way)
        assert set(self.deliver()) == {200}
        return str(session["payment_intent"])

    def postings(self) -> list[tuple[str, int]]:
        """The ledger's money, oldest first: method and cents."""
        return [(payment.method, payment.amount) for payment in self.ledger() if payment.method != "credit"]

    def ledger(self) -> list[Any]:
        return sorted(self.clinic.book.payments, key=lambda payment: (payment.posted_at, payment.reverses != ""))

    @property
    def net(self) -> int:
        """All money that came and stayed, in cents."""
        return sum(payment.amount for payment in self.clinic.book.payments)
