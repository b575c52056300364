"""Statements and receipts as PDF for the patient pages: what a letter shows, and what was paid. Nothing is stored."""

from dataclasses import dataclass, replace

from functions.render_print.receipt_pdf import ReceiptLine, ReceiptPage, render_receipt
from functions.render_print.statement_contents import statement_page
from functions.render_print.statement_page import LetterPractice
from functions.render_print.statement_pdf import render
from shared.contracts.patient_documents import DocumentOrder
from shared.contracts.statements import UnreadableStatementError, read_document
from shared.domain.account.contacts import Contact
from shared.domain.delivery.orders import Order
from shared.domain.paying.link_secrets import IssuedLink
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook
from shared.domain.records.notice import new_notice
from shared.domain.records.policy import Organization
from shared.domain.vocabulary.words import Channel, NotificationType
from shared.rendering.facts import address_lines, readable_phone
from shared.storage.account_books import AccountBooks
from shared.storage.organizations import Organizations


class NothingToShowError(LookupError):
    """What a document is about isn't there: whoever asked knew better a moment ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentWriter:
    """Sets documents for the patient pages. base_url: where patients reach us."""

    books: AccountBooks
    organizations: Organizations
    base_url: str

    def pdf(self, order: DocumentOrder) -> bytes:
        """The document as PDF/UA. Raises NothingToShowError."""
        book = self.books.load(order.org_id, order.account_id)
        organization = self.organizations.get(order.org_id)
        if book is None or organization is None:
            raise NothingToShowError
        seen = _as_seen(book, order)
        if order.document == "statement":
            return render(statement_page(_letter(seen, organization, order), self.base_url)).pdf
        return render_receipt(_receipt(seen, organization, order))


def _as_seen(book: AccountBook, order: DocumentOrder) -> AccountBook:
    """The book with the bills that the document is about, as they may be seen, in the language that was chosen."""
    told = {bill.statement_id: bill for bill in order.bills}
    bills = tuple(
        replace(bill, status=told[bill.statement_id].status, balance=told[bill.statement_id].balance, moved_to="")
        for bill in book.bills
        if bill.statement_id in told
    )
    guarantor = replace(book.account.guarantor, language=order.language)
    return replace(book, bills=bills, account=replace(book.account, guarantor=guarantor))


def _letter(book: AccountBook, organization: Organization, order: DocumentOrder) -> Order:
    """What a letter about these bills would be made from, if one were sent now to whoever has the link."""
    link = book.link(order.link_id)
    if link is None:
        raise NothingToShowError
    guarantor = book.account.guarantor
    own = order.to_guarantor
    notice = new_notice(
        book.account,
        notice_id="",
        channel=Channel.PRINT,
        notification_type=NotificationType.ON_DEMAND,
        bills=(),
        now=order.as_of,
    )
    return Order(
        notice=notice,
        book=book,
        organization=organization,
        contact=Contact(
            channel=Channel.PRINT, name=guarantor.name if own else "", address=guarantor.address if own else None
        ),
        link=IssuedLink(link=link, token=order.token.get_secret_value()),
        now=order.as_of,
    )


def _receipt(book: AccountBook, organization: Organization, order: DocumentOrder) -> ReceiptPage:
    payment = book.payment(order.payment_id)
    if payment is None:
        raise NothingToShowError
    return ReceiptPage(
        language=order.language,
        practice=LetterPractice(
            name=organization.name,
            address_lines=address_lines(organization.address),
            phone=readable_phone(organization.phone),
        ),
        account_number=order.account_id,
        printed_on=order.as_of.astimezone(organization.zone).date(),
        paid_on=payment.received_on,
        reference=payment.reference,
        method=payment.method,
        amount=payment.amount,
        lines=tuple(
            ReceiptLine(
                statement_id=share.statement_id,
                patient_name=_patients(book.bill(share.statement_id)),
                amount=share.amount,
            )
            for share in payment.allocations
        ),
        credit=payment.credit,
        left=sum(bill.balance for bill in book.bills if bill.payable),
    )


def _patients(bill: Bill | None) -> str:
    """Whose bill it is; "": it isn't known, or can't be read."""
    if bill is None:
        return ""
    try:
        patients = read_document(bill.document).patients
    except (UnreadableStatementError, ValueError):
        return ""
    return ", ".join(dict.fromkeys(f"{patient.first_name} {patient.last_name}".strip() for patient in patients))
