"""Who a statement is about: ids that name nobody, and facts that tell one person from another."""

from dataclasses import replace
from datetime import date
from itertools import combinations
from typing import Any

import pytest

from shared.domain.intake.arrival import Arrival
from shared.domain.intake.identity import NAMES_NOBODY, is_reserved, names_nobody, same_person, with_known_guarantor
from shared.domain.records.statement import Address, Guarantor, Patient, Statement
from tests.worlds.examples import ADDRESS, account

ADA = account().guarantor
FACTS: dict[str, tuple[Any, Any]] = {
    "first_name": ("Ada", "Yuri"),
    "last_name": ("Example", "Sample"),
    "date_of_birth": (date(1980, 2, 29), date(1971, 5, 6)),
    "email": ("ada@example.com", "yuri@example.com"),
    "mobile_phone": ("+15185550111", "+15185550122"),
    "address": (ADDRESS, replace(ADDRESS, line1="9 Other Street")),
}
UNKNOWN: dict[str, Any] = {"date_of_birth": None, "email": "", "mobile_phone": "", "address": None}
STRANGER = replace(ADA, **{name: other for name, (_, other) in FACTS.items()})


@pytest.mark.parametrize(
    "given",
    [
        *("0", "000", "0000000", "0.00", "0-0", "00000000-0000-0000-0000-000000000000", "\uff10\uff10", "\u0660\u0660"),
        *("999", "9999999", "999-99-9999", "-1", " -1 ", "x", "XXX"),
        *("", " ", "-", "--", ".", "?", "???", "#", "_", "\u2014", "*"),
        *("self", "SELF", " Self ", "(self)", "self-pay", "same", "Same as Patient", "patient"),
        *(
            "none",
            "None",
            "<none>",
            "no guarantor",
            "null",
            "NULL",
            "nil",
            "NaN",
            "undefined",
            "n/a",
            "N/A",
            "n.a.",
            "NA",
        ),
        *("#N/A", "unknown", "Unknown", "UNK", "unassigned", "not available", "ninguno", "Desconocido", "tbd"),
    ],
)
def test_what_systems_write_for_nobody_names_nobody(given: str) -> None:
    assert names_nobody(given)


@pytest.mark.parametrize(
    "given",
    [
        *("1", "9", "99", "10", "100", "9990", "900", "G-0", "0-1", "0A", "-12", "P-1", "A999", "77777"),
        *("selfridge", "NA-1", "nobodys", "X1", "Noneill", "O'None"),
    ],
)
def test_an_id_that_may_be_somebodys_is_taken_as_it_is(given: str) -> None:
    assert not names_nobody(given)


@pytest.mark.parametrize("given", ["patient:P-1", "PATIENT:1", " patient:", "Patient\uff1a1"])
def test_the_name_space_of_patients_is_kept_for_them(given: str) -> None:
    assert is_reserved(given)
    assert not is_reserved(f"im{given.strip()}")


def arrival(guarantor_id: str) -> Arrival:
    patient = Patient(account_id="P-1", first_name="Ben", last_name="Example")
    guarantor = replace(ADA, guarantor_id=guarantor_id)
    about = Statement(
        statement_id="S-1", client_id="NORTH", total_billed=1, total_balance=1, guarantor=guarantor, patients=(patient,)
    )
    return Arrival(statement=about, document=b"{}")


def test_an_id_that_names_nobody_counts_as_absent_and_is_told() -> None:
    taken = with_known_guarantor(arrival("N/A"))
    assert (taken.statement.account_id, taken.warnings) == ("patient:P-1", (NAMES_NOBODY,))
    assert with_known_guarantor(arrival("G-1")) == arrival("G-1")
    assert with_known_guarantor(arrival("")) == arrival("")


def test_a_patients_number_is_never_a_guarantors() -> None:
    assert arrival("P-1").statement.account_id != arrival("").statement.account_id


# --- the same person ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FACTS)
def test_one_fact_that_agrees_makes_it_the_same_person(name: str) -> None:
    assert same_person(ADA, replace(STRANGER, **{name: getattr(ADA, name)}))


def test_where_nothing_agrees_and_two_facts_differ_it_is_another() -> None:
    assert not same_person(ADA, STRANGER)
    unknown = replace(STRANGER, **UNKNOWN)
    assert not same_person(ADA, unknown)
    assert not same_person(unknown, ADA)


@pytest.mark.parametrize("known", [*FACTS, ""])
def test_less_than_two_differences_tell_nobody_apart(known: str) -> None:
    nothing = replace(ADA, first_name="-", last_name="?", **UNKNOWN)
    other = replace(nothing, **({known: FACTS[known][1]} if known else {}))
    assert same_person(ADA, other)


@pytest.mark.parametrize("known", list(combinations(FACTS, 2)))
def test_any_two_facts_that_differ_are_enough(known: tuple[str, str]) -> None:
    nothing = replace(ADA, first_name="", last_name="", **UNKNOWN)
    assert not same_person(ADA, replace(nothing, **{name: FACTS[name][1] for name in known}))


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        ("first_name", "Jos\u00e9", "JOSE"),
        ("first_name", "Mary-Ann", "Mary Ann"),
        ("last_name", "O'Neil", "Oneil"),
        ("last_name", "M\u00fcller", "Mu\u0308ller"),
        ("email", "Ada@Example.com", "ada@example.com"),
        ("address", ADDRESS, replace(ADDRESS, line1="12 JUNIPER WAY.", postal_code="12207-1234")),
        (
            "address",
            Address(line1="1 Elm St", line2="Apt 4", city="Troy", state="NY", postal_code="12180"),
            Address(line1="1 Elm St, Apt 4", city="Troy", state="ny", postal_code="12180"),
        ),
    ],
)
def test_letters_and_digits_are_compared_and_nothing_else(field: str, one: Any, other: Any) -> None:
    assert same_person(replace(ADA, **{field: one}), replace(STRANGER, **{field: other}))


def test_names_without_latin_letters_are_compared_by_all_their_signs() -> None:
    def named(first: str) -> Guarantor:
        return replace(ADA, first_name=first, last_name="", email="", mobile_phone="", address=None, date_of_birth=None)

    one, other = named("\u0930\u093e\u092e"), named("\u0930\u092e\u093e")  # the same consonants, other vowels
    two = replace(one, last_name="A"), replace(other, last_name="B")
    assert not same_person(*two)
