"""What the engine says about itself: findings that agree with what it plans, and the forecast."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.dunning import forecast, plan, with_notices
from shared.domain.dunning.decision import Finding, Rule, RuleOutcome
from shared.domain.records.notice import moved
from shared.domain.records.presets import CONFIGURATIONS
from shared.domain.records.statement import OptOuts
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import AccountStatus, AddressStatus, BillStatus, CommunicationStatus, Hold
from tests.worlds.dunning_world import (
    DUE,
    EMAIL,
    INITIAL,
    MONDAY,
    NEW_YORK,
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
)

NOW = at("2026-01-05 00:00")


def found(findings: tuple[Finding, ...], rule: Rule, statement_id: str = "A", channel: object = None) -> list[str]:
    return [
        f"{entry.found} -> {entry.outcome}"
        for entry in findings
        if entry.rule is rule and entry.statement_id == statement_id and entry.channel is channel
    ]


@pytest.mark.parametrize(
    ("organization", "account", "rule", "expected"),
    [
        ({}, {}, Rule.ORGANIZATION_STATUS, "organization is Active -> passes"),
        (
            {"account_status": AccountStatus.SUSPENDED},
            {},
            Rule.ORGANIZATION_STATUS,
            "organization is Suspended -> stops",
        ),
        ({}, {}, Rule.COMMUNICATIONS, "communications are enabled -> passes"),
        (
            {"communication_status": CommunicationStatus.DISABLED},
            {},
            Rule.COMMUNICATIONS,
            "communications are disabled: nothing new is queued -> stops",
        ),
        ({}, {}, Rule.HOLDS, "no hold -> passes"),
        (
            {},
            {"holds": frozenset({Hold.DECEASED, Hold.DISPUTE})},
            Rule.HOLDS,
            "on hold: Dispute, on hold: Deceased -> stops",
        ),
    ],
)
def test_the_account_as_a_whole_is_explained(
    organization: dict[str, Any], account: dict[str, Any], rule: Rule, expected: str
) -> None:
    """Organization, communications, holds."""
    planned = plan(a_book(account=an_account(**account)), an_organization(**organization), NOW)
    assert found(planned.findings, rule, "") == [expected]


@pytest.mark.parametrize(
    ("bill", "now", "expected"),
    [
        ({}, "2026-01-05 00:00", "age 0 days: level 1 of 4, Initial, due on 2026-01-05 -> passes"),
        ({}, "2026-03-20 00:00", "age 74 days: level 3 of 4, PastDue, due on 2026-03-06 -> passes"),
        ({}, "2026-01-02 00:00", "no step is due yet; the next one on 2026-01-05 -> waits"),
    ],
)
def test_the_step_of_a_bill_is_explained(bill: dict[str, Any], now: str, expected: str) -> None:
    """With its age and day."""
    assert found(plan(a_book(a_bill(**bill)), an_organization(), at(now)).findings, Rule.STEP) == [expected]


def test_a_repetition_is_explained() -> None:
    """Without a dunning limit."""
    organization = an_organization(no_dunning_limit=True)
    findings = plan(a_book(), organization, at("2026-06-10 00:00")).findings
    assert found(findings, Rule.STEP) == [
        "age 156 days: level 4 of 4, Final, due on 2026-06-04, repeated for the 2. time -> passes"
    ]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "bill is Due -> passes"),
        ({"status": BillStatus.PAID, "balance": 0}, "payment made -> stops"),
        ({"status": BillStatus.CANCELLED}, "bill is cancelled -> stops"),
        ({"status": BillStatus.SUSPENDED}, "bill is suspended -> stops"),
        ({"balance": -1}, "balance is zero -> stops"),
    ],
)
def test_a_bill_that_is_not_dunned_says_why(changes: dict[str, Any], expected: str) -> None:
    """And nothing more about its steps."""
    findings = plan(a_book(a_bill(**changes)), an_organization(), NOW).findings
    assert found(findings, Rule.BILL_STATUS) == [expected]
    assert bool(found(findings, Rule.STEP)) is expected.endswith("passes")


def test_what_was_sent_is_explained_with_what_comes_next() -> None:
    """Every channel says that it has nothing to send now, and what comes next."""
    world = World(an_organization(), a_book(), NOW)
    assert found(world.plan().findings, Rule.ALREADY_SENT) == ["step was not sent yet -> passes"]
    world.run_until(at("2026-01-06 00:00"))
    findings = world.plan().findings
    assert found(findings, Rule.ALREADY_SENT) == ["step was already sent; the next one on 2026-02-04 -> waits"]
    for channel in (EMAIL, SMS, PRINT):
        assert found(findings, Rule.RESULT, channel=channel) == ["nothing now; the next one on 2026-02-04 -> waits"]
    world.now = at("2026-06-01 12:00")
    world.run_until(at("2026-06-03 00:00"))
    assert found(world.plan().findings, Rule.ALREADY_SENT) == [
        "step was already sent; there is no further one -> waits"
    ]


def test_every_rule_of_a_channel_is_told_up_to_the_one_that_refuses() -> None:
    """In the order in which they are looked at."""
    book = a_book(account=an_account(a_guarantor(mobile_phone="")))
    findings = plan(book, an_organization(minimum_print=10_00), NOW).findings
    letter = [(entry.rule, entry.found, entry.outcome) for entry in findings if entry.channel is PRINT]
    moment = by_channel(plan(book, an_organization(), NOW).notices)[PRINT].scheduled_for
    assert letter == [
        (Rule.OPT_OUT, "not opted out", RuleOutcome.PASSES),
        (Rule.CONTACT, "can be reached", RuleOutcome.PASSES),
        (Rule.ADDRESS_STATUS, "not known to be invalid", RuleOutcome.PASSES),
        (Rule.MINIMUM, "balance 50.00 exceeds 10.00", RuleOutcome.PASSES),
        (Rule.ELECTRONIC_FIRST, "paper goes as well as electronic channels", RuleOutcome.PASSES),
        (Rule.PERMITTED_HOURS, "may go on 2026-01-05", RuleOutcome.PASSES),
        (Rule.PAPER_CYCLE, "no letter before", RuleOutcome.PASSES),
        (Rule.RESULT, f"goes on {moment.astimezone(NEW_YORK):%Y-%m-%d at %H:%M} at level 1, Initial", RuleOutcome.GOES),
    ]
    assert [(entry.rule, entry.found, entry.outcome) for entry in findings if entry.channel is SMS] == [
        (Rule.OPT_OUT, "not opted out", RuleOutcome.PASSES),
        (Rule.CONTACT, "no mobile number", RuleOutcome.STOPS),
        (Rule.RESULT, "will not send: no mobile number", RuleOutcome.STOPS),
    ]


@pytest.mark.parametrize(
    ("settings", "account", "rule", "expected"),
    [
        ({"minimum_print": 50_00}, {}, Rule.MINIMUM, "balance 50.00 does not exceed 50.00 -> stops"),
        ({}, {"opt_outs": OptOuts(print=True)}, Rule.OPT_OUT, "opted out of letters -> stops"),
        (
            {"skip_paper_when_electronic_available": True},
            {},
            Rule.ELECTRONIC_FIRST,
            "electronic channel available -> stops",
        ),
        (
            {"skip_paper_when_electronic_available": True},
            {"guarantor": a_guarantor(email="", mobile_phone="")},
            Rule.ELECTRONIC_FIRST,
            "no electronic channel of the step goes -> passes",
        ),
        (
            {},
            {"guarantor": a_guarantor(address_status=AddressStatus.INVALID)},
            Rule.ADDRESS_STATUS,
            "invalid, but paper isn't skipped for it -> passes",
        ),
        (
            {"skip_paper_when_electronic_available": True},
            {"guarantor": a_guarantor(address_status=AddressStatus.INVALID)},
            Rule.ADDRESS_STATUS,
            "mailing address has an invalid status -> stops",
        ),
    ],
)
def test_a_letter_is_explained(settings: dict[str, Any], account: dict[str, Any], rule: Rule, expected: str) -> None:
    """In the words of a billing manager."""
    planned = plan(a_book(account=an_account(**account)), an_organization(**settings), NOW)
    assert found(planned.findings, rule, channel=PRINT) == [expected]


def test_an_email_needs_no_paper_and_a_text_an_hour() -> None:
    """Rules that don't concern a channel say so."""
    book = a_book(account=an_account(time_zones=("Pacific/Honolulu", "Pacific/Guam")))
    findings = plan(book, an_organization(), NOW).findings
    assert found(findings, Rule.ADDRESS_STATUS, channel=EMAIL) == ["needs no mailing address -> passes"]
    assert found(findings, Rule.ELECTRONIC_FIRST, channel=EMAIL) == ["is electronic itself -> passes"]
    assert found(findings, Rule.PAPER_CYCLE, channel=EMAIL) == ["needs no paper -> passes"]
    assert found(findings, Rule.PERMITTED_HOURS, channel=SMS) == [
        "no day has an hour that is permitted everywhere -> stops"
    ]


def test_the_paper_cycle_names_its_days() -> None:
    """The last letter, and the day from which another may go."""
    world = World(an_organization(configuration_id="paper-30"), a_book(), NOW)
    world.run_until(at("2026-01-06 00:00"))
    world.add(a_bill("B", on=MONDAY))
    assert found(world.plan().findings, Rule.PAPER_CYCLE, "B", PRINT) == [
        "last letter on 2026-01-05, the next one from 2026-01-30 -> stops"
    ]
    assert found(world.plan().findings, Rule.ALREADY_SENT, "B", PRINT) == [
        "paper cycle not over: not tried again for this step -> stops"
    ]


def test_a_channel_that_the_highest_step_does_not_use_is_explained() -> None:
    """The bill that would use it follows the higher one."""
    organization = an_organization(configuration_id="text-first")
    findings = plan(a_book(a_bill("A", on=MONDAY - timedelta(days=90)), a_bill("B")), organization, NOW).findings
    assert found(findings, Rule.CHANNELS, "B", SMS) == ["current step does not use this channel -> stops"]


def test_a_failed_notice_is_explained() -> None:
    """It waits on the worklist."""
    world = World(an_organization(), a_book(), NOW)
    world.plan()
    failed = moved(by_channel(world.book.notices)[EMAIL], S.DELIVERY_ERROR, NOW, "email", "refused by the provider")
    world.change(notices=(failed,))
    assert found(world.plan().findings, Rule.ALREADY_SENT, channel=EMAIL) == [
        "failed before, so only staff can have it tried again: not tried again for this step -> stops"
    ]


def test_findings_and_rows_agree() -> None:
    """What goes is said to go, and what is refused is said to be refused; a bill too small to be in a letter, too."""
    book = a_book(a_bill("A"), a_bill("B", balance=1_00), account=an_account(a_guarantor(email="")))
    planned = plan(book, an_organization(minimum_print=5_00), NOW)
    results = {(f.statement_id, f.channel, f.outcome) for f in planned.findings if f.rule is Rule.RESULT}
    rows = {
        (name, notice.channel, RuleOutcome.GOES if notice.status is S.SCHEDULED else RuleOutcome.STOPS)
        for notice in planned.notices
        for name in notice.statement_ids
    }
    assert results == {*rows, ("B", PRINT, RuleOutcome.STOPS)}


def test_a_hold_is_said_to_stop_every_channel() -> None:
    """A billing manager asks about a channel, and is told what stops it."""
    book = a_book(a_bill("A"), account=an_account(holds=frozenset({Hold.DISPUTE})))
    findings = plan(book, an_organization(), NOW).findings
    for channel in (EMAIL, SMS, PRINT):
        assert found(findings, Rule.RESULT, channel=channel) == ["will not send: on hold: Dispute -> stops"]


def test_findings_hold_no_contact_data() -> None:
    """They are shown to whoever may read bills, and may end in a log."""
    said = repr(plan(a_book(), an_organization(), NOW).findings)
    assert not any(word in said for word in ("anary", "example.org", "5550100"))


# --- forecast -----------------------------------------------


def test_a_forecast_is_what_then_happens() -> None:
    """The very same planning and judging, run forward."""
    organization = an_organization(skip_paper_when_electronic_available=True)
    book = a_book(a_bill("A"), a_bill("B", on=MONDAY - timedelta(days=20)))
    foreseen = forecast(book, organization, NOW, timedelta(days=100))
    world = World(organization, book, NOW)
    world.run_until(NOW + timedelta(days=100))
    assert [(n.notice_id, n.sent_at, n.level) for n in foreseen if n.status is S.SENT] == [
        (n.notice_id, n.sent_at, n.level) for n in sorted(world.sent, key=lambda n: (n.sent_at or NOW, n.notice_id))
    ]
    assert {n.reason for n in foreseen if n.status is S.WILL_NOT_SEND} == {"electronic channel available"}


def test_a_forecast_starts_from_what_is_pending_and_leaves_out_what_was() -> None:
    """A queued notice counts as going now."""
    world = World(an_organization(configuration_id="paper-30"), a_book(), NOW)
    world.run_until(at("2026-02-04 00:00"))
    world.now = at("2026-02-04 12:00")
    queued = tuple(
        moved(notice, S.QUEUED, world.now, "scheduler") if notice.status is S.SCHEDULED else notice
        for notice in world.book.notices
    )
    foreseen = forecast(replace(world.book, notices=queued), world.organization, at("2026-02-04 17:50"))
    assert [(notice.level, notice.status) for notice in foreseen] == [(2, "Sent"), (3, "Sent"), (4, "Sent")]


@pytest.mark.parametrize(
    ("changes", "account"),
    [
        ({"communication_status": CommunicationStatus.DISABLED}, {}),
        ({"account_status": AccountStatus.INACTIVE}, {}),
        ({}, {"holds": frozenset({Hold.HARDSHIP})}),
    ],
)
def test_where_nothing_may_go_nothing_is_foreseen(changes: dict[str, Any], account: dict[str, Any]) -> None:
    """If nothing changes."""
    assert forecast(a_book(account=an_account(**account)), an_organization(**changes), NOW) == ()


def test_a_forecast_ends_at_its_horizon() -> None:
    """Without a dunning limit there would be no end."""
    organization = an_organization(configuration_id="paper-30", no_dunning_limit=True)
    assert len(forecast(a_book(), organization, NOW, timedelta(days=29))) == 1
    assert len(forecast(a_book(), organization, NOW)) == 6
    assert len(forecast(a_book(), organization, NOW, timedelta(days=365))) == 13


def test_a_forecast_puts_off_what_cannot_go_now() -> None:
    """An overdue notice outside of its hours goes in the next window."""
    world = World(an_organization(configuration_id="paper-30"), a_book(), NOW)
    world.plan()
    foreseen = forecast(world.book, world.organization, at("2026-01-05 20:00"), timedelta(days=5))
    assert [f"{notice.sent_at:%Y-%m-%d}" for notice in foreseen] == ["2026-01-06"]


def test_a_forecast_tells_what_will_be_refused_on_its_day() -> None:
    """Judged as it would be then: staff switched the notice's channel off meanwhile."""
    world = World(an_organization(configuration_id="paper-30"), a_book(), NOW)
    world.plan()
    queued = tuple(moved(notice, S.SENDING, NOW, "print") for notice in world.book.notices)
    book = replace(world.book, notices=queued, account=an_account(opt_outs=OptOuts(print=True)))
    (refused,) = [n for n in forecast(book, world.organization, NOW, timedelta(days=5)) if n.level == 1][:1]
    assert (refused.status, refused.reason) == (S.WILL_NOT_SEND, Reason.OPTED_OUT_PRINT)


def test_a_letter_that_the_higher_bill_is_refused_is_not_asked_for_by_the_lower_ones_step() -> None:
    """The email tells of both; only the higher one's step has a letter, which its balance is too small for."""
    higher, lower = (
        a_bill("A", on=MONDAY - timedelta(days=90), balance=1_00),
        a_bill("B", on=MONDAY - timedelta(days=45)),
    )
    organization = an_organization(configuration_id="gentle-45", minimum_print=5_00)
    findings = plan(a_book(higher, lower), organization, NOW).findings
    assert found(findings, Rule.RESULT, "A", PRINT) == ["will not send: balance does not exceed the minimum -> stops"]
    assert found(findings, Rule.RESULT, "B", PRINT) == [
        "will not send: current step does not use this channel -> stops"
    ]


def test_a_notice_for_monday_that_staff_cancelled_on_saturday_is_not_said_to_be_on_its_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By Monday another step has come than Saturday's: that is the one that was cancelled."""
    monkeypatch.setitem(CONFIGURATIONS, "tried", a_preset((0, INITIAL, (EMAIL, SMS)), (2, DUE, (EMAIL, PRINT))))
    saturday = at("2026-01-03 12:00")
    world = World(an_organization(configuration_id="tried"), a_book(a_bill(on=saturday.date())), saturday)
    email = by_channel(world.plan().notices)[EMAIL]
    cancelled = moved(email, S.CANCELLED, saturday, "staff", Reason.CANCELLED_BY_STAFF)
    world.change(notices=with_notices(world.book, (cancelled,)).notices)
    findings = world.plan().findings
    assert found(findings, Rule.RESULT, channel=EMAIL) == ["will not send: cancelled by staff -> stops"]
    assert found(findings, Rule.RESULT, channel=SMS) == [
        "will not send: current step does not use this channel -> stops"
    ]
