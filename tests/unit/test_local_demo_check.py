from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from local.demo import check
from local.demo.__main__ import recent_start
from local.demo.input import ELSEWHERE, ONLINE, STATEMENTS, DemoInput
from local.demo.ledger import Ledger, Notification, in_cents
from local.demo.practices import BAY, PRACTICES, RIDGE, SEED
from local.sample.generator import Expected, Result, Sample, generate
from tests.worlds.bounds import some

MONDAY = date(2026, 1, 12)
NOON = datetime(2026, 1, 12, 17, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def sample() -> Sample:
    return generate(SEED, [practice.sample for practice in PRACTICES], MONDAY)


@pytest.fixture
def went_in(sample: Sample) -> DemoInput:
    taken = DemoInput(sample)
    for file in sample.files:
        taken.receive(file, MONDAY + timedelta(days=file.day))
    return taken


def notification(**facts: Any) -> Notification:
    plain = Notification("ntc_1", "", (), "email", "Initial", 1, "Sent", "", NOON)
    return replace(plain, **facts)


def ledger(*notifications: Notification, bills: tuple[dict[str, Any], ...] = ()) -> Ledger:
    return Ledger(BAY, notifications, bills, {})


def an_account(went_in: DemoInput, kind: str = "plain") -> Any:
    """An account of a kind with one bill, that no later file touches."""
    return next(
        each for each in went_in.of(BAY) if each.facts.kind == kind and len(each.bills) == 1 and not each.touched
    )


def about(account: Any, **facts: Any) -> Notification:
    ids = tuple(bill.statement_id for bill in account.bills)
    return notification(account_id=account.facts.account_id, statement_ids=ids, **facts)


def test_the_input_keeps_the_samples_own_sums(sample: Sample, went_in: DemoInput) -> None:
    """Each bill's balance after all files is what the sample says, and what moved it adds up to it."""
    for account in some(went_in.accounts.values()):
        for bill in some(account.bills):
            if (account.facts.client_id, bill.statement_id) in sample.balances:
                assert bill.balance + bill.by_credit == sample.balances[account.facts.client_id, bill.statement_id]
        assert account.balance - account.credit == sum(sum(bill.moved.values()) for bill in account.bills)
    assert sum(account.credit for account in went_in.of(BAY)) == 2_500
    bills = [bill for account in went_in.accounts.values() for bill in account.bills]
    assert sum(bill.by_credit for bill in bills) == 2_500


def test_an_amended_lifetime_bill_keeps_its_age(went_in: DemoInput) -> None:
    """The bill goes on under the new statement's id."""
    amended = [bill for account in went_in.of(RIDGE) for bill in account.bills if len(bill.statement_ids) > 1]
    assert amended
    assert all(bill.created == MONDAY for bill in some(amended))


def test_a_payment_goes_to_the_oldest_bill_and_the_rest_is_a_credit(went_in: DemoInput) -> None:
    """So say docs/rules.md#oldest-bill-first and #overpayment, and the input's bookkeeping with them."""
    account = an_account(went_in)
    owed = account.balance
    went_in.pay(account, owed + 100, MONDAY, ONLINE)
    assert (account.balance, account.credit, account.bills[0].moved[ONLINE]) == (0, 100, -owed)


def test_another_result_or_pointer_is_a_difference() -> None:
    """The statement's place and kind are named."""
    expected = (
        Expected("plain", "S-1", "BAY-100", "G-1", Result.CREATED),
        Expected("no patients", "S-2", "BAY-100", None, Result.FAILED, "/patients"),
        Expected("bad email", "S-3", "BAY-100", "G-3", Result.CREATED, warnings=("/guarantor/email",)),
    )
    fine: list[dict[str, Any]] = [
        {"result": "Created", "errors": [], "warnings": []},
        {"result": "Failed", "errors": [{"pointer": "/patients", "detail": "x"}], "warnings": []},
        {"result": "Created", "errors": [], "warnings": [{"pointer": "/guarantor/email", "detail": "x"}]},
    ]
    run: Any = SimpleNamespace(answers=[(SimpleNamespace(name="f", expected=expected), fine)])
    assert list(check.results(run)) == []
    fine[0]["result"], fine[1]["errors"], fine[2]["warnings"] = "Updated", [], []
    found = list(check.results(run))
    assert [text.split(": ", 1)[0] for text in found] == [
        "f, statement 0 (plain)",
        "f, statement 1 (no patients)",
        "f, statement 2 (bad email)",
    ]
    run.answers[0][1].pop()
    assert list(check.results(run)) == ["f: 2 results for 3 statements"]


def test_a_notice_to_somebody_on_hold_opted_out_or_paid_is_a_difference(went_in: DemoInput) -> None:
    """One line for each rule that it breaks."""
    account = an_account(went_in)
    accounts = {account.facts.account_id: account}
    sent = ledger(about(account))
    assert list(check.stopped(sent, accounts)) == []
    account.held_from = account.opted_out_from["email"] = MONDAY
    went_in.pay(account, account.balance, MONDAY, ELSEWHERE)
    assert [text.split(", such")[0] for text in check.stopped(sent, accounts)] == [
        "1 notices to somebody on hold",
        "1 notices to somebody opted out",
        "1 notices to somebody owing nothing, or no more than the minimum",
    ]
    assert list(check.stopped(ledger(about(account, kind="Receipt")), accounts)) == []


def test_a_second_notice_of_a_day_is_a_difference() -> None:
    """On the same channel; a receipt beside it is none."""
    first, second = notification(account_id="G-1"), notification(account_id="G-1", notification_id="ntc_2")
    assert list(check.once_a_day(ledger(first, replace(second, channel="sms")))) == []
    assert list(check.once_a_day(ledger(first, replace(second, kind="Receipt")))) == []
    assert len(list(check.once_a_day(ledger(first, second)))) == 1


def test_a_payment_without_its_receipt_is_a_difference(went_in: DemoInput) -> None:
    """One for each payment through the pages; what the front desk took has none."""
    account = an_account(went_in)
    accounts, receipt = {account.facts.account_id: account}, about(account, kind="Receipt")
    went_in.pay(account, 100, MONDAY, ELSEWHERE)
    assert len(list(check.receipts(ledger(receipt), accounts))) == 1
    went_in.pay(account, 100, MONDAY, ONLINE)
    assert list(check.receipts(ledger(receipt), accounts)) == []
    assert len(list(check.receipts(ledger(), accounts))) == 1


@pytest.mark.parametrize(
    ("sent_at", "differences"),
    [
        (datetime(2026, 1, 12, 14, 45, tzinfo=UTC), 0),
        (datetime(2026, 1, 12, 14, 44, tzinfo=UTC), 1),
        (datetime(2026, 1, 12, 23, 0, tzinfo=UTC), 1),
        (datetime(2026, 1, 19, 17, 0, tzinfo=UTC), 1),
        (datetime(2026, 1, 17, 17, 0, tzinfo=UTC), 1),
    ],
)
def test_a_notice_when_the_practice_is_closed_is_a_difference(
    went_in: DemoInput, sent_at: datetime, differences: int
) -> None:
    """Before opening, at closing, on a holiday, on a Saturday."""
    account = an_account(went_in)
    found = check.within_hours(ledger(about(account, sent_at=sent_at)), {account.facts.account_id: account})
    assert len(list(found)) == differences


def test_a_text_in_the_recipients_night_is_a_difference(went_in: DemoInput) -> None:
    """Ten in the morning in Boston is no hour for a text to Honolulu; an email may go."""
    account = an_account(went_in)
    account.guarantor = {**account.guarantor, "address": {"state": "HI"}}
    accounts, early = {account.facts.account_id: account}, datetime(2026, 1, 12, 15, 0, tzinfo=UTC)
    assert len(list(check.within_hours(ledger(about(account, channel="sms", sent_at=early)), accounts))) == 1
    assert not list(check.within_hours(ledger(about(account, sent_at=early)), accounts))


def test_the_providers_must_have_got_what_the_ledger_calls_sent(went_in: DemoInput) -> None:
    """By channel, day and address: neither less nor more."""
    account = an_account(went_in)
    mail = SimpleNamespace(to=(account.addresses["email"],))
    box: Any = SimpleNamespace(mails=[(MONDAY, mail)], texts=[], letters=[])
    ledgers = {BAY.client_id: ledger(about(account))}
    assert list(check.received(box, ledgers, went_in)) == []
    box.mails = [(MONDAY + timedelta(days=1), mail)]
    assert list(check.received(box, ledgers, went_in)) == [
        "email: 1 sent by the ledger never reached the provider, 1 are known to it alone"
    ]
    box.mails, box.texts = [(MONDAY, mail)], [(MONDAY, SimpleNamespace(to="+16175550100", message="x" * 161))]
    assert len(list(check.received(box, ledgers, went_in))) == 2


def test_another_balance_is_a_difference(went_in: DemoInput) -> None:
    """And so is a sum that doesn't add up, a bill that is missing, and one that nobody sent."""
    told = [
        {"statementId": bill.statement_id, "status": "Due", "balance": dollars(bill.balance), "paid": paid_on(bill)}
        for account in went_in.of(BAY)
        for bill in account.bills
    ]
    over = {account.facts.account_id: account.credit for account in went_in.of(BAY) if account.credit}
    whole = Ledger(BAY, (), tuple(told), over)
    assert list(check.money(whole, went_in)) == []
    wrong = [{**told[0], "balance": "0.01"}, *told[2:], {**told[1], "statementId": "made-up"}]
    found = list(check.money(replace(whole, bills=tuple(wrong), credits={}), went_in))
    kinds = Counter(next(word for word in WORDS if word in text) for text in found)
    assert kinds == Counter(["another balance", "missing", "no input", "another credit", "billed"])


WORDS = ("another balance", "missing", "no input", "another credit", "billed")


def dollars(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def paid_on(bill: Any) -> str:
    return dollars(bill.moved[STATEMENTS] - bill.balance)


@pytest.mark.parametrize("status", ["Queued", "Unknown", "UndeliverablePermanent"])
def test_what_hangs_or_failed_is_a_difference(status: str) -> None:
    """What is planned for later or was refused isn't."""
    assert len(list(check.nothing_stuck(ledger(notification(status=status)), NOON))) == 1
    assert not list(check.nothing_stuck(ledger(notification(status="Scheduled")), NOON))


def test_personal_data_in_a_log_is_a_difference(went_in: DemoInput) -> None:
    """The function and the kind of it are named, the thing itself isn't."""
    account = an_account(went_in)
    text = SimpleNamespace(message="Example: http://127.0.0.1:1/pay/aB3xY9qZ0tok Reply STOP")
    run: Any = SimpleNamespace(
        input=went_in,
        first_day=MONDAY,
        world=SimpleNamespace(mailbox=SimpleNamespace(mails=[], texts=[(MONDAY, text)])),
    )
    clean = f"dunlin-ingest looked at {account.facts.account_id} on 2026-01-12"
    assert list(check.personal_data(run, [clean])) == []
    leaks = [f"dunlin-send-email to {account.addresses['email']}", "dunlin-send-sms sent /pay/aB3xY9qZ0tok"]
    assert list(check.personal_data(run, leaks)) == [
        "dunlin-send-email logged an address",
        "dunlin-send-sms logged a link's secret",
    ]
    assert len(list(check.personal_data(run, []))) == 1


@pytest.mark.parametrize(("amount", "cents"), [("0.00", 0), ("74.60", 7_460), ("-2.05", -205), ("1234.5", 123_450)])
def test_amounts_of_the_api_are_read_exactly(amount: str, cents: int) -> None:
    """Without floats."""
    assert in_cents(amount) == cents


@pytest.mark.parametrize("ahead", range(7))
def test_the_demo_starts_on_the_latest_monday_from_which_it_is_over(ahead: int) -> None:
    """Its last day lies in the last week, so links of its last notices still open in a browser."""
    today = date(2026, 3, 2) + timedelta(days=ahead)
    start = recent_start(today)
    assert start.weekday() == 0
    assert 0 < (today - (start + timedelta(days=60))).days <= 7
