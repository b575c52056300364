"""What a patient says instead of paying: an objection, or a day to be reminded on. What dunning does about it."""

from dataclasses import replace
from datetime import date, timedelta
from secrets import token_bytes
from typing import Any

import pytest

from shared.domain.account.holds import set_hold
from shared.domain.account.pauses import both_pauses
from shared.domain.dunning import forecast, judge, plan
from shared.domain.dunning.decision import Refuse, Rule, RuleOutcome, Send
from shared.domain.paying.link_secrets import new_payment_link
from shared.domain.paying.objections import (
    MOST_OBJECTIONS,
    Said,
    TooManyObjectionsError,
    object_to,
    remind_on,
    reminder_days,
    settle_objection,
)
from shared.domain.records.account import Objection
from shared.domain.records.book import Change
from shared.domain.records.payment_link import PaymentLink
from shared.domain.records.task import TaskKind, resolved
from shared.domain.vocabulary.words import Hold, NoticeStatus, ObjectionKind
from tests.worlds.dunning_world import World, a_book, an_account, an_organization, at

MORNING = at("2026-01-05 10:00")
DAY = date(2026, 1, 20)
PAID = Said(kind=ObjectionKind.ALREADY_PAID, text="By check, on January 2")


def link() -> PaymentLink:
    lives = timedelta(days=30)
    return new_payment_link(org_id="org_1", account_id="G-1", now=MORNING, lives=lives, random=token_bytes).link


LINK = link()


def after(found: World, change: Change) -> None:
    """Store a change; the scheduler plans the account at once, as the change asks."""
    found.book = found.book.after(change)
    assert change.account.planning_at == found.now
    found.plan()


def objected(world: World, said: Said = PAID) -> str:
    """Say it; answers the task's id."""
    (change,) = object_to(world.book, [], LINK, said, world.now)
    after(world, change)
    (task,) = change.tasks
    return task.task_id


def asked_to_wait(world: World, day: date = DAY) -> None:
    (change,) = remind_on([world.book], LINK, day, world.now)
    after(world, change)


def world() -> World:
    """A bill that arrived on January 5 and whose first notices wait for their time."""
    found = World(an_organization(), a_book(), MORNING)
    found.plan()
    return found


def told_on(found: World) -> list[date]:
    return [notice.sent_at.date() for notice in found.sent if notice.sent_at]


def patients_word(found: World) -> list[tuple[str, RuleOutcome]]:
    planned = plan(found.book, found.organization, found.now)
    return [(entry.found, entry.outcome) for entry in planned.findings if entry.rule is Rule.PATIENT]


# --- objections -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ObjectionKind)
def test_an_objection_stops_what_waits_and_nothing_goes_until_staff_settle_it(kind: ObjectionKind) -> None:
    found = world()
    task_id = objected(found, replace(PAID, kind=kind))
    assert found.pending() == []
    assert {notice.reason for notice in found.book.notices} == {"a patient's objection is not settled"}
    found.run_until(at("2026-03-01 00:00"))
    assert found.sent == []
    change = settle_objection(found.book, task_id, found.now, "key:k1")
    assert change is not None
    after(found, change)
    found.run_until(found.now + timedelta(days=3))
    assert len(set(told_on(found))) == 1  # the step that is current then, and none that was passed over


def test_an_objection_is_a_task_with_what_was_said_and_the_words_go_with_its_resolution() -> None:
    (change,) = object_to(a_book(), [], LINK, replace(PAID, statement_id="A"), MORNING)
    (task,) = change.tasks
    assert (task.kind, task.account_id, task.statement_id) == (
        TaskKind.PATIENT_OBJECTION,
        a_book().account.account_id,
        "A",
    )
    assert task.facts == {"objection": "AlreadyPaid", "recipient": "guarantor", "text": PAID.text}
    assert "text" not in resolved(task, "posted", MORNING, "key:k1").facts
    assert PAID.text not in repr((change.account, change.history, task.task_id))


def test_what_was_said_is_said_once_until_it_is_settled() -> None:
    found = world()
    task_id = objected(found)
    assert object_to(found.book, [], LINK, PAID, MORNING + timedelta(hours=2)) == []
    change = settle_objection(found.book, task_id, found.now, "key:k1")
    assert change is not None
    after(found, change)
    assert settle_objection(found.book, task_id, MORNING, "key:k1") is None
    found.now += timedelta(days=1)
    assert objected(found) != task_id


@pytest.mark.parametrize(
    "other",
    [
        {"kind": ObjectionKind.NOT_MINE},
        {"text": "By card"},
        {"text": ""},
        {"statement_id": "S-1"},
        {"recipient": "billTo"},
    ],
)
def test_what_is_said_otherwise_is_a_task_of_its_own_and_each_has_to_be_settled(other: dict[str, Any]) -> None:
    found = world()
    first, second = objected(found), objected(found, replace(PAID, **other))
    assert first != second
    change = settle_objection(found.book, first, found.now, "key:k1")
    assert change is not None
    after(found, change)
    assert plan(found.book, found.organization, found.now).rest_reason == "a patient's objection is not settled"


def test_no_one_fills_the_tasks_of_staff() -> None:
    found = world()
    for n in range(MOST_OBJECTIONS):
        objected(found, replace(PAID, text=str(n)))
    with pytest.raises(TooManyObjectionsError):
        object_to(found.book, [], LINK, PAID, MORNING)
    assert object_to(found.book, [], LINK, replace(PAID, text="0"), MORNING) == []


# --- the day to be reminded on --------------------------------------------------------------------------------------


def test_no_reminder_goes_before_the_day_and_the_step_is_told_again_on_it() -> None:
    found = world()
    found.run_until(at("2026-01-06 12:00"))
    before = told_on(found)
    assert before  # the first notice went: it is what led to the page
    asked_to_wait(found)
    found.run_until(at("2026-01-19 23:59"))
    assert told_on(found) == before
    assert found.planning_at == at("2026-01-20 00:00")
    found.run_until(at("2026-01-20 23:59"))
    again = told_on(found)[len(before) :]
    assert again
    assert set(again) == {DAY}
    assert found.book.account.remind_on is None


def test_a_step_that_came_due_meanwhile_goes_on_the_day_and_once() -> None:
    found = world()
    found.run_until(at("2026-02-02 12:00"))
    before = len(told_on(found))
    asked_to_wait(found, date(2026, 2, 20))
    found.run_until(at("2026-02-28 00:00"))
    channels = [notice.channel for notice in found.sent[before:]]
    assert set(told_on(found)[before:]) == {date(2026, 2, 20)}
    assert len(channels) == len(set(channels))


def test_whoever_paid_meanwhile_is_not_reminded() -> None:
    found = world()
    asked_to_wait(found)
    (bill,) = found.book.bills
    found.book = replace(found.book, bills=(replace(bill, balance=0),))
    found.run_until(at("2026-02-28 00:00"))
    assert found.sent == []


def test_a_later_word_replaces_the_day_and_the_same_day_changes_nothing() -> None:
    found = world()
    asked_to_wait(found)
    assert remind_on([found.book], LINK, DAY, MORNING) == []
    asked_to_wait(found, date(2026, 1, 12))
    assert found.book.account.remind_on == date(2026, 1, 12)


def test_the_days_that_may_be_asked_for_begin_tomorrow_and_end_after_thirty_days() -> None:
    assert reminder_days(date(2026, 1, 31)) == (date(2026, 2, 1), date(2026, 3, 2))


def test_a_sender_reads_no_wait_that_is_over_though_nobody_ended_it_yet() -> None:
    found = world()
    (waiting, *_) = found.pending()
    book = replace(found.book, account=an_account(remind_on=date(2026, 1, 14)))
    assert isinstance(judge(waiting, book, found.organization, at("2026-01-13 10:00")), Refuse)
    assert isinstance(judge(waiting, book, found.organization, at("2026-01-14 10:00")), Send)


def test_the_forecast_looks_beyond_the_day() -> None:
    found = world()
    asked_to_wait(found)
    foreseen = forecast(found.book, found.organization, found.now)
    assert min(notice.sent_at.date() for notice in foreseen if notice.sent_at) == DAY


@pytest.mark.parametrize(("until", "first"), [(date(2026, 1, 30), "2026-01-30"), (date(2026, 1, 12), "2026-01-20")])
def test_of_a_hold_and_a_day_the_later_counts(until: date, first: str) -> None:
    found = world()
    asked_to_wait(found)
    change = set_hold(found.book, Hold.DISPUTE, "asked us to wait", until, found.now, "key:k1")
    assert change is not None
    after(found, change)
    found.run_until(at("2026-02-03 23:59"))
    assert min(told_on(found)).isoformat() == first


# --- told ----------------------------------------------------------------------------------------------------------


def test_the_explanation_names_each_objection_and_the_day() -> None:
    found = world()
    assert patients_word(found) == [("no objection, and no day to be reminded on", RuleOutcome.PASSES)]
    asked_to_wait(found)
    assert patients_word(found) == [("asked to be reminded later, on 2026-01-20", RuleOutcome.STOPS)]
    objected(found)
    said = "a patient's objection is not settled: AlreadyPaid, asked to be reminded later, on 2026-01-20"
    assert patients_word(found) == [(said, RuleOutcome.STOPS)]


def test_pauses_go_along_to_the_same_persons_other_account() -> None:
    said = Objection(task_id="tsk_1", kind=ObjectionKind.NOT_MINE, said_at=MORNING)
    other = an_account(objections=(said,), remind_on=DAY)
    both = both_pauses(an_account(remind_on=date(2026, 1, 12)), other)
    assert (both.objections, both.remind_on) == ((said,), DAY)
    assert both_pauses(both, other) == both


def test_an_objection_is_no_reason_to_repeat_a_notice_that_went() -> None:
    found = world()
    found.run_until(at("2026-01-06 12:00"))
    before = len(told_on(found))
    task_id = objected(found)
    change = settle_objection(found.book, task_id, found.now, "key:k1")
    assert change is not None
    after(found, change)
    found.run_until(at("2026-01-10 00:00"))
    assert len(told_on(found)) == before
    assert all(notice.status is not NoticeStatus.SCHEDULED for notice in found.book.notices)
