"""What staff sends from a bill: notices on demand and one-time payment links."""

from collections.abc import Callable
from http import HTTPStatus
from itertools import dropwhile
from typing import TYPE_CHECKING

from functions.manage.frame import actor, api, change_bill, find_bill, list_request, route
from functions.manage.own_templates import known_template
from functions.manage.ports import ports
from shared.contracts.bills import PaymentLinkAnswer, PaymentLinkBody, PaymentLinksPage
from shared.contracts.notifications import OnDemandAnswer, OnDemandBody, ResendBody
from shared.domain.account.contacts import BILL_TO, GUARANTOR, PATIENT, Contact, contact_for
from shared.domain.account.masking import masked
from shared.domain.account.pauses import pauses_ended
from shared.domain.calendar.send_window import local_date
from shared.domain.delivery.staff_notices import (
    AccountOnHoldError,
    LinkPaidError,
    NothingOwedError,
    OptedOutError,
    link_status,
    on_demand,
    one_time_link,
    revoke_link,
    staff_links,
)
from shared.domain.dunning.situation import standing_stop
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.partner import Scope
from shared.domain.records.payment_link import PaymentLink
from shared.domain.records.policy import Organization
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import Channel, Processor
from shared.http.api import Answer, json_answer
from shared.http.partner_api import invalid
from shared.http.problems import ProblemError, not_found
from shared.storage.account_books import Decided

if TYPE_CHECKING:
    from shared.domain.records.statement import Patient

RECIPIENT_NAMES = {PATIENT: "the patient", GUARANTOR: "the guarantor", BILL_TO: "the bill-to party"}
"""Where an email address may stand, in the order in which they are tried."""

ON_HOLD = (
    "The account is on hold. It can be overridden by `overrideHold` with a `reason`, but not a hold for Bankruptcy or"
    " Deceased."
)
NOT_ONLINE = "The organization takes no payments online (`payments.processor`), so there is nothing to link to."
NO_ADDRESS = (
    "There is no email address to send the link to. It needs one in one of three places:"
    " the patient, the guarantor (household), or the bill-to party."
)


@route(
    "POST",
    "/v1/organizations/{orgId}/bills/{statementId}/notifications",
    operation="notifyOnDemand",
    summary="Send a notification about a bill now, whatever the thresholds; it has no level",
    tag="Bills",
    scope=Scope.SEND,
    body=OnDemandBody,
    answer=OnDemandAnswer,
    status=202,
    problems=(409,),
)
def notify(organization: Organization, statement_id: str, wanted: OnDemandBody) -> Answer:
    """Send a notice about a bill now."""
    require_active(organization)
    override_reason = override_reason_of(wanted)
    template_id = known_template(organization, wanted.template_id, wanted.channel)
    notice_id, now, who = api.new_id("ntc_"), api.now, actor()

    def decide(book: AccountBook, bill: Bill) -> tuple[Change | None, None]:
        if book.notice(notice_id):
            return None, None  # by this request's first try, which failed after it
        contact = contact_of(wanted.channel, book, bill, organization, wanted.send_to)
        if isinstance(contact, Reason):
            raise invalid("/sendTo", f"can't be reached on this channel: {contact}")
        change = on_demand(
            book,
            bill,
            notice_id=notice_id,
            channel=wanted.channel,
            recipient=wanted.send_to,
            template_id=template_id,
            now=now,
            actor=who,
            override_reason=override_reason,
        )
        return change, None

    _decide(organization, statement_id, decide)
    return json_answer(OnDemandAnswer(notification_id=notice_id), HTTPStatus.ACCEPTED)


@route(
    "POST",
    "/v1/organizations/{orgId}/bills/{statementId}/payment-links",
    operation="sendPaymentLink",
    summary="Send a one-time payment link by email; the one sent before is superseded",
    tag="Payment links",
    scope=Scope.SEND,
    body=PaymentLinkBody,
    answer=PaymentLinkAnswer,
    status=201,
    problems=(409,),
)
def send_link(organization: Organization, statement_id: str, wanted: PaymentLinkBody) -> Answer:
    """Send a one-time payment link by email; the one sent before is superseded."""
    require_active(organization)
    override_reason = override_reason_of(wanted)
    if organization.payments.processor is Processor.NONE:
        find_bill(organization, statement_id)  # one that isn't there is a 404 all the same
        raise ProblemError(HTTPStatus.CONFLICT, NOT_ONLINE, type="no-online-payment")
    link_id, notice_id = api.new_id("lnk_"), api.new_id("ntc_")
    now, who = api.now, actor()

    def decide(book: AccountBook, bill: Bill) -> tuple[Change | None, PaymentLink]:
        sent = book.link(link_id)
        if sent:
            return None, sent  # by this request's first try, which failed after it
        recipient, contact = _first_address(book, bill, organization, wanted.send_to)
        link, change = one_time_link(
            book,
            bill,
            link_id=link_id,
            notice_id=notice_id,
            recipient=recipient,
            sent_to=masked(contact),
            staff_name=wanted.staff_name,
            now=now,
            actor=who,
            override_reason=override_reason,
        )
        return change, link

    link = _decide(organization, statement_id, decide)
    return json_answer(PaymentLinkAnswer.of(link, link_status(link, now)), HTTPStatus.CREATED)


@route(
    "GET",
    "/v1/organizations/{orgId}/bills/{statementId}/payment-links",
    operation="listPaymentLinks",
    summary="List the payment links that staff sent for a bill, the latest first",
    tag="Payment links",
    scope=Scope.READ,
    answer=PaymentLinksPage,
)
def list_links(organization: Organization, statement_id: str) -> Answer:
    """The links that staff sent for a bill, the latest first."""
    asked = list_request()
    book, bill = find_bill(organization, statement_id)
    rest = staff_links(book, bill.statement_id)
    if asked.after:
        rest = list(dropwhile(lambda link: (link.link_id,) != asked.after, rest))[1:]
    page = rest[: asked.limit]
    answer = PaymentLinksPage(
        items=[PaymentLinkAnswer.of(link, link_status(link, api.now)) for link in page],
        next_cursor=asked.cursor((page[-1].link_id,) if len(rest) > len(page) else None),
    )
    return json_answer(answer)


@route(
    "POST",
    "/v1/organizations/{orgId}/bills/{statementId}/payment-links/{paymentLinkId}/revoke",
    operation="revokePaymentLink",
    summary="Revoke a payment link",
    tag="Payment links",
    scope=Scope.SEND,
    answer=PaymentLinkAnswer,
    problems=(409,),
)
def revoke(organization: Organization, statement_id: str, payment_link_id: str) -> Answer:
    """Revoke a payment link."""
    now, who = api.now, actor()
    book, bill = find_bill(organization, statement_id)

    def decide(book: AccountBook) -> Change | None:
        return revoke_link(book, _link(book, bill, payment_link_id), now, who)

    try:
        book = ports().books.change(organization.org_id, book.account.account_id, decide)
    except LinkPaidError:
        raise ProblemError(HTTPStatus.CONFLICT, "A link that led to a payment can't be revoked.") from None
    link = _link(book, bill, payment_link_id)
    return json_answer(PaymentLinkAnswer.of(link, link_status(link, now)))


def require_active(organization: Organization) -> None:
    """Raise a 409 problem for an organization that sends nothing."""
    inactive = standing_stop(organization)
    if inactive:
        raise ProblemError(HTTPStatus.CONFLICT, f"Nothing is sent: the {inactive}.")


def override_reason_of(wanted: OnDemandBody | PaymentLinkBody | ResendBody) -> str:
    """Why a hold is to be overridden; "": it isn't. Raises a 422 problem for an override without a reason."""
    if wanted.override_hold and not wanted.reason:
        raise invalid("/reason", "must say why the hold is overridden")
    return wanted.reason or "" if wanted.override_hold else ""


def _decide[R](
    organization: Organization, statement_id: str, decide: Callable[[AccountBook, Bill], tuple[Change | None, R]]
) -> R:
    """Decide on a bill's book, store the change and answer what else was decided; what can't be sent is a 409."""

    def on_bill(book: AccountBook, bill: Bill) -> tuple[Change | None, R]:
        return _as_held_now(organization, book, lambda known: decide(known, known.bill(bill.statement_id) or bill))

    return _sent(lambda: change_bill(organization, statement_id, on_bill))


def decide_sending[R](
    organization: Organization, account_id: str, decide: Callable[[AccountBook], tuple[Change | None, R]]
) -> R:
    """Decide what staff send to an account, store it and answer what else was decided; what can't be sent is a 409."""
    return _sent(
        lambda: ports().books.decide(
            organization.org_id, account_id, lambda book: _as_held_now(organization, book, decide)
        )
    )


def _as_held_now[R](
    organization: Organization, book: AccountBook, decide: Callable[[AccountBook], tuple[Change | None, R]]
) -> tuple[Change | None, R]:
    """Decide on a book in which no hold is left that has ended."""
    now = api.now
    ended = pauses_ended(book, local_date(now, organization.zone), now)
    change, result = decide(book.after(ended) if ended else book)
    return ended.then(change) if ended and change else change, result


def _sent[R](decided: Callable[[], Decided[R]]) -> R:
    """What was decided; a 409 problem where nothing can be sent."""
    try:
        return decided().result
    except AccountOnHoldError:
        raise ProblemError(HTTPStatus.CONFLICT, ON_HOLD, type="account-on-hold") from None
    except NothingOwedError:
        raise ProblemError(HTTPStatus.CONFLICT, "Nothing is owed on this bill.") from None
    except OptedOutError:
        raise ProblemError(HTTPStatus.CONFLICT, "The guarantor has opted out of this channel.") from None


def _link(book: AccountBook, bill: Bill, payment_link_id: str) -> PaymentLink:
    link = book.link(payment_link_id)
    if link is None or link not in staff_links(book, bill.statement_id):
        raise not_found("payment link")
    return link


def _first_address(
    book: AccountBook, bill: Bill, organization: Organization, wanted: str | None
) -> tuple[str, Contact]:
    """The recipient of a link: the one that staff named, else the first of the three who has an address."""
    for recipient in [wanted] if wanted else RECIPIENT_NAMES:
        contact = contact_of(Channel.EMAIL, book, bill, organization, recipient)
        if not isinstance(contact, Reason):
            return recipient, contact
        if contact is Reason.NO_TEST_CONTACT:
            raise ProblemError(HTTPStatus.CONFLICT, "In test mode links go to the test contact, which has no email.")
    raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, NO_ADDRESS, invalid("/sendTo", _missing(wanted)).errors)


def _missing(wanted: str | None) -> str:
    return (
        f"{RECIPIENT_NAMES[wanted]} has no usable email address" if wanted else "none of the three has an email address"
    )


def contact_of(
    channel: Channel, book: AccountBook, bill: Bill | None, organization: Organization, recipient: str
) -> Contact | Reason:
    """A recipient's contact on a channel, or why there is none. bill: whose patient it is, where it goes to one."""
    patient = _patient(bill) if bill and recipient == PATIENT else None
    if recipient == PATIENT and patient is None:
        return Reason.NO_EMAIL
    return contact_for(channel, book, organization, recipient, patient)


def _patient(bill: Bill) -> "Patient | None":
    from shared.contracts.statements import UnreadableStatementError  # noqa: PLC0415 - large, and few requests need it
    from shared.sending.patients import patient_of  # noqa: PLC0415 - loads the same

    try:
        return patient_of(bill)
    except UnreadableStatementError:
        return None
