"""The printed statement, looked at from outside: its text, where it stands, and what a screen reader gets."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import outloud
import pymupdf
import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st

from functions.render_print import printable_text, statement_pdf
from functions.render_print.printable_text import ASSETS
from functions.render_print.statement_page import (
    AgingBuckets,
    LetterPractice,
    StatementBill,
    StatementCharge,
    StatementPage,
    StatementVisit,
    WindowGeometry,
)
from functions.render_print.statement_pdf import render
from shared.domain.paying.link_access import AccessQuestion
from shared.domain.vocabulary.words import Language, NotificationType
from tests.worlds.bounds import some
from tests.worlds.properties import tried

if TYPE_CHECKING:
    from pathlib import Path

# It ships no types.
mupdf: Any = pymupdf
_POINTS = 72.0
_ROUNDING = (-0.01, -0.01, 0.01, 0.01)
_RECIPIENT = ("Margaret A. Thorvaldsen", "4418 Birchwood Lane", "Apt 12B", "Duluth, MN 55804-1187")
_PRACTICE = LetterPractice(
    name="Lakeshore Family Medicine, PLLC",
    address_lines=("1200 Harbor View Drive", "Suite 340", "Duluth, MN 55802"),
    phone="(218) 555-0142",
    remit_to_lines=("Lakeshore Billing", "PO Box 71042", "Minneapolis, MN 55471-0042"),
)


def render_statement(page: StatementPage) -> bytes:
    return render(page).pdf


def _charge(number: int, **changes: Any) -> StatementCharge:
    charge = StatementCharge(
        date=dt.date(2026, 2, 1) + dt.timedelta(days=number % 20),
        description=f"Service number {number}",
        billed=10_000 + number,
        insurance_paid=6_000,
        adjustment=1_500,
        patient_paid=500,
        balance=2_000 + number,
        code=f"9{number:04d}",
    )
    return replace(charge, **changes)


def _bill(charges: int = 2, statement_id: str = "S-1001", patient: str = "Ole Thorvaldsen") -> StatementBill:
    lines = tuple(_charge(number) for number in range(charges))
    half = (charges + 1) // 2
    visits = (
        StatementVisit(dt.date(2026, 2, 1), "Dr. Ingrid Solheim", "Harbor View Clinic", lines[:half]),
        StatementVisit(dt.date(2026, 2, 9), "Dr. Paul Nakamura", "Lakeside Imaging", lines[half:]),
    )
    return StatementBill(
        statement_id=statement_id,
        patient_name=patient,
        total_billed=sum(line.billed for line in lines),
        balance=sum(line.balance for line in lines),
        visits=visits if charges > 1 else visits[:1],
    )


def _page(**changes: Any) -> StatementPage:
    page = StatementPage(
        language=Language.ENGLISH,
        practice=_PRACTICE,
        recipient_name=_RECIPIENT[0],
        recipient_address_lines=_RECIPIENT[1:],
        account_number="LFM-0048213",
        statement_date=dt.date(2026, 3, 5),
        due_date=dt.date(2026, 4, 4),
        amount_due=4_001,
        notification_type=NotificationType.INITIAL,
        message="Thank you for choosing Lakeshore Family Medicine. Your insurance has finished with these visits.",
        bills=(_bill(),),
        pay_url="https://abcdefghij.execute-api.us-east-1.amazonaws.com/prod/pay/" + "aB3_xY9-qZ0" * 4,
        pay_page_url="https://abcdefghij.execute-api.us-east-1.amazonaws.com/prod/bill",
        bill_code="K7QM-42XP-9D",
        organization_message="Financial assistance is available.",
        aging=AgingBuckets(current=1_001, days_31_60=1_002, days_61_90=1_003, days_91_120=995, over_120=0),
    )
    return replace(page, **changes)


def _open(pdf: bytes) -> Any:
    return mupdf.open(stream=pdf, filetype="pdf")


def _text(pdf: bytes) -> str:
    with _open(pdf) as document:
        return " ".join(" ".join(page.get_text() for page in document).replace("\u200b", "").split())


def _page_count(pdf: bytes) -> int:
    with _open(pdf) as document:
        return len(document)


def _rectangle(left: float, top: float, width: float, height: float) -> Any:
    return mupdf.Rect(left, top, left + width, top + height) * _POINTS


def _errors(pdf: bytes, folder: Path) -> list[str]:
    path = folder / "statement.pdf"
    path.write_bytes(pdf)
    result = outloud.check(str(path))
    assert result.error is None
    return [f"{found.rule_id} {found.message}" for found in result.findings if found.severity == "error"]


def _picture() -> bytes:
    picture = mupdf.Pixmap(mupdf.csRGB, mupdf.IRect(0, 0, 60, 30))
    picture.set_rect(picture.irect, (15, 110, 132))
    return bytes(picture.tobytes("png"))


def test_shows_what_is_owed_to_whom_and_by_when() -> None:
    """The sums, dates and numbers that a patient needs stand on the page, in dollars and with the month in letters."""
    text = _text(render_statement(_page(amount_due=123_456)))

    assert "Amount due" in text
    assert "$1,234.56" in text
    assert "April 4, 2026" in text
    assert "March 5, 2026" in text
    assert "LFM-0048213" in text
    assert "Make checks payable to Lakeshore Family Medicine, PLLC" in text
    assert "Amount enclosed" in text
    assert "PO Box 71042" in text
    assert "Financial assistance is available." in text


def test_every_column_of_a_charge_agrees_with_its_cents() -> None:
    """Each amount of a charge is printed to the cent, thousands grouped."""
    charge = _charge(
        1, billed=123_456, insurance_paid=100_007, adjustment=-250, patient_paid=5, balance=23_694, code="99213"
    )
    bill = StatementBill("S-9", "Ole", 123_456, 23_694, (StatementVisit(None, charges=(charge,)),))

    text = _text(render_statement(_page(bills=(bill,), amount_due=23_694)))

    assert "1,234.56 1,000.07 -2.50 0.05 236.94" in text
    assert "Balance of this statement 1,234.56 1,000.07 -2.50 0.05 $236.94" in text


def test_a_balance_that_its_charges_do_not_explain_gets_a_line_of_its_own() -> None:
    """What was paid since, or isn't itemized, is shown, so that the column adds up."""
    bill = replace(_bill(2), balance=1_001)

    text = _text(render_statement(_page(bills=(bill,), amount_due=1_001)))

    assert "Payments and adjustments not listed above -30.00" in text
    assert "$10.01" in text


def test_a_bill_without_visits_is_shown_by_its_sums() -> None:
    """Partners need not itemize."""
    bill = StatementBill("S-77", "Ole Thorvaldsen", total_billed=50_000, balance=7_500)

    text = _text(render_statement(_page(bills=(bill,), amount_due=7_500)))

    assert "Statement S-77 · Ole Thorvaldsen" in text
    assert "Payments and adjustments not listed above -425.00" in text
    assert "500.00 $75.00" in text


def test_several_bills_and_a_credit_come_to_the_amount_due() -> None:
    """A consolidated statement says how its bills, less the credit, make the amount."""
    bills = (_bill(1, "S-1", "Ole Thorvaldsen"), _bill(1, "S-2", "Siri Thorvaldsen"))

    text = _text(render_statement(_page(bills=bills, credit=1_500, amount_due=2_500)))

    assert "Total of all statements $40.00" in text
    assert "Credit on your account -$15.00" in text
    assert "Amount due $25.00" in text
    assert "Siri Thorvaldsen" in text


def test_aging_stands_under_its_headings() -> None:
    """The five buckets are printed in order."""
    text = _text(render_statement(_page()))

    assert "Current 31–60 days 61–90 days 91–120 days 120+ days $10.01 $10.02 $10.03 $9.95 $0.00" in text  # noqa: RUF001 - the page has these dashes


@pytest.mark.parametrize(
    ("kind", "english", "spanish"),
    [
        (NotificationType.INITIAL, "Your statement", "Su estado de cuenta"),
        (NotificationType.DUE, "Payment reminder", "Recordatorio de pago"),
        (NotificationType.PAST_DUE, "Past-due notice", "Aviso de saldo vencido"),
        (NotificationType.FINAL, "Final notice", "Aviso final"),
        (NotificationType.ON_DEMAND, "Your statement", "Su estado de cuenta"),
    ],
)
def test_the_heading_follows_the_notification_in_both_languages(
    kind: NotificationType, english: str, spanish: str
) -> None:
    """Each kind of notice has its own heading; none speaks of credit reporting."""
    for language, heading in ((Language.ENGLISH, english), (Language.SPANISH, spanish)):
        text = _text(render_statement(_page(language=language, notification_type=kind)))

        assert heading in text
        assert not re.search(r"credit (bureau|report|agenc)|buró|colecciones|collection", text, re.IGNORECASE)


def test_spanish_has_its_words_its_accents_and_its_dates() -> None:
    """A Spanish page is Spanish throughout."""
    pdf = render_statement(_page(language=Language.SPANISH))
    text = _text(pdf)

    for words in (
        "Monto a pagar",
        "4 de abril de 2026",
        "1 feb 2026",
        "Número de cuenta LFM-0048213",
        "Antigüedad de su saldo",
        "Código de factura K7QM-42XP-9D",
        "Cómo pagar",
        "¿Preguntas? Llame al",
        "Haga su cheque a nombre de",
        "Página 1 de 1",
    ):
        assert words in text
    assert "Amount" not in text
    with _open(pdf) as document:
        assert document.xref_get_key(document.pdf_catalog(), "Lang")[1].startswith("es")


@pytest.mark.parametrize("language", list(Language))
def test_the_letter_names_what_its_payment_page_asks_for(language: Language) -> None:
    """Case 17: where only the guarantor's birth date opens it, the patient's would be asked for in vain."""
    asked = {question: _text(render_statement(_page(language=language, asked=question))) for question in AccessQuestion}
    words = {
        Language.ENGLISH: ("asks for the patient", "asks for the account holder", "ZIP code", "call us"),
        Language.SPANISH: ("nacimiento del paciente", "nacimiento del titular", "código postal", "Llámenos para pagar"),
    }[language]
    for question, said in zip(AccessQuestion, words, strict=True):
        assert [word for word in words if word in asked[question]] == [said]


def test_the_bill_code_follows_its_words_and_they_appear_once() -> None:
    """Whoever looks for the words finds the code right behind them."""
    text = _text(render_statement(_page()))

    assert re.findall(r"Bill code\s+(\S+)", text) == ["K7QM-42XP-9D"]
    assert text.lower().count("bill code") == 1


@pytest.mark.parametrize(
    "lines",
    [
        _RECIPIENT,
        ("MARGARET ANNELIESE THORVALDSEN-WESTERGAARD", *(f"LINE {number} OF A LONG ADDRESS" for number in range(6))),
        ("Wolfeschlegelsteinhausenbergerdorff " * 4, "4418 Birchwood Lane", "Duluth, MN 55804"),
        ("W" * 120, "M" * 80, "M" * 80, "M" * 60 + ", MN 55804-1187"),
        ("Ana " * 30, "W" * 80, "W" * 80, "W" * 60 + ", MN 55804-1187"),
        ("\u5c71\u7530" * 60, "4418 Birchwood Lane " * 4, "Apt 12B", "Duluth, MN 55804"),
    ],
)
def test_both_addresses_stay_inside_the_windows(lines: tuple[str, ...]) -> None:
    """All of the address is printed inside the envelope's window, and nothing else is, never too small to read.

    The longest that a statement or an organization may have; only the name is shortened for it.
    """
    practice = replace(_PRACTICE, name=lines[0], address_lines=lines[1:], phone="")
    page = _page(practice=practice, recipient_name=lines[0], recipient_address_lines=lines[1:])
    # Inches from the left, from the top, wide, high: a #10 double-window envelope's (docs/rules.md#envelope-windows).
    windows = (_rectangle(0.5, 0.5, 3.5, 0.792), _rectangle(0.5, 2.042, 3.5, 0.875))
    name, address = lines[0].replace(" ", ""), "".join(lines[1:]).replace(" ", "")

    with _open(render_statement(page)) as document:
        words, blocks = document[0].get_text("words"), document[0].get_text("dict")["blocks"]
    spans = [span for block in blocks for line in block.get("lines", ()) for span in line["spans"]]
    for window in some(windows):
        inside = [word for word in words if mupdf.Rect(word[:4]).intersects(window)]
        assert all((window + _ROUNDING).contains(mupdf.Rect(word[:4])) for word in some(inside))
        shown = "".join(word[4] for word in inside).replace("\u200b", "")
        assert shown.endswith(address)
        beginning = shown.removesuffix(address)
        assert beginning == name or (len(beginning) > 20 and name.startswith(beginning.removesuffix("\u2026")))
        small = [span["size"] for span in spans if mupdf.Rect(span["bbox"]).intersects(window)]
        assert min(small) >= 6.99


def test_the_remittance_address_on_the_slip_is_not_too_small_to_read() -> None:
    lines = ("W" * 100, "M" * 80, "M" * 80, "M" * 60 + ", MN 55804-1187")
    with _open(render_statement(_page(practice=replace(_PRACTICE, remit_to_lines=lines)))) as document:
        [slip] = document[0].search_for("Payment slip")
        shown = document[0].get_text("dict", clip=mupdf.Rect(0, slip.y0, 300, 780))["blocks"]
    spans = [span for block in shown for line in block.get("lines", ()) for span in line["spans"]]
    assert min(span["size"] for span in spans if "M" in span["text"] or "W" in span["text"]) >= 6.99
    assert "".join(lines[1:]).replace(" ", "") in re.sub(r"[ \u200b]", "", "".join(span["text"] for span in spans))


def test_nothing_else_shows_in_windows_that_were_moved() -> None:
    """The geometry is the organization's to set."""
    geometry = WindowGeometry(recipient_left=0.75, recipient_top=2.2, recipient_width=3.25, recipient_height=1.0)

    with _open(render_statement(_page(geometry=geometry))) as document:
        words = document[0].get_text("words")
    window = _rectangle(0.75, 2.2, 3.25, 1.0)
    inside = [word[4] for word in words if mupdf.Rect(word[:4]).intersects(window)]

    assert " ".join(inside) == " ".join(_RECIPIENT)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("charges", [1, 5, 8, 10, 12])
def test_an_ordinary_statement_is_one_page(charges: int, language: Language) -> None:
    """Up to a dozen charges, with messages and aging, take one sheet."""
    bill = _bill(charges)

    pdf = render_statement(_page(bills=(bill,), language=language, amount_due=bill.balance))

    assert _page_count(pdf) == 1


@pytest.mark.parametrize("charges", [13, 14, 15, 16, 17, 18, 20, 25, 30, 60, 200])
def test_a_long_statement_keeps_the_slip_on_its_first_page_and_loses_no_charge(charges: int) -> None:
    """However the charges fall, each is printed once, and what is mailed back is on the sheet with the windows."""
    bill = _bill(charges)
    pdf = render_statement(_page(bills=(bill,), amount_due=bill.balance))
    text = _text(pdf)

    for number in range(charges):
        assert len(re.findall(rf"Service number {number} 9{number:04d}\b", text)) == 1
    with _open(pdf) as document:
        assert "Amount enclosed" in document[0].get_text()
        assert "K7QM-42XP-9D" in document[0].get_text()
        for number, sheet in some(enumerate(document, start=1)):
            assert f"Page {number} of {len(document)}" in sheet.get_text()
            # Nothing runs into the margins or into one another's lines.
            body = [mupdf.Rect(word[:4]) for word in sheet.get_text("words")]
            assert all(sheet.rect.contains(word) for word in some(body))


def _last_row(sheet: Any) -> str:
    """The last row of the table on a page, which a page of it alone ends with: above the page's number."""
    words = [word for word in sheet.get_text("words") if word[3] < 10.5 * _POINTS]
    bottom = max(word[3] for word in words)
    return " ".join(word[4] for word in sorted(words) if word[3] > bottom - 3)


def _visited(charges: list[int], *, long: bool, patients: bool) -> StatementBill:
    """A bill with a visit for each number, of so many charges; long: places that take several lines."""
    visits = tuple(
        StatementVisit(
            dt.date(2026, 2, 1 + place % 28),
            "Dr. Ingrid Solheim",
            "Harbor View Clinic " * (8 if long and place % 3 == 0 else 1),
            tuple(_charge(number) for number in range(count)),
            patient=("Ole T.", "Kari T.")[place % 2] if patients else "",
        )
        for place, count in enumerate(charges)
    )
    return replace(_bill(1), visits=visits)


@tried(plain=20, thorough=1_000)
@given(
    charges=st.lists(st.integers(0, 4), min_size=8, max_size=70),
    long=st.booleans(),
    patients=st.booleans(),
    paragraphs=st.integers(0, 12),
    language=st.sampled_from(Language),
)
def test_no_page_ends_with_the_heading_of_what_stands_on_the_next(
    *, charges: list[int], long: bool, patients: bool, paragraphs: int, language: Language
) -> None:
    """Neither a statement's, nor a patient's, nor a visit's."""
    bill = _visited(charges, long=long, patients=patients)
    page = _page(bills=(bill, bill), message="Word. \n" * paragraphs, language=language, amount_due=sum(charges) + 1)
    with _open(render_statement(page)) as document:
        feet = [_last_row(sheet) for sheet in list(document)[1:-1]]
    assert [foot for foot in feet if not re.search(r"\d[.,]\d\d$", foot)] == []


@pytest.mark.parametrize(
    "name",
    [
        "Maximiliana-Bartholomea van der Hoogenband-Wolfeschlegelstein",
        "Wolfeschlegelsteinhausenbergerdorff" * 3,
        "Ana " * 25,
        "Ada Example",
        "\u5c71\u7530" * 40,
    ],
)
def test_no_name_or_number_on_the_slip_is_too_small_to_read(name: str) -> None:
    """What doesn't fit goes on in a second line, and is shortened beyond that."""
    page = _page(recipient_name=name, account_number=name.replace(" ", "-")[:64])
    with _open(render_statement(page)) as document:
        [slip] = document[0].search_for("Payment slip")
        shown = document[0].get_text("dict", clip=mupdf.Rect(300, slip.y0, 612, 792))["blocks"]
        spans = [span for block in shown for line in block.get("lines", ()) for span in line["spans"]]
    assert min(span["size"] for span in spans) >= 6.99
    assert all(span["bbox"][2] <= 8 * 72 + 1 for span in spans)
    told = "".join(span["text"] for span in spans).replace("\u200b", "")
    assert name[:12].strip() in told


@pytest.mark.parametrize("billed", [10_000, 9_999_999_999])
@pytest.mark.parametrize("times", [1, 2])
def test_no_two_words_overlap_on_a_crowded_page(times: int, billed: int) -> None:
    """Long descriptions wrap into rows that grow with them, and so do headings above them."""
    long = "Intravenous infusion of a very long named compound, each additional hour beyond the first, with monitoring"
    charges = tuple(_charge(number, description=f"{long * times} {number}", billed=billed) for number in range(9))
    bill = StatementBill(
        "S-1", "Ole", billed, 1_000, (StatementVisit(dt.date(2026, 2, 1), "Dr. " + long, long, charges, "Kari"),)
    )

    with _open(render_statement(_page(bills=(bill,)))) as document:
        for sheet in some(document):
            # The inner third of a word's height: neighbouring lines' boxes touch, their letters must not.
            boxes = [
                mupdf.Rect(x0, y0 + (y1 - y0) / 3, x1, y1 - (y1 - y0) / 3)
                for x0, y0, x1, y1, *_ in sheet.get_text("words")
            ]
            overlapping = [
                (one, other)
                for place, one in enumerate(boxes)
                for other in boxes[place + 1 :]
                if mupdf.Rect(one).intersects(other) and (one & other).width > 1 and (one & other).height > 1
            ]
            assert overlapping == []


@pytest.mark.parametrize(
    "hostile",
    [
        "#panic()",
        "$x$ and $ x^2 $",
        '"quoted" and \\backslash\\',
        '#import "/etc/passwd": *',
        "*bold* _emphasis_ `code` <label> @reference",
        "= heading // comment /* comment */ ~ -- --- ...",
        "https://example.com/a?b=c&d=e",
        "{{7*7}} ${jndi:x} %s %n",
    ],
)
def test_text_is_shown_to_the_letter_and_never_acts(hostile: str) -> None:
    """What looks like markup is printed as it came."""
    charge = _charge(1, description=hostile)
    bill = StatementBill(hostile, "Ole", 10_001, 2_001, (StatementVisit(None, hostile, "", (charge,)),))
    page = _page(bills=(bill,), recipient_name=hostile, message=hostile, organization_message=hostile)

    rendered = render(page)

    text = _text(rendered.pdf)
    assert text.count(hostile) >= 6
    assert rendered.not_shown == ()


def test_what_no_font_has_is_a_visible_box_and_is_reported() -> None:
    """PDF/UA forbids text without glyphs, so the page says that something is missing, and so does the result."""
    charge = _charge(1, description="Happy \N{EGYPTIAN HIEROGLYPH A001} checkup")
    bill = StatementBill(
        "S-1", "\N{YI SYLLABLE IT}\N{YI SYLLABLE IX}", 10_001, 2_001, (StatementVisit(None, charges=(charge,)),)
    )

    rendered = render(_page(bills=(bill,), recipient_name="N\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}ez Zoë"))

    text = _text(rendered.pdf)
    assert "N□□ez Zoë" in text
    assert "Happy □ checkup" in text
    assert "S-1 · □□" in text
    assert set(rendered.not_shown) == {
        "/recipient_name",
        "/bills/0/patient_name",
        "/bills/0/visits/0/charges/0/description",
    }


NAMES = [
    "محمد عبد الله",
    "שלום כהן",
    "Nguyễn Thị Hồng",
    "Łukasz Żółć",
    "Иван Петров",
    "Ελένη Παπαδοπούλου",
    "O\N{RIGHT SINGLE QUOTATION MARK}Brien \N{EM DASH} Smith",
    "王 小明",  # Chinese, in both ways of writing it
    "陳 大文",
    "山田 さくら",  # Japanese
    "ヤマダ タロウ",
    "김 철수",  # Korean
    "สมชาย ใจดี",  # Thai
    "አበበ ቢቂላ",  # Amharic
    "အောင်ဆန်း မောင်မောင်",  # Burmese
    "សុខា ចាន់ធូ",  # Khmer
    "ສົມຈິດ ພົມມະຈັນ",  # Lao
    "राम शर्मा",  # Hindi
    "রহিম উদ্দিন",  # Bengali
    "ਗੁਰਪ੍ਰੀਤ ਸਿੰਘ",  # Punjabi
    "દિપક પટેલ",  # Gujarati
    "கண்ணன் முருகன்",  # Tamil
    "రాము శ్రీనివాస్",  # Telugu
    "ರಾಮ್ ಗೌಡ",  # Kannada
    "രാമൻ നായർ",  # Malayalam
    "නිමල් පෙරේරා",  # Sinhala
    "გიორგი ბერიძე",  # Georgian
    "Արամ Պետրոսյան",  # Armenian
    "Ada \N{GRINNING FACE} Example",
    "Ada \N{WOMAN}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER} Example",
    "O&#39;Brien Smith &amp; Sons",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_many_scripts_are_shown_in_full(name: str) -> None:
    """The fonts at hand cover them, right-to-left ones too; none is a box."""
    rendered = render(_page(recipient_name=name, bills=(_bill(2, patient=name),)))

    assert rendered.not_shown == ()
    assert "Duluth, MN 55804-1187" in _text(rendered.pdf)
    assert "□" not in _text(rendered.pdf)


@pytest.mark.parametrize("sign", ["王", "ไ", "ေ", "ខ្មែ", "하"])
def test_a_long_text_without_blanks_wraps_inside_its_column(sign: str) -> None:
    """Scripts that put no blanks between words, and marks that mustn't be torn from their letters."""
    charge = _charge(1, description=sign * 80)
    rendered = render(_page(bills=(StatementBill("S-1", "Ole", 1, 1, (StatementVisit(None, charges=(charge,)),)),)))

    assert rendered.not_shown == ()
    document: Any = pymupdf.open(stream=rendered.pdf)  # type: ignore[no-untyped-call] # it has no types
    right = max(word[2] for page in document for word in page.get_text("words"))
    assert right <= 8 * 72 + 1


def test_every_character_of_the_coverage_table_can_be_printed() -> None:
    """The table holds for the fonts and the typst that are installed, in both weights."""
    table = (ASSETS / "coverage.txt").read_text("ascii")
    ranges = [[int(end, 16) for end in line.split("-")] for line in table.splitlines()]
    characters = [chr(point) for ends in ranges for point in range(ends[0], ends[-1] + 1)]
    # Marks stand on letters, and what normalizes to something else is never printed itself.
    letters = [
        character
        for character in characters
        if not unicodedata.category(character).startswith("M") and unicodedata.is_normalized("NFC", character)
    ]
    lines = [" ".join(letters[start : start + 200]) for start in range(0, len(letters), 200)]
    bills = tuple(StatementBill("S", line, 1, 1) for line in lines)

    rendered = render(_page(message="\n".join(lines), bills=bills))

    assert len(letters) > 50_000
    assert rendered.not_shown == ()


def test_direction_overrides_and_control_characters_cannot_turn_the_page() -> None:
    """A name can't reverse what follows it."""
    rendered = render(_page(recipient_name="Ann\u202e Roe\x07\ufeff\u200b\ud800", message="a\u2066b\tc\r\nd"))

    text = _text(rendered.pdf)
    assert "Ann Roe□" in text
    assert "4418 Birchwood Lane" in text
    assert "ab c d" in text


def test_a_mark_of_another_script_stands_on_a_circle_of_its_own() -> None:
    rendered = render(_page(recipient_name="Anna\N{KHMER VOWEL SIGN U} Roe, José"))

    assert "Roe, José" in _text(rendered.pdf)
    assert rendered.not_shown == ()


@pytest.fixture
def wrong_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table of characters that has one too many, as one would for two that are there and don't join."""
    latin, rest = printable_text._unprintable(plain=True), re.compile("(?!)")  # noqa: SLF001 - what it stands for
    monkeypatch.setattr(printable_text, "_unprintable", lambda *, plain: latin if plain else rest)


@pytest.mark.usefixtures("wrong_table")
def test_a_text_that_cant_be_set_after_all_is_set_plainly_and_no_other() -> None:
    charge = _charge(1, description="Anna \N{EGYPTIAN HIEROGLYPH A001} checkup")
    bill = StatementBill("S-1", "山田", 10_001, 2_001, (StatementVisit(None, charges=(charge,)),))

    rendered = render(_page(bills=(bill,), recipient_name="王 小明"))

    text = _text(rendered.pdf)
    assert "王 小明" in text
    assert "山田" in text
    assert "Anna □ checkup" in text
    assert rendered.not_shown == ("/bills/0/visits/0/charges/0/description",)


@pytest.mark.usefixtures("wrong_table")
def test_where_typst_doesnt_say_which_text_it_is_all_are_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statement_pdf, "failed_texts", lambda _: frozenset())

    rendered = render(_page(recipient_name="Ann \N{EGYPTIAN HIEROGLYPH A001}", message="José 王"))

    assert "José □" in _text(rendered.pdf)
    assert set(rendered.not_shown) == {"/recipient_name", "/message"}


def test_a_page_without_bills_is_a_page() -> None:
    """Nothing but the sum and how to pay it."""
    text = _text(render_statement(_page(bills=(), message="", organization_message="", aging=None)))

    assert "$40.01" in text
    assert "Description" not in text


@pytest.mark.parametrize("amount", [0, -1_250])
def test_nothing_is_asked_for_when_nothing_is_owed(amount: int) -> None:
    """A credit is called one, and the page neither threatens nor asks for a payment."""
    page = _page(amount_due=amount, notification_type=NotificationType.PAST_DUE, credit=5_000, aging=None)

    text = _text(render_statement(page))

    assert "Past-due" not in text
    assert "No payment is due" in text
    assert "Amount enclosed" not in text
    assert ("Credit balance" in text) == (amount < 0)
    assert ("$12.50" in text) == (amount < 0)
    assert "-$12.50" not in text


def test_huge_amounts_have_room() -> None:
    """The largest amounts a statement can hold stay apart from their neighbours."""
    charge = _charge(1, billed=9_999_999_999, insurance_paid=8_888_888_888, adjustment=-7_777_777_777, balance=1)
    bill = StatementBill("S-1", "Ole", 9_999_999_999, 1, (StatementVisit(None, charges=(charge,)),))

    text = _text(render_statement(_page(bills=(bill,), amount_due=9_999_999_999)))

    assert "99,999,999.99 88,888,888.88 -77,777,777.77 5.00 0.01" in text
    assert "$99,999,999.99" in text


def test_the_same_page_gives_the_same_bytes() -> None:
    """A letter rendered again is the letter that was rendered, whatever came between."""
    first = render_statement(_page())
    other = render_statement(_page(recipient_name="Somebody Else"))

    assert render_statement(_page()) == first
    assert other != first


@pytest.mark.parametrize("token", ["short", "aB3_xY9-qZ0" * 4, "x" * 200])
def test_the_code_reads_at_a_hundred_dots_per_inch(token: str) -> None:
    """The QR code of a page scanned coarsely opens the payment page."""
    page = _page(pay_url=f"https://abcdefghij.execute-api.us-east-1.amazonaws.com/prod/pay/{token}")

    with _open(render_statement(page)) as document:
        picture = document[0].get_pixmap(dpi=100, colorspace=mupdf.csGRAY)
    pixels = memoryview(picture.samples).cast("B", (picture.height, picture.width))

    assert [code.text for code in zxingcpp.read_barcodes(pixels)] == [page.pay_url]


def test_links_lead_where_they_say_and_hold_text() -> None:
    """Whoever reads the PDF on a screen can follow both links."""
    page = _page()

    with _open(render_statement(page)) as document:
        links = {link["uri"]: document[0].get_textbox(link["from"]) for link in document[0].get_links()}

    assert set(links) == {page.pay_url, page.pay_page_url}
    assert "payment page" in links[page.pay_url]
    assert page.pay_page_url in links[page.pay_page_url].replace("\n", "")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"language": Language.SPANISH, "notification_type": NotificationType.FINAL},
        {"bills": (_bill(60),)},
        {
            "bills": (_bill(3, "S-1"), _bill(4, "S-2", "Siri"), _bill(1, "S-3", "Nils")),
            "credit": 100,
            "language": Language.SPANISH,
        },
        {"amount_due": -5, "aging": None},
        {"practice": replace(_PRACTICE, logo=_picture())},
        {
            "practice": replace(_PRACTICE, name="Sisters of the Sacred Heart Center for Women and Their Children"),
            "bills": (_bill(60),),
            "language": Language.SPANISH,
        },
    ],
)
def test_a_screen_reader_gets_all_of_it(changes: dict[str, Any], tmp_path: Path) -> None:
    """No rule of PDF/UA-1 or WCAG is broken: tags, table headers, alternative texts, title, language, artifacts."""
    assert _errors(render_statement(_page(**changes)), tmp_path) == []


def test_title_and_date_are_the_statements() -> None:
    """The document names the practice and the date, not the patient; its own date is the statement's."""
    with _open(render_statement(_page())) as document:
        metadata = document.metadata

    assert metadata["title"] == "Statement from Lakeshore Family Medicine, PLLC, March 5, 2026"
    assert metadata["creationDate"].startswith("D:20260305")


@pytest.mark.parametrize(
    "logo",
    [_picture(), b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 3"><path d="M0 0h9v3z"/></svg>'],
)
def test_the_logo_is_on_the_page_and_clear_of_the_windows(logo: bytes) -> None:
    """A picture adds to the page and takes nothing from it."""
    page = _page(practice=replace(_PRACTICE, logo=logo))

    rendered = render(page)

    assert rendered.not_shown == ()
    assert rendered.pdf != render_statement(_page())
    assert "Make checks payable to Lakeshore" in _text(rendered.pdf)
    with _open(rendered.pdf) as document, _open(render_statement(_page())) as without:
        shapes = {drawing["rect"] for drawing in without[0].get_drawings()}
        drawn = [drawing["rect"] for drawing in document[0].get_drawings() if drawing["rect"] not in shapes]
        pictures = [picture["bbox"] for picture in document[0].get_image_info()]
        for left, *_ in some([*drawn, *pictures]):
            assert left > (0.5 + 3.5) * _POINTS


@pytest.mark.parametrize("logo", [b"no picture", b"\x89PNG\r\n\x1a\nbroken"])
def test_a_broken_logo_is_left_out_and_reported(logo: bytes) -> None:
    """A statement isn't held up by a picture."""
    rendered = render(_page(practice=replace(_PRACTICE, logo=logo)))

    assert rendered.not_shown == ("/practice/logo",)
    assert "Amount due" in _text(rendered.pdf)


def test_payments_go_to_the_practice_where_no_other_address_is_given() -> None:
    """The slip always has an address."""
    with _open(render_statement(_page(practice=replace(_PRACTICE, remit_to_lines=())))) as document:
        lines = document[0].get_text()

    assert lines.count("1200 Harbor View Drive") == 2
