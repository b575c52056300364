"""What people type into the pages' forms, read kindly and exactly."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from urllib.parse import parse_qs, quote, unquote

from shared.contracts.plain_text import UNREADABLE
from shared.domain.paying.link_access import AccessQuestion
from shared.domain.paying.objections import MOST_WORDS, Said
from shared.domain.vocabulary.money import Cents, cents
from shared.domain.vocabulary.postal_codes import zip_code
from shared.domain.vocabulary.words import ObjectionKind

MOST_FORM_CHARACTERS = 10_000
MOST_FIELDS = 20
YEAR = re.compile(r"[1-9]\d{3}", re.ASCII)
DAY_OR_MONTH = re.compile(r"0*\d{1,2}", re.ASCII)
PARTS_OF_DATES = {"month": range(1, 13), "day": range(1, 32), "year": range(1000, 10_000)}
MULTIPART = re.compile(
    r"\s*multipart/form-data\s*;.*?\bboundary=(?:\"(?P<quoted>[^\"]+)\"|(?P<bare>[^\s;]+))", re.IGNORECASE
)
PART_NAME = re.compile(r";\s*name=(?:\"(?P<quoted>[^\"]*)\"|(?P<bare>[^\s;]+))", re.IGNORECASE)
UNCHECKED = frozenset({"", "0", "false", "no", "off"})
AMOUNT = re.compile(r"(?P<whole>\d+|\d{1,3}(?:,\d{3})+)?(?P<part>\.\d{0,2})?", re.ASCII)

ISO_DATE = re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})", re.ASCII)
AMERICAN_DATE = re.compile(r"(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4})", re.ASCII)

type Form = dict[str, str]
"""The fields of a form; of one sent twice, the first."""

MOST_KEPT = 200
"""Characters of a field that are kept for a form that is shown again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormDraft:
    """What was typed into the pay form and not sent on yet, because the question had to be answered once more."""

    amount: str = ""
    statement_id: str = ""

    @classmethod
    def of(cls, form: Form) -> "FormDraft":
        """What a form holds of it."""
        return cls(amount=form.get("amount", "")[:MOST_KEPT], statement_id=form.get("statementId", "")[:MOST_KEPT])


def cookie_value(secret: str, draft: FormDraft) -> str:
    """What a browser keeps: its secret, and a draft for the next page alone; a page doesn't hand it on."""
    kept = (secret, draft.amount, draft.statement_id) if draft != FormDraft() else (secret,)
    return ":".join(quote(part, safe="") for part in kept)


def read_cookie(value: str) -> tuple[str, FormDraft]:
    """The secret and the draft in what a browser kept, made up or not."""
    secret, amount, statement_id, *_ = (*(unquote(part) for part in value.split(":")), "", "")
    return secret, FormDraft.of({"amount": amount, "statementId": statement_id})


class FormError(Exception):
    """The body is no form of ours."""


@dataclass
class FieldProblem(Exception):  # noqa: N818 - a person's slip, shown next to its field
    """A field can't be read. `text` names the words to say about it; also: further fields that can't be."""

    field: str
    text: str
    also: "tuple[FieldProblem, ...]" = ()


def read_form(body: str, content_type: str = "") -> Form:
    """The fields of a form, URL-encoded or multipart; raises FormError when there are too many or it is too long."""
    if len(body) > MOST_FORM_CHARACTERS:
        raise FormError
    multipart = MULTIPART.match(content_type)
    if multipart:
        return _read_multipart(body, multipart["quoted"] or multipart["bare"])
    try:
        fields = parse_qs(body, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise FormError from None
    return {name: values[0].strip() for name, values in fields.items()}


def _read_multipart(body: str, boundary: str) -> Form:
    """The fields of a multipart form, as mail programs may send their one click (RFC 8058).

    However many dashes stand before the boundary: that RFC's own example has two too few. What is no field is left out.
    """
    separator = rf"\n-+{re.escape(boundary.lstrip('-'))}(?:--)?[ \t]*(?=\n|$)"
    parts = re.split(separator, "\n" + body.replace("\r\n", "\n"))
    if len(parts) > MOST_FIELDS + 2:
        raise FormError
    form: Form = {}
    for part in parts:
        head, gap, value = part.partition("\n\n")
        name = PART_NAME.search(head)
        if gap and name:
            form.setdefault(name["quoted"] or name["bare"] or "", value.strip())
    return form


def checked(form: Form, field: str) -> bool:
    """Whether a box is checked. A browser leaves an unchecked one out; a script may say so in a word."""
    return form.get(field, "").casefold() not in UNCHECKED


def read_answer(form: Form, asked: AccessQuestion, today: date) -> date | str:
    """The answer to what was asked; raises FieldProblem for what can't be one, which is no wrong answer."""
    if asked is AccessQuestion.POSTAL_CODE:
        code = zip_code(form.get("postalCode", ""))
        if code is None:
            raise FieldProblem("postalCode", "problem_postal_code")
        return code
    return _birth_date(form, today)


def _birth_date(form: Form, today: date) -> date:
    """A date from its three fields; all that is wrong with them is told at once."""
    slips = [slip for field in ("month", "day", "year") if (slip := _slip(field, form.get(field, "")))]
    if slips:
        raise FieldProblem(slips[0].field, slips[0].text, tuple(slips[1:]))
    try:
        born = date(int(form["year"]), int(form["month"]), int(form["day"]))
    except ValueError:
        raise FieldProblem("day", "problem_day") from None
    if born > today:
        raise FieldProblem("year", "problem_future")
    return born


def _slip(field: str, typed: str) -> FieldProblem | None:
    """What is wrong with one field of a date by itself."""
    if not typed:
        return FieldProblem(field, f"problem_{field}_missing")
    readable = YEAR.fullmatch(typed) if field == "year" else DAY_OR_MONTH.fullmatch(typed)
    if not readable or int(typed) not in PARTS_OF_DATES[field]:
        return FieldProblem(field, f"problem_{field}")
    return None


def read_amount(form: Form) -> Cents | None:
    """The amount to pay; None: the form didn't ask. Raises FieldProblem for what isn't an amount in dollars."""
    typed = form.get("amount")
    if typed is None:
        return None
    if not typed:
        raise FieldProblem("amount", "problem_amount_missing")
    match = AMOUNT.fullmatch(typed.removeprefix("$").strip())
    if match is None or not any(sign.isdecimal() for sign in typed):
        raise FieldProblem("amount", "problem_amount")
    whole = (match["whole"] or "0").replace(",", "")
    try:
        return cents(Decimal(whole + (match["part"] or "").rstrip(".")))
    except ValueError:
        raise FieldProblem("amount", "problem_amount") from None


def read_objection(form: Form, statement_ids: Collection[str], recipient: str) -> Said:
    """What is said against a bill, or all of them; raises FieldProblem for what can't be."""
    kind, about = form.get("kind", ""), form.get("statementId", "")
    if kind not in set(ObjectionKind):
        raise FieldProblem("kind-AlreadyPaid", "problem_kind_missing")
    if about and about not in statement_ids:
        raise FieldProblem("about", "problem_about_gone")
    # Line breaks stay; no other sign is kept that a person can't read.
    text = "\n".join(UNREADABLE.sub("", line) for line in form.get("text", "").splitlines()).strip()
    if len(text) > MOST_WORDS:
        raise FieldProblem("text", "problem_text_long")
    return Said(kind=ObjectionKind(kind), recipient=recipient, statement_id=about, text=text)


def read_reminder_day(form: Form, days: tuple[date, date]) -> date:
    """The day to be reminded on, within a first and a last one; raises FieldProblem.

    Browsers send dates as ISO 8601 has them; one that shows a plain field sends what was typed, as Americans do.
    """
    typed = form.get("on", "")
    if not typed:
        raise FieldProblem("on", "problem_on_missing")
    day = _iso_or_american(typed)
    if day is None:
        raise FieldProblem("on", "problem_on")
    if not days[0] <= day <= days[1]:
        raise FieldProblem("on", "problem_on_range")
    return day


def _iso_or_american(typed: str) -> date | None:
    match = ISO_DATE.fullmatch(typed) or AMERICAN_DATE.fullmatch(typed)
    try:
        return date(int(match["year"]), int(match["month"]), int(match["day"])) if match else None
    except ValueError:
        return None
