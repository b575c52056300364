"""Payments: listed, read, reversed and refunded; and the ledger of an account."""

from datetime import date
from http import HTTPStatus

from functions.manage.frame import actor, api, list_request, route
from functions.manage.ports import ports
from functions.manage.processor_refunds import checkout_at_stripe, refund_at_stripe
from shared.contracts.payments import (
    LedgerPage,
    LedgerPostingAnswer,
    PaymentDetail,
    PaymentsPage,
    RefundBody,
    ReversalBody,
)
from shared.contracts.statements import UnreadableStatementError, read_document
from shared.domain.paying.account_ledger import account_ledger
from shared.domain.paying.reversals import REFUND, REVERSAL, ReversalRefusedError, Takeback, take_back
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.partner import Scope
from shared.domain.records.payment import Payment
from shared.domain.records.policy import Organization
from shared.domain.records.statement import Statement
from shared.http.api import Answer, json_answer
from shared.http.problems import ProblemError, not_found
from shared.http.routes import Query, wrong_parameter
from shared.storage import keys
from shared.storage.payment_lists import PaymentRow

PAID_BY_ACCOUNT = Query("accountId", "Only the payments of one account.")
PAID_FOR_BILL = Query("statementId", "Only the payments that went to one bill.")
FROM = Query("from", "Received on this day or later, such as 2026-01-31.")
TO = Query("to", "Received on this day or earlier.")


@route(
    "GET",
    "/v1/organizations/{orgId}/payments",
    operation="listPayments",
    summary="List payments, reversals, refunds and uses of credit, by the day received, oldest first",
    tag="Payments",
    scope=Scope.READ,
    query=(PAID_BY_ACCOUNT, PAID_FOR_BILL, FROM, TO),
    answer=PaymentsPage,
)
def search(organization: Organization) -> Answer:
    """An organization's payments."""
    asked, given = list_request(), api.query
    account_id, statement_id = PAID_BY_ACCOUNT.text(given), PAID_FOR_BILL.text(given)

    def keeps(row: PaymentRow) -> bool:
        bills = {share.statement_id for share in row.payment.allocations}
        return account_id in {"", row.account_id} and (not statement_id or statement_id in bills)

    first, last = _day(FROM, date.min), _day(TO, date.max)
    after = asked.after[0] if asked.after else ""
    rows, place = ports().payments.page(organization.org_id, first, last, keeps, asked.limit, after)
    books = {row.account_id: _book(organization, row.account_id) for row in rows}
    shown = [PaymentDetail.of(row.payment, books[row.account_id]) for row in rows]
    return json_answer(PaymentsPage(items=shown, next_cursor=asked.cursor((place,) if place else None)))


@route(
    "GET",
    "/v1/organizations/{orgId}/payments/{paymentId}",
    operation="readPayment",
    summary="Read a payment with where it went and what was taken back of it",
    tag="Payments",
    scope=Scope.READ,
    answer=PaymentDetail,
)
def read(organization: Organization, payment_id: str) -> Answer:
    """One payment."""
    book, payment = _find(organization, payment_id)
    return json_answer(PaymentDetail.of(payment, book))


@route(
    "POST",
    "/v1/organizations/{orgId}/payments/{paymentId}/reverse",
    operation="reversePayment",
    summary="Take back a payment that was taken at the desk or reported, by a posting of its own",
    tag="Payments",
    scope=Scope.PAYMENTS_WRITE,
    body=ReversalBody,
    answer=PaymentDetail,
    problems=(409,),
)
def reverse(organization: Organization, payment_id: str, said: ReversalBody) -> Answer:
    """Reverse a payment; the payment as it stands then."""
    return _take_back(organization, Takeback(payment_id=payment_id, kind=REVERSAL, reason=said.reason))


@route(
    "POST",
    "/v1/organizations/{orgId}/payments/{paymentId}/refund",
    operation="refundPayment",
    summary="Give back a payment that was made online, in whole or in part",
    tag="Payments",
    scope=Scope.PAYMENTS_WRITE,
    body=RefundBody,
    answer=PaymentDetail,
    problems=(409, 503),
)
def refund(organization: Organization, payment_id: str, said: RefundBody) -> Answer:
    """Refund a payment; the payment as it stands then: `Pending` until a real processor says that it was made."""
    wanted = Takeback(payment_id=payment_id, kind=REFUND, reason=said.reason, amount=said.amount)
    book, payment = _find(organization, payment_id)
    checkout = checkout_at_stripe(organization, payment)
    if checkout is None:
        return _take_back(organization, wanted)
    payers = refund_at_stripe(organization, checkout, book.left_of(payment), wanted)
    return json_answer(
        PaymentDetail.of(payment, payers if payers.account.account_id == book.account.account_id else book)
    )


@route(
    "GET",
    "/v1/organizations/{orgId}/accounts/{accountId}/ledger",
    operation="readLedger",
    summary="List every posting of an account with the balance after it, oldest first",
    tag="Accounts",
    scope=Scope.READ,
    answer=LedgerPage,
)
def read_ledger(organization: Organization, account_id: str) -> Answer:
    """All postings of an account."""
    asked, book = list_request(), _book(organization, account_id)
    postings = account_ledger(book, _statements(book), organization)
    page, cursor = asked.slice([LedgerPostingAnswer.of(posting) for posting in postings])
    return json_answer(LedgerPage(items=page, next_cursor=cursor))


def _take_back(organization: Organization, wanted: Takeback) -> Answer:
    now, who = api.now, actor()
    book, payment = _find(organization, wanted.payment_id)

    def decide(book: AccountBook) -> Change:
        return take_back(book, organization, wanted, now, who)[0]

    try:
        book = ports().books.change(organization.org_id, book.account.account_id, decide)
    except ReversalRefusedError as error:
        raise ProblemError(HTTPStatus.CONFLICT, str(error)) from None
    return json_answer(PaymentDetail.of(payment, book))


def _find(organization: Organization, payment_id: str) -> tuple[AccountBook, Payment]:
    account_id = ports().books.account_of(organization.org_id, keys.payment(payment_id))
    book = ports().books.load(organization.org_id, account_id) if account_id is not None else None
    payment = book.payment(payment_id) if book else None
    seen = set[str]()
    while book and payment and (there := _went_to(book, payment)) and there not in seen:
        # Its bills may have gone round, and nothing be left of it anywhere.
        seen |= {book.account.account_id, there}
        book = ports().books.load(organization.org_id, there)
        payment = book.payment(payment_id) if book else None
    if book is None or payment is None:
        raise not_found("payment")
    return book, payment


def _went_to(book: AccountBook, payment: Payment) -> str:
    """The account to which all that was left of a payment went with its bill; "": it didn't, or not whole."""
    if book.left_of(payment) > 0:
        return ""
    bills = [bill for name in payment.statement_ids if (bill := book.bill(name))]
    return next((bill.moved_to for bill in bills if bill.moved_to), "")


def _book(organization: Organization, account_id: str) -> AccountBook:
    book = ports().books.load(organization.org_id, account_id)
    if book is None:
        raise not_found("account")
    return book


def _statements(book: AccountBook) -> dict[str, Statement]:
    """The documents of the account's bills. One that can't be read any more is shown by its sums alone."""
    found = dict[str, Statement]()
    for bill in book.bills:
        try:
            found[bill.statement_id] = read_document(bill.document)
        except (UnreadableStatementError, ValueError):
            continue
    return found


def _day(asked: Query, default: date) -> date:
    given = asked.text(api.query)
    try:
        return date.fromisoformat(given) if given else default
    except ValueError:
        raise wrong_parameter(asked.name, "must be a day such as 2026-01-31") from None
