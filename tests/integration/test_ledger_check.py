"""The scheduler's daily check of the ledger: all accounts that owe, page by page, over as many runs as it takes."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions.scheduler import handler, ledger_check
from functions.scheduler.invocation import LEDGER_CHECK
from functions.scheduler.ledger_check import LedgerCheck
from functions.scheduler.ports import ports
from shared.domain.dunning import plan
from shared.domain.records.audit import AuditEntry
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.partner import Partner
from shared.domain.records.policy import DunningSettings, Organization
from shared.messaging import clients
from shared.storage import keys
from shared.storage.account_books import AccountBooks
from shared.storage.organizations import Organizations
from tests.worlds.aws import TABLE, listen
from tests.worlds.examples import NOW, account, bill, organization
from tests.worlds.lambda_context import lambda_context
from tests.worlds.wiring import INGEST, scheduler_ports, wired

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

SOUND, LOST = ("org_1/G-0", "org_1/G-2", "org_2/G-0"), ("org_1/G-1", "org_2/G-1")
TOMORROW = NOW + timedelta(days=1)


@pytest.fixture(autouse=True)
def practices(dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> "DynamoDBClient":
    """A partner's two organizations with accounts that owe: some are planned as they should be, the others lost it."""
    monkeypatch.setattr(ledger_check, "BILLS_TOGETHER", 1)
    organizations = Organizations(dynamodb, TABLE)
    said = AuditEntry(audit_id="a", partner_id="prt_1", at=NOW, actor="operator", action="x", subject="x")
    organizations.create_partner(Partner(partner_id="prt_1", name="Acme", created_at=NOW), said)
    books = AccountBooks(dynamodb, TABLE)
    for org_id in ("org_1", "org_2"):
        organizations.create(organization(org_id=org_id, client_id=org_id))
    for place in sorted((*SOUND, *LOST)):
        org_id, account_id = place.split("/")
        new = account(org_id=org_id, account_id=account_id)
        books.commit(Change(account=new, bills=(bill(f"S-{account_id}"),)))
        book = books.load(org_id, account_id)
        assert book is not None
        if place in SOUND:
            books.commit(plan(book, organization(org_id=org_id), NOW).change(book.account))
    return dynamodb


def run(now: Any = NOW, *, pages: int = 1000) -> LedgerCheck:
    """One run, whose time is up after some pages."""
    left: Iterator[bool] = iter([False] * (pages - 1))
    check = LedgerCheck(scheduler_ports(clients.dynamodb()), now, lambda: next(left, True))
    check.run()
    return check


def found(log: pytest.LogCaptureFixture) -> list[str]:
    """The accounts with a plan that is lost, as they were logged."""
    told: list[dict[str, Any]] = [vars(record) for record in log.records if record.getMessage() == "promise broken"]
    return [f"{line['org_id']}/{line['account_id']}" for line in told if line["promise"] == "PLAN_LOST"]


def test_every_account_that_owes_is_checked_once_a_day(caplog: pytest.LogCaptureFixture) -> None:
    check = run()
    assert (check.checked, check.broken) == (5, 2 * len(LOST))
    assert found(caplog) == list(LOST)
    calls = list[str]()
    listen(clients.dynamodb(), "before-call.dynamodb", lambda model, **_: calls.append(model.name))
    assert run().checked == 0
    assert calls == ["GetItem"], "once it is done, a run costs one read"
    assert run(TOMORROW).checked == 5


@pytest.mark.parametrize("pages", [1, 2, 3])
def test_a_run_goes_on_where_the_last_one_stopped(pages: int, caplog: pytest.LogCaptureFixture) -> None:
    checked = [run(pages=pages).checked for _ in range(8)]
    assert (sum(checked), max(checked)) == (5, pages)
    assert found(caplog) == list(LOST)


def test_a_check_that_did_not_end_is_begun_anew_the_next_day() -> None:
    run(pages=1)
    assert run(TOMORROW).checked == 5


def test_an_organization_whose_accounts_are_being_planned_again_is_passed_over(practices: "DynamoDBClient") -> None:
    practices.put_item(TableName=TABLE, Item={"pk": {"S": keys.replanning("org_1")}, "sk": {"S": keys.ROOT}})
    assert run().checked == 2


class BrokenBooks(AccountBooks):
    """Books, one of which can't be read."""

    def load(self, org_id: str, account_id: str) -> AccountBook | None:
        if (org_id, account_id) == ("org_1", "G-0"):
            raise ValueError("ada@example.com")
        return AccountBooks.load(self, org_id, account_id)


def test_an_account_that_cannot_be_checked_is_counted_for_the_alarm_and_hides_no_other(
    practices: "DynamoDBClient", caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    broken_books = replace(scheduler_ports(practices), books=BrokenBooks(practices, TABLE))
    check = LedgerCheck(broken_books, NOW, lambda: False)
    check.run()
    assert (check.checked, check.broken) == (5, 2 * len(LOST) + 1)
    assert found(caplog) == list(LOST)
    [told] = [vars(record) for record in caplog.records if record.getMessage() == "account not checked"]
    assert (told["org_id"], told["account_id"], told["error"]) == ("org_1", "G-0", "ValueError")
    assert "ada@example.com" not in caplog.text + capsys.readouterr().out
    assert run().checked == 0, "the day's round came to its end"


class ListedBefore(Organizations):
    """Organizations that were listed before a change of theirs."""

    def list(self, partner_id: str) -> list[Organization]:
        return [replace(each, version=1, dunning=DunningSettings()) for each in Organizations.list(self, partner_id)]


def test_what_changed_since_a_run_began_and_is_still_to_be_planned_is_no_broken_promise(
    practices: "DynamoDBClient", caplog: pytest.LogCaptureFixture
) -> None:
    assert AccountBooks(practices, TABLE).mark_due("org_1", "G-1", 1, NOW + timedelta(minutes=2))
    clock = lambda: NOW + timedelta(minutes=3)  # noqa: E731 - a port
    LedgerCheck(scheduler_ports(practices), NOW, lambda: False, clock).run()
    assert found(caplog) == ["org_2/G-1"]


def test_an_account_that_was_planned_by_settings_that_changed_since_a_run_began_is_checked_by_them(
    practices: "DynamoDBClient", caplog: pytest.LogCaptureFixture
) -> None:
    books, organizations = AccountBooks(practices, TABLE), ListedBefore(practices, TABLE)
    before = organizations.get("org_1")
    assert before is not None
    changed = replace(before.dunning, minimum_electronic=1_000_00, minimum_print=1_000_00)
    saved = organizations.save(replace(before, dunning=changed))
    for account_id in ("G-0", "G-1", "G-2"):
        assert books.mark_due("org_1", account_id, saved.version, NOW)
        books.change("org_1", account_id, lambda book: plan(book, saved, NOW).change(book.account))
    LedgerCheck(replace(scheduler_ports(practices), organizations=organizations), NOW, lambda: False).run()
    assert found(caplog) == ["org_2/G-1"]


def test_a_broken_promise_is_counted_for_the_alarm_and_names_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    run()
    written = capsys.readouterr().out
    assert written.count('"PromiseBroken"') >= 2 * len(LOST)
    assert "Ada" not in written


def test_the_schedules_event_checks_and_sweeps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    wired(
        monkeypatch,
        ports,
        TABLE_NAME=TABLE,
        INGEST_FUNCTION=INGEST,
        PRINT_BUCKET="letters",
        **dict.fromkeys(QUEUES, "https://sqs.test/q"),
    )
    answered = handler.lambda_handler({"work": LEDGER_CHECK}, lambda_context(lambda: 300_000))
    assert set(answered) == {"checked", "broken"}
    assert dict(answered)["checked"] == 5


QUEUES = ("EMAIL_QUEUE_URL", "SMS_QUEUE_URL", "PRINT_QUEUE_URL", "WEBHOOK_QUEUE_URL")
