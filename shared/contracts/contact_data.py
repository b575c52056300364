"""Addresses, phone numbers and email addresses as the partner API takes them: strict, because a person can correct it.

Statements are more forgiving: there, contact data that can't be used is a warning
(docs/rules.md#unusable-contact-data).
"""

from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from shared.contracts import contact
from shared.contracts.wire import Line, NamedLine, WireModel
from shared.domain.records import statement
from shared.domain.vocabulary.postal_codes import postal_code

_STATES = (
    "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR"
    " PA RI SC SD TN TX UT VT VA WA WV WI WY AS GU MP PR VI UM FM MH PW AA AE AP"
)
STATES = frozenset(_STATES.split())
"""What USPS takes for a state: also the District, territories, associated states, military posts (Pub. 28, app. B)."""


def _nothing(value: object) -> object:
    return "" if value is None else value


def _or_null(value: str) -> str | None:
    return value or None


def _state(value: str) -> str:
    if value.upper() not in STATES:
        raise ValueError("must be the two letters of a US state or territory")
    return value.upper()


def _postal_code(value: str) -> str:
    code = postal_code(value)
    if code is None:
        raise ValueError("must be a ZIP code of five or nine digits")
    return code


def _phone(value: str) -> str:
    number = contact.phone_number(value) if value else ""
    if number is None:
        raise ValueError("must be a phone number with its area code")
    return number


def _email(value: str) -> str:
    address = contact.email_address(value) if value else ""
    if address is None:
        raise ValueError("must be an email address")
    return address


def _time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError("must be a time zone of the IANA database, such as America/New_York") from None
    return value


_NULLABLE = {"type": ["string", "null"]}
MaybeLine = Annotated[
    Line, BeforeValidator(_nothing), PlainSerializer(_or_null, return_type=str | None), WithJsonSchema(_NULLABLE)
]
"""A line of text, or null for none; the empty string inside."""

MaybePhone = Annotated[
    Line,
    BeforeValidator(_nothing),
    AfterValidator(_phone),
    PlainSerializer(_or_null, return_type=str | None),
    WithJsonSchema({**_NULLABLE, "examples": ["+12125550123"]}),
]
"""A phone number, of the US unless it says otherwise; E.164 inside."""

MaybeEmail = Annotated[
    Line,
    BeforeValidator(_nothing),
    AfterValidator(_email),
    PlainSerializer(_or_null, return_type=str | None),
    WithJsonSchema({**_NULLABLE, "examples": ["billing@example.com"]}),
]
"""An email address of the right form; whether it takes mail is not asked."""

TimeZone = Annotated[
    Line, AfterValidator(_time_zone), WithJsonSchema({"type": "string", "examples": ["America/Chicago"]})
]
"""A time zone's name in the IANA database."""


class AddressBody(WireModel):
    """A US mailing address."""

    line1: Annotated[NamedLine, Field(max_length=80)]
    line2: Annotated[MaybeLine, Field(max_length=80)] = ""
    city: Annotated[NamedLine, Field(max_length=60)]
    state: Annotated[Line, AfterValidator(_state)]
    postal_code: Annotated[Line, AfterValidator(_postal_code)]

    @classmethod
    def of(cls, address: statement.Address) -> "AddressBody":
        """An address as it is stored, which needn't be as strict."""
        return cls.model_construct(
            line1=address.line1,
            line2=address.line2,
            city=address.city,
            state=address.state,
            postal_code=address.postal_code,
        )

    def domain(self) -> statement.Address:
        """The address for the rules."""
        return statement.Address(
            line1=self.line1,
            line2=self.line2,
            city=self.city,
            state=self.state,
            postal_code=self.postal_code,
        )
