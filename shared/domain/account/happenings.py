"""What a change is to partners: which events it makes (docs/rules.md#webhook-events).

A change knows what was new in it, because nothing is written without an entry in a history.
"""

from collections.abc import Iterator

from shared.domain.account.consents import OPTED_OUT_EVENT
from shared.domain.records.book import Change
from shared.domain.records.notice import Notice
from shared.domain.records.partner_event import EventType, OutboxEntry, PartnerEvent, outbox_entry, partner_event
from shared.domain.records.task import Task
from shared.domain.records.transitions import ERRORS
from shared.domain.vocabulary.words import BillStatus

TAKEN_OR_RESTORED = frozenset({"PaymentTakenBack", "PaymentRestored"})
PAYMENT_EVENTS = TAKEN_OR_RESTORED | {"PaymentReceived"}
"""What an account's history has of money that came, went back, or came again: one entry each."""

BILL_PAID = "BillPaid"
"""What a bill's history has of the posting that paid the last of it."""


def happenings(change: Change) -> OutboxEntry | None:
    """The events that a change makes for the account's partner; None: none."""
    found = (*_payments(change), *_paid_bills(change), *_opt_outs(change), *_failures(change), *_tasks(change))
    return outbox_entry(found, org_id=change.account.org_id)


def failed_notice(notice: Notice) -> OutboxEntry | None:
    """The event of a notice that has just been moved to where it needs a person; None: it goes on by itself."""
    return outbox_entry(_failed(notice), org_id=notice.org_id)


def opened(task: Task) -> OutboxEntry | None:
    """The event of a task that no change of an account calls for."""
    return outbox_entry([_opened(task)], org_id=task.org_id)


def _payments(change: Change) -> Iterator[PartnerEvent]:
    """Of each posting with an entry of its own. What became of credit is no money of the day."""
    of = change.account
    # Several of a moment, as when money and its refund are told late, are told apart by what each takes back, and how.
    posted = {(each.posted_at, each.reverses, each.method): each.payment_id for each in change.payments}
    for event in change.history:
        if event.event in PAYMENT_EVENTS:
            of_payment = event.at, event.facts["paymentId"], event.facts.get("method", "")
            payment_id = posted.get(of_payment) if event.event in TAKEN_OR_RESTORED else None
            yield partner_event(
                EventType.PAYMENT_POSTED,
                event.at,
                orgId=of.org_id,
                accountId=of.account_id,
                paymentId=payment_id or event.facts["paymentId"],
            )


def _paid_bills(change: Change) -> Iterator[PartnerEvent]:
    """Of each bill that a posting of this change paid. Not of one that was paid before and comes along."""
    now = {payment.posted_at for payment in change.payments}
    for bill in change.bills:
        paid = [entry.at for entry in bill.history if entry.event == BILL_PAID]
        if bill.status is BillStatus.PAID and paid and paid[-1] in now:
            yield partner_event(
                EventType.BILL_PAID,
                paid[-1],
                orgId=change.account.org_id,
                accountId=change.account.account_id,
                statementId=bill.statement_id,
            )


def _opt_outs(change: Change) -> Iterator[PartnerEvent]:
    """One of all channels that were closed at the same time."""
    of = change.account
    for at in sorted({event.at for event in change.history if event.event == OPTED_OUT_EVENT}):
        yield partner_event(EventType.ACCOUNT_OPTED_OUT, at, orgId=of.org_id, accountId=of.account_id)


def _failures(change: Change) -> Iterator[PartnerEvent]:
    for notice in change.notices:
        yield from _failed(notice)


def _failed(notice: Notice) -> Iterator[PartnerEvent]:
    """Whoever writes a row has moved it, so one that is written in an error has just come to it."""
    if notice.status in ERRORS:
        yield partner_event(
            EventType.NOTIFICATION_FAILED,
            notice.status_history[-1].at if notice.status_history else notice.created_at,
            orgId=notice.org_id,
            accountId=notice.account_id,
            notificationId=notice.notice_id,
        )


def _tasks(change: Change) -> Iterator[PartnerEvent]:
    return (_opened(task) for task in change.tasks)


def _opened(task: Task) -> PartnerEvent:
    return partner_event(
        EventType.TASK_OPENED, task.created_at, orgId=task.org_id, accountId=task.account_id, taskId=task.task_id
    )
