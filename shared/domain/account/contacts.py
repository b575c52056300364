"""Where a message would reach its recipient, and whether it may be used."""

import hashlib
from dataclasses import dataclass, field, replace

from shared.domain.records.account import Account
from shared.domain.records.book import AccountBook
from shared.domain.records.policy import MessageContacts, Organization
from shared.domain.records.statement import Address, Guarantor, Patient
from shared.domain.vocabulary.reasons import NO_CONTACT_REASONS, OPT_OUT_REASONS, UNDELIVERABLE_REASONS, Reason
from shared.domain.vocabulary.words import Channel

GUARANTOR, PATIENT, BILL_TO = "guarantor", "patient", "billTo"
"""The recipients that a notice may have, in the words of the API (`sendTo`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A recipient's name, and where it is reached: an email address, a phone number, or a mailing address.

    test: it is the organization's test contact, in the recipient's place.
    """

    channel: Channel
    name: str = field(repr=False)
    destination: str = field(default="", repr=False)
    address: Address | None = field(default=None, repr=False)
    test: bool = False

    @property
    def usable(self) -> bool:
        """Whether there is anything to send to."""
        return bool(self.destination) if self.channel.electronic else self.address is not None


def number_hash(number: str) -> str:
    """SHA-256 of a phone number in E.164: what a number is known by where the number itself must not stand.

    It keeps numbers out of keys and exports; it is no secret, since there are few enough numbers to try them all.
    """
    return hashlib.sha256(number.encode()).hexdigest()


def said_stop(number: str, account: Account) -> bool:
    """Whether a number said STOP: no text goes there until it says START, because the carrier holds it back too."""
    return bool(account.stopped_numbers) and number_hash(number) in account.stopped_numbers


def opted_out(channel: Channel, account: Account) -> bool:
    """Whether the guarantor is opted out of a channel.

    Everybody keeps at least one channel: where all three are closed, letters still go (docs/rules.md#last-channel).
    A number that said STOP gets no text, whoever's it was when it said so.
    """
    choice = account.opt_outs
    if channel is Channel.EMAIL:
        return choice.email
    if channel is Channel.SMS:
        return choice.sms or said_stop(account.guarantor.mobile_phone, account)
    return choice.print and not (opted_out(Channel.EMAIL, account) and opted_out(Channel.SMS, account))


def opt_out_refusal(channel: Channel, account: Account) -> Reason | None:
    """Why an opt-out stops a channel, if one does. None for a channel that only a newer version knows."""
    return OPT_OUT_REASONS.get(channel) if opted_out(channel, account) else None


def contact_refusal(channel: Channel, account: Account) -> Reason | None:
    """Why the guarantor can't be reached on a channel, if so: no address, or one where messages bounced."""
    if not _contact_of_guarantor(channel, account).usable:
        return NO_CONTACT_REASONS[channel]
    if channel in account.undeliverable:
        return UNDELIVERABLE_REASONS[channel]
    return None


def reached_elsewhere(before: Guarantor, after: Guarantor) -> frozenset[Channel]:
    """The channels on which a guarantor is reached somewhere else than before: nothing ever came back from there."""
    different = {
        Channel.EMAIL: before.email != after.email,
        Channel.SMS: before.mobile_phone != after.mobile_phone,
        Channel.PRINT: before.address != after.address,
    }
    return frozenset(channel for channel, changed in different.items() if changed)


def contact_for(
    channel: Channel,
    book: AccountBook,
    organization: Organization,
    recipient: str = GUARANTOR,
    patient: Patient | None = None,
) -> Contact | Reason:
    """Where a message on a channel goes, or why it can't be sent to anybody.

    `patient` is needed for the recipient "patient", since patients live in the statement's document: without one there
    is nobody to send to, least of all somebody else. In test mode the recipient must have an address as always, but the
    message goes to the organization's test contact.
    """
    account = book.account
    if recipient == PATIENT:
        contact = _contact_of_patient(channel, patient, account)
    elif recipient == BILL_TO:
        contact = _contact_of_bill_to(channel, account)
    else:
        refusal = contact_refusal(channel, account)
        if refusal:
            return refusal
        contact = _contact_of_guarantor(channel, account)
    if not contact.usable:
        return NO_CONTACT_REASONS[channel]
    if channel is Channel.SMS and said_stop(contact.destination, account):
        return OPT_OUT_REASONS[channel]
    if organization.test_contacts is None:
        return contact
    redirected = replace(_contact(channel, contact.name, organization.test_contacts), test=True)
    return redirected if redirected.usable else Reason.NO_TEST_CONTACT


def _contact(channel: Channel, name: str, where: MessageContacts) -> Contact:
    if channel is Channel.EMAIL:
        return Contact(channel=channel, name=name, destination=where.email)
    if channel is Channel.SMS:
        return Contact(channel=channel, name=name, destination=where.mobile_phone)
    return Contact(channel=channel, name=name, address=where.address)


def _contact_of_guarantor(channel: Channel, account: Account) -> Contact:
    who = account.guarantor
    where = MessageContacts(email=who.email, mobile_phone=who.mobile_phone, address=who.address)
    return _contact(channel, who.name, where)


def _contact_of_patient(channel: Channel, patient: Patient | None, account: Account) -> Contact:
    """A patient has no mailing address of their own: letters go to the household's."""
    if patient is None:
        return _contact(channel, "", MessageContacts())
    where = MessageContacts(email=patient.email, mobile_phone=patient.mobile_phone, address=account.guarantor.address)
    return _contact(channel, f"{patient.first_name} {patient.last_name}".strip(), where)


def _contact_of_bill_to(channel: Channel, account: Account) -> Contact:
    """A third party who pays gets no letters: statements give no mailing address for one."""
    payer = account.bill_to
    if payer is None:
        return _contact(channel, "", MessageContacts())
    return _contact(channel, payer.name, MessageContacts(email=payer.email, mobile_phone=payer.mobile_phone))
