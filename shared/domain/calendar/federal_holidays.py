"""The US federal holidays (5 U.S.C. 6103), as the `holidays` package knows them."""

from datetime import date
from functools import cache


@cache
def _of(year: int) -> frozenset[date]:
    """The days of a year on which offices close, one of which may be for a holiday of the next year."""
    from holidays import country_holidays  # noqa: PLC0415 - takes a quarter of a second, and few invocations need it

    return frozenset(country_holidays("US", years=year))


def is_federal_holiday(day: date) -> bool:
    """Whether federal offices close on a working day; New Year's Day on a Saturday closes them on December 31."""
    return day in _of(day.year)
