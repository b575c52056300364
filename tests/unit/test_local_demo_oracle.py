from __future__ import annotations

from datetime import date, timedelta

import pytest

from local.demo.input import InputAccount, InputBill
from local.demo.oracle import OracleStep, Schedule, business_days, expected_sendings
from local.demo.practices import BAY, RIDGE, Practice
from local.sample.generator import SampleAccount

MONDAY = date(2026, 1, 12)
LAST = MONDAY + timedelta(days=60)
ALL = ("email", "sms", "print")
STANDARD = Schedule(
    (
        OracleStep(1, 0, "Initial", ALL),
        OracleStep(2, 30, "Due", ALL),
        OracleStep(3, 60, "PastDue", ALL),
        OracleStep(4, 90, "Final", ALL),
    ),
    paper_cycle_days=25,
)
TEXT_FIRST = Schedule(
    (
        OracleStep(1, 0, "Initial", ("sms",)),
        OracleStep(2, 10, "Due", ("sms", "email")),
        OracleStep(3, 30, "PastDue", ("sms", "email")),
        OracleStep(4, 60, "PastDue", ("email",)),
    ),
    paper_cycle_days=25,
)


def account(*balances: int, email: bool = True, mobile: bool = True, opted_out: str = "") -> InputAccount:
    facts = SampleAccount(
        client_id="BAY-100",
        account_id="G-1",
        kind="plain",
        language="en",
        has_email=email,
        has_mobile=mobile,
        opted_out_email="email" in opted_out,
        opted_out_sms="sms" in opted_out,
        address_status="Y",
        birth_dates=(date(1980, 2, 29),),
        postal_code="02116",
        statement_ids=(),
    )
    guarantor = {"email": "guarantor.bay-100.1@example.com", "mobilePhone": "617-555-0142"}
    bills = [InputBill([f"S-{number}"], MONDAY, [(MONDAY, balance)]) for number, balance in enumerate(balances)]
    return InputAccount(facts, guarantor, bills)


def days(who: InputAccount, channel: str, practice: Practice = BAY, schedule: Schedule = STANDARD) -> dict[int, int]:
    """The days after the start on which a channel goes, with the level."""
    sendings = expected_sendings(who, practice, schedule, MONDAY, LAST)
    assert set(sendings.values()) <= {1}
    return {(day - MONDAY).days: level for day, through, level in sorted(sendings) if through == channel}


@pytest.mark.parametrize("channel", ALL)
def test_every_channel_of_a_step_goes_on_its_day(channel: str) -> None:
    """A plain account hears at age 0, 30 and 60, on all channels, one level higher each time."""
    assert days(account(10_000), channel) == {0: 1, 30: 2, 60: 3}


def test_two_bills_of_a_day_are_one_notice() -> None:
    """Consolidation: one notice a channel and day, however many bills."""
    assert days(account(10_000, 20_000), "email") == {0: 1, 30: 2, 60: 3}


def test_a_step_on_a_holiday_goes_on_the_next_business_day() -> None:
    """Martin Luther King Day is no business day."""
    holiday = date(2026, 1, 19)
    late = account(10_000)
    late.bills[0].created, late.bills[0].changes = holiday, [(holiday, 10_000)]
    assert days(late, "email") == {8: 1, 37: 2}
    assert holiday not in business_days(MONDAY, LAST)


def test_nothing_goes_once_nothing_is_owed() -> None:
    """A payment on the morning of a step stops the step."""
    paid = account(10_000)
    paid.bills[0].change(MONDAY + timedelta(days=30), 0, "online")
    assert days(paid, "email") == {0: 1}


def test_a_balance_must_exceed_the_minimum_of_its_channel() -> None:
    """Five dollars are enough for an email of this practice, but not for a letter."""
    assert days(account(500), "print") == {}
    assert days(account(501), "print") == {0: 1, 30: 2, 60: 3}
    assert days(account(500), "email") == {0: 1, 30: 2, 60: 3}


def test_a_hold_stops_everything() -> None:
    """From the day on which it is set."""
    held = account(10_000)
    held.held_from = MONDAY + timedelta(days=9)
    assert days(held, "sms") == {0: 1}


def test_an_opt_out_closes_its_channel_from_its_day() -> None:
    """The others go on."""
    gone = account(10_000)
    gone.opted_out_from["email"] = MONDAY + timedelta(days=25)
    assert days(gone, "email") == {0: 1}
    assert days(gone, "sms") == {0: 1, 30: 2, 60: 3}


def test_a_letter_within_the_paper_cycle_is_not_made_up_for() -> None:
    """A second bill whose letter comes too soon after the first one's has no letter of its own."""
    two = account(10_000, 20_000)
    later = MONDAY + timedelta(days=23)
    two.bills[1].created, two.bills[1].changes = later, [(later, 20_000)]
    assert days(two, "print") == {0: 1, 30: 2, 60: 3}
    assert days(two, "email") == {0: 1, 23: 1, 30: 2, 53: 2, 60: 3}


def test_a_reminder_drops_to_paper_only_for_an_opt_out() -> None:
    """A letter for who opted out of all of a step's channels, if the paper cycle allows; not for want of an address."""
    both = account(10_000, opted_out="email sms")
    assert days(both, "print", RIDGE, TEXT_FIRST) == {10: 2, 60: 4}
    texts_only = account(10_000, opted_out="email")
    assert days(texts_only, "print", RIDGE, TEXT_FIRST) == {60: 4}
    nobody = account(10_000, email=False, mobile=False)
    assert days(nobody, "print", RIDGE, TEXT_FIRST) == {}


def test_a_step_that_nothing_was_sent_for_goes_when_the_balance_rises() -> None:
    """It stays open while the bill is at it."""
    rising = account(900)
    rising.bills[0].change(MONDAY + timedelta(days=23), 5_000, "statements")
    assert days(rising, "sms", RIDGE, TEXT_FIRST) == {23: 2, 30: 3}
