"""Twice as many bills are twice the work, never four times: one account with very many bills stops nobody else.

The work is counted by the fields of bills and notices that are read, so it is the same on any machine.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.domain.dunning import cancel_pending, forecast, judge, plan, with_notices
from shared.domain.records.book import AccountBook
from shared.domain.records.notice import BillLevel, Notice
from shared.domain.records.policy import Organization
from shared.domain.records.statement import OptOuts
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import Channel
from tests.worlds.dunning_world import EMAIL, INITIAL, MONDAY, SMS, S, a_bill, a_book, an_account, an_organization, at
from tests.worlds.record_reads import growth, reads_of

LINEAR = 2.3
"""How many times as much work twice as many bills may be: twice, and what sorting them takes."""

ARRIVAL, NEXT_STEP = at("2026-01-05 08:00"), at("2026-02-10 10:00")

DROPS = {"configuration_id": "standard-30", "drop_to_paper_after_undeliverable_days": 60}

LEDGERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "sent": ({"status": S.SENT}, {}),
    "sent, and the next step waits for its time": ({"status": S.SENT}, {"skip_paper_when_electronic_available": True}),
    "waits for its time": ({"status": S.SCHEDULED}, {}),
    "on its way": ({"status": S.QUEUED}, {}),
    "came back for now": ({"status": S.UNDELIVERABLE_CAN_RETRY}, DROPS),
    "bounced permanently": ({"status": S.UNDELIVERABLE_PERMANENT}, DROPS),
    "failed": ({"status": S.DELIVERY_ERROR}, {}),
    "cancelled by staff": ({"status": S.CANCELLED, "reason": Reason.CANCELLED_BY_STAFF}, {}),
    "nobody knows": ({"status": S.UNKNOWN}, {"no_dunning_limit": True}),
    "under the minimum": ({}, {"minimum_electronic": 90_00, "minimum_print": 90_00}),
}
"""What became of the first notices, and the organization's settings."""


def of_many(bills: int, row: dict[str, Any], settings: dict[str, Any]) -> tuple[AccountBook, Organization]:
    """An account with many bills of several ages, whose first notices were planned and came to something."""
    organization, account = an_organization(**settings), an_account()
    if row.get("status") is S.UNDELIVERABLE_PERMANENT:
        account = replace(account, undeliverable=frozenset({EMAIL, SMS}))
    book = a_book(*(a_bill(f"S-{n:04}", on=MONDAY - timedelta(days=n % 3)) for n in range(bills)), account=account)
    planned = plan(book, organization, ARRIVAL).notices
    went = (replace(notice, sent_at=ARRIVAL, **row) if notice.status is S.SCHEDULED else notice for notice in planned)
    return with_notices(book, tuple(went)), organization


def later(book: AccountBook, organization: Organization, now: datetime) -> list[Callable[[], object]]:
    """Everything that is decided about an account once its ledger is long."""
    planned = with_notices(book, plan(book, organization, now).notices)
    dunned = [notice for notice in planned.notices if notice.status in {S.SCHEDULED, S.QUEUED}]
    held = replace(planned, account=replace(book.account, opt_outs=OptOuts(email=True, sms=True)))
    return [
        lambda: plan(book, organization, now),
        lambda: plan(planned, organization, now),
        lambda: [judge(notice, planned, organization, now) for notice in dunned],
        lambda: cancel_pending(held, now, "staff"),
        lambda: forecast(book, organization, now, timedelta(days=40)),
    ]


@pytest.mark.parametrize(("row", "settings"), LEDGERS.values(), ids=LEDGERS)
def test_twice_as_many_bills_are_twice_the_work(row: dict[str, Any], settings: dict[str, Any]) -> None:
    few, many = (later(*of_many(bills, row, settings), NEXT_STEP) for bills in (50, 100))
    growths = [reads_of(twice) / max(reads_of(once), 1) for once, twice in zip(few, many, strict=True)]
    assert max(growths) < LINEAR


def test_a_ledger_with_a_row_for_each_bill_is_no_more_work() -> None:
    """As after years of bills that came one by one: twice the bills, twice the rows, and twice the work."""

    def planning(bills: int) -> Callable[[], object]:
        book, organization = of_many(bills, {}, {})
        rows = tuple(_row(f"S-{n:04}", n) for n in range(bills))
        return lambda: plan(replace(book, notices=rows), organization, NEXT_STEP)

    assert growth(planning, bills=50) < LINEAR


def test_a_chain_of_statements_that_amend_each_other_is_no_more_work() -> None:
    """A Lifetime bill after many statements: each had its own row."""

    def planning(statements: int) -> Callable[[], object]:
        names = tuple(f"S-{n:04}" for n in range(statements))
        bill = a_bill("last", amends=names)
        rows = tuple(_row(name, n) for n, name in enumerate(names))
        return lambda: plan(a_book(bill, notices=rows), an_organization(), NEXT_STEP)

    assert growth(planning) < LINEAR


def _row(statement_id: str, day: int) -> Notice:
    """An email about one bill, long ago."""
    sent_at = ARRIVAL - timedelta(days=day)
    return Notice(
        notice_id=f"ntc_{day}",
        org_id="org_1",
        account_id="acc_1",
        channel=Channel.EMAIL,
        notification_type=INITIAL,
        level=1,
        bills=(BillLevel(statement_id=statement_id, aging_period="first", level=1),),
        status=S.SENT,
        scheduled_for=sent_at,
        created_at=sent_at,
        sent_at=sent_at,
    )
