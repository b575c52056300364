"""The printed statement: a page of data in, a tagged PDF (PDF/UA-1, US Letter) out.

Pure: no clock, no environment, no AWS. The same page gives the same bytes. All amounts are integer cents. The text is
handed to typst as JSON in its inputs and never becomes markup, so nothing a partner sends can act on the document.

Fonts: Source Sans 3 from `typst_assets/fonts`, Noto Sans for other scripts from the manimgx-fonts packages, and the
families inside typst's wheel; fonts of the system are ignored, so a statement looks the same everywhere. Text that no
font can show goes another way (`printable_text.py`), and `render` names the fields concerned.
"""

import base64
import datetime as dt
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import manimgx_fonts
import manimgx_fonts_cjk
import segno
import typst
from babel.dates import format_date
from babel.numbers import format_decimal

from functions.render_print.printable_text import ASSETS, PrintableText, failed_texts
from functions.render_print.statement_page import (
    AgingBuckets,
    StatementBill,
    StatementCharge,
    StatementPage,
    StatementVisit,
)
from shared.domain.vocabulary.words import Language
from shared.rendering.formats import LOCALES, long_date, money

_HERE = Path(__file__).parent

_SVG = "http://www.w3.org/2000/svg"
_PICTURES = {"png": b"\x89PNG", "jpeg": b"\xff\xd8\xff", "gif": b"GIF8"}
_DARK = re.compile(rb"\x01+")
# How wide the characters of Source Sans 3 are, in em, and what the others are taken for.
_OTHER_WIDTH = 0.6
_FIRST_OTHER_SCRIPT = "\u0590"
_OTHER_SCRIPT_WIDTH = 1.1
_WIDTHS = {
    0.2: " ",
    0.25: "|',.:;ij",
    0.3: "Il!f()[]{}-",
    0.35: "t/\\r",
    0.43: '*?sz"',
    0.47: "cvxy",
    0.5: "JYFLk#$+0123456789<=>^_aegéáàâãäåèêë~",
    0.54: "XVESATZ`houbnñíìîïóòôõöúùûü",
    0.58: "dpqCPRK",
    0.62: "B&DG",
    0.66: "HNUOQ",
    0.73: "wM",
    0.83: "W%m",
    0.85: "@",
}
_WIDTH_OF = {character: width for width, characters in _WIDTHS.items() for character in characters}
_SCRIPTS = (
    "Arabic Armenian Bengali Devanagari Ethiopic Georgian Gujarati Gurmukhi Hebrew Kannada Khmer Lao Malayalam Myanmar"
    " Oriya Sinhala Tamil Telugu Thai Symbols"
)
FAMILIES = (
    "Source Sans 3",
    "Noto Sans CJK SC",
    "Noto Sans",
    *(f"Noto Sans {script}" for script in _SCRIPTS.split()),
    "Noto Emoji",
    "Libertinus Serif",
    "DejaVu Sans Mono",
)
"""The fonts in the order in which a character is looked for.

One of the CJK family's five has the characters of all three languages; each one used takes 32 MB of memory.
"""

# Amounts longer than this make the columns of the table as wide as they need.
_NARROW_AMOUNT = 10

# A module of the QR code is 0.65 mm or more: 2.5 dots at 100 dpi.
_INCHES_A_MODULE = 0.0256
_SMALLEST_QR = 1.0


@dataclass(frozen=True, slots=True)
class RenderedStatement:
    """The PDF, and JSON pointers to the fields of the page that could not be shown in full.

    A pointer names a field and holds none of its text, so it may be logged.
    """

    pdf: bytes
    not_shown: tuple[str, ...]


def render(page: StatementPage) -> RenderedStatement:
    """Return the statement as PDF/UA-1, and which fields hold something that cannot be printed."""
    return shown_as_can_be(lambda text: _compile(page, text))


def shown_as_can_be(compiled: Callable[[PrintableText], bytes]) -> RenderedStatement:
    """Return what is compiled of texts as the fonts can show them, and which fields aren't shown in full."""
    text = PrintableText()
    try:
        pdf = compiled(text)
    except typst.TypstError as error:
        # Characters that the fonts have one by one but not joined, such as a mark of one script on a letter of
        # another. The texts that have them are shown plainly; where typst names none of ours, all are.
        text = PrintableText(_among(failed_texts(error)))
        try:
            pdf = compiled(text)
        except typst.TypstError:
            text = PrintableText(lambda _: True)
            pdf = compiled(text)
    return RenderedStatement(pdf, tuple(dict.fromkeys(text.not_shown)))


def _among(failed: frozenset[str]) -> Callable[[str], bool]:
    return lambda text: any(part in text for part in failed)


def _compile(page: StatementPage, text: PrintableText) -> bytes:
    inputs = {"statement": json.dumps(_payload(page, text), ensure_ascii=False), "fonts": json.dumps(FAMILIES)}
    return pdf_of(_compiler(), inputs, page.statement_date)


def pdf_of(compiler: typst.Compiler, inputs: dict[str, str], day: dt.date) -> bytes:
    """Return a template's PDF/UA-1 with these inputs, dated by a day so that the same inputs give the same bytes."""
    midnight = dt.datetime.combine(day, dt.time(), dt.UTC)
    pdf = compiler.compile(format="pdf", sys_inputs=inputs, pdf_standards=["ua-1"], timestamp=int(midnight.timestamp()))
    if not isinstance(pdf, bytes):
        raise TypeError("typst returned no PDF")
    return pdf


@cache
def fonts() -> typst.Fonts:
    """The fonts that there are, found once a process."""
    packages = (Path(str(package.__file__)).parent for package in (manimgx_fonts, manimgx_fonts_cjk))
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=True,
        font_paths=[str(folder) for folder in (ASSETS / "fonts", *packages)],
    )


@cache
def _compiler() -> typst.Compiler:
    return typst.Compiler(input=str(_HERE / "statement.typ"), root=str(_HERE), font_paths=fonts())


def _code(url: str) -> dict[str, Any]:
    """Return the QR code as SVG, one stroke for each run of dark modules; the page gives it its quiet zone."""
    # A fixed mask spares segno the search for the best one, most of its time; readers read any.
    matrix = segno.make(url, micro=False, error="m", mask=3).matrix
    strokes = "".join(
        f"M{run.start()} {line}.5h{run.end() - run.start()}"
        for line, row in enumerate(matrix)
        for run in _DARK.finditer(row)
    )
    box = f"0 0 {len(matrix)} {len(matrix)}"
    return {
        "svg": f'<svg xmlns="{_SVG}" viewBox="{box}"><path d="{strokes}" stroke="#000"/></svg>',
        "inches": max(_SMALLEST_QR, len(matrix) * _INCHES_A_MODULE),
    }


@lru_cache(maxsize=32)
def _logo(logo: bytes) -> str | None:
    """Return the logo as SVG, None if it can't be shown. Each logo is tried once a process, by itself."""
    trial = b'#set document(title: "-")\n#image(bytes(json(bytes(sys.inputs.logo))), alt: "-")'
    try:
        typst.Compiler(font_paths=fonts()).compile(
            input=trial, format="pdf", sys_inputs={"logo": json.dumps(list(logo))}, pdf_standards=["ua-1"]
        )
        # In an SVG a picture travels as text, many times faster than as a list of numbers.
        kind = next((kind for kind, signature in _PICTURES.items() if logo.startswith(signature)), None)
        if kind is None:
            return logo.decode()
    except (typst.TypstError, UnicodeDecodeError):
        return None
    picture = base64.b64encode(logo).decode()
    return f'<svg xmlns="{_SVG}"><image href="data:image/{kind};base64,{picture}"/></svg>'


@cache
def _labels() -> dict[Language, dict[str, Any]]:
    labels: dict[Language, dict[str, Any]] = json.loads((ASSETS / "labels.json").read_text("utf-8"))
    return labels


def _payload(page: StatementPage, text: PrintableText) -> dict[str, Any]:
    language = page.language
    labels = _labels()[language]
    if not page.online:
        labels = labels | labels["offline"]
    owes = page.amount_due > 0
    practice = text.line(page.practice.name, "/practice/name")
    address = text.lines(page.practice.address_lines, "/practice/address_lines")
    remit_to = text.lines(page.practice.remit_to_lines, "/practice/remit_to_lines")
    recipient = text.line(page.recipient_name, "/recipient_name")
    statement_date = long_date(page.statement_date, language)
    bills = [_bill(bill, text, f"/bills/{number}", language) for number, bill in enumerate(page.bills)]
    message = text.paragraphs(page.message, "/message")
    organization_message = text.paragraphs(page.organization_message, "/organization_message")
    totals = _totals(page, labels)
    logo = _logo(page.practice.logo) if page.practice.logo else None
    if page.practice.logo and logo is None:
        text.not_shown.append("/practice/logo")
    return {
        "language": language,
        "labels": labels,
        "geometry": asdict(page.geometry),
        "title": labels["document_title"].format(practice=practice, date=statement_date),
        "date": {part: getattr(page.statement_date, part) for part in ("year", "month", "day")},
        "heading": labels["headings"][page.notification_type if owes else "Initial"],
        "logo": logo,
        "owes": owes,
        "code": _code(page.pay_url) if owes else None,
        "practice": {"name": practice, "phone": text.line(page.practice.phone, "/practice/phone", breakable=False)},
        "return_lines": [practice, *address],
        "recipient_lines": [recipient, *text.lines(page.recipient_address_lines, "/recipient_address_lines")],
        "remit_lines": remit_to or [practice, *address],
        "account_number": text.line(page.account_number, "/account_number", breakable=False),
        "statement_date": statement_date,
        "due_date": long_date(page.due_date, language),
        "amount_label": labels["amount_due"] if page.amount_due >= 0 else labels["credit_balance"],
        "amount_due": money(abs(page.amount_due), language),
        "message": message,
        "organization_message": organization_message,
        "bills": bills,
        "totals": totals,
        "message_ems": [_ems(part) for part in (*message, *organization_message)],
        "wide_amounts": any(
            len(amount) > _NARROW_AMOUNT for bill in bills for row in bill["rows"] for amount in row["amounts"]
        ),
        "aging": _aging(page.aging, labels, language),
        "pay_url": page.pay_url,
        "pay_page_url": page.pay_page_url,
        "asked": page.asked,
        "bill_code": text.line(page.bill_code, "/bill_code", breakable=False),
    }


def _aging(aging: AgingBuckets | None, labels: Mapping[str, Any], language: Language) -> list[dict[str, str]]:
    if aging is None:
        return []
    buckets = (aging.current, aging.days_31_60, aging.days_61_90, aging.days_91_120, aging.over_120)
    return [
        {"label": name, "amount": money(cents, language)}
        for name, cents in zip(labels["aging_buckets"], buckets, strict=True)
    ]


def _bill(bill: StatementBill, text: PrintableText, pointer: str, language: Language) -> dict[str, Any]:
    labels = _labels()[language]
    statement_id = text.line(bill.statement_id, f"{pointer}/statement_id", breakable=False)
    patient = text.line(bill.patient_name, f"{pointer}/patient_name")
    visits = [
        row
        for number, visit in enumerate(bill.visits)
        for row in (
            *_patient(visit, text, f"{pointer}/visits/{number}"),
            _visit(visit, text, f"{pointer}/visits/{number}", language),
        )
    ]
    title = _joined(f"{labels['statement']} {statement_id}", patient)
    return {
        "title": title,
        "ems": _ems(title),
        "visits": visits,
        "rows": [*_posting_rows(bill, text, pointer, language), *_closing_rows(bill, labels, language)],
    }


def _patient(visit: StatementVisit, text: PrintableText, pointer: str) -> list[dict[str, Any]]:
    """A line with a patient's name above that patient's visits."""
    if not visit.patient:
        return []
    name = text.line(visit.patient, f"{pointer}/patient")
    return [{"title": name, "ems": _ems(name), "charges": []}]


def _posting_rows(bill: StatementBill, text: PrintableText, pointer: str, language: Language) -> list[dict[str, Any]]:
    """A line for all that was posted on the bill: when, what it is, which way, and how much."""
    labels = _labels()[language]["postings"]
    rows = []
    for number, posting in enumerate(bill.postings):
        known = labels["methods"].get(posting.method.casefold())
        way = known or text.line(posting.method, f"{pointer}/postings/{number}/method")
        name = f"{labels[posting.kind]} ({way})" if way else labels[posting.kind]
        paid, left = _amount(posting.amount, language), _amount(-posting.amount, language)
        rows.append(
            {
                "label": _joined(_short_date(posting.date, language), name),
                "amounts": ["", "", "", paid, left],
                "strong": False,
            }
        )
    return rows


def _visit(visit: StatementVisit, text: PrintableText, pointer: str, language: Language) -> dict[str, Any]:
    title = _joined(
        _short_date(visit.date, language) if visit.date else "",
        text.line(visit.provider, f"{pointer}/provider"),
        text.line(visit.location, f"{pointer}/location"),
    )
    charges = []
    for number, charge in enumerate(visit.charges):
        description = text.line(charge.description, f"{pointer}/charges/{number}/description")
        code = text.line(charge.code, f"{pointer}/charges/{number}/code")
        charges.append(
            {
                "date": _short_date(charge.date, language),
                "description": description,
                "code": code,
                "ems": _ems(f"{description} {code}"),
                "amounts": [_amount(cents, language) for cents in _columns(charge)],
            },
        )
    return {"title": title, "ems": _ems(title), "charges": charges}


def _joined(*parts: str) -> str:
    return " \N{MIDDLE DOT} ".join(part for part in parts if part)


def _columns(charge: StatementCharge) -> tuple[int, int, int, int, int]:
    return charge.billed, charge.insurance_paid, charge.adjustment, charge.patient_paid, charge.balance


def _closing_rows(bill: StatementBill, labels: Mapping[str, Any], language: Language) -> list[dict[str, Any]]:
    """Return the sums of a bill.

    The partner's balance of a bill can differ from that of its charges, by what was paid since or isn't itemized. A
    line of its own says so, so that the column always adds up.
    """
    columns = [_columns(charge) for visit in bill.visits for charge in visit.charges]
    sums = [sum(column) for column in zip(*columns, strict=True)]
    posted = sum(posting.amount for posting in bill.postings)
    listed = (sums[-1] if sums else bill.total_billed) - posted
    rows: list[dict[str, Any]] = []
    if bill.balance != listed:
        rows.append(
            {
                "label": labels["other_payments"],
                "amounts": ["", "", "", "", _amount(bill.balance - listed, language)],
                "strong": False,
            },
        )
    if sums:
        sums[-2] += posted
    between = [_amount(cents, language) for cents in sums[1:-1]]
    if not sums:
        between = ["", "", _amount(posted, language) if posted else ""]
    rows.append(
        {
            "label": labels["bill_total"],
            "amounts": [_amount(bill.total_billed, language), *between, money(bill.balance, language)],
            "strong": True,
        },
    )
    return rows


def _totals(page: StatementPage, labels: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return how the bills come to the amount due; nothing where one bill is all there is."""
    if len(page.bills) < 2 and not page.credit:  # noqa: PLR2004 - one bill needs no sum
        return []
    language = page.language
    rows = [
        {
            "label": labels["total"],
            "amount": money(sum(bill.balance for bill in page.bills), language),
            "strong": False,
        },
    ]
    if page.credit:
        rows.append({"label": labels["credit"], "amount": money(-page.credit, language), "strong": False})
    name = labels["amount_due"] if page.amount_due >= 0 else labels["credit_balance"]
    rows.append({"label": name, "amount": money(abs(page.amount_due), language), "strong": True})
    return rows


def _ems(text: str) -> float:
    """Return about how wide the text is set, in em."""
    return sum(_WIDTH_OF.get(character) or _other_width(character) for character in text)


def _other_width(character: str) -> float:
    return _OTHER_WIDTH if character < _FIRST_OTHER_SCRIPT else _OTHER_SCRIPT_WIDTH


@lru_cache(maxsize=4096)
def _amount(cents: int, language: Language) -> str:
    """Return an amount for a column of amounts, without the currency."""
    return format_decimal(Decimal(cents).scaleb(-2), format="#,##0.00", locale=LOCALES[language])


@lru_cache(maxsize=1024)
def _short_date(date: dt.date, language: Language) -> str:
    # The month in letters: 5/3 means March to one reader and May to another.
    return format_date(date, "medium", locale=LOCALES[language])
