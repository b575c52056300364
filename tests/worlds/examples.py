"""Made-up people, organizations and bills that tests start from; each test changes what it is about."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from shared.domain.records.account import Account
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook
from shared.domain.records.notice import BillLevel, Notice, StatusChange
from shared.domain.records.partner_event import EventType
from shared.domain.records.policy import DunningSettings, Organization, PaymentRule
from shared.domain.records.staff import StaffMember, StaffRole
from shared.domain.records.statement import Address, Guarantor
from shared.domain.records.webhook import WebhookEndpoint
from shared.domain.texting.text_consent import ReceivedText
from shared.domain.vocabulary.words import Channel, DunningReset, NoticeStatus, NotificationType

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
"""Monday, ten in the morning in New York."""

ADDRESS = Address(line1="12 Juniper Way", city="Albany", state="NY", postal_code="12207")


def organization(**changes: Any) -> Organization:
    """A practice in New York on the standard preset."""
    practice = Organization(
        org_id="org_1",
        practice_id="prac_1",
        partner_id="prt_1",
        client_id="NORTH",
        name="Northside Family Practice",
        short_name="Northside",
        time_zone="America/New_York",
        address=ADDRESS,
        phone="+15185550100",
    )
    return replace(practice, **changes)


def account(**changes: Any) -> Account:
    """A guarantor who can be reached on every channel."""
    guarantor = Guarantor(
        guarantor_id="G-1",
        first_name="Ada",
        last_name="Example",
        date_of_birth=date(1980, 2, 29),
        email="ada@example.com",
        mobile_phone="+15185550111",
        address=ADDRESS,
    )
    return replace(Account(org_id="org_1", account_id="G-1", guarantor=guarantor), **changes)


def bill(statement_id: str = "S-1", **changes: Any) -> Bill:
    """A bill of 74.60 that arrived at NOW."""
    new = Bill(
        statement_id=statement_id,
        total_billed=120_00,
        balance=74_60,
        statement_date=NOW.date(),
        created_at=NOW,
        effective_created_date=NOW.date(),
        aging_period=f"{statement_id}/1",
        patient_account_ids=("P-1",),
        birth_dates=(date(2015, 6, 7),),
        document=b"{}",
    )
    return replace(new, **changes)


def with_rule(reset: DunningReset, **rule: int) -> Organization:
    """The practice with a payment rule: `minimum_amount` or `minimum_percent`."""
    return organization(dunning=DunningSettings(payment_rule=PaymentRule(dunning_reset=reset, **rule)))


def the(found: AccountBook, statement_id: str = "S-1") -> Bill:
    """A bill that is in the book."""
    one = found.bill(statement_id)
    assert one is not None
    return one


def notice(**changes: Any) -> Notice:
    """The first email about S-1, scheduled for NOW."""
    planned = Notice(
        notice_id="ntc_1",
        org_id="org_1",
        account_id="G-1",
        channel=Channel.EMAIL,
        notification_type=NotificationType.INITIAL,
        level=1,
        bills=(BillLevel(statement_id="S-1", aging_period="S-1/1", level=1),),
        scheduled_for=NOW,
        created_at=NOW,
    )
    return replace(planned, **changes)


def as_if(row: Notice, status: NoticeStatus, at: datetime, actor: str, reason: str = "", **changes: Any) -> Notice:
    """The row in a status and with that entry in its history, however it came there: no table is asked."""
    changed = replace(row, status=status, reason=reason, **changes)
    entry = StatusChange(status=status, at=at, actor=actor, reason=reason, level=changed.level)
    return replace(changed, status_history=(*row.status_history, entry))


def book(**changes: Any) -> AccountBook:
    """The account with its one bill."""
    return replace(AccountBook(account=account(), bills=(bill(),)), **changes)


def received(number: str, at: datetime = NOW, text_id: str = "") -> ReceivedText:
    """A text that came from a number (hashed) at a time."""
    return ReceivedText(text_id=text_id or f"in-{number[:4]}-{at:%d%H%M%S}", number=number, said_at=at)


def staff_member(**changes: Any) -> StaffMember:
    """A person who works for the partner."""
    robin = StaffMember(
        staff_id="stf_1",
        partner_id="prt_1",
        name="Robin Sample",
        email="robin@example.com",
        role=StaffRole.BILLING,
        billing_permission=True,
        created_at=NOW,
    )
    return replace(robin, **changes)


def webhook_endpoint(**changes: Any) -> WebhookEndpoint:
    """An endpoint of the partner's that takes every event."""
    endpoint = WebhookEndpoint(
        endpoint_id="whe_1",
        partner_id="prt_1",
        url="https://example.com/hook",
        events=frozenset(EventType),
        created_at=NOW,
    )
    return replace(endpoint, **changes)
