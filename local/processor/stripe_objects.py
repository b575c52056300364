"""What the simulated Stripe knows and does: checkouts, payments, refunds, disputes, and the events about them.

It keeps to Stripe's API for what Dunlin uses of it, and refuses what Stripe refuses. Nothing here is Stripe, and no
money moves.
"""

from __future__ import annotations

import json
import secrets
import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

type StripeFields = dict[str, Any]

LEAST_CENTS, MOST_CENTS_AT_STRIPE = 50, 99_999_999
SESSION_SECONDS = 24 * 60 * 60
API_VERSION = "2026-09-30.simulated"

_SESSION_FIELDS = frozenset(
    {"mode", "client_reference_id", "metadata", "payment_intent_data", "line_items", "submit_type", "locale"}
    | {"adaptive_pricing", "success_url", "cancel_url", "customer_email"}
)
_REFUND_FIELDS = frozenset({"payment_intent", "amount", "metadata", "reason"})
_METADATA_KEYS, _METADATA_KEY, _METADATA_VALUE, _LONGEST_REFERENCE = 50, 40, 500, 200
_LOCALES = frozenset({"auto", "en", "es"})


@dataclass
class StripeApiError(Exception):
    """A refusal, as Stripe words it."""

    message: str
    status: HTTPStatus = HTTPStatus.BAD_REQUEST
    code: str = ""
    param: str = ""
    type: str = "invalid_request_error"

    @property
    def body(self) -> StripeFields:
        """The answer's body."""
        told = {"type": self.type, "message": self.message, "code": self.code, "param": self.param}
        return {"error": {name: value for name, value in told.items() if value}}


@dataclass
class StripeObjects:
    """One simulated Stripe account. clock: seconds since 1970; base_url: where the hosted pages are.

    tell: gets each event as it happens, in its order.
    """

    clock: Callable[[], float]
    tell: Callable[[StripeFields], None]
    base_url: str = ""
    sessions: dict[str, StripeFields] = field(default_factory=dict)
    payments: dict[str, StripeFields] = field(default_factory=dict)
    charges: dict[str, StripeFields] = field(default_factory=dict)
    refunds: dict[str, StripeFields] = field(default_factory=dict)
    disputes: dict[str, StripeFields] = field(default_factory=dict)
    remembered: dict[str, tuple[str, StripeFields]] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    # --- the API ------------------------------------------------------------------------------------------------

    def once(self, key: str, asked: StripeFields, make: Callable[[StripeFields], StripeFields]) -> StripeFields:
        """Make an object once for an idempotency key; the same key for another request is refused."""
        request = json.dumps(asked, sort_keys=True)
        with self.lock:
            known = self.remembered.get(key)
            if known and known[0] != request:
                raise StripeApiError(
                    "Keys for idempotent requests can only be used with the same parameters.", type="idempotency_error"
                )
            if known:
                return known[1]
            made = json.loads(json.dumps(make(asked)))
            if key:
                self.remembered[key] = request, made
            return dict(made)

    def create_session(self, asked: StripeFields) -> StripeFields:
        """`POST /v1/checkout/sessions`."""
        _only(asked, _SESSION_FIELDS)
        if asked.get("mode") != "payment":
            raise StripeApiError("Only mode=payment is simulated.", param="mode")
        _url("success_url", asked.get("success_url", ""))
        _url("cancel_url", str(asked.get("cancel_url") or asked["success_url"]))
        _metadata(asked.get("metadata", {}))
        if len(asked.get("client_reference_id", "")) > _LONGEST_REFERENCE:
            raise StripeApiError("client_reference_id is too long.", param="client_reference_id")
        if asked.get("locale", "auto") not in _LOCALES:
            raise StripeApiError("Invalid locale.", param="locale")
        amount = _total(asked.get("line_items"))
        session_id = _new_id("cs_test")
        now = int(self.clock())
        session = {
            "id": session_id,
            "object": "checkout.session",
            "amount_total": amount,
            "cancel_url": asked.get("cancel_url"),
            "client_reference_id": asked.get("client_reference_id"),
            "created": now,
            "currency": "usd",
            "customer_email": asked.get("customer_email"),
            "expires_at": now + SESSION_SECONDS,
            "livemode": False,
            "locale": asked.get("locale"),
            "metadata": asked.get("metadata", {}),
            "mode": "payment",
            "payment_intent": None,
            "payment_status": "unpaid",
            "status": "open",
            "success_url": asked["success_url"],
            "url": f"{self.base_url}/pay/{session_id}",
        }
        self.sessions[session_id] = session | {"_intent": asked.get("payment_intent_data", {})}
        return session

    def session(self, session_id: str) -> StripeFields:
        """`GET /v1/checkout/sessions/{id}`."""
        return _shown(_found(self.sessions, session_id, "checkout.session"))

    def expire_session(self, session_id: str) -> StripeFields:
        """`POST /v1/checkout/sessions/{id}/expire`."""
        with self.lock:
            session = _found(self.sessions, session_id, "checkout.session")
            if session["status"] != "open":
                raise StripeApiError('Only Checkout Sessions with a status in ["open"] can be expired.')
            session |= {"status": "expired", "url": None}
            self._event("checkout.session.expired", session)
            return _shown(session)

    def create_refund(self, asked: StripeFields) -> StripeFields:
        """`POST /v1/refunds`."""
        _only(asked, _REFUND_FIELDS)
        _metadata(asked.get("metadata", {}))
        payment = _found(self.payments, asked.get("payment_intent", ""), "payment_intent")
        if payment["status"] != "succeeded":
            raise StripeApiError("This PaymentIntent does not have a successful charge to refund.")
        charge = self.charges[payment["latest_charge"]]
        left = charge["amount"] - charge["amount_refunded"]
        amount = _cents("amount", asked["amount"]) if "amount" in asked else left
        if left == 0:
            raise StripeApiError("The charge has already been refunded.", code="charge_already_refunded")
        if charge["disputed"]:
            raise StripeApiError("The charge has been charged back.", code="charge_disputed")
        if not 0 < amount <= left:
            raise StripeApiError("Refund amount is greater than unrefunded amount on charge.", param="amount")
        refund = {
            "id": _new_id("re"),
            "object": "refund",
            "amount": amount,
            "charge": charge["id"],
            "created": int(self.clock()),
            "currency": "usd",
            "metadata": asked.get("metadata", {}),
            "payment_intent": payment["id"],
            "reason": asked.get("reason"),
            "status": "succeeded",
        }
        self.refunds[refund["id"]] = refund
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]
        self._event("refund.created", refund)
        self._event("charge.refunded", charge)
        return refund

    def list_refunds(self, asked: StripeFields) -> StripeFields:
        """`GET /v1/refunds`."""
        payment = asked.get("payment_intent")
        found = [_shown(one) for one in self.refunds.values() if payment in {None, one["payment_intent"]}]
        return {"object": "list", "url": "/v1/refunds", "has_more": False, "data": found[::-1]}

    # --- what a payer does on the hosted page, and what banks do then -----------------------------------------------

    def pay(self, session_id: str, way: str) -> StripeFields:
        """Pay an open checkout: by `card`, by `bank` (which takes days), or with a card that is declined."""
        with self.lock:
            session = _found(self.sessions, session_id, "checkout.session")
            if session["status"] != "open":
                raise StripeApiError("This checkout is over.")
            if way not in {"card", "bank", "decline"}:
                raise StripeApiError("The way must be card, bank or decline.")
            if way == "decline":
                raise StripeApiError("Your card was declined.", HTTPStatus.PAYMENT_REQUIRED, "card_declined")
            payment = {
                "id": _new_id("pi"),
                "object": "payment_intent",
                "amount": session["amount_total"],
                "currency": "usd",
                "latest_charge": None,
                "metadata": session["_intent"].get("metadata", {}),
                "description": session["_intent"].get("description"),
                "status": "processing",
            }
            self.payments[payment["id"]] = payment
            session |= {"status": "complete", "payment_intent": payment["id"], "url": None}
            if way == "card":
                self._taken(session)
            self._event("checkout.session.completed", session)
            return _shown(session)

    def bank_pays(self, session_id: str) -> None:
        """The bank has paid, days later."""
        session = self._waiting(session_id)
        self._taken(session)
        self._event("checkout.session.async_payment_succeeded", session)

    def bank_refuses(self, session_id: str) -> None:
        """The bank hasn't paid."""
        session = self._waiting(session_id)
        self.payments[session["payment_intent"]]["status"] = "requires_payment_method"
        self._event("checkout.session.async_payment_failed", session)

    def refund_at_the_desk(self, payment_intent: str, amount: int | str | None = None) -> str:
        """The practice refunds in Stripe's own dashboard; the refund's id."""
        asked = {"payment_intent": payment_intent} | ({"amount": amount} if amount is not None else {})
        return str(self.create_refund(asked)["id"])

    def fail_refund(self, refund_id: str) -> None:
        """A refund that was made comes back from the bank."""
        refund = _found(self.refunds, refund_id, "refund")
        if refund["status"] != "succeeded":
            raise StripeApiError("Only a refund that was made can fail.")
        refund["status"] = "failed"
        charge = self.charges[refund["charge"]]
        charge["amount_refunded"] -= refund["amount"]
        charge["refunded"] = False
        self._event("refund.failed", refund)

    def dispute(self, payment_intent: str, amount: int | None = None, status: str = "needs_response") -> str:
        """The payer disputes a payment at the bank; the dispute's id."""
        payment = _found(self.payments, payment_intent, "payment_intent")
        charge = _found(self.charges, payment["latest_charge"] or "", "charge")
        dispute = {
            "id": _new_id("du"),
            "object": "dispute",
            "amount": amount or charge["amount"],
            "charge": charge["id"],
            "created": int(self.clock()),
            "currency": "usd",
            "metadata": {},
            "payment_intent": payment_intent,
            "status": status,
        }
        self.disputes[dispute["id"]] = dispute
        charge["disputed"] = True
        self._event("charge.dispute.created", dispute)
        if not status.startswith("warning_"):
            self._event("charge.dispute.funds_withdrawn", dispute)
        return str(dispute["id"])

    def close_dispute(self, dispute_id: str, status: str) -> None:
        """The bank decides: `won` or `lost`, as the practice sees it."""
        dispute = _found(self.disputes, dispute_id, "dispute")
        dispute["status"] = status
        if status == "won":
            self._event("charge.dispute.funds_reinstated", dispute)
        self._event("charge.dispute.closed", dispute)

    def balance_of(self, payment_intent: str) -> int:
        """What the practice has of a payment, in cents: taken, less refunds and what banks hold or took back."""
        charge_id = self.payments[payment_intent]["latest_charge"]
        if charge_id is None:
            return 0
        held = sum(
            one["amount"]
            for one in self.disputes.values()
            if one["payment_intent"] == payment_intent and one["status"] in {"needs_response", "under_review", "lost"}
        )
        return int(self.charges[charge_id]["amount"] - self.charges[charge_id]["amount_refunded"] - held)

    def _waiting(self, session_id: str) -> StripeFields:
        session = _found(self.sessions, session_id, "checkout.session")
        if session["status"] != "complete" or session["payment_status"] != "unpaid":
            raise StripeApiError("No bank is asked for this checkout.")
        return session

    def _taken(self, session: StripeFields) -> None:
        payment = self.payments[session["payment_intent"]]
        charge = {
            "id": _new_id("ch"),
            "object": "charge",
            "amount": payment["amount"],
            "amount_refunded": 0,
            "currency": "usd",
            "disputed": False,
            "metadata": payment["metadata"],
            "payment_intent": payment["id"],
            "refunded": False,
            "status": "succeeded",
        }
        self.charges[charge["id"]] = charge
        payment |= {"status": "succeeded", "latest_charge": charge["id"]}
        session["payment_status"] = "paid"

    def _event(self, kind: str, about: StripeFields) -> None:
        event = {
            "id": _new_id("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": int(self.clock()),
            "data": {"object": _shown(about)},
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": kind,
        }
        self.tell(json.loads(json.dumps(event)))


def _new_id(kind: str) -> str:
    return f"{kind}_{secrets.token_hex(12)}"


def _shown(found: StripeFields) -> StripeFields:
    return {name: value for name, value in found.items() if not name.startswith("_")}


def _found(known: Mapping[str, StripeFields], wanted: str, kind: str) -> StripeFields:
    if wanted not in known:
        raise StripeApiError(f"No such {kind}: '{wanted}'", HTTPStatus.NOT_FOUND, "resource_missing")
    return known[wanted]


def _only(asked: StripeFields, known: frozenset[str]) -> None:
    for name in asked:
        if name not in known:
            raise StripeApiError(f"Received unknown parameter: {name}", code="parameter_unknown", param=name)


def _url(name: str, url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise StripeApiError("Not a valid URL", code="url_invalid", param=name)


def _metadata(metadata: StripeFields) -> None:
    too_long = any(len(name) > _METADATA_KEY or len(value) > _METADATA_VALUE for name, value in metadata.items())
    if too_long or len(metadata) > _METADATA_KEYS:
        raise StripeApiError("Metadata is too large.", param="metadata")


def _cents(name: str, given: object) -> int:
    text = str(given)
    if not (text.isascii() and text.isdigit()):
        raise StripeApiError(f"Invalid integer: {text}", code="parameter_invalid_integer", param=name)
    return int(text)


def _total(line_items: StripeFields | None) -> int:
    """The sum of a checkout's lines, in cents."""
    if not line_items:
        raise StripeApiError("Missing required param: line_items.", code="parameter_missing", param="line_items")
    total = 0
    for line in line_items.values():
        price = line.get("price_data", {})
        if price.get("currency") != "usd" or not price.get("product_data", {}).get("name"):
            raise StripeApiError("Only lines of named products in usd are simulated.", param="line_items")
        total += _cents("unit_amount", price.get("unit_amount")) * _cents("quantity", line.get("quantity"))
    if total < LEAST_CENTS:
        raise StripeApiError(
            "The Checkout Session's total amount due must add up to at least $0.50 usd", code="amount_too_small"
        )
    if total > MOST_CENTS_AT_STRIPE:
        raise StripeApiError("The amount is too large.", code="amount_too_large")
    return total
