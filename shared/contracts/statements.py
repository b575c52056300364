"""Statements as partners send them (`statement_bodies.py`), read into the domain's words.

What makes a statement unusable is an error; contact data that can't be used is a warning, and the statement goes
without it (docs/rules.md#unusable-contact-data); what is read although it is written otherwise is a warning too
(docs/rules.md, Reading what partners send). All say where by a JSON pointer relative to the statement, never the value.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from shared.contracts.contact_reading import ContactReader, given_of
from shared.contracts.plain_text import NO_CONTROL_CHARACTERS
from shared.contracts.statement_bodies import (
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
from shared.contracts.statement_mending import mended, yes_or_no
from shared.domain.records.ingestion import Remark
from shared.domain.records.statement import (
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
from shared.domain.vocabulary.json_pointers import pointer_to
from shared.domain.vocabulary.money import Cents
from shared.domain.vocabulary.words import DUNNING_TYPES

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
    """A valid statement, with what had to be mended in it or left out.

    language_given: whether it names a language; without one a known preference stands.
    unusable: pointers to contact data that is given and can't be used.
    """

    statement: Statement
    warnings: tuple[Remark, ...] = ()
    language_given: bool = False
    unusable: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPaymentUpdate:
    """A valid payment update, with what had to be mended in it."""

    update: PaymentUpdate
    warnings: tuple[Remark, ...] = ()


def read_statement(value: Any) -> ReadStatement:  # noqa: ANN401 - any decoded JSON
    """Validate one decoded statement (shared.domain.vocabulary.json_documents). Raises UnreadableStatementError."""
    body, told = _valid(StatementBody, value)
    return _Reader(body, ContactReader(mends=told)).read()


def read_document(document: bytes) -> Statement:
    """The statement of a stored bill's document.

    Raises UnreadableStatementError if it was never a valid one, or is erased (docs/rules.md#erasure).
    """
    if not document:
        raise UnreadableStatementError(())
    return read_statement(DECODER.decode(document.decode())).statement


def read_payment_update(value: Any) -> ReadPaymentUpdate:  # noqa: ANN401 - any decoded JSON
    """Validate one decoded payment update. Raises UnreadableStatementError."""
    body, told = _valid(PaymentUpdateBody, value)
    update = PaymentUpdate(
        statement_id=body.statement_id,
        client_id=body.client_id,
        transactions=tuple(
            PartnerTransaction(
                transaction_id=transaction.transaction_id or "",
                transaction_date=transaction.transaction_date,
                amount=transaction.transaction_amt,
            )
            for transaction in body.partner_transactions
        ),
    )
    return ReadPaymentUpdate(update=update, warnings=tuple(told[:MOST_REMARKS]))


def transactions_only(value: Any) -> bool:  # noqa: ANN401 - any decoded JSON
    """Whether a statement says of itself that it brings transactions only, whatever its file is."""
    return isinstance(value, dict) and yes_or_no(value.get("partnerTransactionsOnly")) is True


# --- errors ---------------------------------------------------------------------------------------------------


def _valid[T: Body](model: type[T], value: Any) -> tuple[T, list[Remark]]:  # noqa: ANN401 - any decoded JSON
    """The body, and what of it had to be mended before it could be read."""
    try:
        return model.model_validate(value), []
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=True)
    mend = mended(value, faults)
    if mend is not None:
        try:
            body = model.model_validate(mend.document)
        except ValidationError as error:
            faults = error.errors(include_url=False, include_context=True)
        else:
            return body, [Remark(pointer_to(place), why) for place, why in mend.told]
    remarks = [remark for details in faults for remark in _remarks(details)]
    raise UnreadableStatementError(tuple(remarks[:MOST_REMARKS]))


ERROR_MESSAGES = {
    "missing": "is required",
    "string_type": "must be text",
    "string_unicode": "must not hold broken Unicode",
    "string_too_long": "must have at most {max_length} characters",
    "list_type": "must be a list",
    "too_short": "must have at least one entry",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
}


def _remarks(details: ErrorDetails) -> Iterator[Remark]:
    """An error of the model in our own words, which name no value."""
    pointer = pointer_to(details["loc"])
    value = details["input"]
    if isinstance(value, Ambiguous):
        yield from (Remark(f"{pointer}{pointer_to([name])}", "appears more than once") for name in value.twice)
    elif value is None and pointer:
        yield Remark(pointer, "is required")
    elif details["type"] == "string_pattern_mismatch":
        blank = not str(value).strip()
        yield Remark(pointer, "must not be blank" if blank else NO_CONTROL_CHARACTERS)
    elif details["type"] in ERROR_MESSAGES:
        yield Remark(pointer, ERROR_MESSAGES[details["type"]].format(**details.get("ctx", {})))
    else:
        # Messages of our own validators; they name no value either.
        yield Remark(pointer, details["msg"])


# --- from the model to the domain -----------------------------------------------------------------------------


@dataclass(slots=True)
class _Reader:
    """Turns one valid body into a domain statement; `contact` notes what has to be mended of it or left out."""

    body: StatementBody
    contact: ContactReader

    def read(self) -> ReadStatement:
        body = self.body
        guarantor = self._guarantor(body.guarantor)
        statement = Statement(
            statement_id=body.statement_id,
            client_id=body.client_id,
            statement_date=body.statement_date,
            total_billed=body.total_billed,
            total_balance=body.total_balance,
            message=body.statement_message or "",
            message_es=body.statement_message_es or "",
            dunning_status=self._dunning_status(body.dunning_status),
            reset_bill=body.reset_bill,
            opt_outs=self._opt_outs(),
            location_name=body.location_name or "",
            account_credit=self._account_credit(body.guarantor.account_credit),
            guarantor=guarantor,
            bill_to=self._bill_to(body.bill_to),
            patients=tuple(self._patient(f"/patients/{n}", patient) for n, patient in enumerate(body.patients)),
        )
        contact = self.contact
        if contact.errors:
            raise UnreadableStatementError(tuple(contact.errors[:MOST_REMARKS]))
        return ReadStatement(
            statement=statement,
            # What can't be used comes first, so that what is cut off is what was mended.
            warnings=(*contact.warnings, *contact.mends)[:MOST_REMARKS],
            language_given=given_of(body.guarantor.language) is not None,
            unusable=frozenset(contact.unusable),
        )

    def _guarantor(self, body: GuarantorBody) -> Guarantor:
        return Guarantor(
            guarantor_id=body.guarantor_id or "",
            first_name=self.contact.name("/guarantor/firstName", body.first_name),
            last_name=self.contact.name("/guarantor/lastName", body.last_name),
            date_of_birth=body.date_of_birth,
            email=self.contact.email("/guarantor/email", body.email),
            mobile_phone=self.contact.phone("/guarantor/mobilePhone", body.mobile_phone),
            home_phone=self.contact.phone("/guarantor/homePhone", body.home_phone),
            language=self.contact.language(body.language),
            address=self.contact.address(body.address),
            address_status=self.contact.address_status(body.address_status),
        )

    def _account_credit(self, value: object) -> Cents | None:
        given = given_of(value)
        found = usable_amount(given) if given is not None else None
        if given is not None and (found is None or found < 0):
            self.contact.warn("/guarantor/accountCredit", "isn't an amount of zero or more; the credit stays as it is")
            return None
        return found

    def _bill_to(self, body: BillToBody | None) -> BillTo | None:
        if body is None:
            return None
        return BillTo(
            name=self.contact.name("/billTo/name", body.name),
            email=self.contact.email("/billTo/email", body.email),
            mobile_phone=self.contact.phone("/billTo/mobilePhone", body.mobile_phone),
        )

    def _patient(self, pointer: str, body: PatientBody) -> Patient:
        visits = [(n, visit) for n, visit in enumerate(body.visits or ()) if visit is not None]
        return Patient(
            account_id=body.account_id,
            first_name=self.contact.name(f"{pointer}/firstName", body.first_name),
            last_name=self.contact.name(f"{pointer}/lastName", body.last_name),
            date_of_birth=body.date_of_birth,
            email=self.contact.email(f"{pointer}/email", body.email),
            mobile_phone=self.contact.phone(f"{pointer}/mobilePhone", body.mobile_phone),
            visits=tuple(self._visit(f"{pointer}/visits/{n}", visit) for n, visit in visits),
        )

    def _visit(self, pointer: str, body: VisitBody) -> Visit:
        return Visit(
            visit_id=body.visit_id or "",
            date=body.date,
            provider=self._provider(f"{pointer}/provider", body.provider),
            location_name=body.location_name or "",
            charges=tuple(
                Charge(
                    date=charge.date,
                    code=charge.code or "",
                    description=charge.description,
                    billed=charge.billed,
                    insurance_paid=charge.insurance_paid,
                    adjustment=charge.adjustment,
                    patient_paid=charge.patient_paid,
                    balance=charge.balance,
                )
                for charge in body.charges or ()
                if charge is not None
            ),
        )

    def _provider(self, pointer: str, body: ProviderBody | None) -> Provider | None:
        if body is None:
            return None
        email = self.contact.email(f"{pointer}/email", body.email)
        return Provider(provider_id=body.id or "", name=body.name, email=email)

    def _dunning_status(self, value: object) -> str:
        given = given_of(value)
        word = str(given) if isinstance(given, int) and not isinstance(given, bool) else given
        if isinstance(word, str) and (word in DUNNING_TYPES or LEVEL.fullmatch(word)):
            return word
        if given is not None:
            self.contact.warn("/dunningStatus", "isn't a step that we know; the bill ages naturally")
        return ""

    def _opt_outs(self) -> OptOuts | None:
        said = [
            opt_outs
            for pointer, value in (
                ("/electronicOptOut", self.body.electronic_opt_out),
                ("/guarantor/electronicOptOut", self.body.guarantor.electronic_opt_out),
            )
            if (opt_outs := self.contact.opt_out(pointer, value)) is not None
        ]
        if not said:
            return None
        return OptOuts(email=any(each.email for each in said), sms=any(each.sms for each in said))
