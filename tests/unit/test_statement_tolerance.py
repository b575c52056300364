"""Statements as systems write them: what loses nothing is read, what can't be used is a warning (docs/rules.md)."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import zipcodes
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts import contact
from shared.contracts.postal_zones import THEATRES, zones_of_prefix
from shared.contracts.statements import (
    ReadStatement,
    UnreadableStatementError,
    read_payment_update,
    read_statement,
    transactions_only,
)
from shared.contracts.us_places import STATES, begins_in, state_code
from shared.domain.intake.arrival import Arrival
from shared.domain.intake.placeholders import with_true_birth_dates
from shared.domain.records.statement import Address, OptOuts
from shared.domain.vocabulary.json_documents import DECODER
from shared.domain.vocabulary.words import Language
from tests.worlds.statement_examples import payment_update, statement

BIRTH_DATE = "patients__0__dateOfBirth"


def read(**changes: Any) -> ReadStatement:
    """Read the sample statement with changes, through JSON as it comes."""
    return read_statement(DECODER.decode(json.dumps(statement(**changes))))


def told(found: ReadStatement) -> list[str]:
    return [warning.pointer for warning in found.warnings]


def fails(**changes: Any) -> list[tuple[str, str]]:
    with pytest.raises(UnreadableStatementError) as caught:
        read(**changes)
    return [(error.pointer, error.detail) for error in caught.value.errors]


def places_inside(value: Any, path: str = "") -> list[str]:
    """The path of every text in a document."""
    if isinstance(value, str):
        return [path]
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [
        found for name, member in inner for found in places_inside(member, f"{path}__{name}" if path else str(name))
    ]


# --- white space and direction -----------------------------------------------

TEXTS = [path for path in places_inside(statement(statementMessage="Thank you.")) if not path.startswith("payers")]


@pytest.mark.parametrize("path", TEXTS)
@pytest.mark.parametrize("space", ["\t", "\r", "\n", "\r\n", " ", "\N{NO-BREAK SPACE}", "\x85", "\u2028", "\v\f"])
def test_white_space_around_any_text_is_nothing(path: str, space: str) -> None:
    document: Any = statement(statementMessage="Thank you.")
    value = document
    for part in path.split("__"):
        value = value[int(part) if part.isdecimal() else part]
    padded = read(**{"statementMessage": "Thank you.", path: f"{space}{value}{space}"})
    assert padded == read(statementMessage="Thank you.")


@pytest.mark.parametrize("space", ["\t", "\r", "\n", "\r\n", "\x85", "\u2028", "\u2029", "\v", "\f", "\n\n", " \n "])
@pytest.mark.parametrize("path", ["guarantor__firstName", "locationName", "guarantor__address__line1"])
def test_white_space_that_breaks_lines_is_a_blank_inside_one(path: str, space: str) -> None:
    assert read(**{path: f"Ann{space}Lee"}) == read(**{path: "Ann Lee"})


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x85", "\u2028", "\u2029"])
def test_line_breaks_stay_in_the_message_to_the_patient(end: str) -> None:
    found = read(statementMessage=f" Call us.\t{end}{end}Thank you.{end}")
    assert found.statement.message == "Call us.\n\nThank you."
    assert found.warnings == ()


def test_a_tab_in_the_message_is_a_blank() -> None:
    assert read(statementMessage="Call us.\tThank you.").statement.message == "Call us. Thank you."


@pytest.mark.parametrize("control", ["\x00", "\x07", "\x1b", "\x1f", "\x7f", "\x81", "\x9f"])
@pytest.mark.parametrize("path", ["guarantor__firstName", "statementMessage", "guarantor__email", "statementId"])
def test_other_control_characters_fail_a_statement(path: str, control: str) -> None:
    assert fails(**{path: f"a{control}b"})[0][0] == "/" + path.replace("__", "/")


@pytest.mark.parametrize(
    "sign", ["\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u2069"]
)
@pytest.mark.parametrize(
    "path",
    ["guarantor__firstName", "patients__0__lastName", "statementMessage", "guarantor__address__city", "locationName"],
)
def test_a_sign_that_turns_the_direction_is_left_out_and_told(path: str, sign: str) -> None:
    found = read(**{path: f"A{sign}nn"})
    assert found.statement == read(**{path: "Ann"}).statement
    assert told(found) == ["/" + path.replace("__", "/")]


@pytest.mark.parametrize("path", ["guarantor__email", "guarantor__mobilePhone"])
def test_and_of_contact_data(path: str) -> None:
    clean: str = {"guarantor__email": "ada@example.com", "guarantor__mobilePhone": "518-555-0111"}[path]
    found = read(**{path: f"\u202e{clean}\u202c"})
    assert found.statement == read(**{path: clean}).statement
    assert told(found) == ["/" + path.replace("__", "/")]


def test_arabic_and_hebrew_names_keep_their_own_marks() -> None:
    name = "\N{RIGHT-TO-LEFT MARK}محمد"
    assert read(guarantor__firstName=name).statement.guarantor.first_name == name


def test_a_name_of_nothing_but_turns_is_missing() -> None:
    assert fails(guarantor__firstName="\u202e\u202c")[0][0] == "/guarantor/firstName"


def test_a_name_that_lost_a_character_is_told() -> None:
    assert told(read(guarantor__lastName="N\ufffd\ufffdez")) == ["/guarantor/lastName"]


# --- amounts -----------------------------------------------


@given(st.decimals(min_value=-99_999_999, max_value=99_999_999, places=2), st.integers(1, 30), st.booleans())
def test_decimals_that_are_zeros_lose_nothing_and_are_told(amount: Decimal, zeros: int, quoted: bool) -> None:  # noqa: FBT001 - hypothesis gives both
    text = f"{amount}{'0' * zeros}"
    raw = json.dumps(statement()).replace(
        '"totalBalance": "74.60"', f'"totalBalance": {json.dumps(text) if quoted else text}'
    )
    found = read_statement(DECODER.decode(raw))
    assert Decimal(found.statement.total_balance) / 100 == amount
    assert told(found) == ["/totalBalance"]


@pytest.mark.parametrize("value", ["12.3401", "12.00000000001", "0.001", "-0.009"])
def test_decimals_that_say_something_arent_cut_off(value: str) -> None:
    assert fails(totalBalance=value) == [("/totalBalance", "must have at most two decimals")]


# --- dates -----------------------------------------------

CLOCKS = ["00:00", "00:00:00", "00:00:00.0", "00:00:00.000", "00:00:00.0000000", "00:00:00,000"]
ZONES = [
    "",
    "Z",
    "z",
    "+00:00",
    "-00:00",
    "-05:00",
    "+0530",
    "+00",
    " +00:00",
    " UTC",
    "-05:00[America/New_York]",
    "Z[UTC]",
]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("between", ["T", "t", " "])
def test_a_midnight_is_its_day_and_told(between: str, clock: str, zone: str) -> None:
    found = read(**{BIRTH_DATE: f"1980-03-05{between}{clock}{zone}"})
    assert found.statement.patients[0].date_of_birth == date(1980, 3, 5)
    assert told(found) == ["/patients/0/dateOfBirth"]


def test_a_midnight_is_read_wherever_a_date_stands() -> None:
    midnight = "2026-02-03T00:00:00.000Z"
    places = ["statementDate", "patients__0__visits__0__date", "patients__0__visits__0__charges__0__date"]
    found = read(**dict.fromkeys(places, midnight))
    assert sorted(told(found)) == sorted("/" + place.replace("__", "/") for place in places)
    update = payment_update({"transactionId": "T-1", "transactionDate": midnight, "transactionAmt": "5.0000"})
    read_update = read_payment_update(DECODER.decode(json.dumps(update)))
    assert [(each.transaction_date, each.amount) for each in read_update.update.transactions] == [
        (date(2026, 2, 3), 500)
    ]
    assert len(read_update.warnings) == 2


@pytest.mark.parametrize(
    "written",
    [
        "1980-03-05T05:00:00Z",
        "1980-03-05T00:00:01",
        "1980-03-05T00:00:00.001",
        "1980-03-05T24:00:00",
        "03/05/1980",
        "1980-3-5",
    ],
)
def test_what_isnt_a_midnight_or_may_be_two_days_isnt_guessed(written: str) -> None:
    assert fails(**{BIRTH_DATE: written})[0][0] == "/patients/0/dateOfBirth"


NO_DATES = [
    "0001-01-01",
    "0000-00-00",
    "0000-00-00 00:00:00",
    "00/00/0000",
    "00000000",
    "0",
    "1753-01-01",
    "1753-01-01T00:00:00",
]
NO_DATES += [
    "1899-12-30",
    "1899-12-31",
    "1900-01-01",
    "1900-01-01T00:00:00.000Z",
    "9999-12-31",
    "9999-12-31T00:00:00Z",
    "9999-99-99",
]
NO_DATES += ["  ", "\t", "N/A", "n.a.", "none", "NULL", "Unknown", "UNK", "not known", "-", "--", "?", "1111-11-11"]


@pytest.mark.parametrize("written", NO_DATES)
@pytest.mark.parametrize("path", ["guarantor__dateOfBirth", BIRTH_DATE, "statementDate"])
def test_what_is_written_for_no_date_is_unknown_and_told(path: str, written: str) -> None:
    found = read(**{path: written})
    assert found.statement == read(**{path: None}).statement
    assert told(found) == ["/" + path.replace("__", "/")]


def test_a_date_that_must_be_there_has_no_placeholder() -> None:
    assert fails(patients__0__visits__0__date="0001-01-01")[0][0] == "/patients/0/visits/0/date"


TODAY = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("born", "known"),
    [
        ("2026-03-02", True),
        ("2026-03-03", False),
        ("2062-01-01", False),
        ("1906-03-02", True),
        ("1906-03-01", False),
        ("1901-05-05", False),
    ],
)
def test_a_birth_date_in_the_future_or_over_120_years_ago_is_unknown_and_told(born: str, *, known: bool) -> None:
    changes = {BIRTH_DATE: born, "guarantor__dateOfBirth": born}
    arrival = with_true_birth_dates(Arrival(statement=read(**changes).statement, document=b"{}"), TODAY)
    day = date.fromisoformat(born) if known else None
    assert (arrival.statement.guarantor.date_of_birth, arrival.statement.patients[0].date_of_birth) == (day, day)
    pointers = [] if known else ["/guarantor/dateOfBirth", "/patients/0/dateOfBirth"]
    assert [warning.pointer for warning in arrival.warnings] == pointers


# --- yes and no -----------------------------------------------

YES = ["Y", "y", "yes", "YES", " Yes ", "1", 1, "T", "t", "on"]
NO = ["N", "n", "No", "NO", "no\r", "0", 0, "F", "f", "off"]


@pytest.mark.parametrize(("written", "means"), [*((each, True) for each in YES), *((each, False) for each in NO)])
def test_yes_and_no_are_read_alike_for_resets_and_opt_outs_and_told(written: Any, *, means: bool) -> None:
    reset = read(resetBill=written)
    assert reset.statement.reset_bill is means
    assert told(reset) == ["/resetBill"]
    opted = read(electronicOptOut=written)
    assert opted.statement.opt_outs == (OptOuts(email=True, sms=True) if means else None)
    assert told(opted) == ["/electronicOptOut"]
    assert transactions_only({"partnerTransactionsOnly": written}) is means


@pytest.mark.parametrize(
    ("written", "means"), [(True, True), (False, False), ("true", True), ("FALSE", False), (None, False)]
)
def test_json_itself_in_quotes_or_not_needs_no_word(written: Any, *, means: bool) -> None:
    assert read(resetBill=written).statement.reset_bill is means
    assert read(electronicOptOut=written).statement.opt_outs == (OptOuts(email=True, sms=True) if means else None)
    assert read(resetBill=written, electronicOptOut=written).warnings == ()


@pytest.mark.parametrize("blank", ["", " ", "\t"])
def test_a_blank_is_absent(blank: str) -> None:
    found = read(resetBill=blank, electronicOptOut=blank, guarantor__electronicOptOut=blank)
    assert found.statement == read().statement
    assert found.warnings == ()


def test_a_reset_by_its_other_name_is_read_the_same() -> None:
    found = read(billReset="Y")
    assert found.statement.reset_bill
    assert found.warnings


@pytest.mark.parametrize("word", ["Q", "perhaps", "X", 7, 0.5, {}, ["E"]])
def test_any_other_word_opts_out_and_resets_nothing(word: Any) -> None:
    found = read(electronicOptOut=word)
    assert found.statement.opt_outs == OptOuts(email=True, sms=True)
    assert told(found) == ["/electronicOptOut"]
    assert fails(resetBill=word) == [("/resetBill", "must be true or false")]


# --- empty parts -----------------------------------------------

EMPTY = [
    "",
    "  ",
    {},
    [],
    {"name": ""},
    {"name": None},
    {"name": " ", "email": "", "id": "", "mobilePhone": None},
    {"x": [{}]},
]


@pytest.mark.parametrize("empty", EMPTY)
@pytest.mark.parametrize("path", ["billTo", "patients__0__visits__0__provider"])
def test_an_empty_optional_part_is_absent_and_told(path: str, empty: Any) -> None:
    found = read(**{path: empty})
    assert found.statement == read(**{path: None}).statement
    assert told(found) == ["/" + path.replace("__", "/")]


@pytest.mark.parametrize("path", ["billTo", "patients__0__visits__0__provider"])
def test_a_part_that_is_for_a_name_is_absent_without_one(path: str) -> None:
    found = read(**{path: {"id": "7", "email": "may@example.com", "name": ""}})
    assert found.statement == read(**{path: None}).statement
    assert [(warning.pointer, warning.detail) for warning in found.warnings] == [
        ("/" + path.replace("__", "/"), "has no name; taken as absent")
    ]


@pytest.mark.parametrize("empty", ["", {}, [], " "])
@pytest.mark.parametrize("path", ["patients__0__visits", "patients__0__visits__0__charges"])
def test_an_empty_list_may_be_written_in_any_way(path: str, empty: Any) -> None:
    assert read(**{path: empty}).statement == read(**{path: []}).statement


@pytest.mark.parametrize("empty", [{}, "", {"date": "", "charges": []}, None])
def test_an_empty_entry_of_a_list_is_left_out(empty: Any) -> None:
    visit = statement()["patients"][0]["visits"][0]
    assert read(patients__0__visits=[empty, visit]).statement == read(patients__0__visits=[visit]).statement
    charges = visit["charges"]
    found = read(patients__0__visits__0__charges=[*charges, empty])
    assert found.statement == read().statement


@pytest.mark.parametrize("empty", ["", {}, [], None])
@pytest.mark.parametrize("path", ["guarantor", "patients"])
def test_what_must_be_there_may_not_be_empty(path: str, empty: Any) -> None:
    assert fails(**{path: empty})[0][0].startswith(f"/{path}")


def test_errors_and_mends_of_one_statement_are_told_apart() -> None:
    """One that fails tells what failed it; what would have been mended is no error."""
    found = fails(resetBill="Y", statementDate="1980-03-05T00:00:00", totalBilled="12.345", billTo={})
    assert [pointer for pointer, _ in found] == ["/totalBilled"]


def test_what_cant_be_used_is_told_before_what_was_mended() -> None:
    charge = statement()["patients"][0]["visits"][0]["charges"][0] | {"date": "2026-02-03T00:00:00"}
    found = read(patients__0__visits__0__charges=[charge] * 80, guarantor__email="none")
    assert told(found)[0] == "/guarantor/email"
    assert len(found.warnings) == 50


# --- contact data -----------------------------------------------


@pytest.mark.parametrize(
    "written",
    [
        "ada@example.com; ben@example.com",
        "ada@example.com, ben@example.com",
        "ada@example.com,ben@example.com",
        "ada@example.com ben@example.com",
        "ada@example.com / ben@example.com",
        "ada@example.com/ben@example.com",
        "ada@example.com|ben@example.com",
        "ada@example.com\r\nben@example.com",
        "Ada Example <ada@example.com>",
        '"Example, Ada" <ada@example.com>; Ben <ben@example.com>',
        "<ada@example.com>",
        "ada@example.com.",
        "ada@example.com;",
        "mailto:ada@example.com",
        "mailto:ada@example.com?subject=Bill",
        "E-mail: ada@example.com",
        "ada@example.com (home)",
    ],
)
def test_the_first_address_of_an_email_field_is_used_and_told(written: str) -> None:
    found = read(guarantor__email=written)
    assert found.statement.guarantor.email == "ada@example.com"
    assert told(found) == ["/guarantor/email"]
    assert found.unusable == frozenset()


@pytest.mark.parametrize(
    "written",
    [
        "none",
        "n/a",
        "@example.com",
        "ada@",
        "ada@@example.com",
        "ada@example.com@example.org",
        "ada@nowhere; ben@example.com",
        "a..b@example.com",
        "with blank@example.com",
        "Ada Example ada@example.com",
    ],
)
def test_an_email_field_without_a_usable_first_address_isnt_used(written: str) -> None:
    found = read(guarantor__email=written)
    assert found.statement.guarantor.email == ""
    assert told(found) == ["/guarantor/email"]
    assert found.unusable == {"/guarantor/email"}


@given(st.text(max_size=60))
def test_whatever_stands_in_an_email_field_is_read_without_fault(written: str) -> None:
    found = contact.first_email_address(written)
    assert found is None or found == contact.email_address(found)


PLACEHOLDER_PHONES = [str(digit) * 10 for digit in range(2, 10)]
PLACEHOLDER_PHONES += [
    f"{code}-555-0123"
    for code in (
        "555",
        "800",
        "833",
        "844",
        "855",
        "866",
        "877",
        "888",
        "900",
        "700",
        "500",
        "999",
        "911",
        "411",
        "295",
        "710",
    )
]


@pytest.mark.parametrize("written", PLACEHOLDER_PHONES)
@pytest.mark.parametrize("path", ["guarantor__mobilePhone", "guarantor__homePhone", "patients__0__mobilePhone"])
def test_a_number_that_is_nobodys_is_unknown_and_told(path: str, written: str) -> None:
    found = read(**{path: written})
    assert found.statement == read(**{path: None}).statement
    assert (told(found), found.unusable) == (["/" + path.replace("__", "/")], frozenset())


@pytest.mark.parametrize(
    "written", ["518-555-0123", "+1 (212) 555-0199", "551-555-0100", "989-555-0100", "2025550123", "+442079460018"]
)
def test_a_made_up_number_of_a_real_area_code_is_a_number(written: str) -> None:
    assert read(guarantor__mobilePhone=written).warnings == ()


@pytest.mark.parametrize(
    ("written", "language"),
    [
        *(
            (each, Language.SPANISH)
            for each in (
                "Spanish",
                "SPANISH",
                "español",
                "Espanol",
                "es-MX",
                "es_419",
                "ES-us",
                "spa",
                "esp",
                "Castellano",
                "Spanish (Mexico)",
                "Spanish; Castilian",
                "Español - Latinoamérica",
            )
        ),
        *(
            (each, Language.ENGLISH)
            for each in ("English", "eng", "en-US", "EN_gb", "Inglés", "English (United States)")
        ),
    ],
)
def test_a_language_is_read_by_name_or_region_and_told(written: str, language: Language) -> None:
    found = read(guarantor__language=written)
    assert (found.statement.guarantor.language, found.language_given) == (language, True)
    assert told(found) == ["/guarantor/language"]


@pytest.mark.parametrize("written", ["es", "EN", " es\t"])
def test_a_languages_code_needs_no_word(written: str) -> None:
    assert read(guarantor__language=written).warnings == ()


@pytest.mark.parametrize("written", ["estonian", "eskimo", "fr", "French", "zz", "s", ""])
def test_another_language_isnt_taken_for_ours(written: str) -> None:
    assert read(guarantor__language=written).statement.guarantor.language is Language.ENGLISH


# --- places -----------------------------------------------

US: list[dict[str, str]] = zipcodes.list_all()  # type: ignore[no-untyped-call] # it ships no types
BEGIN_WITH_ZERO = sorted({(place["zip_code"][:3], place["state"]) for place in US if place["zip_code"].startswith("0")})


@pytest.mark.parametrize("as_number", [True, False])
@pytest.mark.parametrize(("prefix", "state"), BEGIN_WITH_ZERO)
def test_a_zip_code_gets_its_lost_zeros_back_where_the_state_agrees(
    prefix: str, state: str, *, as_number: bool
) -> None:
    code = f"{prefix}34"
    lost: Any = int(code) if as_number else code.lstrip("0")
    found = read(guarantor__address__state=state, guarantor__address__postalCode=lost)
    assert found.statement.guarantor.address is not None
    assert found.statement.guarantor.address.postal_code == code
    assert told(found) == ["/guarantor/address/postalCode"]
    elsewhere = read(guarantor__address__state="CA", guarantor__address__postalCode=lost)
    assert elsewhere.statement.guarantor.address is None


@pytest.mark.parametrize(("written", "code"), [("2134-1234", "02134-1234"), (21341234, "02134-1234"), (2134, "02134")])
def test_and_so_does_a_longer_one(written: Any, code: str) -> None:
    found = read(guarantor__address__state="Massachusetts", guarantor__address__postalCode=written)
    assert found.statement.guarantor.address is not None
    assert found.statement.guarantor.address.postal_code == code


def test_only_states_whose_codes_begin_with_a_zero_get_one_back() -> None:
    with_zeros = {state for _, state in BEGIN_WITH_ZERO}
    assert {state for state in STATES if any(begins_in(f"{n:03d}00", state) for n in range(100))} == with_zeros


@pytest.mark.parametrize("written", ["NY", "ny", "N.Y.", "New York", "NEW  YORK"])
def test_a_state_is_known_by_its_letters_or_name(written: str) -> None:
    assert state_code(written) == "NY"
    assert read(guarantor__address__state=written).warnings == ()


@pytest.mark.parametrize(
    ("written", "code"), [("Calif.", "CA"), ("W.Va.", "WV"), ("Mass", "MA"), ("Puerto Rico", "PR"), ("D.C.", "DC")]
)
def test_a_state_may_be_shortened_as_it_used_to_be(written: str, code: str) -> None:
    assert state_code(written) == code


@pytest.mark.parametrize(
    "country", ["US", "usa", "U.S.A.", "United States", "United States of America", "PR", 840, "", None]
)
def test_an_address_here_may_say_so(country: Any) -> None:
    assert read(guarantor__address__country=country).warnings == ()


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"country": "MX"}, "country"),
        ({"country": "Canada"}, "country"),
        ({"country": "México", "state": "CO", "postalCode": "80200"}, "country"),
        ({"state": "CDMX"}, "state"),
        ({"state": "ON"}, "state"),
        ({"state": "Jalisco", "postalCode": "44100"}, "state"),
        ({"state": "N/A"}, "state"),
        ({"postalCode": "K1A 0A9"}, "postalCode"),
        ({"postalCode": "SW1A 1AA"}, "postalCode"),
    ],
)
def test_an_address_elsewhere_isnt_taken_for_one_here(changes: dict[str, str], pointer: str) -> None:
    found = read(**{f"guarantor__address__{name}": value for name, value in changes.items()})
    assert found.statement.guarantor.address is None
    assert told(found) == [f"/guarantor/address/{pointer}"]
    assert "/guarantor/address" in found.unusable


# --- time zones -----------------------------------------------


def address(postal_code: str, state: str = "NY") -> Address:
    return Address(line1="1 Elm Street", city="Albany", state=state, postal_code=postal_code)


def test_time_zones_come_from_the_postal_code_and_the_mobile_number() -> None:
    assert contact.time_zones(address("12207"), "+15185550111") == ("America/New_York",)
    assert contact.time_zones(address("12207"), "+16025550123") == ("America/New_York", "America/Phoenix")
    assert contact.time_zones(None, "+16025550123") == ("America/Phoenix",)
    assert contact.time_zones(None, "") == ()


def test_the_zones_of_every_postal_code_are_in_the_table() -> None:
    known = [place for place in US if "/" in place["timezone"]]
    assert len(known) > 40_000
    wrong = {place["zip_code"] for place in known if place["timezone"] not in zones_of_prefix(place["zip_code"])}
    assert not wrong


def test_a_prefix_that_no_postal_code_begins_with_has_no_zone() -> None:
    used = {place["zip_code"][:3] for place in US}
    unused = {f"{number:03d}" for number in range(1000)} - used
    assert unused
    assert {prefix for prefix in unused if zones_of_prefix(prefix)} == set()
    assert {prefix for prefix in used if not zones_of_prefix(prefix)} == set()


MILITARY = sorted({(place["zip_code"][:3], place["state"]) for place in US if place["zip_code_type"] == "MILITARY"})


@pytest.mark.parametrize(("prefix", "theatre"), MILITARY)
def test_a_military_address_has_its_theatres_zones_whatever_the_number(prefix: str, theatre: str) -> None:
    zones = contact.time_zones(address(f"{prefix}01", theatre), "+15185550111")
    assert set(THEATRES[theatre]) <= set(zones)
    assert prefix == "099" or "America/New_York" not in zones
    assert set(THEATRES[theatre]) <= set(contact.time_zones(address("12207", theatre), "+15185550111"))
    assert prefix == "099" or contact.time_zones(address(f"{prefix}01", "NY"), "+15185550111") == zones
