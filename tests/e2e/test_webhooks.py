"""Webhooks on the deployed stack: what happened reaches a receiver, signed, through scheduler, queue and function."""

from datetime import timedelta

import pytest

from tests.worlds.partner_at_work import Partner, statement
from tests.worlds.webhook_receivers import ENDPOINTS, receiver

pytestmark = pytest.mark.e2e


def test_a_payment_reaches_a_receiver_that_was_down_signed_with_the_endpoints_secret(partner: Partner) -> None:
    org_id = partner.organization("HOOK")
    with receiver(status=503) as taken:
        said = {"url": taken.url, "events": ["bill.paid"]}
        endpoint = partner.call("POST", ENDPOINTS, said).json()
        partner.call("POST", "/v1/statements", {"statements": [statement("S-HOOK", "HOOK")]})
        money = {"amount": "74.60", "method": "cash", "receivedOn": "2026-03-02"}
        paid = partner.call("POST", f"/v1/organizations/{org_id}/bills/S-HOOK/payments", money)
        assert paid.status_code == 201, paid.text
        partner.sweep_until(partner.now + timedelta(seconds=10))
        assert len(taken.calls) == 1
        taken.status = 200
        partner.sweep_until(partner.now + timedelta(minutes=20))
    told = [call.verified(endpoint["secret"]) for call in taken.calls]
    ids = {"orgId": org_id, "accountId": "G-S-HOOK", "statementId": "S-HOOK"}
    assert [each["data"] for each in told] == [ids, ids]
    assert len({call.headers["webhook-id"] for call in taken.calls}) == 1
    log = partner.call("GET", f"{ENDPOINTS}/{endpoint['endpointId']}/deliveries").json()["items"]
    assert [(row["status"], [each["statusCode"] for each in row["attempts"]]) for row in log] == [
        ("Delivered", [503, 200])
    ]
