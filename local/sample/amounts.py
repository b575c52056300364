"""Amounts and charges of the sample's statements: cents inside, JSON numbers or quoted strings in the files."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from local.sample import words

if TYPE_CHECKING:
    from datetime import date
    from random import Random

    from shared.domain.vocabulary.json_documents import Json

_TOTALS = ("totalBilled", "totalBalance")
_COLUMNS = ("billed", "insurancePaid", "adjustment", "patientPaid", "balance")
# What a balance that is neither nothing nor tiny comes to at least.
_PLAIN_LOWEST, _PLAIN_TOP_UP = 500, 4_000


def number(cents: int) -> float:
    """Return an amount as a JSON number; the shortest form of a float with two decimals is exact in print."""
    return cents / 100


def decimal(cents: int) -> str:
    """Return an amount as the string that partners who quote amounts send."""
    sign, cents = ("-", -cents) if cents < 0 else ("", cents)
    return f"{sign}{cents // 100}.{cents % 100:02d}"


def in_cents(amount: float | str) -> int:
    """Return an amount of the sample's own making in cents."""
    return round(float(amount) * 100)


def make_visit(random: Random, today: date) -> Json:
    """Make a visit of the last two months with one to twelve charges."""
    day = today - timedelta(days=random.randint(4, 60))
    provider = random.choice(words.PROVIDERS)
    count = random.choice([1, 1, 1, 2, 2, 3, 4, random.randint(5, 12)])
    return {
        "visitId": f"V{random.randrange(10**6):06d}",
        "date": day.isoformat(),
        "provider": {"id": f"P{words.PROVIDERS.index(provider) + 1}", "name": provider},
        "locationName": random.choice(words.LOCATIONS),
        "charges": [_make_charge(random, day) for _ in range(count)],
    }


def _make_charge(random: Random, day: date) -> Json:
    service = random.choice(words.SERVICES)
    billed = random.randrange(service.lowest, service.highest)
    insurance = billed * random.choice([0, 0, 40, 60, 70, 80]) // 100
    adjustment = (billed - insurance) * random.choice([0, 0, 10, 25]) // 100
    paid = (billed - insurance - adjustment) * random.choice([0, 0, 0, 10, 50]) // 100
    return {
        "date": day.isoformat(),
        "code": service.code,
        "description": service.description,
        "billed": number(billed),
        "insurancePaid": number(insurance),
        "adjustment": number(adjustment),
        "patientPaid": number(paid),
        "balance": number(billed - insurance - adjustment - paid),
    }


def charges(document: Json) -> list[Json]:
    """Return all charges of a statement."""
    return [line for patient in document["patients"] for visit in patient["visits"] for line in visit["charges"]]


def set_balance(document: Json, kind: str, random: Random) -> None:
    """Total a statement up: zero or a tiny sum where the household is of that kind, else five dollars or more."""
    lines = charges(document)
    owed = sum(in_cents(line["balance"]) for line in lines)
    billed = sum(in_cents(line["billed"]) for line in lines)
    if kind == "zero balance":
        _owe(lines, 0)
    elif kind == "tiny balance":
        _owe(lines, random.randint(1, _PLAIN_LOWEST - 1))
    elif owed < _PLAIN_LOWEST:
        _owe(lines, random.randint(_PLAIN_LOWEST, min(billed, _PLAIN_TOP_UP)))
    _total(document)
    if kind == "quoted amounts":
        _quote(document)


def lower_balance(document: Json, by: int) -> None:
    """Let insurance pay that much more of a statement, line by line; its amounts stay quoted if they were."""
    quoted = isinstance(document["totalBalance"], str)
    for line in charges(document):
        part = min(by, in_cents(line["balance"]))
        by -= part
        line["insurancePaid"] = number(in_cents(line["insurancePaid"]) + part)
        line["balance"] = number(in_cents(line["balance"]) - part)
    _total(document)
    if quoted:
        _quote(document)


def _owe(lines: list[Json], wanted: int) -> None:
    """Let insurance pay all but that much of the lines."""
    for line in lines:
        billed = in_cents(line["billed"])
        share = min(billed, wanted)
        wanted -= share
        line |= {
            "insurancePaid": number(billed - share),
            "adjustment": number(0),
            "patientPaid": number(0),
            "balance": number(share),
        }


def _total(document: Json) -> None:
    lines = charges(document)
    document["totalBilled"] = number(sum(in_cents(line["billed"]) for line in lines))
    document["totalBalance"] = number(sum(in_cents(line["balance"]) for line in lines))


def _quote(document: Json) -> None:
    for name in _TOTALS:
        document[name] = decimal(in_cents(document[name]))
    for line in charges(document):
        for name in _COLUMNS:
            line[name] = decimal(in_cents(line[name]))
