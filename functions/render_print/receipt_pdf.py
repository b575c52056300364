"""A payment's receipt: a page of data in, a tagged PDF (PDF/UA-1, US Letter) out. Pure, as statement_pdf is."""

import datetime as dt
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import typst

from functions.render_print.printable_text import ASSETS, PrintableText
from functions.render_print.statement_page import LetterPractice
from functions.render_print.statement_pdf import FAMILIES, fonts, pdf_of, shown_as_can_be
from shared.domain.vocabulary.words import Language
from shared.rendering.formats import long_date, money

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """What of the payment went to one bill, in cents."""

    statement_id: str
    patient_name: str
    amount: int


@dataclass(frozen=True, slots=True)
class ReceiptPage:
    """All that a receipt shows. Amounts in cents. credit: what no bill took; left: what is still owed."""

    language: Language
    practice: LetterPractice
    account_number: str
    printed_on: dt.date
    paid_on: dt.date
    reference: str
    method: str
    amount: int
    lines: tuple[ReceiptLine, ...]
    credit: int
    left: int


def render_receipt(page: ReceiptPage) -> bytes:
    """Return the receipt as PDF/UA-1. What can't be printed is a box, as in a statement."""
    return shown_as_can_be(lambda text: _compile(page, text)).pdf


def _compile(page: ReceiptPage, text: PrintableText) -> bytes:
    return pdf_of(
        _compiler(),
        {"receipt": json.dumps(_payload(page, text), ensure_ascii=False), "fonts": json.dumps(FAMILIES)},
        page.printed_on,
    )


@cache
def _compiler() -> typst.Compiler:
    return typst.Compiler(input=str(_HERE / "receipt.typ"), root=str(_HERE), font_paths=fonts())


@cache
def _labels() -> dict[Language, dict[str, Any]]:
    labels: dict[Language, dict[str, Any]] = json.loads((ASSETS / "receipt_labels.json").read_text("utf-8"))
    return labels


def _payload(page: ReceiptPage, text: PrintableText) -> dict[str, Any]:
    labels, language = _labels()[page.language], page.language
    practice = text.line(page.practice.name, "/practice/name")
    lines = [
        {
            "title": f"{labels['statement']} {text.line(line.statement_id, f'/lines/{number}/statement_id')}",
            "patient": text.line(line.patient_name, f"/lines/{number}/patient_name"),
            "amount": money(line.amount, language),
        }
        for number, line in enumerate(page.lines)
    ]
    if page.credit > 0:
        lines.append({"title": labels["credit"], "patient": "", "amount": money(page.credit, language)})
    return {
        "language": language,
        "labels": labels,
        "title": labels["document_title"].format(practice=practice, date=long_date(page.paid_on, language)),
        "date": {part: getattr(page.printed_on, part) for part in ("year", "month", "day")},
        "practice": practice,
        "address": [
            *text.lines(page.practice.address_lines, "/practice/address_lines"),
            *text.lines([page.practice.phone], "/practice/phone"),
        ],
        "amount": money(page.amount, language),
        "facts": [
            [labels["paid_on"], long_date(page.paid_on, language)],
            [labels["reference"], text.line(page.reference, "/reference")],
            # A word that only the partner's own system knows is shown as it came.
            [labels["method"], labels["methods"].get(page.method.casefold()) or text.line(page.method, "/method")],
            [labels["account_number"], text.line(page.account_number, "/account_number")],
        ],
        "lines": lines,
        "left": money(page.left, language),
        "printed_on": labels["printed_on"].format(date=long_date(page.printed_on, language)),
    }
