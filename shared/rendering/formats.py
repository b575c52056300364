"""Amounts and dates as people in the US read them, in their language."""

import re
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

from babel.dates import format_date, format_time
from babel.numbers import format_currency

from shared.domain.vocabulary.money import Cents
from shared.domain.vocabulary.words import Language

LOCALES = {Language.ENGLISH: "en_US", Language.SPANISH: "es_US"}

_BETWEEN_DATE_AND_TIME = {Language.ENGLISH: " at ", Language.SPANISH: " a las "}


@lru_cache(maxsize=4096)
def money(amount: Cents, language: Language) -> str:
    """An amount with its currency: "$1,074.60"."""
    return format_currency(Decimal(amount).scaleb(-2), "USD", locale=LOCALES[language])


@lru_cache(maxsize=1024)
def long_date(day: date, language: Language) -> str:
    """A date with its month in letters, because 5/3 is March to one reader and May to another."""
    return format_date(day, "long", locale=LOCALES[language])


def single_stops(text: str, names: Iterable[str]) -> str:
    """A text in which a name that ends in a stop of its own, "Northside P.L.L.C.", ends a sentence without another."""
    for name in names:
        if name.endswith("."):
            text = re.sub(rf"({re.escape(name)})\.(?!\.)", r"\1", text)
    return text


def long_time(moment: datetime, language: Language) -> str:
    """A date and a time of day, with the time zone that `moment` is in."""
    time = format_time(moment, "h:mm a z", tzinfo=moment.tzinfo, locale=LOCALES[language])
    return f"{long_date(moment.date(), language)}{_BETWEEN_DATE_AND_TIME[language]}{time}"
