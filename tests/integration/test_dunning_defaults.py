"""A partner's dunning defaults: set, inherited, overridden, and passed on to every organization in the background."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from functions.scheduler import inheritance
from shared.domain.records.inheritance import PartnerDefaults
from shared.domain.records.policy import DunningSettings, Organization
from shared.storage import keys
from shared.storage.due_index import DueInheritance, DueReplanning
from shared.storage.organizations import OrganizationChangedError, Organizations
from shared.storage.partner_defaults import DefaultsChangedError, PartnersDefaults
from tests.worlds.aws import TABLE
from tests.worlds.examples import NOW, organization
from tests.worlds.manage_api import DUNNING, FOREIGN, ORGANIZATION, OWN, due
from tests.worlds.wiring import scheduler_ports

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DEFAULTS = "/v1/dunning-defaults"
ADDRESS = {"line1": "12 Juniper Way", "city": "Albany", "state": "NY", "postalCode": "12207"}
NEW: dict[str, Any] = {"name": "Lakeside", "clientId": "LAKE", "timeZone": "America/Chicago", "address": ADDRESS}

pytestmark = pytest.mark.usefixtures("manage_table")


def pass_on(table: "DynamoDBClient") -> None:
    """Work the partner's job until there is none, as sweeps do."""
    while DueInheritance("prt_1") in due(table):
        assert scheduler_ports(table).inheritance.advance("prt_1", NOW)


def many(table: "DynamoDBClient", count: int) -> list[str]:
    org_ids = [f"org_{number:02}" for number in range(10, 10 + count)]
    for org_id in org_ids:
        Organizations(table, TABLE).create(organization(org_id=org_id, client_id=org_id, name=f"Practice {org_id}"))
    return org_ids


def got(table: "DynamoDBClient", org_id: str = "org_1") -> Organization:
    found = Organizations(table, TABLE).get(org_id)
    assert found is not None
    return found


def test_a_partner_that_set_nothing_inherits_all_from_the_system() -> None:
    body = OWN.get(DEFAULTS).body
    assert body["configurationId"] == "standard-30"
    assert set(body["inherited"].values()) == {"system"}
    assert body["inherited"] == OWN.get(DUNNING).body["inherited"]


def test_defaults_are_changed_by_a_merge_patch_and_are_the_partners_own() -> None:
    changed = OWN.patch(DEFAULTS, {"minimumPrint": "9.00", "sendWindow": {"opens": "08:00"}})
    assert changed.status == 200
    assert changed.body["minimumPrint"] == "9.00"
    assert not {"minimumPrint", "sendWindow"} & set(changed.body["inherited"])
    assert OWN.get(DEFAULTS).body == changed.body
    assert FOREIGN.get(DEFAULTS).body["minimumPrint"] == "0.00"
    assert OWN.patch(DEFAULTS, {"minimumPrint": None}).body["minimumPrint"] == "0.00"
    assert OWN.patch(DEFAULTS, {"minimumPrint": "x"}).status == 422


def test_a_new_organization_inherits_its_partners_defaults_at_once() -> None:
    OWN.patch(DEFAULTS, {"configurationId": "gentle-45"})
    org_id = OWN.post("/v1/organizations", NEW).body["orgId"]
    body = OWN.get(f"/v1/organizations/{org_id}/dunning").body
    assert body["configurationId"] == "gentle-45"
    assert body["dunningCycleDays"] == 45
    assert body["inherited"]["configurationId"] == "partner"
    assert body["inherited"]["billAging"] == "system"


def test_changed_defaults_reach_every_organization_that_did_not_set_its_own(manage_table: "DynamoDBClient") -> None:
    OWN.patch(DUNNING, {"minimumElectronic": "1.00"})
    OWN.patch(DEFAULTS, {"minimumElectronic": "2.00", "minimumPrint": "9.00"})
    pass_on(manage_table)
    body = OWN.get(DUNNING).body
    assert (body["minimumElectronic"], body["minimumPrint"]) == ("1.00", "9.00")
    assert "minimumElectronic" not in body["inherited"]
    assert body["inherited"]["minimumPrint"] == "partner"


def test_null_takes_an_override_away_so_that_the_inherited_value_shows_through(manage_table: "DynamoDBClient") -> None:
    OWN.patch(DEFAULTS, {"minimumPrint": "9.00"})
    pass_on(manage_table)
    assert OWN.patch(DUNNING, {"minimumPrint": "1.00"}).body["minimumPrint"] == "1.00"
    given_back = OWN.patch(DUNNING, {"minimumPrint": None}).body
    assert given_back["minimumPrint"] == "9.00"
    assert given_back["inherited"]["minimumPrint"] == "partner"


def test_what_was_read_can_be_sent_back_without_setting_what_is_inherited(manage_table: "DynamoDBClient") -> None:
    OWN.patch(DEFAULTS, {"minimumPrint": "9.00"})
    pass_on(manage_table)
    read = OWN.get(DUNNING).body
    assert OWN.patch(DUNNING, read | {"noDunningLimit": True}).body["inherited"] == {
        member: source for member, source in read["inherited"].items() if member != "noDunningLimit"
    }


def test_reading_settings_is_one_call(manage_table: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> None:
    def no_defaults(*_: object) -> None:
        pytest.fail("the defaults were read")

    monkeypatch.setattr(PartnersDefaults, "get", no_defaults)
    assert OWN.get(DUNNING).status == 200


def test_an_organization_whose_settings_change_is_replanned_and_another_is_not(manage_table: "DynamoDBClient") -> None:
    own = {"minimumPrint": "1.00"}
    org_id = OWN.post("/v1/organizations", NEW).body["orgId"]
    OWN.patch(f"/v1/organizations/{org_id}/dunning", own)
    manage_table.delete_item(TableName=TABLE, Key={"pk": {"S": keys.replanning(org_id)}, "sk": {"S": keys.ROOT}})
    OWN.patch(DEFAULTS, {"minimumPrint": "9.00"})
    assert due(manage_table) == {DueInheritance("prt_1")}
    pass_on(manage_table)
    assert due(manage_table) == {DueReplanning("org_1")}


def test_passing_on_again_finds_nothing_to_do(manage_table: "DynamoDBClient") -> None:
    OWN.patch(DEFAULTS, {"minimumPrint": "9.00"})
    pass_on(manage_table)
    before = got(manage_table)
    OWN.patch(DEFAULTS, {"minimumPrint": "9.00"})
    pass_on(manage_table)
    assert got(manage_table) == before


def test_a_job_goes_on_by_pages_where_it_was_cut_off(
    manage_table: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inheritance, "ORGANIZATIONS_A_PAGE", 2)
    org_ids = ["org_1", *many(manage_table, 4)]
    OWN.patch(DEFAULTS, {"minimumPrint": "9.00"})
    assert scheduler_ports(manage_table).inheritance.advance("prt_1", NOW) == 2
    assert sum(got(manage_table, org_id).dunning.minimum_print == 9_00 for org_id in org_ids) == 2
    pass_on(manage_table)
    assert {got(manage_table, org_id).dunning.minimum_print for org_id in org_ids} == {9_00}
    assert scheduler_ports(manage_table).inheritance.advance("prt_1", NOW) == 0


def test_defaults_changed_while_they_are_passed_on_begin_anew(
    manage_table: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inheritance, "ORGANIZATIONS_A_PAGE", 2)
    org_ids = ["org_1", *many(manage_table, 4)]
    OWN.patch(DEFAULTS, {"minimumPrint": "9.00"})
    scheduler_ports(manage_table).inheritance.advance("prt_1", NOW)
    OWN.patch(DEFAULTS, {"minimumPrint": "7.00"})
    pass_on(manage_table)
    assert {got(manage_table, org_id).dunning.minimum_print for org_id in org_ids} == {7_00}


def test_an_organization_renamed_behind_the_job_is_not_left_out(
    manage_table: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inheritance, "ORGANIZATIONS_A_PAGE", 2)
    many(manage_table, 2)
    Organizations(manage_table, TABLE).create(organization(org_id="org_z", client_id="Z", name="Zebra Clinic"))
    OWN.patch(DEFAULTS, {"minimumPrint": "9.00"})
    scheduler_ports(manage_table).inheritance.advance("prt_1", NOW)
    OWN.patch("/v1/organizations/org_z", {"name": "Aardvark Clinic"})
    pass_on(manage_table)
    assert got(manage_table, "org_z").dunning.minimum_print == 9_00
    assert DueReplanning("org_z") in due(manage_table)


def meanwhile(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Let something happen once, between reading a partner's defaults and writing what inherits them."""
    read, left = PartnersDefaults.get, [happens]

    def get(self: PartnersDefaults, partner_id: str) -> PartnerDefaults:
        found = read(self, partner_id)
        if left:
            left.pop()()
        return found

    monkeypatch.setattr(PartnersDefaults, "get", get)


def change_defaults(table: "DynamoDBClient") -> None:
    """Another request's change of the defaults, whole."""
    changed = PartnerDefaults(
        partner_id="prt_1", dunning=DunningSettings(minimum_print=9_00), overrides=frozenset({"minimum_print"})
    )
    assert PartnersDefaults(table, TABLE).save(changed, NOW)


@pytest.mark.parametrize("path", [ORGANIZATION, DUNNING])
def test_defaults_that_change_in_the_midst_of_a_change_of_an_organization_are_inherited_by_it(
    manage_table: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    meanwhile(monkeypatch, lambda: change_defaults(manage_table))
    assert OWN.patch(path, {"name": "North"} if path == ORGANIZATION else {"noDunningLimit": True}).status == 200
    assert got(manage_table).dunning.minimum_print == 9_00


def test_defaults_that_change_in_the_midst_of_a_creation_are_inherited_too(
    manage_table: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile(monkeypatch, lambda: change_defaults(manage_table))
    created = OWN.post("/v1/organizations", NEW)
    assert created.status == 201
    assert got(manage_table, created.body["orgId"]).dunning.minimum_print == 9_00


def test_two_changes_of_the_defaults_at_once_both_count(
    manage_table: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile(monkeypatch, lambda: change_defaults(manage_table))
    assert OWN.patch(DEFAULTS, {"minimumElectronic": "2.00"}).body["minimumPrint"] == "9.00"


def test_defaults_that_never_hold_still_are_a_409(monkeypatch: pytest.MonkeyPatch) -> None:
    def changed(*_: object, **__: object) -> None:
        raise DefaultsChangedError

    monkeypatch.setattr(PartnersDefaults, "save", changed)
    assert OWN.patch(DEFAULTS, {"minimumPrint": "9.00"}).status == 409
    monkeypatch.setattr(Organizations, "create", changed)
    assert OWN.post("/v1/organizations", NEW).status == 409


def test_an_organization_that_others_keep_changing_stays_with_the_job(
    manage_table: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    def changed(*_: object, **__: object) -> None:
        raise OrganizationChangedError

    OWN.patch(DEFAULTS, {"minimumPrint": "9.00"})
    with monkeypatch.context() as patch:
        patch.setattr(Organizations, "save", changed)
        assert scheduler_ports(manage_table).inheritance.advance("prt_1", NOW) == 0
    pass_on(manage_table)
    assert got(manage_table).dunning.minimum_print == 9_00


def test_a_worker_that_read_older_defaults_cannot_write_them(manage_table: "DynamoDBClient") -> None:
    old = PartnersDefaults(manage_table, TABLE).get("prt_1")
    change_defaults(manage_table)
    stale = replace(got(manage_table), name="Changed")
    with pytest.raises(OrganizationChangedError):
        Organizations(manage_table, TABLE).save(stale, defaults=old)
