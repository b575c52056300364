"""Two versions of the code write the same items while a deployment goes on, and after one is taken back.

tests/stored/last-release.json holds a record of each kind as the last release wrote it, with every field set. A record
of the next release is one of those with something in it that nobody knows yet.
"""

import json
import zlib
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import TypeAdapter, ValidationError

from shared.contracts.messages import ClosePrintBatch, NoticeMessage, read_channel_message
from shared.domain.account.stopping import cancel_pending
from shared.domain.delivery.channel_gate import ChannelState
from shared.domain.delivery.print_batch import PrintBatch, WaitingLetter
from shared.domain.dunning import plan
from shared.domain.records.account import Account
from shared.domain.records.bill import Bill
from shared.domain.records.book import Change
from shared.domain.records.ingestion import Ingestion
from shared.domain.records.inheritance import PartnerDefaults
from shared.domain.records.notice import Notice
from shared.domain.records.partner import ApiKey, Partner
from shared.domain.records.payment import Payment
from shared.domain.records.payment_link import Checkout, PaymentLink
from shared.domain.records.policy import Organization
from shared.domain.records.statement import NOTHING_OPTED_OUT, OptOuts
from shared.domain.records.stored import StoredRecord
from shared.domain.records.task import Task
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.reasons import Reason, hold_reasons
from shared.domain.vocabulary.words import BillStatus, Hold, NoticeStatus
from shared.storage import items
from shared.storage.account_books import AccountBooks
from tests.worlds.examples import NOW, account, bill, book, notice, organization
from tests.worlds.memory_table import MemoryTable

STORED: dict[str, Any] = json.loads((Path(__file__).parents[1] / "stored/last-release.json").read_text())
NEVER_WRITTEN_AGAIN = {HistoryEvent, WaitingLetter}
KINDS: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        *(Account, ApiKey, Bill, ChannelState, Checkout, Ingestion, Notice, Organization, Partner, PartnerDefaults),
        *(Payment, PaymentLink, PrintBatch, Task),
        *NEVER_WRITTEN_AGAIN,
    )
}
CHANGED: dict[str, dict[str, Any]] = {
    "Account": {"credit": 9},
    "ApiKey": {"partner_id": "prt_9"},
    "Bill": {"balance": 9},
    "ChannelState": {"pauses": 9},
    "Checkout": {"reference": "ref 9"},
    "Ingestion": {"file_name": "nine"},
    "Notice": {"attempt": 9},
    "Organization": {"name": "Nine"},
    "Partner": {"name": "Nine"},
    "PartnerDefaults": {"version": 9},
    "Payment": {"payment_id": "pay_9"},
    "PaymentLink": {"account_id": "G-9"},
    "PrintBatch": {"count": 9},
    "Task": {"task_id": "tsk_9"},
}
"""A change to a record of each kind, in fields that are stored as they are."""

type At = tuple[str | int, ...]


def read(kind: type[Any], document: Any) -> Any:
    return items.unpack(kind, {"B": zlib.compress(json.dumps(document).encode())})


def written(kind: type[Any], record: Any) -> Any:
    return json.loads(zlib.decompress(items.pack(kind, record)["B"]))


def walk(document: Any, at: At = ()) -> Iterator[tuple[At, Any]]:
    yield at, document
    inner = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for name, value in inner:
        yield from walk(value, (*at, name))


def with_value(document: Any, at: At, value: Any) -> Any:
    changed = deepcopy(document)
    place = changed
    for name in at[:-1]:
        place = place[name]
    place[at[-1]] = value
    return changed


def is_word(kind: type[Any], at: At) -> bool:
    """Whether a closed vocabulary's word stands there: today's types refuse another, and only for that."""
    try:
        TypeAdapter(kind).validate_json(json.dumps(with_value(STORED[kind.__name__], at, "FromTomorrow")))
    except ValidationError as refused:
        return {error["type"] for error in refused.errors()} == {"enum"}
    return False


OBJECTS = [(name, at) for name, document in STORED.items() for at, value in walk(document) if isinstance(value, dict)]
WORDS = [
    (name, at)
    for name, document in STORED.items()
    for at, value in walk(document)
    if isinstance(value, str) and is_word(KINDS[name], at)
]
PLAIN = [
    (name, at)
    for name, at in OBJECTS
    if not (at and at[-1] in {"facts", "branding", "patient_accounts"}) and KINDS[name] not in NEVER_WRITTEN_AGAIN
]


def test_there_is_a_record_of_each_kind_that_is_stored() -> None:
    assert set(STORED) == set(KINDS)
    assert {kind for kind in KINDS.values() if not issubclass(kind, StoredRecord)} == NEVER_WRITTEN_AGAIN
    assert set(CHANGED) == {name for name, kind in KINDS.items() if kind not in NEVER_WRITTEN_AGAIN}
    assert len(WORDS) > 15


@pytest.mark.parametrize("name", STORED)
def test_what_the_last_release_wrote_is_wholly_known_and_written_as_it_was(name: str) -> None:
    record = read(KINDS[name], STORED[name])
    assert written(KINDS[name], record) == STORED[name]
    assert not getattr(record, "as_read", "")


@pytest.mark.parametrize(("name", "at"), PLAIN, ids=str)
def test_a_field_that_nobody_knows_yet_is_passed_on_with_a_change(name: str, at: At) -> None:
    """Wherever in the record it stands, and whatever it holds; and the same once more."""
    kind = KINDS[name]
    newer = with_value(STORED[name], (*at, "from_tomorrow"), {"how": ["ever", 1, None]})
    record = read(kind, newer)
    assert record == read(kind, STORED[name])
    assert written(kind, record) == newer
    changed = replace(record, **CHANGED[name])
    assert written(kind, changed) == newer | CHANGED[name]
    again = read(kind, written(kind, changed))
    assert written(kind, again) == newer | CHANGED[name]


@pytest.mark.parametrize(("name", "at"), WORDS, ids=str)
def test_a_word_that_nobody_knows_yet_is_read_and_written_as_it_was(name: str, at: At) -> None:
    kind = KINDS[name]
    newer = with_value(STORED[name], at, "FromTomorrow")
    record = read(kind, newer)
    assert written(kind, record) == newer
    assert written(kind, replace(record, **CHANGED.get(name, {}))) == newer | CHANGED.get(name, {})
    assert record != read(kind, STORED[name])


@pytest.mark.parametrize(("name", "at", "value"), [("Bill", ("balance",), "much"), ("Notice", ("created_at",), "then")])
def test_what_is_known_has_to_be_right_all_the_same(name: str, at: At, value: str) -> None:
    newer = with_value(STORED[name], at, value) | {"from_tomorrow": 1}
    with pytest.raises(ValidationError):
        read(KINDS[name], newer)


def test_what_was_taken_out_of_a_record_stays_out() -> None:
    """Only what isn't known is passed on: not an opt-out that was withdrawn, nor an entry that was removed."""
    newer = STORED["Account"] | {"from_tomorrow": 1}
    record = replace(read(Account, newer), bill_to=None, holds=frozenset(), time_zones=())
    left = {"bill_to", "holds", "time_zones"}
    assert written(Account, record) == {field: value for field, value in newer.items() if field not in left}


# --- rules, over what they don't know -----------------------------------------------------------------------------


def unknown[T](kind: type[Any], record: T, field: str, value: Any = "FromTomorrow") -> T:
    stored = written(kind, record) | {field: value}
    found: T = read(kind, stored)
    return found


@pytest.mark.parametrize(
    ("field", "value"), [("status", "FromTomorrow"), ("channel", "FromTomorrow"), ("notification_type", "FromTomorrow")]
)
def test_planning_leaves_a_notice_alone_that_it_does_not_understand(field: str, value: str) -> None:
    row = unknown(Notice, notice(), field, value)
    planned = plan(replace(book(), notices=(row,)), organization(), NOW)
    change = planned.change(account())
    assert [each for each in change.notices if each.notice_id == row.notice_id] == []


def test_a_hold_that_nobody_knows_yet_holds() -> None:
    held = unknown(Account, account(), "holds", ["FromTomorrow"])
    assert not set(held.holds) & set(Hold)
    assert plan(replace(book(), account=held), organization(), NOW).change(held).notices == ()
    assert plan(book(), organization(), NOW).change(account()).notices != ()


def test_a_bill_in_a_status_that_nobody_knows_yet_is_not_dunned() -> None:
    odd = unknown(Bill, bill(), "status")
    assert odd.status not in set(BillStatus)
    assert plan(replace(book(), bills=(odd,)), organization(), NOW).change(account()).notices == ()


def test_a_notice_in_a_status_that_nobody_knows_yet_is_not_due() -> None:
    row = unknown(Notice, notice(), "status")
    item = items.notice_item(row)
    assert "due_at" not in item
    assert item["status"] == {"S": "FromTomorrow"}
    assert row.status not in set(NoticeStatus)


NEWER_ROWS = [("status", "FromTomorrow"), ("channel", "FromTomorrow"), ("notification_type", "FromTomorrow")]


@pytest.mark.parametrize("opted_out", [NOTHING_OPTED_OUT, OptOuts(email=True, sms=True, print=True)], ids=["in", "out"])
@pytest.mark.parametrize("closed", [False, True], ids=["open", "closed"])
@pytest.mark.parametrize(("field", "value"), NEWER_ROWS)
def test_what_stops_notices_stops_none_of_a_kind_it_does_not_know_for_an_opt_out(
    field: str, value: str, opted_out: OptOuts, *, closed: bool
) -> None:
    """And nothing breaks: not for a notice in an unknown status, on an unknown channel, of an unknown type."""
    row = unknown(Notice, notice(), field, value)
    known = notice(notice_id="ntc_2")
    now = replace(book(), account=account(opt_outs=opted_out), notices=(row, known))
    if closed:
        now = replace(now, bills=(bill(status=BillStatus.SUSPENDED),))
    stopped = {each.notice_id for each in cancel_pending(now, NOW, "scheduler")}
    assert (known.notice_id in stopped) is (closed or opted_out.email)
    assert row.notice_id not in stopped or (closed and field == "channel")


def test_a_known_hold_is_named_before_one_that_nobody_knows_yet() -> None:
    held = unknown(Account, account(), "holds", ["FromTomorrow", "Dispute"])
    assert hold_reasons(held.holds) == (Reason.HOLD_DISPUTE, Reason.HOLD_NEWER)
    assert hold_reasons(account().holds) == ()


def test_an_account_is_read_without_the_items_that_nobody_knows_yet() -> None:
    """They stay where they are: a write names the items that it is about."""
    table = MemoryTable()
    books = AccountBooks(cast("Any", table), "")
    books.commit(Change(account=account(), bills=(bill(),)))
    partition = "A#org_1#G-1"
    later = {"pk": {"S": partition}, "sk": {"S": "Y#1"}, "body": {"B": b"?"}}
    table.items[partition, "Y#1"] = later
    found = books.load("org_1", "G-1")
    assert found is not None
    assert [each.statement_id for each in found.bills] == ["S-1"]
    books.commit(Change(account=replace(found.account, credit=5)))
    assert table.items[partition, "Y#1"] == later


# --- messages ----------------------------------------------------------------------------------------------------

IDS = {"orgId": "org_1", "accountId": "G-1", "noticeId": "ntc_1"}


def test_a_field_that_nobody_knows_yet_in_a_message_is_passed_over() -> None:
    asked = NoticeMessage(org_id="org_1", account_id="G-1", notice_id="ntc_1")
    assert read_channel_message(json.dumps(IDS | {"fromTomorrow": {"how": 1}}), batches=True) == asked
    close = {"kind": "ClosePrintBatch", "orgId": "org_1", "fromTomorrow": 1}
    assert read_channel_message(json.dumps(close), batches=True) == ClosePrintBatch(org_id="org_1")


@pytest.mark.parametrize("more", [{}, IDS], ids=["alone", "with a notice's ids"])
def test_a_message_that_asks_for_something_nobody_knows_yet_is_not_taken_for_another(more: dict[str, str]) -> None:
    """It stays in its queue, and becomes a dead letter, which `dunlin redrive` gives to the version that knows it."""
    body = json.dumps({"kind": "FromTomorrow", "orgId": "org_1"} | more)
    for refuses in (partial(read_channel_message, batches=True), NoticeMessage.model_validate_json):
        with pytest.raises(ValueError, match="kind"):
            refuses(body)


def test_the_last_release_reads_our_messages() -> None:
    """It refused every field that it didn't know."""
    asked = NoticeMessage(org_id="org_1", account_id="G-1", notice_id="ntc_1")
    assert json.loads(asked.model_dump_json(by_alias=True, exclude_none=True)) == IDS
