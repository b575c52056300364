"""Bills: lists, state, history, forecast, explanation, status and payments."""

import hashlib
from datetime import timedelta
from http import HTTPStatus

from functions.manage import bill_views
from functions.manage.frame import actor, api, change_bill, find_bill, knowing_stops, list_request, route
from functions.manage.ports import ports
from shared.contracts.bills import (
    BillAnswer,
    BillsPage,
    BillStatusBody,
    ExplanationAnswer,
    ForecastAnswer,
    HistoryPage,
    PaymentAnswer,
    PaymentBody,
)
from shared.domain.account.bill_status import StatusRefusedError, set_status
from shared.domain.calendar.send_window import local_date
from shared.domain.dunning.forecast import FORECAST_HORIZON
from shared.domain.paying.payments import PaymentReceived, exceeds_what_was_paid, post_payment
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.partner import Scope
from shared.domain.records.payment import Payment
from shared.domain.records.policy import Organization
from shared.domain.vocabulary.words import BillStatus
from shared.http.api import Answer, json_answer
from shared.http.partner_api import invalid
from shared.http.problems import ProblemError
from shared.http.routes import DayQuery, WordQuery, wrong_parameter
from shared.messaging.metrics import tally

A_DAY_AHEAD = 1
"""Days by which a partner's calendar may be ahead of the organization's."""

LONGEST_AGO = timedelta(days=3653)
"""How long ago money may have been received that is posted now: ten years. Any day before is a slip of the pen."""
ON_DAY = DayQuery("on", "A day of the organization's calendar: what was decided then, or will be if nothing changes.")

BILL_STATUS = WordQuery("status", "One bill status.", BillStatus)


@route(
    "GET",
    "/v1/organizations/{orgId}/bills",
    operation="listBills",
    summary="List bills",
    tag="Bills",
    scope=Scope.READ,
    query=(BILL_STATUS,),
    answer=BillsPage,
)
def search(organization: Organization) -> Answer:
    """An organization's bills, in the order of their statement ids."""
    asked, now = list_request(), api.now
    rows, position = ports().lists.bills(organization.org_id, BILL_STATUS.word(api.query), asked.limit, asked.after)
    accounts = {row.account_id for row in rows}
    books = {account_id: ports().books.load(organization.org_id, account_id) for account_id in accounts}
    shown = [
        bill_views.show(bill, book, organization, now)
        for row in rows
        if (book := books[row.account_id]) and (bill := book.bill(row.statement_id))
    ]
    return json_answer(BillsPage(items=shown, next_cursor=asked.cursor(position)))


@route(
    "GET",
    "/v1/organizations/{orgId}/bills/{statementId}",
    operation="readBill",
    summary="Read a bill as it stands today",
    tag="Bills",
    scope=Scope.READ,
    answer=BillAnswer,
)
def read(organization: Organization, statement_id: str) -> Answer:
    """A bill as it stands."""
    book, bill = find_bill(organization, statement_id)
    return json_answer(bill_views.show(bill, book, organization, api.now))


@route(
    "GET",
    "/v1/organizations/{orgId}/bills/{statementId}/history",
    operation="readBillHistory",
    summary="List every event of a bill and of its notifications, oldest first",
    tag="Bills",
    scope=Scope.READ,
    answer=HistoryPage,
)
def read_history(organization: Organization, statement_id: str) -> Answer:
    """Every event, oldest first."""
    asked = list_request()
    book, bill = find_bill(organization, statement_id)
    events, cursor = asked.slice(bill_views.history(bill, book))
    return json_answer(HistoryPage(items=events, next_cursor=cursor))


@route(
    "GET",
    "/v1/organizations/{orgId}/bills/{statementId}/forecast",
    operation="forecastBill",
    summary="List the next notifications about a bill if nothing changes",
    tag="Bills",
    scope=Scope.READ,
    answer=ForecastAnswer,
)
def read_forecast(organization: Organization, statement_id: str) -> Answer:
    """The next notices, if nothing changes."""
    asked = list_request()
    book, bill = find_bill(organization, statement_id)
    return json_answer(bill_views.foresee(bill, knowing_stops(book), organization, api.now, asked))


@route(
    "GET",
    "/v1/organizations/{orgId}/bills/{statementId}/explanation",
    operation="explainBill",
    summary="Explain what happens next to a bill, or what was decided on a day: every rule, its finding, the outcome",
    tag="Bills",
    scope=Scope.READ,
    query=(ON_DAY,),
    answer=ExplanationAnswer,
)
def read_explanation(organization: Organization, statement_id: str) -> Answer:
    """Each rule checked now, what it found, and its outcome; or what was decided, or will be, on a day."""
    day, today = ON_DAY.day(api.query), local_date(api.now, organization.zone)
    if day and day > today + FORECAST_HORIZON:
        raise wrong_parameter(ON_DAY.name, f"must be at most {FORECAST_HORIZON.days} days ahead")
    book, bill = find_bill(organization, statement_id)
    if day:
        return json_answer(bill_views.explain_day(bill, knowing_stops(book), organization, api.now, day))
    return json_answer(bill_views.explain(bill, knowing_stops(book), organization, api.now))


@route(
    "POST",
    "/v1/organizations/{orgId}/bills/{statementId}/status",
    operation="changeBillStatus",
    summary="Suspend, cancel or reopen a bill",
    tag="Bills",
    scope=Scope.MANAGE,
    body=BillStatusBody,
    answer=BillAnswer,
    problems=(409,),
)
def change_status(organization: Organization, statement_id: str, wanted: BillStatusBody) -> Answer:
    """Suspend, cancel or reopen a bill."""
    now, who = api.now, actor()

    def decide(book: AccountBook, bill: Bill) -> tuple[Change | None, Bill]:
        change = set_status(book, bill.statement_id, BillStatus(wanted.status), wanted.reason, now, who)
        return change, (book.after(change).bill(bill.statement_id) or bill) if change else bill

    try:
        book, bill = change_bill(organization, statement_id, decide)
    except StatusRefusedError as error:
        raise ProblemError(HTTPStatus.CONFLICT, str(error)) from None
    return json_answer(bill_views.show(bill, book, organization, now))


@route(
    "POST",
    "/v1/organizations/{orgId}/bills/{statementId}/payments",
    operation="postPayment",
    summary="Post a payment that was taken elsewhere; a transactionId already posted answers 200 with what was posted",
    tag="Bills",
    scope=Scope.PAYMENTS_WRITE,
    body=PaymentBody,
    answer=PaymentAnswer,
    status=201,
    others={200: "This transactionId was posted before; nothing was done."},
    problems=(409,),
)
def post(organization: Organization, statement_id: str, paid: PaymentBody) -> Answer:
    """Post money that was taken elsewhere. A transactionId that is posted already answers what was posted."""
    now, who = api.now, actor()
    if (paid.received_on - now.astimezone(organization.zone).date()).days > A_DAY_AHEAD:
        raise invalid("/receivedOn", "must not be in the future")
    if paid.received_on < now.astimezone(organization.zone).date() - LONGEST_AGO:
        raise invalid("/receivedOn", "must not be more than ten years ago")
    received = PaymentReceived(
        payment_id=_payment_id(organization.org_id, statement_id, paid.transaction_id),
        amount=paid.amount,
        method=paid.method,
        received_on=paid.received_on,
        transaction_id=paid.transaction_id or "",
        statement_id=statement_id,
    )

    def decide(book: AccountBook, _: Bill) -> tuple[Change | None, HTTPStatus]:
        change = post_payment(book, organization, received, now, who)
        if change and exceeds_what_was_paid(book, received):
            raise ProblemError(HTTPStatus.CONFLICT, "More would go back than was paid on this bill.")
        return change, HTTPStatus.CREATED if change else HTTPStatus.OK

    book, status = change_bill(organization, statement_id, decide)
    if status is HTTPStatus.CREATED:
        tally("Payments", taken="desk")
    posted = book.payment(received.payment_id) or _posted(book, received)
    return json_answer(PaymentAnswer.of(posted), status)


def _payment_id(org_id: str, statement_id: str, transaction_id: str | None) -> str:
    """The same transaction has the same id; money without one is new each time, but for one request tried again."""
    if transaction_id is None:
        return api.new_id("pay_")
    return f"pay_{hashlib.sha256(f'{org_id}\n{statement_id}\n{transaction_id}'.encode()).hexdigest()[:24]}"


def _posted(book: AccountBook, received: PaymentReceived) -> Payment:
    """The payment that was posted before under this transaction, whichever way it came."""
    same = [payment for payment in book.payments if payment.transaction_id == received.transaction_id]
    about = [
        payment for payment in same if received.statement_id in {share.statement_id for share in payment.allocations}
    ]
    if not same:
        raise ProblemError(HTTPStatus.CONFLICT, "This transactionId was posted before.")
    return (about or same)[0]
