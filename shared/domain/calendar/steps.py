"""Which step of its configuration a bill is at, and when it comes to the next.

A level is the place of a step in its configuration, from 1. With no dunning limit the last step comes round again every
dunning cycle, at the same level; such a round is known by the day on which it came due.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from shared.domain.records.bill import Bill
from shared.domain.records.policy import DunningConfiguration, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentStep:
    """The step that a bill is at. round: 0 when the step first comes, then one more for each repetition."""

    level: int
    step: Step
    due_on: date
    round: int = 0


def level_at(configuration: DunningConfiguration, age: int) -> int:
    """The level of the last step whose age has come; 0: not even the first."""
    return sum(step.bill_age <= age for step in configuration.steps)


def current_step(configuration: DunningConfiguration, bill: Bill, day: date, *, no_limit: bool) -> CurrentStep | None:
    """The last step whose age has come by a day, whatever was or wasn't sent before: so nothing is back-filled."""
    level = level_at(configuration, bill.age_on(day))
    if level == 0:
        return None
    step = configuration.steps[level - 1]
    first_due = bill.effective_created_date + timedelta(days=step.bill_age)
    if not (no_limit and level == len(configuration.steps)):
        return CurrentStep(level=level, step=step, due_on=first_due)
    round_ = (day - first_due).days // configuration.dunning_cycle_days
    due_on = first_due + timedelta(days=round_ * configuration.dunning_cycle_days)
    return CurrentStep(level=level, step=step, due_on=due_on, round=round_)


def next_due_day(configuration: DunningConfiguration, bill: Bill, after: date, *, no_limit: bool) -> date | None:
    """The first day after a given one on which a step of the bill comes due; None: its last step has come."""
    current = current_step(configuration, bill, after, no_limit=no_limit)
    level = current.level if current else 0
    if level < len(configuration.steps):
        return bill.effective_created_date + timedelta(days=configuration.steps[level].bill_age)
    if no_limit and current:
        return current.due_on + timedelta(days=configuration.dunning_cycle_days)
    return None


def level_of_dunning_status(configuration: DunningConfiguration, dunning_status: str) -> int | None:
    """The level that a statement's `dunningStatus` names: a level number, or a type, meaning that type's first step.

    None: it names no step of this configuration.
    """
    levels = range(1, len(configuration.steps) + 1)
    named = {str(level): level for level in levels}
    for level, step in zip(levels, configuration.steps, strict=True):
        named.setdefault(step.notification_type, level)
    return named.get(dunning_status.strip())


def effective_date_at_level(configuration: DunningConfiguration, level: int, today: date) -> date:
    """The effective created date with which a bill is today at a level, on the first day of that step."""
    return today - timedelta(days=configuration.steps[level - 1].bill_age)
