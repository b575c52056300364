"""A made-up message to an organization's test contact: so that staff see what patients will get, before any does.

Nothing of it is stored: its account, bill and link exist in the message alone, and the link opens nothing.
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.account.contacts import Contact, contact_for
from shared.domain.dunning.decision import Send
from shared.domain.records.account import Account
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook
from shared.domain.records.notice import BillLevel, Notice, new_notice
from shared.domain.records.payment import Allocation, Payment
from shared.domain.records.policy import SYSTEM_DEFAULT_TEMPLATE, Organization
from shared.domain.records.statement import Guarantor
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import Channel, Language, NotificationType

SAMPLE_ACCOUNT, SAMPLE_STATEMENT, SAMPLE_PAYMENT = "sample", "SAMPLE-1", "sample-payment"

BALANCE, PAID = 74_60, 25_00


@dataclass(frozen=True, slots=True)
class SampleNotice:
    """What a sample is made from, as if it had been judged."""

    notice: Notice
    verdict: Send
    book: AccountBook


def sample_of(
    organization: Organization,
    sample_id: str,
    channel: Channel,
    kind: NotificationType,
    language: Language,
    now: datetime,
) -> SampleNotice | Reason:
    """A sample to the organization's test contact; why there can be none: it has no such contact for the channel."""
    book = _book(organization, language, now)
    contact = sample_contact(organization, channel, book)
    if isinstance(contact, Reason):
        return contact
    bills = (BillLevel.of(book.bills[0], 0),)
    notice = new_notice(
        book.account,
        notice_id=sample_id,
        channel=channel,
        notification_type=kind,
        bills=bills,
        now=now,
        template_id=SYSTEM_DEFAULT_TEMPLATE,
        payment_id=SAMPLE_PAYMENT if kind is NotificationType.RECEIPT else "",
    )
    verdict = Send(notification_type=kind, level=0, bills=bills, template_id=SYSTEM_DEFAULT_TEMPLATE, contact=contact)
    return SampleNotice(notice, verdict, book)


def sample_contact(organization: Organization, channel: Channel, book: AccountBook | None = None) -> Contact | Reason:
    """The test contact that a sample goes to; never anybody else."""
    if organization.test_contacts is None:
        return Reason.NO_TEST_CONTACT
    made_up = book or AccountBook(account=_account(organization, Language.ENGLISH))
    return contact_for(channel, made_up, organization)


def _account(organization: Organization, language: Language) -> Account:
    return Account(
        org_id=organization.org_id,
        account_id=SAMPLE_ACCOUNT,
        guarantor=Guarantor(
            first_name="Alex",
            last_name="Sample",
            email="alex.sample@example.com",
            mobile_phone="+12125550199",
            language=language,
            address=organization.address,
        ),
    )


def _book(organization: Organization, language: Language, now: datetime) -> AccountBook:
    today = now.astimezone(organization.zone).date()
    visit = {
        "date": today.isoformat(),
        "charges": [
            {
                "date": today.isoformat(),
                "description": "Sample",
                "billed": "99.60",
                "insurancePaid": "0.00",
                "adjustment": "0.00",
                "patientPaid": "25.00",
                "balance": "74.60",
            }
        ],
    }
    address = organization.address
    document = {
        "statementId": SAMPLE_STATEMENT,
        "clientId": organization.client_id,
        "totalBilled": "99.60",
        "totalBalance": "74.60",
        "guarantor": {
            "firstName": "Alex",
            "lastName": "Sample",
            "address": {
                "line1": address.line1,
                "city": address.city,
                "state": address.state,
                "postalCode": address.postal_code,
            },
        },
        "patients": [{"accountId": SAMPLE_ACCOUNT, "firstName": "Alex", "lastName": "Sample", "visits": [visit]}],
    }
    bill = Bill(
        statement_id=SAMPLE_STATEMENT,
        total_billed=BALANCE + PAID,
        balance=BALANCE,
        statement_date=today,
        created_at=now,
        effective_created_date=today,
        aging_period=SAMPLE_STATEMENT,
        document=json.dumps(document).encode(),
    )
    payment = Payment(
        payment_id=SAMPLE_PAYMENT,
        amount=PAID,
        method="card",
        received_on=today,
        posted_at=now,
        allocations=(Allocation(statement_id=SAMPLE_STATEMENT, amount=PAID),),
    )
    book = AccountBook(account=_account(organization, language), bills=(bill,))
    return replace(book, payments=(payment,))
