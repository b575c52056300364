"""A partner and its standing: what is shown of it, and how it reaches what its organizations send."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from functions.scheduler.inheritance import Inheritance
from shared.domain.records.partner import Partner
from shared.domain.vocabulary.words import AccountStatus
from shared.storage.account_books import AccountBooks
from shared.storage.background_jobs import BackgroundJobs
from shared.storage.organizations import Organizations
from shared.storage.own_configurations import OwnConfigurations
from shared.storage.partner_defaults import PartnersDefaults
from tests.worlds.aws import TABLE
from tests.worlds.examples import NOW, organization
from tests.worlds.manage_api import BILL, OWN, store

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture
def partner(manage_table: "DynamoDBClient") -> Partner:
    own = Partner(partner_id="prt_1", name="Acme Billing", created_at=NOW)
    Organizations(manage_table, TABLE).create_partner(own)
    return own


def set_status(table: "DynamoDBClient", partner: Partner, status: AccountStatus) -> None:
    """Set it and pass it on, as the scheduler does."""
    organizations, defaults = Organizations(table, TABLE), PartnersDefaults(table, TABLE)
    before = defaults.get(partner.partner_id)
    organizations.save_partner(replace(partner, account_status=status), replace(before, account_status=status), NOW)
    inheritance = Inheritance(
        jobs=BackgroundJobs(table, TABLE),
        organizations=organizations,
        defaults=defaults,
        configurations=OwnConfigurations(table, TABLE),
    )
    while inheritance.advance(partner.partner_id, NOW):
        pass


@pytest.mark.usefixtures("partner")
def test_a_partner_reads_itself(manage_table: "DynamoDBClient") -> None:
    assert manage_table
    assert OWN.get("/v1/partner").body == {
        "partnerId": "prt_1",
        "name": "Acme Billing",
        "accountStatus": "Active",
        "createdAt": "2026-03-02T15:00:00.000Z",
    }
    assert replace(OWN, scopes="manage").get("/v1/partner").status == 403


@pytest.mark.parametrize("status", [status for status in AccountStatus if status is not AccountStatus.ACTIVE])
def test_where_the_partner_is_not_active_nothing_is_sent_and_everything_again_once_it_is(
    manage_table: "DynamoDBClient", manage_books: AccountBooks, partner: Partner, status: AccountStatus
) -> None:
    store(manage_books)
    set_status(manage_table, partner, status)
    assert OWN.post(f"{BILL}/notifications", {"channel": "email"}).status == 409
    explained = OWN.get(f"{BILL}/explanation").body
    assert explained["reason"] == "partner is not active"
    assert explained["findings"][0]["found"] == f"organization is Active, and its partner {status}"
    set_status(manage_table, partner, AccountStatus.ACTIVE)
    assert OWN.post(f"{BILL}/notifications", {"channel": "email"}).status == 202
    assert OWN.get(f"{BILL}/explanation").body["reason"] is None


def test_its_organizations_accounts_are_planned_again(manage_table: "DynamoDBClient", partner: Partner) -> None:
    before = Organizations(manage_table, TABLE).get("org_1")
    set_status(manage_table, partner, AccountStatus.SUSPENDED)
    after = Organizations(manage_table, TABLE).get("org_1")
    assert before
    assert after
    assert (after.partner_status, after.account_status) == (AccountStatus.SUSPENDED, AccountStatus.ACTIVE)
    assert after.version > before.version
    assert BackgroundJobs(manage_table, TABLE).replanning("org_1", NOW) is not None


def test_a_new_organization_stands_as_its_partner_does(manage_table: "DynamoDBClient", partner: Partner) -> None:
    set_status(manage_table, partner, AccountStatus.SUSPENDED)
    address = {"line1": "1 Elm Street", "city": "Albany", "state": "NY", "postalCode": "12207"}
    body = {"name": "New", "clientId": "NEW", "timeZone": "America/New_York", "address": address}
    made = OWN.post("/v1/organizations", body).body
    found = Organizations(manage_table, TABLE).get(made["orgId"])
    assert found
    assert found.partner_status is AccountStatus.SUSPENDED
    assert organization().partner_status is AccountStatus.ACTIVE
