"""The audit trail of settings: each change leaves an entry with it, and nobody else reads it."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from local.openapi.routes import all_routes
from shared.domain.records.partner import Scope
from shared.http.routes import Route
from shared.storage.account_books import AccountBooks
from shared.storage.staff_directory import StaffDirectory
from shared.storage.webhooks import Webhooks
from tests.worlds.aws import TABLE, listen
from tests.worlds.examples import NOW
from tests.worlds.manage_api import DUNNING, FOREIGN, IDS, ORGANIZATION, OWN, snapshot
from tests.worlds.manage_routes import BODIES, CADENCE, call, store_one_of_each
from tests.worlds.template_examples import TEXT

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb import DynamoDBClient

pytestmark = pytest.mark.usefixtures("manage_table")

AUDIT = "/v1/audit"

ELSEWHERE = {
    "changeAccount": "the account's history",
    "changeBillStatus": "the bill's history",
    "setHold": "the account's holds and history",
    "liftHold": "the account's history",
    "addNote": "the account's notes",
    "resolveTask": "the task and the account's history",
    "cancelNotification": "the notice's history",
    "retryNotification": "the notice's history",
    "archiveNotification": "the notice's history",
    "actOnNotifications": "each notice's history",
    "replayWebhookDelivery": "the endpoint's log: it changes no setting",
}
"""Routes with the scope manage that leave no entry, and where what they did stands."""
CHANGES = [
    route
    for route in all_routes()
    if route.scope is Scope.MANAGE and route.method != "GET" and route.operation not in ELSEWHERE
]
of_each_change = pytest.mark.parametrize("route", CHANGES, ids=lambda route: route.operation)


@pytest.fixture
def full(manage_books: AccountBooks, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of each thing that routes are about, with a template and a configuration of one's own."""
    store_one_of_each(manage_books)
    assert OWN.call("PUT", f"{ORGANIZATION}/templates/{IDS['templateId']}", TEXT).status == 200
    own = OWN.post("/v1/dunning-configurations", CADENCE).body
    monkeypatch.setitem(IDS, "configurationId", own["configurationId"])
    monkeypatch.setitem(BODIES, "changeDunningConfiguration", CADENCE | {"paperCycleDays": 26})
    monkeypatch.setitem(BODIES, "saveTemplate", TEXT | {"text": f"{TEXT['text']} Thank you."})


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


@pytest.mark.usefixtures("full")
@of_each_change
def test_every_route_that_changes_settings_leaves_an_entry_that_names_the_person(route: Route) -> None:
    """A new route has to, or to say in ELSEWHERE where what it did stands."""
    before = entries()
    assert call(OWN, route, Dunlin_Actor="Rita Desk").status == route.status
    (found,) = [entry for entry in entries() if entry not in before]
    assert (found["actor"], found["by"]) == ("key:k1", "Rita Desk")
    assert found["before"] or found["after"]
    assert bool(found["after"]) is (route.method != "DELETE")


def test_only_routes_that_are_there_leave_none() -> None:
    assert ELSEWHERE.keys() <= {route.operation for route in all_routes() if route.scope is Scope.MANAGE}


@pytest.mark.usefixtures("full")
@of_each_change
def test_a_change_and_its_entry_are_written_together_or_not_at_all(
    manage_table: "DynamoDBClient", route: Route
) -> None:
    """The entry's transaction fails, and nothing else is written without it."""

    def fail(params: Any, **_: Any) -> None:
        if b"U#prt_1" in params["body"]:
            raise ConnectionError

    before = snapshot(manage_table)
    listen(manage_table, "before-call.dynamodb.TransactWriteItems", fail)
    assert call(OWN, route).status == 500
    assert snapshot(manage_table) == before


def changed(method: str, path: str, body: Any = None) -> tuple[str, str, Any, Any]:
    """What the entry of a change says."""
    before = entries()
    assert OWN.call(method, path, body).status in {200, 204}
    (found,) = [entry for entry in entries() if entry not in before]
    return found["action"], found["subject"], found["before"], found["after"]


@pytest.mark.usefixtures("full")
def test_an_entry_has_what_differs_before_and_after() -> None:
    staff, endpoint, template = "/v1/staff/stf_1", "/v1/webhook-endpoints/whe_1", f"{ORGANIZATION}/templates/Initial"
    configuration = f"/v1/dunning-configurations/{IDS['configurationId']}"
    role = ({"role": "Billing"}, {"role": "Viewer"})
    assert changed("PATCH", staff, {"role": "Viewer"}) == ("StaffChanged", "staff:stf_1", *role)
    disabled = ({"status": "Enabled", "disabledBy": None}, {"status": "Disabled", "disabledBy": "Partner"})
    found = changed("PATCH", endpoint, {"status": "Disabled"})
    assert found == ("WebhookEndpointChanged", "webhook-endpoint:whe_1", *disabled)
    cycle = ({"paperCycleDays": 25, "version": 1}, {"paperCycleDays": 26, "version": 2})
    found = changed("PUT", configuration, CADENCE | {"paperCycleDays": 26})
    assert found == ("DunningConfigurationChanged", f"dunning-configuration:{IDS['configurationId']}", *cycle)
    place, version = "template:org_1/Initial/sms/en", ({"version": 1}, {"version": 2})
    found = changed("PUT", template, TEXT | {"text": f"{TEXT['text']} Thank you."})
    assert found == ("TemplateSaved", place, *version)
    which = {"templateId": "Initial", "channel": "sms", "language": "en", "version": 2}
    assert changed("DELETE", template) == ("TemplateRemoved", place, which, {})
    assert changed("PUT", template, TEXT) == ("TemplateSaved", place, {}, which | {"version": 3})


def test_each_template_that_a_removal_takes_leaves_an_entry() -> None:
    for language in ("en", "es"):
        OWN.call("PUT", f"{ORGANIZATION}/templates/Initial", TEXT | {"language": language})
    assert OWN.call("DELETE", f"{ORGANIZATION}/templates/Initial").status == 204
    removed = [entry["subject"] for entry in entries() if entry["action"] == "TemplateRemoved"]
    assert sorted(removed) == ["template:org_1/Initial/sms/en", "template:org_1/Initial/sms/es"]


def test_nothing_secret_or_personal_is_kept(manage_table: "DynamoDBClient") -> None:
    """Of what isn't kept, a change is told all the same."""
    robin = {"name": "Robin Sample", "email": "robin@example.com", "role": "Billing"}
    staff = f"/v1/staff/{OWN.post('/v1/staff', robin).body['staffId']}"
    assert changed("PATCH", staff, {"name": "Robyn Sample"})[2:] == ({"name": "[not kept]"}, {"name": "[not kept]"})
    hook = {"url": "https://example.com/in/s3cret?key=s3cret", "events": ["bill.paid"]}
    made = OWN.post("/v1/webhook-endpoints", hook).body
    endpoint = f"/v1/webhook-endpoints/{made['endpointId']}"
    moved = changed("PATCH", endpoint, {"url": "https://example.org/in/s3cret"})[2:]
    assert moved == ({"url": "[not kept]", "host": "example.com"}, {"url": "[not kept]", "host": "example.org"})
    (path,) = {json.dumps(each) for each in changed("PATCH", endpoint, {"url": "https://example.org/s3cret"})[2:]}
    assert json.loads(path) == {"url": "[not kept]"}
    sealed = [stored.sealed for stored in Webhooks(manage_table, TABLE).endpoints("prt_1")[0].secrets]
    new = OWN.post(f"{endpoint}/rotate-secret").body["secret"]
    sealed += [stored.sealed for stored in Webhooks(manage_table, TABLE).endpoints("prt_1")[0].secrets]
    OWN.call("PUT", f"{ORGANIZATION}/templates/Initial", TEXT)
    OWN.call("DELETE", endpoint)
    OWN.call("DELETE", staff)
    assert {entry["action"] for entry in entries()} >= {
        "StaffRemoved",
        "WebhookSecretRotated",
        "WebhookEndpointDeleted",
    }
    kept = json.dumps(entries())
    for text in ("Sample", "robin@", "s3cret", made["secret"], new, *sealed, TEXT["text"]):
        assert json.dumps(text)[1:-1] not in kept


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize(
    ("store", "reading", "path", "patch"),
    [
        (StaffDirectory, "get", "/v1/staff/stf_1", {"role": "Viewer"}),
        (Webhooks, "endpoint", "/v1/webhook-endpoints/whe_1", {"events": ["bill.paid"]}),
    ],
)
def test_a_removal_tells_of_what_was_there_last(
    monkeypatch: pytest.MonkeyPatch, store: type, reading: str, path: str, patch: dict[str, Any]
) -> None:
    """Somebody changes it after the removal read it."""
    reads: Callable[..., Any] = getattr(store, reading)
    happened = list[object]()

    def read(self: Any, *ids: str) -> Any:
        found = reads(self, *ids)
        if not happened:
            happened.append(True)
            assert OWN.patch(path, patch).status == 200
        return found

    monkeypatch.setattr(store, reading, read)
    assert OWN.call("DELETE", path).status == 204
    (removed,) = [entry["before"] for entry in entries() if not entry["after"]]
    assert removed == removed | patch


def test_one_test_contact_for_another_is_a_change() -> None:
    one, other = ({"testContacts": {"email": f"{name}@example.com"}} for name in ("one", "two"))
    assert changed("PATCH", ORGANIZATION, one)[2:] == ({"testContacts": None}, {"testContacts": "[not kept]"})
    assert changed("PATCH", ORGANIZATION, other)[2:] == ({"testContacts": "[not kept]"},) * 2


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
