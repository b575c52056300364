"""What goes when, and to where, in cases that went wrong elsewhere: late runs, late addresses, bounces, clocks.

Each test plays one case of tests/cases, and says its name.
"""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from functions.manage.ports import ports as manage_ports
from shared.contracts.statements import read_statement
from shared.domain.records.account import Account
from shared.domain.vocabulary.words import Channel, NoticeStatus, NotificationType
from shared.storage.account_books import AccountBooks
from tests.integration.test_delivery_events import SENT, book, books, stored, told
from tests.worlds.aws import TABLE
from tests.worlds.cases import CasePractice, case
from tests.worlds.dunning_world import (
    EMAIL,
    HOME,
    NEW_YORK,
    PRINT,
    SMS,
    World,
    a_bill,
    a_book,
    a_guarantor,
    an_account,
    an_organization,
    at,
    refusals,
)
from tests.worlds.examples import NOW
from tests.worlds.manage_api import OWN
from tests.worlds.wiring import wired

__all__ = ["books"]

ANY = at("2026-01-05 00:00")


def went(world: World) -> list[tuple[str, Channel, int]]:
    """Day, channel and level of what was sent."""
    return [(day[5:], Channel(channel), level) for day, channel, _, level in world.story()]


# --- bounces ------------------------------------------------------------------------------------------------------


def bounce_of(said: dict[str, str]) -> dict[str, Any]:
    """A bounce as SES tells it: recipients may come with the name that they were written to by."""
    return {**said, "bouncedRecipients": [{"emailAddress": "Ada Example <ada@example.com>", "status": "5.1.1"}]}


def test_case_46_an_address_that_bounces_for_good_isnt_used_any_more_and_another_may_be_tried_again(
    books: AccountBooks,
) -> None:
    stored(books, SENT)
    *soft, hard = sorted(case("46").inputs["events"], key=lambda said: said["bounceType"] == "Permanent")
    for said in soft:
        told("Bounce", bounce=bounce_of(said))
        assert book(books).account.undeliverable == frozenset(), said
    told("Delivery")
    told("Bounce", bounce=bounce_of(hard))
    after = book(books)
    assert after.account.undeliverable == {Channel.EMAIL}
    assert after.notices[0].status is NoticeStatus.UNDELIVERABLE_PERMANENT


# --- late runs and late addresses ---------------------------------------------------------------------------------


@pytest.mark.parametrize("more_days", [-5, 0, 14])
def test_case_51_a_step_that_came_due_while_nothing_ran_goes_once_afterwards(more_days: int) -> None:
    days = case("51").inputs["days"] + more_days
    world = World(an_organization(), a_book(), ANY)
    world.run_until(at("2026-02-03 23:00"))
    before = len(went(world))
    world.now = at("2026-02-03 23:00") + timedelta(days=days)
    world.run_until(at("2026-03-05 23:00"))
    late = [(channel, level) for _, channel, level in went(world)[before:]]
    assert sorted(late[:3]) == sorted([(EMAIL, 2), (PRINT, 2), (SMS, 2)])
    assert len(late) == len(set(late))


def without_address() -> Account:
    return an_account(a_guarantor(email="", mobile_phone="", address=None))


def test_case_52_a_late_address_brings_its_letter_and_the_paper_cycle_counts_from_there() -> None:
    """The case leaves it open. The rule: between two letters lies the paper cycle (docs/rules.md#paper-cycle)."""
    world = World(an_organization(configuration_id="paper-30"), a_book(account=without_address()), ANY)
    world.run_until(at("2026-01-12 10:00"))
    assert went(world) == []
    (with_address,) = case("52").statements("day7")
    world.change_account(guarantor=read_statement(with_address).statement.guarantor)
    world.run_until(at("2026-02-05 23:00"))
    assert went(world) == [("01-12", PRINT, 1)]
    assert PRINT in refusals(world.book.notices)
    world.run_until(at("2026-03-06 23:00"))
    assert went(world) == [("01-12", PRINT, 1), ("03-06", PRINT, 3)]


def test_case_52_an_address_that_is_late_by_less_than_the_cycles_differ_costs_no_letter() -> None:
    world = World(an_organization(configuration_id="paper-30"), a_book(account=without_address()), ANY)
    world.run_until(at("2026-01-09 10:00"))
    world.change_account(guarantor=replace(world.book.account.guarantor, address=HOME))
    world.run_until(at("2026-02-05 23:00"))
    assert went(world) == [("01-09", PRINT, 1), ("02-04", PRINT, 2)]


# --- by hand, and then by the schedule ------------------------------------------------------------------------------


def test_case_53_what_staff_sends_takes_no_step_of_the_schedule_away(
    practice: CasePractice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The case leaves it open. The rule: a notice on demand raises no level (docs/rules.md#on-demand-notice)."""
    wired(monkeypatch, manage_ports, TABLE_NAME=TABLE, ALLOW_SIMULATED_TIME="true")
    practice.send(*case("53").statements())
    path = "/v1/organizations/org_1/bills/S-1/notifications"
    body = {name: value.lower() for name, value in case("53").inputs["onDemand"].items()}
    assert OWN.post(path, body).status == 202
    practice.plan()
    emails = [row for row in practice.book("G-1").notices if row.channel is Channel.EMAIL]
    assert {row.notification_type for row in emails} == {NotificationType.ON_DEMAND, NotificationType.INITIAL}
    assert len(emails) == 2


# --- clocks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("year", "arrived"), [(2027, None), (2026, date(2026, 8, 10))], ids=["spring", "autumn"])
def test_case_57_steps_on_both_sides_of_a_change_of_clocks_go_at_the_same_local_hour(
    year: int, arrived: date | None
) -> None:
    on = arrived or date.fromisoformat(case("57").inputs["arrived"])
    world = World(an_organization(), a_book(a_bill(on=on)), at(f"{on} 00:00"))
    world.run_until(at(f"{on + timedelta(days=100)} 00:00"))
    emails = [row.sent_at for row in world.sent if row.channel is Channel.EMAIL and row.sent_at]
    assert len({moment.astimezone(NEW_YORK).utcoffset() for moment in emails}) == 2
    assert len({moment.astimezone(NEW_YORK).time().hour for moment in emails}) == 1
    assert {moment.year for moment in emails} == {year}


# --- contact data that is taken out ---------------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["", None, ...], ids=["empty", "null", "left out"])
def test_case_67_what_a_statement_doesnt_say_of_an_address_stands(practice: CasePractice, written: Any) -> None:
    """The case leaves it open; the rule decides, and staff takes an address out (docs/rules.md#new-contact-data)."""
    (first,), (then,) = case("67").statements("first"), case("67").statements("then")
    assert then["guarantor"]["email"] == ""
    practice.takes(first)
    if written is ...:
        del then["guarantor"]["email"]
    else:
        then["guarantor"]["email"] = written
    row = practice.takes(then, at=NOW + timedelta(hours=1))
    assert (row["result"], row["errors"]) == ("Updated", [])
    assert practice.account("G-1").guarantor.email == "ada@example.com"
    practice.plan(NOW + timedelta(hours=1))
    assert practice.notices("G-1")[Channel.EMAIL].status is not NoticeStatus.WILL_NOT_SEND
