"""Staff: people who work for a partner, added, found, changed and removed by that partner only."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from shared.storage.organizations import Organizations
from tests.worlds.aws import TABLE
from tests.worlds.examples import organization
from tests.worlds.manage_api import FOREIGN, OWN, pointers, snapshot

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

pytestmark = pytest.mark.usefixtures("manage_table")

STAFF = "/v1/staff"
ROBIN = {"name": "Robin Sample", "email": "robin@example.com", "role": "Billing", "billingPermission": True}
WHOLE = {"organizations": None, "providerId": None, "createdAt": "2026-03-02T15:00:00.000Z"}


def add(**changes: Any) -> dict[str, Any]:
    answer = OWN.post(STAFF, ROBIN | changes)
    assert answer.status == 201, answer.body
    found: dict[str, Any] = answer.body
    return found


def test_a_person_is_added_read_changed_in_part_and_removed() -> None:
    robin = add()
    path = f"{STAFF}/{robin['staffId']}"
    assert robin == ROBIN | WHOLE | {"staffId": robin["staffId"]}
    assert OWN.get(path).body == robin
    changed = OWN.patch(path, {"role": "Provider", "providerId": "PR-7", "organizations": ["org_1"]})
    assert changed.body == robin | {"role": "Provider", "providerId": "PR-7", "organizations": ["org_1"]}
    assert OWN.patch(path, changed.body).body == changed.body
    assert OWN.patch(path, {"organizations": None, "providerId": None}).body == robin | {"role": "Provider"}
    assert OWN.call("DELETE", path).status == 204
    assert {OWN.get(path).status, OWN.patch(path, {"role": "Admin"}).status, OWN.call("DELETE", path).status} == {404}


def test_staff_are_listed_by_pages_and_none_is_left_out_or_comes_twice() -> None:
    made = {add(name=f"Person {n}")["staffId"] for n in range(5)}
    page = OWN.get(f"{STAFF}?limit=2").body
    found = [each["staffId"] for each in page["items"]]
    while page["nextCursor"]:
        page = OWN.get(f"{STAFF}?limit=2&cursor={page['nextCursor']}").body
        found += [each["staffId"] for each in page["items"]]
    assert (set(found), len(found)) == (made, 5)


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"name": ""}, "/name"),
        ({"name": "a\nb"}, "/name"),
        ({"name": "x" * 101}, "/name"),
        ({"name": None}, "/name"),
        ({"email": "robin"}, "/email"),
        ({"email": "robin@"}, "/email"),
        ({"email": 7}, "/email"),
        ({"role": "Owner"}, "/role"),
        ({"role": "billing"}, "/role"),
        ({"billingPermission": "true"}, "/billingPermission"),
        ({"organizations": "org_1"}, "/organizations"),
        ({"organizations": ["org_1", "org_1"]}, "/organizations"),
        ({"organizations": ["org_1", "org_none"]}, "/organizations/1"),
        ({"organizations": ["org_2"]}, "/organizations/0"),
        ({"organizations": [f"org_{n}" for n in range(101)]}, "/organizations"),
        ({"providerId": ""}, "/providerId"),
        ({"admin": True}, "/admin"),
    ],
)
def test_what_is_wrong_is_a_422_that_points_at_it_and_changes_nothing(
    manage_table: "DynamoDBClient", wrong: dict[str, Any], where: str
) -> None:
    """Somebody else's organization as one that doesn't exist."""
    Organizations(manage_table, TABLE).create(organization(org_id="org_2", partner_id="prt_2", client_id="SOUTH"))
    path = f"{STAFF}/{add()['staffId']}"
    before = snapshot(manage_table)
    for answer in (OWN.post(STAFF, ROBIN | wrong), OWN.patch(path, {"billingPermission": False} | wrong)):
        assert (answer.status, pointers(answer.body)) == (422, [where])
        assert snapshot(manage_table) == before


def test_all_that_is_wrong_is_said_at_once() -> None:
    assert set(pointers(OWN.post(STAFF, {}).body)) == {"/name", "/email", "/role"}


def test_what_is_given_by_us_cant_be_changed() -> None:
    path = f"{STAFF}/{add()['staffId']}"
    answer = OWN.patch(path, {"staffId": "stf_other", "createdAt": "2020-01-01T00:00:00.000Z"})
    assert (answer.status, pointers(answer.body)) == (422, ["/staffId", "/createdAt"])


def test_another_partner_and_a_key_without_the_scope_see_and_change_nothing(manage_table: "DynamoDBClient") -> None:
    path = f"{STAFF}/{add()['staffId']}"
    before = snapshot(manage_table)
    assert {FOREIGN.get(path).status, FOREIGN.patch(path, {"role": "Admin"}).status} == {404}
    assert FOREIGN.call("DELETE", path).status == 404
    assert FOREIGN.get(STAFF).body == {"items": [], "nextCursor": None}
    reader, manager = replace(OWN, scopes="read"), replace(OWN, scopes="manage")
    assert reader.post(STAFF, ROBIN).status == reader.patch(path, {"role": "Admin"}).status == 403
    assert reader.call("DELETE", path).status == manager.get(path).status == manager.get(STAFF).status == 403
    assert snapshot(manage_table) == before


def test_a_repeat_under_one_key_adds_one_person() -> None:
    first, second = (OWN.post(STAFF, ROBIN, Idempotency_Key="k") for _ in range(2))
    assert first.text == second.text
    assert len(OWN.get(STAFF).body["items"]) == 1
