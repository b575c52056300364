"""How print batches lie in the table: which write wins where two workers meet, and what staff reads of them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from shared.domain.delivery.claim_records import BatchedLetter, OpenPrintBatch
from shared.domain.delivery.print_batch import PrintBatch
from shared.domain.records.book import Change
from shared.domain.vocabulary.words import Channel
from shared.storage.account_books import AccountBooks
from shared.storage.claim_records import claim_record_write
from shared.storage.due_index import DueIndex, DuePrintBatch
from shared.storage.print_batches import BatchState, PrintBatches
from shared.storage.writes import transact
from tests.worlds.aws import TABLE
from tests.worlds.bounds import some
from tests.worlds.examples import NOW, account, notice
from tests.worlds.manage_api import FOREIGN, ORGANIZATION, OWN

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

pytestmark = pytest.mark.moto

MANIFEST = "batches/org_1/2026-03-02.manifest"
MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)
CLOSES_AT = datetime(2026, 3, 3, 6, 0, tzinfo=UTC)
LIST = f"{ORGANIZATION}/print-batches"


@pytest.fixture
def batches(dynamodb: "DynamoDBClient") -> PrintBatches:
    return PrintBatches(dynamodb, TABLE)


def due_next(dynamodb: "DynamoDBClient") -> set[datetime]:
    """When something is due."""
    index = DueIndex(dynamodb, TABLE)
    return {due for shard in index.shards() if (due := index.sweep(shard, NOW).next_due_at)}


# --- how it lies in the table -----------------------------------------------------------------------------------------


def wait_for(dynamodb: "DynamoDBClient", number: int = 1, claimed_at: datetime = NOW, account_id: str = "G-1") -> None:
    """A letter is claimed."""
    letter = BatchedLetter(
        org_id="org_1", account_id=account_id, notice_id=f"ntc_{number}", day=claimed_at.date(), claimed_at=claimed_at
    )
    opened = OpenPrintBatch(org_id="org_1", closes_at=CLOSES_AT)
    assert transact(dynamodb, [claim_record_write(TABLE, letter), claim_record_write(TABLE, opened)])


def state(batches: PrintBatches) -> BatchState:
    found = batches.state("org_1")
    assert found is not None
    return found


def closed_batch(day: date = MONDAY) -> PrintBatch:
    return PrintBatch(org_id="org_1", day=day, closed_at=CLOSES_AT, count=1, pages=2, manifest=MANIFEST)


def test_only_one_worker_begins_a_batch(dynamodb: "DynamoDBClient", batches: PrintBatches) -> None:
    wait_for(dynamodb)
    read = state(batches)
    assert [batches.begin("org_1", day, read) for day in (MONDAY, MONDAY, TUESDAY)] == [True, False, False]
    assert state(batches).closing == MONDAY


def test_no_batch_is_begun_by_what_was_read_before_another_was_closed(
    dynamodb: "DynamoDBClient", batches: PrintBatches
) -> None:
    wait_for(dynamodb)
    read = state(batches)
    assert batches.begin("org_1", MONDAY, read)
    assert batches.finish(closed_batch())
    assert not batches.begin("org_1", TUESDAY, read)
    assert batches.begin("org_1", TUESDAY, state(batches))


def test_a_batch_is_finished_once_and_only_while_it_is_being_closed(
    dynamodb: "DynamoDBClient", batches: PrintBatches
) -> None:
    wait_for(dynamodb)
    assert not batches.finish(closed_batch())
    batches.begin("org_1", MONDAY, state(batches))
    assert not batches.finish(closed_batch(TUESDAY))
    assert [batches.finish(closed_batch()) for _ in range(2)] == [True, False]
    assert (state(batches).closed_through, state(batches).closing) == (MONDAY, None)
    assert batches.closed("org_1", 10) == [closed_batch()]


@pytest.mark.parametrize("until", [None, CLOSES_AT + timedelta(days=1)])
def test_a_letter_claimed_meanwhile_keeps_an_organization_from_being_put_off(
    dynamodb: "DynamoDBClient", batches: PrintBatches, until: datetime | None
) -> None:
    wait_for(dynamodb)
    read = state(batches)
    wait_for(dynamodb, 2)
    assert not batches.rest("org_1", until, read)
    assert batches.rest("org_1", until, state(batches))
    assert due_next(dynamodb) == ({until} if until else set())


def test_an_organization_whose_batch_is_being_closed_is_not_put_off(
    dynamodb: "DynamoDBClient", batches: PrintBatches
) -> None:
    wait_for(dynamodb)
    batches.begin("org_1", MONDAY, state(batches))
    assert not batches.rest("org_1", None, state(batches))


def test_a_later_letter_does_not_put_the_closing_off(dynamodb: "DynamoDBClient", batches: PrintBatches) -> None:
    wait_for(dynamodb)
    tomorrow = CLOSES_AT + timedelta(days=1)
    transact(dynamodb, [claim_record_write(TABLE, OpenPrintBatch(org_id="org_1", closes_at=tomorrow))])
    assert due_next(dynamodb) == {CLOSES_AT}
    assert state(batches).open_until == tomorrow


def test_a_letter_is_dropped_only_as_it_was_read(dynamodb: "DynamoDBClient", batches: PrintBatches) -> None:
    wait_for(dynamodb)
    [read] = batches.letters("org_1")
    wait_for(dynamodb, claimed_at=NOW + timedelta(minutes=5))
    batches.drop("org_1", read)
    [again] = batches.letters("org_1")
    assert again.claimed_at == NOW + timedelta(minutes=5)
    batches.drop("org_1", again)
    assert batches.letters("org_1") == []


def test_more_letters_than_one_call_can_delete_are_forgotten(dynamodb: "DynamoDBClient", batches: PrintBatches) -> None:
    for number in range(60):
        wait_for(dynamodb, number)
    batches.forget("org_1", [f"ntc_{number}" for number in range(59)])
    assert [letter.notice_id for letter in batches.letters("org_1")] == ["ntc_59"]


def test_a_letters_row_is_found_whoever_it_is_for(dynamodb: "DynamoDBClient", batches: PrintBatches) -> None:
    row = notice(account_id="G-9", channel=Channel.PRINT)
    AccountBooks(dynamodb, TABLE).commit(Change(account=account(account_id="G-9"), notices=(row,)))
    wait_for(dynamodb, account_id="G-9")
    wait_for(dynamodb, 2)
    assert [found.account_id for found in batches.rows("org_1", batches.letters("org_1")).values()] == ["G-9"]


def test_of_two_sweeps_one_gets_a_batch(dynamodb: "DynamoDBClient") -> None:
    wait_for(dynamodb)
    index, due, later = DueIndex(dynamodb, TABLE), DuePrintBatch("org_1"), CLOSES_AT + timedelta(minutes=15)
    assert not index.lease(due, CLOSES_AT - timedelta(seconds=1), later)
    assert [index.lease(due, CLOSES_AT, later) for _ in range(2)] == [True, False]
    assert due_next(dynamodb) == {later}


# --- what staff sees --------------------------------------------------------------------------------------------------


def closed_days(dynamodb: "DynamoDBClient", batches: PrintBatches, *days: int) -> None:
    wait_for(dynamodb)
    for day in some(days):
        batch = replace(closed_batch(date(2026, 3, day)), manifest=f"batches/org_1/2026-03-{day:02}.manifest")
        batches.begin("org_1", batch.day, state(batches))
        assert batches.finish(batch)


@pytest.mark.usefixtures("manage_table")
def test_an_organization_that_never_wrote_a_letter_has_no_batches() -> None:
    assert OWN.get(LIST).body == {"items": [], "nextCursor": None}


def test_open_and_closed_batches_are_listed_newest_first(manage_table: "DynamoDBClient", batches: PrintBatches) -> None:
    closed_days(manage_table, batches, 1)
    wait_for(manage_table, 2)
    assert OWN.get(LIST).body["items"] == [
        {
            "printBatchId": "org_1_2026-03-02",
            "date": "2026-03-02",
            "status": "Open",
            "count": 2,
            "pages": None,
            "closedAt": None,
            "manifest": None,
        },
        {
            "printBatchId": "org_1_2026-03-01",
            "date": "2026-03-01",
            "status": "Closed",
            "count": 1,
            "pages": 2,
            "closedAt": "2026-03-03T06:00:00.000Z",
            "manifest": "batches/org_1/2026-03-01.manifest",
        },
    ]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 100])
def test_batches_come_in_pages(manage_table: "DynamoDBClient", batches: PrintBatches, limit: int) -> None:
    closed_days(manage_table, batches, 1)
    for day in (2, 3):
        wait_for(manage_table, day, datetime(2026, 3, day, 15, tzinfo=UTC))
    found, cursor = [], ""
    while True:
        page = OWN.get(f"{LIST}?limit={limit}{cursor}").body
        assert len(page["items"]) <= limit
        found += [item["date"] for item in page["items"]]
        if page["nextCursor"] is None:
            break
        cursor = f"&cursor={page['nextCursor']}"
    assert found == ["2026-03-03", "2026-03-02", "2026-03-01"]


def test_a_foreign_partner_sees_no_batches(manage_table: "DynamoDBClient", batches: PrintBatches) -> None:
    closed_days(manage_table, batches, 1)
    assert FOREIGN.get(LIST).status == 404
