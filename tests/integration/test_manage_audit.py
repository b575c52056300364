"""The audit trail of settings: each change leaves an entry with it, and nobody else reads it."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.worlds.aws import TABLE
from tests.worlds.examples import NOW
from tests.worlds.manage_api import DUNNING, FOREIGN, ORGANIZATION, OWN

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

pytestmark = pytest.mark.usefixtures("manage_table")

AUDIT = "/v1/audit"


def entries(query: str = "") -> list[Any]:
    found: list[Any] = replace(OWN, at=NOW + timedelta(days=9)).get(f"{AUDIT}{query}").body["items"]
    return found


@pytest.mark.parametrize(
    ("path", "patch", "entry"),
    [
        (
            ORGANIZATION,
            {"communicationStatus": "Disabled"},
            ("OrganizationChanged", "organization:org_1", "communicationStatus", "Enabled", "Disabled"),
        ),
        (DUNNING, {"minimumPrint": "5.00"}, ("DunningChanged", "organization:org_1", "minimumPrint", "0.00", "5.00")),
        (
            "/v1/dunning-defaults",
            {"minimumPrint": "5.00"},
            ("DefaultsChanged", "partner:prt_1", "minimumPrint", "0.00", "5.00"),
        ),
    ],
)
def test_each_change_of_settings_leaves_an_entry_with_before_and_after(path: str, patch: Any, entry: Any) -> None:
    assert OWN.call("PATCH", path, patch, Dunlin_Actor="Rita Desk").status == 200
    (found,) = entries()
    action, subject, member, was, is_now = entry
    assert (found["action"], found["subject"], found["actor"], found["by"]) == (action, subject, "key:k1", "Rita Desk")
    assert (found["before"][member], found["after"][member]) == (was, is_now)
    assert found["at"] == "2026-03-02T15:00:00.000Z"


def test_a_new_organization_leaves_an_entry() -> None:
    address = {"line1": "1 Elm Street", "city": "Albany", "state": "NY", "postalCode": "12207"}
    body = {"name": "New", "clientId": "NEW", "timeZone": "America/New_York", "address": address}
    made = OWN.post("/v1/organizations", body).body
    (found,) = entries()
    assert (found["action"], found["subject"]) == ("OrganizationCreated", f"organization:{made['orgId']}")
    assert (found["before"], found["after"]["name"]) == ({}, "New")


def test_what_was_not_changed_leaves_none() -> None:
    OWN.patch(ORGANIZATION, {"communicationStatus": "Enabled"})
    OWN.patch(ORGANIZATION, {"orgId": "org_9"})
    assert OWN.patch(DUNNING, {"minimumPrint": "x"}).status == 422
    assert entries() == []


def test_who_the_test_contacts_are_is_not_kept(manage_table: "DynamoDBClient") -> None:
    OWN.patch(ORGANIZATION, {"testContacts": {"email": "tester@example.com"}})
    (found,) = entries()
    assert (found["before"], found["after"]) == ({"testContacts": None}, {"testContacts": "[not kept]"})
    assert manage_table.scan(TableName=TABLE)["Count"] > 0


def test_it_is_read_by_day_by_subject_and_in_pages_newest_first() -> None:
    for day in range(5):
        caller = replace(OWN, at=NOW + timedelta(days=day))
        caller.patch(ORGANIZATION, {"communicationStatus": "Disabled" if day % 2 == 0 else "Enabled"})
    OWN.patch("/v1/dunning-defaults", {"minimumPrint": "5.00"})
    days = [entry["at"][:10] for entry in entries("?subject=organization:org_1")]
    assert days == ["2026-03-06", "2026-03-05", "2026-03-04", "2026-03-03", "2026-03-02"]
    assert [entry["at"][:10] for entry in entries("?from=2026-03-04&to=2026-03-05")] == ["2026-03-05", "2026-03-04"]
    later, read, cursor = replace(OWN, at=NOW + timedelta(days=9)), list[str](), ""
    while True:
        page = later.get(f"{AUDIT}?limit=2{cursor}").body
        read += [entry["auditId"] for entry in page["items"]]
        if page["nextCursor"] is None:
            break
        cursor = f"&cursor={page['nextCursor']}"
    assert read == [entry["auditId"] for entry in entries()]
    assert len(set(read)) == 6


def test_it_is_the_partners_own() -> None:
    OWN.patch(ORGANIZATION, {"communicationStatus": "Disabled"})
    assert FOREIGN.get(AUDIT).body["items"] == []
    assert replace(OWN, scopes="manage").get(AUDIT).status == 403
    assert OWN.get(f"{AUDIT}?from=soon").status == 400
