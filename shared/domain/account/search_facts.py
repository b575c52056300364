"""By what an account is found: facts of its guarantor and its patients, made alike however they are written.

docs/rules.md#account-search
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from shared.domain.records.account import Account
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook

SHORTEST_BEGINNING = 2
"""Letters of a last name that a search needs at least."""

LETTERS_COMPARED = 24
"""Letters of a last name that are looked at; two that differ only behind them are found by the same beginnings."""

US_NUMBER = re.compile(r"1?([0-9]{10})")
US_DATE = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")
BETWEEN_DIGITS = re.compile(r"[-+(). ]")
LETTERS_ALONE = re.compile(r"[^\W\d_]([^\W\d_]|[-'.\u2019 ])*")


@dataclass(frozen=True, slots=True)
class SearchFacts:
    """What an account is found by. names: last names, by their beginnings; whole: the rest, whole only."""

    names: frozenset[str]
    whole: frozenset[str]


def search_facts(book: AccountBook) -> SearchFacts:
    """All that an account is found by now; bills that went to another account are found there."""
    bills = [bill for bill in book.bills if not bill.moved_to]
    return SearchFacts(
        names=frozenset({alike_name(book.account.guarantor.last_name), *patient_names(bills)} - {""}),
        whole=_of_guarantor(book.account).union(*map(_of_patients, bills)),
    )


def most_facts(account: Account, bills: Iterable[Bill]) -> int:
    """How many facts an account with these bills has at most: two that are written differently may be the same."""
    owes = account.guarantor
    said: set[str | date | None] = {owes.last_name, owes.email, owes.mobile_phone, owes.home_phone, owes.date_of_birth}
    for bill in bills:
        said.update(bill.patient_names, bill.patient_contacts, bill.patient_account_ids, bill.birth_dates)
    return len(said - {"", None})


def patient_names(bills: list[Bill]) -> set[str]:
    """The last names of the patients of bills, made alike."""
    return {alike_name(name) for bill in bills for name in bill.patient_names} - {""}


def _of_guarantor(account: Account) -> frozenset[str]:
    guarantor = account.guarantor
    born = [guarantor.date_of_birth.isoformat()] if guarantor.date_of_birth else []
    said = [guarantor.email, guarantor.mobile_phone, guarantor.home_phone, *born]
    return frozenset(alike(each) for each in said if each)


def _of_patients(bill: Bill) -> frozenset[str]:
    born = (day.isoformat() for day in bill.birth_dates)
    return frozenset(alike(each) for each in (*bill.patient_account_ids, *bill.patient_contacts, *born) if each)


def alike(value: str) -> str:
    """A phone number, email address, date or id in the one form in which it is compared: any case, any spacing.

    A US number is its ten digits, and a date as Americans write it is an ISO date.
    """
    written = "".join(value.split()).casefold()
    number = US_NUMBER.fullmatch(BETWEEN_DIGITS.sub("", written))
    if number and number[0].isascii():
        return number[1]
    day = US_DATE.fullmatch(written)
    return _iso_date(day) or written if day else written


def _iso_date(written: re.Match[str]) -> str:
    month, day, year = map(int, written.groups())
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return ""


def alike_name(name: str) -> str:
    """A last name in the one form in which it is compared: its letters alone, without case and accents."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(sign for sign in plain if sign.isalpha())[:LETTERS_COMPARED]


def may_be_name(term: str) -> bool:
    """Whether a term may be the beginning of a last name, which has no digits."""
    return bool(LETTERS_ALONE.fullmatch(unicodedata.normalize("NFC", term)))
