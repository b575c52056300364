"""Statements as partners send them (`statement_bodies.py`), read into the domain's words.

What makes a statement unusable is an error; contact data that can't be used is a warning, and the statement goes
without it (docs/rules.md#unusable-contact-data). Both say where by a JSON pointer relative to the statement, and never
the value.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from shared.contracts import contact
from shared.contracts.statement_bodies import (
    LONGEST_LINE,
    UNREADABLE,
    BillToBody,
    Body,
    GuarantorBody,
    PatientBody,
    PaymentUpdateBody,
    ProviderBody,
    StatementBody,
    VisitBody,
    usable_amount,
)
from shared.domain.records.ingestion import Remark
from shared.domain.records.statement import (
    Address,
    BillTo,
    Charge,
    Guarantor,
    OptOuts,
    PartnerTransaction,
    Patient,
    PaymentUpdate,
    Provider,
    Statement,
    Visit,
)
from shared.domain.vocabulary.json_documents import DECODER, Ambiguous
from shared.domain.vocabulary.money import Cents
from shared.domain.vocabulary.words import DUNNING_TYPES, AddressStatus, Language

MOST_REMARKS = 50
"""How many errors of one statement are reported."""

LEVEL = re.compile(r"[1-9]\d?", re.ASCII)


class UnreadableStatementError(Exception):
    """A statement can't be taken."""

    def __init__(self, errors: tuple[Remark, ...]) -> None:
        super().__init__()
        self.errors = errors


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadStatement:
    """A valid statement, with what had to be left out of it.

    language_given: whether it names a language; without one a known preference stands.
    time_zones: those that the guarantor's ZIP code and mobile number suggest.
    """

    statement: Statement
    warnings: tuple[Remark, ...] = ()
    language_given: bool = False
    time_zones: tuple[str, ...] = ()


def read_statement(value: Any) -> ReadStatement:  # noqa: ANN401 - any decoded JSON
    """Validate one decoded statement (shared.domain.vocabulary.json_documents). Raises UnreadableStatementError."""
    return _Reader(_valid(StatementBody, value)).read()


def read_document(document: bytes) -> Statement:
    """The statement of a stored bill's document. Raises UnreadableStatementError if it was never a valid one."""
    return read_statement(DECODER.decode(document.decode())).statement


def read_payment_update(value: Any) -> PaymentUpdate:  # noqa: ANN401 - any decoded JSON
    """Validate one decoded payment update. Raises UnreadableStatementError."""
    body = _valid(PaymentUpdateBody, value)
    return PaymentUpdate(
        statement_id=body.statement_id,
        client_id=body.client_id,
        transactions=tuple(
            PartnerTransaction(
                transaction_id=(transaction.transaction_id or "").strip(),
                transaction_date=transaction.transaction_date,
                amount=transaction.transaction_amt,
            )
            for transaction in body.partner_transactions
        ),
    )


def transactions_only(value: Any) -> bool:  # noqa: ANN401 - any decoded JSON
    """Whether a statement says of itself that it brings transactions only, whatever its file is."""
    return isinstance(value, dict) and value.get("partnerTransactionsOnly") in (True, "true")


# --- errors ---------------------------------------------------------------------------------------------------


def _valid[T: Body](model: type[T], value: Any) -> T:  # noqa: ANN401 - any decoded JSON
    try:
        return model.model_validate(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=True)
        remarks = [remark for details in found for remark in _remarks(details)]
        raise UnreadableStatementError(tuple(remarks[:MOST_REMARKS])) from None


ERROR_MESSAGES = {
    "missing": "is required",
    "string_type": "must be text",
    "string_unicode": "must not hold broken Unicode",
    "string_too_long": "must have at most {max_length} characters",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list",
    "too_short": "must have at least one entry",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
}


def _remarks(details: ErrorDetails) -> Iterator[Remark]:
    """An error of the model in our own words, which name no value."""
    pointer = "".join(f"/{_escaped(part)}" for part in details["loc"])
    value = details["input"]
    if isinstance(value, Ambiguous):
        yield from (Remark(f"{pointer}/{_escaped(name)}", "appears more than once") for name in value.twice)
    elif value is None and pointer:
        yield Remark(pointer, "is required")
    elif details["type"] == "string_pattern_mismatch":
        blank = not str(value).strip()
        yield Remark(pointer, "must not be blank" if blank else "must not hold control characters")
    elif details["type"] in ERROR_MESSAGES:
        yield Remark(pointer, ERROR_MESSAGES[details["type"]].format(**details.get("ctx", {})))
    else:
        # Messages of our own validators; they name no value either.
        yield Remark(pointer, details["msg"])


def _escaped(part: int | str) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")


# --- from the model to the domain -----------------------------------------------------------------------------


@dataclass(slots=True)
class _Reader:
    """Turns one valid body into a domain statement and notes what it has to leave out."""

    body: StatementBody
    warnings: list[Remark] = field(default_factory=list)
    errors: list[Remark] = field(default_factory=list)

    def read(self) -> ReadStatement:
        body = self.body
        guarantor = self._guarantor(body.guarantor)
        statement = Statement(
            statement_id=body.statement_id,
            client_id=body.client_id,
            statement_date=body.statement_date,
            total_billed=body.total_billed,
            total_balance=body.total_balance,
            message=(body.statement_message or "").strip(),
            dunning_status=self._dunning_status(body.dunning_status),
            reset_bill=bool(body.reset_bill),
            opt_outs=self._opt_outs(),
            location_name=(body.location_name or "").strip(),
            account_credit=self._account_credit(body.guarantor.account_credit),
            guarantor=guarantor,
            bill_to=self._bill_to(body.bill_to),
            patients=tuple(self._patient(f"/patients/{n}", patient) for n, patient in enumerate(body.patients)),
        )
        if self.errors:
            raise UnreadableStatementError(tuple(self.errors[:MOST_REMARKS]))
        codes = [guarantor.address.postal_code] if guarantor.address else []
        numbers = [guarantor.mobile_phone] if guarantor.mobile_phone else []
        return ReadStatement(
            statement=statement,
            warnings=tuple(self.warnings[:MOST_REMARKS]),
            language_given=_given(body.guarantor.language) is not None,
            time_zones=contact.time_zones(codes, numbers),
        )

    def _guarantor(self, body: GuarantorBody) -> Guarantor:
        return Guarantor(
            guarantor_id=(body.guarantor_id or "").strip(),
            first_name=body.first_name.strip(),
            last_name=body.last_name.strip(),
            date_of_birth=body.date_of_birth,
            email=self._email("/guarantor/email", body.email),
            mobile_phone=self._phone("/guarantor/mobilePhone", body.mobile_phone),
            home_phone=self._phone("/guarantor/homePhone", body.home_phone),
            language=self._language(body.language),
            address=self._address(body.address),
            address_status=self._address_status(body.address_status),
        )

    def _account_credit(self, value: object) -> Cents | None:
        given = _given(value)
        found = usable_amount(given) if given is not None else None
        if given is not None and (found is None or found < 0):
            self._warn("/guarantor/accountCredit", "isn't an amount of zero or more; the credit stays as it is")
            return None
        return found

    def _bill_to(self, body: BillToBody | None) -> BillTo | None:
        if body is None:
            return None
        return BillTo(
            name=body.name.strip(),
            email=self._email("/billTo/email", body.email),
            mobile_phone=self._phone("/billTo/mobilePhone", body.mobile_phone),
        )

    def _patient(self, pointer: str, body: PatientBody) -> Patient:
        visits = enumerate(body.visits or ())
        return Patient(
            account_id=body.account_id,
            first_name=body.first_name.strip(),
            last_name=body.last_name.strip(),
            date_of_birth=body.date_of_birth,
            email=self._email(f"{pointer}/email", body.email),
            mobile_phone=self._phone(f"{pointer}/mobilePhone", body.mobile_phone),
            visits=tuple(self._visit(f"{pointer}/visits/{n}", visit) for n, visit in visits),
        )

    def _visit(self, pointer: str, body: VisitBody) -> Visit:
        return Visit(
            visit_id=(body.visit_id or "").strip(),
            date=body.date,
            provider=self._provider(f"{pointer}/provider", body.provider),
            location_name=(body.location_name or "").strip(),
            charges=tuple(
                Charge(
                    date=charge.date,
                    code=charge.code or "",
                    description=charge.description.strip(),
                    billed=charge.billed,
                    insurance_paid=charge.insurance_paid,
                    adjustment=charge.adjustment,
                    patient_paid=charge.patient_paid,
                    balance=charge.balance,
                )
                for charge in body.charges or ()
            ),
        )

    def _provider(self, pointer: str, body: ProviderBody | None) -> Provider | None:
        if body is None:
            return None
        email = self._email(f"{pointer}/email", body.email)
        return Provider(provider_id=(body.id or "").strip(), name=body.name.strip(), email=email)

    # Contact data: used, absent, or left out with a warning.

    def _warn(self, pointer: str, detail: str) -> None:
        self.warnings.append(Remark(pointer, detail))

    def _email(self, pointer: str, value: object) -> str:
        given = _given(value)
        if given is None:
            return ""
        found = contact.email_address(given) if isinstance(given, str) else None
        if found is None:
            self._warn(pointer, "isn't a usable email address; it isn't used")
        return found or ""

    def _phone(self, pointer: str, value: object) -> str:
        given = _given(value)
        if given is None:
            return ""
        text = str(given) if isinstance(given, int) and not isinstance(given, bool) else given
        found = contact.phone_number(text) if isinstance(text, str) else None
        if found is None:
            self._warn(pointer, "isn't a usable phone number; it isn't used")
        return found or ""

    def _language(self, value: object) -> Language:
        given = _given(value)
        word = given.casefold() if isinstance(given, str) else given
        if word in tuple(Language):
            return Language(word)
        if given is not None:
            self._warn("/guarantor/language", "isn't a language that we write in; English is used")
        return Language.ENGLISH

    def _address_status(self, value: object) -> AddressStatus | None:
        given = _given(value)
        word = given.upper() if isinstance(given, str) else given
        if word in tuple(AddressStatus):
            return AddressStatus(word)
        if given is not None:
            self._warn("/guarantor/addressStatus", "isn't one of Y, S, D and N; it isn't used")
        return None

    def _address(self, value: object) -> Address | None:
        pointer = "/guarantor/address"
        if isinstance(value, Ambiguous):
            self.errors += [Remark(f"{pointer}/{_escaped(name)}", "appears more than once") for name in value.twice]
            return None
        if value is None:
            self._warn(pointer, "is missing; nothing can be mailed")
            return None
        if not isinstance(value, dict):
            self._warn(pointer, "must be an object; nothing can be mailed")
            return None
        lines = {name: self._address_line(f"{pointer}/{name}", value.get(name), name) for name in ADDRESS_LINES}
        if any(line is None for line in lines.values()):
            return None
        return Address(
            line1=lines["line1"] or "",
            line2=lines["line2"] or "",
            city=lines["city"] or "",
            state=lines["state"] or "",
            postal_code=lines["postalCode"] or "",
        )

    def _address_line(self, pointer: str, value: object, name: str) -> str | None:
        """A line of the address; None, with a remark: nothing can be mailed."""
        given = _given(value)
        if isinstance(given, str) and UNREADABLE.search(given):
            self.errors.append(Remark(pointer, "must not hold control characters or broken Unicode"))
            return None
        if given is None:
            if name == "line2":
                return ""
            self._warn(pointer, "is missing; nothing can be mailed")
            return None
        if name == "postalCode":
            digits = f"{given:05d}" if isinstance(given, int) and not isinstance(given, bool) else given
            code = contact.postal_code(digits) if isinstance(digits, str) else None
            if code is None:
                self._warn(pointer, "isn't a ZIP code; nothing can be mailed")
            return code
        if not isinstance(given, str) or len(given) > LONGEST_LINE:
            self._warn(pointer, f"must be text of at most {LONGEST_LINE} characters; nothing can be mailed")
            return None
        return given

    def _dunning_status(self, value: object) -> str:
        given = _given(value)
        word = str(given) if isinstance(given, int) and not isinstance(given, bool) else given
        if isinstance(word, str) and (word in DUNNING_TYPES or LEVEL.fullmatch(word)):
            return word
        if given is not None:
            self._warn("/dunningStatus", "isn't a step that we know; the bill ages naturally")
        return ""

    def _opt_outs(self) -> OptOuts | None:
        said = [
            opt_outs
            for pointer, value in (
                ("/electronicOptOut", self.body.electronic_opt_out),
                ("/guarantor/electronicOptOut", self.body.guarantor.electronic_opt_out),
            )
            if (opt_outs := self._opt_out(pointer, value)) is not None
        ]
        if not said:
            return None
        return OptOuts(email=any(each.email for each in said), sms=any(each.sms for each in said))

    def _opt_out(self, pointer: str, value: object) -> OptOuts | None:
        """What an opt-out says; unreadable: out of everything electronic, to be on the safe side."""
        given = _given(value)
        word = given.casefold() if isinstance(given, str) else given
        if word is None or word is False or word == "false":
            return None
        if word is True or word in ("true", "b"):
            return OptOuts(email=True, sms=True)
        if word in ("e", "m"):
            return OptOuts(email=word == "e", sms=word == "m")
        self._warn(pointer, "can't be read; taken as opted out of email and text")
        return OptOuts(email=True, sms=True)


ADDRESS_LINES = ("line1", "line2", "city", "state", "postalCode")


def _given(value: Any) -> Any:  # noqa: ANN401 - any decoded JSON
    """A value without the space around it; None for one that is absent, null or blank."""
    text = value.strip() if isinstance(value, str) else value
    return None if text == "" else text
