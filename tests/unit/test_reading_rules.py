"""The tables under "Reading what partners send" in docs/rules.md, each row played."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.contracts.statements import ReadStatement, read_statement
from shared.domain.vocabulary.json_documents import DECODER
from shared.domain.vocabulary.money import dollars
from tests.worlds.statement_examples import statement

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "rules.md"
SECTION = "## Reading what partners send"
ROW = re.compile(r"\| `(/[^`]*)` \| `([^`]*)` \| (?:`([^`]*)`|\u2013) \| (yes|no) \|")


def rows() -> Iterator[tuple[str, str, str, bool]]:
    text = DOCUMENT.read_text().split(SECTION, 1)[1].split("\n## ", 1)[0]
    for member, written, value, is_told in ROW.findall(text):
        yield member, written, value, is_told == "yes"


def shown(member: str, found: ReadStatement) -> str:
    """A member's value as the tables write it; "" for none."""
    taken, guarantor = found.statement, found.statement.guarantor
    address, opt_outs = guarantor.address, taken.opt_outs
    values: dict[str, Any] = {
        "/statementId": taken.statement_id,
        "/statementDate": taken.statement_date,
        "/statementMessage": taken.message.replace("\n", "\\n"),
        "/totalBalance": dollars(taken.total_balance),
        "/resetBill": str(taken.reset_bill).lower(),
        "/electronicOptOut": ", ".join(name for name in ("email", "sms") if opt_outs and getattr(opt_outs, name)),
        "/billTo": taken.bill_to and taken.bill_to.name,
        "/guarantor/firstName": guarantor.first_name,
        "/guarantor/lastName": guarantor.last_name,
        "/guarantor/dateOfBirth": guarantor.date_of_birth,
        "/guarantor/email": guarantor.email,
        "/guarantor/mobilePhone": guarantor.mobile_phone,
        "/guarantor/language": guarantor.language,
        "/guarantor/address/state": address and address.state,
        "/guarantor/address/country": address and "here",
        "/guarantor/address/postalCode": address and address.postal_code,
    }
    return str(values[member] or "")


@pytest.mark.parametrize(("member", "written", "value", "is_told"), list(rows()))
def test_a_row_is_what_is_read(member: str, written: str, value: str, *, is_told: bool) -> None:
    text = json.dumps(statement(**{member[1:].replace("/", "__"): "WRITTEN"})).replace('"WRITTEN"', written)
    found = read_statement(DECODER.decode(text))
    absent = "false" if member == "/resetBill" else ""
    assert shown(member, found) == (value or absent)
    assert [warning.pointer for warning in found.warnings] == ([member] if is_told else [])


def test_there_are_rows() -> None:
    written = DOCUMENT.read_text().split(SECTION, 1)[1].split("\n## ", 1)[0].count("\n| `/")
    assert len(list(rows())) == written > 30
