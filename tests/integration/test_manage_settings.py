"""Organizations and their dunning settings, from the gateway's event to the table and back."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions.manage.ports import ports
from shared.domain.records.policy import PaymentSettings
from shared.domain.vocabulary.words import CommunicationStatus, Processor
from shared.storage.due_index import Due, DueReplanning
from shared.storage.organizations import Organizations
from tests.worlds.aws import TABLE
from tests.worlds.examples import NOW
from tests.worlds.manage_api import DUNNING, FOREIGN, OWN, due, pointers, snapshot
from tests.worlds.wiring import wired

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

pytestmark = pytest.mark.usefixtures("manage_table")

ADDRESS = {"line1": "12 Juniper Way", "city": "Albany", "state": "ny", "postalCode": "12207"}
NEW: dict[str, Any] = {
    "name": "Lakeside Pediatrics",
    "clientId": "LAKE",
    "timeZone": "America/Chicago",
    "address": ADDRESS,
}


def test_a_new_organization_is_enabled_active_on_the_standard_preset_without_a_processor() -> None:
    created = OWN.post("/v1/organizations", NEW)
    assert created.status == 201
    assert created.body["communicationStatus"] == "Enabled"
    assert created.body["accountStatus"] == "Active"
    assert created.body["payments"] == {"processor": "none", "external": None, "stripe": None}
    assert created.body["shortName"] == "Lakeside Pediatrics"
    assert created.body["location"] == "Albany, NY"
    assert created.body["orgId"] != created.body["practiceId"]
    org_id = created.body["orgId"]
    assert OWN.get(f"/v1/organizations/{org_id}").body == created.body
    assert OWN.get(f"/v1/organizations/{org_id}/dunning").body["configurationId"] == "standard-30"


def test_a_client_id_is_taken_once_for_all_partners_but_case_counts() -> None:
    assert FOREIGN.post("/v1/organizations", NEW | {"clientId": "NORTH"}).status == 409
    assert FOREIGN.post("/v1/organizations", NEW | {"clientId": "north"}).status == 201


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": "A\nB"}, "/name"),
        ({"name": 5}, "/name"),
        ({"clientId": "x" * 41}, "/clientId"),
        ({"timeZone": "Eastern"}, "/timeZone"),
        ({"timeZone": "../../etc/passwd"}, "/timeZone"),
        ({"address": ADDRESS | {"state": "XX"}}, "/address/state"),
        ({"address": ADDRESS | {"postalCode": "1220"}}, "/address/postalCode"),
        ({"address": {"line1": "12 Juniper Way"}}, "/address/city"),
        ({"phone": "12"}, "/phone"),
        ({"email": "nobody"}, "/email"),
        ({"orgId": "org_mine"}, "/orgId"),
        ({"payments": {"processor": "paypal"}}, "/payments/processor"),
        ({"payments": {"processor": "stripe"}}, "/payments"),
        ({"payments": {"processor": "sandbox"}}, "/payments/processor"),
        (
            {"payments": {"processor": "external", "external": {"urlTemplate": "http://x"}}},
            "/payments/external/urlTemplate",
        ),
        ({"testContacts": {"email": "x"}}, "/testContacts/email"),
        ({"linkDays": 0}, "/linkDays"),
        ({"linkDays": True}, "/linkDays"),
        ({"billType": "Monthly"}, "/billType"),
    ],
)
def test_a_wrong_member_is_named_and_nothing_is_stored(
    manage_table: "DynamoDBClient", wrong: dict[str, Any], pointer: str
) -> None:
    before = snapshot(manage_table)
    answer = OWN.post("/v1/organizations", NEW | wrong)
    assert answer.status == 422
    assert pointer in pointers(answer.body)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert snapshot(manage_table) == before


@pytest.mark.parametrize("body", ["", "{", "NaN", '{"name": NaN}', "[" * 100_000])
def test_a_body_that_is_no_json_is_a_400(body: str) -> None:
    answer = OWN.call("PATCH", "/v1/organizations/org_1", body)
    assert answer.status == 400


@pytest.mark.parametrize("body", ["[]", '"x"', "null", "5"])
def test_a_body_that_is_no_object_is_a_422(body: str) -> None:
    assert OWN.call("POST", "/v1/organizations", body).status == 422


def test_the_sandbox_is_there_only_where_the_stack_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    wired(monkeypatch, ports, SANDBOX_PROCESSOR_URL="http://localhost:1/pay")
    created = OWN.post("/v1/organizations", NEW | {"payments": {"processor": "sandbox"}})
    assert created.body["payments"]["processor"] == "sandbox"


def test_a_search_is_partial_case_insensitive_and_counts_all() -> None:
    for number in range(3):
        OWN.post("/v1/organizations", NEW | {"name": f"Lakeside {number}", "clientId": f"L{number}"})
    FOREIGN.post("/v1/organizations", NEW | {"clientId": "FOREIGN"})
    first = OWN.get("/v1/organizations?search=lakeSIDE&limit=2")
    assert [item["name"] for item in first.body["items"]] == ["Lakeside 0", "Lakeside 1"]
    assert first.body["total"] == 3
    rest = OWN.get(f"/v1/organizations?search=lakeSIDE&limit=2&cursor={first.body['nextCursor']}")
    assert [item["name"] for item in rest.body["items"]] == ["Lakeside 2"]
    assert rest.body["nextCursor"] is None
    by_client_id = OWN.get("/v1/organizations?search=orth").body["items"]
    assert by_client_id == [
        {
            "name": "Northside Family Practice",
            "clientId": "NORTH",
            "orgId": "org_1",
            "practiceId": "prac_1",
            "location": "Albany, NY",
            "communicationStatus": "Enabled",
            "accountStatus": "Active",
        }
    ]
    assert OWN.get("/v1/organizations?search=nothing").body == {"items": [], "nextCursor": None, "total": 0}


def test_a_patch_merges_and_null_removes() -> None:
    OWN.patch("/v1/organizations/org_1", {"testContacts": {"email": "test@example.com", "mobilePhone": "2125550100"}})
    changed = OWN.patch("/v1/organizations/org_1", {"testContacts": {"email": None}, "address": {"city": "Troy"}})
    assert changed.status == 200
    assert changed.body["testContacts"] == {"email": None, "mobilePhone": "+12125550100", "address": None}
    assert changed.body["address"]["city"] == "Troy"
    assert changed.body["address"]["line1"] == "12 Juniper Way"
    assert OWN.patch("/v1/organizations/org_1", {"testContacts": None}).body["testContacts"] is None


@pytest.mark.parametrize("name", ["orgId", "practiceId", "clientId"])
def test_ids_cannot_be_changed(name: str) -> None:
    answer = OWN.patch("/v1/organizations/org_1", {name: "another"})
    assert answer.status == 422
    assert pointers(answer.body) == [f"/{name}"]


def test_what_was_read_can_be_sent_back_unchanged() -> None:
    read = OWN.get("/v1/organizations/org_1").body
    assert OWN.patch("/v1/organizations/org_1", read).body == read
    settings = OWN.get(DUNNING).body
    assert OWN.patch(DUNNING, settings).body == settings


@pytest.mark.parametrize(
    "stored",
    [
        PaymentSettings(processor=Processor.EXTERNAL, external_url_template="https://[bad", external_id="A"),
        PaymentSettings(processor=Processor.EXTERNAL, external_url_template="http://x.example/{who}"),
        PaymentSettings(processor=Processor.SANDBOX),
    ],
)
def test_payment_settings_stored_before_they_were_checked_stop_only_a_change_of_themselves(
    manage_table: "DynamoDBClient", stored: PaymentSettings
) -> None:
    store = Organizations(manage_table, TABLE)
    found = store.get("org_1")
    assert found is not None
    store.save(replace(found, payments=stored))
    read = OWN.get("/v1/organizations/org_1").body
    changed = OWN.patch("/v1/organizations/org_1", {"phone": "2125550100"})
    assert (changed.status, changed.body["phone"]) == (200, "+12125550100")
    assert changed.body["payments"] == read["payments"]  # shown as it is stored
    assert OWN.patch("/v1/organizations/org_1", changed.body).body == changed.body
    refused = OWN.patch("/v1/organizations/org_1", {"payments": {"external": {"id": "B"}}})
    assert refused.status == 422
    assert pointers(refused.body)[0].startswith("/payments/")
    mended = OWN.patch("/v1/organizations/org_1", {"payments": {"processor": "none", "external": None}})
    assert mended.status == 200


def test_the_presets_are_found_by_name_and_show_their_steps() -> None:
    found = OWN.get("/v1/dunning-configurations?search=PAPERLESS").body["items"]
    assert [preset["configurationId"] for preset in found] == ["paperless-30"]
    one = OWN.get("/v1/dunning-configurations/standard-30").body
    assert one["steps"][1] == {
        "level": 2,
        "cycle": 2,
        "billAge": 30,
        "notificationType": "Due",
        "channels": ["email", "sms", "print"],
        "templates": dict.fromkeys(["email", "sms", "print"], "<System Default>"),
    }
    assert OWN.get("/v1/dunning-configurations/none").status == 404


def test_presets_come_in_pages() -> None:
    first = OWN.get("/v1/dunning-configurations?limit=3").body
    rest = OWN.get(f"/v1/dunning-configurations?limit=3&cursor={first['nextCursor']}").body
    assert len(first["items"]) == 3
    assert len({preset["configurationId"] for preset in first["items"] + rest["items"]}) == 5
    assert rest["nextCursor"] is None


def test_every_dunning_setting_can_be_changed_and_read_back() -> None:
    wanted = {
        "configurationId": "gentle-45",
        "minimumElectronic": "5.00",
        "minimumPrint": "10.50",
        "billAging": "BasedOnDunningStatus",
        "communicationsOnBillUpdate": True,
        "enableBillReset": True,
        "resetOnFieldsChanging": True,
        "resetFields": ["/totalBilled", "/guarantor/address", "/patients/0/visits"],
        "dropToPaperOnOptOut": True,
        "skipPaperWhenElectronicAvailable": True,
        "paymentRule": {"minimumAmount": "25.00", "minimumPercent": None, "dunningReset": "MinusOne"},
        "noDunningLimit": True,
        "daysUntilDue": 14,
        "daysToIgnoreAfterTransaction": 3,
        "optOutAfterUndeliverable": True,
        "dropToPaperAfterUndeliverableDays": 0,
        "sendWindow": {
            "opens": "08:00",
            "closes": "17:30",
            "businessDays": ["Monday", "Saturday"],
            "federalHolidays": False,
        },
        "quietHours": {"starts": "19:00", "ends": "10:00"},
    }
    changed = OWN.patch(DUNNING, wanted)
    assert changed.status == 200
    assert {name: changed.body[name] for name in wanted} == wanted
    assert changed.body["dunningCycleDays"] == 45
    assert [step["billAge"] for step in changed.body["schedule"]] == [0, 45, 90, 135]
    assert OWN.get(DUNNING).body == changed.body


def test_amounts_are_exact_whether_quoted_or_not() -> None:
    changed = OWN.call("PATCH", DUNNING, '{"minimumElectronic": 1234567.89, "minimumPrint": 7}')
    assert changed.body["minimumElectronic"] == "1234567.89"
    assert changed.body["minimumPrint"] == "7.00"


@pytest.mark.parametrize("amount", ["1e9", "1e-3", "1e999999999", "1e-999999999", "100000000", "0.001", '"1e2"'])
def test_an_amount_that_fits_no_field_is_refused_at_once(amount: str) -> None:
    assert OWN.call("PATCH", DUNNING, f'{{"minimumPrint": {amount}}}').status == 422


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"dunningCycleDays": 10}, "/dunningCycleDays"),
        ({"paperCycleDays": 10}, "/paperCycleDays"),
        ({"schedule": []}, "/schedule"),
        ({"unknown": 1}, "/unknown"),
        ({"configurationId": "mine"}, "/configurationId"),
        ({"minimumPrint": "1.234"}, "/minimumPrint"),
        ({"minimumPrint": "-1.00"}, "/minimumPrint"),
        ({"minimumPrint": "NaN"}, "/minimumPrint"),
        ({"minimumPrint": True}, "/minimumPrint"),
        ({"enableBillReset": "true"}, "/enableBillReset"),
        ({"resetFields": ["totalBilled"]}, "/resetFields/0"),
        ({"resetFields": ["/totalBilled", "/noSuchField"]}, "/resetFields/1"),
        ({"resetFields": ["/guarantor/shoeSize"]}, "/resetFields/0"),
        ({"resetFields": ["/a~2b"]}, "/resetFields/0"),
        ({"paymentRule": {"dunningReset": "Zero"}}, "/paymentRule"),
        ({"paymentRule": {"minimumPercent": 101, "dunningReset": "Zero"}}, "/paymentRule/minimumPercent"),
        ({"paymentRule": {"minimumAmount": "1.00", "minimumPercent": 5, "dunningReset": "Zero"}}, "/paymentRule"),
        ({"sendWindow": {"opens": "18:00"}}, "/sendWindow"),
        ({"sendWindow": {"opens": "25:00"}}, "/sendWindow/opens"),
        ({"sendWindow": {"opens": 35100}}, "/sendWindow/opens"),
        ({"sendWindow": {"businessDays": []}}, "/sendWindow/businessDays"),
        ({"daysUntilDue": 30.0}, "/daysUntilDue"),
        ({"daysUntilDue": -1}, "/daysUntilDue"),
        ({"optOutAfterUndeliverable": 1}, "/optOutAfterUndeliverable"),
        ({"dropToPaperAfterUndeliverableDays": -1}, "/dropToPaperAfterUndeliverableDays"),
        ({"inherited": {}}, "/inherited"),
    ],
)
def test_a_wrong_dunning_setting_is_named_and_changes_nothing(wrong: dict[str, Any], pointer: str) -> None:
    before = OWN.get(DUNNING).body
    answer = OWN.patch(DUNNING, wrong)
    assert answer.status == 422
    assert pointers(answer.body) == [pointer]
    assert OWN.get(DUNNING).body == before


def test_changed_dunning_settings_have_the_accounts_planned_anew_from_that_moment(
    manage_table: "DynamoDBClient",
) -> None:
    OWN.patch(DUNNING, {"noDunningLimit": True})
    assert due(manage_table, NOW) == {DueReplanning("org_1")}
    assert due(manage_table, NOW - timedelta(seconds=1)) == set()


@pytest.mark.parametrize(
    ("patch", "planned_anew"),
    [
        ({"communicationStatus": "Enabled"}, {DueReplanning("org_1")}),
        ({"accountStatus": "Active"}, {DueReplanning("org_1")}),
        ({"timeZone": "America/Denver"}, {DueReplanning("org_1")}),
        ({"testContacts": None}, {DueReplanning("org_1")}),
        ({"name": "Northside", "linkDays": 10}, set()),
    ],
)
def test_a_change_to_what_accounts_are_planned_by_has_them_planned_anew(
    manage_table: "DynamoDBClient", patch: dict[str, Any], planned_anew: set[Due]
) -> None:
    assert OWN.patch("/v1/organizations/org_1", patch).status == 200
    assert due(manage_table, NOW) == planned_anew


def test_a_refused_change_has_nothing_planned_anew(manage_table: "DynamoDBClient") -> None:
    assert OWN.patch("/v1/organizations/org_1", {"timeZone": "Nowhere"}).status == 422
    assert OWN.patch(DUNNING, {"billAging": "Backwards"}).status == 422
    assert due(manage_table, NOW) == set()


def test_a_disabled_organization_is_stored_so(manage_table: "DynamoDBClient") -> None:
    changed = OWN.patch("/v1/organizations/org_1", {"communicationStatus": "Disabled"})
    assert changed.body["communicationStatus"] == "Disabled"
    saved = Organizations(manage_table, TABLE).get("org_1")
    assert saved is not None
    assert saved.communication_status is CommunicationStatus.DISABLED


def test_a_payment_rule_by_amount_is_replaced_by_one_by_percentage() -> None:
    OWN.patch(DUNNING, {"paymentRule": {"minimumAmount": "10.00", "dunningReset": "Zero"}})
    changed = OWN.patch(DUNNING, {"paymentRule": {"minimumPercent": 25, "dunningReset": "MinusOne"}})
    assert changed.status == 200
    assert changed.body["paymentRule"] == {"minimumAmount": None, "minimumPercent": 25, "dunningReset": "MinusOne"}
