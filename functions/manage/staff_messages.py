"""What staff sends from a bill: notices on demand and one-time payment links."""

import secrets
from collections.abc import Callable
from http import HTTPStatus
from itertools import dropwhile
from typing import TYPE_CHECKING

from functions.manage.frame import actor, api, body, find_bill, invalid, list_request, once, own_organization, path_id
from functions.manage.settings import dependencies
from shared.contracts.bills import PaymentLinkAnswer, PaymentLinkBody, PaymentLinksPage
from shared.contracts.notifications import OnDemandAnswer, OnDemandBody
from shared.domain.account.contacts import BILL_TO, GUARANTOR, PATIENT, Contact, contact_for
from shared.domain.account.masking import masked
from shared.domain.delivery.staff_notices import (
    LinkPaidError,
    NothingOwedError,
    OptedOutError,
    link_status,
    on_demand,
    one_time_link,
    revoke_link,
    staff_links,
)
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.partner import Scope
from shared.domain.records.payment_link import PaymentLink
from shared.domain.records.policy import SYSTEM_DEFAULT_TEMPLATE, Organization
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import AccountStatus, Channel
from shared.http.api import Answer, json_answer
from shared.http.problems import ProblemError, not_found

if TYPE_CHECKING:
    from shared.domain.records.statement import Patient

PLACES = {PATIENT: "the patient", GUARANTOR: "the guarantor", BILL_TO: "the bill-to party"}
"""Where an email address may stand, in the order in which they are tried."""

NO_ADDRESS = (
    "There is no email address to send the link to. It needs one in one of three places:"
    " the patient, the guarantor (household), or the bill-to party."
)


@api.routes.post("/v1/organizations/<org_id>/bills/<statement_id>/notifications")
@once
def notify(org_id: str, statement_id: str) -> Answer:
    """Send a notice about a bill now."""
    organization, wanted = _sending(org_id), body(OnDemandBody)
    if wanted.template_id not in {None, SYSTEM_DEFAULT_TEMPLATE}:
        raise invalid("/templateId", "must be the templateId of a template")
    notice_id, now, who = f"ntc_{secrets.token_hex(12)}", api.now, actor()

    def decide(book: AccountBook, bill: Bill) -> tuple[Change, None]:
        contact = _contact(wanted.channel, book, bill, organization, wanted.send_to)
        if isinstance(contact, Reason):
            raise invalid("/sendTo", f"can't be reached on this channel: {contact}")
        change = on_demand(
            book,
            bill,
            notice_id=notice_id,
            channel=wanted.channel,
            send_to=wanted.send_to,
            template_id=SYSTEM_DEFAULT_TEMPLATE,
            now=now,
            actor=who,
        )
        return change, None

    _decide(organization, statement_id, decide)
    return json_answer(OnDemandAnswer(notification_id=notice_id), HTTPStatus.ACCEPTED)


@api.routes.post("/v1/organizations/<org_id>/bills/<statement_id>/payment-links")
@once
def send_link(org_id: str, statement_id: str) -> Answer:
    """Send a one-time payment link by email; the one sent before leads nowhere from now on."""
    organization, wanted = _sending(org_id), body(PaymentLinkBody)
    link_id, notice_id = f"lnk_{secrets.token_hex(10)}", f"ntc_{secrets.token_hex(12)}"
    now, who = api.now, actor()

    def decide(book: AccountBook, bill: Bill) -> tuple[Change, PaymentLink]:
        send_to, contact = _first_address(book, bill, organization, wanted.send_to)
        link, change = one_time_link(
            book,
            bill,
            link_id=link_id,
            notice_id=notice_id,
            send_to=send_to,
            sent_to=masked(contact),
            staff_name=wanted.staff_name,
            now=now,
            actor=who,
        )
        return change, link

    link = _decide(organization, statement_id, decide)
    return json_answer(PaymentLinkAnswer.of(link, link_status(link, now)), HTTPStatus.CREATED)


@api.routes.get("/v1/organizations/<org_id>/bills/<statement_id>/payment-links")
def list_links(org_id: str, statement_id: str) -> Answer:
    """The links that staff sent for a bill, the latest first."""
    organization, asked = own_organization(org_id, Scope.READ), list_request()
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


@api.routes.post("/v1/organizations/<org_id>/bills/<statement_id>/payment-links/<payment_link_id>/revoke")
@once
def revoke(org_id: str, statement_id: str, payment_link_id: str) -> Answer:
    """Make a link lead nowhere."""
    organization, now, who = own_organization(org_id, Scope.SEND), api.now, actor()
    book, bill = find_bill(organization, statement_id)

    def decide(book: AccountBook) -> Change | None:
        return revoke_link(book, _link(book, bill, payment_link_id), now, who)

    try:
        book = dependencies().books.change(organization.org_id, book.account.account_id, decide)
    except LinkPaidError:
        raise ProblemError(HTTPStatus.CONFLICT, "A link that led to a payment can't be revoked.") from None
    link = _link(book, bill, payment_link_id)
    return json_answer(PaymentLinkAnswer.of(link, link_status(link, now)))


def _sending(org_id: str) -> Organization:
    organization = own_organization(org_id, Scope.SEND)
    if organization.account_status is not AccountStatus.ACTIVE:
        raise ProblemError(HTTPStatus.CONFLICT, "An organization that isn't Active sends nothing.")
    return organization


def _decide[R](
    organization: Organization, statement_id: str, decide: Callable[[AccountBook, Bill], tuple[Change, R]]
) -> R:
    """Decide on a bill's book, store the change and answer what else was decided; what can't be sent is a 409."""
    book, bill = find_bill(organization, statement_id)

    def on_book(book: AccountBook) -> tuple[Change, R]:
        return decide(book, book.bill(bill.statement_id) or bill)

    try:
        return dependencies().books.decide(organization.org_id, book.account.account_id, on_book).result
    except NothingOwedError:
        raise ProblemError(HTTPStatus.CONFLICT, "Nothing is owed on this bill.") from None
    except OptedOutError:
        raise ProblemError(HTTPStatus.CONFLICT, "The guarantor has opted out of this channel.") from None


def _link(book: AccountBook, bill: Bill, payment_link_id: str) -> PaymentLink:
    link = book.link(path_id(payment_link_id, "payment link"))
    if link is None or link not in staff_links(book, bill.statement_id):
        raise not_found("payment link")
    return link


def _first_address(
    book: AccountBook, bill: Bill, organization: Organization, wanted: str | None
) -> tuple[str, Contact]:
    """To whom a link goes: whom staff named, else the first of the three who has an address."""
    for send_to in [wanted] if wanted else PLACES:
        contact = _contact(Channel.EMAIL, book, bill, organization, send_to)
        if not isinstance(contact, Reason):
            return send_to, contact
        if contact is Reason.NO_TEST_CONTACT:
            raise ProblemError(HTTPStatus.CONFLICT, "In test mode links go to the test contact, which has no email.")
    raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, NO_ADDRESS, invalid("/sendTo", _missing(wanted)).errors)


def _missing(wanted: str | None) -> str:
    return f"{PLACES[wanted]} has no usable email address" if wanted else "none of the three has an email address"


def _contact(
    channel: Channel, book: AccountBook, bill: Bill, organization: Organization, send_to: str
) -> Contact | Reason:
    patient = _patient(bill) if send_to == PATIENT else None
    if send_to == PATIENT and patient is None:
        return Reason.NO_EMAIL
    return contact_for(channel, book, organization, send_to, patient)


def _patient(bill: Bill) -> "Patient | None":
    from shared.contracts.statements import UnreadableStatementError  # noqa: PLC0415 - large, and few requests need it
    from shared.sending.patients import patient_of  # noqa: PLC0415 - loads the same

    try:
        return patient_of(bill)
    except UnreadableStatementError:
        return None
