"""The facts of a message, taken from what it was ordered with; here it is decided what a message may say."""

from datetime import timedelta

from shared.domain.account.contacts import GUARANTOR
from shared.domain.delivery.orders import Order
from shared.domain.records.policy import Organization
from shared.domain.records.statement import Address
from shared.domain.vocabulary.words import NotificationType
from shared.rendering.variables import MessageVariables

EXPIRY_TO_THE_MINUTE = timedelta(days=2)
"""A message with a link that lives no longer than this says until what time; with any other, until what day."""

_DIGITS_OF_A_US_NUMBER = 10


def message_variables(order: Order, base_url: str) -> MessageVariables:
    """What a message may say (docs/rules.md#what-a-message-may-say).

    The amount only where the organization lets emails name it.

    `base_url` is the address that patients reach us at, without a slash at the end.
    """
    organization, guarantor, link = order.organization, order.book.account.guarantor, order.link.link
    is_receipt = order.notice.notification_type is NotificationType.RECEIPT
    names_amount = organization.amount_in_email and not is_receipt and order.amount_due > 0
    paid = order.book.payment(order.notice.payment_id) if is_receipt else None
    return MessageVariables(
        practice=organization.name,
        short_name=organization.short_name or organization.name,
        # A patient or a third party isn't called by the guarantor's name.
        first_name=guarantor.first_name if order.notice.send_to == GUARANTOR else "",
        phone=readable_phone(organization.phone),
        address_lines=address_lines(organization.address),
        link=f"{base_url}/pay/{order.link.token}",
        link_expires_at=link.expires_at.astimezone(organization.zone),
        link_expires_soon=link.expires_at - order.now <= EXPIRY_TO_THE_MINUTE,
        unsubscribe_link=unsubscribe_link(order, base_url),
        amount_due=order.amount_due if names_amount else None,
        amount_paid=paid.amount if paid else None,
        amount_over=paid.credit if paid and paid.credit > 0 else None,
        paid_on=paid.received_on if paid else None,
        payment_reference=paid.reference if paid else "",
        paid_statements=paid.statement_ids if paid else (),
        online=organization.payments.online,
        staff_name=link.staff_name,
        test_recipient=order.notice.send_to if order.contact.test else "",
        test_account=order.notice.account_id if order.contact.test else "",
    )


def unsubscribe_link(order: Order, base_url: str) -> str:
    """Where the recipient opts out of email; the link's own secret says who it is."""
    return f"{base_url}/unsubscribe/{order.link.token}"


def address_lines(address: Address) -> tuple[str, ...]:
    """A mailing address as it is written on an envelope."""
    lines = (address.line1, address.line2, f"{address.city}, {address.state} {address.postal_code}")
    return tuple(line for line in lines if line)


def sender_name(organization: Organization, staff_name: str = "") -> str:
    """Who a message says it is from: the practice, or the staff member who sent a link."""
    return staff_name or organization.name


def readable_phone(number: str) -> str:
    """A US number as people write it, "(555) 010-0199"; any other as it is."""
    digits = "".join(digit for digit in number if digit.isdecimal())
    local = digits.removeprefix("1") if len(digits) > _DIGITS_OF_A_US_NUMBER else digits
    if len(local) != _DIGITS_OF_A_US_NUMBER or any(sign.isalpha() for sign in number):
        return number
    return f"({local[:3]}) {local[3:6]}-{local[6:]}"
