"""What the ledger says, in a zone whose business days aren't those of UTC; and what the rows of a plan hold."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shared.domain.account.ledger import (
    dunning_notices,
    last_letter_day,
    last_permanent_bounce,
    refusal_id,
    refusal_on_record,
)
from shared.domain.calendar.steps import CurrentStep
from shared.domain.dunning import judge, plan, with_notices
from shared.domain.dunning.decision import Plan, Rule, RuleOutcome
from shared.domain.dunning.standing import BillStanding, mentions_in, standing_of
from shared.domain.records.bill import Bill
from shared.domain.records.notice import BillLevel, Notice, StatusChange, moved
from shared.domain.records.policy import DunningConfiguration, Organization, Step
from shared.domain.records.presets import CONFIGURATIONS, configuration
from shared.domain.records.statement import OptOuts
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import BillStatus, Channel, CommunicationStatus, Hold
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
)

GUAM = ZoneInfo("Pacific/Guam")
"""Ten hours ahead of UTC: until ten in the morning UTC has the day before."""

TUESDAY = date(2026, 1, 6)
TEN = at("2026-01-06 09:50", GUAM)
NOW = at("2026-01-05 00:00")


def in_guam(**changes: Any) -> Organization:
    return an_organization(time_zone="Pacific/Guam", **changes)


def a_step(level: int = 1, due_on: date = TUESDAY, round_: int = 0) -> CurrentStep:
    step = Step(bill_age=0, notification_type=INITIAL, channels=(EMAIL,))
    return CurrentStep(level=level, step=step, due_on=due_on, round=round_)


def a_row(status: S = S.SENT, level: int = 1, channel: Channel = EMAIL, **changes: Any) -> Notice:
    facts: dict[str, Any] = {
        "notice_id": "ntc_1",
        "org_id": "org_1",
        "account_id": "acc_1",
        "channel": channel,
        "notification_type": INITIAL,
        "level": level,
        "bills": (BillLevel(statement_id="A", aging_period="first", level=level),),
        "status": status,
        "scheduled_for": TEN,
        "created_at": TEN,
        "sent_at": TEN,
    }
    return Notice(**facts | changes)


def turned(status: S, **changes: Any) -> Notice:
    """A row that was sent, and then came into a status, two days later."""
    return moved(a_row(**changes), status, TEN + timedelta(days=2), "provider")


def standing(row: Notice | None, bill: Bill, step: CurrentStep) -> BillStanding:
    """Where a bill stands with a step in a ledger of one row, or none."""
    return standing_of(bill, step, mentions_in([row] if row else []), GUAM)


BILL = a_bill()


# --- days are the practice's -----------------------------------------------


def test_a_repetition_is_told_of_by_what_went_on_its_own_day() -> None:
    """On the practice's calendar."""
    assert standing(a_row(), BILL, a_step(due_on=TUESDAY, round_=1)).sent()
    assert not standing(a_row(), BILL, a_step(due_on=TUESDAY + timedelta(days=1), round_=1)).sent()


def test_an_update_has_a_level_told_again_but_none_below_what_went() -> None:
    """A gentler preset may have put the bill there meanwhile: within an aging period levels only rise."""
    updated = replace(BILL, renotify_at=NOW + timedelta(days=1))
    second = a_row(level=2)
    assert not standing(second, updated, a_step(level=2)).sent()
    assert standing(second, updated, a_step(level=1)).sent()


def test_a_failed_notice_closes_the_step_that_it_was_of() -> None:
    """By its last day, and for its level only."""
    failed = turned(S.DELIVERY_ERROR, sent_at=None)
    thursday = TUESDAY + timedelta(days=2)
    assert EMAIL in standing(failed, BILL, a_step(due_on=thursday)).closed
    assert EMAIL not in standing(failed, BILL, a_step(due_on=thursday + timedelta(days=1))).closed
    assert EMAIL not in standing(failed, BILL, a_step(level=2, due_on=TUESDAY)).closed
    assert EMAIL not in standing(failed, replace(BILL, aging_period="second"), a_step()).closed
    ahead = replace(failed, scheduled_for=TEN + timedelta(days=9))
    assert EMAIL in standing(ahead, BILL, a_step(due_on=TUESDAY + timedelta(days=9))).closed
    assert EMAIL not in standing(ahead, BILL, a_step(due_on=TUESDAY + timedelta(days=10))).closed


def test_an_update_that_asks_to_be_told_again_opens_what_a_failed_notice_had_closed() -> None:
    """Not one that came before it failed."""
    failed = turned(S.DELIVERY_ERROR, sent_at=None)
    assert EMAIL in standing(failed, replace(BILL, renotify_at=TEN + timedelta(days=1)), a_step()).closed
    assert EMAIL not in standing(failed, replace(BILL, renotify_at=TEN + timedelta(days=3)), a_step()).closed


def test_of_a_bill_and_those_whose_place_it_took_a_notice_counts_by_what_it_says_first() -> None:
    """In its own order, whatever theirs; and never twice."""
    both = tuple(BillLevel(statement_id=name, aging_period="first", level=n) for n, name in ((1, "old"), (2, "A")))
    bill = replace(BILL, amends=("older", "old"))
    assert standing(a_row(bills=both), bill, a_step(level=1)).sent()
    assert not standing(a_row(bills=both), bill, a_step(level=2)).sent()
    assert standing(a_row(bills=both[::-1]), bill, a_step(level=2)).sent()


def test_each_channel_stands_by_its_own_notices() -> None:
    """By the first that closes it, and by the last day on which one came back."""
    rows = (
        a_row(S.CANCELLED, reason="cancelled by staff"),
        turned(S.DELIVERY_ERROR, notice_id="ntc_2"),
        turned(S.UNDELIVERABLE_CAN_RETRY, notice_id="ntc_3", channel=SMS),
        a_row(S.UNDELIVERABLE_CAN_RETRY, notice_id="ntc_4", channel=SMS),
        a_row(S.SCHEDULED, notice_id="ntc_5", channel=PRINT, sent_at=None),
    )
    found = standing_of(BILL, a_step(), mentions_in(rows), GUAM)
    assert found.closed == {EMAIL: "cancelled by staff", SMS: Reason.ON_WORKLIST}
    assert found.bounced_on == {SMS: TUESDAY + timedelta(days=2)}
    assert (found.waits_on, found.sent_on) == (frozenset({PRINT}), frozenset())
    assert not found.sent_or_planned_electronically


def test_a_refusal_is_said_already_on_its_day() -> None:
    """Not for a step that came due since."""
    refused = a_row(S.WILL_NOT_SEND, reason="no email address", sent_at=None)
    assert refusal_on_record(refused, refused, TUESDAY, GUAM)
    assert not refusal_on_record(refused, refused, TUESDAY + timedelta(days=1), GUAM)


def test_a_notice_bounced_on_the_day_of_the_word_about_it() -> None:
    """For now, and with the step that the bill is at."""
    back = turned(S.UNDELIVERABLE_CAN_RETRY)
    assert standing(back, BILL, a_step()).bounced_on == {EMAIL: date(2026, 1, 8)}
    assert standing(replace(back, status_history=()), BILL, a_step()).bounced_on == {EMAIL: TUESDAY}
    assert standing(back, BILL, a_step(level=2)).bounced_on == {}
    assert standing(back, BILL, a_step(due_on=TUESDAY + timedelta(days=1))).bounced_on == {}
    assert standing(back, replace(BILL, aging_period="second"), a_step()).bounced_on == {}
    assert standing(turned(S.UNDELIVERABLE_PERMANENT), BILL, a_step()).bounced_on == {}


def test_the_last_return_for_good_is_that_of_the_channel() -> None:
    """The first of all days where none is known."""
    book = a_book(notices=(turned(S.UNDELIVERABLE_PERMANENT), turned(S.UNDELIVERABLE_CAN_RETRY, notice_id="ntc_2")))
    assert last_permanent_bounce(book, EMAIL, GUAM) == date(2026, 1, 8)
    assert last_permanent_bounce(book, SMS, GUAM) == date.min


def test_the_last_letter_is_of_the_day_on_which_it_went_or_is_going() -> None:
    """Even if nobody has taken it yet."""
    letter = a_row(channel=PRINT)
    now = TEN + timedelta(days=5)
    assert last_letter_day((letter,), now, GUAM) == TUESDAY
    going = replace(letter, status=S.QUEUED, sent_at=None)
    assert last_letter_day((going,), now, GUAM) == date(2026, 1, 11)
    assert last_letter_day((a_row(),), now, GUAM) is None


def test_the_id_of_a_refusal_is_of_account_channel_day_and_reason() -> None:
    """Each makes another."""
    base = ("org_1", "acc_1", EMAIL, TUESDAY, "why")
    ids = {refusal_id(*base)}
    for place, other in enumerate(("org_2", "acc_2", SMS, MONDAY, "why not")):
        changed: Any = [*base[:place], other, *base[place + 1 :]]
        ids.add(refusal_id(*changed))
    assert len(ids) == 6
    assert {len(each) for each in ids} == {len("ntc_") + 24}


def test_one_notice_a_day_is_one_of_the_practices_days() -> None:
    """Both instants are Mondays in UTC."""
    world = World(in_guam(), a_book(a_bill(on=TUESDAY)), at("2026-01-06 00:00", GUAM))
    world.run_until(at("2026-01-06 09:59", GUAM))
    early = [notice for notice in world.book.notices if notice.channel is EMAIL]
    sent = tuple(moved(notice, S.SENT, TEN, "test", sent_at=TEN) for notice in early)
    world.book = with_notices(world.book, sent)
    world.now = TEN + timedelta(minutes=5)
    world.add(a_bill("B", on=TUESDAY))
    world.plan()
    waiting = by_channel(world.book.notices)[EMAIL]
    assert waiting.scheduled_for.astimezone(GUAM).date() == date(2026, 1, 7)
    overdue = replace(waiting, scheduled_for=world.now)
    verdict: Any = judge(overdue, with_notices(world.book, (overdue,)), world.organization, world.now)
    assert (verdict.until.astimezone(GUAM).date(), verdict.reason) == (
        date(2026, 1, 7),
        "another notice went today on this channel",
    )


def test_what_is_scheduled_keeps_its_moment_on_the_practices_day() -> None:
    """In UTC that moment is still on the day before."""
    world = World(in_guam(), a_book(a_bill(on=TUESDAY)), at("2026-01-06 00:00", GUAM))
    world.plan()
    soon = replace(by_channel(world.book.notices)[EMAIL], scheduled_for=TEN)
    world.change(notices=with_notices(world.book, (soon,)).notices)
    world.now = TEN - timedelta(minutes=3)
    world.plan()
    assert by_channel(world.book.notices)[EMAIL].scheduled_for == TEN


def test_an_archived_row_counts_as_what_it_was_before() -> None:
    """With the time at which it was that."""
    failed = moved(a_row(sent_at=None), S.DELIVERY_ERROR, TEN, "provider")
    archived = moved(failed, S.ARCHIVED, TEN + timedelta(days=3), "staff")
    book = a_book(a_bill(on=TUESDAY), notices=(archived,))
    later = at("2026-01-09 00:00", GUAM)
    planned = by_channel(plan(book, in_guam(), later).notices)
    assert EMAIL not in planned
    planned_again = by_channel(plan(replace(book, bills=(a_bill("B", on=date(2026, 1, 9)),)), in_guam(), later).notices)
    assert planned_again[EMAIL].scheduled_for.astimezone(GUAM).date() == date(2026, 1, 9)


# --- what the rows of a plan hold -----------------------------------------------


def rows(planned: Plan) -> dict[Channel, Notice]:
    return {notice.channel: notice for notice in planned.notices}


@pytest.fixture
def templates(monkeypatch: pytest.MonkeyPatch) -> DunningConfiguration:
    """A preset with templates of its own for some channels."""
    plain = a_preset((0, INITIAL, (EMAIL, PRINT)), (30, DUE, (EMAIL, PRINT)), (60, FINAL, (EMAIL,)))
    named = [replace(step, templates={EMAIL: f"T-{level}"}) for level, step in enumerate(plain.steps, start=1)]
    preset: DunningConfiguration = replace(plain, steps=tuple(named))
    monkeypatch.setitem(CONFIGURATIONS, "tried", preset)
    return preset


def test_a_row_names_its_template_and_the_files_of_its_bills(templates: DunningConfiguration) -> None:
    """Brought up to date with what it is about."""
    organization = an_organization(configuration_id="tried")
    bills = (a_bill("A", ingestion_id="ing-2"), a_bill("B", ingestion_id="ing-1"), a_bill("C"))
    first = rows(plan(a_book(*bills), organization, NOW))
    assert (first[EMAIL].template_id, first[PRINT].template_id) == ("T-1", "<System Default>")
    assert first[EMAIL].ingestion_ids == ("ing-1", "ing-2")
    grown = (*bills, a_bill("D", on=MONDAY - timedelta(days=35), ingestion_id="ing-3"))
    again = rows(plan(a_book(*grown, notices=tuple(first.values())), organization, NOW))
    assert (again[EMAIL].template_id, again[EMAIL].level) == ("T-2", 2)
    assert again[EMAIL].ingestion_ids == ("ing-1", "ing-2", "ing-3")
    verdict: Any = judge(again[EMAIL], a_book(*grown), organization, again[EMAIL].scheduled_for)
    assert verdict.template_id == "T-2"


def test_refusals_of_a_day_for_one_reason_stand_in_one_row() -> None:
    """A bill that is refused later in the day joins it."""
    world = World(an_organization(), a_book(account=an_account(a_guarantor(email=""))), NOW)
    (first,) = [notice for notice in world.plan().notices if notice.status is S.WILL_NOT_SEND]
    assert first.status_history == (
        StatusChange(
            status=S.WILL_NOT_SEND,
            at=NOW,
            actor="scheduler",
            reason="no email address",
            level=1,
            template_id="<System Default>",
        ),
    )
    assert first.notice_id == refusal_id("org_1", "acc_1", EMAIL, MONDAY, "no email address")
    world.now += timedelta(hours=1)
    world.add(a_bill("B"))
    world.plan()
    (row,) = [notice for notice in world.book.notices if notice.status is S.WILL_NOT_SEND]
    assert (row.notice_id, levels(row), len(row.status_history)) == (first.notice_id, {"A": 1, "B": 1}, 2)


def test_a_refusal_is_looked_for_on_the_practices_calendar() -> None:
    """A second plan of the day adds nothing."""
    world = World(in_guam(), a_book(a_bill(on=TUESDAY), account=an_account(a_guarantor(email=""))), TEN)
    world.plan()
    assert world.plan().notices == ()


def why_stopped(world: World, channel: Channel) -> str:
    """Why the notice that waited on a channel was stopped by the plan."""
    (row,) = [notice for notice in world.plan().notices if notice.channel is channel and notice.status is S.CANCELLED]
    return row.reason


def a_world(*bills: Bill, **settings: Any) -> World:
    world = World(an_organization(**settings), a_book(*bills), NOW)
    world.plan()
    return world


def test_a_notice_whose_step_went_by_another_is_stopped_as_sent() -> None:
    """On its own channel."""
    world = a_world()
    sent = a_row(channel=EMAIL, notice_id="ntc_x", sent_at=NOW - timedelta(days=1))
    world.change(notices=(*world.book.notices, sent))
    assert why_stopped(world, EMAIL) == "step was already sent"


def test_a_notice_whose_step_failed_is_stopped_as_on_the_worklist() -> None:
    """On its own channel; the text goes on."""
    world = a_world()
    failed = a_row(S.DELIVERY_ERROR, notice_id="ntc_x", sent_at=None, created_at=NOW, scheduled_for=NOW)
    world.change(notices=(*world.book.notices, failed))
    assert why_stopped(world, EMAIL) == "failed before, so only staff can have it tried again"
    assert S.SCHEDULED in {notice.status for notice in world.book.notices if notice.channel is SMS}


def test_a_notice_whose_step_has_changed_is_stopped_as_not_of_the_step() -> None:
    """Another preset, for instance; the reason is that of the first bill that is open still."""
    world = a_world(a_bill("A"), a_bill("B"))
    world.change_bill("A", status=BillStatus.SUSPENDED)
    world.set_organization(an_organization(configuration_id="paper-30"))
    assert why_stopped(world, EMAIL) == "current step does not use this channel"


def test_a_notice_of_a_bill_that_has_come_to_no_step_is_stopped_for_that() -> None:
    """Its effective date was moved ahead."""
    world = a_world()
    world.change_bill("A", effective_created_date=MONDAY + timedelta(days=9))
    assert why_stopped(world, EMAIL) == "no step is due"


# --- a result for every bill on every channel -----------------------------------------------


def results(planned: Plan, statement_id: str = "A") -> dict[Channel | None, str]:
    return {
        entry.channel: f"{entry.found} -> {entry.outcome}"
        for entry in planned.findings
        if entry.rule is Rule.RESULT and entry.statement_id == statement_id
    }


@pytest.mark.parametrize(
    ("changes", "settings", "found"),
    [
        ({"status": BillStatus.PAID, "balance": 0}, {}, "will not send: payment made -> stops"),
        (
            {},
            {"communication_status": CommunicationStatus.DISABLED},
            "will not send: communications are disabled -> stops",
        ),
        ({"effective_created_date": date(2026, 1, 9)}, {}, "nothing now; the next one on 2026-01-09 -> waits"),
        ({"level_floor": 1}, {}, "nothing now; the next one on 2026-02-04 -> waits"),
        (
            {"level_floor": 5, "effective_created_date": MONDAY - timedelta(days=100)},
            {"no_dunning_limit": True},
            "nothing now; the next one on 2026-01-25 -> waits",
        ),
    ],
)
def test_where_nothing_is_to_be_sent_each_channel_says_why(
    changes: dict[str, Any], settings: dict[str, Any], found: str
) -> None:
    """In the same words."""
    planned = plan(a_book(a_bill(**changes)), an_organization(**settings), NOW)
    assert results(planned) == dict.fromkeys(Channel, found)


def test_a_hold_is_the_result_on_every_channel_of_every_bill() -> None:
    """In the order of the bills."""
    held = an_account(holds=frozenset({Hold.DISPUTE}))
    planned = plan(a_book(a_bill("B"), a_bill("A"), account=held), an_organization(), NOW)
    told_of = [(entry.statement_id, entry.channel) for entry in planned.findings if entry.rule is Rule.RESULT]
    assert told_of == [(name, channel) for name in ("A", "B") for channel in Channel]
    assert results(planned) == dict.fromkeys(Channel, "will not send: on hold: Dispute -> stops")


def test_what_is_on_its_way_what_failed_and_what_the_step_lacks_are_told_apart() -> None:
    """Each on its channel."""
    organization = an_organization(configuration_id="gentle-45")
    failed = a_row(S.DELIVERY_ERROR, notice_id="ntc_x", sent_at=None, created_at=NOW, scheduled_for=NOW)
    planned = plan(a_book(notices=(failed,)), organization, NOW)
    assert results(planned)[EMAIL] == ("will not send: failed before, so only staff can have it tried again -> stops")
    assert results(planned)[SMS] == "will not send: current step does not use this channel -> stops"
    assert results(planned)[PRINT].endswith("-> goes")


def test_of_two_bills_the_one_that_is_kept_out_says_why() -> None:
    """It is below the minimum of the letter that goes for the other."""
    organization = an_organization(minimum_print=45_00)
    planned = plan(a_book(a_bill("A"), a_bill("B", balance=10_00)), organization, NOW)
    assert results(planned, "A")[PRINT].endswith("-> goes")
    assert results(planned, "B")[PRINT] == "will not send: balance 10.00 does not exceed 45.00 -> stops"


def test_the_letter_that_a_returned_reminder_drops_to_is_foretold_until_it_comes() -> None:
    """And not once the step was told of."""
    preset = configuration("paperless-30")
    account = an_account(a_guarantor(mobile_phone=""))
    organization = an_organization(configuration_id=preset.configuration_id, drop_to_paper_after_undeliverable_days=5)
    world = World(organization, a_book(account=account), NOW)
    world.run_until(at("2026-02-04 20:00"))
    (last,) = [notice for notice in world.sent if notice.level == 3]
    world.change(notices=with_notices(world.book, (moved(last, S.UNDELIVERABLE_CAN_RETRY, world.now, "p"),)).notices)

    def foretold() -> list[tuple[str, RuleOutcome, Channel | None]]:
        findings = plan(world.book, world.organization, world.now).findings
        return [(each.found, each.outcome, each.channel) for each in findings if "goes by letter from" in each.found]

    assert foretold() == [
        ("electronic notices are undeliverable: goes by letter from 2026-02-09", RuleOutcome.WAITS, PRINT)
    ]
    assert plan(world.book, organization, world.now).next_planning_at == at("2026-02-09 00:00")
    world.now = at("2026-02-09 00:00")
    assert foretold() == []
    world.now = at("2026-02-05 00:00")
    text = a_row(channel=SMS, level=3, sent_at=world.now, notice_id="ntc_y")
    world.change(notices=(*world.book.notices, text))
    assert foretold() == []
    assert plan(world.book, organization, world.now).next_planning_at == at("2026-03-06 00:00")


def test_channels_are_told_apart_when_paper_yields_to_them() -> None:
    """The bill that the email doesn't tell of goes by letter; the others don't."""
    organization = an_organization(skip_paper_when_electronic_available=True, minimum_electronic=20_00)
    book = a_book(a_bill("A", balance=50_00), a_bill("B", balance=10_00))
    planned = rows(plan(book, organization, NOW))
    assert levels(planned[EMAIL]) == levels(planned[SMS]) == {"A": 1}
    letters = [notice for notice in plan(book, organization, NOW).notices if notice.channel is PRINT]
    assert {(notice.status, tuple(levels(notice))) for notice in letters} >= {(S.SCHEDULED, ("B",))}


def test_an_email_and_a_text_about_different_bills_both_keep_the_letter_back() -> None:
    """What either tells of is told electronically."""
    organization = an_organization(skip_paper_when_electronic_available=True)
    only_text = an_account(opt_outs=OptOuts(email=True))
    planned = plan(a_book(account=only_text), organization, NOW)
    assert {notice.channel: notice.reason for notice in planned.notices if notice.status is S.WILL_NOT_SEND} == {
        EMAIL: "opted out of email",
        PRINT: "electronic channel available",
    }


@pytest.mark.parametrize(
    ("level", "round_", "covers"), [(2, 0, True), (2, 1, False), (3, 0, False), (1, 1, False), (1, 0, True)]
)
def test_the_level_that_a_reset_counts_as_sent_covers_no_repetition_of_its_step(
    level: int, round_: int, *, covers: bool
) -> None:
    """Which comes due anew; a lower step it covers when that first comes."""
    assert standing(None, replace(BILL, level_floor=2), a_step(level=level, round_=round_)).sent() is covers
    told_again = replace(BILL, level_floor=2, renotify_at=NOW)
    assert standing(None, told_again, a_step(level=level, round_=round_)).sent() is (
        level < told_again.level_floor and round_ == 0
    )


def test_a_row_that_came_back_and_was_archived_bounced_on_its_day() -> None:
    """The word about it, two days after it was sent, is what counts, not the day on which it was put away."""
    archived = moved(turned(S.UNDELIVERABLE_CAN_RETRY), S.ARCHIVED, TEN + timedelta(days=5), "staff")
    (counted,) = dunning_notices(a_book(BILL, notices=(archived,)))
    assert standing(counted, BILL, a_step()).bounced_on == {EMAIL: date(2026, 1, 8)}
