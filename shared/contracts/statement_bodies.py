"""The fields of a statement and of a payment update as partners send them (docs/rules.md#statement-fields).

What a field plainly is is said here; what of it is read although it is written otherwise, by `statement_mending.py`;
what a statement comes to in the domain's words, by `statements.py`. Contact data may be anything here, because what
can't be used of it never fails a statement (docs/rules.md#unusable-contact-data).
"""

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, PlainValidator, StringConstraints
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from shared.contracts.plain_text import NOT_BLANK, ONE_LINE, PARAGRAPHS, UNREADABLE, UNREADABLE_TEXT
from shared.domain.vocabulary.money import Cents, cents

FIRST_YEAR, LAST_YEAR = 1850, 2199
"""Dates outside of these are slips of the pen, and date arithmetic has room on both sides."""

LONGEST_NAME = 100
LONGEST_LINE = 100
LONGEST_TEXT = 1000

AN_AMOUNT = 'must be an amount, such as 74.60 or "74.60"'
WHOLE_DIGITS = 8
PLAIN_AMOUNT = re.compile(r"(-?)(\d{1,8})(?:\.(\d{1,2}))?", re.ASCII)
QUOTED_AMOUNT = re.compile(r"-?\d{1,40}(\.\d{1,40})?", re.ASCII)

A_DATE = "must be a date, such as 2026-01-31"
DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)

PLACEHOLDERS = frozenset(map(date.fromisoformat, ("1899-12-30", "1899-12-31", "1900-01-01")))
"""What spreadsheets and databases show for a date that isn't there, beside years that no date of ours has."""


def _amount(value: object) -> Cents:
    """A JSON number or a quoted one, exact (docs/rules.md#exact-amounts)."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise PydanticCustomError("amount", AN_AMOUNT)
    plain = PLAIN_AMOUNT.fullmatch(str(value))
    if plain:
        sign, whole, fraction = plain.groups(default="")
        amount = int(whole + fraction.ljust(2, "0"))
        return -amount if sign else amount
    return _unusual_amount(value)


def _unusual_amount(value: str | Decimal | int) -> Cents:
    """An amount with space around it, too large, with more decimals, or in another of JSON's ways to write a number."""
    if isinstance(value, str) and not QUOTED_AMOUNT.fullmatch(value.strip()):
        raise PydanticCustomError("amount", AN_AMOUNT)
    amount = Decimal(value)
    if not amount.is_finite() or amount.adjusted() >= WHOLE_DIGITS:
        raise PydanticCustomError("amount", "must be an amount that fits decimal(10,2)")
    exponent = amount.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -2:  # noqa: PLR2004 - cents
        raise PydanticCustomError("decimals", "must have at most two decimals")
    return cents(amount)


def usable_amount(value: object) -> Cents | None:
    """An amount as in any field of money; None for what isn't one, where that fails no statement."""
    try:
        return _amount(value)
    except PydanticCustomError:
        return None


def _date(value: object) -> date:
    if not isinstance(value, str):
        raise PydanticCustomError("date", A_DATE)
    return _day(value)


@lru_cache(maxsize=4096)  # the same few days stand on every line
def _day(value: str) -> date:
    if not DATE.fullmatch(value):
        raise PydanticCustomError("date", A_DATE)
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError("date", "must be a day that exists") from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise PydanticCustomError("date", f"must be a day between the years {FIRST_YEAR} and {LAST_YEAR}")
    return day


def _optional_date(value: object) -> date | None:
    if value is None or value == "":
        return None
    try:
        day = _date(value)
    except PydanticCustomError as error:
        raise PydanticCustomError("optional_date", error.message_template) from None
    if day in PLACEHOLDERS:
        raise PydanticCustomError("optional_date", "must be a day")
    return day


def _flag(value: object) -> bool:
    """Yes or no as JSON says it, or null for no."""
    if value is None or isinstance(value, bool):
        return bool(value)
    raise PydanticCustomError("flag", "must be true or false")


def _contact(value: object) -> object:
    """Contact data may be anything, but not text that can't be printed."""
    if isinstance(value, str) and UNREADABLE.search(value):
        raise PydanticCustomError("text", UNREADABLE_TEXT)
    return value


type Amount = Annotated[Cents, PlainValidator(_amount, json_schema_input_type=float | str)]
type StatementDay = Annotated[date, PlainValidator(_date, json_schema_input_type=date)]
type OptionalStatementDay = Annotated[date | None, PlainValidator(_optional_date, json_schema_input_type=date | None)]
type ContactText = Annotated[Any, PlainValidator(_contact, json_schema_input_type=str | None)]
type Flag = Annotated[bool, PlainValidator(_flag, json_schema_input_type=bool | None)]
type Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_TEXT, pattern=ONE_LINE)]
type Message = Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_TEXT, pattern=PARAGRAPHS)]
type Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_NAME, pattern=NOT_BLANK)]


def _id(longest: int, pattern: str = NOT_BLANK) -> StringConstraints:
    return StringConstraints(strip_whitespace=True, max_length=longest, pattern=pattern)


type StatementId = Annotated[str, _id(64)]
type ClientId = Annotated[str, _id(40)]
type AccountId = Annotated[str, _id(55)]


class Body(BaseModel):
    """Members that we don't know are tolerated: partners send more than is asked for."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True, defer_build=True)


class ChargeBody(Body):
    """One line of a visit."""

    date: StatementDay
    code: Text | None = None
    description: Text
    billed: Amount
    insurance_paid: Amount
    adjustment: Amount
    patient_paid: Amount
    balance: Amount


class ProviderBody(Body):
    """Who rendered the service."""

    id: Text | None = None
    name: Name
    email: ContactText = None


class VisitBody(Body):
    """One visit with its charges."""

    visit_id: Text | None = None
    date: StatementDay
    provider: ProviderBody | None = None
    location_name: Text | None = None
    charges: list[ChargeBody | None] | None = None


class PatientBody(Body):
    """Whose care it was."""

    account_id: AccountId
    first_name: Name
    last_name: Name
    date_of_birth: OptionalStatementDay = None
    email: ContactText = None
    mobile_phone: ContactText = None
    visits: list[VisitBody | None] | None = None


class GuarantorBody(Body):
    """Who owes the money."""

    guarantor_id: Annotated[str, _id(55, ONE_LINE)] | None = None
    first_name: Name
    last_name: Name
    date_of_birth: OptionalStatementDay = None
    email: ContactText = None
    mobile_phone: ContactText = None
    home_phone: ContactText = None
    language: ContactText = None
    address: Any = None
    address_status: ContactText = None
    electronic_opt_out: ContactText = None
    account_credit: ContactText = None


class BillToBody(Body):
    """A third party who pays."""

    name: Name
    email: ContactText = None
    mobile_phone: ContactText = None


class StatementBody(Body):
    """One statement."""

    statement_id: StatementId
    client_id: ClientId
    statement_date: OptionalStatementDay = None
    total_billed: Amount
    total_balance: Amount
    statement_message: Message | None = None
    statement_message_es: Message | None = None
    dunning_status: ContactText = None
    reset_bill: Flag = Field(default=False, validation_alias=AliasChoices("resetBill", "billReset"))
    electronic_opt_out: ContactText = None
    location_name: Text | None = None
    guarantor: GuarantorBody
    bill_to: BillToBody | None = None
    patients: Annotated[list[PatientBody], Field(min_length=1)]


class PartnerTransactionBody(Body):
    """Money that reached the practice by another way."""

    transaction_id: Annotated[str, _id(100, ONE_LINE)] | None = None
    transaction_date: StatementDay
    transaction_amt: Amount


class PaymentUpdateBody(Body):
    """A statement that brings transactions only."""

    statement_id: StatementId
    client_id: ClientId
    partner_transactions: list[PartnerTransactionBody]
