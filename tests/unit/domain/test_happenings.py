"""What of a change partners are told: each thing that has just happened, once, in ids alone."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.account.happenings import failed_notice, happenings
from shared.domain.paying.payments import PaymentReceived, post_payment
from shared.domain.paying.posting import CHARGEBACK
from shared.domain.paying.restored_money import bring_back
from shared.domain.paying.reversals import REFUND, Takeback, take_back
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import moved
from shared.domain.records.partner_event import EventType, partner_event
from shared.domain.records.task import Task, TaskKind
from shared.domain.records.transitions import ERRORS
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.words import NoticeStatus
from tests.worlds.examples import NOW, account, bill, notice, organization


def told(change: Change) -> list[tuple[str, dict[str, str]]]:
    entry = happenings(change)
    return [(event.type, dict(event.ids)) for event in entry.events] if entry else []


def test_a_change_in_which_nothing_happens_tells_nothing() -> None:
    sent = moved(notice(status=NoticeStatus.SENDING), NoticeStatus.SENT, NOW, "sender")
    assert happenings(Change(account=account(), bills=(bill(),), notices=(sent,))) is None


def test_an_opt_out_of_several_channels_is_one_event() -> None:
    channels = ({"channel": name} for name in ("email", "sms"))
    opted = [HistoryEvent(at=NOW, event="OptedOut", actor="key:k", facts=facts) for facts in channels]
    later = replace(opted[0], at=NOW + timedelta(hours=1))
    ids = {"orgId": "org_1", "accountId": "G-1"}
    assert told(Change(account=account(), history=tuple(opted))) == [("account.opted_out", ids)]
    assert len(told(Change(account=account(), history=(*opted, later)))) == 2


@pytest.mark.parametrize("status", NoticeStatus)
def test_a_notice_is_told_of_exactly_when_it_needs_a_person(status: NoticeStatus) -> None:
    assert (failed_notice(notice(status=status)) is not None) is (status in ERRORS)
    assert bool(told(Change(account=account(), notices=(notice(status=status),)))) is (status in ERRORS)


def test_a_bill_that_was_paid_before_and_comes_along_is_not_told_again() -> None:
    paid = _paid()
    [settled] = [each for each in paid.bills if each.statement_id == "S-1"]
    assert ("bill.paid", {"orgId": "org_1", "accountId": "G-1", "statementId": "S-1"}) in told(paid)
    assert told(Change(account=account(), bills=(settled,))) == []


def test_each_posting_of_one_moment_that_takes_back_is_told_by_its_own_id() -> None:
    """A processor may tell of a payment last, after its refund and its dispute: all three are posted at once."""
    whole, back = _paid("pay_dln_1"), list[str]()
    for kind in (REFUND, CHARGEBACK):
        wanted = Takeback(payment_id="pay_dln_1", kind=kind, reason="told late", amount=20_00)
        change, posting = take_back(BOOK.after(whole), organization(), wanted, NOW, "processor")
        whole, back = whole.then(change), [*back, posting.payment_id]
    assert [ids["paymentId"] for kind, ids in told(whole) if kind == "payment.posted"] == ["pay_dln_1", *back]


def test_money_that_comes_again_is_told_of() -> None:
    wanted = Takeback(payment_id="pay_dln_1", kind=CHARGEBACK, reason="disputed", amount=20_00)
    whole = _paid("pay_dln_1")
    disputed = BOOK.after(whole.then(take_back(BOOK.after(whole), organization(), wanted, NOW, "processor")[0]))
    won = bring_back(disputed, organization(), wanted, NOW + timedelta(days=9), "processor")
    assert won
    [posting] = won.payments
    assert [ids["paymentId"] for kind, ids in told(won) if kind == "payment.posted"] == [posting.payment_id]


def test_tasks_are_told_with_what_they_are_about() -> None:
    task = Task(task_id="tsk_1", org_id="org_1", kind=TaskKind.CREDIT_LEFT, created_at=NOW, account_id="G-1")
    ids = {"orgId": "org_1", "accountId": "G-1", "taskId": "tsk_1"}
    assert told(Change(account=account(), tasks=(task,))) == [("task.opened", ids)]


def test_an_event_decided_twice_has_one_id_and_another_event_another() -> None:
    once, twice = happenings(_paid()), happenings(_paid())
    assert once == twice
    assert once
    assert twice
    assert once.entry_id == twice.entry_id
    ids = [event.event_id for event in once.events]
    assert len(set(ids)) == len(ids) == 2
    first = partner_event(EventType.BILL_PAID, NOW, orgId="org_1", statementId="S-1")
    others = [
        partner_event(EventType.PAYMENT_POSTED, NOW, orgId="org_1", statementId="S-1"),
        partner_event(EventType.BILL_PAID, NOW + timedelta(seconds=1), orgId="org_1", statementId="S-1"),
        partner_event(EventType.BILL_PAID, NOW, orgId="org_1", statementId="S-2"),
        partner_event(EventType.BILL_PAID, NOW, orgId="org_2", statementId="S-1"),
    ]
    assert first.event_id not in {each.event_id for each in others}


BOOK = AccountBook(account=account(), bills=(bill(), bill("S-2")))


def _paid(payment_id: str = "pay_1") -> Change:
    """A payment of all of one of two bills."""
    wanted = PaymentReceived(
        payment_id=payment_id, amount=74_60, method="card", received_on=NOW.date(), statement_id="S-1"
    )
    change = post_payment(BOOK, organization(), wanted, NOW, "test")
    assert change
    return change
