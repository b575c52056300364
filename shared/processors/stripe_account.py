"""An organization's account at Stripe, by the official SDK: checkouts opened and ended, payments refunded.

The SDK is imported by the calls that need it: a page that needs none must not wait for it.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from shared.processors.secret_values import SecretUnreadableError, SecretValues

if TYPE_CHECKING:
    from stripe import StripeClient
    from stripe.params import RefundCreateParams
    from stripe.params.checkout import SessionCreateParams

STRIPE_SECONDS = 5.0
"""How long one try of a call to Stripe may take."""

STRIPE_RETRIES = 1
"""How often the SDK tries a call again whose answer was lost; its idempotency key keeps it one."""

REFERENCE_NAME, REFUND_NAME = "dunlinReference", "dunlinRefund"
"""Our own ids in the metadata of what we make at Stripe."""

DESCRIPTIONS = {"en": "Payment", "es": "Pago"}
"""All that Stripe is told of what is paid: nothing of health, of a person, or of a bill."""


class ProcessorUnavailableError(Exception):
    """The processor can't be asked now, or doesn't know us: what was asked for may or may not have happened."""


class ProcessorRefusedError(Exception):
    """The processor won't do what was asked for; it hasn't happened. Its text is a word of the processor's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRequest:
    """A checkout to be opened. reference: ours, which is the idempotency key too. amount: cents; back, cancel: URLs.

    email: to be filled in for the payer; empty: it isn't told.
    """

    reference: str
    amount: int
    language: str
    back: str
    cancel: str
    email: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedSession:
    """A checkout at Stripe: its id there, and where the browser goes."""

    session_id: str
    url: str


class SessionEnd(StrEnum):
    """What became of a checkout that was to end: nobody pays there any more, somebody has paid, or it isn't known."""

    ENDED = "ended"
    PAID = "paid"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRequest:
    """A refund to be made. request_id: ours, which is the idempotency key too. amount: cents."""

    reference: str
    request_id: str
    processor_payment: str
    amount: int


@dataclass(frozen=True, slots=True)
class StripeAccounts:
    """The Stripe accounts of organizations, each by its secret's name. api_url: of another Stripe, in test stacks."""

    secrets: SecretValues
    api_url: str = ""

    def open_session(self, secret_name: str, wanted: SessionRequest) -> OpenedSession:
        """Open a checkout: the same one for the same reference. Raises the errors of this module."""
        session = self._asked(
            secret_name,
            lambda client: client.v1.checkout.sessions.create(
                _session(wanted), {"idempotency_key": f"checkout-{wanted.reference}"}
            ),
        )
        if not session.url:
            raise ProcessorUnavailableError
        return OpenedSession(session_id=session.id, url=session.url)

    def end_session(self, secret_name: str, session_id: str) -> SessionEnd:
        """End a checkout, so that nobody pays there any more, and answer what became of it.

        A patient's new way to pay doesn't hang on that: what is paid twice all the same is posted twice, and told.
        """
        try:
            self._asked(secret_name, lambda client: client.v1.checkout.sessions.expire(session_id))
        except ProcessorRefusedError:
            return self._end_of(secret_name, session_id)
        except (ProcessorUnavailableError, SecretUnreadableError):
            return SessionEnd.UNKNOWN
        return SessionEnd.ENDED

    def _end_of(self, secret_name: str, session_id: str) -> SessionEnd:
        """What became of a checkout that can't be ended."""
        try:
            session = self._asked(secret_name, lambda client: client.v1.checkout.sessions.retrieve(session_id))
        except (ProcessorUnavailableError, ProcessorRefusedError):
            return SessionEnd.UNKNOWN
        ends = {"complete": SessionEnd.PAID, "expired": SessionEnd.ENDED}
        return ends.get(session.status or "", SessionEnd.UNKNOWN)

    def refund(self, secret_name: str, wanted: RefundRequest) -> str:
        """Refund a payment, once for a request; Stripe's id of the refund. Raises the errors of this module.

        Stripe forgets an idempotency key after a day, so a request that was made before is looked for first.
        """

        def made(client: "StripeClient") -> str:
            known = client.v1.refunds.list({"payment_intent": wanted.processor_payment, "limit": 100})
            for refund in known.data:
                if refund.metadata and refund.metadata.to_dict().get(REFUND_NAME) == wanted.request_id:
                    return refund.id
            options = {"idempotency_key": f"refund-{wanted.request_id}"}
            return client.v1.refunds.create(_refund(wanted), options).id  # type: ignore[arg-type] # any of its options

        return self._asked(secret_name, made)

    def _asked[R](self, secret_name: str, ask: Callable[["StripeClient"], R]) -> R:
        """What Stripe answers; asked once more with the secret of now where it doesn't know the one that was read."""
        import stripe  # noqa: PLC0415 - see above

        key = self.secrets.read(secret_name).current
        try:
            try:
                return ask(_client(key, self.api_url))
            except stripe.AuthenticationError:
                renewed = self.secrets.renewed(secret_name)
                if renewed is None:
                    raise
                return ask(_client(renewed.current, self.api_url))
        except (stripe.InvalidRequestError, stripe.CardError, stripe.IdempotencyError) as error:
            raise ProcessorRefusedError(error.code or "") from None
        except stripe.StripeError:
            raise ProcessorUnavailableError from None


def _session(wanted: SessionRequest) -> "SessionCreateParams":
    ours = {REFERENCE_NAME: wanted.reference}
    asked: SessionCreateParams = {
        "mode": "payment",
        "client_reference_id": wanted.reference,
        "metadata": ours,
        "payment_intent_data": {"metadata": ours, "description": DESCRIPTIONS[wanted.language]},
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": "usd",
                    "unit_amount": wanted.amount,
                    "product_data": {"name": DESCRIPTIONS[wanted.language]},
                },
            }
        ],
        "submit_type": "pay",
        "locale": "es" if wanted.language == "es" else "en",
        "adaptive_pricing": {"enabled": False},
        "success_url": wanted.back,
        "cancel_url": wanted.cancel,
    }
    if wanted.email:
        asked["customer_email"] = wanted.email
    return asked


def _refund(wanted: RefundRequest) -> "RefundCreateParams":
    return {
        "payment_intent": wanted.processor_payment,
        "amount": wanted.amount,
        "metadata": {REFERENCE_NAME: wanted.reference, REFUND_NAME: wanted.request_id},
    }


@lru_cache(maxsize=8)
def _client(key: str, api_url: str) -> "StripeClient":
    import stripe  # noqa: PLC0415 - see above

    # What it would tell Stripe of our calls' times is nobody's business; what it logs names sessions.
    stripe.enable_telemetry = False
    logging.getLogger("stripe").setLevel(logging.ERROR)
    settings: dict[str, Any] = {"base_addresses": {"api": api_url}} if api_url else {}
    return stripe.StripeClient(
        key,
        max_network_retries=STRIPE_RETRIES,
        http_client=stripe.RequestsClient(timeout=STRIPE_SECONDS),
        **settings,
    )
