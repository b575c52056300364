"""Money that an external payment site took: matched to its bill, or a task with the bills that it may be for."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from hashlib import sha256

from shared.domain.paying.payments import PaymentReceived
from shared.domain.records.book import AccountBook
from shared.domain.records.task import Task, TaskKind, task_id_at
from shared.domain.vocabulary.money import Cents, cents, dollars

MOST_CANDIDATES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SitePayment:
    """A payment as a site tells of it. payment_id: the site's own. amount: cents, negative for money that went back.

    statement_id, account_id: what it says that it is for; empty: it doesn't say.
    """

    payment_id: str
    amount: Cents
    received_on: date
    method: str
    statement_id: str = ""
    account_id: str = ""


def site_payment_id(org_id: str, payment_id: str) -> str:
    """The id of the one posting that a site's payment can lead to, however often and by whichever way it is told of."""
    return f"pay_ext_{sha256(f'{org_id}\n{payment_id}'.encode()).hexdigest()[:24]}"


def received_at_site(org_id: str, told: SitePayment, statement_id: str) -> PaymentReceived:
    """A site's payment as it is posted, to a bill; empty: to the account's oldest first."""
    return PaymentReceived(
        payment_id=site_payment_id(org_id, told.payment_id),
        amount=told.amount,
        method=told.method,
        received_on=told.received_on,
        transaction_id=told.payment_id,
        statement_id=statement_id,
    )


def unmatched_task(org_id: str, told: SitePayment, candidates: Iterable[str], now: datetime) -> Task:
    """The task of a payment that no bill was found for; its id keeps it one (docs/rules.md#unmatched-money)."""
    payment_id = site_payment_id(org_id, told.payment_id)
    facts = {
        "amount": dollars(told.amount),
        "method": told.method,
        "reference": told.payment_id,
        "receivedOn": told.received_on.isoformat(),
        "statementId": told.statement_id,
        "accountId": told.account_id,
        "candidates": ", ".join(sorted(candidates)[:MOST_CANDIDATES]),
    }
    moment = datetime.combine(told.received_on, time(), UTC)
    return Task(
        task_id=task_id_at(moment, org_id, TaskKind.UNMATCHED_PAYMENT, payment_id),
        org_id=org_id,
        kind=TaskKind.UNMATCHED_PAYMENT,
        created_at=now,
        payment_id=payment_id,
        facts={name: fact for name, fact in facts.items() if fact},
    )


def payment_of_task(task: Task) -> SitePayment | None:
    """The payment that a task keeps until somebody says what it is for; None: the task is about something else."""
    facts = task.facts
    if task.kind is not TaskKind.UNMATCHED_PAYMENT or not {"reference", "receivedOn", "method"} <= set(facts):
        return None
    return SitePayment(
        payment_id=facts["reference"],
        amount=cents(Decimal(facts["amount"])),
        received_on=date.fromisoformat(facts["receivedOn"]),
        method=facts["method"],
    )


def ids_alike(written: str) -> frozenset[str]:
    """Ids that a typed or trimmed one may have been: in other case, without what stands around, with leading zeros."""
    bare = written.strip().strip("#*'\"")
    forms = {bare, bare.upper(), bare.lower(), bare.lstrip("0"), bare.replace(" ", "")}
    return frozenset(form for form in forms if form and form != written)


def open_statement_ids(book: AccountBook) -> list[str]:
    """The bills of an account that money may be for."""
    return [bill.statement_id for bill in book.bills if bill.payable]
