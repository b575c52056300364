"""Stripe's events, as far as they are about payments of ours: what each says, whichever version of its API wrote it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictInt

from shared.domain.paying.patient_requests import OUR_REFERENCE
from shared.domain.paying.processor_events import ProcessorEvent
from shared.domain.records.processor import Dispute, DisputeState, Refund, RefundState
from shared.domain.vocabulary.money import MOST_CENTS
from shared.processors.stripe_account import REFERENCE_NAME, REFUND_NAME

_SESSION, _CHARGE, _REFUND, _DISPUTE = "checkout.session.", "charge.refunded", "refund.", "charge.dispute."
_OLD_REFUND = "charge.refund.updated"

FAILED_REFUNDS = frozenset({"failed", "canceled"})
MADE_REFUNDS = frozenset({"succeeded", "pending"})
"""A pending refund has left the practice's balance already."""


def _id_of(value: object) -> object:
    """The id where Stripe sends the whole object, or null."""
    return (value.get("id") if isinstance(value, dict) else value) or ""


StripeId = Annotated[str, BeforeValidator(_id_of), Field(max_length=255)]
NoCents = Annotated[StrictInt, Field(ge=0, le=MOST_CENTS)]


class StripeObject(BaseModel):
    """What an event is about: the fields that we read of any of its kinds."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: StripeId
    metadata: dict[str, str] | None = None
    client_reference_id: str | None = None
    payment_intent: StripeId = ""
    currency: str | None = None
    amount: NoCents = 0
    amount_total: NoCents | None = None
    amount_refunded: NoCents = 0
    payment_status: str = ""
    status: str | None = None

    @property
    def reference(self) -> str:
        """Our reference; "": it has none."""
        given = ((self.metadata or {}).get(REFERENCE_NAME, ""), self.client_reference_id or "")
        return next((one for one in given if OUR_REFERENCE.fullmatch(one)), "")


class StripeEvent(BaseModel):
    """An event. created: when it was, in Unix seconds. data: what it is about, which may be anything of Stripe's."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: Annotated[str, Field(min_length=1, max_length=255)]
    type: str
    created: Annotated[StrictInt, Field(ge=0, le=253_402_300_799)]
    data: dict[str, Any]


class UnreadableEventError(ValueError):
    """An event about a payment of ours that can't be posted as it is."""


@dataclass(frozen=True, slots=True)
class HeardEvent:
    """An event for the desk. reference: of the checkout that it is about; "": known by `payment` alone, if at all."""

    reference: str
    event: ProcessorEvent


def heard_event(said: StripeEvent) -> HeardEvent | None:
    """What an event says; None: it isn't about a payment of ours, or changes nothing. Raises UnreadableEventError.

    And pydantic's ValidationError for an object that isn't of its type.
    """
    read = _READERS.get(said.type)
    if read is None:
        return None
    told = StripeObject.model_validate(said.data.get("object"))
    if said.type.startswith((_SESSION, _CHARGE)) and not told.reference:
        return None
    facts = read(told, datetime.fromtimestamp(said.created, UTC))
    if facts is None:
        return None
    event = ProcessorEvent(
        event_id=said.id,
        at=datetime.fromtimestamp(said.created, UTC),
        processor_payment=told.payment_intent,
        **facts,
    )
    return HeardEvent(told.reference, event)


type Facts = Mapping[str, Any]
"""The fields of a ProcessorEvent that an event of one type gives."""


def _completed(told: StripeObject, at: datetime) -> Facts | None:
    if told.payment_status == "unpaid":
        return {"pending": True}
    return _paid(told, at) if told.payment_status == "paid" else None


def _paid(told: StripeObject, _: datetime) -> Facts:
    if not told.amount_total or told.currency != "usd":
        raise UnreadableEventError("amount_total must be cents of usd")
    return {"paid": told.amount_total}


def _paid_by_bank(told: StripeObject, at: datetime) -> Facts:
    return {**_paid(told, at), "method": "bank"}


def _failed(_told: StripeObject, _: datetime) -> Facts:
    return {"failed": True}


def _expired(_told: StripeObject, _: datetime) -> Facts:
    return {"expired": True}


def _refunded(told: StripeObject, _: datetime) -> Facts:
    return {"refunded": told.amount_refunded}


def _refund(told: StripeObject, at: datetime) -> Facts | None:
    states = dict.fromkeys(MADE_REFUNDS, RefundState.MADE) | dict.fromkeys(FAILED_REFUNDS, RefundState.FAILED)
    state = states.get(told.status or "")
    if state is None or not told.payment_intent:
        return None
    request_id = (told.metadata or {}).get(REFUND_NAME, "")
    return {"refund": Refund(refund_id=told.id, request_id=request_id, amount=told.amount, state=state, heard_at=at)}


def _dispute(told: StripeObject, at: datetime) -> Facts | None:
    status = told.status or ""
    states = {"won": DisputeState.WON, "lost": DisputeState.LOST, "prevented": DisputeState.INQUIRY}
    state = DisputeState.INQUIRY if status.startswith("warning_") else states.get(status, DisputeState.OPEN)
    if not told.payment_intent:
        return None
    return {"dispute": Dispute(dispute_id=told.id, amount=told.amount, state=state, heard_at=at)}


_READERS: dict[str, Callable[[StripeObject, datetime], Facts | None]] = {
    f"{_SESSION}completed": _completed,
    f"{_SESSION}async_payment_succeeded": _paid_by_bank,
    f"{_SESSION}async_payment_failed": _failed,
    f"{_SESSION}expired": _expired,
    _CHARGE: _refunded,
    _OLD_REFUND: _refund,
    **dict.fromkeys((f"{_REFUND}created", f"{_REFUND}updated", f"{_REFUND}failed"), _refund),
    **dict.fromkeys(
        (f"{_DISPUTE}{word}" for word in ("created", "updated", "closed", "funds_withdrawn", "funds_reinstated")),
        _dispute,
    ),
}
"""How each type of event is read that says something of a payment."""
