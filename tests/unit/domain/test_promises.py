"""The check of the ledger: each promise that is broken is heard. Else it is silent, as the delivery model shows."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared.domain.account.erasure import PERSON_ERASED
from shared.domain.dunning import plan
from shared.domain.dunning.promises import OVERDUE_AFTER, BrokenPromise, PromiseFinding, broken_promises
from shared.domain.records.book import AccountBook
from shared.domain.records.notice import Notice, moved
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.words import NoticeStatus
from shared.storage.newer import _unknown_word  # the words of a newer version, as storage reads them
from tests.worlds.examples import NOW, account, as_if, bill, notice, organization

B = BrokenPromise
PRACTICE = organization()
BOOK = AccountBook(account=account(), bills=(bill(),))
PLANNED = BOOK.after(plan(BOOK, PRACTICE, NOW).change(BOOK.account))
LATE = NOW + OVERDUE_AFTER + timedelta(minutes=1)


def found(book: AccountBook, now: datetime = NOW, *, stopped: bool = False) -> set[BrokenPromise]:
    return {finding.promise for finding in broken_promises(book, PRACTICE, now, stopped=stopped)}


def with_row(row: Notice) -> AccountBook:
    """An account that owes nothing, with one row."""
    return AccountBook(account=account(), notices=(row,))


WAITING = moved(notice(scheduled_for=NOW), NoticeStatus.SCHEDULED, NOW, "scheduler", "step due")


def test_a_planned_account_breaks_none() -> None:
    assert found(PLANNED) == set()


def test_a_plan_that_is_missing_and_a_look_that_is_too_late_are_heard() -> None:
    assert found(BOOK) == {B.PLAN_LOST, B.LOOK_LOST}
    asleep = replace(PLANNED, account=replace(PLANNED.account, planning_at=None))
    assert found(asleep) == {B.LOOK_LOST}
    at = PLANNED.account.planning_at
    assert at is not None
    too_late = replace(PLANNED, account=replace(PLANNED.account, planning_at=at + timedelta(seconds=1)))
    assert found(too_late) == {B.LOOK_LOST}


def test_an_account_that_is_due_is_the_schedulers() -> None:
    assert found(replace(BOOK, account=account(planning_at=NOW))) == set()


@pytest.mark.parametrize(
    "row",
    [
        WAITING,
        moved(WAITING, NoticeStatus.QUEUED, NOW, "scheduler", lease_until=NOW),
        moved(WAITING, NoticeStatus.SENDING, NOW, "send_email", lease_until=NOW),
        as_if(WAITING, NoticeStatus.UNKNOWN, NOW, "scheduler", lease_until=NOW),
    ],
    ids=lambda row: str(row.status),
)
def test_what_waits_longer_than_anything_should_is_heard_unless_sending_is_stopped(row: Notice) -> None:
    assert B.OVERDUE not in found(with_row(row))
    assert B.OVERDUE in found(with_row(row), LATE)
    assert B.OVERDUE not in found(with_row(row), LATE, stopped=True)


def test_a_notice_under_way_that_nobody_looks_at_is_heard_and_one_for_manual_review_is_not() -> None:
    queued = moved(WAITING, NoticeStatus.QUEUED, NOW, "scheduler", lease_until=None)
    assert B.OVERDUE in found(with_row(queued))
    unknown = as_if(WAITING, NoticeStatus.UNKNOWN, NOW, "scheduler", lease_until=None)
    assert B.OVERDUE not in found(with_row(unknown), LATE)


def test_an_end_without_a_reason_is_heard_unless_the_reason_was_erased() -> None:
    ended = as_if(WAITING, NoticeStatus.CANCELLED, NOW, "key:k1")
    assert found(with_row(ended)) == {B.UNEXPLAINED}
    assert found(with_row(replace(ended, reason="cancelled by staff"))) == set()
    erased = HistoryEvent(at=NOW, event=PERSON_ERASED, actor="operator")
    assert found(replace(with_row(ended), history=(erased,))) == set()


def test_a_move_that_there_is_not_is_heard_and_a_newer_versions_is_not_judged() -> None:
    back = as_if(as_if(WAITING, NoticeStatus.DELIVERED, NOW, "x"), NoticeStatus.SENDING, NOW, "x", lease_until=NOW)
    assert B.IMPOSSIBLE in found(with_row(back))
    elsewhere = replace(WAITING, status=NoticeStatus.SENT)
    assert found(with_row(elsewhere)) == {B.IMPOSSIBLE}
    newer = as_if(WAITING, NoticeStatus(_unknown_word(NoticeStatus, "Parked")), NOW, "x")
    assert found(with_row(newer)) == set()


def test_a_finding_names_its_notice() -> None:
    assert PromiseFinding(B.OVERDUE, "ntc_1") in broken_promises(with_row(WAITING), PRACTICE, LATE, stopped=False)
