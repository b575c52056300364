"""When a reminder goes by letter instead: drop to paper."""

from datetime import date, timedelta

from shared.domain.account.contacts import contact_refusal, opted_out
from shared.domain.calendar.steps import CurrentStep
from shared.domain.dunning.situation import DueBill, Situation
from shared.domain.records.bill import Bill
from shared.domain.records.policy import Step
from shared.domain.vocabulary.words import Channel, NotificationType

REMINDERS = frozenset({NotificationType.DUE, NotificationType.PAST_DUE})
"""The types that may drop to paper; Initial and Final never do (docs/rules.md#drop-to-paper)."""


def channels_of(due: DueBill, situation: Situation, day: date) -> tuple[Channel, ...]:
    """The channels that a bill's step asks for on a day, with the letter that a reminder may drop to."""
    step, paper_day = due.current.step, paper_from(situation, due.bill, due.current)
    drops = _drops_to_paper(step, situation) or (paper_day is not None and day >= paper_day)
    return (*step.channels, Channel.PRINT) if drops else step.channels


def _may_drop(step: Step) -> bool:
    return step.notification_type in REMINDERS and Channel.PRINT not in step.channels


def _drops_to_paper(step: Step, situation: Situation) -> bool:
    """Whether no electronic channel of a reminder is left, because of an opt-out (docs/rules.md#drop-to-paper).

    Having no address isn't one.
    """
    electronic = [channel for channel in step.channels if channel.electronic]
    if not situation.organization.dunning.drop_to_paper_on_opt_out or not _may_drop(step):
        return False
    account = situation.book.account
    return any(opted_out(channel, account) for channel in electronic) and all(
        opted_out(channel, account) or contact_refusal(channel, account) for channel in electronic
    )


def paper_from(situation: Situation, bill: Bill, current: CurrentStep) -> date | None:
    """The day from which a reminder goes by letter because messages bounced; None: it doesn't.

    The days that the organization sets count from the last that bounced, and only where the step has no electronic
    channel left: while there is one, it is the one that goes.
    """
    days = situation.organization.dunning.drop_to_paper_after_undeliverable_days
    if days is None or not _may_drop(current.step):
        return None
    account, bounced = situation.book.account, list[date]()
    for channel in current.step.channels:
        day = _bounced_on(situation, bill, current, channel)
        if day:
            bounced.append(day)
        elif not (opted_out(channel, account) or contact_refusal(channel, account)):
            return None
    return max(bounced) + timedelta(days=days) if bounced else None


def _bounced_on(situation: Situation, bill: Bill, current: CurrentStep, channel: Channel) -> date | None:
    """The day on which a channel's messages bounced: permanently, whatever was in them, or for now, with this step."""
    return situation.last_returns.get(channel) or situation.standing(bill, current).bounced_on.get(channel)
