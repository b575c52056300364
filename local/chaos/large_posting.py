"""A payment over more bills than one transaction holds, killed and faulted at every call that posts it.

A processor's webhook confirms a payment of all the bills of one account, about which as many notices wait. A fault
meets the webhook at one of its calls, and where it died, one of the scheduler's that takes up what it left. The
processor sends the webhook again until it is answered, or never does. Whatever happens, the money is posted whole or
not at all.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from local.chaos.calls import InjectedFault, Kind
from local.chaos.functions import HarnessError, Invocation
from local.chaos.plan import TWICE, kinds_at
from local.chaos.world import ACCOUNT_ID, ORGANIZATION_ID, PROCESSOR_KEY, WORLD_START
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import BillLevel, new_notice, scheduled
from shared.domain.records.payment_link import Checkout
from shared.domain.vocabulary.words import BillStatus, Channel, NoticeStatus, NotificationType
from shared.storage.account_books import AccountBooks
from shared.storage.large_changes import is_unfinished
from shared.storage.shard_leases import SHARD_LEASE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from local.chaos.bench import Bench
    from local.chaos.world import ChaosWorld

BILLS = 120
WEBHOOK, CLOCKWORK = "payment_link", "scheduler"
LARGE_CHECKOUT = f"dln_{'0' * 22}"
_A_SECOND = timedelta(seconds=1)

_TRIES = 3
_MILLISECONDS = {WEBHOOK: 29_000, CLOCKWORK: 300_000}


@dataclass(frozen=True)
class PostingCell:
    """Which calls meet a fault, and whether the processor sends its webhook again. call: of the last fault."""

    again: bool
    faults: tuple[InjectedFault, ...] = ()
    call: str = ""

    @property
    def name(self) -> str:
        """How a failure names it."""
        met = "; then ".join(f"{one.kind} {one.function}, call {one.call}" for one in self.faults)
        return f"large posting, webhook {'again' if self.again else 'once'}: {met} ({self.call})"


@dataclass(frozen=True)
class PostingOutcome:
    """What a cell came to. left: whether something of the change still waits when all is quiet."""

    cell: PostingCell
    invocations: tuple[Invocation, ...]
    book: AccountBook
    answered: bool
    left: bool
    quiet: bool

    @property
    def amount(self) -> int:
        """What the processor took, in cents."""
        return sum(bill.paid + bill.balance for bill in self.book.bills)


def posting_violations(outcome: PostingOutcome) -> list[str]:
    """What went against a promise, each in a few words; none: all is well."""
    book = outcome.book
    taken = sum(bill.paid for bill in book.bills) + book.account.credit
    posted = sum(payment.amount for payment in book.payments)
    bills = {bill.status for bill in book.bills}
    waiting = {notice.status for notice in book.notices if notice.notification_type.dunning}
    met = {one.fault for one in outcome.invocations if one.met}
    checks = {
        "the fault did not come about": met != set(outcome.cell.faults),
        "it never came to rest": not outcome.quiet,
        "a part of it still waits": outcome.left,
        "answered, and not posted": outcome.answered and not book.payments,
        "posted more than once": len(book.payments) > 1,
        "the bills don't say what the payment does": taken != posted,
        "only a part of the bills is paid": len(bills) != 1 or (bills == {BillStatus.PAID}) != bool(book.payments),
        "only a part of the notices is stopped": bool(book.payments) and waiting != {NoticeStatus.WILL_NOT_SEND},
    }
    return [text for text, broken in checks.items() if broken]


def posting_table(outcomes: Sequence[PostingOutcome]) -> list[str]:
    """What the cells came to, as the lines of a Markdown document."""
    rows: dict[tuple[str, str, str], dict[bool, set[str]]] = {}
    for outcome in outcomes:
        cell, fault = outcome.cell, outcome.cell.faults[-1]
        posted = f"{len(outcome.book.payments)}{'!' if posting_violations(outcome) else ''}"
        row = (fault.function, cell.call, "after a crash: " * (len(cell.faults) - 1) + fault.kind)
        rows.setdefault(row, {}).setdefault(cell.again, set()).add(posted)
    lines = [
        " | ".join((*row, *(" ".join(sorted(found.get(at, ()))) for at in (True, False))))
        for row, found in rows.items()
    ]
    broken = sum(bool(posting_violations(outcome)) for outcome in outcomes)
    facts = f"cells: {len(outcomes)}; broken: {broken}."
    return [
        "## A payment over more bills than one transaction holds",
        "",
        f"How often it was posted, whole: {BILLS} bills paid and as many notices stopped. {facts}",
        "",
        "| function | call | fault | webhook sent again | never again |",
        "| --- | --- | --- | --- | --- |",
        *(f"| {line} |" for line in lines),
    ]


@dataclass
class Posting:
    """The play of one cell on a bench."""

    bench: Bench
    cell: PostingCell
    world: ChaosWorld

    def run(self) -> PostingOutcome:
        """Send the webhook, again if the cell says so; then let the clockwork run until nothing is due."""
        invocations, quiet = list[Invocation](), False
        for _ in range(_TRIES if self.cell.again else 1):
            invocations.append(self._invoke(WEBHOOK, webhook(BILLS * 74_60), len(invocations) + 1))
            if _answered(invocations[-1]):
                break
        answered = _answered(invocations[-1])
        for nth in range(1, _TRIES + 1):
            # Within the webhook's hour nothing is due but the account and what the webhook left; and each run comes
            # when the lease of one before it that died is over.
            as_of = WORLD_START + (nth - 1) * (SHARD_LEASE + _A_SECOND)
            invocations.append(self._invoke(CLOCKWORK, {"asOf": as_of.isoformat(), "work": "notices"}, nth))
            quiet = invocations[-1].succeeded
            if quiet:
                break
        found = self.world.collection()
        left = is_unfinished(found)
        return PostingOutcome(self.cell, tuple(invocations), self.world.book(), answered, left, quiet)

    def _invoke(self, function: str, event: Any, nth: int) -> Invocation:  # noqa: ANN401 - an event of Lambda
        fault = next((one for one in self.cell.faults if (one.function, one.nth) == (function, nth)), None)
        return self.bench.functions[function].invoke(event, self.world.environment, _MILLISECONDS[function], nth, fault)


def play_posting(bench: Bench, cell: PostingCell) -> PostingOutcome:
    """Play a cell in a world of its own."""
    world = bench.world(Channel.EMAIL)
    try:
        owe_much(world)
        return Posting(bench, cell, world).run()
    except HarnessError as error:
        raise HarnessError(f"{cell.name}: {error}") from error
    finally:
        world.remove()


def posting_cells(bench: Bench) -> Iterator[PostingCell]:
    """All cells: a fault at each call of the webhook; and where it died in the midst, at each call that takes it up."""
    undisturbed = play_posting(bench, PostingCell(again=False)).invocations[0]
    deaths = list[InjectedFault]()
    for call in undisturbed.calls:
        for kind in kinds_at(call):
            fault = InjectedFault(WEBHOOK, 1, call.number, kind)
            yield from (PostingCell(again, (fault,), call.name) for again in (True, False))
            if kind is Kind.KILL_AFTER and not call.reads:
                deaths.append(fault)
    for death in deaths[:2]:
        crashed = play_posting(bench, PostingCell(again=False, faults=(death,)))
        taken_up = next(one for one in crashed.invocations if one.function == CLOCKWORK)
        for call in taken_up.calls:
            second = (InjectedFault(CLOCKWORK, 1, call.number, kind) for kind in TWICE)
            yield from (PostingCell(again=False, faults=(death, fault), call=call.name) for fault in second)


def owe_much(world: ChaosWorld) -> None:
    """Give the world's account its bills and notices, and a checkout of all that it owes."""
    books, book = AccountBooks(world.dynamodb, world.name), world.book()
    first = book.bills[0]
    bills = tuple(replace(first, statement_id=f"S-{n}", aging_period=f"S-{n}/1") for n in range(1, BILLS + 1))
    waiting = (
        new_notice(
            book.account,
            notice_id=f"ntc_{n:04}",
            channel=Channel.EMAIL,
            notification_type=NotificationType.INITIAL,
            bills=[BillLevel.of(bill, 1)],
            now=WORLD_START,
            scheduled_for=WORLD_START + timedelta(days=2),
        )
        for n, bill in enumerate(bills)
    )
    notices = tuple(scheduled(notice, WORLD_START, CLOCKWORK, "a step is due") for notice in waiting)
    checkout = Checkout(
        reference=LARGE_CHECKOUT,
        org_id=ORGANIZATION_ID,
        account_id=ACCOUNT_ID,
        link_id="",
        amount=BILLS * 74_60,
        created_at=WORLD_START,
    )
    account = replace(book.account, planning_at=None)
    books.commit(Change(account=account, bills=bills, notices=notices, checkouts=(checkout,)))


def webhook(amount: int) -> dict[str, Any]:
    """The processor's event that a checkout was paid, as the gateway brings it. amount: in cents."""
    told = {
        "type": "checkout.completed",
        "eventId": "evt_1",
        "sessionId": "ses_1",
        "reference": LARGE_CHECKOUT,
        "amount": amount,
        "currency": "usd",
        "occurredAt": WORLD_START.isoformat(),
    }
    body, at, path = json.dumps(told), int(time.time()), f"/webhooks/sandbox/{ORGANIZATION_ID}"
    signed = hmac.new(PROCESSOR_KEY.encode(), f"{at}.{body}".encode(), hashlib.sha256).hexdigest()
    headers = {"Dunlin-Sandbox-Signature": f"t={at},v1={signed}", "Dunlin-As-Of": WORLD_START.isoformat()}
    return {
        "resource": "/webhooks/sandbox/{orgId}",
        "path": path,
        "httpMethod": "POST",
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": {"orgId": ORGANIZATION_ID},
        "stageVariables": None,
        "requestContext": {"requestId": "chaos", "httpMethod": "POST", "path": path, "stage": "prod", "identity": {}},
        "body": body,
        "isBase64Encoded": False,
    }


def _answered(invocation: Invocation) -> bool:
    return invocation.succeeded and invocation.answer["statusCode"] == HTTPStatus.OK
