"""What a letter's statement shows, taken from the account's book and the documents of its bills."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

from functions.render_print.statement_page import (
    AgingBuckets,
    LetterPractice,
    StatementBill,
    StatementCharge,
    StatementPage,
    StatementPosting,
    StatementVisit,
)
from shared.contracts.statements import read_document
from shared.domain.delivery.orders import Order
from shared.domain.paying.account_ledger import payments_on, posting_kind
from shared.domain.paying.link_access import question
from shared.domain.paying.posting import CREDIT, oldest_first
from shared.domain.paying.reversals import REFUND, REVERSAL
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook
from shared.domain.records.payment import Payment
from shared.domain.records.policy import Organization
from shared.domain.records.statement import Patient, Statement, Visit
from shared.domain.vocabulary.money import Cents
from shared.domain.vocabulary.words import Language
from shared.rendering.facts import address_lines, message_variables, readable_phone
from shared.rendering.letter_message import render_letter_message
from shared.rendering.own_templates import written


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
        # What lies in the account's credit isn't asked for, whoever decides about it.
        amount_due=order.amount_due - max(order.book.account.credit, 0),
        credit=max(order.book.account.credit, 0),
        notification_type=order.notice.worded_as,
        message=written(
            order.template,
            partial(render_letter_message, order.notice.worded_as, guarantor.language, variables),
            len,
        ),
        bills=tuple(_bill(document, order.book, organization) for document in documents),
        online=organization.payments.online,
        pay_url=variables.link,
        pay_page_url=f"{base_url}/bill",
        bill_code=order.link.code,
        asked=question(order.book, order.link.link),
        organization_message=_organization_message(documents, organization, guarantor.language),
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


def _organization_message(documents: Iterable[BillDocument], organization: Organization, language: Language) -> str:
    """The newest statement's own message; where none has one, the organization's (docs/rules.md#statement-message).

    Each in Spanish for a letter in Spanish, where it is there so.
    """
    newest_first = sorted(documents, key=lambda document: document.bill.created_at, reverse=True)
    own = [(document.statement.message, document.statement.message_es) for document in newest_first]
    said = [*own, (organization.statement_message, organization.statement_message_es)]
    spanish = language is Language.SPANISH
    return next((text for plain, es in said if (text := (es if spanish and es else plain))), "")


def _bill(document: BillDocument, book: AccountBook, organization: Organization) -> StatementBill:
    statement, bill = document.statement, document.bill
    names = [_name(patient) for patient in statement.patients]
    several = len(dict.fromkeys(names)) > 1
    return StatementBill(
        statement_id=bill.statement_id,
        patient_name="" if several else names[0],
        total_billed=bill.total_billed,
        balance=bill.balance,
        visits=tuple(
            replace(_visit(visit, statement, organization), patient=_name(patient) if several and n == 0 else "")
            for patient in statement.patients
            for n, visit in enumerate(patient.visits or (None,) * several)
        ),
        postings=tuple(
            StatementPosting(
                date=payment.received_on,
                kind=posting_kind(payment),
                method="" if payment.method in {CREDIT, REVERSAL, REFUND} else payment.method,
                amount=share,
            )
            for payment, share in _postings(document, book)
        ),
    )


def _postings(document: BillDocument, book: AccountBook) -> list[tuple[Payment, Cents]]:
    """What was posted on a bill and isn't in its statement's own figures.

    All of it where that comes to the balance; else the practice's balance has taken account of what was posted before
    the statement came, and its own columns show that.
    """
    bill, statement = document.bill, document.statement
    charges = [charge for patient in statement.patients for visit in patient.visits for charge in visit.charges]
    listed = sum(charge.balance for charge in charges) if charges else bill.total_billed
    posted = payments_on(book, bill)
    if listed - sum(share for _, share in posted) == bill.balance:
        return posted
    came = max((event.at for event in bill.history if "ingestionId" in event.facts), default=bill.created_at)
    return [(payment, share) for payment, share in posted if payment.posted_at > came]


def _name(patient: Patient) -> str:
    return f"{patient.first_name} {patient.last_name}".strip()


def _visit(visit: Visit | None, statement: Statement, organization: Organization) -> StatementVisit:
    if visit is None:
        return StatementVisit(date=None)
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
