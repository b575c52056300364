"""Everything about an account in one list: statements, notices, links, payments, holds, notes and consents."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.account.consents import OPTED_IN_EVENT, OPTED_OUT_EVENT
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import Notice
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.money import Cents

NOTE_ADDED = "NoteAdded"
"""The event of an account's history that carries a note of staff's."""


class TimelineKind(StrEnum):
    """What an entry of an account's timeline is about."""

    STATEMENT = "Statement"
    NOTIFICATION = "Notification"
    PAYMENT_LINK = "PaymentLink"
    PAYMENT = "Payment"
    HOLD = "Hold"
    NOTE = "Note"
    CONSENT = "Consent"
    ACCOUNT = "Account"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One thing that happened. key: its own in the account, and it never changes. amount: cents, of a payment."""

    key: str
    kind: TimelineKind
    event: HistoryEvent
    statement_ids: tuple[str, ...] = ()
    amount: Cents | None = None

    @property
    def at(self) -> datetime:
        """When it happened."""
        return self.event.at

    @property
    def place(self) -> tuple[datetime, str]:
        """Where it stands in the order of what happened."""
        return self.at, self.key


def timeline(book: AccountBook) -> list[TimelineEntry]:
    """All that happened to an account, newest first."""
    entries = (*_of_bills(book), *_of_notices(book), *_of_account(book))
    return sorted(entries, key=lambda entry: entry.place, reverse=True)


def notice_events(notice: Notice) -> list[HistoryEvent]:
    """What happened to a notice, oldest first, each move as an event."""
    return [
        HistoryEvent(
            at=change.at,
            event=f"Notification{change.status}",
            actor=change.actor,
            by=change.by,
            reason=change.reason,
            facts={
                "notificationId": notice.notice_id,
                "channel": notice.channel,
                "notificationType": notice.notification_type,
                "level": str(change.level),
                "templateId": change.template_id,
            },
        )
        for change in notice.status_history
    ]


def add_note(book: AccountBook, note_id: str, text: str, now: datetime, actor: str) -> Change | None:
    """Keep a note of staff's in the account's history; None: it is there already. Nothing is planned by it."""
    if any(event.facts.get("noteId") == note_id for event in book.history):
        return None
    note = HistoryEvent(at=now, event=NOTE_ADDED, actor=actor, facts={"noteId": note_id}, text=text)
    return Change(account=book.account, history=(note,))


def _of_bills(book: AccountBook) -> Iterator[TimelineEntry]:
    """What happened to its bills; a payment is told once, by the account, not again by each bill that got a share."""
    paid = {event.facts["paymentId"] for event in book.history if "paymentId" in event.facts}
    for bill in book.bills:
        for n, event in enumerate(bill.history):
            if event.facts.get("paymentId") in paid:
                continue
            yield TimelineEntry(
                key=f"bill {bill.statement_id} {n:05d}",
                kind=TimelineKind.STATEMENT,
                event=event,
                statement_ids=(bill.statement_id,),
            )


def _of_notices(book: AccountBook) -> Iterator[TimelineEntry]:
    for notice in book.notices:
        for n, event in enumerate(notice_events(notice)):
            yield TimelineEntry(
                key=f"notice {notice.notice_id} {n:05d}",
                kind=TimelineKind.NOTIFICATION,
                event=event,
                statement_ids=notice.statement_ids,
            )


def _of_account(book: AccountBook) -> Iterator[TimelineEntry]:
    for n, event in enumerate(sorted(book.history, key=lambda event: event.at)):
        payment = book.payment(event.facts.get("paymentId", ""))
        link = book.link(event.facts.get("paymentLinkId", ""))
        about = payment.statement_ids if payment else (link.statement_id,) if link and link.statement_id else ()
        yield TimelineEntry(
            key=f"account {n:07d}",
            kind=_kind(event),
            event=event,
            statement_ids=about,
            amount=payment.amount if payment else None,
        )


def _kind(event: HistoryEvent) -> TimelineKind:
    if event.event in {OPTED_IN_EVENT, OPTED_OUT_EVENT}:
        return TimelineKind.CONSENT
    if event.event == NOTE_ADDED:
        return TimelineKind.NOTE
    if event.event.startswith("Hold"):
        return TimelineKind.HOLD
    if "paymentId" in event.facts:
        return TimelineKind.PAYMENT
    return TimelineKind.PAYMENT_LINK if "paymentLinkId" in event.facts else TimelineKind.ACCOUNT
