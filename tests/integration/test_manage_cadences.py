"""A partner's own dunning configurations: written, chosen, tried, changed, deleted, and seen by nobody else."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from local.demo.oracle import Schedule
from shared.domain.records.book import Change
from shared.domain.records.policy import Organization
from shared.storage.account_books import AccountBooks
from shared.storage.due_index import DueInheritance, DueReplanning
from shared.storage.organizations import OrganizationChangedError, Organizations
from shared.storage.own_configurations import OwnConfigurations
from shared.storage.partner_defaults import DefaultsChangedError, PartnersDefaults
from tests.worlds.aws import TABLE
from tests.worlds.dunning_world import World, a_book, an_organization, at
from tests.worlds.examples import NOW, account, bill
from tests.worlds.manage_api import ALL, DUNNING, FOREIGN, OWN, Caller, due, pointers
from tests.worlds.wiring import scheduler_ports

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ROUTE = "/v1/dunning-configurations"
DEFAULTS = "/v1/dunning-defaults"
DOCUMENT = (Path(__file__).parents[2] / "docs" / "cadences.md").read_text()
BODY: dict[str, Any] = json.loads(re.findall(r"```json\n(.*?)```", DOCUMENT, re.DOTALL)[0])

pytestmark = pytest.mark.usefixtures("manage_table")


def created(body: dict[str, Any] = BODY) -> dict[str, Any]:
    answer = OWN.call("POST", ROUTE, body)
    assert answer.status == 201
    found: dict[str, Any] = answer.body
    return found


def chosen() -> dict[str, Any]:
    """One that the organization has put in force."""
    one = created()
    assert OWN.patch(DUNNING, {"configurationId": one["configurationId"]}).status == 200
    return one


def place(configuration: dict[str, Any]) -> str:
    return f"{ROUTE}/{configuration['configurationId']}"


def pass_on(table: "DynamoDBClient") -> None:
    while DueInheritance("prt_1") in due(table):
        assert scheduler_ports(table).inheritance.advance("prt_1", NOW)


def got(table: "DynamoDBClient") -> Organization:
    found = Organizations(table, TABLE).get("org_1")
    assert found is not None
    return found


def test_the_documents_example_comes_out_as_it_says(manage_table: "DynamoDBClient") -> None:
    """docs/cadences.md: its body is taken, and a bill hears what its table says on the days that it says."""
    told = re.findall(r"^\| (\d{4}-\d\d-\d\d) \| (\w+) \| (\w+) \| (\d) \|$", DOCUMENT, re.MULTILINE)
    chosen()
    world = World(an_organization(dunning=got(manage_table).dunning), a_book(), at("2026-01-05 00:00"))
    world.run_until(at("2026-06-05 00:00"))
    assert [(day, channel, kind, str(level)) for day, channel, kind, level in world.story()] == told
    assert len(told) == 7


def test_one_is_read_back_as_it_was_written_and_can_be_sent_back() -> None:
    one = created()
    assert one["version"] == 1
    assert [step["level"] for step in one["steps"]] == [1, 2, 3, 4]
    assert [(step.get("billAge"), step.get("daysFromDue")) for step in one["steps"]] == [
        (0, None),
        (None, -7),
        (None, 1),
        (None, 30),
    ]
    assert OWN.get(place(one)).body == one
    assert OWN.call("PUT", place(one), one).body == one


def test_found_by_name_and_id_after_the_presets_in_pages() -> None:
    ids = {created(BODY | {"name": f"Own {number}"})["configurationId"] for number in range(3)}
    assert {found["name"] for found in OWN.get(f"{ROUTE}?search=oWN ").body["items"]} == {"Own 0", "Own 1", "Own 2"}
    seen = list[str]()
    cursor: Any = ""
    for _ in range(4):
        page = OWN.get(f"{ROUTE}?limit=2{f'&cursor={cursor}' if cursor else ''}").body
        seen += [found["configurationId"] for found in page["items"]]
        cursor = page["nextCursor"]
    assert cursor is None
    assert set(seen[5:]) == ids
    assert len(seen) == 8


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"name": ""}, ["/name"]),
        ({"paperCycleDays": -1}, ["/paperCycleDays"]),
        ({"paperCycleDays": 61}, ["/paperCycleDays"]),
        ({"steps": []}, ["/steps"]),
        ({"more": 1}, ["/more"]),
    ],
)
def test_what_is_wrong_with_the_whole_is_told_by_its_pointer(change: dict[str, Any], wrong: list[str]) -> None:
    steps = [
        {"billAge": 0, "notificationType": "Initial", "channels": ["print"]},
        {"billAge": 60, "notificationType": "Final", "channels": ["print"]},
    ]
    answer = OWN.call("POST", ROUTE, BODY | {"steps": steps} | change)
    assert answer.status == 422
    assert pointers(answer.body) == wrong


@pytest.mark.parametrize(
    ("step", "wrong"),
    [
        ({"billAge": 3, "daysFromDue": 3}, ""),
        ({}, ""),
        ({"billAge": 3, "templates": {"print": "letter"}}, ""),
        ({"billAge": -1}, "/billAge"),
        ({"billAge": "3"}, "/billAge"),
        ({"daysFromDue": 731}, "/daysFromDue"),
        ({"billAge": 3, "notificationType": "Receipt"}, "/notificationType"),
        ({"billAge": 3, "notificationType": "due"}, "/notificationType"),
        ({"billAge": 3, "channels": []}, "/channels"),
        ({"billAge": 3, "channels": ["email", "email"]}, "/channels"),
        ({"billAge": 3, "channels": ["fax"]}, "/channels/0"),
        ({"billAge": 3, "templates": {"email": "a b"}}, "/templates/email"),
        ({"billAge": 0}, "/billAge"),
    ],
)
def test_what_is_wrong_with_a_step_is_told_by_its_pointer(step: dict[str, Any], wrong: str) -> None:
    first = {"billAge": 0, "notificationType": "Initial", "channels": ["email"]}
    second = {"notificationType": "Due", "channels": ["email"]} | step
    answer = OWN.call("POST", ROUTE, BODY | {"steps": [first, second]})
    assert answer.status == 422
    assert pointers(answer.body) == [f"/steps/1{wrong}"]


def test_everything_wrong_is_told_at_once_in_single_steps_and_between_them() -> None:
    """A step that can't be read keeps its place, and the others are still compared."""
    steps = [
        {"billAge": 9, "notificationType": "Due", "channels": ["print"]},
        {"billAge": "x", "notificationType": "Due", "channels": ["print"]},
        {"billAge": 9, "notificationType": "Initial", "channels": ["fax"]},
        {"billAge": 5, "notificationType": "Initial", "channels": ["print"]},
        {"billAge": 8, "notificationType": "Final", "channels": ["print"]},
    ]
    answer = OWN.call("POST", ROUTE, {"name": "", "paperCycleDays": 10, "steps": steps})
    assert answer.status == 422
    assert set(pointers(answer.body)) == {
        "/name",
        "/steps/1/billAge",
        "/steps/2/channels/0",
        "/steps/3/billAge",
        "/steps/3/notificationType",
        "/paperCycleDays",
    }
    assert not any("Value error" in error["detail"] for error in answer.body["errors"])


@pytest.mark.parametrize("given", [None, [], "x", {"steps": {}}, {"steps": [None, 1]}, {"steps": [[]]}])
def test_a_body_of_any_other_shape_is_a_422(given: Any) -> None:
    assert OWN.call("POST", ROUTE, json.dumps(given)).status == 422


def test_presets_cannot_be_written() -> None:
    answers = OWN.call("PUT", f"{ROUTE}/standard-30", BODY), OWN.call("DELETE", f"{ROUTE}/standard-30")
    assert [answer.status for answer in answers] == [409, 409]


def test_nobody_else_sees_chooses_changes_tries_or_deletes_it(manage_table: "DynamoDBClient") -> None:
    one = created()
    answers = FOREIGN.get(place(one)), FOREIGN.call("PUT", place(one), BODY), FOREIGN.call("DELETE", place(one))
    assert [answer.status for answer in answers] == [404, 404, 404]
    refused = FOREIGN.patch(DEFAULTS, {"configurationId": one["configurationId"]})
    assert (refused.status, pointers(refused.body)) == (422, ["/configurationId"])
    assert FOREIGN.get(f"{ROUTE}?search=around").body["items"] == []
    assert OwnConfigurations(manage_table, TABLE).get("prt_2", one["configurationId"]) is None


def test_writing_needs_the_scope() -> None:
    reader = Caller(scopes="read")
    one = created()
    for method, path in (("POST", ROUTE), ("PUT", place(one)), ("DELETE", place(one))):
        assert reader.call(method, path, None if method == "DELETE" else BODY).status == 403
    assert ALL.split()[0] == "manage"


def test_an_organization_that_chooses_it_shows_its_schedule_in_ages_of_its_bills() -> None:
    chosen()
    body = OWN.patch(DUNNING, {"daysUntilDue": 20}).body
    assert [(step["billAge"], step.get("daysFromDue")) for step in body["schedule"]] == [
        (0, None),
        (13, -7),
        (21, 1),
        (50, 30),
    ]
    assert [step["cycle"] for step in body["schedule"]] == [1, 1, 1, 2]
    assert (body["paperCycleDays"], body["dunningCycleDays"]) == (25, 30)
    assert OWN.patch(DUNNING, OWN.get(DUNNING).body).status == 200


def test_the_demos_oracle_understands_the_schedule() -> None:
    chosen()
    schedule = Schedule.of(OWN.get(DUNNING).body)
    assert [(step.level, step.age) for step in schedule.steps] == [(1, 0), (2, 23), (3, 31), (4, 60)]


def test_due_days_that_do_not_suit_it_are_refused_when_either_is_chosen() -> None:
    one = created()
    answer = OWN.patch(DUNNING, {"configurationId": one["configurationId"], "daysUntilDue": 5})
    assert (answer.status, pointers(answer.body)) == (422, ["/daysUntilDue"])
    OWN.patch(DUNNING, {"configurationId": one["configurationId"]})
    assert OWN.patch(DUNNING, {"daysUntilDue": 5}).status == 422
    assert OWN.patch(DUNNING, {"configurationId": "standard-30", "daysUntilDue": 5}).status == 200


def test_tried_before_it_is_stored_and_after_alike(manage_books: AccountBooks, manage_table: "DynamoDBClient") -> None:
    """The simulation takes a configuration as a body or by its id, shows its schedule and changes nothing."""
    manage_books.commit(Change(account=account(), bills=(bill(),)))
    before = manage_table.scan(TableName=TABLE)["Items"]
    tried = OWN.call("POST", f"{DUNNING}/simulation", {"configuration": BODY, "horizonDays": 90})
    assert tried.status == 200
    assert manage_table.scan(TableName=TABLE)["Items"] == before
    assert [step["billAge"] for step in tried.body["schedule"]] == [0, 23, 31, 60]
    assert {row["level"] for row in tried.body["after"]} == {1, 2, 3, 4}
    stored = {"configurationId": created()["configurationId"], "horizonDays": 90}
    assert OWN.call("POST", f"{DUNNING}/simulation", stored).body == tried.body
    assert got(manage_table).dunning.configuration_id == "standard-30"


def test_a_wrong_configuration_to_try_is_told_as_where_it_is_written() -> None:
    steps = [{"billAge": 3, "notificationType": "Due", "channels": ["email"]}] * 2
    answer = OWN.call("POST", f"{DUNNING}/simulation", {"configuration": BODY | {"steps": steps}})
    assert (answer.status, pointers(answer.body)) == (422, ["/configuration/steps/1/billAge"])
    both = OWN.call("POST", f"{DUNNING}/simulation", {"configuration": BODY, "configurationId": "paper-30"})
    assert (both.status, pointers(both.body)) == (422, ["/configurationId"])


def test_a_change_is_a_new_version_that_reaches_the_organizations_and_their_bills(
    manage_table: "DynamoDBClient",
) -> None:
    one = chosen()
    before = got(manage_table)
    after = OWN.call("PUT", place(one), BODY | {"steps": BODY["steps"][:2]}).body
    assert after["version"] == 2
    assert got(manage_table) == before
    pass_on(manage_table)
    assert len(OWN.get(DUNNING).body["schedule"]) == 2
    assert DueReplanning("org_1") in due(manage_table)


def test_a_change_reaches_those_that_inherit_it_too(manage_table: "DynamoDBClient") -> None:
    one = created()
    OWN.patch(DEFAULTS, {"configurationId": one["configurationId"]})
    pass_on(manage_table)
    OWN.call("PUT", place(one), BODY | {"steps": BODY["steps"][:3]})
    assert len(OWN.get(DEFAULTS).body["schedule"]) == 3
    pass_on(manage_table)
    body = OWN.get(DUNNING).body
    assert (len(body["schedule"]), body["inherited"]["configurationId"]) == (3, "partner")


def test_the_same_again_is_no_change(manage_table: "DynamoDBClient") -> None:
    one = chosen()
    assert OWN.call("PUT", place(one), BODY).body == one
    assert DueInheritance("prt_1") not in due(manage_table)


def test_a_change_of_a_version_that_is_not_the_latest_is_refused() -> None:
    one = created()
    OWN.call("PUT", place(one), one | {"name": "Second"})
    answer = OWN.call("PUT", place(one), one | {"name": "Third"})
    assert (answer.status, answer.body["type"]) == (409, "configuration-changed")
    assert OWN.get(place(one)).body["name"] == "Second"


def test_one_in_use_cannot_be_deleted_by_whomever_it_is_used(manage_table: "DynamoDBClient") -> None:
    one = chosen()
    assert OWN.call("DELETE", place(one)).body["type"] == "configuration-in-use"
    OWN.patch(DUNNING, {"configurationId": None})
    OWN.patch(DEFAULTS, {"configurationId": one["configurationId"]})
    assert OWN.call("DELETE", place(one)).status == 409
    OWN.patch(DEFAULTS, {"configurationId": None})
    assert OWN.call("DELETE", place(one)).status == 204
    assert OWN.get(place(one)).status == 404
    assert OWN.call("DELETE", place(one)).status == 404
    pass_on(manage_table)
    assert OWN.get(DUNNING).body["configurationId"] == "standard-30"


def interrupted(monkeypatch: pytest.MonkeyPatch, store: type, method: str, between: Callable[[], object]) -> None:
    """Let something happen once, after what a request read and before it writes."""
    writes, happened = getattr(store, method), list[object]()

    def write(self: Any, *args: Any, **more: Any) -> Any:
        if not happened:
            happened.append(True)
            between()
        return writes(self, *args, **more)

    monkeypatch.setattr(store, method, write)


def test_one_that_is_chosen_while_it_is_deleted_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """The deletion had counted its users already."""
    one = created()
    choice = {"configurationId": one["configurationId"]}
    interrupted(monkeypatch, OwnConfigurations, "delete", lambda: OWN.patch(DUNNING, choice))
    assert OWN.call("DELETE", place(one)).status == 409
    assert OWN.get(DUNNING).body["configurationId"] == one["configurationId"]


def test_one_that_is_deleted_while_it_is_chosen_is_not_taken_up(monkeypatch: pytest.MonkeyPatch) -> None:
    one = created()
    interrupted(monkeypatch, Organizations, "save", lambda: OWN.call("DELETE", place(one)))
    answer = OWN.patch(DUNNING, {"configurationId": one["configurationId"]})
    assert (answer.status, pointers(answer.body)) == (422, ["/configurationId"])


def test_one_that_is_changed_while_it_is_chosen_is_taken_up_as_it_is_then(monkeypatch: pytest.MonkeyPatch) -> None:
    one = created()
    change = BODY | {"steps": BODY["steps"][:2]}
    interrupted(monkeypatch, Organizations, "save", lambda: OWN.call("PUT", place(one), change))
    assert len(OWN.patch(DUNNING, {"configurationId": one["configurationId"]}).body["schedule"]) == 2


def test_of_two_changes_at_once_none_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """The later is made of what the earlier left, so its version is one more."""
    one = created()
    second = lambda: OWN.call("PUT", place(one), BODY | {"name": "Second"})  # noqa: E731 - said where it is used
    interrupted(monkeypatch, OwnConfigurations, "change", second)
    assert OWN.call("PUT", place(one), BODY | {"name": "Third"}).body["version"] == 3


def test_stores_refuse_what_was_judged_by_older_defaults(manage_table: "DynamoDBClient") -> None:
    created()
    store, defaults = OwnConfigurations(manage_table, TABLE), PartnersDefaults(manage_table, TABLE).get("prt_1")
    (own,) = store.list("prt_1")
    PartnersDefaults(manage_table, TABLE).save(defaults, NOW)
    with pytest.raises(DefaultsChangedError):
        store.change(replace(own, name="Second"), defaults, NOW)
    with pytest.raises(DefaultsChangedError):
        store.delete(own, defaults)
    with pytest.raises(OrganizationChangedError):
        Organizations(manage_table, TABLE).save(got(manage_table), defaults=defaults, choosing=True)
    assert store.list("prt_1") == [own]


def test_there_is_a_most_number_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.manage.cadences.MOST_CONFIGURATIONS", 1)
    created()
    assert OWN.call("POST", ROUTE, BODY).status == 409


def test_a_request_that_is_repeated_makes_one() -> None:
    answers = [OWN.call("POST", ROUTE, BODY, Idempotency_Key="k-1") for _ in range(2)]
    assert [answer.status for answer in answers] == [201, 201]
    assert answers[0].body == answers[1].body
    assert len(OWN.get(f"{ROUTE}?search=around").body["items"]) == 1
