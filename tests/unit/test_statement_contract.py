"""Statements as partners send them: what is taken, what is a warning, what is an error, and where."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from shared.contracts import contact
from shared.contracts.dunning import STATEMENT_FIELDS
from shared.contracts.statement_bodies import BillToBody, GuarantorBody, StatementBody
from shared.contracts.statement_files import (
    MOST_STATEMENT_BYTES,
    FileSchema,
    InvalidFileError,
    NotJsonError,
    RawStatement,
    StatementFile,
    TooManyStatementsError,
    decoded_chunks,
    read_file,
)
from shared.contracts.statements import (
    ReadStatement,
    UnreadableStatementError,
    read_document,
    read_payment_update,
    read_statement,
    transactions_only,
)
from shared.domain.records.statement import Address, OptOuts, PartnerTransaction
from shared.domain.vocabulary.json_documents import DECODER, MOST_DEPTH, pointed_at
from shared.domain.vocabulary.words import AddressStatus, Language
from tests.worlds.bounds import some
from tests.worlds.statement_examples import EVENTS, statement


def read(**changes: Any) -> ReadStatement:
    """Read the sample statement with changes, through JSON as it comes."""
    return read_statement(DECODER.decode(json.dumps(statement(**changes))))


def read_text(old: str, new: str) -> ReadStatement:
    """Read the sample statement with a part of its text replaced by what a JSON encoder wouldn't write."""
    text = json.dumps(statement())
    assert old in text
    return read_statement(DECODER.decode(text.replace(old, new)))


def errors(**changes: Any) -> list[tuple[str, str]]:
    with pytest.raises(UnreadableStatementError) as caught:
        read(**changes)
    return [(error.pointer, error.detail) for error in caught.value.errors]


def error_pointers(**changes: Any) -> list[str]:
    return [pointer for pointer, _ in errors(**changes)]


def warning_pointers(**changes: Any) -> list[str]:
    return [warning.pointer for warning in read(**changes).warnings]


# --- the samples -----------------------------------------------


@pytest.mark.parametrize("name", ["statement-file.json", "statement-file-lifetime.json"])
def test_the_sample_files_hold_valid_statements_without_a_warning(name: str) -> None:
    _, statements = read_file((EVENTS / name).read_bytes())
    assert statements
    assert all(read_statement(raw.value).warnings == () for raw in some(statements))


def test_the_sample_payment_update_is_valid() -> None:
    schema, (raw,) = read_file((EVENTS / "statement-file-payment-updates.json").read_bytes())
    assert schema is FileSchema.PAYMENT_UPDATES
    assert transactions_only(raw.value)
    assert read_payment_update(raw.value).update.transactions == (
        PartnerTransaction(transaction_id="T-1", transaction_date=date(2026, 3, 5), amount=24_60),
        PartnerTransaction(transaction_date=date(2026, 3, 6), amount=50_00),
    )


def test_a_statement_comes_out_in_the_domains_words() -> None:
    taken = read().statement
    assert (taken.statement_id, taken.client_id, taken.account_id) == ("S-1", "NORTH", "G-1")
    assert (taken.total_billed, taken.total_balance) == (120_00, 74_60)
    assert taken.guarantor.email == "ada@example.com"
    assert taken.guarantor.mobile_phone == "+15185550111"
    assert taken.guarantor.address == Address(line1="12 Juniper Way", city="Albany", state="NY", postal_code="12207")
    assert taken.guarantor.address_status is AddressStatus.DELIVERABLE
    assert [charge.balance for charge in taken.patients[0].visits[0].charges] == [60_00, 14_60]
    assert taken.opt_outs is None


def test_without_a_guarantor_id_the_account_is_the_patients() -> None:
    assert read(guarantor__guarantorId=...).statement.account_id == "patient:P-1"
    assert read(guarantor__guarantorId=" ").statement.account_id == "patient:P-1"


def test_a_stored_document_reads_as_it_did_when_it_came() -> None:
    assert read_document(json.dumps(statement()).encode()) == read().statement


def test_members_that_we_dont_know_are_tolerated() -> None:
    assert read(payers=[{"x": {"y": [1, "\u0007"]}}], guarantor__nickname=5).warnings == ()


# --- amounts -----------------------------------------------


@pytest.mark.parametrize(
    ("written", "cents"),
    [
        ("74.60", 74_60),
        ('"74.60"', 74_60),
        ("74.6", 74_60),
        ("74", 74_00),
        ('" 74.60 "', 74_60),
        ("0", 0),
        ("-5.05", -5_05),
        ("7.46e1", 74_60),
        ("1E2", 100_00),
        ("99999999.99", 9_999_999_999),
        ('"0074.60"', 74_60),
    ],
)
def test_an_amount_is_exact_however_it_is_written(written: str, cents: int) -> None:
    assert read_text('"totalBalance": "74.60"', f'"totalBalance": {written}').statement.total_balance == cents


@pytest.mark.parametrize(
    "written",
    [
        "74.605",
        '"74.605"',
        "1e400",
        "1e-400",
        "1e99999999999999999999",
        "NaN",
        "Infinity",
        "-Infinity",
        '"NaN"',
        '"Infinity"',
        "100000000",
        '"100000000.00"',
        "1" * 5000,
        "0." + "1" * 5000,
        '"1,234.50"',
        '"$12"',
        '"1_000"',
        '"٧٤.٦٠"',
        '""',
        '" "',
        "true",
        "null",
        "[]",
        "{}",
        "1.00000000000000000000000000000000000001",
    ],
)
def test_an_amount_that_isnt_one_is_an_error_at_its_place(written: str) -> None:
    with pytest.raises(UnreadableStatementError) as caught:
        read_text('"totalBalance": "74.60"', f'"totalBalance": {written}')
    assert [error.pointer for error in caught.value.errors] == ["/totalBalance"]
    assert written.strip('"') not in caught.value.errors[0].detail or written in {'""', '" "'}


@given(st.decimals(min_value=-99_999_999, max_value=99_999_999, places=2), st.booleans())
def test_no_amount_of_cents_is_bent(amount: Decimal, quoted: bool) -> None:  # noqa: FBT001 - hypothesis gives both
    written = f'"{amount}"' if quoted else str(amount)
    taken = read_text('"totalBalance": "74.60"', f'"totalBalance": {written}').statement
    assert Decimal(taken.total_balance) / 100 == amount


# --- errors -----------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "statementId",
        "clientId",
        "totalBilled",
        "totalBalance",
        "guarantor",
        "guarantor__firstName",
        "guarantor__lastName",
        "patients",
        "patients__0__accountId",
        "patients__0__firstName",
        "patients__0__lastName",
        "patients__0__visits__0__date",
        "patients__0__visits__0__charges__1__description",
        "patients__0__visits__0__charges__1__balance",
    ],
)
def test_a_missing_member_is_pointed_at_by_its_own_pointer(path: str) -> None:
    pointer = "/" + path.replace("__", "/")
    assert errors(**{path: ...}) == [(pointer, "is required")]
    assert error_pointers(**{path: None}) == [pointer]


@pytest.mark.parametrize(
    ("path", "value", "detail"),
    [
        ("statementId", 5, "must be text"),
        ("statementId", "", "must not be blank"),
        ("statementId", "x" * 65, "must have at most 64 characters"),
        ("clientId", "x" * 41, "must have at most 40 characters"),
        ("patients__0__accountId", "x" * 56, "must have at most 55 characters"),
        ("statementMessage", "x" * 1001, "must have at most 1000 characters"),
        ("guarantor__firstName", "  ", "must not be blank"),
        ("guarantor", "Ada", "must be an object"),
        ("patients", {}, "must be a list"),
        ("patients", [], "must have at least one entry"),
        ("patients__0", [], "must be an object"),
        ("resetBill", "perhaps", "must be true or false"),
        ("statementDate", "2026-02-30", "must be a day that exists"),
        ("statementDate", "02/03/2026", "must be a date, such as 2026-01-31"),
        ("statementDate", 20260201, "must be a date, such as 2026-01-31"),
        ("guarantor__dateOfBirth", "1980-02-30", "must be a day that exists"),
        ("patients__0__visits__0__charges__0__date", "2026-13-01", "must be a day that exists"),
        ("statementId", "S\u0000", "must not hold control characters"),
        ("statementId", "S\ud800", "must not hold broken Unicode"),
        ("guarantor__firstName", "A\u0007da", "must not hold control characters"),
        ("guarantor__lastName", "Ex\ud800", "must not hold broken Unicode"),
        ("guarantor__email", "a\u0000@example.com", None),
        ("guarantor__email", "a\udc00@example.com", None),
        ("guarantor__address__city", "Al\u0081bany", None),
        ("patients__0__visits__0__charges__0__description", "Visit\u001b", "must not hold control characters"),
    ],
)
def test_what_makes_a_statement_unusable_is_an_error_at_its_place(path: str, value: Any, detail: str | None) -> None:
    found = errors(**{path: value})
    assert len(found) == 1
    assert found[0][0].startswith("/" + path.replace("__", "/"))
    assert detail in {None, found[0][1]}


@pytest.mark.parametrize("value", [None, 1, "S-1", [], True])
def test_a_statement_that_is_no_object_fails_as_a_whole(value: Any) -> None:
    with pytest.raises(UnreadableStatementError) as caught:
        read_statement(value)
    assert [(error.pointer, error.detail) for error in caught.value.errors] == [("", "must be an object")]


def test_all_that_is_wrong_is_told_at_once_without_a_value() -> None:
    found = errors(statementId=..., totalBalance="canary", guarantor__lastName="canary\u0007", statementDate="canary")
    assert [pointer for pointer, _ in found] == [
        "/statementId",
        "/statementDate",
        "/totalBalance",
        "/guarantor/lastName",
    ]
    assert "canary" not in repr(found)


@pytest.mark.parametrize(
    ("old", "new", "pointer"),
    [
        ('"totalBalance": "74.60"', '"totalBalance": "0", "totalBalance": "74.60"', "/totalBalance"),
        ('"email": "ada@example.com"', '"email": "a@example.com", "email": "b@example.com"', "/guarantor/email"),
        ('"city": "Albany"', '"city": "Albany", "city": "Troy"', "/guarantor/address/city"),
        ('"code": "99213"', '"code": "99213", "code": "99214"', "/patients/0/visits/0/charges/0/code"),
    ],
)
def test_a_member_that_is_there_twice_is_an_error(old: str, new: str, pointer: str) -> None:
    with pytest.raises(UnreadableStatementError) as caught:
        read_text(old, new)
    assert [(error.pointer, error.detail) for error in caught.value.errors] == [(pointer, "appears more than once")]


# --- warnings -----------------------------------------------


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("guarantor__email", "not an address"),
        ("guarantor__email", 5),
        ("guarantor__email", {"at": "example.com"}),
        ("guarantor__email", "josé@example.com"),
        ("guarantor__mobilePhone", "555-0123"),
        ("guarantor__mobilePhone", "0000000000"),
        ("guarantor__mobilePhone", []),
        ("guarantor__homePhone", "12"),
        ("guarantor__language", "fr"),
        ("guarantor__language", 1),
        ("guarantor__addressStatus", "Q"),
        ("guarantor__addressStatus", {}),
        ("patients__0__email", "bad"),
        ("patients__0__mobilePhone", "bad"),
        ("patients__0__visits__0__provider__email", "bad"),
        ("billTo", {"name": "Aunt May", "email": "bad"}),
        ("billTo", {"name": "Aunt May", "mobilePhone": "bad"}),
        ("electronicOptOut", "Q"),
        ("electronicOptOut", {}),
        ("guarantor__electronicOptOut", 7),
        ("dunningStatus", "Later"),
        ("dunningStatus", 0),
        ("dunningStatus", []),
        ("guarantor__address", ...),
        ("guarantor__address", "12 Juniper Way"),
        ("guarantor__address__line1", ...),
        ("guarantor__address__postalCode", "1220"),
        ("guarantor__address__city", 5),
    ],
)
def test_contact_data_that_cant_be_used_is_a_warning_at_its_place(path: str, value: Any) -> None:
    (pointer,) = warning_pointers(**{path: value})
    assert pointer.startswith("/" + path.replace("__", "/"))


def test_contact_data_that_cant_be_used_isnt_used() -> None:
    guarantor = read(
        guarantor__email="bad",
        guarantor__mobilePhone="bad",
        guarantor__address__city="",
        guarantor__language="fr",
        guarantor__addressStatus="?",
    ).statement.guarantor
    assert (guarantor.email, guarantor.mobile_phone, guarantor.address) == ("", "", None)
    assert (guarantor.language, guarantor.address_status) == (Language.ENGLISH, None)


@pytest.mark.parametrize("path", ["guarantor__email", "guarantor__mobilePhone", "statementDate", "dunningStatus"])
@pytest.mark.parametrize("nothing", [None, "", ...])
def test_an_optional_member_may_be_absent_null_or_empty(path: str, nothing: Any) -> None:
    assert warning_pointers(**{path: nothing}) == []


@pytest.mark.parametrize(
    ("said", "opt_outs"),
    [
        (True, OptOuts(email=True, sms=True)),
        ("true", OptOuts(email=True, sms=True)),
        ("B", OptOuts(email=True, sms=True)),
        ("E", OptOuts(email=True)),
        ("m", OptOuts(sms=True)),
        (False, None),
        (None, None),
        ("", None),
        ("never", OptOuts(email=True, sms=True)),
    ],
)
def test_an_opt_out_says_which_channels_one_that_cant_be_read_all_of_them(said: Any, opt_outs: OptOuts | None) -> None:
    assert read(electronicOptOut=said).statement.opt_outs == opt_outs
    assert read(guarantor__electronicOptOut=said).statement.opt_outs == opt_outs


def test_opt_outs_in_both_places_add_up() -> None:
    both = read(electronicOptOut="E", guarantor__electronicOptOut="M").statement.opt_outs
    assert both == OptOuts(email=True, sms=True)


@pytest.mark.parametrize("spelling", ["resetBill", "billReset"])
def test_a_reset_is_asked_for_by_either_name(spelling: str) -> None:
    assert read(**{spelling: True}).statement.reset_bill
    assert not read(**{spelling: False}).statement.reset_bill


@pytest.mark.parametrize(("said", "status"), [("PastDue", "PastDue"), ("3", "3"), (3, "3")])
def test_a_dunning_status_is_a_type_or_a_level(said: Any, status: str) -> None:
    assert read(dunningStatus=said).statement.dunning_status == status


def test_names_in_any_script_are_taken_as_they_are() -> None:
    taken = read(guarantor__firstName="  محمد ", guarantor__lastName="😀 O'Ñeill").statement.guarantor
    assert taken.name == "محمد 😀 O'Ñeill"


def test_a_language_that_isnt_named_is_told_from_one_that_is() -> None:
    assert read(guarantor__language="ES").statement.guarantor.language is Language.SPANISH
    assert read(guarantor__language="es").language_given
    assert not read(guarantor__language=...).language_given


# --- contact data -----------------------------------------------


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("+12125550123", "+12125550123"),
        ("(212) 555-0123", "+12125550123"),
        ("1-212-555-0199", "+12125550199"),
        ("+44 20 7946 0018", "+442079460018"),
        ("555-0123", None),
        ("212555012", None),
        ("112-555-0123", None),
        ("212-055-0123", None),
        ("2125550123 x5", None),
        ("+441", None),
        ("2" * 100, None),
        ("", None),
    ],
)
def test_a_phone_number_is_brought_into_one_form_or_not_used(written: str, number: str | None) -> None:
    assert contact.phone_number(written) == number


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("ada@example.com", "ada@example.com"),
        ("ada@EXAMPLE.com", "ada@example.com"),
        ("ada@clinic.test", "ada@clinic.test"),
        ("ada@exämple.com", "ada@xn--exmple-cua.com"),
        ("jos\u00e9@example.com", None),
        ("ada@localhost", None),
        ("Ada <ada@example.com>", None),
        ("a" * 300 + "@example.com", None),
        ("ada", None),
    ],
)
def test_an_email_address_is_brought_into_one_form_or_not_used(written: str, address: str | None) -> None:
    assert contact.email_address(written) == address


# --- files -----------------------------------------------


def taken_apart(body: str | bytes, size: int | None = None) -> tuple[list[RawStatement], FileSchema | None]:
    raw = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
    chunks = [raw] if size is None else [raw[at : at + size] for at in range(0, len(raw), size)]
    file = StatementFile(decoded_chunks(chunks))
    return list(file.statements()), file.schema


@pytest.mark.parametrize("name", ["lifetime", "ppay-lifetime"])
def test_a_schema_may_have_its_old_prefix(name: str) -> None:
    assert read_file(f'{{"schema":"{name}","statements":[]}}'.encode()) == (FileSchema.LIFETIME, [])


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ("{}", "/statements"),
        ('{"statements": {}}', "/statements"),
        ('{"statements": null}', "/statements"),
        ("[]", ""),
        ('{"statementId": "S-1"}', "/statements"),
        ('{"schema": "ppay-other", "statements": []}', "/schema"),
        ('{"schema": 5, "statements": []}', "/schema"),
        ('{"version": "2.0.0", "statements": []}', "/version"),
        ('{"statements": [], "statements": []}', "/statements"),
        ('{"schema": "lifetime", "schema": "episodic", "statements": []}', "/schema"),
    ],
)
def test_json_that_is_no_statement_file_is_refused_by_pointer(body: str, pointer: str) -> None:
    with pytest.raises(InvalidFileError) as caught:
        read_file(body.encode())
    assert [error.pointer for error in caught.value.errors] == [pointer]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "statements",
        "{",
        '{"statements": [}',
        '{"statements": [] ',
        '{"statements": []} {}',
        '{"statements": [],}',
        '{"statements": [{"a": 1]}',
        '{"statements": [1 2]}',
        "{'statements': []}",
        '{"statements": [' + "[" * 100_000,
        "[" * 100_000,
    ],
)
def test_what_isnt_json_is_refused(body: str) -> None:
    with pytest.raises(NotJsonError):
        read_file(body.encode())


def test_a_request_may_bring_five_hundred_statements_and_no_more() -> None:
    def body(count: int) -> bytes:
        return json.dumps({"statements": [{}] * count}).encode()

    assert len(read_file(body(500))[1]) == 500
    with pytest.raises(TooManyStatementsError):
        read_file(body(501))


@pytest.mark.parametrize("size", [1, 2, 7, 64, None])
def test_a_document_is_the_same_however_it_is_cut_into_chunks(size: int | None) -> None:
    body = '\ufeff{"x": 12, "statements": [{"statementId": "Á", "n": 1.25}, 12, null], "schema": "episodic"} '
    statements, schema = taken_apart(body, size)
    assert [raw.value for raw in statements] == [{"statementId": "Á", "n": Decimal("1.25")}, 12, None]
    assert [raw.text for raw in statements] == ['{"statementId": "Á", "n": 1.25}', "12", "null"]
    assert schema is FileSchema.EPISODIC


@pytest.mark.parametrize("size", [1, 2, 7, 64, None])
def test_ndjson_is_one_statement_a_line_and_a_bad_line_spoils_no_other(size: int | None) -> None:
    statements, schema = taken_apart('{"statementId":"A"}\n\n{"statementId":\r\n{"statementId":"C\u2028"}', size)
    assert statements[0].statement_id == "A"
    assert statements[1].error is not None
    assert statements[1].error.detail == "isn't JSON"
    assert statements[2].value == {"statementId": "C\u2028"}
    assert schema is None


def test_ndjson_may_begin_with_a_bad_line() -> None:
    statements, _ = taken_apart('{"statementId":"A"\n{"statementId":"B"}\n')
    assert [raw.statement_id for raw in statements] == [None, "B"]


@pytest.mark.parametrize(
    "bad",
    [
        '{"a":' * 100_000 + "1" + "}" * 100_000,
        '{"a":' * (MOST_DEPTH + 1) + "1" + "}" * (MOST_DEPTH + 1),
        '{"statementId": "' + "x" * MOST_STATEMENT_BYTES + '"}',
        '{"statementId": "S\ud800"}',
    ],
    ids=["bomb", "deep", "large", "no UTF-8"],
)
def test_a_statement_that_cant_be_decoded_spoils_no_other(bad: str) -> None:
    statements, _ = taken_apart(f'{{"statements": [{bad}, {{"statementId": "good"}}]}}')
    assert statements[0].error is not None
    assert statements[0].error.pointer == ""
    assert (statements[1].statement_id, statements[1].error) == ("good", None)


def test_a_nested_document_as_deep_as_allowed_is_taken() -> None:
    statements, _ = taken_apart('{"statements": [' + '{"a":' * MOST_DEPTH + "1" + "}" * MOST_DEPTH + "]}")
    assert statements[0].error is None


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/totalBalance", Decimal("74.6")),
        ("/guarantor/email", "ada@example.com"),
        ("/patients/0/accountId", "P-1"),
        ("/patients/7/accountId", None),
        ("/nothing/here", None),
        ("/a~1b", "slash"),
    ],
)
def test_a_pointer_finds_its_member_and_amounts_by_their_value(pointer: str, value: Any) -> None:
    document = DECODER.decode(json.dumps(statement() | {"a/b": "slash"}))
    assert pointed_at(document, pointer) == value


def test_the_fields_that_may_restart_aging_are_fields_of_a_statement() -> None:
    """The dunning settings list them by themselves, so that they needn't load the statement's models."""
    named = {name: {field.alias for field in body.model_fields.values()} for name, body in BODIES.items()}
    assert STATEMENT_FIELDS.keys() - {"payers"} <= named[""]
    assert {name: set(STATEMENT_FIELDS[name]) for name in ("guarantor", "billTo")} == {
        name: named[name] for name in ("guarantor", "billTo")
    }


BODIES: dict[str, type[BaseModel]] = {"": StatementBody, "guarantor": GuarantorBody, "billTo": BillToBody}
