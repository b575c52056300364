"""What ought to be sent, worked out from the input and docs/rules.md alone, day by day.

It shares no code with the product's engine, and is simpler: everything goes in before the practices open, settings
don't change during the run, and no address fails. So an account's day is decided from that day alone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import holidays

from shared.domain.vocabulary.json_documents import Json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.demo.input import InputAccount, InputBill
    from local.demo.practices import Practice
    from shared.domain.vocabulary.json_documents import Json

type ExpectedSending = tuple[date, str, int]
"""The day, the channel and the level of a notice."""

ELECTRONIC = ("email", "sms")
REMINDER_WORDS = ("Due", "PastDue")


@dataclass(frozen=True)
class OracleStep:
    """A step of the schedule that the practice chose."""

    level: int
    age: int
    kind: str
    channels: tuple[str, ...]


@dataclass(frozen=True)
class Schedule:
    """The steps of a practice, and the days that lie between two letters at least."""

    steps: tuple[OracleStep, ...]
    paper_cycle_days: int

    @classmethod
    def of(cls, dunning: Json) -> Schedule:
        """Take what the API shows of a practice's dunning settings."""
        steps = tuple(
            OracleStep(step["level"], step["billAge"], step["notificationType"], tuple(step["channels"]))
            for step in dunning["schedule"]
        )
        return cls(steps, dunning["paperCycleDays"])

    def step_at(self, bill: InputBill, day: date) -> OracleStep:
        """The last step whose age has come."""
        return [step for step in self.steps if step.age <= (day - bill.created).days][-1]


@cache
def _federal_holidays() -> Any:  # noqa: ANN401 - the library's own type
    return holidays.country_holidays("US")


def business_days(first: date, last: date) -> Iterator[date]:
    """Every day between two days, both included, on which practices send."""
    for ahead in range((last - first).days + 1):
        day = first + timedelta(days=ahead)
        if day.weekday() < 5 and day not in _federal_holidays():  # noqa: PLR2004 - Saturday
            yield day


def expected_sendings(
    account: InputAccount, practice: Practice, schedule: Schedule, first: date, last: date
) -> Counter[ExpectedSending]:
    """Every dunning notice that the account ought to get."""
    sendings: Counter[ExpectedSending] = Counter()
    told: dict[int, int] = {}
    last_letter: date | None = None
    for day in business_days(first, last):
        if account.held(day):
            continue
        due = [
            (bill, schedule.step_at(bill, day))
            for bill in account.open_on(day)
            if bill.created <= day and schedule.step_at(bill, day).level > told.get(id(bill), 0)
        ]
        for channel in ("email", "sms", "print"):
            owed = [(bill, step) for bill, step in due if bill.balance_on(day) > practice.minimums[channel]]
            if not owed:
                continue
            top = max((step for _, step in owed), key=lambda step: step.level)
            if not _asks(account, practice, top, channel, day):
                continue
            too_soon = last_letter is not None and (day - last_letter).days < schedule.paper_cycle_days
            if channel == "print" and not too_soon:
                last_letter = day
            if channel != "print" or not too_soon:
                sendings[day, channel, top.level] += 1
            # A letter refused by the paper cycle alone counts as told, too (docs/rules.md#paper-cycle-alone).
            told |= {id(bill): step.level for bill, step in owed}
    return sendings


def _asks(account: InputAccount, practice: Practice, step: OracleStep, channel: str, day: date) -> bool:
    """Whether a step goes on a channel to this guarantor, or drops to paper (docs/rules.md#drop-to-paper)."""

    def goes(electronic: str) -> bool:
        return account.reachable(electronic) and not account.opted_out(electronic, day)

    if channel in step.channels:
        return goes(channel)
    electronic = [each for each in step.channels if each in ELECTRONIC]
    drops = practice.drops_to_paper and step.kind in REMINDER_WORDS
    return (
        channel == "print"
        and drops
        and any(account.opted_out(each, day) for each in electronic)
        and not any(goes(each) for each in electronic)
    )
