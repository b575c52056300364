"""`dunlin reconcile`: what people may have to look at, by ids and statuses."""
# ruff: noqa: F811 - the fixtures of test_cli.py are asked for by their names

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.domain.account.reconciliation import LEASE_ENDED, STUCK_AFTER, lease_ended
from shared.domain.delivery.orders import Accepted, Unanswered, answered
from shared.domain.records.book import Change
from shared.domain.records.notice import Notice, moved
from shared.domain.records.partner import Partner
from shared.domain.vocabulary.words import Channel, NoticeStatus
from shared.messaging import clients
from shared.storage import keys, queue_lists
from shared.storage.account_books import AccountBooks
from shared.storage.batches import read_items
from shared.storage.due_index import DueAccount, DueRow
from shared.storage.organizations import Organizations
from shared.storage.set_asides import SetAsides
from tests.integration.test_cli import (
    Run,
    answer,
    run,  # noqa: F401 - a fixture
    stack,  # noqa: F401 - a fixture that every test here needs
)
from tests.worlds.aws import TABLE
from tests.worlds.examples import NOW, account, bill, notice, organization

S = NoticeStatus
AT = NOW + timedelta(hours=2)


def given_up(notice_id: str, at: datetime = NOW, **changes: Any) -> Notice:
    """Sent once, and nobody knows whether it went."""
    sending = moved(notice(notice_id=notice_id, **changes), S.SENDING, at, "send_email", attempt=1)
    return answered(sending, Unanswered(reason="no answer"), at)


def again(row: Notice) -> Notice:
    """Given to the provider once more."""
    return moved(lease_ended(row, AT, AT), S.SENDING, AT, "send_email", attempt=2, lease_until=AT)


@pytest.fixture
def rows() -> tuple[Notice, ...]:
    queued = moved(notice(notice_id="ntc_queue"), S.QUEUED, NOW, "scheduler", lease_until=AT)
    for _ in range(STUCK_AFTER):
        queued = moved(queued, S.QUEUED, NOW, "scheduler", LEASE_ENDED, lease_until=AT)
    put_off = notice(notice_id="ntc_put_off", scheduled_for=AT + timedelta(hours=1))
    for attempt in range(STUCK_AFTER):
        sending = moved(put_off, S.SENDING, NOW, "send_email", attempt=attempt + 1)
        put_off = moved(sending, S.SCHEDULED, NOW, "send_email", "can't be reached", attempt=0)
    return (
        put_off,
        given_up("ntc_waits", AT, channel=Channel.SMS),
        answered(again(given_up("ntc_people")), Unanswered(reason="no answer"), AT),
        answered(again(given_up("ntc_twice")), Accepted(message_id="m-2"), AT),
        replace(again(given_up("ntc_dead")), lease_until=NOW),
        lease_ended(given_up("ntc_again"), AT, AT),
        queued,
        notice(notice_id="ntc_late"),
        notice(notice_id="ntc_soon", scheduled_for=AT + timedelta(hours=1)),
        notice(notice_id="ntc_sent", status=S.SENT),
        notice(notice_id="ntc_letter", channel=Channel.PRINT, status=S.QUEUED, lease_until=AT),
    )


@pytest.fixture(autouse=True)
def _stored(rows: tuple[Notice, ...], stack: dict[str, str]) -> None:
    client = clients.dynamodb()
    Organizations(client, TABLE).create_partner(Partner(partner_id="prt_1", name="Acme Billing", created_at=NOW))
    Organizations(client, TABLE).create(organization())
    AccountBooks(client, TABLE).commit(Change(account=account(), bills=(bill(),), notices=rows))


def reported(run: Run, *whose: str) -> dict[str, dict[str, dict[str, Any]]]:
    report = answer(run, "reconcile", *(whose or ("--org", "org_1")), "--as-of", AT.strftime("%Y-%m-%dT%H:%M:%S%z"))
    return {part: {row["notificationId"]: row for row in rows} for part, rows in report.items() if part != "setAside"}


def test_what_the_scheduler_set_aside_is_shown_by_ids_and_the_errors_type(run: Run) -> None:
    client = clients.dynamodb()
    AccountBooks(client, TABLE).commit(Change(account=account(account_id="G-9", planning_at=NOW)))
    pk = keys.collection("org_1", "G-9")
    row = DueRow(pk, keys.ROOT, keys.instant(NOW), DueAccount("org_1", "G-9"))
    failed = SetAsides(client, TABLE).set_aside(row, "KeyError", AT)
    assert failed is not None
    assert answer(run, "reconcile", "--org", "org_1")["setAside"] == [
        {
            "item": f"{pk} @",
            "error": "KeyError",
            "since": AT.isoformat(),
            "failures": 1,
            "nextTryAt": failed.next_try_at.isoformat(),
        }
    ]
    _, shown, _ = run("reconcile", "--org", "org_1")
    assert "KeyError" in shown


def test_what_may_have_gone_is_told_with_whether_it_is_looked_at_again(run: Run) -> None:
    unknown = reported(run)["unknown"]
    assert unknown == {
        "ntc_waits": {
            "orgId": "org_1",
            "notificationId": "ntc_waits",
            "channel": "sms",
            "status": "Unknown",
            "since": AT.isoformat(),
            "sentOnceMore": False,
            "nextCheckAt": (AT + timedelta(hours=4)).isoformat(),
        },
        "ntc_people": {
            "orgId": "org_1",
            "notificationId": "ntc_people",
            "channel": "email",
            "status": "Unknown",
            "since": AT.isoformat(),
            "sentOnceMore": True,
            "nextCheckAt": None,
        },
    }


def test_possible_duplicates_are_those_that_really_went_twice(run: Run) -> None:
    twice = reported(run)["possibleDuplicates"]
    assert {key: row["attempts"] for key, row in twice.items()} == {"ntc_people": 2, "ntc_twice": 2, "ntc_dead": 2}


def test_what_the_clockwork_should_have_moved_on_is_stuck(run: Run) -> None:
    stuck = reported(run)["stuck"]
    assert {key: row["leasesEnded"] for key, row in stuck.items()} == {
        "ntc_queue": 5,
        "ntc_late": 0,
        "ntc_dead": 0,
        "ntc_put_off": 0,
    }


def test_of_notices_that_need_nobody_only_the_index_is_read(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def seen(client: Any, table: str, wanted: Iterable[tuple[str, str]]) -> list[Any]:
        asked = list(wanted)
        read.extend(sort.partition("#")[2] for _, sort in asked)
        return read_items(client, table, asked)

    monkeypatch.setattr(queue_lists, "read_items", seen)
    reported(run)
    assert {"ntc_twice", "ntc_dead", "ntc_late"} <= set(read)
    assert "ntc_sent" not in read


def test_a_partners_organizations_are_reported_together(run: Run) -> None:
    assert reported(run, "--partner", "prt_1") == reported(run)


def test_people_read_tables_that_hold_nothing_personal_and_a_report_that_worked_ends_well(
    run: Run,
) -> None:
    status, out, errors = run("reconcile", "--org", "org_1")
    assert (status, errors) == (0, "")
    assert "manual review" in out
    assert "ntc_twice" in out
    for personal in ("Ada", "example.com", "G-1", "S-1", "74"):
        assert personal not in out


@pytest.mark.parametrize(
    ("arguments", "why"),
    [((), "--partner or --organization"), (("--org", "org_9"), "no organization"), (("--partner", "x"), "no partner")],
)
def test_a_report_about_nobody_ends_badly(run: Run, arguments: tuple[str, ...], why: str) -> None:
    status, out, errors = run("reconcile", *arguments)
    assert (status, out) == (1, "")
    assert why in errors
