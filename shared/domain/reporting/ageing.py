"""How old what is owed is."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from shared.domain.reporting import figures
from shared.domain.vocabulary.money import Cents

BUCKETS = ((30, "0-30"), (60, "31-60"), (90, "61-90"), (120, "91-120"))
OLDEST = "over 120"
"""The buckets of a bill's age in days (docs/rules.md#bill-age), and the last day of each."""

BUCKET_NAMES = (*(name for _, name in BUCKETS), OLDEST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ageing:
    """What was owed on a day, by bucket of age: how many bills, and cents."""

    bills: dict[str, int] = field(default_factory=dict)
    owed: dict[str, Cents] = field(default_factory=dict)


def ageing_on(day: date, owed: dict[str, int]) -> Ageing:
    """The ageing on a day of what is owed (`AccountFacts.owed`, of any number of accounts)."""
    bills, amounts = Counter[str](), Counter[str]()
    for figure, n in owed.items():
        since, what = figures.words_of(figure)
        (bills if what == figures.COUNT else amounts)[_bucket((day - date.fromisoformat(since)).days)] += n
    return Ageing(bills=dict(sorted(bills.items())), owed=dict(sorted(amounts.items())))


def _bucket(age: int) -> str:
    return next((name for last, name in BUCKETS if age <= last), OLDEST)
