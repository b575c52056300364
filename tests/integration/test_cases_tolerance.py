"""Input as practices' systems write it: what loses nothing is read, what can't be used is a warning, nothing is silent.

Each test plays one case of tests/cases, and says its name.
"""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from http import HTTPStatus
from secrets import token_bytes
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest

from functions.manage.ports import ports as manage_ports
from shared.domain.paying.link_access import AccessQuestion, AnswerOutcome, question, verify
from shared.domain.paying.link_secrets import new_payment_link
from shared.domain.records.statement import NOTHING_OPTED_OUT
from shared.domain.vocabulary.words import Channel, NoticeStatus
from tests.worlds.aws import TABLE
from tests.worlds.cases import CASES, CasePractice, case, pointers
from tests.worlds.examples import NOW
from tests.worlds.ingest_api import Partner
from tests.worlds.manage_api import ORGANIZATION, OWN
from tests.worlds.statement_examples import statement
from tests.worlds.wiring import wired

BIRTH_DATE = "/patients/0/dateOfBirth"


def plain(account_id: str = "G-1", **changes: Any) -> dict[str, Any]:
    return statement(f"S-{account_id}", guarantor__guarantorId=account_id, **changes)


# --- dates and amounts ------------------------------------------------------------------------------------------


def test_case_15_a_placeholder_for_a_birth_date_is_unknown_and_told(practice: CasePractice) -> None:
    (given,) = case("15").statements()
    row = practice.takes(given)
    assert (row["result"], pointers(row)) == ("Created", [BIRTH_DATE])
    (bill,) = practice.book("G-1").bills
    assert bill.birth_dates == ()
    assert practice.account("G-1").guarantor.date_of_birth == date.fromisoformat(case("15").inputs["answer"])


def test_case_17_where_only_the_guarantors_birth_date_is_known_the_page_asks_for_it(practice: CasePractice) -> None:
    (given,) = case("17").statements()
    assert practice.takes(given)["result"] == "Created"
    book = practice.book("G-1")
    issued = new_payment_link(org_id="org_1", account_id="G-1", now=NOW, lives=timedelta(days=1), random=token_bytes)
    assert question(book, issued.link) is AccessQuestion.HOLDERS_BIRTH_DATE
    judged = verify(book, issued.link, date(1970, 2, 3), NOW, token_bytes)
    assert judged.outcome is AnswerOutcome.RIGHT


def test_case_18_what_systems_write_for_no_date_is_a_warning(practice: CasePractice) -> None:
    for _, value, given in case("18").variants():
        row = practice.takes(given)
        assert (row["result"], pointers(row)) == ("Created", [BIRTH_DATE]), value
        assert practice.book(given["guarantor"]["guarantorId"]).bills[0].birth_dates == ()


def test_case_19_a_midnight_is_its_day_and_told(practice: CasePractice) -> None:
    for _, value, given in case("19").variants():
        row = practice.takes(given)
        assert (row["result"], pointers(row)) == ("Created", [BIRTH_DATE]), value
        assert practice.book(given["guarantor"]["guarantorId"]).bills[0].birth_dates == (date(1980, 3, 5),)


def test_case_21_decimals_that_are_zeros_lose_nothing(practice: CasePractice) -> None:
    for member, value, given in case("21").variants():
        row = practice.takes(given)
        assert (row["result"], len(row["warnings"])) == ("Created", 1), value
        if member == "totalBalance":
            assert practice.book(given["guarantor"]["guarantorId"]).bills[0].balance == 12_34


# --- texts ------------------------------------------------------------------------------------------------------


def test_case_24_line_breaks_stay_in_the_statements_message(practice: CasePractice) -> None:
    rows = [practice.takes(given) for _, _, given in case("24").variants()]
    assert [(row["result"], row["warnings"]) for row in rows] == [("Created", [])] * 3


def test_case_26_white_space_around_contact_data_is_nothing_worth_telling(practice: CasePractice) -> None:
    for member, value, given in case("26").variants():
        row = practice.takes(given)
        assert (row["result"], row["warnings"]) == ("Created", []), value
        guarantor = practice.account_of(given).guarantor
        found = guarantor.email if member == "email" else guarantor.mobile_phone
        assert found == ("ada@example.com" if member == "email" else "+15185550142")


def test_case_35_bytes_that_arent_utf_8_are_refused_by_request_and_fail_alone_in_a_file(
    practice: CasePractice,
) -> None:
    names = case("35").inputs
    latin = plain(guarantor__firstName=names["firstName"], guarantor__lastName=names["lastName"])
    text = json.dumps({"statements": [latin, plain("G-2")]}, ensure_ascii=False)
    reply = Partner().post_bytes("/v1/statements", text.encode(names["encoding"]))
    assert (reply.status, reply.body["detail"]) == (HTTPStatus.BAD_REQUEST, "The body isn't UTF-8.")
    ingestion = practice.drop(text.encode(names["encoding"]))
    assert [(row["result"], [e["detail"] for e in row["errors"]]) for row in ingestion["rows"]] == [
        ("Failed", ["isn't UTF-8"]),
        ("Created", []),
    ]


def test_case_36_an_override_of_the_direction_is_left_out_and_told(practice: CasePractice) -> None:
    ((_, _, given),) = case("36").variants()
    row = practice.takes(given)
    assert (row["result"], pointers(row)) == ("Created", ["/guarantor/firstName"])
    assert practice.account_of(given).guarantor.first_name == "Ada"


def test_case_71_entities_of_a_web_form_are_a_name_as_it_came(practice: CasePractice) -> None:
    """Nothing is guessed: a name may hold an ampersand, and what is shown is escaped where it is shown."""
    inputs = case("71").inputs
    row = practice.takes(plain(guarantor__firstName=inputs["firstName"], guarantor__lastName=inputs["lastName"]))
    assert (row["result"], row["warnings"]) == ("Created", [])
    assert practice.account("G-1").guarantor.name == "O&#39;Brien Smith &amp; Sons"


# --- contact data -----------------------------------------------------------------------------------------------


def test_case_27_the_first_of_two_addresses_is_used(practice: CasePractice) -> None:
    for _, value, given in case("27").variants():
        row = practice.takes(given)
        assert (row["result"], pointers(row)) == ("Created", ["/guarantor/email"]), value
        assert practice.account_of(given).guarantor.email == "ada@example.com"


def test_case_42_no_text_goes_to_a_number_that_is_nobodys(practice: CasePractice) -> None:
    for _, value, given in case("42").variants():
        row = practice.takes(given)
        assert (row["result"], pointers(row)) == ("Created", ["/guarantor/mobilePhone"]), value
        assert practice.account_of(given).guarantor.mobile_phone == ""
    practice.plan()
    for _, value, given in case("42").variants():
        assert practice.notices(given["guarantor"]["guarantorId"])[Channel.SMS].status is NoticeStatus.WILL_NOT_SEND, (
            value
        )


def test_case_44_an_international_domain_is_used_in_its_ascii_form(practice: CasePractice) -> None:
    (_, _, domain), (_, _, local_part) = case("44").variants()
    assert practice.takes(domain)["warnings"] == []
    assert practice.account_of(domain).guarantor.email == "ada@xn--bcher-kva.example"
    assert pointers(practice.takes(local_part)) == ["/guarantor/email"]
    assert practice.account_of(local_part).guarantor.email == ""


def test_case_70_a_language_is_read_by_its_name_or_region(practice: CasePractice) -> None:
    """The case wants no warning; the rule that was made of it tells all that is mended."""
    spoken = []
    for _, _, given in case("70").variants():
        assert pointers(practice.takes(given)) == ["/guarantor/language"]
        spoken.append(practice.account_of(given).guarantor.language)
    assert spoken == ["es", "es", "es", "en"]


# --- yes and no, and what is empty ------------------------------------------------------------------------------


def test_case_29_an_empty_optional_part_is_absent(practice: CasePractice) -> None:
    for member, value, given in case("29").variants():
        row = practice.takes(given)
        assert row["result"] == "Created", (member, value)
        assert practice.account_of(given).bill_to is None


def test_case_30_no_is_no_opt_out(practice: CasePractice) -> None:
    for _, value, given in case("30").variants():
        row = practice.takes(given)
        assert (row["result"], pointers(row)) == ("Created", ["/electronicOptOut"]), value
        assert practice.account_of(given).opt_outs == NOTHING_OPTED_OUT


# --- where people are -------------------------------------------------------------------------------------------


def test_case_13_a_military_address_is_texted_by_its_theatres_day(practice: CasePractice) -> None:
    """November 30 is a Monday; the text may be planned for it or a later day."""
    (given,) = case("13").statements()
    day = date.fromisoformat(case("13").inputs["day"])
    arrived = datetime.combine(day, time(12), UTC)
    practice.takes(given, at=arrived)
    practice.plan(arrived)
    text = practice.notices("G-1")[Channel.SMS]
    assert text.status is NoticeStatus.SCHEDULED
    for zone in ("Europe/Athens", "Europe/Berlin", "Europe/London"):
        assert time(8) <= text.scheduled_for.astimezone(ZoneInfo(zone)).time() < time(21)


@pytest.mark.parametrize("number", ["38", "39"])
def test_cases_38_and_39_an_address_abroad_isnt_taken_for_one_here(number: str, practice: CasePractice) -> None:
    ((_, _, given),) = case(number).variants()
    row = practice.takes(given)
    assert row["result"] == "Created"
    assert row["warnings"]
    assert {pointer.rpartition("/")[0] for pointer in pointers(row)} == {"/guarantor/address"}
    account = practice.account_of(given)
    assert account.guarantor.address is None
    assert account.time_zones == ("America/New_York",)  # the number's alone
    practice.plan()
    assert practice.notices(account.account_id)[Channel.PRINT].status is NoticeStatus.WILL_NOT_SEND


def test_case_40_a_zip_code_gets_its_lost_zero_back_where_the_state_agrees(practice: CasePractice) -> None:
    inputs = case("40").inputs
    for number, code in enumerate(inputs["postalCode"]):
        place = {"guarantor__address__state": inputs["state"], "guarantor__address__postalCode": code}
        row = practice.takes(plain(f"G-{number}", **place))
        assert (row["result"], pointers(row)) == ("Created", ["/guarantor/address/postalCode"])
        address = practice.account(f"G-{number}").guarantor.address
        assert address is not None
        assert address.postal_code == "02134"


def test_case_58_where_no_hour_is_common_no_text_goes_and_it_says_why(practice: CasePractice) -> None:
    inputs = case("58").inputs
    practice.takes(plain(guarantor__address=inputs["address"], guarantor__mobilePhone=inputs["mobilePhone"]))
    practice.plan()
    text = practice.notices("G-1")[Channel.SMS]
    assert text.status is NoticeStatus.WILL_NOT_SEND
    assert "hour" in text.reason


# --- files ------------------------------------------------------------------------------------------------------


def lines(*statements: Any) -> bytes:
    return b"\n".join(each if isinstance(each, bytes) else json.dumps(each).encode() for each in statements)


@pytest.mark.parametrize("turned", [False, True])
def test_case_23_a_bad_line_fails_alone_wherever_it_stands(turned: bool, practice: CasePractice) -> None:  # noqa: FBT001 - a parameter
    given = case("23").inputs["lines"]
    ingestion = practice.drop(lines(*(reversed(given) if turned else given)))
    assert (ingestion["status"], ingestion["counts"]["created"], ingestion["counts"]["failed"]) == ("Success", 1, 1)


FORMS: dict[str, tuple[Callable[[str], bytes], str]] = {
    "utf-16": (lambda text: text.encode("utf-16"), "line 1, column 1. It looks like UTF-16 text."),
    "gzip": (lambda text: b"\x1f\x8b\x08\x00" + text.encode(), "line 1, column 1. It looks like a gzip archive."),
    "trailing comma": (lambda text: (text[:-2] + ",]}").encode(), "line 1, column"),
    "concatenated": (lambda text: (text + "\n" + text).encode(), "line 2, column 1. It looks like several documents"),
    "top-level array": (
        lambda text: text[text.index("[") : -1].encode(),
        "must be an object with a list of statements",
    ),
}


def test_case_59_a_file_of_another_form_is_refused_with_its_place_and_kind(practice: CasePractice) -> None:
    text = json.dumps({"statements": [plain("G-1"), plain("G-2")]})
    assert set(case("59").values("forms")) == set(FORMS)
    for form, (made, told) in FORMS.items():
        ingestion = practice.drop(made(text), f"{form}.json")
        assert (ingestion["status"], ingestion["rows"]) == ("Failed", []), form
        assert told in ingestion["problem"], form
        reply = Partner().post_bytes("/v1/statements", made(text))
        assert reply.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}, form


def test_case_59_and_what_was_taken_is_taken_still(practice: CasePractice) -> None:
    """A byte order mark, Windows' line ends, blank lines, a last line that is cut off, Latin-1 in one line."""
    latin = json.dumps(plain("G-5", guarantor__lastName="Núñez"), ensure_ascii=False).encode("latin-1")
    good = [json.dumps(plain(f"G-{n}")).encode() for n in range(3)]
    body = b"\xef\xbb\xbf" + b"\r\n\r\n".join([*good, latin, good[0][:-5]])
    ingestion = practice.drop(body)
    assert [row["result"] for row in ingestion["rows"]] == ["Created"] * 3 + ["Failed"] * 2


def test_case_62_an_id_is_readable_by_the_api_or_refused_with_its_pointer(
    practice: CasePractice, monkeypatch: pytest.MonkeyPatch
) -> None:
    wired(monkeypatch, manage_ports, TABLE_NAME=TABLE, ALLOW_SIMULATED_TIME="true")
    slash, percent = case("62").values("statementId")
    refused = practice.takes(statement(slash))
    assert (refused["result"], [error["pointer"] for error in refused["errors"]]) == ("Failed", ["/statementId"])
    (account_id,) = case("62").values("guarantorId")
    refused = practice.takes(statement("S-2", guarantor__guarantorId=account_id))
    assert [error["pointer"] for error in refused["errors"]] == ["/guarantor/guarantorId"]
    assert practice.takes(statement(percent))["result"] == "Created"
    found = OWN.get(f"{ORGANIZATION}/bills/{quote(percent, safe='')}")
    assert (found.status, found.body["statementId"]) == (200, percent)


def test_every_case_that_is_here_is_played_by_a_test() -> None:
    """Whoever adds a case adds its test, which names the case by its number."""
    tests = "\n".join(path.read_text() for path in (CASES.parent / "integration").glob("test_*.py"))
    assert [path.name for path in sorted(CASES.glob("*.json")) if f'"{path.name[:2]}"' not in tests] == []
