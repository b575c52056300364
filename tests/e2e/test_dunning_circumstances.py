"""What decides beside the dunning settings: holidays, returned email, invalid addresses, an organization's standing."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import httpx
import pytest

from local.stack.watch import LocalStack
from tests.worlds.practices import World, all_three, new_world, new_york, statement_of

pytestmark = pytest.mark.e2e

FIRST = date(2026, 5, 20)
"""A Wednesday: day 0 of the bills."""
MEMORIAL_DAY, DAY_AFTER = date(2026, 5, 25), date(2026, 5, 26)
A_WEEK_LATER = date(2026, 5, 27)
JUNETEENTH, MONDAY_AFTER = date(2026, 6, 19), date(2026, 6, 22)
"""Day 30, a Friday, and the next business day."""

AN_EMAILED_REMINDER = {"configurationId": "gentle-45", "billAging": "BasedOnDunningStatus"}
SKIP_PAPER = {"skipPaperWhenElectronicAvailable": True}

SETTINGS: dict[str, dict[str, Any]] = {
    "holidays": {},
    "holidaysoff": {"sendWindow": {"federalHolidays": False}},
    "arrival": {},
    "arrivaloff": {"sendWindow": {"federalHolidays": False}},
    "return": {**AN_EMAILED_REMINDER, "dropToPaperAfterUndeliverableDays": 7},
    "returnoff": AN_EMAILED_REMINDER,
    "invalid": SKIP_PAPER,
    "invalidoff": {},
    "doubtful": SKIP_PAPER,
    "inactive": {},
    "archived": {},
}
"""By practice: what is changed of its dunning settings."""

ADDRESS_STATUS = {"invalid": "N", "invalidoff": "N", "doubtful": "D"}
"""By practice: the status of the guarantor's address, who has no other."""

ON_MEMORIAL_DAY = ("arrival", "arrivaloff")
"""Practices whose statement comes on that day."""


def sent_statement(name: str) -> dict[str, Any]:
    """The statement of a practice's one family."""
    body = statement_of(name, **({"dunningStatus": "Due"} if name in {"return", "returnoff"} else {}))
    if name in ADDRESS_STATUS:
        unreachable = {key: said for key, said in body["guarantor"].items() if key not in {"email", "mobilePhone"}}
        body["guarantor"] = {**unreachable, "addressStatus": ADDRESS_STATUS[name]}
    return body


def a_day(world: World, day: date) -> None:
    """Let the scheduler run in the morning of a day, and at the end of its window."""
    world.at(day, 9)
    world.at(day, 17, 50)


def the_first_day(world: World) -> None:
    """The first notices go; two practices stop beforehand, and two emails come back."""
    world.ask("PATCH", "inactive", "", {"accountStatus": "Inactive"})
    world.seen["results"] = world.send(*(sent_statement(name) for name in SETTINGS if name not in ON_MEMORIAL_DAY))
    world.at(FIRST, 9)
    world.ask("PATCH", "archived", "", {"accountStatus": "Archived"})
    world.at(FIRST, 17, 50)
    for name in ("return", "returnoff"):
        world.bounce(name)
    world.at(FIRST, 17, 55)
    world.seen["explanation"] = world.ask("GET", "return", "/bills/{S}/explanation")


@pytest.fixture(scope="module")
def world(stack: LocalStack) -> Iterator[World]:
    """From May 20 to June 22, 2026."""
    with httpx.Client(base_url=stack.api_url, timeout=60) as client:
        world = new_world(stack, client, new_york(FIRST, 9))
        for name, settings in SETTINGS.items():
            world.orgs[name] = world.partner.organization(f"SET-{name.upper()}")
            if settings:
                world.ask("PATCH", name, "/dunning", settings)
        the_first_day(world)
        world.partner.now = new_york(MEMORIAL_DAY, 8)
        world.send(*map(sent_statement, ON_MEMORIAL_DAY))
        for day in (MEMORIAL_DAY, DAY_AFTER, A_WEEK_LATER, JUNETEENTH):
            a_day(world, day)
        world.partner.now = new_york(MONDAY_AFTER, 8)
        world.ask("PATCH", "inactive", "", {"accountStatus": "Active"})
        a_day(world, MONDAY_AFTER)
        yield world
        world.be_silent(world.orgs)


def test_a_reminder_due_on_a_federal_holiday_goes_on_the_next_business_day(world: World) -> None:
    assert world.went("holidays") == {FIRST: all_three("Initial (1)"), MONDAY_AFTER: all_three("Due (2)")}


def test_with_federal_holidays_off_it_goes_on_the_holiday_itself(world: World) -> None:
    assert world.went("holidaysoff") == {FIRST: all_three("Initial (1)"), JUNETEENTH: all_three("Due (2)")}


def test_a_bill_that_arrives_on_a_federal_holiday_waits_for_the_day_after_only_where_holidays_are_kept(
    world: World,
) -> None:
    assert world.went("arrival") == {DAY_AFTER: all_three("Initial (1)")}
    assert world.went("arrivaloff") == {MEMORIAL_DAY: all_three("Initial (1)")}


def test_a_reminder_whose_email_came_back_goes_by_letter_after_the_days_set(world: World) -> None:
    assert world.went("return") == {FIRST: ["email: Due (2)"], A_WEEK_LATER: ["print: Due (2)"]}
    assert world.refused("return") == {"email": "email address is undeliverable"}


def test_an_explanation_names_the_day_of_that_letter_beforehand(world: World) -> None:
    found = [finding["found"] for finding in world.seen["explanation"]["findings"] if finding["channel"] == "print"]
    assert f"electronic notices are undeliverable: goes by letter from {A_WEEK_LATER}" in found


def test_without_such_days_a_returned_reminder_is_followed_by_no_letter(world: World) -> None:
    assert world.went("returnoff") == {FIRST: ["email: Due (2)"]}


def test_an_invalid_address_gets_no_letter_where_paper_is_skipped(world: World) -> None:
    assert world.went("invalid") == {}
    assert world.refused("invalid")["print"] == "mailing address has an invalid status"


@pytest.mark.parametrize("name", ["invalidoff", "doubtful"])
def test_elsewhere_or_if_the_address_is_merely_doubtful_the_letter_goes(world: World, name: str) -> None:
    assert world.went(name) == {FIRST: ["print: Initial (1)"], MONDAY_AFTER: ["print: Due (2)"]}


def test_an_inactive_organization_takes_statements_and_sends_the_current_step_alone_once_it_is_active(
    world: World,
) -> None:
    assert world.seen["results"]["S-INACTIVE"] == "Created"
    assert world.went("inactive") == {MONDAY_AFTER: all_three("Due (2)")}


def test_an_archived_organization_sends_nothing_and_refuses_statements(world: World) -> None:
    assert world.went("archived") == {}
    assert set(world.refused("archived").values()) == {"organization is not active"}
    body = {"statements": [{**sent_statement("archived"), "totalBalance": "50.00"}]}
    answer = world.partner.call("POST", "/v1/statements", body)
    assert answer.status_code == 200, answer.text
    [row] = answer.json()["statements"]
    assert row["result"] == "Failed"
    assert row["errors"] == [
        {"pointer": "/clientId", "detail": "The organization is archived and takes no statements."}
    ]
    assert world.bill("archived")["balance"] == "74.60"
