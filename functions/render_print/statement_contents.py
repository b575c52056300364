"""What a letter's statement shows, taken from the account's book and the documents of its bills."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from functions.render_print.statement_page import (
    AgingBuckets,
    LetterPractice,
    StatementBill,
    StatementCharge,
    StatementPage,
    StatementVisit,
)
from shared.contracts.statements import read_document
from shared.domain.delivery.orders import Order
from shared.domain.paying.link_access import question
from shared.domain.paying.payments import oldest_first
from shared.domain.records.bill import Bill
from shared.domain.records.policy import Organization
from shared.domain.records.statement import Statement, Visit
from shared.rendering.facts import address_lines, message_variables, readable_phone
from shared.rendering.letter_message import render_letter_message


@dataclass(frozen=True, slots=True)
class BillDocument:
    """A bill with the statement that it came from."""

    bill: Bill
    statement: Statement


def statement_page(order: Order, base_url: str) -> StatementPage:
    """The statement of an order: what is asked to be paid, oldest bill first, as documents and ledger say it.

    Raises NoSuchTemplateError for a type that doesn't go by letter, UnreadableStatementError for a document that can't
    be read.
    """
    organization, guarantor = order.organization, order.book.account.guarantor
    today = order.now.astimezone(organization.zone).date()
    bills = oldest_first(order.asked_bills, organization)
    documents = [BillDocument(bill, read_document(bill.document)) for bill in bills]
    variables = message_variables(order, base_url)
    return StatementPage(
        language=guarantor.language,
        practice=_practice(organization),
        recipient_name=order.contact.name,
        recipient_address_lines=address_lines(order.contact.address) if order.contact.address else (),
        account_number=order.notice.account_id,
        statement_date=today,
        due_date=min((bill.due_date(organization.dunning.days_until_due) for bill in bills), default=today),
        amount_due=order.amount_due,
        notification_type=order.notice.worded_as,
        message=render_letter_message(order.notice.worded_as, guarantor.language, variables),
        bills=tuple(_bill(document, organization) for document in documents),
        pay_url=variables.link,
        pay_page_url=f"{base_url}/bill",
        bill_code=order.link.code,
        asked=question(order.book, order.link.link),
        organization_message=_organization_message(documents, organization),
        aging=_aging(bills, today),
    )


def _practice(organization: Organization) -> LetterPractice:
    remit_to = organization.remit_address
    return LetterPractice(
        name=organization.name,
        address_lines=address_lines(organization.address),
        phone=readable_phone(organization.phone),
        remit_to_lines=(organization.name, *address_lines(remit_to)) if remit_to else (),
    )


def _organization_message(documents: Iterable[BillDocument], organization: Organization) -> str:
    """The newest statement's own message; where none has one, the organization's (docs/rules.md#statement-message)."""
    newest_first = sorted(documents, key=lambda document: document.bill.created_at, reverse=True)
    messages = (document.statement.message for document in newest_first if document.statement.message)
    return next(messages, organization.statement_message)


def _bill(document: BillDocument, organization: Organization) -> StatementBill:
    statement = document.statement
    names = (f"{patient.first_name} {patient.last_name}".strip() for patient in statement.patients)
    return StatementBill(
        statement_id=document.bill.statement_id,
        patient_name=", ".join(dict.fromkeys(names)),
        total_billed=document.bill.total_billed,
        balance=document.bill.balance,
        visits=tuple(
            _visit(visit, statement, organization) for patient in statement.patients for visit in patient.visits
        ),
    )


def _visit(visit: Visit, statement: Statement, organization: Organization) -> StatementVisit:
    location = visit.location_name or statement.location_name
    # A code that the organization's own list doesn't have is left blank.
    known = not organization.locations or location in organization.locations
    return StatementVisit(
        date=visit.date,
        provider=visit.provider.name if visit.provider else "",
        location=location if known else "",
        charges=tuple(
            StatementCharge(
                date=charge.date,
                description=charge.description,
                billed=charge.billed,
                insurance_paid=charge.insurance_paid,
                adjustment=charge.adjustment,
                patient_paid=charge.patient_paid,
                balance=charge.balance,
                code=charge.code,
            )
            for charge in visit.charges
        ),
    )


def _aging(bills: Iterable[Bill], today: date) -> AgingBuckets:
    """The balances by age: to 30 days, 60, 90, 120, and beyond."""
    sums = [0, 0, 0, 0, 0]
    for bill in bills:
        months = max(bill.age_on(today) - 1, 0) // 30
        sums[min(months, len(sums) - 1)] += bill.balance
    return AgingBuckets(*sums)
