"""An organization's own templates through the API: saved, versioned, previewed, taken away, and used by requests."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from shared.storage.account_books import AccountBooks
from shared.storage.organizations import Organizations
from shared.storage.own_templates import OwnTemplates
from tests.worlds.aws import TABLE
from tests.worlds.manage_api import BILL, FOREIGN, ORGANIZATION, OWN, Caller, pointers, store, stored
from tests.worlds.template_examples import BODIES, EMAIL, LETTER, TEXT

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TEMPLATES = f"{ORGANIZATION}/templates"
INITIAL = f"{TEMPLATES}/Initial"
SYSTEM = f"{TEMPLATES}/%3CSystem%20Default%3E"

pytestmark = pytest.mark.usefixtures("manage_table")


def saved(body: dict[str, Any] = EMAIL, template_id: str = "Initial") -> dict[str, Any]:
    answer = OWN.call("PUT", f"{TEMPLATES}/{template_id}", body)
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.body
    return found


@pytest.mark.parametrize("channel", BODIES)
def test_a_template_is_saved_and_listed_as_it_was_written(channel: str) -> None:
    one = saved(BODIES[channel])
    wanted = {"subject": None, "html": None} | BODIES[channel]
    assert {name: one[name] for name in wanted} == wanted
    assert (one["templateId"], one["version"]) == ("Initial", 1)
    assert OWN.get(TEMPLATES).body["items"] == [one]


def test_a_change_is_a_new_version_and_the_same_again_is_none() -> None:
    assert [saved()["version"], saved(EMAIL | {"subject": "From {{ practice }}"})["version"]] == [1, 2]
    assert saved(EMAIL | {"subject": "From {{ practice }}"})["version"] == 2
    assert OWN.get(f"{INITIAL}/preview").body["subject"] == "From {{ practice }}"
    earlier = OWN.get(f"{INITIAL}/preview?version=1").body
    assert (earlier["version"], earlier["subject"]) == (1, "A word from {{ practice }}")
    assert OWN.get(f"{INITIAL}/preview?version=3").status == 404
    assert OWN.get(f"{INITIAL}/preview?version=x").status == 400


def test_each_channel_and_language_of_an_id_is_a_template_of_its_own() -> None:
    for channel in BODIES.values():
        for language in ("en", "es"):
            assert saved(channel | {"language": language})["version"] == 1
    seen, cursor = list[tuple[str, str]](), ""
    for _ in range(3):
        page = OWN.get(f"{TEMPLATES}?limit=2{cursor}").body
        seen += [(found["channel"], found["language"]) for found in page["items"]]
        cursor = f"&cursor={page['nextCursor']}"
    assert page["nextCursor"] is None
    assert len(set(seen)) == 6


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (EMAIL | {"text": "{{ salary }}"}, ["/text"]),
        (EMAIL | {"html": EMAIL["html"] + "<script>x</script>"}, ["/html"]),
        (EMAIL | {"subject": "x" * 201}, ["/subject"]),
        (EMAIL | {"subject": None}, ["/subject"]),
        (TEXT | {"text": TEXT["text"] + " your diagnosis"}, ["/text"]),
        (TEXT | {"text": "\x00"}, ["/text"]),
        (LETTER | {"channel": "fax"}, ["/channel"]),
        (LETTER | {"language": "fr"}, ["/language"]),
        ({}, ["/channel", "/language", "/text"]),
    ],
)
def test_what_is_wrong_is_told_by_its_pointer_and_nothing_is_saved(body: dict[str, Any], wrong: list[str]) -> None:
    answer = OWN.call("PUT", INITIAL, body)
    assert answer.status == 422
    assert pointers(answer.body) == wrong
    assert OWN.get(TEMPLATES).body["items"] == []


def test_a_fault_names_the_variable_the_construct_and_the_rule() -> None:
    text = "{{ salary }} {% include 'x' %}"
    told = json.dumps(OWN.call("PUT", INITIAL, EMAIL | {"text": text}).body["errors"])
    assert "salary" in told
    assert "include" in told
    words = f"{EMAIL['text']} your surgery, or we tell Equifax"
    told = json.dumps(OWN.call("PUT", INITIAL, EMAIL | {"text": words}).body["errors"])
    assert "no-health-words" in told
    assert "no-threats" in told


@pytest.mark.parametrize("template_id", ["a%20b", "%3CSystem%20Default%3E", "a%2Fb", "x" * 65, "-a"])
def test_an_id_that_no_template_can_have_is_a_404(template_id: str) -> None:
    assert OWN.call("PUT", f"{TEMPLATES}/{template_id}", EMAIL).status == 404


def test_nobody_else_sees_or_writes_it() -> None:
    saved()
    for method, path in (("GET", TEMPLATES), ("PUT", INITIAL), ("DELETE", INITIAL), ("GET", f"{INITIAL}/preview")):
        assert FOREIGN.call(method, path, EMAIL if method == "PUT" else None).status == 404
    reader = Caller(scopes="read")
    assert reader.get(f"{INITIAL}/preview").status == 200
    assert reader.call("PUT", INITIAL, EMAIL).status == 403


@pytest.mark.parametrize("channel", BODIES)
def test_a_preview_of_the_systems_or_ones_own_with_placeholders_or_a_made_up_bill(channel: str) -> None:
    system = OWN.get(f"{SYSTEM}/preview?channel={channel}&notificationType=Due").body
    assert (system["templateId"], system["version"], system["notificationType"]) == ("<System Default>", None, "Due")
    assert "{{ practice }}" in system["text"] or "{{ short_name }}" in system["text"]
    assert OWN.get(f"{INITIAL}/preview?channel={channel}").body["templateId"] == "<System Default>"
    saved(BODIES[channel])
    own = OWN.get(f"{INITIAL}/preview?channel={channel}&fill=sample").body
    assert (own["templateId"], own["version"]) == ("Initial", 1)
    assert "Northside" in own["text"]
    assert "{{" not in own["text"]
    spanish = OWN.get(f"{SYSTEM}/preview?channel={channel}&language=es").body
    assert spanish["text"] != OWN.get(f"{SYSTEM}/preview?channel={channel}").body["text"]


def test_what_is_not_there_cannot_be_previewed() -> None:
    assert OWN.get(f"{TEMPLATES}/gentle/preview").status == 404
    assert OWN.get(f"{SYSTEM}/preview?channel=print&notificationType=Receipt").status == 404
    assert OWN.get(f"{SYSTEM}/preview?channel=fax").status == 400


def test_one_is_taken_away_by_channel_and_language_and_its_versions_go_on() -> None:
    saved()
    saved(TEXT)
    assert OWN.call("DELETE", f"{INITIAL}?channel=email&language=es").status == 404
    assert OWN.call("DELETE", f"{INITIAL}?channel=email").status == 204
    assert [found["channel"] for found in OWN.get(TEMPLATES).body["items"]] == ["sms"]
    assert saved()["version"] == 2
    assert OWN.call("DELETE", INITIAL).status == 204
    assert OWN.call("DELETE", INITIAL).status == 404


def test_a_notice_on_demand_may_name_one_that_is_there_for_its_channel(manage_books: AccountBooks) -> None:
    store(manage_books)
    saved(EMAIL, "gentle")
    sent = OWN.post(f"{BILL}/notifications", {"channel": "email", "templateId": "gentle"})
    assert sent.status == 202
    notice = stored(manage_books).notice(sent.body["notificationId"])
    assert notice
    assert notice.template_id == "gentle"
    for wrong in ({"channel": "sms", "templateId": "gentle"}, {"channel": "email", "templateId": "missing"}):
        answer = OWN.post(f"{BILL}/notifications", wrong)
        assert (answer.status, pointers(answer.body)) == (422, ["/templateId"])


def test_of_two_that_save_at_once_none_is_lost(manage_table: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> None:
    """And a change of the organization between reading and writing is kept."""
    saves, happened = OwnTemplates.save, list[bool]()

    def save(self: Any, *args: Any, **more: Any) -> Any:
        if not happened:
            happened.append(True)
            saved(EMAIL | {"subject": "{{ practice }} writes"})
            OWN.patch(ORGANIZATION, {"name": "Northside Practice"})
        return saves(self, *args, **more)

    monkeypatch.setattr(OwnTemplates, "save", save)
    assert saved()["version"] == 2
    practice = Organizations(manage_table, TABLE).get("org_1")
    assert practice
    assert (practice.name, practice.own_templates) == ("Northside Practice", ("Initial/email/en",))


def test_a_change_of_the_organization_keeps_its_templates() -> None:
    saved()
    OWN.patch(ORGANIZATION, {"name": "Northside Practice"})
    assert len(OWN.get(TEMPLATES).body["items"]) == 1


def test_there_is_a_most_number_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.manage.own_templates.MOST_TEMPLATES", 1)
    saved()
    assert OWN.call("PUT", INITIAL, TEXT).status == 409
    assert saved(EMAIL | {"subject": "{{ practice }} writes"})["version"] == 2
