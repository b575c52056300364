"""`dunlin check`: what delivery promises, held against the ledger as it lies in the table."""
# ruff: noqa: F811 - the fixtures of test_cli.py are asked for by their names

import json
from typing import Any

from shared.domain.dunning import plan
from shared.domain.dunning.promises import BrokenPromise
from shared.domain.records.book import Change
from shared.messaging import clients
from shared.storage import keys
from shared.storage.account_books import AccountBooks
from shared.storage.organizations import Organizations
from tests.integration.test_cli import (
    Run,
    run,  # noqa: F401 - a fixture
    stack,  # noqa: F401 - a fixture that every test here needs
)
from tests.worlds.aws import TABLE
from tests.worlds.examples import NOW, account, bill, organization

ARGUMENTS = ("check", "--org", "org_1", "--as-of", f"{NOW:%Y-%m-%dT%H:%M:%S%z}")


def practice(*account_ids: str) -> None:
    Organizations(clients.dynamodb(), TABLE).create(organization())
    for n, account_id in enumerate(account_ids):
        AccountBooks(clients.dynamodb(), TABLE).commit(
            Change(account=account(account_id=account_id), bills=(bill(f"S-{n}"),))
        )


def planned(account_id: str) -> None:
    books = AccountBooks(clients.dynamodb(), TABLE)
    book = books.load("org_1", account_id)
    assert book is not None
    books.commit(plan(book, organization(), NOW).change(book.account))


def checked(run: Run) -> tuple[int, Any]:
    status, out, _ = run(*ARGUMENTS, "--json")
    return status, json.loads(out)


def test_a_lost_reminder_is_named_by_ids_and_fails_the_command(run: Run) -> None:
    practice("G-1", "G-2")
    planned("G-1")
    status, said = checked(run)
    assert (status, said["accounts"]) == (1, 2)
    assert {(row["accountId"], row["promise"]) for row in said["broken"]} == {
        ("G-2", BrokenPromise.PLAN_LOST),
        ("G-2", BrokenPromise.LOOK_LOST),
    }
    assert "Ada" not in str(said)
    _, shown, _ = run(*ARGUMENTS)
    assert "2 accounts checked, 2 promises broken." in shown


def test_a_sound_ledger_passes(run: Run) -> None:
    practice("G-1")
    planned("G-1")
    assert checked(run) == (0, {"accounts": 1, "broken": [], "beingPlanned": []})


def test_an_organization_whose_accounts_are_being_planned_again_is_left_for_later(run: Run) -> None:
    practice("G-1")
    job = {"pk": {"S": keys.replanning("org_1")}, "sk": {"S": keys.ROOT}}
    clients.dynamodb().put_item(TableName=TABLE, Item=job)
    assert checked(run) == (0, {"accounts": 0, "broken": [], "beingPlanned": ["org_1"]})
