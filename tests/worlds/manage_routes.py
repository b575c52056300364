"""Every route of functions/manage, and what it is called with so that it does something."""

from dataclasses import replace
from typing import Any

from local.openapi.routes import declared
from shared.domain.delivery.kept_messages import KeptMessage
from shared.domain.delivery.webhook_rules import delivery_of
from shared.domain.records.partner import Partner
from shared.domain.records.partner_event import EventType, partner_event
from shared.domain.records.payment import Payment
from shared.domain.vocabulary.words import NoticeStatus
from shared.http.routes import Route
from shared.storage.account_books import AccountBooks
from shared.storage.claim_records import claim_record_write
from shared.storage.organizations import Organizations
from shared.storage.staff_directory import StaffDirectory
from shared.storage.webhooks import Webhooks
from shared.storage.writes import transact
from tests.worlds.aws import TABLE
from tests.worlds.examples import NOW, notice, staff_member, webhook_endpoint
from tests.worlds.manage_api import Caller, Reply, filled, store
from tests.worlds.template_examples import TEXT

CADENCE: dict[str, Any] = {
    "name": "Mine now",
    "paperCycleDays": 25,
    "steps": [{"billAge": 0, "notificationType": "Initial", "channels": ["email"]}],
}
BODIES: dict[str, Any] = {
    "createDunningConfiguration": CADENCE,
    "changeDunningConfiguration": CADENCE,
    "saveTemplate": TEXT,
    "sendTestMessage": {"channel": "email", "notificationType": "Due"},
    "createOrganization": {
        "name": "Lakeside",
        "clientId": "LAKE",
        "timeZone": "America/Chicago",
        "address": {"line1": "1 Main St", "city": "Albany", "state": "NY", "postalCode": "12207"},
    },
    "changeOrganization": {"name": "Mine now"},
    "changeDunningSettings": {"noDunningLimit": True},
    "changeDunningDefaults": {"noDunningLimit": True},
    "simulateDunningSettings": {"noDunningLimit": True},
    "changeBillStatus": {"status": "Cancelled", "reason": "x"},
    "postPayment": {"amount": "1.00", "method": "cash", "receivedOn": "2026-03-02"},
    "notifyOnDemand": {"channel": "email"},
    "sendPaymentLink": {"staffName": "Robin"},
    "changeAccount": {"holds": ["Dispute"]},
    "cancelNotification": {"optOut": True},
    "resolveTask": {"resolution": "mine now"},
    "reversePayment": {"reason": "typed twice"},
    "refundPayment": {"reason": "paid twice"},
    "setHold": {"hold": "Dispute", "reason": "x"},
    "addNote": {"text": "x"},
    "actOnNotifications": {"action": "cancel", "notificationIds": ["ntc_1"], "reason": "x"},
    "createStaff": {"name": "Robin", "email": "robin@example.com", "role": "Billing"},
    "changeStaff": {"role": "Viewer"},
    "createWebhookEndpoint": {"url": "https://example.com/hook", "events": ["bill.paid"]},
    "changeWebhookEndpoint": {"status": "Disabled"},
}
QUERIES = {"liftHold": "?reason=x"}
"""What a route's query must have."""
MANAGED = [route for route, _ in declared()["Manage"] if route.scope]


def call(caller: Caller, route: Route, **headers: str) -> Reply:
    return caller.call(
        route.method, filled(route.path) + QUERIES.get(route.operation, ""), BODIES.get(route.operation), **headers
    )


def store_one_of_each(books: AccountBooks) -> None:
    """A partner with one of its staff, a webhook endpoint and a delivery; an account with a bill, a payment and a
    failed notice whose message was kept.
    """
    partner = Partner(partner_id="prt_1", name="Acme Billing", created_at=NOW)
    Organizations(books.client, TABLE).create_partner(partner)
    paid = Payment(payment_id="pay_1", amount=1_00, method="cash", received_on=NOW.date(), posted_at=NOW, credit=1_00)
    store(books, notices=(notice(status=NoticeStatus.DELIVERY_ERROR),), payments=(paid,))
    transact(books.client, [claim_record_write(TABLE, KeptMessage(notice_id="ntc_1", text="Hello"))])
    StaffDirectory(books.client, TABLE).create(staff_member())
    webhooks, endpoint = Webhooks(books.client, TABLE), webhook_endpoint()
    webhooks.create(endpoint)
    event = partner_event(EventType.BILL_PAID, NOW, orgId="org_1", statementId="S-1")
    webhooks.add(replace(delivery_of(event, endpoint, NOW), delivery_id="dlv_1"))
