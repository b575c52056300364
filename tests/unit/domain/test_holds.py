"""Holds with a reason and an end: what they keep, and how dunning goes on by itself."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from shared.domain.account.account_changes import change_account
from shared.domain.account.holds import both_holds, lift_hold, set_hold
from shared.domain.dunning import forecast, judge, plan
from shared.domain.dunning.decision import Refuse, Rule, Send
from shared.domain.records.account import HoldDetail
from shared.domain.vocabulary.actors import NamedActor
from shared.domain.vocabulary.words import Hold, NoticeStatus
from tests.worlds.dunning_world import World, a_book, an_account, an_organization, at

MORNING = at("2026-01-05 10:00")
END = date(2026, 1, 14)
PERSON = NamedActor("key:k1", "Rita Desk")


def held(hold: Hold = Hold.DISPUTE, until: date | None = END) -> World:
    """A bill that arrived on January 5, on hold from that morning."""
    world = World(an_organization(), a_book(), MORNING)
    change = set_hold(world.book, hold, "asked us to wait", until, MORNING, PERSON)
    assert change is not None
    world.book = world.book.after(change)
    return world


def hold_findings(world: World) -> list[str]:
    planned = plan(world.book, world.organization, world.now)
    return [finding.found for finding in planned.findings if finding.rule is Rule.HOLDS]


def test_a_hold_keeps_its_reason_its_end_and_who_set_it() -> None:
    world = held()
    detail = HoldDetail(hold=Hold.DISPUTE, reason="asked us to wait", since=MORNING, until=END, by="Rita Desk")
    assert world.book.account.hold_details == (detail,)
    event = world.book.history[-1]
    assert (event.event, event.actor, event.by, event.reason) == ("HoldSet", "key:k1", "Rita Desk", "asked us to wait")
    assert event.facts == {"hold": "Dispute", "until": "2026-01-14"}


@pytest.mark.parametrize("hold", Hold)
def test_dunning_goes_on_by_itself_on_the_day_that_a_hold_ends(hold: Hold) -> None:
    """At the end it is planned, on the organization's calendar, and goes that very day; nothing goes before."""
    world = held(hold)
    world.run_until(at("2026-01-13 23:59"))
    assert world.sent == []
    assert world.planning_at == at("2026-01-14 00:00")
    world.run_until(at("2026-01-14 23:59"))
    assert {notice.sent_at.date() for notice in world.sent if notice.sent_at} == {END}
    assert (world.book.account.holds, world.book.account.hold_details) == (frozenset(), ())
    assert [(event.event, event.facts["hold"]) for event in world.book.history][-1] == ("HoldEnded", hold)


def test_a_hold_without_an_end_is_not_planned_again() -> None:
    planned = plan(held(until=None).book, an_organization(), MORNING)
    assert (planned.next_planning_at, planned.rest_reason) == (None, "on hold: Dispute")


def test_of_two_holds_the_one_without_an_end_goes_on_holding() -> None:
    world = held()
    change = set_hold(world.book, Hold.HARDSHIP, "out of work", None, MORNING, "key:k1")
    assert change is not None
    world.book = world.book.after(change)
    world.run_until(at("2026-02-01 00:00"))
    assert world.sent == []
    assert world.book.account.holds == {Hold.HARDSHIP}


def test_a_plan_made_again_after_the_end_changes_nothing() -> None:
    world = held()
    world.now = at("2026-01-14 00:00")
    world.plan()
    again = plan(world.book, world.organization, world.now)
    assert (again.notices, again.ended) == ((), None)


def test_the_explanation_names_the_end_and_after_it_no_hold() -> None:
    world = held()
    assert hold_findings(world) == ["on hold: Dispute, until 2026-01-14"]
    world.now = at("2026-01-14 00:00")
    assert hold_findings(world) == ["no hold"]


def test_the_forecast_looks_beyond_the_end() -> None:
    world = held()
    foreseen = forecast(world.book, world.organization, MORNING)
    assert min(notice.sent_at.date() for notice in foreseen if notice.sent_at) == END


def test_a_sender_reads_no_hold_that_is_over_though_nobody_ended_it_yet() -> None:
    world = World(an_organization(), a_book(), MORNING)
    world.plan()
    (waiting, *_) = world.pending()
    detail = HoldDetail(hold=Hold.DISPUTE, since=MORNING, until=END)
    account = an_account(holds=frozenset({Hold.DISPUTE}), hold_details=(detail,))
    book = replace(world.book, account=account)
    assert isinstance(judge(waiting, book, world.organization, at("2026-01-13 10:00")), Refuse)
    assert isinstance(judge(waiting, book, world.organization, at("2026-01-14 10:00")), Send)


def test_setting_a_hold_again_gives_it_another_reason_or_end_and_keeps_its_beginning() -> None:
    world, later = held(), MORNING + timedelta(days=1)
    assert set_hold(world.book, Hold.DISPUTE, "asked us to wait", END, later, "key:k2") is None
    change = set_hold(world.book, Hold.DISPUTE, "still unclear", None, later, "key:k2")
    assert change is not None
    (detail,) = change.account.hold_details
    assert (detail.reason, detail.until, detail.since, detail.by) == ("still unclear", None, MORNING, "key:k2")
    assert [(event.event, event.reason) for event in change.history] == [("HoldSet", "still unclear")]


def test_a_hold_is_lifted_with_its_reason_and_leaves_nothing_behind() -> None:
    """A later hold of the kind must not end because an earlier one had an end."""
    book = held().book
    change = lift_hold(book, Hold.DISPUTE, "settled", MORNING, PERSON)
    assert change is not None
    assert (change.account.holds, change.account.hold_details) == (frozenset(), ())
    assert [(event.event, event.reason, event.by) for event in change.history] == [
        ("HoldLifted", "settled", "Rita Desk")
    ]
    again = change_account(
        book.after(change), replace(change.account, holds=frozenset({Hold.DISPUTE})), MORNING, "key:k1"
    )
    assert again is not None
    assert [detail.until for detail in again.account.hold_details] == [None]
    assert lift_hold(book.after(change), Hold.DISPUTE, "settled", MORNING, PERSON) is None


@pytest.mark.parametrize(
    ("here", "there", "kept"),
    [(END, END + timedelta(days=9), END + timedelta(days=9)), (END, None, None), (None, END, None), (END, END, END)],
)
def test_of_two_accounts_holds_the_longer_goes_along(here: date | None, there: date | None, kept: date | None) -> None:
    both = both_holds(held(until=here).book.account, held(until=there).book.account)
    assert [(detail.hold, detail.until) for detail in both.hold_details] == [(Hold.DISPUTE, kept)]
    only = both_holds(an_account(), held(until=there).book.account)
    assert (set(only.holds), [detail.until for detail in only.hold_details]) == ({Hold.DISPUTE}, [there])


def test_what_waits_is_cancelled_by_a_hold_whenever_it_ends() -> None:
    world = World(an_organization(), a_book(), MORNING)
    world.plan()
    change = set_hold(world.book, Hold.DISPUTE, "asked us to wait", END, MORNING, PERSON)
    assert change is not None
    assert {row.status for row in change.notices} == {NoticeStatus.CANCELLED}
    assert {row.status_history[-1].by for row in change.notices} == {"Rita Desk"}
