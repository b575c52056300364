"""What the engine found, in the words of a billing manager."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from shared.domain.account.holds import hold_end
from shared.domain.calendar.steps import CurrentStep, next_due_day
from shared.domain.dunning.consolidation import Consolidation
from shared.domain.dunning.decision import Finding, Rule, RuleOutcome
from shared.domain.dunning.paper import paper_from
from shared.domain.dunning.situation import Situation, standing_stop, top_of
from shared.domain.records.account import Account
from shared.domain.records.bill import Bill
from shared.domain.vocabulary.reasons import HOLD_REASONS, Reason, closed_bill_reason, hold_reasons
from shared.domain.vocabulary.words import Channel, CommunicationStatus, Hold


def explain_account(situation: Situation) -> tuple[Finding, ...]:
    """What holds for the whole account: its organization's standing and communications, holds, the patient's word."""
    organization = situation.organization
    inactive = standing_stop(organization)
    of_partner = f", and its partner {organization.partner_status}" if inactive is Reason.PARTNER_NOT_ACTIVE else ""
    enabled = organization.communication_status is CommunicationStatus.ENABLED
    account = situation.book.account
    holds = [_describe_hold(account, hold) for hold in Hold if hold in account.holds]
    holds += [reason for reason in hold_reasons(account.holds) if reason is Reason.HOLD_NEWER]
    return (
        Finding(
            rule=Rule.ORGANIZATION_STATUS,
            found=f"organization is {organization.account_status}{of_partner}",
            outcome=RuleOutcome.STOPS if inactive else RuleOutcome.PASSES,
        ),
        Finding(
            rule=Rule.COMMUNICATIONS,
            found="communications are enabled" if enabled else "communications are disabled: nothing new is queued",
            outcome=RuleOutcome.PASSES if enabled else RuleOutcome.STOPS,
        ),
        Finding(
            rule=Rule.HOLDS,
            found=", ".join(holds) or "no hold",
            outcome=RuleOutcome.STOPS if holds else RuleOutcome.PASSES,
        ),
        explain_patient([each.kind for each in account.objections], account.remind_on),
    )


def explain_patient(objections: Sequence[str], remind_on: date | None) -> Finding:
    """What a patient said that makes dunning pause: the kinds of objections, and the day to be reminded on."""
    found = [f"{Reason.OBJECTION}: {kind}" for kind in objections]
    found += [f"{Reason.REMIND_LATER}, on {remind_on}"] if remind_on else []
    return Finding(
        rule=Rule.PATIENT,
        found=", ".join(found) or "no objection, and no day to be reminded on",
        outcome=RuleOutcome.STOPS if found else RuleOutcome.PASSES,
    )


def _describe_hold(account: Account, hold: Hold) -> str:
    end = hold_end(account, hold)
    return f"{HOLD_REASONS[hold]}, until {end}" if end else str(HOLD_REASONS[hold])


def explain_bills(situation: Situation) -> tuple[Finding, ...]:
    """For each bill: whether it is dunned at all, the step that it is at, and whether that was sent."""
    findings = list[Finding]()
    for bill in sorted(situation.book.bills, key=lambda bill: bill.statement_id):
        findings.append(_explain_status(bill))
        if bill.open:
            findings += _explain_step(situation, bill)
    return tuple(findings)


def _explain_status(bill: Bill) -> Finding:
    return Finding(
        rule=Rule.BILL_STATUS,
        found=f"bill is {bill.status}" if bill.open else str(closed_bill_reason(bill.status)),
        outcome=RuleOutcome.PASSES if bill.open else RuleOutcome.STOPS,
        statement_id=bill.statement_id,
    )


def _explain_step(situation: Situation, bill: Bill) -> list[Finding]:
    current = situation.step_of(bill, situation.today)
    if current is None:
        return [_finding(Rule.STEP, bill, f"no step is due yet; {_next_step(situation, bill)}", RuleOutcome.WAITS)]
    sent = situation.standing(bill, current).sent()
    return [
        _finding(Rule.STEP, bill, _describe(situation, bill, current), RuleOutcome.PASSES),
        _finding(
            Rule.ALREADY_SENT,
            bill,
            f"step was already sent; {_next_step(situation, bill)}" if sent else "step was not sent yet",
            RuleOutcome.WAITS if sent else RuleOutcome.PASSES,
        ),
        *_explain_closed(situation, bill, current),
        *_explain_bounce(situation, bill, current),
    ]


def _describe(situation: Situation, bill: Bill, current: CurrentStep) -> str:
    age, steps = bill.age_on(situation.today), len(situation.configuration.steps)
    again = f", repeated for the {current.round}. time" if current.round else ""
    kind = current.step.notification_type
    return f"age {age} days: level {current.level} of {steps}, {kind}, due on {current.due_on}{again}"


def _next_step(situation: Situation, bill: Bill) -> str:
    no_limit = situation.organization.dunning.no_dunning_limit
    day = next_due_day(situation.configuration, bill, situation.today, no_limit=no_limit)
    return f"the next one on {day}" if day else "there is no further one"


def _explain_closed(situation: Situation, bill: Bill, current: CurrentStep) -> list[Finding]:
    """Channels that aren't tried again for this step, though nothing went on them."""
    closed = situation.standing(bill, current).closed
    return [
        _finding(
            Rule.ALREADY_SENT, bill, f"{closed[channel]}: not tried again for this step", RuleOutcome.STOPS, channel
        )
        for channel in Channel
        if channel in closed
    ]


def _explain_bounce(situation: Situation, bill: Bill, current: CurrentStep) -> list[Finding]:
    """When a step whose messages bounced drops to paper, while that is still to come."""
    day = paper_from(situation, bill, current)
    if day is None or day <= situation.today or situation.standing(bill, current).sent():
        return []
    found = f"electronic notices are undeliverable: goes by letter from {day}"
    return [_finding(Rule.CHANNELS, bill, found, RuleOutcome.WAITS, Channel.PRINT)]


def _finding(rule: Rule, bill: Bill, found: str, outcome: RuleOutcome, channel: Channel | None = None) -> Finding:
    return Finding(rule=rule, found=found, outcome=outcome, statement_id=bill.statement_id, channel=channel)


def explain_results(
    situation: Situation,
    result: Consolidation,
    moments: Mapping[Channel, datetime | None],
    days: Mapping[Channel, date | None],
) -> tuple[Finding, ...]:
    """What came of it, for every bill on every channel: what goes, what doesn't, and why there is nothing to do.

    moments, days: when a notice on a channel goes, and the day that its bills were checked for.
    """
    decided = _explain_decided(situation, result, moments)
    known = {(finding.statement_id, finding.channel) for finding in decided}
    stopping = {
        (found.statement_id, found.channel): found.found
        for found in result.findings
        if found.outcome is RuleOutcome.STOPS
    }
    rest = [
        _explain_rest(situation, bill, channel, stopping.get((bill.statement_id, channel)), days[channel])
        for bill in sorted(situation.book.bills, key=lambda bill: bill.statement_id)
        for channel in Channel
        if (bill.statement_id, channel) not in known
    ]
    return (*decided, *rest)


def explain_stopped(situation: Situation, stop: Reason) -> tuple[Finding, ...]:
    """What holds for the account, and that it stops every bill on every channel."""
    stopped = [
        _finding(Rule.RESULT, bill, f"will not send: {stop}", RuleOutcome.STOPS, channel)
        for bill in sorted(situation.book.bills, key=lambda bill: bill.statement_id)
        for channel in Channel
    ]
    return (*explain_account(situation), *map(_explain_status, situation.book.bills), *stopped)


def _explain_rest(
    situation: Situation, bill: Bill, channel: Channel, stopping: str | None, day: date | None
) -> Finding:
    """Why a channel has nothing to send for a bill now. `stopping`: what a rule found that keeps the bill out."""
    if not bill.open:
        return _finding(
            Rule.RESULT, bill, f"will not send: {closed_bill_reason(bill.status)}", RuleOutcome.STOPS, channel
        )
    current = situation.step_of(bill, situation.today)
    if current is None or situation.standing(bill, current).sent():
        return _finding(Rule.RESULT, bill, f"nothing now; {_next_step(situation, bill)}", RuleOutcome.WAITS, channel)
    if situation.organization.communication_status is CommunicationStatus.DISABLED:
        why = f"will not send: {Reason.COMMUNICATIONS_DISABLED}"
        return _finding(Rule.RESULT, bill, why, RuleOutcome.STOPS, channel)
    # After a weekend it may be another step than today's, and that one is what staff cancelled, for instance.
    then = situation.step_of(bill, day or situation.today) or current
    reason = situation.standing(bill, then).closed.get(channel) or stopping or Reason.CHANNEL_NOT_IN_STEP
    return _finding(Rule.RESULT, bill, f"will not send: {reason}", RuleOutcome.STOPS, channel)


def _explain_decided(
    situation: Situation, result: Consolidation, moments: Mapping[Channel, datetime | None]
) -> tuple[Finding, ...]:
    findings = list[Finding]()
    for channel, decision in result.going.items():
        current, moment = top_of(decision.bills).current, moments[channel]
        when = f"{moment.astimezone(situation.zone):on %Y-%m-%d at %H:%M}" if moment else "never"
        what = f"goes {when} at level {current.level}, {current.step.notification_type}"
        findings += [_finding(Rule.RESULT, due.bill, what, RuleOutcome.GOES, channel) for due in decision.bills]
    for (channel, reason), refused in result.refused.items():
        why = f"will not send: {reason}"
        findings += [_finding(Rule.RESULT, due.bill, why, RuleOutcome.STOPS, channel) for due in refused]
    return tuple(findings)
