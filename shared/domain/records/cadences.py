"""A partner's own dunning configuration: what is wrong with one, and its steps as ages of a bill.

A step's day is a bill's age, or counts from the due date, before it or after it. The due date follows from an
organization's `days_until_due`, so only for an organization are all steps ages (docs/rules.md#own-cadence).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from shared.domain.records.policy import DunningConfiguration, Step
from shared.domain.vocabulary.words import DUNNING_TYPES, Channel, NotificationType

TYPES_IN_ORDER = tuple(kind for kind in NotificationType if kind in DUNNING_TYPES)


@dataclass(frozen=True, slots=True)
class CadenceFault:
    """What is wrong with a configuration: where, as a JSON pointer into its document, and what."""

    pointer: str
    detail: str


@dataclass(frozen=True, slots=True)
class PlacedStep:
    """A step with its place in the document, from 0: steps that can't be read are left out, but keep their place."""

    place: int
    step: Step

    @property
    def number(self) -> int:
        """As people count them."""
        return self.place + 1


def on_ages(configuration: DunningConfiguration, days_until_due: int) -> DunningConfiguration:
    """The configuration with every step at a bill's age, and in the cycle of that age.

    Total: a step never comes before the one above it, nor before the bill. Of steps that fall on one day so, the last
    is the one that a bill is at.
    """
    steps, earliest = list[Step](), 0
    for step in configuration.steps:
        earliest = max(earliest, _age(step, days_until_due))
        cycle = earliest // configuration.dunning_cycle_days + 1
        steps.append(replace(step, bill_age=earliest, cycle=cycle))
    return replace(configuration, steps=tuple(steps))


def cadence_faults(steps: Sequence[PlacedStep], paper_cycle_days: int | None) -> tuple[CadenceFault, ...]:
    """All that is wrong with the steps together, whatever an organization's due dates are.

    Steps that count from different days are compared where an organization chooses them (`faults_at`).
    """
    return (*_days_that_do_not_rise(steps), *_types_out_of_order(steps), *_letters_too_close(steps, paper_cycle_days))


def faults_at(configuration: DunningConfiguration, days_until_due: int) -> Iterator[str]:
    """What is wrong with a configuration where bills are due so many days after they are made."""
    earlier: tuple[int, int] | None = None
    letter: tuple[int, int] | None = None
    for number, step in enumerate(configuration.steps, start=1):
        age = _age(step, days_until_due)
        if age < 0:
            yield f"puts step {number} of the dunning configuration before the bill's first day"
        if earlier and age <= earlier[1]:
            yield f"puts step {number} of the dunning configuration on or before the day of step {earlier[0]}"
        if Channel.PRINT in step.channels:
            if letter and 0 < age - letter[1] < configuration.paper_cycle_days:
                yield f"puts the letters of steps {letter[0]} and {number} closer together than the paper cycle"
            letter = number, age
        earlier = number, age


def _age(step: Step, days_until_due: int) -> int:
    return step.bill_age if step.days_from_due is None else days_until_due + step.days_from_due


def _counts_from(placed: PlacedStep) -> str:
    return "billAge" if placed.step.days_from_due is None else "daysFromDue"


def _day(placed: PlacedStep) -> int:
    return placed.step.bill_age if placed.step.days_from_due is None else placed.step.days_from_due


def _neighbours(steps: Sequence[PlacedStep]) -> Iterator[tuple[PlacedStep, PlacedStep]]:
    """Each step with the next one that counts from the same day."""
    for _, alike in groupby(sorted(steps, key=_counts_from), key=_counts_from):
        found = list(alike)
        yield from pairwise(found)


def _days_that_do_not_rise(steps: Sequence[PlacedStep]) -> Iterator[CadenceFault]:
    for earlier, later in _neighbours(steps):
        pointer = f"/steps/{later.place}/{_counts_from(later)}"
        if _day(later) == _day(earlier):
            yield CadenceFault(pointer, f"is the day of step {earlier.number}; no two steps may share a day")
        elif _day(later) < _day(earlier):
            yield CadenceFault(pointer, f"must be later than step {earlier.number}, which is above it")


def _types_out_of_order(steps: Sequence[PlacedStep]) -> Iterator[CadenceFault]:
    for earlier, later in pairwise(steps):
        before, after = earlier.step.notification_type, later.step.notification_type
        if TYPES_IN_ORDER.index(after) < TYPES_IN_ORDER.index(before):
            order = ", ".join(TYPES_IN_ORDER)
            detail = f"must not be milder than {before} of step {earlier.number}; the order is {order}"
            yield CadenceFault(f"/steps/{later.place}/notificationType", detail)


def _letters_too_close(steps: Sequence[PlacedStep], paper_cycle_days: int | None) -> Iterator[CadenceFault]:
    """A letter within the paper cycle of the one before never goes, and isn't made up for: nobody means that."""
    letters = [placed for placed in steps if Channel.PRINT in placed.step.channels]
    gaps = [(_day(later) - _day(earlier), earlier, later) for earlier, later in _neighbours(letters)]
    close = [gap for gap in gaps if paper_cycle_days is not None and 0 < gap[0] < paper_cycle_days]
    if close:
        days, earlier, later = min(close, key=lambda gap: gap[0])
        detail = f"must be at most {days}, the days between the letters of steps {earlier.number} and {later.number}"
        yield CadenceFault("/paperCycleDays", detail)
