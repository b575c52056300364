"""Whether a channel goes on a day, for which bills, and if not, why.

`plan` and `judge` both decide with `decide`: one looks ahead to the day of sending, the other stands on it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from shared.domain.account.contacts import contact_refusal, opt_out_refusal
from shared.domain.dunning.decision import Finding, Rule, RuleOutcome
from shared.domain.dunning.paper import channels_of
from shared.domain.dunning.situation import ChannelDecision, ChannelQuestion, DueBill, top_of
from shared.domain.records.policy import SYSTEM_DEFAULT_TEMPLATE, Step
from shared.domain.vocabulary.money import dollars
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import AddressStatus, Channel


def template_of(step: Step, channel: Channel) -> str:
    """The template that a step names for a channel."""
    return step.templates.get(channel, SYSTEM_DEFAULT_TEMPLATE)


# --- the rules that a channel must pass for a bill, in the order in which they are checked ------------------------


@dataclass(frozen=True)
class RuleResult:
    """What a rule found, and why it refuses if it does."""

    found: str
    refusal: Reason | None = None


def _opt_out_rule(question: ChannelQuestion, _due: DueBill) -> RuleResult:
    refusal = opt_out_refusal(question.channel, question.situation.book.account)
    return RuleResult(refusal or "not opted out", refusal)


def _contact_rule(question: ChannelQuestion, _due: DueBill) -> RuleResult:
    refusal = contact_refusal(question.channel, question.situation.book.account)
    return RuleResult(refusal or "can be reached", refusal)


def _address_status_rule(question: ChannelQuestion, _due: DueBill) -> RuleResult:
    """An invalid address stops paper only where *skip paper* is on (docs/rules.md#skip-paper)."""
    status = question.situation.book.account.guarantor.address_status
    if question.channel.electronic:
        return RuleResult("needs no mailing address")
    if status is not AddressStatus.INVALID:
        return RuleResult("not known to be invalid")
    if not question.situation.organization.dunning.skip_paper_when_electronic_available:
        return RuleResult("invalid, but paper isn't skipped for it")
    return RuleResult(Reason.ADDRESS_INVALID, Reason.ADDRESS_INVALID)


def _minimum_rule(question: ChannelQuestion, due: DueBill) -> RuleResult:
    """The balance of each bill must exceed the minimum (docs/rules.md#minimum)."""
    settings = question.situation.organization.dunning
    minimum = settings.minimum_electronic if question.channel.electronic else settings.minimum_print
    if due.bill.balance > minimum:
        return RuleResult(f"balance {dollars(due.bill.balance)} exceeds {dollars(minimum)}")
    return RuleResult(f"balance {dollars(due.bill.balance)} does not exceed {dollars(minimum)}", Reason.BELOW_MINIMUM)


def _electronic_first_rule(question: ChannelQuestion, due: DueBill) -> RuleResult:
    if question.channel.electronic:
        return RuleResult("is electronic itself")
    if not question.situation.organization.dunning.skip_paper_when_electronic_available:
        return RuleResult("paper goes as well as electronic channels")
    if due.bill.statement_id in question.electronically:
        return RuleResult(Reason.ELECTRONIC_AVAILABLE, Reason.ELECTRONIC_AVAILABLE)
    return RuleResult("no electronic channel of the step goes")


def _permitted_hours_rule(question: ChannelQuestion, _due: DueBill) -> RuleResult:
    if question.day is None:
        return RuleResult("no day has an hour that is permitted everywhere", Reason.NO_PERMITTED_HOUR)
    return RuleResult(f"may go on {question.day}")


def _paper_cycle_rule(question: ChannelQuestion, _due: DueBill) -> RuleResult:
    """The cycle counts between the days on which letters went (docs/rules.md#paper-cycle)."""
    if question.channel.electronic or question.day is None:
        return RuleResult("needs no paper")
    situation = question.situation
    last = situation.last_letter_day
    if last is None:
        return RuleResult("no letter before")
    free_from = last + timedelta(days=situation.configuration.paper_cycle_days)
    refusal = Reason.PAPER_CYCLE if question.day < free_from else None
    return RuleResult(f"last letter on {last}, the next one from {free_from}", refusal)


RULES: tuple[tuple[Rule, Callable[[ChannelQuestion, DueBill], RuleResult]], ...] = (
    (Rule.OPT_OUT, _opt_out_rule),
    (Rule.CONTACT, _contact_rule),
    (Rule.ADDRESS_STATUS, _address_status_rule),
    (Rule.MINIMUM, _minimum_rule),
    (Rule.ELECTRONIC_FIRST, _electronic_first_rule),
    (Rule.PERMITTED_HOURS, _permitted_hours_rule),
    # The last one: a letter that it alone refuses isn't made up for (docs/rules.md#paper-cycle-alone).
    (Rule.PAPER_CYCLE, _paper_cycle_rule),
)


@dataclass(frozen=True, slots=True)
class _Look:
    """A bill looked at: what the rules found up to the first that refuses, and why it does; None: all pass."""

    due: DueBill
    findings: tuple[Finding, ...]
    refusal: Reason | None


def _look(question: ChannelQuestion, due: DueBill) -> _Look:
    findings = list[Finding]()
    for rule, ask in RULES:
        answer = ask(question, due)
        findings.append(finding(rule, answer.found, question, due, refused=answer.refusal is not None))
        if answer.refusal:
            return _Look(due, tuple(findings), answer.refusal)
    return _Look(due, tuple(findings), None)


def finding(rule: Rule, found: str, question: ChannelQuestion, due: DueBill, *, refused: bool) -> Finding:
    """Record what a rule found for a bill on a channel."""
    return Finding(
        rule=rule,
        found=str(found),
        outcome=RuleOutcome.STOPS if refused else RuleOutcome.PASSES,
        statement_id=due.bill.statement_id,
        channel=question.channel,
    )


# --- the decision ----------------------------------------------------------------------------------------------


def decide(question: ChannelQuestion, bills: Sequence[DueBill]) -> ChannelDecision:
    """Decide whether a channel goes for the bills that are due on it.

    The highest step among the bills that pass every rule decides (docs/rules.md#consolidation and #minimum-and-level);
    if it doesn't use this channel, nobody refused anything. Where no bill passes, the reason is the highest one's.
    """
    if not bills:
        return ChannelDecision(channel=question.channel)
    looks = [_look(question, due) for due in bills]
    findings = tuple(entry for look in looks for entry in look.findings)
    passing = tuple(look.due for look in looks if look.refusal is None)
    if passing and _asks(question, top_of(passing)):
        return ChannelDecision(channel=question.channel, bills=passing, findings=findings)
    if _asks(question, top_of(bills)):
        return ChannelDecision(channel=question.channel, refused=_refused(question, looks), findings=findings)
    return ChannelDecision(channel=question.channel, findings=tuple(_not_asked(question, due) for due in bills))


def _refused(question: ChannelQuestion, looks: Iterable[_Look]) -> tuple[tuple[DueBill, Reason], ...]:
    """The bills that asked for the channel in vain, each with what refused it."""
    return tuple((look.due, look.refusal) for look in looks if look.refusal and _asks(question, look.due))


def _asks(question: ChannelQuestion, due: DueBill) -> bool:
    """Whether a bill's own step asks for the channel."""
    situation = question.situation
    return question.channel in channels_of(due, situation, question.day or situation.today)


def _not_asked(question: ChannelQuestion, due: DueBill) -> Finding:
    return finding(Rule.CHANNELS, Reason.CHANNEL_NOT_IN_STEP, question, due, refused=True)
