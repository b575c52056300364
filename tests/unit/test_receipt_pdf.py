"""The receipt as PDF: what stands on it, whoever paid whatever."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import outloud
import pymupdf
import pytest

from functions.render_print.receipt_pdf import ReceiptLine, ReceiptPage, render_receipt
from functions.render_print.statement_page import LetterPractice
from shared.contracts.patient_documents import DocumentOrder
from shared.domain.vocabulary.words import Language

EVENTS = Path(__file__).parents[2] / "events"
PRACTICE = LetterPractice(
    name="Northside Family Practice", address_lines=("12 Juniper Way", "Albany, NY 12207"), phone="(518) 555-0100"
)


def page(**changes: Any) -> ReceiptPage:
    known: dict[str, Any] = {
        "language": Language.ENGLISH,
        "practice": PRACTICE,
        "account_number": "G-1",
        "printed_on": date(2026, 3, 5),
        "paid_on": date(2026, 3, 2),
        "reference": "CHK-1",
        "method": "check",
        "amount": 25_00,
        "lines": (ReceiptLine("S-1", "Ben Example", 20_00), ReceiptLine("S-2", "", 5_00)),
        "credit": 0,
        "left": 54_60,
    }
    return ReceiptPage(**(known | changes))


def text(pdf: bytes) -> str:
    with pymupdf.open(stream=pdf) as document:  # type: ignore[no-untyped-call] # untyped library
        return " ".join("".join(sheet.get_text() for sheet in document).split())


@pytest.mark.parametrize(
    ("language", "told"),
    [
        (Language.ENGLISH, ["Receipt", "Received on March 2, 2026", "Paid by Check", "Still owed $54.60"]),
        (
            Language.SPANISH,
            ["Recibo", "Recibido el 2 de marzo de 2026", "Forma de pago Cheque", "Queda por pagar $54.60"],
        ),
    ],
)
def test_a_receipt_tells_who_got_what_when_for_which_bills_and_what_is_left(
    language: Language, told: list[str]
) -> None:
    found = text(render_receipt(page(language=language)))
    for part in (*told, "Northside Family Practice", "CHK-1", "G-1", "S-1", "Ben Example", "$20.00", "S-2", "$5.00"):
        assert part in found


def test_a_credit_stands_beside_what_the_bills_took() -> None:
    assert "Credit on your account $5.40" in text(render_receipt(page(credit=5_40)))
    assert "Credit" not in text(render_receipt(page()))


def test_a_way_to_pay_that_only_the_partner_knows_is_shown_as_it_came() -> None:
    assert "Paid by Lockbox 7" in text(render_receipt(page(method="Lockbox 7")))


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"lines": (), "credit": 25_00},
        {"lines": tuple(ReceiptLine(f"S-{n}" * 20, "Ada Example" * 8, n) for n in range(200))},
        {"lines": (ReceiptLine("S-1", "山田太郎, \ue000, علي, a\u0301\u0e33", 1),)},
    ],
)
def test_a_receipt_is_accessible_whatever_stands_on_it(language: Language, changes: Any, tmp_path: Path) -> None:
    path = tmp_path / "receipt.pdf"
    path.write_bytes(render_receipt(page(language=language, **changes)))
    result = outloud.check(str(path))
    assert result.error is None
    assert [found.message for found in result.findings if found.severity == "error"] == []


def test_the_same_payment_gives_the_same_bytes() -> None:
    assert render_receipt(page()) == render_receipt(page())


def test_the_sample_is_an_order_and_keeps_its_token_to_itself() -> None:
    sample = json.loads((EVENTS / "render_print_document.json").read_text())
    order = DocumentOrder.model_validate(sample)
    assert json.loads(order.model_dump_json(by_alias=True)) == sample
    assert sample["token"] not in repr(order)
