"""What went into the demo, kept in the demo's own arithmetic: files, payments, holds and opt-outs.

It knows nothing of the product's code. Everything that goes in does so in the morning, before any practice opens, so a
calendar day is all the time that it needs.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import phonenumbers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from local.demo.practices import Practice
    from local.sample.generator import Sample, SampleAccount, SampleFile
    from shared.domain.vocabulary.json_documents import Json

STATEMENTS, ONLINE, ELSEWHERE = "statements", "online", "elsewhere"
"""By what a balance changes."""


@dataclass
class InputBill:
    """A bill: the day its age counts from, and its balance in cents from the morning of each day on which it changed.

    `statement_ids` are all that it had, the present one last; `moved` is what changed its balance, in cents by cause;
    `by_credit` is what a credit paid of it.
    """

    statement_ids: list[str]
    created: date
    changes: list[tuple[date, int]] = field(default_factory=list)
    by_credit: int = 0
    moved: dict[str, int] = field(default_factory=dict)

    @property
    def statement_id(self) -> str:
        """The statement that it is found by."""
        return self.statement_ids[-1]

    @property
    def balance(self) -> int:
        """What is owed on it now, in cents."""
        return self.changes[-1][1] if self.changes else 0

    def balance_on(self, day: date) -> int:
        """What was owed on it on a day, in cents."""
        known = [balance for since, balance in self.changes if since <= day]
        return known[-1] if known else 0

    def change(self, day: date, balance: int, cause: str) -> None:
        """Note a new balance."""
        self.moved[cause] = self.moved.get(cause, 0) + balance - self.balance
        self.changes.append((day, balance))

    def take_credit(self, day: date, share: int) -> None:
        """Note a balance that a credit brought down: money that was moved, to another bill, when it came."""
        self.by_credit += share
        self.changes.append((day, self.balance - share))


@dataclass
class InputAccount:
    """A guarantor: the sample's facts, addresses, bills, and the days from which something stops messages.

    `credit` is in cents, `paid_online` how many times the guarantor paid through the pages.
    """

    facts: SampleAccount
    guarantor: Json
    bills: list[InputBill] = field(default_factory=list)
    credit: int = 0
    paid_online: int = 0
    held_from: date | None = None
    opted_out_from: dict[str, date] = field(default_factory=dict)
    touched: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """The practice's client id and the account's id."""
        return self.facts.client_id, self.facts.account_id

    @property
    def balance(self) -> int:
        """What is owed on all bills, in cents."""
        return sum(bill.balance for bill in self.bills)

    @property
    def addresses(self) -> dict[str, str]:
        """The email address and the phone number in the form that providers know them in."""
        found = {}
        if self.facts.has_email:
            found["email"] = self.guarantor["email"]
        if self.facts.has_mobile:
            number = phonenumbers.parse(self.guarantor["mobilePhone"], "US")
            found["sms"] = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        return found

    def reachable(self, channel: str) -> bool:
        """Whether there is a usable address for a channel; every guarantor of the sample has a mailing address."""
        return channel == "print" or channel in self.addresses

    def opted_out(self, channel: str, day: date) -> bool:
        """Whether a channel was closed by the guarantor by a day."""
        stated = {"email": self.facts.opted_out_email, "sms": self.facts.opted_out_sms, "print": False}[channel]
        since = self.opted_out_from.get(channel)
        return stated or (since is not None and since <= day)

    def held(self, day: date) -> bool:
        """Whether a hold stopped dunning by a day."""
        return self.held_from is not None and self.held_from <= day

    def use_credit(self, day: date) -> None:
        """Let what was paid too much pay what is owed, the oldest first."""
        for bill in sorted(self.open_on(day), key=lambda bill: bill.created):
            share = min(self.credit, bill.balance)
            if share > 0:
                bill.take_credit(day, share)
                self.credit -= share

    def open_on(self, day: date) -> list[InputBill]:
        """The bills on which something was owed on a day."""
        return [bill for bill in self.bills if bill.balance_on(day) > 0]


class DemoInput:
    """All that went in, by account."""

    def __init__(self, sample: Sample) -> None:
        guarantors: dict[tuple[str, str], Json] = {}
        for document, expected in _statements(sample.files):
            if expected.account_id and expected.client_id and "guarantor" in document and expected.error is None:
                guarantors.setdefault((expected.client_id, expected.account_id), document["guarantor"])
        self.accounts = {
            (facts.client_id, facts.account_id): InputAccount(facts, guarantors[facts.client_id, facts.account_id])
            for facts in sample.accounts
        }
        self._users = Counter(address for account in self.accounts.values() for address in account.addresses.values())
        for file in sample.files:
            for expected in file.expected if file.day else ():
                if expected.client_id and expected.account_id:
                    self.accounts[expected.client_id, expected.account_id].touched = True

    def of(self, practice: Practice) -> list[InputAccount]:
        """The accounts of a practice."""
        return [account for (client_id, _), account in self.accounts.items() if client_id == practice.client_id]

    def shares_an_address(self, account: InputAccount) -> bool:
        """Whether a message to this guarantor can't be told from one to another by its address alone."""
        return any(self._users[address] > 1 for address in account.addresses.values())

    def receive(self, file: SampleFile, day: date) -> None:
        """Take in a file as it ought to be taken in."""
        payments = file.document.get("schema", "").endswith("payment-updates")
        for document, expected in _statements([file]):
            if expected.result not in {"Created", "Updated"} or expected.balance is None:
                continue
            account = self.accounts[expected.client_id or "", expected.account_id or ""]
            bill = self._bill(account, document, expected.result, day)
            bill.change(day, expected.balance, ELSEWHERE if payments else STATEMENTS)
            if payments:
                account.credit += _overpaid(document, bill)
            account.use_credit(day)

    def _bill(self, account: InputAccount, document: Json, result: str, day: date) -> InputBill:
        """Find the bill that a statement is about. A Lifetime amendment comes as an update with a new statement id."""
        statement_id = document["statementId"]
        known = [bill for bill in account.bills if statement_id in bill.statement_ids]
        if known:
            return known[0]
        if result == "Created":
            account.bills.append(InputBill([statement_id], created=day))
            return account.bills[-1]
        # The sample amends bills of guarantors who have one patient, so the bill still owed is the one.
        amended = account.open_on(day)[0]
        amended.statement_ids.append(statement_id)
        return amended

    def pay(self, account: InputAccount, cents: int, day: date, cause: str, statement_id: str = "") -> None:
        """Take a payment: to the bill that was picked, or else to the oldest first; what no bill takes is a credit."""
        for bill in sorted(account.open_on(day), key=lambda bill: bill.created):
            if statement_id in {"", bill.statement_id}:
                share = min(cents, bill.balance)
                bill.change(day, bill.balance - share, cause)
                cents -= share
        account.credit += cents
        account.use_credit(day)
        account.paid_online += cause == ONLINE


def _overpaid(document: Json, bill: InputBill) -> int:
    """Return what a payment update told beyond the balance; a transaction told twice counts once."""
    told = {
        item["transactionId"]: round(float(item["transactionAmt"]) * 100) for item in document["partnerTransactions"]
    }
    before = bill.changes[-2][1] if len(bill.changes) > 1 else 0
    excess = max(0, sum(told.values()) - before)
    bill.moved[ELSEWHERE] -= excess
    return excess


def _statements(files: Iterable[SampleFile]) -> Iterator[tuple[Json, Any]]:
    for file in files:
        yield from zip(file.document["statements"], file.expected, strict=True)
