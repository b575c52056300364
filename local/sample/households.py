"""The sample's guarantors with their patients, and what is special about some of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

from local.sample import words
from shared.domain.records.statement import PATIENT_KEY

if TYPE_CHECKING:
    from random import Random

    from shared.domain.vocabulary.json_documents import Json

# Kinds of household, and how many of each a practice has; the rest are plain.
SPECIAL_KINDS = {
    "family": 9,
    "spanish": 8,
    "no email": 6,
    "no mobile": 4,
    "no email or mobile": 3,
    "bad email": 3,
    "bad phone": 3,
    "address N": 3,
    "address D": 2,
    "address S": 2,
    "opt-out true": 2,
    "opt-out E": 2,
    "opt-out M": 2,
    "opt-out B": 2,
    "opt-out of the guarantor": 1,
    "opt-out unreadable": 1,
    "unknown language": 1,
    "unknown address status": 1,
    "tiny balance": 5,
    "zero balance": 3,
    "quoted amounts": 4,
    "unusual name": len(words.UNUSUAL_NAMES),
    "no birth date": 2,
    "guarantor's birth date only": 2,
    "third party": 2,
    "no guarantor id": 3,
    "dunning status": 2,
}


@dataclass(frozen=True)
class OptOut:
    """An opt-out as a statement states it, and what it closes."""

    value: bool | str
    email: bool
    sms: bool
    in_guarantor: bool = False


OPT_OUTS = {
    "opt-out true": OptOut(value=True, email=True, sms=True),
    "opt-out E": OptOut("E", email=True, sms=False),
    "opt-out M": OptOut("M", email=False, sms=True),
    "opt-out B": OptOut("B", email=True, sms=True),
    "opt-out of the guarantor": OptOut("E", email=True, sms=False, in_guarantor=True),
    "opt-out unreadable": OptOut("perhaps", email=True, sms=True),
}
WITHOUT_EMAIL = {"no email", "no email or mobile", "bad email"}
WITHOUT_MOBILE = {"no mobile", "no email or mobile", "bad phone"}

_DAYS_A_YEAR = 365
_GROWN_UP, _OLDEST, _OLDEST_CHILD = 19, 101, 18
_MOST_CHILDREN = 4


@dataclass
class Person:
    """A patient."""

    first_name: str
    last_name: str
    born: date | None
    account_id: str


@dataclass
class Household:
    """A guarantor with the patients they answer for, as every statement to them shows it.

    `key` is the account's key, `top_level` what the statement says beside the guarantor, `warnings` the pointers of
    contact data that can't be used, `statement_ids` the bills they have.
    """

    number: int
    kind: str
    guarantor: Json
    key: str
    patients: list[Person]
    top_level: Json = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    statement_ids: list[str] = field(default_factory=list)

    @property
    def birth_dates(self) -> tuple[date, ...]:
        """The dates that open a payment link: the patients', or the guarantor's where no patient's is known."""
        patients = tuple(person.born for person in self.patients if person.born)
        own = self.guarantor.get("dateOfBirth")
        return patients or ((date.fromisoformat(own),) if own else ())


def draw_kinds(random: Random, households: int) -> list[str]:
    """Return the kinds of that many households, in a random order."""
    kinds = [kind for kind, count in SPECIAL_KINDS.items() for _ in range(count)]
    kinds += ["plain"] * (households - len(kinds))
    random.shuffle(kinds)
    return kinds


def make_household(random: Random, client_id: str, number: int, kind: str, today: date) -> Household:
    """Make a household of a kind; its number makes its ids unique within the practice."""
    first = random.choice(words.SPANISH_FIRST_NAMES if kind == "spanish" else words.FIRST_NAMES)
    last = random.choice(words.SPANISH_SURNAMES if kind == "spanish" else words.SURNAMES)
    if kind == "unusual name":
        first, last = words.UNUSUAL_NAMES[number % len(words.UNUSUAL_NAMES)]
    born = _birthday(random, today, _GROWN_UP, _OLDEST)
    place = random.choice(words.SAMPLE_PLACES)
    guarantor: Json = {
        "guarantorId": f"{client_id}-G{number:04d}",
        "firstName": first,
        "lastName": last,
        "dateOfBirth": born.isoformat(),
        "email": f"guarantor.{client_id.lower()}.{number}@example.{random.choice(('com', 'org', 'net'))}",
        "mobilePhone": _phone(random, place),
        "language": "es" if kind == "spanish" else "en",
        "address": _address(random, place),
        "addressStatus": "Y",
    }
    patients = [Person(first, last, born, f"{client_id}-A{number:04d}")]
    if kind == "family":
        patients = [
            Person(
                random.choice(words.FIRST_NAMES),
                last,
                _birthday(random, today, 0, _OLDEST_CHILD),
                f"{client_id}-A{number:04d}-{child}",
            )
            for child in range(1, random.randint(2, _MOST_CHILDREN) + 1)
        ]
    household = Household(number, kind, guarantor, guarantor["guarantorId"], patients)
    _change_contact(household, random, place)
    _change_identity(household)
    _change_statement(household, client_id)
    return household


def _change_contact(household: Household, random: Random, place: words.Place) -> None:
    """Take away or spoil what some guarantors can't be reached by."""
    guarantor, kind = household.guarantor, household.kind
    if kind in {"no email", "no email or mobile"}:
        del guarantor["email"]
    if kind in {"no mobile", "no email or mobile"}:
        del guarantor["mobilePhone"]
        guarantor["homePhone"] = _phone(random, place)
    if kind.startswith("address "):
        guarantor["addressStatus"] = kind.removeprefix("address ")
    spoiled = {
        "bad email": ("email", random.choice(words.BAD_EMAILS)),
        "bad phone": ("mobilePhone", random.choice(words.BAD_PHONES)),
        "unknown language": ("language", "tlh"),
        "unknown address status": ("addressStatus", "Q"),
    }
    if kind in spoiled:
        name, value = spoiled[kind]
        guarantor[name] = value
        household.warnings = (f"/guarantor/{name}",)


def _change_identity(household: Household) -> None:
    """Take away what some statements lack: the guarantor's id, and the birth dates that open a payment link."""
    if household.kind == "no guarantor id":
        del household.guarantor["guarantorId"]
        household.key = f"{PATIENT_KEY}{household.patients[0].account_id}"
    if household.kind in {"no birth date", "guarantor's birth date only"}:
        for person in household.patients:
            person.born = None
    if household.kind == "no birth date":
        del household.guarantor["dateOfBirth"]


def _change_statement(household: Household, client_id: str) -> None:
    """Add what stands in the statement beside the guarantor."""
    opt_out = OPT_OUTS.get(household.kind)
    if opt_out is not None:
        (household.guarantor if opt_out.in_guarantor else household.top_level)["electronicOptOut"] = opt_out.value
        if household.kind == "opt-out unreadable":
            household.warnings = ("/electronicOptOut",)
    elif household.kind == "third party":
        email = f"billing.{client_id.lower()}.{household.number}@example.org"
        household.top_level["billTo"] = {"name": "Example Employer Health Fund", "email": email}
    elif household.kind == "dunning status":
        household.top_level["dunningStatus"] = "Due"


def _address(random: Random, place: words.Place) -> Json:
    address = {
        "line1": f"{random.randint(1, 9_899)} {random.choice(words.STREETS)} {random.choice(words.STREET_KINDS)}",
        "city": place.city,
        "state": place.state,
        "postalCode": random.choice(place.postal_codes),
    }
    unit = random.choice((None, None, None, *words.UNITS))
    return address | ({"line2": unit} if unit else {})


def _birthday(random: Random, today: date, youngest: int, oldest: int) -> date:
    return today - timedelta(days=random.randint(youngest * _DAYS_A_YEAR + 30, oldest * _DAYS_A_YEAR))


def _phone(random: Random, place: words.Place) -> str:
    """Return a number from the range kept for fiction, written in one of the ways people write them."""
    area, line = place.area_code, f"01{random.randrange(100):02d}"
    return random.choice([f"+1{area}555{line}", f"({area}) 555-{line}", f"{area}-555-{line}"])
