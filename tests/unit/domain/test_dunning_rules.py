"""Rules of docs/rules.md, by example: the settings of an organization, the rules for organizations and holds."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from shared.domain.dunning import plan, with_notices
from shared.domain.records.bill import Bill
from shared.domain.records.notice import moved
from shared.domain.records.policy import DunningConfiguration
from shared.domain.records.presets import CONFIGURATIONS
from shared.domain.records.statement import OptOuts
from shared.domain.vocabulary.words import (
    AccountStatus,
    AddressStatus,
    BillStatus,
    Channel,
    CommunicationStatus,
    Hold,
    NotificationType,
)
from tests.worlds.bounds import some
from tests.worlds.dunning_world import (
    DUE,
    EMAIL,
    FINAL,
    HOME,
    INITIAL,
    MONDAY,
    PAST_DUE,
    PRINT,
    SMS,
    S,
    World,
    a_bill,
    a_book,
    a_guarantor,
    a_preset,
    an_account,
    an_organization,
    at,
    by_channel,
    levels,
    refusals,
)
from tests.worlds.examples import as_if

NOW = at("2026-01-05 00:00")
ALL = {EMAIL, SMS, PRINT}


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> "Tried":
    return Tried(monkeypatch)


class Tried:
    """Puts a preset of a test's own beside the five."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch

    def __call__(
        self, *rows: tuple[int, NotificationType, tuple[Channel, ...]], cycle: int = 30, paper: int = 25
    ) -> DunningConfiguration:
        preset: DunningConfiguration = a_preset(*rows, cycle=cycle, paper=paper)
        self.monkeypatch.setitem(CONFIGURATIONS, "tried", preset)
        return preset


def old_bill(statement_id: str, age: int, balance: int = 50_00) -> Bill:
    return a_bill(statement_id, on=MONDAY - timedelta(days=age), balance=balance)


# --- minimum dollar threshold -----------------------------------------------


@pytest.mark.parametrize(
    ("balance", "electronic", "printed", "goes"),
    [
        (5_01, 5_00, 5_00, ALL),
        (5_00, 5_00, 0, {PRINT}),  # must exceed, not equal
        (5_00, 0, 5_00, {EMAIL, SMS}),
        (5_00, 5_00, 5_00, set()),
        (1, 0, 0, ALL),
    ],
)
def test_a_balance_must_exceed_the_minimum_of_the_channel(
    balance: int, electronic: int, printed: int, goes: set[Channel]
) -> None:
    """Electronic channels have one minimum, letters another."""
    organization = an_organization(minimum_electronic=electronic, minimum_print=printed)
    planned = plan(a_book(a_bill(balance=balance)), organization, NOW)
    assert set(by_channel(planned.notices)) == goes
    assert refusals(planned.notices) == dict.fromkeys(ALL - goes, "balance does not exceed the minimum")


def test_the_minimum_is_compared_with_each_bill_not_with_their_sum() -> None:
    """The rule docs/rules.md#minimum."""
    organization = an_organization(minimum_electronic=5_00, minimum_print=5_00)
    planned = plan(a_book(a_bill("A", balance=4_00), a_bill("B", balance=4_00)), organization, NOW)
    assert not by_channel(planned.notices)


def test_reminders_honour_the_minimum_like_the_first_bill() -> None:
    """A balance that fell below it is not reminded of."""
    organization = an_organization(minimum_electronic=5_00, minimum_print=5_00)
    world = World(organization, a_book(a_bill(balance=6_00)), NOW)
    world.run_until(at("2026-01-20 00:00"))
    world.change_bill("A", balance=5_00)
    world.run_until(at("2026-06-01 00:00"))
    assert {level for *_, level in world.story()} == {1}


def test_a_bill_lifts_the_level_only_of_channels_whose_minimum_it_exceeds() -> None:
    """By docs/rules.md#minimum-and-level: the old bill of 3.00 is too small for a letter, which is the new bill's."""
    organization = an_organization(minimum_print=5_00)
    book = a_book(old_bill("A", 90, balance=3_00), a_bill("B", balance=100_00))
    scheduled = by_channel(plan(book, organization, NOW).notices)
    assert (scheduled[EMAIL].notification_type, levels(scheduled[EMAIL])) == (FINAL, {"A": 4, "B": 1})
    assert (scheduled[PRINT].notification_type, levels(scheduled[PRINT])) == (INITIAL, {"B": 1})


def test_a_bill_under_every_minimum_that_was_sent_is_still_at_its_open_step() -> None:
    """By docs/rules.md#minimum-and-level: when its balance rises within the step, it is told of."""
    organization = an_organization(minimum_electronic=5_00, minimum_print=5_00)
    world = World(organization, a_book(a_bill("A"), a_bill("B", balance=4_00)), NOW)
    world.run_until(at("2026-01-08 00:00"))
    assert all(levels(notice) == {"A": 1} for notice in some(world.sent))
    world.sent.clear()
    world.change_bill("B", balance=40_00)
    world.run_until(at("2026-01-12 00:00"))
    assert [levels(notice) for notice in world.sent if notice.channel is EMAIL] == [{"B": 1}]


# --- who may be reached on what -----------------------------------------------


@pytest.mark.parametrize(
    ("choice", "goes"),
    [
        (OptOuts(), ALL),
        (OptOuts(email=True), {SMS, PRINT}),
        (OptOuts(sms=True), {EMAIL, PRINT}),
        (OptOuts(print=True), {EMAIL, SMS}),
        (OptOuts(email=True, sms=True), {PRINT}),
        (OptOuts(email=True, print=True), {SMS}),
        (OptOuts(email=True, sms=True, print=True), {PRINT}),  # the last channel stays open
    ],
)
def test_an_opt_out_closes_its_channel_but_never_the_last(choice: OptOuts, goes: set[Channel]) -> None:
    """Each guarantor keeps at least one."""
    planned = plan(a_book(account=an_account(opt_outs=choice)), an_organization(), NOW)
    assert set(by_channel(planned.notices)) == goes
    why = {EMAIL: "opted out of email", SMS: "opted out of texts", PRINT: "opted out of letters"}
    assert refusals(planned.notices) == {channel: why[channel] for channel in ALL - goes}


@pytest.mark.parametrize(
    ("missing", "channel", "why"),
    [
        ({"email": ""}, EMAIL, "no email address"),
        ({"mobile_phone": "", "home_phone": "+12125550101"}, SMS, "no mobile number"),
        ({"address": None}, PRINT, "no mailing address"),
    ],
)
def test_a_channel_without_an_address_is_refused_and_the_others_go(
    missing: dict[str, Any], channel: Channel, why: str
) -> None:
    """A home phone takes no texts."""
    planned = plan(a_book(account=an_account(a_guarantor(**missing))), an_organization(), NOW)
    assert set(by_channel(planned.notices)) == ALL - {channel}
    assert refusals(planned.notices) == {channel: why}


@pytest.mark.parametrize(
    ("channel", "why"),
    [
        (EMAIL, "email address is undeliverable"),
        (SMS, "mobile number is undeliverable"),
        (PRINT, "mailing address is undeliverable"),
    ],
)
def test_an_address_that_messages_came_back_from_is_not_used(channel: Channel, why: str) -> None:
    """Until the contact data change."""
    planned = plan(a_book(account=an_account(undeliverable=frozenset({channel}))), an_organization(), NOW)
    assert set(by_channel(planned.notices)) == ALL - {channel}
    assert refusals(planned.notices) == {channel: why}


# --- drop to paper on opt-out -----------------------------------------------

NO_EMAIL, NO_MOBILE = {"email": ""}, {"mobile_phone": ""}
NOWHERE = {**NO_EMAIL, **NO_MOBILE}


@pytest.mark.parametrize("kind", [INITIAL, DUE, PAST_DUE, FINAL])
@pytest.mark.parametrize(
    ("setting", "out_of", "missing", "minimum", "drops"),
    [
        (True, (EMAIL, SMS), {}, 0, True),
        (False, (EMAIL, SMS), {}, 0, False),
        (True, (EMAIL,), {}, 0, False),  # the text still goes
        (True, (EMAIL,), NO_MOBILE, 0, True),  # no usable address for the other
        (True, (SMS,), NO_EMAIL, 0, True),
        (True, (), NOWHERE, 0, False),  # having no address is no opt-out
        (True, (EMAIL,), {}, 100_00, False),  # the text is there, but under its minimum
    ],
)
def test_a_reminder_drops_to_paper_when_an_opt_out_leaves_no_electronic_channel(
    tried: Tried,
    kind: NotificationType,
    setting: bool,  # noqa: FBT001 - a table
    out_of: tuple[Channel, ...],
    missing: dict[str, Any],
    minimum: int,
    drops: bool,  # noqa: FBT001 - a table
) -> None:
    """The rule docs/rules.md#drop-to-paper; Initial and Final never do."""
    tried((0, kind, (EMAIL, SMS)))
    choice = OptOuts(email=EMAIL in out_of, sms=SMS in out_of)
    organization = an_organization(
        configuration_id="tried", drop_to_paper_on_opt_out=setting, minimum_electronic=minimum
    )
    book = a_book(account=an_account(a_guarantor(**missing), opt_outs=choice))
    scheduled = by_channel(plan(book, organization, NOW).notices)
    assert (PRINT in scheduled) is (drops and kind in {DUE, PAST_DUE})


def test_a_letter_that_a_reminder_drops_to_keeps_to_the_rules_for_letters(tried: Tried) -> None:
    """It has its own minimum; the reason tells."""
    tried((0, DUE, (EMAIL,)))
    organization = an_organization(configuration_id="tried", drop_to_paper_on_opt_out=True, minimum_print=50_00)
    planned = plan(a_book(account=an_account(opt_outs=OptOuts(email=True))), organization, NOW)
    assert not by_channel(planned.notices)
    assert refusals(planned.notices) == {
        EMAIL: "opted out of email",
        PRINT: "balance does not exceed the minimum",
    }


def test_a_step_without_electronic_channels_has_nothing_to_drop(tried: Tried) -> None:
    """A letter is planned once, as the step says."""
    tried((0, DUE, (PRINT,)))
    organization = an_organization(configuration_id="tried", drop_to_paper_on_opt_out=True)
    book = a_book(account=an_account(opt_outs=OptOuts(email=True, sms=True)))
    assert set(by_channel(plan(book, organization, NOW).notices)) == {PRINT}


# --- skip paper when electronic available -----------------------------------------------


@pytest.mark.parametrize(
    ("setting", "guarantor", "choice", "goes", "why"),
    [
        (False, {}, OptOuts(), ALL, None),
        (True, {}, OptOuts(), {EMAIL, SMS}, "electronic channel available"),
        (True, NO_EMAIL, OptOuts(), {SMS}, "electronic channel available"),
        (True, NOWHERE, OptOuts(), {PRINT}, None),
        (True, NO_EMAIL, OptOuts(sms=True), {PRINT}, None),
        (
            True,
            NOWHERE | {"address_status": AddressStatus.INVALID},
            OptOuts(),
            set(),
            "mailing address has an invalid status",
        ),
        (False, {"address_status": AddressStatus.INVALID}, OptOuts(), ALL, None),
        (True, NOWHERE | {"address_status": AddressStatus.QUESTIONABLE}, OptOuts(), {PRINT}, None),
    ],
)
def test_paper_is_skipped_when_an_electronic_channel_really_goes(
    setting: bool,  # noqa: FBT001 - a table
    guarantor: dict[str, Any],
    choice: OptOuts,
    goes: set[Channel],
    why: str | None,
) -> None:
    """The rule docs/rules.md#skip-paper; an invalid address stops paper only where the setting is on."""
    organization = an_organization(skip_paper_when_electronic_available=setting)
    planned = plan(a_book(account=an_account(a_guarantor(**guarantor), opt_outs=choice)), organization, NOW)
    assert set(by_channel(planned.notices)) == goes
    assert refusals(planned.notices).get(PRINT) == why


def test_a_bill_too_small_for_an_email_gets_its_letter_beside_another_bills_email() -> None:
    """Electronic available means: a channel of its step really tells of it."""
    organization = an_organization(
        skip_paper_when_electronic_available=True, minimum_electronic=10_00, minimum_print=5_00
    )
    planned = plan(a_book(a_bill("A", balance=50_00), a_bill("B", balance=7_00)), organization, NOW)
    scheduled = by_channel(planned.notices)
    assert {channel: levels(notice) for channel, notice in scheduled.items()} == {
        EMAIL: {"A": 1},
        SMS: {"A": 1},
        PRINT: {"B": 1},
    }


def test_an_email_that_bounced_was_not_available_so_the_letter_goes() -> None:
    """The step is open again, and its one electronic channel can't go any more."""
    organization = an_organization(configuration_id="gentle-45", skip_paper_when_electronic_available=True)
    world = World(organization, a_book(), NOW)
    world.run_until(at("2026-01-06 00:00"))
    assert [channel for _, channel, *_ in world.story()] == [EMAIL]
    bounced = replace(world.sent[0], status=S.UNDELIVERABLE_PERMANENT)
    world.change(notices=tuple(bounced if n.notice_id == bounced.notice_id else n for n in world.book.notices))
    world.change_account(undeliverable=frozenset({EMAIL}))
    world.run_until(at("2026-01-07 00:00"))
    assert world.story()[1:] == [("2026-01-06", "print", "Initial", 1)]


# --- paper cycle -----------------------------------------------


def letters(world: World) -> list[tuple[str, int]]:
    return [(day, level) for day, channel, _, level in world.story() if channel is PRINT]


def test_paper_goes_at_most_once_per_paper_cycle(tried: Tried) -> None:
    """The day on which the cycle ends is free again."""
    tried((0, INITIAL, (PRINT,)), (9, DUE, (PRINT,)), (10, PAST_DUE, (PRINT,)), paper=10)
    world = World(an_organization(configuration_id="tried"), a_book(), NOW)
    world.run_until(at("2026-03-01 00:00"))
    assert letters(world) == [("2026-01-05", 1), ("2026-01-15", 3)]


def test_a_letter_refused_by_the_paper_cycle_alone_is_not_made_up_for(tried: Tried) -> None:
    """By docs/rules.md#paper-cycle-alone: not when the cycle ends, and not by what has the account planned again."""
    tried((0, INITIAL, (PRINT,)), (7, DUE, (PRINT,)), (60, FINAL, (PRINT,)), paper=14)
    world = World(an_organization(configuration_id="tried"), a_book(), NOW)
    world.run_until(at("2026-01-30 00:00"))
    world.change_account(credit=1)
    world.run_until(at("2026-03-20 00:00"))
    assert letters(world) == [("2026-01-05", 1), ("2026-03-06", 3)]
    assert [notice.reason for notice in world.book.notices if notice.status is S.WILL_NOT_SEND] == [
        "paper cycle not over"
    ]


def test_a_letter_refused_for_another_cause_too_is_made_up_for(tried: Tried) -> None:
    """The address comes when the cycle is over."""
    tried((0, INITIAL, (PRINT,)), (7, DUE, (PRINT,)), paper=14)
    world = World(an_organization(configuration_id="tried"), a_book(), NOW)
    world.run_until(at("2026-01-06 00:00"))
    world.change_account(guarantor=a_guarantor(address=None))
    world.run_until(at("2026-01-30 00:00"))
    world.change_account(guarantor=a_guarantor(address=HOME))
    world.run_until(at("2026-03-01 00:00"))
    assert letters(world) == [("2026-01-05", 1), ("2026-01-30", 2)]


def test_a_reset_of_aging_does_not_restart_the_paper_cycle() -> None:
    """The rule docs/rules.md#paper-cycle."""
    world = World(an_organization(configuration_id="paper-30"), a_book(), NOW)
    world.run_until(at("2026-01-15 00:00"))
    world.change_bill("A", effective_created_date=date(2026, 1, 15), aging_period="second")
    world.run_until(at("2026-03-01 00:00"))
    assert letters(world) == [("2026-01-05", 1), ("2026-02-17", 2)]  # the 14th is a Saturday, the 16th a holiday


def test_the_paper_cycle_counts_from_the_day_on_which_the_letter_went(tried: Tried) -> None:
    """A letter due on a Saturday goes on Monday; the cycle is one of letters, not of steps."""
    tried((0, INITIAL, (PRINT,)), (14, DUE, (PRINT,)), paper=14)
    world = World(
        an_organization(configuration_id="tried"), a_book(a_bill(on=date(2026, 2, 7))), at("2026-02-07 00:00")
    )
    world.run_until(at("2026-04-01 00:00"))
    assert letters(world) == [("2026-02-09", 1), ("2026-02-23", 2)]


# --- no dunning limit -----------------------------------------------


@pytest.mark.parametrize(
    ("no_limit", "days"),
    [
        (False, ["2026-01-05", "2026-02-04", "2026-03-06", "2026-04-06"]),
        (True, ["2026-01-05", "2026-02-04", "2026-03-06", "2026-04-06", "2026-05-05", "2026-06-04", "2026-07-06"]),
    ],
)
def test_without_a_limit_the_last_step_repeats_each_cycle(no_limit: bool, days: list[str]) -> None:  # noqa: FBT001 - a table
    """At the last level, every dunning cycle counted from its day; with one, it stops."""
    world = World(an_organization(configuration_id="paper-30", no_dunning_limit=no_limit), a_book(), NOW)
    world.run_until(at("2026-07-10 00:00"))
    assert [day for day, _ in letters(world)] == days
    assert [level for _, level in letters(world)] == [min(number, 4) for number in range(1, len(days) + 1)]


def test_late_runs_without_a_limit_repeat_once() -> None:
    """A scheduler that slept for half a year sends the current repetition, not those it missed."""
    world = World(an_organization(configuration_id="paper-30", no_dunning_limit=True), a_book(), NOW)
    world.run_until(at("2026-04-10 00:00"))
    world.sent.clear()
    world.now = at("2026-09-15 12:00")
    world.run_until(at("2026-10-01 00:00"))
    assert letters(world) == [("2026-09-15", 4)]


# --- organization, holds, bills -----------------------------------------------


@pytest.mark.parametrize("standing", [AccountStatus.INACTIVE, AccountStatus.SUSPENDED, AccountStatus.ARCHIVED])
def test_an_organization_that_is_not_active_sends_nothing_and_drops_its_queue(standing: AccountStatus) -> None:
    """The rule docs/rules.md#active-organization; active again, the current step goes."""
    world = World(an_organization(), a_book(), NOW)
    world.plan()
    world.set_organization(an_organization(account_status=standing))
    planned = world.plan()
    assert [notice.status for notice in planned.notices] == [S.CANCELLED] * 3
    assert (planned.next_planning_at, planned.rest_reason) == (None, "organization is not active")
    world.set_organization(an_organization())
    world.run_until(at("2026-01-06 00:00"))
    assert len(world.sent) == 3


def test_a_disabled_organization_queues_nothing_new_but_its_queue_goes() -> None:
    """The rule docs/rules.md#disabled-communications."""
    world = World(an_organization(), a_book(), NOW)
    world.plan()
    world.set_organization(an_organization(communication_status=CommunicationStatus.DISABLED))
    world.add(a_bill("B", on=date(2026, 1, 5)))
    world.run_until(at("2026-03-01 00:00"))
    assert world.story() == [("2026-01-05", channel, "Initial", 1) for channel in ("email", "print", "sms")]
    assert all(levels(notice) == {"A": 1} for notice in some(world.sent))
    assert world.last_plan
    assert (world.last_plan.next_planning_at, world.last_plan.rest_reason) == (None, "communications are disabled")


def test_enabled_again_the_then_current_step_goes_without_back_fill() -> None:
    """Bills kept aging meanwhile."""
    world = World(an_organization(communication_status=CommunicationStatus.DISABLED), a_book(), NOW)
    world.run_until(at("2026-03-20 20:00"))
    world.set_organization(an_organization())
    world.run_until(at("2026-03-24 00:00"))
    assert world.story() == [("2026-03-23", channel, "PastDue", 3) for channel in ("email", "print", "sms")]


@pytest.mark.parametrize("hold", Hold)
def test_a_hold_stops_dunning_and_is_the_reason(hold: Hold) -> None:
    """What is pending is cancelled; when the hold ends, the current step goes."""
    world = World(an_organization(), a_book(), NOW)
    world.plan()
    world.change_account(holds=frozenset({hold}))
    planned = world.plan()
    assert {notice.reason for notice in planned.notices} == {f"on hold: {hold}"}
    assert {notice.status for notice in planned.notices} == {S.CANCELLED}
    assert (planned.next_planning_at, planned.rest_reason) == (None, f"on hold: {hold}")
    world.change_account(holds=frozenset())
    assert set(by_channel(world.plan().notices)) == ALL


@pytest.mark.parametrize(
    ("changes", "status", "why"),
    [
        ({"balance": 0}, S.CANCELLED, "balance is zero"),
        ({"balance": -5_00}, S.CANCELLED, "balance is zero"),
        ({"balance": 0, "status": BillStatus.PAID}, S.WILL_NOT_SEND, "payment made"),
        ({"status": BillStatus.CANCELLED}, S.CANCELLED, "bill is cancelled"),
        ({"status": BillStatus.SUSPENDED}, S.CANCELLED, "bill is suspended"),
    ],
)
def test_a_bill_that_is_not_open_stops_what_is_pending_for_it(changes: dict[str, Any], status: str, why: str) -> None:
    """With the reason that a billing manager knows."""
    world = World(an_organization(), a_book(), NOW)
    world.plan()
    world.change_bill("A", **changes)
    planned = world.plan()
    assert {(notice.status, notice.reason) for notice in planned.notices} == {(status, why)}
    assert (planned.next_planning_at, planned.rest_reason) == (None, "no open bill")


# --- levels, presets, resets -----------------------------------------------


def emails(world: World) -> list[tuple[str, int]]:
    return [(day, level) for day, channel, _, level in world.story() if channel is EMAIL]


def test_the_level_that_a_reset_counts_as_sent_is_not_sent() -> None:
    """By docs/rules.md#dunning-reset, *Zero*: aging restarts today and the first step counts as sent."""
    bill = a_bill(on=MONDAY, aging_period="second", level_floor=1)
    world = World(an_organization(), a_book(bill), NOW)
    world.run_until(at("2026-02-10 00:00"))
    assert emails(world) == [("2026-02-04", 2)]


def test_another_aging_period_starts_from_the_first_step() -> None:
    """What went before doesn't count, the paper cycle apart."""
    world = World(an_organization(), a_book(), NOW)
    world.run_until(at("2026-02-10 00:00"))
    world.change_bill("A", effective_created_date=date(2026, 2, 10), aging_period="second")
    world.run_until(at("2026-02-12 00:00"))
    assert emails(world) == [("2026-01-05", 1), ("2026-02-04", 2), ("2026-02-10", 1)]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("standard-30", "paperless-30", [("2026-02-04", 2), ("2026-02-10", 3)]),  # age 36 is level 3 there
        ("paperless-30", "standard-30", [("2026-02-04", 3)]),  # level 2 there: not higher
        ("standard-30", "gentle-45", [("2026-02-04", 2)]),  # level 1 there
    ],
)
def test_another_preset_sends_only_a_higher_level(before: str, after: str, told: list[tuple[str, int]]) -> None:
    """By docs/rules.md#higher-level-only; bills keep their age."""
    world = World(an_organization(configuration_id=before), a_book(), NOW)
    world.run_until(at("2026-02-10 00:00"))
    world.sent = [notice for notice in world.sent if notice.sent_at and notice.sent_at > at("2026-01-30 00:00")]
    world.set_organization(an_organization(configuration_id=after))
    world.run_until(at("2026-02-12 00:00"))
    assert emails(world) == told


def test_an_update_that_is_told_of_sends_the_current_step_again() -> None:
    """By docs/rules.md#notice-after-update: on its channels, paper only if the paper cycle allows."""
    world = World(an_organization(), a_book(), NOW)
    world.run_until(at("2026-01-12 00:00"))
    world.sent.clear()
    world.change_bill("A", renotify_at=world.now, balance=80_00)
    world.run_until(at("2026-02-12 00:00"))
    assert world.story() == [
        ("2026-01-12", "email", "Initial", 1),
        ("2026-01-12", "sms", "Initial", 1),
        ("2026-02-04", "email", "Due", 2),
        ("2026-02-04", "print", "Due", 2),
        ("2026-02-04", "sms", "Due", 2),
    ]


def test_a_reset_level_does_not_cover_an_update_that_is_told_of() -> None:
    """It was never told, so an update of the bill tells it."""
    bill = a_bill(on=MONDAY, level_floor=1, renotify_at=NOW)
    assert set(by_channel(plan(a_book(bill), an_organization(), NOW).notices)) == ALL


# --- steps that stay open -----------------------------------------------


def test_a_step_refused_on_all_channels_goes_when_the_cause_is_removed() -> None:
    """The rule docs/rules.md#open-step, while the bill is still at that step."""
    organization = an_organization(configuration_id="paperless-30")
    world = World(organization, a_book(account=an_account(a_guarantor(**NOWHERE))), NOW)
    world.run_until(at("2026-01-09 20:00"))
    assert world.sent == []
    world.change_account(guarantor=a_guarantor(mobile_phone=""))
    world.run_until(at("2026-01-13 00:00"))
    assert world.story() == [("2026-01-12", "email", "Initial", 1)]


def test_a_channel_refused_beside_one_that_went_is_not_made_up_for() -> None:
    """The rule docs/rules.md#reached-step."""
    world = World(an_organization(), a_book(account=an_account(a_guarantor(email=""))), NOW)
    world.run_until(at("2026-01-06 00:00"))
    world.change_account(guarantor=a_guarantor())
    world.run_until(at("2026-02-01 00:00"))
    assert EMAIL not in {channel for _, channel, *_ in world.story()}


def test_a_refusal_is_written_once_for_a_step_however_often_it_is_planned() -> None:
    """And once more for the next step."""
    organization = an_organization(configuration_id="paper-30")
    world = World(organization, a_book(account=an_account(a_guarantor(address=None))), NOW)
    for day in range(1, 40):
        world.change_account(credit=day)
        world.run_until(NOW + timedelta(days=day))
    assert [(notice.level, notice.reason) for notice in world.book.notices] == [
        (1, "no mailing address"),
        (2, "no mailing address"),
    ]
    assert all(len(notice.status_history) == 1 for notice in some(world.book.notices))


def test_a_step_that_stays_open_never_silences_another_bills_notice(tried: Tried) -> None:
    """By docs/rules.md#no-silencing: the older bill asks for a letter that can't go; the younger one's email goes."""
    tried((0, INITIAL, (EMAIL,)), (30, FINAL, (PRINT,)))
    book = a_book(old_bill("A", 40), a_bill("B"), account=an_account(a_guarantor(address=None)))
    planned = plan(book, an_organization(configuration_id="tried"), NOW)
    scheduled = by_channel(planned.notices)
    assert {channel: levels(notice) for channel, notice in scheduled.items()} == {EMAIL: {"B": 1}}
    assert {c: (n.reason, levels(n)) for c, n in by_channel(planned.notices, S.WILL_NOT_SEND).items()} == {
        PRINT: ("no mailing address", {"A": 2})
    }


def test_a_bill_too_small_for_the_highest_bills_channel_goes_by_its_own(tried: Tried) -> None:
    """The letter doesn't tell of it, so its own email does."""
    tried((0, INITIAL, (EMAIL,)), (30, FINAL, (PRINT,)))
    organization = an_organization(configuration_id="tried", minimum_print=5_00)
    scheduled = by_channel(plan(a_book(old_bill("A", 40), a_bill("B", balance=3_00)), organization, NOW).notices)
    assert {channel: levels(notice) for channel, notice in scheduled.items()} == {PRINT: {"A": 2}, EMAIL: {"B": 1}}


@pytest.mark.parametrize("archived", [True, False])
@pytest.mark.parametrize("status", [S.UNDELIVERABLE_CAN_RETRY, S.DELIVERY_ERROR, S.QUEUEING_ERROR])
def test_a_failed_notice_is_not_planned_again_for_the_same_step(status: S, archived: bool) -> None:  # noqa: FBT001 - a table
    """A person decides, or put it away; the next step goes as usual."""
    world = World(an_organization(configuration_id="gentle-45"), a_book(a_bill(on=MONDAY)), NOW)
    world.change_account(guarantor=a_guarantor(address=None))
    world.run_until(at("2026-01-06 00:00"))
    failed = as_if(world.sent[0], status, world.now, "provider")
    if archived:
        failed = moved(failed, S.ARCHIVED, world.now, "staff")
    world.change(notices=with_notices(world.book, (failed,)).notices)
    world.run_until(at("2026-02-25 00:00"))
    assert emails(world) == [("2026-01-05", 1), ("2026-02-19", 2)]


def test_putting_a_refusal_away_closes_nothing() -> None:
    """An archived row counts as what it was: when the address comes, the step goes."""
    organization = an_organization(configuration_id="paperless-30")
    world = World(organization, a_book(account=an_account(a_guarantor(**NOWHERE))), NOW)
    refused = world.plan().notices
    archived = tuple(moved(notice, S.ARCHIVED, NOW, "staff", notice.reason) for notice in refused)
    world.change(notices=archived)
    assert world.plan().notices == ()
    world.change_account(guarantor=a_guarantor(mobile_phone=""))
    world.run_until(at("2026-01-06 00:00"))
    assert emails(world) == [("2026-01-05", 1)]


def test_a_letter_that_came_back_and_is_tried_again_does_not_stand_in_its_own_way() -> None:
    """Staff corrected the address; the paper cycle counts other letters."""
    world = World(an_organization(configuration_id="paper-30"), a_book(), NOW)
    world.run_until(at("2026-01-07 12:00"))
    back = moved(world.sent[0], S.UNDELIVERABLE_CAN_RETRY, world.now, "provider")
    retried = moved(back, S.SCHEDULED, world.now, "staff", "retry", scheduled_for=world.now)
    world.change(notices=(retried,))
    world.run_until(at("2026-01-08 00:00"))
    assert letters(world) == [("2026-01-05", 1), ("2026-01-07", 1)]


def test_two_never_go_on_one_day_though_one_was_late_and_may_have_gone() -> None:
    """A late run sent Monday's notice on Wednesday and never heard back; another bill's waits until Thursday."""
    world = World(an_organization(configuration_id="paperless-30"), a_book(), NOW)
    world.plan()
    world.now = at("2026-01-07 10:00")
    unknown = tuple(as_if(notice, S.UNKNOWN, world.now, "email") for notice in world.book.notices)
    world.change(notices=unknown)
    world.add(a_bill("B"))
    world.run_until(at("2026-01-10 00:00"))
    assert emails(world) == [("2026-01-08", 1)]


def test_what_staff_cancelled_is_not_planned_again_for_the_same_step() -> None:
    """The other channels go."""
    world = World(an_organization(), a_book(), NOW)
    world.plan()
    cancelled = tuple(
        replace(notice, status=S.CANCELLED, reason="cancelled by staff") if notice.channel is EMAIL else notice
        for notice in world.book.notices
    )
    world.change(notices=cancelled)
    world.run_until(at("2026-02-10 00:00"))
    assert world.story() == [
        ("2026-01-05", "print", "Initial", 1),
        ("2026-01-05", "sms", "Initial", 1),
        ("2026-02-04", "email", "Due", 2),
        ("2026-02-04", "print", "Due", 2),
        ("2026-02-04", "sms", "Due", 2),
    ]


def test_what_goes_at_the_very_instant_of_an_update_tells_of_it() -> None:
    """Else it would be sent over and over."""
    world = World(an_organization(), a_book(), at("2026-01-12 12:00"))
    world.change_bill("A", renotify_at=at("2026-01-12 12:00"))
    world.plan()
    world.now = at("2026-01-12 12:00")
    went = tuple(moved(notice, S.SENT, world.now, "channel", sent_at=world.now) for notice in world.book.notices)
    world.change(notices=went)
    assert world.plan().notices == ()


def test_a_preset_with_fewer_levels_goes_on_repeating_its_own_last_step() -> None:
    """By docs/rules.md#repeated-last-step: nobody falls silent because a preset with more levels was in force."""
    world = World(an_organization(configuration_id="paperless-30"), a_book(), NOW)
    world.run_until(at("2026-04-10 00:00"))
    assert emails(world)[-1][1] == 5
    world.sent.clear()
    world.set_organization(an_organization(no_dunning_limit=True))
    world.run_until(at("2026-08-01 00:00"))
    assert [level for _, level in emails(world)] == [4, 4, 4]
    assert len({day for day, _ in emails(world)}) == len(emails(world))


def test_a_repetition_on_its_way_is_not_planned_again() -> None:
    """Though it was queued the day before it came round."""
    organization = an_organization(configuration_id="paper-30", no_dunning_limit=True)
    world = World(organization, a_book(), NOW)
    world.run_until(at("2026-04-05 00:00"))
    world.run_until(at("2026-04-06 00:00"))
    world.change(notices=tuple(replace(n, status=S.QUEUED) if n.level == 4 else n for n in world.book.notices))
    world.now = at("2026-05-05 12:00")
    assert world.plan().notices == ()
