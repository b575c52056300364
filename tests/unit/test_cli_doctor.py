"""What `dunlin doctor` makes of what it reads: each check in both outcomes."""

from collections.abc import Callable
from functools import partial

import pytest

from cli.doctor import checks
from cli.doctor.checks import (
    AlarmTopic,
    Concurrency,
    Diagnosis,
    Domain,
    EmailAccount,
    Health,
    ScheduleState,
    Secret,
    TextReports,
    TextSpending,
)
from cli.doctor.command import EXAMINATIONS

TOPIC, HEARD, UNHEARD = "arn:aws:sns:us-east-1:1:alarms", "arn:aws:sns:us-east-1:1:alarms:5", "PendingConfirmation"
HEALTHY = EmailAccount(in_production=True, sending=True, enforcement="HEALTHY")
POLICY = "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"

GOOD: list[Callable[[], Diagnosis]] = [
    partial(checks.email_account, HEALTHY),
    partial(checks.sender_identities, {"billing@example.com": True, "*@practice.example": True}),
    partial(checks.dmarc, {"example.com": [POLICY]}),
    partial(checks.dmarc, {"example.com": ["v = DMARC1 ;P=NONE"]}),
    partial(checks.dmarc, {"example.com": ["v=spf1 -all", POLICY]}),
    partial(checks.text_sandbox, in_sandbox=False),
    partial(checks.text_spending, TextSpending(limit=500, warning=400)),
    partial(checks.origination_numbers, ["PENDING", "ACTIVE"]),
    partial(checks.text_reports, TextReports("arn:aws:iam::1:role/texts", 100)),
    partial(checks.log_role, "arn:aws:iam::1:role/logs"),
    partial(checks.concurrency, Concurrency(unreserved=100, channels=20)),
    partial(checks.alarm_topic, AlarmTopic(TOPIC, [UNHEARD, HEARD])),
    partial(checks.stripe_secrets, [Secret("stripe", usable=True)]),
    partial(checks.stripe_secrets, []),
    partial(checks.domain, Domain("pay.example.com", mapped=True, answers=True)),
    partial(checks.domain, Domain("")),
    partial(checks.cursor_key, 32),
    partial(checks.cursor_key, None),
    partial(checks.schedule, ScheduleState("ENABLED", "rate(1 minute)", simulated=False)),
    partial(checks.schedule, ScheduleState("DISABLED", "rate(1 minute)", simulated=True)),
]

MISSING: list[Callable[[], Diagnosis]] = [
    partial(checks.email_account, EmailAccount(in_production=False, sending=True, enforcement="HEALTHY")),
    partial(checks.email_account, EmailAccount(in_production=True, sending=False, enforcement="HEALTHY")),
    partial(checks.email_account, EmailAccount(in_production=True, sending=True, enforcement="PROBATION")),
    partial(checks.sender_identities, {"billing@example.com": True, "*@practice.example": False}),
    partial(checks.sender_identities, {"billing@example.com": None}),
    partial(checks.dmarc, {"example.com": []}),
    partial(checks.dmarc, {"example.com": [POLICY], "practice.example": ["v=spf1 -all"]}),
    partial(checks.dmarc, {"example.com": [POLICY, POLICY]}),
    partial(checks.dmarc, {"example.com": ["p=reject; v=DMARC1"]}),
    partial(checks.dmarc, {"example.com": ["v=DMARC1; rua=mailto:dmarc@example.com"]}),
    partial(checks.dmarc, {"example.com": ["v=DMARC1; p=maybe"]}),
    partial(checks.text_sandbox, in_sandbox=True),
    partial(checks.text_spending, TextSpending(limit=1, warning=0.8)),
    partial(checks.text_spending, TextSpending(limit=500, warning=500)),
    partial(checks.origination_numbers, []),
    partial(checks.origination_numbers, ["PENDING"]),
    partial(checks.text_reports, TextReports("", 100)),
    partial(checks.text_reports, TextReports("arn:aws:iam::1:role/texts", 10)),
    partial(checks.log_role, ""),
    partial(checks.concurrency, Concurrency(unreserved=10, channels=20)),
    partial(checks.concurrency, Concurrency(unreserved=99, channels=20)),
    partial(checks.alarm_topic, AlarmTopic("", None)),
    partial(checks.alarm_topic, AlarmTopic(TOPIC, None)),
    partial(checks.alarm_topic, AlarmTopic(TOPIC, [])),
    partial(checks.alarm_topic, AlarmTopic(TOPIC, [UNHEARD, "Deleted"])),
    partial(checks.stripe_secrets, [Secret("stripe", usable=True), Secret("hook", usable=False)]),
    partial(checks.stripe_secrets, [Secret("stripe", usable=None)]),
    partial(checks.domain, Domain("pay.example.com", mapped=False, answers=True)),
    partial(checks.domain, Domain("pay.example.com", mapped=True, answers=False)),
    partial(checks.cursor_key, 31),
    partial(checks.schedule, ScheduleState(None, "", simulated=False)),
    partial(checks.schedule, ScheduleState(None, "", simulated=True)),
    partial(checks.schedule, ScheduleState("DISABLED", "rate(1 minute)", simulated=False)),
    partial(checks.schedule, ScheduleState("ENABLED", "rate(1 hour)", simulated=False)),
    partial(checks.schedule, ScheduleState("ENABLED", "rate(1 minute)", simulated=True)),
]


@pytest.mark.parametrize("check", GOOD, ids=str)
def test_where_all_is_there_nothing_is_to_be_mended(check: Callable[[], Diagnosis]) -> None:
    diagnosis = check()
    assert diagnosis.health is Health.GOOD
    assert diagnosis.found
    assert not diagnosis.mend


@pytest.mark.parametrize("check", MISSING, ids=str)
def test_what_is_missing_is_named_with_how_to_mend_it(check: Callable[[], Diagnosis]) -> None:
    diagnosis = check()
    assert diagnosis.health is Health.MISSING
    assert diagnosis.found
    assert diagnosis.mend


def test_no_check_is_left_without_both_outcomes() -> None:
    """And the command runs every check that there is."""
    judged = [{partial_of(check) for check in outcome} for outcome in (GOOD, MISSING)]
    assert judged[0] == judged[1]
    assert len(EXAMINATIONS) == len(judged[0])


def partial_of(check: Callable[[], Diagnosis]) -> str:
    assert isinstance(check, partial)
    return str(check.func.__name__)
