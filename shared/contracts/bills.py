"""Bodies of the bills of the partner API: their state, history, payments and payment links."""

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from shared.contracts.notifications import OVERRIDE, SendTo
from shared.contracts.wire import Day, GivenMoney, Instant, Money, NamedLine, WireModel
from shared.domain.records.bill import Bill
from shared.domain.records.payment import Payment
from shared.domain.records.payment_link import PaymentLink
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.words import BillStatus, BillType, Channel, LinkStatus, NotificationType


class BillAnswer(WireModel):
    """A bill as it stands today, on the organization's calendar."""

    statement_id: str
    account_id: str
    bill_type: BillType
    status: BillStatus
    status_reason: str | None
    past_due: bool
    total_billed: Money
    balance: Money
    paid: Money
    statement_date: Day
    created_at: Instant
    effective_created_date: Day = Field(description="The date that the bill's age counts from.")
    due_date: Day
    bill_age: int = Field(description="Whole days since the effective created date.")
    level: int = Field(description="The step that an owed bill is at by its age; otherwise the last that was sent.")
    level_sent: int = Field(description="The highest step sent, or counted as sent, since aging last began; 0: none.")
    patient_account_ids: list[str]
    last_payment_at: Instant | None

    @classmethod
    def of(
        cls, bill: Bill, *, account_id: str, today: date, days_until_due: int, level: int, level_sent: int
    ) -> "BillAnswer":
        """A bill on a day of the organization's calendar."""
        return cls(
            statement_id=bill.statement_id,
            account_id=account_id,
            bill_type=bill.bill_type,
            status=bill.status,
            status_reason=bill.status_reason or None,
            past_due=bill.past_due(today, days_until_due),
            total_billed=bill.total_billed,
            balance=bill.balance,
            paid=bill.paid,
            statement_date=bill.statement_date,
            created_at=bill.created_at,
            effective_created_date=bill.effective_created_date,
            due_date=bill.due_date(days_until_due),
            bill_age=bill.age_on(today),
            level=level,
            level_sent=level_sent,
            patient_account_ids=list(bill.patient_account_ids),
            last_payment_at=bill.last_payment_at,
        )


class BillsPage(WireModel):
    """A page of bills."""

    items: list[BillAnswer]
    next_cursor: str | None


class EventAnswer(WireModel):
    """Something that happened to a bill or to the notices about it."""

    at: Instant
    event: str = Field(examples=["BillCreated", "NotificationSent"])
    actor: str
    by: str | None = Field(description="The person whom the write named in `Dunlin-Actor`.")
    reason: str | None
    facts: dict[str, str]

    @classmethod
    def of(cls, event: HistoryEvent) -> "EventAnswer":
        """An event as stored."""
        return cls(
            at=event.at,
            event=event.event,
            actor=event.actor,
            by=event.by or None,
            reason=event.reason or None,
            facts=event.facts,
        )


class HistoryPage(WireModel):
    """A page of a bill's history, oldest first."""

    items: list[EventAnswer]
    next_cursor: str | None


class ForecastNotice(WireModel):
    """A notice that will go if nothing changes."""

    date: Day
    channel: Channel
    level: int
    notification_type: NotificationType
    scheduled_for: Instant | None


class ForecastAnswer(WireModel):
    """What will go about a bill if nothing changes; empty with the reason why nothing will."""

    items: list[ForecastNotice]
    next_cursor: str | None
    reason: str | None = None


class FindingAnswer(WireModel):
    """One rule checked for a bill."""

    rule: str
    found: str
    outcome: str
    channel: Channel | None = Field(description="null: the rule is about all channels.")
    statement_id: str | None = Field(description="null: the rule is about the whole account.")


class ExplanationAnswer(WireModel):
    """Why the next notice about a bill goes or doesn't, as of now."""

    statement_id: str
    at: Instant
    findings: list[FindingAnswer]
    next_planning_at: Instant | None
    reason: str | None


class BillStatusBody(WireModel):
    """A status set by staff."""

    status: Literal["Due", "Suspended", "Cancelled"]
    reason: Annotated[NamedLine, Field(max_length=200)]


def _some_money(amount: int) -> int:
    if amount == 0:
        raise ValueError("must not be 0.00")
    return amount


class PaymentBody(WireModel):
    """Money that was taken elsewhere; negative for money that went back."""

    amount: Annotated[GivenMoney, AfterValidator(_some_money)]
    method: Annotated[NamedLine, Field(max_length=40, examples=["cash", "check", "card", "chargeback"])]
    transaction_id: Annotated[NamedLine, Field(max_length=100)] | None = None
    received_on: Day


class AllocationAnswer(WireModel):
    """What a bill got of a payment."""

    statement_id: str
    amount: Money


class PaymentAnswer(WireModel):
    """A posted payment."""

    payment_id: str
    amount: Money
    method: str
    transaction_id: str | None
    received_on: Day
    posted_at: Instant
    allocations: list[AllocationAnswer]
    credit: Money = Field(description="What no bill took.")

    @classmethod
    def of(cls, payment: Payment) -> "PaymentAnswer":
        """A payment as stored."""
        return cls(
            payment_id=payment.payment_id,
            amount=payment.amount,
            method=payment.method,
            transaction_id=payment.transaction_id or None,
            received_on=payment.received_on,
            posted_at=payment.posted_at,
            allocations=[
                AllocationAnswer(statement_id=share.statement_id, amount=share.amount) for share in payment.allocations
            ],
            credit=payment.credit,
        )


def _plain_name(value: str) -> str:
    if "=?" in value:
        raise ValueError("must be the name as people read it, without encoded words")
    return value


class PaymentLinkBody(WireModel):
    """A one-time link to be sent by email; without sendTo: to the first of patient, guarantor, billTo who has one."""

    send_to: SendTo | None = None
    staff_name: Annotated[
        NamedLine, AfterValidator(_plain_name), Field(max_length=80, description="Whose name the email is from.")
    ]
    override_hold: bool = Field(default=False, description=OVERRIDE)
    reason: Annotated[NamedLine, Field(max_length=200, description="Why a hold is overridden.")] | None = None


class PaymentLinkAnswer(WireModel):
    """A payment link that staff sent."""

    payment_link_id: str
    status: LinkStatus
    created_at: Instant
    expires_at: Instant
    sent_to: str | None = Field(description="The address, masked.")
    staff_name: str | None
    notification_id: str | None

    @classmethod
    def of(cls, link: PaymentLink, status: LinkStatus) -> "PaymentLinkAnswer":
        """A link as stored, in the status that it has by now."""
        return cls(
            payment_link_id=link.link_id,
            status=status,
            created_at=link.created_at,
            expires_at=link.expires_at,
            sent_to=link.sent_to or None,
            staff_name=link.staff_name or None,
            notification_id=link.notice_id or None,
        )


class PaymentLinksPage(WireModel):
    """A page of a bill's payment links, the latest first."""

    items: list[PaymentLinkAnswer]
    next_cursor: str | None
