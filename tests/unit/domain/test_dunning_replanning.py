"""What planning again does to the rows that wait: which stay, which are stopped, by whom, and why."""

from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shared.domain.account.ledger import refusal_id, taken_days
from shared.domain.dunning import plan, with_notices
from shared.domain.dunning.rules import decide
from shared.domain.dunning.situation import ChannelDecision, ChannelQuestion, DueBill, Situation
from shared.domain.records.bill import Bill
from shared.domain.records.notice import Notice, StatusChange, moved
from shared.domain.records.policy import SendWindow
from shared.domain.records.presets import CONFIGURATIONS
from shared.domain.records.statement import OptOuts
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import BillStatus, Channel, Hold
from tests.worlds.bounds import some
from tests.worlds.dunning_world import (
    DUE,
    EMAIL,
    INITIAL,
    MONDAY,
    NEW_YORK,
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

GUAM = ZoneInfo("Pacific/Guam")
NOW = at("2026-01-05 00:00")
LATER = at("2026-01-05 06:00")


def a_planned_world(*bills: Bill, **settings: Any) -> World:
    """An account whose first notices wait; six hours have gone by since."""
    world = World(an_organization(**settings), a_book(*bills), NOW)
    world.plan()
    world.now = LATER
    return world


def stopped(world: World, channel: Channel) -> Notice:
    """The row that the plan stops on a channel."""
    (row,) = [row for row in world.plan().notices if row.channel is channel and row.status is S.CANCELLED]
    return row


def by_the_scheduler(reason: Reason, level: int = 1) -> StatusChange:
    return StatusChange(
        status=S.CANCELLED, at=LATER, actor="scheduler", reason=reason, level=level, template_id="<System Default>"
    )


# --- who stopped it, when and why -----------------------------------------------


def test_what_a_hold_stops_is_stopped_by_the_scheduler() -> None:
    """Where whoever set the hold didn't stop it in the same transaction."""
    world = a_planned_world()
    world.change_account(holds=frozenset({Hold.DISPUTE}))
    assert stopped(world, EMAIL).status_history[-1] == by_the_scheduler(Reason.HOLD_DISPUTE)


def test_what_has_no_cause_any_more_is_stopped_by_the_scheduler() -> None:
    world = a_planned_world()
    world.change_account(opt_outs=OptOuts(sms=True))
    assert stopped(world, SMS).status_history[-1] == by_the_scheduler(Reason.OPTED_OUT_SMS)


def test_the_second_of_two_that_wait_is_stopped_by_the_scheduler_as_merged() -> None:
    world = a_planned_world()
    first = by_channel(world.book.notices)[EMAIL]
    second = replace(first, notice_id="ntc_other", scheduled_for=first.scheduled_for + timedelta(days=1))
    world.change(notices=(*world.book.notices, second))
    row = stopped(world, EMAIL)
    assert row.notice_id == "ntc_other"
    assert row.status_history[-1] == by_the_scheduler(Reason.MERGED)


def test_what_the_step_does_not_use_any_more_is_stopped_by_the_scheduler() -> None:
    world = a_planned_world()
    world.set_organization(an_organization(configuration_id="paper-30"))
    assert stopped(world, EMAIL).status_history[-1] == by_the_scheduler(Reason.CHANNEL_NOT_IN_STEP)


def test_a_notice_whose_very_time_has_come_is_left_to_the_sender_though_the_window_has_closed() -> None:
    evening = at("2026-01-05 20:00")
    world = World(an_organization(), a_book(), at("2026-01-05 08:00"))
    world.plan()
    world.change(notices=tuple(replace(row, scheduled_for=evening) for row in world.book.notices))
    world.now = evening
    world.plan()
    assert by_channel(world.book.notices)[EMAIL].scheduled_for == evening


@pytest.mark.parametrize("gone", ["closed", "moved away"])
def test_why_a_notice_is_stopped_is_the_reason_of_its_bill_that_is_open_still(gone: str) -> None:
    """The first one was paid, or went on to another guarantor."""
    world = a_planned_world(a_bill("A"), a_bill("B"))
    if gone == "closed":
        world.change_bill("A", status=BillStatus.PAID, balance=0, level_floor=1)
    else:
        world.change(bills=world.book.bills[1:])
    world.set_organization(an_organization(configuration_id="paper-30"))
    assert stopped(world, EMAIL).reason == "current step does not use this channel"


def test_a_text_that_waits_while_the_email_went_is_stopped_because_its_step_has_no_texts_any_more() -> None:
    """Not because the email told of the step: channels of one step don't silence each other."""
    world = a_planned_world(configuration_id="paperless-30")
    email = by_channel(world.book.notices)[EMAIL]
    world.change(notices=with_notices(world.book, (moved(email, S.SENT, LATER, "email", sent_at=LATER),)).notices)
    world.set_organization(an_organization(configuration_id="gentle-45"))
    assert stopped(world, SMS).reason == "current step does not use this channel"


def test_a_text_that_has_no_hour_left_and_whose_step_counts_as_sent_is_stopped_for_that() -> None:
    world = a_planned_world(configuration_id="paperless-30")
    world.change_account(time_zones=("Pacific/Honolulu", "Pacific/Guam"))
    world.change_bill("A", aging_period="second", level_floor=1)
    assert stopped(world, SMS).reason == "step was already sent"


# --- moments -----------------------------------------------


def test_a_notice_keeps_its_moment_though_a_later_plan_would_choose_another() -> None:
    """What is left of the window at noon is spread anew only for what isn't planned yet."""
    account = an_account(account_id="2")
    world = World(an_organization(), a_book(account=account), NOW)
    before = by_channel(world.plan().notices)[EMAIL].scheduled_for
    assert before > at("2026-01-05 12:30")
    world.now = at("2026-01-05 12:00")
    fresh = by_channel(plan(a_book(account=account), world.organization, world.now).notices)[EMAIL].scheduled_for
    assert fresh != before
    world.add(a_bill("B"))
    assert by_channel(world.plan().notices)[EMAIL].scheduled_for == before


def test_a_notice_that_waits_for_a_day_on_which_another_went_waits_for_the_next() -> None:
    """Staff may have sent one by a retry."""
    world = a_planned_world(a_bill("A"), a_bill("B"), configuration_id="paperless-30")
    waiting = by_channel(world.book.notices)[EMAIL]
    other = replace(waiting, notice_id="ntc_other", bills=waiting.bills[:1])
    went = moved(other, S.UNDELIVERABLE_PERMANENT, LATER, "provider", sent_at=LATER)
    world.change(notices=(*world.book.notices, went))
    again = by_channel(world.plan().notices)[EMAIL]
    assert again.notice_id == waiting.notice_id
    assert again.scheduled_for.astimezone(NEW_YORK).date() == date(2026, 1, 6)
    assert again.status_history[-1].reason == "moved into the hours permitted now"


def test_a_text_is_moved_when_its_recipients_hours_are_others_and_the_email_is_not() -> None:
    """It turns out that the number may be one of Los Angeles, where the morning is three hours later."""
    early = an_account(account_id="acc_2")
    world = World(an_organization(send_window=SendWindow(closes=time(14))), a_book(account=early), NOW)
    before = by_channel(world.plan().notices)
    assert before[SMS].scheduled_for < at("2026-01-05 12:00")
    world.change_account(time_zones=("America/New_York", "America/Los_Angeles"))
    planned = world.plan().notices
    assert [row.channel for row in planned] == [SMS]
    assert at("2026-01-05 12:00") <= by_channel(planned)[SMS].scheduled_for < at("2026-01-05 14:00")


def test_a_day_is_taken_by_the_row_that_bears_it_even_if_that_went_on_another() -> None:
    """A row keeps its id when it is moved, and what went must never be written over."""
    world = a_planned_world()
    row = by_channel(world.book.notices)[EMAIL]
    went = moved(row, S.SENT, NOW - timedelta(days=3), "email", sent_at=NOW - timedelta(days=3))
    taken = taken_days((went,), world.book.account, EMAIL, NOW, NEW_YORK)
    assert taken(MONDAY)
    assert taken(date(2026, 1, 2))
    assert not taken(date(2026, 1, 6))


def test_a_row_that_another_channel_bears_takes_no_day() -> None:
    world = a_planned_world()
    row = by_channel(world.book.notices)[EMAIL]
    went = moved(row, S.SENT, LATER, "email", sent_at=LATER)
    assert not taken_days((went,), world.book.account, SMS, NOW, NEW_YORK)(MONDAY)


def test_what_is_on_its_way_takes_its_own_day_and_today_beside_those_used_before() -> None:
    """On its own channel and on the practice's calendar; a queue may hand it over later today."""
    morning = at("2026-01-05 08:30", GUAM)  # the evening before, in UTC
    row = replace(by_channel(a_planned_world().book.notices)[EMAIL], scheduled_for=morning)
    friday, wednesday = morning - timedelta(days=3), morning + timedelta(days=2)
    went = replace(moved(row, S.SENT, friday, "email", sent_at=friday), notice_id="ntc_1")
    queued = moved(replace(row, notice_id="ntc_2"), S.QUEUED, morning, "scheduler")
    days = [date(2026, 1, day) for day in range(1, 10)]
    taken, of_texts = (taken_days((went, queued), an_account(), channel, wednesday, GUAM) for channel in (EMAIL, SMS))
    assert [day.day for day in days if taken(day)] == [2, 5, 7]
    assert not any(of_texts(day) for day in some(days))


# --- the rows of what is refused -----------------------------------------------


def test_a_refusals_row_keeps_the_bills_that_it_told_of_before() -> None:
    """The first one is paid by the time that another is refused for the same reason."""
    world = World(an_organization(minimum_electronic=90_00, configuration_id="paperless-30"), a_book(), NOW)
    world.plan()
    world.now = LATER
    world.change_bill("A", status=BillStatus.PAID, balance=0)
    world.add(a_bill("B"))
    row = by_channel(world.plan().notices, S.WILL_NOT_SEND)[EMAIL]
    assert row.notice_id == refusal_id("org_1", "acc_1", EMAIL, MONDAY, Reason.BELOW_MINIMUM)
    assert levels(row) == {"A": 1, "B": 1}


# --- consolidation -----------------------------------------------


def test_an_answer_names_its_channel_also_where_nothing_is_asked_of_it() -> None:
    book, organization = a_book(), an_organization(configuration_id="paper-30")
    situation = Situation(book=book, organization=organization, now=NOW)
    question = ChannelQuestion(situation=situation, channel=EMAIL, day=MONDAY)
    step = situation.step_of(book.bills[0], MONDAY)
    assert step
    assert decide(question, ()) == ChannelDecision(channel=EMAIL)
    not_asked = decide(question, (DueBill(bill=book.bills[0], current=step),))
    assert (not_asked.channel, not_asked.goes, not_asked.reason) == (EMAIL, False, Reason.CHANNEL_NOT_IN_STEP)


def test_a_bill_below_the_electronic_minimum_gets_its_letter_though_the_higher_ones_step_has_none() -> None:
    """The email that goes for the higher one doesn't speak of it."""
    organization = an_organization(configuration_id="gentle-45", minimum_electronic=5_00)
    higher, lower = a_bill("A", on=MONDAY - timedelta(days=45)), a_bill("B", balance=1_00)
    scheduled = by_channel(plan(a_book(higher, lower), organization, NOW).notices)
    assert {channel: levels(row) for channel, row in scheduled.items()} == {EMAIL: {"A": 2}, PRINT: {"B": 1}}


def test_a_bill_that_only_the_email_tells_of_is_sent_electronically_beside_a_text_about_another() -> None:
    """So where paper is skipped it gets no letter: its text failed, and waits for staff."""
    world = World(an_organization(skip_paper_when_electronic_available=True), a_book(a_bill("B")), NOW)
    text = by_channel(world.plan().notices)[SMS]
    failed = moved(text, S.DELIVERY_ERROR, NOW, "sms", "refused by the provider")
    world.change(notices=with_notices(world.book, (failed,)).notices)
    world.now = LATER
    world.add(a_bill("A"))
    world.plan()
    waiting = by_channel(world.book.notices)
    assert {channel: set(levels(row)) for channel, row in waiting.items()} == {EMAIL: {"A", "B"}, SMS: {"A"}}
    assert refusals(world.book.notices) == {PRINT: "electronic channel available"}
    letter = next(row for row in world.book.notices if row.channel is PRINT)
    assert set(levels(letter)) == {"A", "B"}


def test_a_bill_put_aside_for_a_higher_one_that_nothing_goes_for_is_explained_by_its_own_rules() -> None:
    """It is decided as if the other weren't there, and every rule looked at is told."""
    higher, lower = a_bill("A", on=MONDAY - timedelta(days=30), balance=1_00), a_bill("B")
    planned = plan(a_book(higher, lower), an_organization(minimum_electronic=5_00, minimum_print=5_00), NOW)
    assert {channel: levels(row) for channel, row in by_channel(planned.notices).items()} == {
        channel: {"B": 1} for channel in Channel
    }
    looked_at = [finding.rule for finding in planned.findings if finding.statement_id == "B" and finding.channel]
    assert len(looked_at) == 3 * 8


def test_a_bill_refused_below_a_higher_one_is_refused_only_where_its_own_step_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both are below the minimum; only the higher one's step has a letter."""
    preset = a_preset((0, INITIAL, (EMAIL,)), (30, DUE, (EMAIL, PRINT)), (60, PAST_DUE, (EMAIL,)))
    monkeypatch.setitem(CONFIGURATIONS, "tried", preset)
    organization = an_organization(configuration_id="tried", minimum_print=90_00)
    higher, lower = a_bill("A", on=MONDAY - timedelta(days=30)), a_bill("B")
    planned = plan(a_book(higher, lower), organization, NOW).notices
    assert [levels(row) for row in planned if row.status is S.WILL_NOT_SEND] == [{"A": 2}]
    assert by_channel(planned)[EMAIL].statement_ids == ("A", "B")


def test_a_channel_that_the_higher_step_lacks_refuses_nobody_though_a_lower_bill_is_below_its_minimum(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The higher step decides on the channels, so no letter was to go that anything could refuse."""
    monkeypatch.setitem(CONFIGURATIONS, "tried", a_preset((0, INITIAL, (EMAIL, PRINT)), (30, DUE, (EMAIL,))))
    organization = an_organization(configuration_id="tried", minimum_print=90_00)
    higher, lower = a_bill("A", on=MONDAY - timedelta(days=30)), a_bill("B")
    planned = plan(a_book(higher, lower), organization, NOW).notices
    assert {row.channel: (row.status, levels(row)) for row in planned} == {EMAIL: (S.SCHEDULED, {"A": 2, "B": 1})}


def test_a_reminder_that_drops_to_paper_later_is_no_letter_while_no_day_has_an_hour(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An office that never opens sends nothing, and says so on the channels of the step alone."""
    monkeypatch.setitem(CONFIGURATIONS, "tried", a_preset((0, INITIAL, (EMAIL,)), (30, DUE, (EMAIL,))))
    closed = SendWindow(opens=time(12), closes=time(12))
    organization = an_organization(
        configuration_id="tried", send_window=closed, drop_to_paper_after_undeliverable_days=5
    )
    back = Notice(
        notice_id="ntc_back",
        org_id="org_1",
        account_id="acc_1",
        channel=EMAIL,
        notification_type=DUE,
        level=2,
        scheduled_for=NOW,
        created_at=NOW,
    )
    returned = moved(back, S.UNDELIVERABLE_PERMANENT, NOW, "provider", sent_at=NOW)
    account = an_account(a_guarantor(), undeliverable=frozenset({EMAIL}))
    book = a_book(a_bill(on=MONDAY - timedelta(days=30)), account=account, notices=(returned,))
    early, late = (plan(book, organization, NOW + timedelta(days=days)).notices for days in (1, 5))
    assert refusals(early) == {EMAIL: "email address is undeliverable"}
    assert refusals(late) == {EMAIL: "email address is undeliverable", PRINT: "no permitted hour"}
