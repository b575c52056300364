"""A notice that went is sent once more as it was, with today's balance and to today's address."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from shared.domain.account.account_changes import change_account
from shared.domain.delivery.resending import NotSentError, OneTimeLinkError, resend
from shared.domain.delivery.staff_notices import AccountOnHoldError, NothingOwedError, OptedOutError
from shared.domain.dunning import Send, judge, plan
from shared.domain.records.account import HoldDetail
from shared.domain.records.notice import Notice, moved
from shared.domain.records.policy import DunningSettings
from shared.domain.records.statement import OptOuts
from shared.domain.vocabulary.words import BillStatus, Hold, NoticeStatus, NotificationType
from tests.worlds.examples import NOW, account, bill, book, notice, organization

S = NoticeStatus
LATER = NOW + timedelta(days=3)
SENT = moved(
    notice(notification_type=NotificationType.PAST_DUE, level=3, template_id="t-1"), S.SENT, NOW, "email", sent_at=NOW
)


def again(row: Notice = SENT, **changes: Any) -> Notice:
    (asked,) = resend(book(notices=(row,), **changes), row, notice_id="ntc_9", now=LATER, actor="key:k1").notices
    return asked


def test_it_has_the_words_channel_recipient_and_template_of_the_first_and_no_level() -> None:
    asked = again()
    assert (asked.worded_as, asked.channel, asked.send_to, asked.template_id) == (
        NotificationType.PAST_DUE,
        SENT.channel,
        SENT.send_to,
        "t-1",
    )
    assert (asked.notification_type, asked.level, asked.status, asked.scheduled_for) == (
        NotificationType.ON_DEMAND,
        0,
        S.SCHEDULED,
        LATER,
    )
    assert [(entry.statement_id, entry.level) for entry in asked.bills] == [("S-1", 0)]
    assert again(replace(asked, sent_at=LATER, status=S.SENT)).worded_as is NotificationType.PAST_DUE


def test_it_passes_the_minimum_and_goes_to_todays_address() -> None:
    practice = organization(dunning=DunningSettings(minimum_electronic=100_00))
    guarantor = replace(account().guarantor, email="new@example.com")
    now = book(account=account(guarantor=guarantor), notices=(SENT,))
    verdict = judge(again(), now, practice, LATER)
    assert isinstance(verdict, Send)
    assert verdict.contact.destination == "new@example.com"


def test_it_counts_for_no_step() -> None:
    """The plan is as it was: nothing is repeated or left out for it."""
    before = plan(book(notices=(SENT,)), organization(), LATER)
    gone = moved(again(), S.SENDING, LATER, "send_email")
    after = plan(book(notices=(SENT, moved(gone, S.SENT, LATER, "send_email", sent_at=LATER))), organization(), LATER)
    assert (after.next_planning_at, len(after.notices)) == (before.next_planning_at, len(before.notices))


@pytest.mark.parametrize("status", [S.SCHEDULED, S.QUEUED, S.WILL_NOT_SEND, S.CANCELLED, S.DELIVERY_ERROR])
def test_what_never_went_is_not_sent_again(status: NoticeStatus) -> None:
    with pytest.raises(NotSentError):
        again(notice(status=status))


@pytest.mark.parametrize("status", [S.SENT, S.DELIVERED, S.UNKNOWN, S.UNDELIVERABLE_PERMANENT, S.ARCHIVED])
def test_whatever_became_of_it_what_went_may_go_again(status: NoticeStatus) -> None:
    assert again(replace(SENT, status=status)).status is S.SCHEDULED


def test_a_one_time_link_is_not_sent_again() -> None:
    with pytest.raises(OneTimeLinkError):
        again(replace(SENT, notification_type=NotificationType.PAYMENT_LINK))


def test_nobody_is_asked_for_what_is_not_owed_but_a_receipt_goes_again() -> None:
    paid = (bill(status=BillStatus.PAID, balance=0),)
    with pytest.raises(NothingOwedError):
        again(bills=paid)
    receipt = replace(SENT, notification_type=NotificationType.RECEIPT, payment_id="pay_1")
    asked = again(receipt, bills=paid)
    assert (asked.notification_type, asked.payment_id) == (NotificationType.RECEIPT, "pay_1")


def test_a_hold_and_an_opt_out_refuse_it() -> None:
    with pytest.raises(AccountOnHoldError):
        again(account=account(holds=frozenset({Hold.DISPUTE})))
    with pytest.raises(OptedOutError):
        again(account=account(opt_outs=OptOuts(email=True)))


def test_the_history_keeps_who_and_why_and_an_overridden_hold() -> None:
    held = account(
        holds=frozenset({Hold.DISPUTE}),
        hold_details=(HoldDetail(hold=Hold.DISPUTE, since=NOW, until=date(2026, 12, 1)),),
    )
    change = resend(
        book(account=held, notices=(SENT,)),
        SENT,
        notice_id="ntc_9",
        now=LATER,
        actor="key:k1",
        reason="lost it",
        override_reason="lost it",
    )
    assert [(event.event, event.reason) for event in change.history] == [
        ("NotificationResent", "lost it"),
        ("HoldOverridden", "lost it"),
    ]
    assert change.history[0].facts == {"notificationId": "ntc_9", "resent": "ntc_1"}
    assert change_account(book(account=held), held, LATER, "key:k1") is None
