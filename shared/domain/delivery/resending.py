"""Sending a notice once more as it was, to today's address (docs/rules.md#resend)."""

from datetime import datetime

from shared.domain.account.contacts import opt_out_refusal
from shared.domain.delivery.staff_notices import NothingOwedError, OptedOutError, check_hold, hold_overridden
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import COUNTS_AS_SENT, BillLevel, Notice, moved, new_notice
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.words import NoticeStatus, NotificationType


class NotSentError(Exception):
    """The notice never went, so it can't go again."""


class OneTimeLinkError(Exception):
    """The notice brought a link for one time: another link has to be sent instead."""


def resend(
    book: AccountBook,
    notice: Notice,
    *,
    notice_id: str,
    now: datetime,
    actor: str,
    reason: str = "",
    override_reason: str = "",
) -> Change:
    """Ask for a notice's message once more: its words, channel, recipient and bills, with the balances of the moment.

    It has no level and passes the minimums, as whatever staff send. override_reason: as in `staff_notices.on_demand`.
    Raises NotSentError, OneTimeLinkError, AccountOnHoldError, NothingOwedError and OptedOutError; whether there is a
    contact, the caller must have checked.
    """
    if notice.sent_at is None and notice.status not in COUNTS_AS_SENT:
        raise NotSentError
    if notice.notification_type is NotificationType.PAYMENT_LINK:
        raise OneTimeLinkError
    receipt = notice.notification_type is NotificationType.RECEIPT
    bills = [bill for name in notice.statement_ids if (bill := book.bill(name)) and (receipt or bill.payable)]
    if not receipt:
        check_hold(book.account, override_reason)
        if not bills:
            raise NothingOwedError
    if opt_out_refusal(notice.channel, book.account):
        raise OptedOutError
    again = new_notice(
        book.account,
        notice_id=notice_id,
        channel=notice.channel,
        notification_type=NotificationType.RECEIPT if receipt else NotificationType.ON_DEMAND,
        message_type=notice.message_type or notice.notification_type,
        bills=map(BillLevel.of, bills),
        send_to=notice.send_to,
        template_id=notice.template_id,
        payment_id=notice.payment_id,
        now=now,
    )
    asked = moved(again, NoticeStatus.SCHEDULED, now, actor, "sent again")
    facts = {"notificationId": notice_id, "resent": notice.notice_id}
    event = HistoryEvent(at=now, event="NotificationResent", actor=actor, reason=reason, facts=facts)
    overridden = () if receipt else hold_overridden(book.account, notice_id, override_reason, now, actor)
    return Change(account=book.account, notices=(asked,), history=(event, *overridden))
