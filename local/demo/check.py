"""Compares what came of the demo with what its input implies; every difference is one line."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from local.demo.input import STATEMENTS
from local.demo.ledger import OPEN, in_cents
from local.demo.oracle import business_days, expected_sendings
from local.demo.practices import PRACTICES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

    from local.demo.input import DemoInput, InputAccount, InputBill
    from local.demo.ledger import Ledger, Notification
    from local.demo.mailbox import Mailbox
    from local.demo.oracle import ExpectedSending
    from local.demo.practices import Practice
    from local.demo.run import DemoRun
    from local.sample.generator import Expected

_OPENS, _CLOSES = time(9, 45), time(18, 0)
_TEXTS_FROM, _TEXTS_UNTIL = time(9, 0), time(20, 0)
_LONGEST_TEXT = 160
_MOST_OF_A_KIND = 8
_PENDING = frozenset({"Queued", "ExpectedSending", "Unknown", "QueueingError", "DeliveryError"})
_STATE_ZONES = {
    "AK": "America/Anchorage",
    "AZ": "America/Phoenix",
    "CA": "America/Los_Angeles",
    "CO": "America/Denver",
    "FL": "America/New_York",
    "GA": "America/New_York",
    "HI": "Pacific/Honolulu",
    "IL": "America/Chicago",
    "MA": "America/New_York",
    "NY": "America/New_York",
    "TX": "America/Chicago",
    "WA": "America/Los_Angeles",
}
# A first name alone may be part of any word; these parts of a person can't be anything else.
_SHORTEST_CANARY = 6


def differences(run: DemoRun, ledgers: Mapping[str, Ledger], log_lines: Iterable[str]) -> list[str]:
    """Return everything that differs, the most telling first; of each kind of difference only some."""
    found: list[str] = list(run.world.problems)
    found += _first(results(run))
    for practice in PRACTICES:
        ledger = ledgers[practice.client_id]
        accounts = {account.facts.account_id: account for account in run.input.of(practice)}
        for kind in (
            sendings(run, ledger, accounts),
            stopped(ledger, accounts),
            once_a_day(ledger),
            receipts(ledger, accounts),
            within_hours(ledger, accounts),
            nothing_stuck(ledger, run.end),
            money(ledger, run.input),
        ):
            found += [f"{practice.name}: {difference}" for difference in _first(kind)]
    found += _first(received(run.world.mailbox, ledgers, run.input))
    found += _first(f"the dead-letter queue {name} holds {count}" for name, count in _dead(run))
    found += _first(personal_data(run, log_lines))
    return found


def _first(differences_of_a_kind: Iterator[str]) -> list[str]:
    found = list(differences_of_a_kind)
    more = len(found) - _MOST_OF_A_KIND
    return found[:_MOST_OF_A_KIND] + ([f"... and {more} more like this"] if more > 0 else [])


def _dead(run: DemoRun) -> list[tuple[str, int]]:
    return [(name, count) for name, count in run.stack.dead_letters().items() if count]


# --- statements -----------------------------------------------------------------------------------------------------


def results(run: DemoRun) -> Iterator[str]:
    """Yield each statement that got another result, error or warning than the sample meant it to get."""
    for file, rows in run.answers:
        if len(rows) != len(file.expected):
            yield f"{file.name}: {len(rows)} results for {len(file.expected)} statements"
            continue
        for place, (expected, row) in enumerate(zip(file.expected, rows, strict=True)):
            yield from (f"{file.name}, statement {place} ({expected.kind}): {why}" for why in _result(expected, row))


def _result(expected: Expected, row: Mapping[str, object]) -> Iterator[str]:
    if row["result"] != expected.result:
        yield f"{row['result']} instead of {expected.result}"
    errors, warnings = _pointers(row["errors"]), _pointers(row["warnings"])
    if expected.error is not None and expected.error not in errors:
        yield f"no error at {expected.error}, but at {sorted(errors)}"
    if expected.error is None and errors:
        yield f"errors at {sorted(errors)}"
    if not set(expected.warnings) <= warnings:
        yield f"no warning at {sorted(set(expected.warnings) - warnings)}"


def _pointers(remarks: object) -> set[str]:
    return {remark["pointer"] for remark in remarks} if isinstance(remarks, list) else set()


# --- notices --------------------------------------------------------------------------------------------------------


def sendings(run: DemoRun, ledger: Ledger, accounts: Mapping[str, InputAccount]) -> Iterator[str]:
    """Yield each dunning notice that went and oughtn't to have, and each that ought to have and didn't."""
    schedule = run.schedules[ledger.practice.client_id]
    went: dict[str, Counter[ExpectedSending]] = {name: Counter() for name in accounts}
    for each in ledger.notifications:
        if each.went and each.dunning and each.sent_at:
            went[each.account_id][ledger.day(each.sent_at), each.channel, each.level] += 1
    for name, account in accounts.items():
        ought = expected_sendings(account, ledger.practice, schedule, run.first_day, run.last_day)
        about = f"account {name} ({account.facts.kind})"
        for day, channel, level in sorted((ought - went[name]).elements()):
            yield f"{about}: nothing by {channel} at level {level} on {day}"
        for day, channel, level in sorted((went[name] - ought).elements(), key=str):
            yield f"{about}: a notice by {channel} at level {level} on {day} that the input doesn't ask for"


def stopped(ledger: Ledger, accounts: Mapping[str, InputAccount]) -> Iterator[str]:
    """Yield why notices oughtn't to have gone: to somebody held, opted out, out of reach, or owing too little."""
    found: dict[str, list[str]] = {}
    for each in ledger.notifications:
        if each.went and each.dunning and each.sent_at:
            account, day = accounts[each.account_id], ledger.day(each.sent_at)
            for why in _why_not(each, account, ledger.practice, day):
                found.setdefault(why, []).append(f"account {each.account_id} by {each.channel} on {day}")
    for why, notices in found.items():
        yield f"{len(notices)} notices to somebody {why}, such as to {notices[0]}"


def _why_not(each: Notification, account: InputAccount, practice: Practice, day: date) -> Iterator[str]:
    if account.held(day):
        yield "on hold"
    if account.opted_out(each.channel, day):
        yield "opted out"
    if not account.reachable(each.channel):
        yield "without an address"
    balances = [bill.balance_on(day) for bill in account.bills if set(bill.statement_ids) & set(each.statement_ids)]
    if not any(balance > practice.minimums[each.channel] for balance in balances):
        yield "owing nothing, or no more than the minimum"


def once_a_day(ledger: Ledger) -> Iterator[str]:
    """Yield each account that got two dunning notices on one channel on one local day."""
    went = Counter(
        (each.account_id, each.channel, ledger.day(each.sent_at))
        for each in ledger.notifications
        if each.went and each.dunning and each.sent_at
    )
    for (name, channel, day), count in sorted(went.items()):
        if count > 1:
            yield f"account {name}: {count} notices by {channel} on {day}"


def receipts(ledger: Ledger, accounts: Mapping[str, InputAccount]) -> Iterator[str]:
    """Yield each account that didn't get one receipt for each payment through the pages, if it has an email address."""
    went = Counter(each.account_id for each in ledger.notifications if each.went and each.kind == "Receipt")
    for name, account in accounts.items():
        ought = account.paid_online if account.reachable("email") else 0
        if went[name] != ought:
            yield f"account {name}: {went[name]} receipts for {ought} payments"


def within_hours(ledger: Ledger, accounts: Mapping[str, InputAccount]) -> Iterator[str]:
    """Yield each dunning notice that went outside of the practice's hours or the recipient's quiet hours."""
    for each in ledger.notifications:
        if not (each.went and each.dunning and each.sent_at):
            continue
        local = each.sent_at.astimezone(ledger.practice.zone)
        business = any(business_days(local.date(), local.date()))
        if not business or not _OPENS <= local.time() < _CLOSES:
            yield f"account {each.account_id}: {each.channel} at {local:%Y-%m-%d %H:%M}, when the practice is closed"
        state = accounts[each.account_id].guarantor["address"]["state"]
        theirs = each.sent_at.astimezone(ZoneInfo(_STATE_ZONES[state]))
        if each.channel == "sms" and not _TEXTS_FROM <= theirs.time() < _TEXTS_UNTIL:
            yield f"account {each.account_id}: a text at {theirs:%H:%M} of the recipient's time"


def nothing_stuck(ledger: Ledger, end: datetime) -> Iterator[str]:
    """Yield what is neither sent nor settled though its time is over, and what failed."""
    for each in ledger.notifications:
        if each.status in _PENDING or each.status.startswith("Undeliverable"):
            yield f"notification {each.notification_id} is {each.status} at {end:%Y-%m-%d %H:%M} ({each.reason})"


# --- providers ------------------------------------------------------------------------------------------------------


def received(mailbox: Mailbox, ledgers: Mapping[str, Ledger], went_in: DemoInput) -> Iterator[str]:
    """Yield where what the providers got on a day differs from what the ledger says was sent on it."""
    sent: Counter[tuple[str, object, str]] = Counter()
    for client_id, ledger in ledgers.items():
        for each in ledger.notifications:
            if each.went and each.sent_at:
                address = _address(each, went_in.accounts[client_id, each.account_id])
                sent[each.channel, ledger.day(each.sent_at), address] += 1
    got: Counter[tuple[str, object, str]] = Counter()
    got.update(("email", day, address) for day, mail in mailbox.mails for address in mail.to)
    got.update(("sms", day, text.to) for day, text in mailbox.texts)
    got.update(("print", day, letter.notification_id) for day, letter in mailbox.letters)
    for channel in ("email", "sms", "print"):
        missing = sum(count for (through, _, _), count in (sent - got).items() if through == channel)
        extra = sum(count for (through, _, _), count in (got - sent).items() if through == channel)
        if missing or extra:
            yield f"{channel}: {missing} sent by the ledger never reached the provider, {extra} are known to it alone"
    for _, text in mailbox.texts:
        if len(text.message) > _LONGEST_TEXT:
            yield f"a text of {len(text.message)} characters doesn't fit into one segment"


def _address(each: Notification, account: InputAccount) -> str:
    return each.notification_id if each.channel == "print" else account.addresses.get(each.channel, "no address")


# --- money ----------------------------------------------------------------------------------------------------------


def money(ledger: Ledger, went_in: DemoInput) -> Iterator[str]:
    """Yield each bill with another balance than its input gives, and sums that don't add up."""
    accounts = went_in.of(ledger.practice)
    bills = {bill.statement_id: bill for account in accounts for bill in account.bills}
    yield from _balances(ledger, bills)
    for account in accounts:
        name = account.facts.account_id
        if account.credit != ledger.credits.get(name, 0):
            yield f"account {name} has another credit than its input gives"
    stated = sum(bill.moved.get(STATEMENTS, 0) for bill in bills.values())
    paid = ledger.paid(bills)
    if stated - paid != ledger.open:
        yield f"{stated} billed less {paid} paid isn't {ledger.open} open (cents)"


def _balances(ledger: Ledger, bills: Mapping[str, InputBill]) -> Iterator[str]:
    told = {bill["statementId"]: bill for bill in ledger.bills}
    for statement_id, bill in sorted(bills.items()):
        answer = told.get(statement_id)
        if answer is None and bill.balance:
            yield f"bill {statement_id} is missing"
        elif _owed(answer) != bill.balance:
            yield f"bill {statement_id} has another balance than its input gives"
    for statement_id, answer in told.items():
        if _owed(answer) and statement_id not in bills:
            yield f"bill {statement_id} is open, but no input made it"


def _owed(answer: Mapping[str, Any] | None) -> int:
    return in_cents(answer["balance"]) if answer and answer["status"] in OPEN else 0


# --- logs -----------------------------------------------------------------------------------------------------------


def personal_data(run: DemoRun, log_lines: Iterable[str]) -> Iterator[str]:
    """Yield each function that logged something personal; what it was isn't said here either."""
    logged: dict[str, list[str]] = {}
    for line in log_lines:
        logged.setdefault(line.partition(" ")[0], []).append(line)
    texts = {function: "\n".join(lines) for function, lines in logged.items()}
    if not texts:
        yield "no function logged anything, so nothing can be said about personal data"
    leaks = {(name, kind) for canary, kind in _canaries(run).items() for name, text in texts.items() if canary in text}
    for name, kind in sorted(leaks):
        yield f"{name} logged {kind}"


def _canaries(run: DemoRun) -> dict[str, str]:
    """Return what must not be in a log, and what it is: names, addresses, numbers, birth dates, links' secrets."""
    found: dict[str, str] = {}
    for account in run.input.accounts.values():
        guarantor = account.guarantor
        found[f"{guarantor['firstName']} {guarantor['lastName']}"] = "a name"
        found[guarantor["address"]["line1"]] = "a street"
        found |= {guarantor[name]: "an address" for name in ("email", "mobilePhone", "homePhone") if name in guarantor}
        found |= dict.fromkeys(account.addresses.values(), "an address")
        found |= {born.isoformat(): "a birth date" for born in account.facts.birth_dates}
    messages = [mail.text for _, mail in run.world.mailbox.mails] + [
        text.message for _, text in run.world.mailbox.texts
    ]
    found |= {token: "a link's secret" for text in messages for token in re.findall(r"/pay/([\w-]+)", text)}
    earliest = run.first_day - timedelta(days=1)
    return {
        text: kind
        for text, kind in found.items()
        if len(text) >= _SHORTEST_CANARY and not (kind == "a birth date" and text >= earliest.isoformat())
    }
