"""When notices are planned, how they are consolidated, and which rows planning writes."""

from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any

import pytest

from shared.domain.dunning import Reason, cancel_pending, notice_id, plan, with_notices
from shared.domain.records.notice import Notice, StatusChange, moved
from shared.domain.records.policy import SendWindow, Step
from shared.domain.records.presets import CONFIGURATIONS, configuration
from shared.domain.records.statement import OptOuts
from shared.domain.vocabulary.words import AddressStatus, BillStatus, Channel, Hold, NotificationType
from tests.worlds.bounds import some
from tests.worlds.dunning_world import (
    DUE,
    EMAIL,
    FINAL,
    INITIAL,
    MONDAY,
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

NOW = at("2026-01-05 00:00")
ALL = {EMAIL, SMS, PRINT}


def day_of(notice: Notice) -> str:
    return f"{notice.scheduled_for.astimezone(an_organization().zone):%Y-%m-%d}"


# --- when -----------------------------------------------


@pytest.mark.parametrize(
    ("now", "day", "looks_again"),
    [
        ("2026-01-05 00:00", "2026-01-05", "2026-02-04 00:00"),
        ("2026-01-05 17:30", "2026-01-05", "2026-02-04 00:00"),
        ("2026-01-05 18:00", "2026-01-06", "2026-02-04 00:00"),
        ("2026-01-09 19:00", "2026-01-12", "2026-02-04 00:00"),
        ("2026-02-03 23:59", "2026-02-04", "2026-02-04 00:00"),
        ("2026-02-04 00:00", "2026-02-04", "2026-03-06 00:00"),
    ],
)
def test_a_due_step_is_planned_into_todays_window_or_the_next_business_days(
    now: str, day: str, looks_again: str
) -> None:
    """And the account is looked at again at the local midnight at which its next step comes due."""
    planned = plan(a_book(), an_organization(), at(now))
    assert {day_of(notice) for notice in by_channel(planned.notices).values()} == {day}
    assert (planned.next_planning_at, planned.rest_reason) == (at(looks_again), "")


def test_a_text_whose_hours_are_over_today_goes_tomorrow_while_the_email_goes_today() -> None:
    """Each channel has its own window; the email sent today doesn't silence the text."""
    organization = an_organization(time_zone="America/Los_Angeles")
    account = an_account(time_zones=("America/New_York",))
    now = at("2026-01-05 17:15", organization.zone)
    world = World(organization, a_book(account=account), now)
    world.run_until(at("2026-01-10 00:00"))
    assert world.story() == [
        ("2026-01-05", "email", "Initial", 1),
        ("2026-01-05", "print", "Initial", 1),
        ("2026-01-06", "sms", "Initial", 1),
    ]


@pytest.mark.parametrize(
    ("on", "level_2"),
    [
        ("2026-02-06", "2026-03-09"),  # due on Sunday the 8th, when the clocks go forward
        ("2026-02-07", "2026-03-09"),  # due on Monday the 9th, a day after
        ("2026-10-02", "2026-11-02"),  # due on Sunday November 1, when they go back
        ("2026-05-20", "2026-06-22"),  # due on Juneteenth, a Friday
        ("2025-12-02", "2026-01-02"),  # due on New Year's Day
        ("2025-12-01", "2025-12-31"),
    ],
)
def test_days_are_counted_on_the_organizations_calendar(on: str, level_2: str) -> None:
    """Daylight saving, holidays and years change nothing in that."""
    begin = date.fromisoformat(on)
    world = World(an_organization(), a_book(a_bill(on=begin)), at(f"{on} 12:00"))
    world.run_until(at(f"{on} 12:00") + timedelta(days=40))
    assert [day for day, channel, _, level in world.story() if channel is EMAIL and level == 2] == [level_2]


@pytest.mark.parametrize(
    ("zone", "now", "due"),
    [
        ("America/New_York", "2026-01-05 00:00", True),
        ("America/New_York", "2026-01-04 23:59", False),
        ("Pacific/Honolulu", "2026-01-05 04:59", False),  # still Sunday there
        ("Pacific/Honolulu", "2026-01-05 05:00", True),
        ("Pacific/Guam", "2026-01-04 09:00", True),  # Monday there
    ],
)
def test_a_step_is_due_from_the_organizations_own_midnight(zone: str, now: str, *, due: bool) -> None:
    """Times are New York's, midnights the organization's."""
    organization = an_organization(time_zone=zone)
    planned = plan(a_book(), organization, at(now))
    assert bool(planned.notices) is due
    if not due:
        assert planned.next_planning_at == at("2026-01-05 00:00", organization.zone)


def test_a_weekend_step_is_planned_for_monday_at_the_step_of_monday(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planned on Saturday; by Monday the next step has come, and only that one goes."""
    monkeypatch.setitem(CONFIGURATIONS, "tried", a_preset((0, INITIAL, (EMAIL, SMS)), (2, DUE, (EMAIL, PRINT))))
    world = World(
        an_organization(configuration_id="tried"), a_book(a_bill(on=date(2026, 1, 3))), at("2026-01-03 00:00")
    )
    first = world.plan()
    assert {channel: levels(notice) for channel, notice in by_channel(first.notices).items()} == {
        EMAIL: {"A": 2},
        PRINT: {"A": 2},
    }
    world.run_until(at("2026-01-10 00:00"))
    assert world.story() == [("2026-01-05", "email", "Due", 2), ("2026-01-05", "print", "Due", 2)]


def test_the_last_step_passed_is_a_reason_to_rest() -> None:
    """There is nothing to wait for but a change."""
    planned = plan(a_book(), an_organization(), at("2026-06-01 00:00"))
    assert by_channel(planned.notices)[EMAIL].level == 4
    assert (planned.next_planning_at, planned.rest_reason) == (None, "no open bill has a further step")


def test_the_earliest_step_of_any_open_bill_is_waited_for() -> None:
    """Closed bills don't count."""
    bills = (
        a_bill("A", on=date(2026, 1, 1)),
        a_bill("B", on=date(2025, 12, 20)),
        a_bill("C", on=date(2025, 12, 10), status=BillStatus.PAID),
    )
    assert plan(a_book(*bills), an_organization(), NOW).next_planning_at == at("2026-01-19 00:00")


def test_a_text_without_any_permitted_hour_is_refused_and_the_rest_goes() -> None:
    """Its recipient may be in Honolulu or on Guam: no hour of a New York office day suits both."""
    book = a_book(account=an_account(time_zones=("Pacific/Honolulu", "Pacific/Guam")))
    planned = plan(book, an_organization(), NOW)
    assert set(by_channel(planned.notices)) == {EMAIL, PRINT}
    assert refusals(planned.notices) == {SMS: "no permitted hour"}


# --- consolidation -----------------------------------------------


def test_one_notice_a_channel_speaks_of_all_due_bills_at_the_highest_level() -> None:
    """Type, channels and template are the highest step's; each bill keeps its own level."""
    bills = (a_bill("C"), a_bill("A", on=MONDAY - timedelta(days=61)), a_bill("B", on=MONDAY - timedelta(days=30)))
    scheduled = by_channel(plan(a_book(*bills), an_organization(), NOW).notices)
    assert set(scheduled) == ALL
    for notice in some(scheduled.values()):
        assert (notice.notification_type, notice.level) == (NotificationType.PAST_DUE, 3)
        assert levels(notice) == {"A": 3, "B": 2, "C": 1}


def test_only_due_bills_lift_the_level() -> None:
    """A bill whose step was told of isn't told of again because another is due (docs/rules.md#consolidation)."""
    world = World(an_organization(), a_book(a_bill("A", on=MONDAY - timedelta(days=61))), NOW)
    world.run_until(at("2026-01-06 00:00"))
    world.sent.clear()
    world.add(a_bill("B", on=date(2026, 1, 6)))
    world.run_until(at("2026-01-07 00:00"))
    assert {notice.level for notice in world.sent} == {1}
    assert [levels(notice) for notice in world.sent if notice.channel is EMAIL] == [{"B": 1}]


def test_the_channels_follow_the_highest_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bill at a text step is told of by the letter of the higher one, and by nothing else."""
    monkeypatch.setitem(CONFIGURATIONS, "tried", a_preset((0, INITIAL, (EMAIL, SMS)), (30, FINAL, (PRINT,))))
    bills = (a_bill("A", on=MONDAY - timedelta(days=30)), a_bill("B"))
    scheduled = by_channel(plan(a_book(*bills), an_organization(configuration_id="tried"), NOW).notices)
    assert {channel: levels(notice) for channel, notice in scheduled.items()} == {PRINT: {"A": 2, "B": 1}}


def test_a_bill_that_comes_before_the_days_notice_went_joins_it() -> None:
    """The waiting row is brought up to date and keeps its moment."""
    world = World(an_organization(), a_book(), NOW)
    before = by_channel(world.plan().notices)
    world.now = at("2026-01-05 09:00")
    world.add(a_bill("B", on=MONDAY - timedelta(days=90)))
    after = by_channel(world.plan().notices)
    assert set(after) == ALL
    for channel, notice in some(after.items()):
        assert notice.notice_id == before[channel].notice_id
        assert notice.scheduled_for == before[channel].scheduled_for
        assert (notice.notification_type, notice.level, levels(notice)) == (FINAL, 4, {"A": 1, "B": 4})
        assert [entry.reason for entry in notice.status_history] == [
            "step due",
            "consolidated with what came due since",
        ]
        assert [entry.level for entry in notice.status_history] == [1, 4]


def test_a_bill_that_comes_after_the_days_notice_went_waits_for_the_next_business_day() -> None:
    """The rule docs/rules.md#after-the-days-notice; on a Friday that is Monday."""
    world = World(an_organization(), a_book(a_bill(on=date(2026, 1, 9))), at("2026-01-09 00:00"))
    world.run_until(at("2026-01-09 17:50"))
    world.add(a_bill("B", on=date(2026, 1, 9)))
    world.run_until(at("2026-01-15 00:00"))
    assert [(day, level) for day, channel, _, level in world.story() if channel is EMAIL] == [
        ("2026-01-09", 1),
        ("2026-01-12", 1),
    ]


def test_a_notice_on_its_way_is_left_alone_and_the_next_one_waits_a_day() -> None:
    """What is queued covers its bills; another bill goes on the next business day."""
    world = World(an_organization(configuration_id="gentle-45"), a_book(), NOW)
    world.plan()
    queued = tuple(moved(notice, S.QUEUED, NOW, "scheduler") for notice in world.book.notices)
    world.now = at("2026-01-05 12:00")
    world.change(notices=queued)
    assert world.plan().notices == ()
    world.add(a_bill("B"))
    planned = by_channel(world.plan().notices)
    assert {channel: (day_of(notice), levels(notice)) for channel, notice in planned.items()} == {
        EMAIL: ("2026-01-06", {"B": 1})
    }


@pytest.mark.parametrize("status", [S.UNDELIVERABLE_PERMANENT, S.DELIVERY_ERROR, S.UNKNOWN, S.DELIVERED, S.SENT])
def test_a_day_on_which_a_notice_went_is_used_up_whatever_became_of_it(status: S) -> None:
    """At most one a day on a channel."""
    world = World(an_organization(configuration_id="paperless-30"), a_book(), NOW)
    world.run_until(at("2026-01-05 17:50"))
    world.change(notices=tuple(replace(notice, status=status) for notice in world.book.notices))
    world.now = at("2026-01-05 17:51")
    world.add(a_bill("B"))
    planned = by_channel(world.plan().notices)
    assert {day_of(notice) for notice in planned.values()} == {"2026-01-06"}


# --- rows -----------------------------------------------


def test_a_planned_notice_is_a_whole_row() -> None:
    """Nothing is left for others to fill in before it is stored."""
    notice = by_channel(plan(a_book(), an_organization(), NOW).notices)[EMAIL]
    assert notice.notice_id == notice_id("org_1", "acc_1", EMAIL, MONDAY)
    assert (notice.org_id, notice.account_id, notice.status, notice.reason) == ("org_1", "acc_1", "Scheduled", "")
    assert (notice.created_at, notice.template_id, notice.attempt) == (NOW, "<System Default>", 0)
    assert notice.status_history == (
        StatusChange(
            status=S.SCHEDULED, at=NOW, actor="scheduler", reason="step due", level=1, template_id="<System Default>"
        ),
    )


def test_the_id_follows_from_organization_account_channel_and_day() -> None:
    """And from nothing else, so that planning twice makes the same row."""
    ids = {
        notice_id("org_1", "acc_1", EMAIL, MONDAY),
        notice_id("org_2", "acc_1", EMAIL, MONDAY),
        notice_id("org_1", "acc_2", EMAIL, MONDAY),
        notice_id("org_1", "acc_1", SMS, MONDAY),
        notice_id("org_1", "acc_1", EMAIL, MONDAY + timedelta(days=1)),
    }
    assert len(ids) == 5
    assert all(name.startswith("ntc_") and len(name) == 28 for name in some(ids))


def test_a_template_of_the_step_is_used_for_its_channel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others are the system's default."""
    step = Step(bill_age=0, notification_type=INITIAL, channels=(EMAIL, SMS), templates={EMAIL: "tpl_1"})
    monkeypatch.setitem(CONFIGURATIONS, "tried", replace(configuration("paper-30"), steps=(step,)))
    scheduled = by_channel(plan(a_book(), an_organization(configuration_id="tried"), NOW).notices)
    assert (scheduled[EMAIL].template_id, scheduled[SMS].template_id) == ("tpl_1", "<System Default>")


def test_a_row_that_was_stopped_is_taken_up_again_on_its_day() -> None:
    """The history is appended to."""
    world = World(an_organization(), a_book(), NOW)
    world.plan()
    world.change_account(opt_outs=OptOuts(email=True))
    stopped = by_channel(world.plan().notices, S.CANCELLED)[EMAIL]
    assert stopped.reason == "opted out of email"
    world.change_account(opt_outs=OptOuts())
    again = by_channel(world.plan().notices)[EMAIL]
    assert again.notice_id == stopped.notice_id
    assert (again.reason, again.status) == ("", "Scheduled")
    assert [(entry.status, entry.reason) for entry in again.status_history] == [
        ("Scheduled", "step due"),
        ("Cancelled", "opted out of email"),
        ("Scheduled", "step due"),
    ]


def test_what_channel_judging_refused_is_taken_up_again_on_its_day() -> None:
    """When the cause is gone, it goes while the day's window is open."""
    world = World(
        an_organization(configuration_id="paperless-30"), a_book(account=an_account(a_guarantor(mobile_phone=""))), NOW
    )
    refused = moved(by_channel(world.plan().notices)[EMAIL], S.WILL_NOT_SEND, NOW, "email", "no email address")
    world.change(notices=(refused,))
    world.run_until(at("2026-01-06 00:00"))
    assert world.story() == [("2026-01-05", "email", "Initial", 1)]
    assert world.sent[0].notice_id == refused.notice_id


def test_a_waiting_notice_is_moved_when_its_moment_is_no_longer_permitted() -> None:
    """The organization closes at noon from now on."""
    world = World(an_organization(), a_book(account=an_account(account_id="2")), NOW)
    before = by_channel(world.plan().notices)[EMAIL]
    assert before.scheduled_for > at("2026-01-05 12:00")
    world.set_organization(an_organization(send_window=SendWindow(closes=time(12))))
    after = by_channel(world.plan().notices)[EMAIL]
    assert at("2026-01-05 09:45") <= after.scheduled_for < at("2026-01-05 12:00")
    assert after.status_history[-1].reason == "moved into the hours permitted now"
    assert after.notice_id == before.notice_id


def test_a_waiting_notice_keeps_its_moment_when_nothing_asks_for_another() -> None:
    """Planning again later in the day changes nothing."""
    world = World(an_organization(), a_book(), NOW)
    world.plan()
    for clock in ("01:00", "09:44", "09:46", "23:00"):
        assert plan(world.book, world.organization, at(f"2026-01-05 {clock}")).notices == ()


def test_two_that_wait_on_one_channel_become_one() -> None:
    """One was put off into the other's day; the earlier one speaks of both bills."""
    world = World(an_organization(configuration_id="paperless-30"), a_book(), NOW)
    first = by_channel(world.plan().notices)[EMAIL]
    put_off = replace(
        first,
        notice_id="ntc_other",
        scheduled_for=first.scheduled_for + timedelta(days=1),
        bills=(replace(first.bills[0], statement_id="B"),),
    )
    world.change(bills=(a_bill("A"), a_bill("B")), notices=(*world.book.notices, put_off))
    planned = world.plan().notices
    assert levels(by_channel(planned)[EMAIL]) == {"A": 1, "B": 1}
    ended = by_channel(planned, S.CANCELLED)[EMAIL]
    assert (ended.notice_id, ended.reason) == ("ntc_other", "merged into another notice")


def test_a_waiting_notice_that_its_step_left_behind_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    """The preset that the organization changed to has no text."""
    world = World(an_organization(configuration_id="paperless-30"), a_book(), NOW)
    world.plan()
    world.set_organization(an_organization(configuration_id="gentle-45"))
    planned = world.plan().notices
    assert by_channel(planned, S.CANCELLED)[SMS].reason == "current step does not use this channel"
    assert set(by_channel(planned)) == {PRINT}


def test_a_waiting_notice_whose_step_is_covered_is_cancelled() -> None:
    """A reset of aging counts the step as sent."""
    world = World(an_organization(configuration_id="paperless-30"), a_book(), NOW)
    world.plan()
    world.change_bill("A", aging_period="second", level_floor=1)
    planned = world.plan().notices
    assert {notice.reason for notice in planned} == {"step was already sent"}
    assert {notice.status for notice in planned} == {S.CANCELLED}


def test_a_waiting_letter_is_cancelled_when_an_electronic_channel_becomes_available() -> None:
    """And the row says so once."""
    organization = an_organization(skip_paper_when_electronic_available=True)
    world = World(organization, a_book(account=an_account(a_guarantor(email="", mobile_phone=""))), NOW)
    assert set(by_channel(world.plan().notices)) == {PRINT}
    world.change_account(guarantor=a_guarantor(mobile_phone=""))
    planned = world.plan().notices
    assert set(by_channel(planned)) == {EMAIL}
    assert by_channel(planned, S.CANCELLED)[PRINT].reason == "electronic channel available"
    assert not refusals(planned)


def test_refusals_take_no_notices_place() -> None:
    """The row that says why has an id of its own, so that another bill's notice can go that day."""
    world = World(an_organization(), a_book(account=an_account(a_guarantor(email=""))), NOW)
    refused = by_channel(world.plan().notices, S.WILL_NOT_SEND)[EMAIL]
    assert refused.notice_id != notice_id("org_1", "acc_1", EMAIL, MONDAY)
    assert (refused.level, levels(refused), refused.status_history[0].reason) == (1, {"A": 1}, "no email address")


def test_bills_refused_for_the_same_reason_share_a_row() -> None:
    """One that comes due later on the day is added."""
    organization = an_organization(minimum_electronic=90_00, configuration_id="paperless-30")
    world = World(organization, a_book(a_bill("A"), a_bill("B", on=MONDAY - timedelta(days=61))), NOW)
    first = by_channel(world.plan().notices, S.WILL_NOT_SEND)[EMAIL]
    assert levels(first) == {"A": 1, "B": 4}
    world.add(a_bill("C"))
    second = by_channel(world.plan().notices, S.WILL_NOT_SEND)[EMAIL]
    assert second.notice_id == first.notice_id
    assert levels(second) == {"A": 1, "B": 4, "C": 1}


# --- stopping what is pending -----------------------------------------------


def pending_world() -> World:
    """An account with a notice on every channel: the email queued, the others scheduled, and a receipt."""
    world = World(an_organization(), a_book(a_bill("A"), a_bill("B")), NOW)
    world.plan()
    queued = moved(by_channel(world.book.notices)[EMAIL], S.QUEUED, NOW, "scheduler", lease_until=NOW)
    receipt = replace(queued, notice_id="rcp_1", notification_type=NotificationType.RECEIPT, level=0)
    world.change(notices=with_notices(world.book, (queued, receipt)).notices)
    return world


def test_everything_pending_is_stopped_for_a_payment_that_meets_the_rule() -> None:
    """By docs/rules.md#payment-rule: WillNotSend, "payment made"; a receipt is no dunning."""
    world = pending_world()
    ended = cancel_pending(world.book, NOW, "payment", Reason.PAYMENT_MADE, everything=True)
    assert {notice.channel for notice in ended} == ALL
    assert {(notice.status, notice.reason, notice.lease_until) for notice in ended} == {
        (S.WILL_NOT_SEND, "payment made", None)
    }
    assert all(entry.notification_type.dunning for entry in some(ended))
    assert ended[0].status_history[-1] == StatusChange(
        status=S.WILL_NOT_SEND, at=NOW, actor="payment", reason="payment made", level=1, template_id="<System Default>"
    )


@pytest.mark.parametrize(
    ("account", "first", "second", "expected"),
    [
        ({}, {}, {}, {}),
        ({}, {"status": BillStatus.PAID, "balance": 0}, {}, {}),  # the other bill is a cause still
        ({}, {"status": BillStatus.PAID, "balance": 0}, {"balance": 0}, dict.fromkeys(ALL, "payment made")),
        ({"opt_outs": OptOuts(sms=True)}, {}, {}, {SMS: "opted out of texts"}),
        ({"holds": frozenset({Hold.DECEASED})}, {}, {}, dict.fromkeys(ALL, "on hold: Deceased")),
    ],
)
def test_what_has_no_cause_left_is_stopped_with_its_reason(
    account: dict[str, Any], first: dict[str, Any], second: dict[str, Any], expected: dict[Channel, str]
) -> None:
    """Queued or scheduled alike."""
    world = pending_world()
    world.change_account(**account)
    world.change_bill("A", **first)
    world.change_bill("B", **second)
    ended = cancel_pending(world.book, NOW, "manage")
    assert {notice.channel: notice.reason for notice in ended} == expected


def test_a_reason_given_is_the_one_written() -> None:
    """An event may know better than the state that it leaves."""
    world = pending_world()
    world.change_account(opt_outs=OptOuts(sms=True))
    (ended,) = cancel_pending(world.book, NOW, "manage", Reason.CANCELLED_BY_STAFF)
    assert (ended.status, ended.reason) == (S.CANCELLED, "cancelled by staff")


def test_a_notice_of_bills_that_moved_away_has_no_cause() -> None:
    """A statement may move to another guarantor."""
    world = pending_world()
    world.change(bills=())
    assert {notice.reason for notice in cancel_pending(world.book, NOW, "ingest")} == {"no open bill"}
    everything = cancel_pending(a_book(notices=world.book.notices), NOW, "staff", everything=True)
    assert {notice.reason for notice in everything} == {"no step is due"}


@pytest.mark.parametrize("status", set(S) - {S.SCHEDULED, S.QUEUED})
def test_only_what_was_not_given_to_a_provider_can_be_stopped(status: S) -> None:
    """The rest is history."""
    world = pending_world()
    book = replace(world.book, notices=tuple(replace(notice, status=status) for notice in world.book.notices))
    assert cancel_pending(book, NOW, "payment", Reason.PAYMENT_MADE, everything=True) == ()


def test_a_refusal_in_place_of_an_overdue_notice_is_of_the_day_that_it_would_go_now() -> None:
    """So that planning again finds it, and adds nothing."""
    organization = an_organization(configuration_id="paper-30", skip_paper_when_electronic_available=True)
    planned = plan(a_book(), organization, NOW).notices
    invalid = an_account(a_guarantor(address_status=AddressStatus.INVALID))
    late = at("2026-02-03 18:30")  # the letter is overdue, today's window is over, and tomorrow the next step comes due
    first = plan(a_book(account=invalid, notices=planned), organization, late)
    assert refusals(first.notices) == {PRINT: "mailing address has an invalid status"}
    assert {day_of(notice) for notice in first.notices if notice.status is S.WILL_NOT_SEND} == {"2026-02-04"}
    again = plan(with_notices(a_book(account=invalid, notices=planned), first.notices), organization, late)
    assert again.notices == ()
