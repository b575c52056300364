"""The simulation of dunning settings, from the gateway's event over the whole open book and back, without a write."""

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from functions.manage import simulation
from functions.manage.ports import ports
from shared.domain.records.book import Change
from shared.domain.vocabulary.words import BillStatus
from shared.storage import queue_lists
from shared.storage.account_books import AccountBooks
from tests.worlds.aws import listen
from tests.worlds.examples import account, bill
from tests.worlds.manage_api import DUNNING, OWN, pointers, snapshot

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SIMULATION = f"{DUNNING}/simulation"
PAPER = {"configurationId": "paper-30", "horizonDays": 40}
READS = {"GetItem", "Query", "BatchGetItem"}

pytestmark = pytest.mark.usefixtures("manage_table")


@pytest.fixture
def families(manage_books: AccountBooks) -> AccountBooks:
    """Three families that owe, the second with two bills, and one whose bill is paid."""
    for number in (1, 2, 3):
        family, bills = account(account_id=f"G-{number}"), [bill(f"S-{number}")]
        manage_books.commit(Change(account=family, bills=(*bills, bill("S-9")) if number == 2 else tuple(bills)))
    paid = bill("S-4", status=BillStatus.PAID, balance=0)
    manage_books.commit(Change(account=account(account_id="G-4"), bills=(paid,)))
    return manage_books


@pytest.mark.usefixtures("families")
def test_the_answer_counts_notices_by_day_channel_and_level_before_and_after() -> None:
    answer = OWN.post(SIMULATION, PAPER)
    assert answer.status == 200
    first = {"date": "2026-03-02", "level": 1, "notificationType": "Initial", "count": 3}
    second = {"date": "2026-04-01", "level": 2, "notificationType": "Due", "count": 3}
    channels = ("email", "print", "sms")
    assert answer.body == {
        "at": "2026-03-02T15:00:00.000Z",
        "horizonDays": 40,
        "complete": True,
        "schedule": OWN.get("/v1/dunning-configurations/paper-30").body["steps"],
        "accountsSeen": 3,
        "accountsChanged": 3,
        "totals": {"before": 18, "after": 6, "difference": -12},
        "before": [row | {"channel": channel} for row in (first, second) for channel in channels],
        "after": [row | {"channel": "print"} for row in (first, second)],
        "difference": [
            row | {"channel": channel, "count": -3} for row in (first, second) for channel in ("email", "sms")
        ],
    }


@pytest.mark.usefixtures("families")
def test_nothing_is_written(manage_table: "DynamoDBClient") -> None:
    before, calls = snapshot(manage_table), Counter[str]()
    listen(ports().books.client, "before-call.dynamodb", lambda model, **_: calls.update([model.name]))
    assert OWN.post(SIMULATION, PAPER).status == 200
    assert set(calls) <= READS
    assert snapshot(manage_table) == before


@pytest.mark.usefixtures("families")
def test_what_is_proposed_is_a_patch_of_the_settings_in_force() -> None:
    OWN.patch(DUNNING, {"minimumElectronic": "100.00"})
    assert OWN.post(SIMULATION, {}).body["accountsChanged"] == 0
    assert OWN.post(SIMULATION).body["horizonDays"] == 90
    assert OWN.post(SIMULATION, {"minimumElectronic": None}).body["totals"]["difference"] > 0
    assert OWN.post(SIMULATION, OWN.get(DUNNING).body).body["difference"] == []


@pytest.mark.usefixtures("families")
def test_null_proposes_what_the_partner_says() -> None:
    OWN.patch(DUNNING, {"configurationId": "standard-30"})
    OWN.patch("/v1/dunning-defaults", {"configurationId": "paper-30"})
    assert OWN.post(SIMULATION, {"noDunningLimit": False}).body["accountsChanged"] == 0
    assert {row["channel"] for row in OWN.post(SIMULATION, {"configurationId": None}).body["after"]} == {"print"}


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"unknown": 1}, "/unknown"),
        ({"minimumPrint": "1.234"}, "/minimumPrint"),
        ({"paperCycleDays": 3}, "/paperCycleDays"),
        ({"configurationId": "mine"}, "/configurationId"),
        ({"sendWindow": {"opens": "18:00"}}, "/sendWindow"),
        ({"horizonDays": 0}, "/horizonDays"),
        ({"horizonDays": 366}, "/horizonDays"),
        ({"horizonDays": "90"}, "/horizonDays"),
        ({"horizonDays": None}, "/horizonDays"),
    ],
)
def test_a_wrong_member_is_named_as_for_a_change(wrong: dict[str, Any], pointer: str) -> None:
    answer = OWN.post(SIMULATION, wrong)
    assert answer.status == 422
    assert pointers(answer.body) == [pointer]


@pytest.mark.usefixtures("families")
def test_a_book_too_large_for_one_request_is_answered_as_far_as_it_was_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = iter([False, False, True])
    monkeypatch.setattr(simulation, "_time_is_up", lambda: next(asked))
    answer = OWN.post(SIMULATION, PAPER)
    assert answer.status == 200
    assert (answer.body["complete"], answer.body["accountsSeen"]) == (False, 2)
    assert answer.body["totals"]["before"] == 12


@pytest.mark.usefixtures("families")
def test_the_open_book_is_read_page_by_page_and_each_account_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_lists, "INDEX_PAGE", 2)
    monkeypatch.setattr(simulation, "READERS", 2)
    assert OWN.post(SIMULATION, PAPER).body["accountsSeen"] == 3


def test_an_empty_book_is_complete() -> None:
    answer = OWN.post(SIMULATION, PAPER).body
    assert (answer["complete"], answer["accountsSeen"], answer["before"]) == (True, 0, [])
