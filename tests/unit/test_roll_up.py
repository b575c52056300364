"""Reports agree with the ledgers that they were rolled up from, whatever happened in which order and how often."""

from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, cast

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from functions.scheduler.roll_up import RollUp
from shared.domain.calendar.send_window import DAY
from shared.domain.intake.arrival import IntakeContext
from shared.domain.intake.moving import arrive, depart
from shared.domain.paying.payments import PaymentReceived, post_payment
from shared.domain.paying.reversals import REVERSAL, ReversalRefusedError, Takeback, take_back
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import moved
from shared.domain.records.transitions import ON_THE_CLOCK
from shared.domain.reporting.facts import AccountFacts, Figures, account_facts
from shared.domain.reporting.looking_again import REPORTED_WITHIN
from shared.domain.vocabulary.words import Channel, NoticeStatus
from shared.storage import keys, reports
from shared.storage.reports import MOST_DAYS_A_STEP, Reports
from tests.worlds.examples import NOW, account, bill, notice, organization
from tests.worlds.ledger import ORG, Ledger
from tests.worlds.memory_table import MemoryTable
from tests.worlds.properties import tried

S = NoticeStatus
ACCOUNTS = ("G-1", "G-2", "G#3")
WAY = (S.QUEUED, S.SENDING, S.SENT, S.DELIVERED)
"""How a row moves on without its account's being written, which only its claim (Sending) is."""


class DiedError(BaseException):
    """The process died: nothing catches that."""


@dataclass
class Bucket:
    """A bucket in memory."""

    objects: dict[str, bytes] = field(default_factory=dict)

    def put_object(self, *, Key: str, Body: bytes, **_: Any) -> None:  # noqa: N803 - the service's own spelling
        self.objects[Key] = Body


@dataclass
class Practice:
    """One organization's ledgers, and runs that roll its reports up."""

    ledger: Ledger = field(default_factory=Ledger)
    bucket: Bucket = field(default_factory=Bucket)

    def __post_init__(self) -> None:
        self.ledger.organizations.create(organization(created_on=NOW.date()))
        self.reports = Reports(*self.ledger.storage)

    def roll_up(self, now: Any, ledger: Ledger | None = None, looks: int = 1_000_000) -> int:
        """A run, whose time is up when it has looked at the clock so often."""
        on, clock = ledger or self.ledger, iter(range(looks))
        stores = on.books, on.organizations, Reports(*on.storage)
        up = lambda: next(clock, None) is None  # noqa: E731 - a port
        return RollUp(*stores, client=cast("Any", self.bucket), bucket="b", now=now, time_is_up=up).run()

    def books(self) -> list[AccountBook]:
        return [book for name in ACCOUNTS if (book := self.ledger.books.load(ORG, name))]

    def facts(self) -> list[AccountFacts]:
        return [account_facts(book, organization()) for book in self.books()]

    def figures(self) -> dict[str, Figures]:
        first, last = (NOW - 900 * DAY).date(), (NOW + 900 * DAY).date()
        return {day: found for day, found in self.reports.figures_between(ORG, first, last).items() if found}

    def marked(self) -> set[str]:
        """The accounts that are to be looked at, now or later."""
        places = (item.get("statement_sk", {}).get("S", "") for item in self.ledger.table.items.values())
        marks = (keys.changed_account_parts(place) for place in places if place.startswith(f"{ORG}#"))
        return {account_id for _, account_id in marks}

    def assert_agrees(self) -> None:
        """What is stored is what the ledgers say."""
        days, owed = defaultdict[str, Counter[str]](Counter), Counter[str]()
        lines = Counter[Any]()
        for facts in self.facts():
            for day, figures in facts.days.items():
                days[day].update(figures)
            owed.update(facts.owed)
            lines.update(line for found in facts.postings.values() for line in found)
        summed = {day: {key: n for key, n in found.items() if n} for day, found in days.items()}
        assert self.figures() == {day: found for day, found in summed.items() if found}
        assert self.reports.state(ORG).owed == dict(owed)
        stored = list(self.reports.postings_between(ORG, (NOW - 900 * DAY).date(), (NOW + 900 * DAY).date()))
        assert Counter(stored) == lines
        for posting in {(line.account_id, line.payment_id) for line in stored}:
            of_it = [line for line in stored if (line.account_id, line.payment_id) == posting]
            assert sum(line.amount for line in of_it) == of_it[0].payment_amount


class Reporting(RuleBasedStateMachine):
    """Accounts change, rows move, bills go to other accounts, and runs are late, cut off, or two at once."""

    def __init__(self) -> None:
        super().__init__()
        self.practice, self.now, self.made = Practice(), NOW, 0
        for account_id in ACCOUNTS:
            person = replace(account().guarantor, guarantor_id=account_id)
            self.commit(Change(account=account(account_id=account_id, guarantor=person)))

    def commit(self, change: Change | None) -> None:
        if change is not None:
            self.practice.ledger.books.commit(change)

    def book(self, n: int) -> AccountBook:
        return self.practice.ledger.book(ACCOUNTS[n % len(ACCOUNTS)])

    @rule(hours=st.integers(1, 40))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(n=st.integers(0, 2), balance=st.integers(1, 90_00))
    def a_statement_comes(self, n: int, balance: int) -> None:
        self.made += 1
        day = self.now.astimezone(organization().zone).date()
        new = bill(f"S-{self.made}", balance=balance, created_at=self.now, effective_created_date=day)
        self.commit(Change(account=self.book(n).account, bills=(new,)))

    @rule(n=st.integers(0, 2), amount=st.integers(1, 120_00))
    def money_comes(self, n: int, amount: int) -> None:
        self.made += 1
        name, day = f"pay_{self.made}", self.now.date()
        received = PaymentReceived(payment_id=name, amount=amount, method="check", received_on=day)
        self.commit(post_payment(self.book(n), organization(), received, self.now, "key:k1"))

    @rule(n=st.integers(0, 2), which=st.integers(0, 9))
    def money_goes_back(self, n: int, which: int) -> None:
        book = self.book(n)
        if not book.payments:
            return
        wanted = Takeback(
            payment_id=book.payments[which % len(book.payments)].payment_id, kind=REVERSAL, reason="twice"
        )
        with suppress(ReversalRefusedError):
            self.commit(take_back(book, organization(), wanted, self.now, "key:k1")[0])

    @rule(n=st.integers(0, 2), channel=st.sampled_from(Channel), hours=st.integers(0, 30))
    def a_notice_is_planned(self, n: int, channel: Channel, hours: int) -> None:
        self.made += 1
        book = self.book(n)
        row = notice(
            notice_id=f"ntc_{self.made}",
            account_id=book.account.account_id,
            channel=channel,
            scheduled_for=self.now + timedelta(hours=hours),
            created_at=self.now,
        )
        self.commit(Change(account=book.account, notices=(moved(row, S.SCHEDULED, self.now, "scheduler"),)))

    @rule(n=st.integers(0, 2), which=st.integers(0, 9))
    def a_row_moves_by_itself(self, n: int, which: int) -> None:
        book = self.book(n)
        rows = [row for row in book.notices if row.status in {S.SCHEDULED, *WAY[:-1]} and row.scheduled_for <= self.now]
        if not rows:
            return
        row = rows[which % len(rows)]
        to = WAY[WAY.index(row.status) + 1 if row.status in WAY else 0]
        after = moved(row, to, self.now, "scheduler", lease_until=self.now if to in ON_THE_CLOCK else None)
        if to is S.DELIVERED and self.now >= row.status_history[-1].at + REPORTED_WITHIN[-1]:
            self.commit(Change(account=book.account, notices=(after,)))
        elif to is S.SENDING:
            assert self.practice.ledger.rows.claim(row, after, book.account, ())
        else:
            self.practice.ledger.move(row, after)

    @rule(n=st.integers(0, 2), to=st.integers(0, 2), which=st.integers(0, 9))
    def a_bill_goes_to_another_account(self, n: int, to: int, which: int) -> None:
        here, there = self.book(n), self.book(to)
        bills = [each for each in here.bills if not each.moved_to]
        if n == to or not bills:
            return
        context = IntakeContext(
            organization=organization(), bill_type=organization().bill_type, ingestion_id="ing_2", now=self.now
        )
        name, person = bills[which % len(bills)].statement_id, there.account.guarantor
        departure = depart(here, [name], person, there.account.account_id, context)
        if departure:
            self.practice.ledger.books.commit_together([departure.left, arrive(there, departure, context)])

    @rule(call=st.integers(1, 60), answered=st.booleans())
    def a_run_dies(self, call: int, answered: bool) -> None:  # noqa: FBT001 - a case
        """At its n-th call; `answered`: after the table had done it."""
        calls = 0

        def effect(change: Any) -> Any:
            nonlocal calls
            calls += 1
            result = change() if answered or calls < call else None
            if calls >= call:
                raise DiedError
            return result

        with suppress(DiedError):
            self.practice.roll_up(self.now, Ledger(MemoryTable(items=self.practice.ledger.table.items, effect=effect)))

    @rule(call=st.integers(1, 60), n=st.integers(0, 2), amount=st.integers(1, 50_00), looks=st.integers(0, 3))
    def a_payment_and_another_run_come_between(self, call: int, n: int, amount: int, looks: int) -> None:
        """Before the n-th call of a run; the other is short, or comes to nothing."""
        calls = 0

        def at(_operation: str) -> None:
            nonlocal calls
            calls += 1
            if calls == call:
                self.money_comes(n, amount)
                self.practice.roll_up(self.now, looks=looks)

        self.practice.roll_up(self.now, Ledger(MemoryTable(items=self.practice.ledger.table.items, at=at)))

    @rule()
    def a_run_works(self) -> None:
        self.practice.roll_up(self.now)

    def teardown(self) -> None:
        self.practice.roll_up(self.now + REPORTED_WITHIN[-1] + DAY)
        self.practice.assert_agrees()
        waiting = {
            book.account.account_id
            for book in self.practice.books()
            if any(row.status in ON_THE_CLOCK for row in book.notices)
        }
        assert self.practice.marked() == waiting
        posted = {day for facts in self.practice.facts() for day in facts.postings}
        assert posted <= {name.removeprefix(f"reconciliation/{ORG}/")[:10] for name in self.practice.bucket.objects}


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """A page holds one account, so that runs are cut off and meet between pages."""
    if request.cls is not None:
        monkeypatch.setattr(reports, "ACCOUNTS_A_PAGE", 1)


Reporting.TestCase.settings = tried(plain=40, thorough=3_000, steps=40)
TestReportsAgreeWithTheLedgers = Reporting.TestCase


def two_accounts() -> Practice:
    """Two accounts that were changed since the reports began, one of them with money."""
    practice = Practice()
    for n in (1, 2):
        person = replace(account().guarantor, guarantor_id=f"G-{n}")
        practice.ledger.books.commit(
            Change(account=account(account_id=f"G-{n}", guarantor=person), bills=(bill(f"S-{n}"),))
        )
    pay(practice, "G-1", 1)
    return practice


def pay(practice: Practice, account_id: str, number: int) -> None:
    received = PaymentReceived(payment_id=f"pay_{number}", amount=5_00, method="check", received_on=NOW.date())
    change = post_payment(practice.ledger.book(account_id), organization(), received, NOW, "key:k1")
    assert change is not None
    practice.ledger.books.commit(change)


def calls_of_a_run() -> int:
    practice, calls = two_accounts(), list[str]()
    practice.ledger.table.at = calls.append
    practice.roll_up(NOW)
    return len(calls)


@pytest.mark.parametrize("small_pages", [True, False])
@pytest.mark.parametrize("looks", range(4))
@pytest.mark.parametrize("account_id", ["G-1", "G-2"])
def test_whatever_comes_between_at_any_call_of_a_run_is_counted_once(
    account_id: str,
    looks: int,
    small_pages: bool,  # noqa: FBT001 - a case
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A payment, and another run that is cut off after none, one or all of the accounts."""
    if small_pages:
        monkeypatch.setattr(reports, "ACCOUNTS_A_PAGE", 1)
    for nth in range(1, calls_of_a_run() + 1):
        practice, calls = two_accounts(), list[str]()

        def at(operation: str, nth: int = nth, practice: Practice = practice, calls: list[str] = calls) -> None:
            calls.append(operation)
            if len(calls) == nth:
                pay(practice, account_id, 2)
                practice.roll_up(NOW, looks=looks)

        practice.roll_up(NOW, Ledger(MemoryTable(items=practice.ledger.table.items, at=at)))
        practice.roll_up(NOW)
        practice.assert_agrees()


def test_a_notice_that_is_reported_as_delivered_days_after_it_was_counted_as_sent_is_counted_as_delivered() -> None:
    """Its row is written without the account (docs/rules.md#cheap-notice)."""
    practice = two_accounts()
    row = notice(account_id="G-1")
    for to in (S.SCHEDULED, S.QUEUED, S.SENDING, S.SENT):
        row = moved(row, to, NOW, "scheduler")
    practice.ledger.books.commit(Change(account=practice.ledger.book("G-1").account, notices=(row,)))
    practice.roll_up(NOW + DAY)
    stored = practice.ledger.book("G-1").notices[0]
    later = NOW + 3 * DAY
    assert practice.ledger.rows.move(stored, moved(stored, S.DELIVERED, later, "provider"))
    practice.roll_up(NOW + 5 * DAY)
    practice.assert_agrees()


def test_nothing_is_read_but_the_marks_where_nothing_changed() -> None:
    practice = Practice()
    practice.ledger.books.commit(Change(account=account(), bills=(bill(),)))
    assert practice.roll_up(NOW) == 1
    calls = list[str]()
    practice.ledger.table.at = calls.append
    assert practice.roll_up(NOW) == 0
    assert calls == ["query statement"] * keys.DUE_SHARDS


def test_what_a_page_of_changed_accounts_costs() -> None:
    practice = Practice()
    for n in range(20):
        practice.ledger.books.commit(Change(account=account(account_id=f"G-{n}"), bills=(bill(f"S-{n}"),)))
    practice.roll_up(NOW)
    calls = Counter[str]()
    practice.ledger.table.at = lambda operation: calls.update([operation])
    for n in range(20):
        book = practice.ledger.book(f"G-{n}")
        practice.ledger.books.commit(Change(account=book.account, bills=(replace(book.bills[0], balance=1),)))
    calls.clear()
    assert practice.roll_up(NOW) == 20
    assert calls["transact_write_items"] == 1
    assert calls["update_item"] == calls["query"] == 20  # a mark and a ledger each


def test_an_account_with_more_days_than_a_transaction_holds_is_counted_in_several() -> None:
    practice = Practice()
    bills = tuple(bill(f"S-{n}", created_at=NOW - n * DAY) for n in range(4 * MOST_DAYS_A_STEP))
    practice.ledger.books.commit(Change(account=account(), bills=bills[:90]))
    practice.ledger.books.commit(Change(account=practice.ledger.book().account, bills=bills[90:]))
    practice.roll_up(NOW)
    practice.assert_agrees()
    assert len(practice.figures()) == 4 * MOST_DAYS_A_STEP


def test_the_ageing_of_each_day_is_kept_as_the_day_ended() -> None:
    practice = Practice()
    practice.ledger.books.commit(Change(account=account(), bills=(bill(),)))
    practice.roll_up(NOW)
    book = practice.ledger.book()
    later = NOW + 40 * DAY
    practice.ledger.books.commit(Change(account=book.account, bills=(replace(book.bills[0], balance=0, paid=74_60),)))
    practice.roll_up(later)
    kept = practice.reports.ageing_between(ORG, NOW.date(), later.date())
    assert {day: found.owed for day, found in kept.items() if day >= "2026-04-01"} == {
        (NOW + n * DAY).date().isoformat(): {"0-30" if n <= 30 else "31-60": 74_60} for n in range(30, 40)
    }
    assert practice.reports.state(ORG).owed == {}


def test_one_organization_that_fails_holds_no_other_up() -> None:
    practice = Practice()
    practice.ledger.organizations.create(organization(org_id="org_2", client_id="SOUTH"))
    for org_id in (ORG, "org_2"):
        practice.ledger.books.commit(Change(account=account(org_id=org_id)))
    broken = practice.ledger.table.items["O#org_1", keys.ROOT]
    practice.ledger.table.items["O#org_1", keys.ROOT] = broken | {"body": {"B": b"broken"}}
    assert practice.roll_up(NOW) == 1
    assert practice.marked() == {"G-1"}
