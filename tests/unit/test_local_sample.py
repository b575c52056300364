from __future__ import annotations

import json
import re
from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any

import phonenumbers
import pytest
import zipcodes
from email_validator import EmailNotValidError, validate_email

from local.sample import words
from local.sample.faults import FAULTS
from local.sample.generator import Expected, Result, Sample, SampleOrganization, generate
from local.sample.households import SPECIAL_KINDS
from shared.contracts.statements import (
    ReadStatement,
    UnreadableStatementError,
    read_payment_update,
    read_statement,
)
from shared.domain.vocabulary.json_documents import DECODER
from tests.worlds.bounds import some

EPISODIC = SampleOrganization("RIVER-01", "Riverbend Example Clinic", "Episodic")
LIFETIME = SampleOrganization("LAKE-02", "Lakeside Example Practice", "Lifetime")
START = date(2026, 3, 2)


@pytest.fixture(scope="module")
def sample() -> Sample:
    return generate(7, [EPISODIC, LIFETIME], START)


def pairs(sample: Sample) -> list[tuple[dict[str, Any], Expected]]:
    return [pair for file in sample.files for pair in zip(file.document["statements"], file.expected, strict=True)]


def good(sample: Sample) -> list[tuple[dict[str, Any], Expected]]:
    return [(item, expected) for item, expected in pairs(sample) if "guarantor" in item and expected.error is None]


def test_the_same_seed_makes_the_same_bytes() -> None:
    """A demo that fails can be run again; another seed makes another sample."""
    first, second, other = (
        json.dumps([file.document for file in generate(seed, [EPISODIC, LIFETIME], START).files]) for seed in (7, 7, 8)
    )
    assert first == second
    assert first != other


def test_an_organization_does_not_change_the_files_of_another(sample: Sample) -> None:
    """Each practice draws from its own numbers."""
    alone = generate(7, [LIFETIME], START)
    assert alone.files == tuple(file for file in sample.files if "lake-02" in file.name)


@pytest.mark.parametrize("seed", range(12))
def test_every_seed_has_enough_of_everything(seed: int) -> None:
    """At least 300 statements, every kind of guarantor and fault, and every result."""
    made = generate(seed, [EPISODIC, LIFETIME], START)
    assert len(pairs(made)) >= 300
    assert all(made.count(result) > 0 for result in some(Result))
    kinds = Counter(expected.kind for _, expected in pairs(made))
    assert not set(SPECIAL_KINDS) - set(kinds)
    assert all(kinds[fault.kind] == 2 for fault in some(FAULTS))
    assert {account.kind for account in made.accounts} == {*SPECIAL_KINDS, "plain"}


def test_first_files_come_first_and_fit_one_call(sample: Sample) -> None:
    """A later file changes what an earlier one stored; one call takes at most 500 statements."""
    assert [file.day for file in sample.files] == sorted(file.day for file in sample.files)
    assert all(0 < len(file.expected) <= 500 for file in some(sample.files))
    assert len({file.name for file in sample.files}) == len(sample.files)


def test_amounts_add_up(sample: Sample) -> None:
    """Charges add up to the statement, and each charge to its balance, exactly and with two decimals."""
    for statement, _ in some(good(sample)):
        lines = [line for patient in statement["patients"] for visit in patient["visits"] for line in visit["charges"]]
        for total, column in (("totalBilled", "billed"), ("totalBalance", "balance")):
            assert Decimal(str(statement[total])) == sum(Decimal(str(line[column])) for line in lines)
        for line in some(lines):
            amounts = {
                name: Decimal(str(line[name])) for name in ("billed", "insurancePaid", "adjustment", "patientPaid")
            }
            assert amounts.pop("billed") - sum(amounts.values()) == Decimal(str(line["balance"]))
            assert re.fullmatch(r"\d+(\.\d{1,2})?", str(line["balance"]))


def test_balances_are_as_their_kind_says(sample: Sample) -> None:
    """Zero is zero, tiny lies below five dollars, the rest above."""
    balances = [
        (expected.kind, expected.balance)
        for file in sample.files
        if not file.day
        for expected in file.expected
        if expected.balance is not None
    ]
    for kind, balance in some(balances):
        if kind == "zero balance":
            assert balance == 0
        else:
            assert (balance < 500) == (kind == "tiny balance")


def test_visits_have_one_to_twelve_charges(sample: Sample) -> None:
    """Both ends occur."""
    counts = {len(visit["charges"]) for item, _ in good(sample) for who in item["patients"] for visit in who["visits"]}
    assert (min(counts), max(counts)) == (1, 12)


def test_lifetime_and_episodic_have_their_shapes(sample: Sample) -> None:
    """Lifetime: payers in the patient, one patient and one bill an account. Episodic: payers in the statement."""
    for statement, _ in some(good(sample)):
        lifetime = statement["clientId"] == LIFETIME.client_id
        assert "payers" not in statement or not lifetime
        assert all(("payers" in patient) == lifetime for patient in some(statement["patients"]))
        assert not lifetime or len(statement["patients"]) == 1
    accounts = Counter((account.client_id, item) for account in sample.accounts for item in account.statement_ids)
    assert set(accounts) == set(sample.balances)
    assert set(accounts.values()) == {1}


def test_warnings_point_to_what_is_in_the_statement(sample: Sample) -> None:
    """A warning's pointer leads to a member that is there."""
    warned = [(statement, pointer) for statement, expected in good(sample) for pointer in expected.warnings]
    assert {pointer for _, pointer in warned} == {
        "/guarantor/email",
        "/guarantor/mobilePhone",
        "/guarantor/language",
        "/guarantor/addressStatus",
        "/electronicOptOut",
    }
    for statement, pointer in warned:
        value: Any = statement
        for step in pointer.split("/")[1:]:
            value = value[step]


def test_phones_are_from_the_range_kept_for_fiction(sample: Sample) -> None:
    """555-0100 to 555-0199, possible numbers; those of the kind that is spoiled aren't numbers."""
    numbers = [
        (expected.kind, statement["guarantor"][name])
        for statement, expected in good(sample)
        for name in ("mobilePhone", "homePhone")
        if name in statement["guarantor"]
    ]
    for kind, written in some(numbers):
        if kind == "bad phone":
            assert written in words.BAD_PHONES
        else:
            number = phonenumbers.parse(written, "US")
            assert phonenumbers.is_possible_number(number)
            assert re.fullmatch(r"\d{3}55501\d\d", str(number.national_number))


def test_addresses_are_at_example_domains(sample: Sample) -> None:
    """No mail can reach anybody; the spoiled ones are no addresses at all."""
    emails = [
        (expected.kind, person["email"])
        for statement, expected in good(sample)
        for person in (statement["guarantor"], statement.get("billTo", {}))
        if "email" in person
    ]
    for kind, email in some(emails):
        if kind == "bad email" and email in words.BAD_EMAILS:
            with pytest.raises(EmailNotValidError):
                validate_email(email, check_deliverability=False)
        else:
            assert re.search(r"@example\.(com|org|net)$", validate_email(email, check_deliverability=False).normalized)


def test_cities_are_real_and_streets_are_not() -> None:
    """The ZIP codes lie in the states that stand beside them, so that time zones can be told."""
    for place in some(words.SAMPLE_PLACES):
        for code in some(place.postal_codes):
            found: list[dict[str, str]] = zipcodes.matching(code)  # type: ignore[no-untyped-call] # it ships no types
            assert found[0]["state"] == place.state
    assert not set(words.STREETS) & {"Main", "Broadway", "Park", "Oak"}


def test_names_and_codes_are_invented(sample: Sample) -> None:
    """Surnames are waders', and no code has the form of a procedure code."""
    surnames = {*words.SURNAMES, *words.SPANISH_SURNAMES, *(last for _, last in words.UNUSUAL_NAMES)}
    for statement, _ in some(good(sample)):
        assert statement["guarantor"]["lastName"] in surnames
        assert {patient["lastName"] for patient in statement["patients"]} <= surnames
    assert all(re.fullmatch(r"Q\d{4}", service.code) for service in some(words.SERVICES))


@pytest.mark.parametrize("seed", range(3))
def test_what_is_expected_is_what_the_contract_says(seed: int) -> None:
    """Errors and warnings of single statements, pointer by pointer; the rest depends on what is stored."""
    by_stored = {"unknown client", "duplicate in one file", "payment for an unknown bill"}
    for statement, expected in some(pairs(generate(seed, [EPISODIC, LIFETIME], START))):
        value = DECODER.decode(json.dumps(statement))
        read = read_payment_update if "partnerTransactions" in statement else read_statement
        if expected.error is not None and expected.kind not in by_stored:
            with pytest.raises(UnreadableStatementError) as failed:
                read(value)
            assert [remark.pointer for remark in failed.value.errors] == [expected.error], expected.kind
            continue
        found = read(value)
        if isinstance(found, ReadStatement) and expected.error is None:
            assert tuple(remark.pointer for remark in found.warnings) == expected.warnings, expected.kind


def test_payments_are_for_bills_that_the_sample_made(sample: Sample) -> None:
    """All but the stray one; a payment that is told twice bears one id."""
    stored = {
        expected.statement_id for _, expected in pairs(sample) if expected.result in {Result.CREATED, Result.UPDATED}
    }
    told = [
        pair
        for file in sample.files
        if file.document.get("schema") == "ppay-payment-updates"
        for pair in zip(file.document["statements"], file.expected, strict=True)
    ]
    for statement, expected in some(told):
        assert (statement["statementId"] in stored) == (expected.result is Result.UPDATED)
    ids = [[item["transactionId"] for item in statement["partnerTransactions"]] for statement, _ in told]
    assert any(len(set(each)) < len(each) for each in ids)
