"""How domain objects lie in the table: what conditions and indexes need are attributes, the rest is one body."""

from dataclasses import replace
from datetime import datetime

from shared.domain.records.account import Account
from shared.domain.records.bill import Bill
from shared.domain.records.book import Claim, PatientClaim
from shared.domain.records.notice import Notice
from shared.domain.records.payment import Payment
from shared.domain.records.payment_link import Checkout, PaymentLink
from shared.domain.records.task import Task
from shared.domain.records.transitions import ERRORS
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.words import NoticeStatus
from shared.storage import keys
from shared.storage.attributes import Item, key, number, pack, text, unpack

__all__ = ["Item", "key", "number", "pack", "text", "unpack"]


def account_item(account: Account) -> Item:
    """`@`: the account. In the due index while the scheduler has to look at it.

    In the organization index while it owes; in the statement index until the reports have what was written: every
    change puts it there.
    """
    partition = keys.collection(account.org_id, account.account_id)
    item = {
        **key(partition),
        "version": number(account.version),
        "statement_pk": text(keys.changed_shard(account.org_id)),
        "statement_sk": text(keys.changed_account(account.org_id, account.account_id)),
        "body": pack(Account, account, exclude={"version", "planning_at", "settings_version"}),
    }
    if account.settings_version:
        item["settings_version"] = number(account.settings_version)
    if account.planning_at is not None:
        item |= {
            "due_shard": text(keys.due_shard(partition)),
            "due_at": text(keys.instant(account.planning_at)),
        }
    since = account.summary.owing_since
    if since is not None:
        item |= {
            "org_pk": text(keys.owing(account.org_id)),
            "org_sk": text(keys.owing_place(since, account.account_id)),
        }
    return item


def account_of(item: Item) -> Account:
    """The account of an `@` item. Its version is the attribute's: a claim raises it without touching the body.

    So is its planning instant, which a change of settings moves forward without touching the body.
    """
    account = unpack(Account, item["body"])
    planning_at = keys.moment(item["due_at"]["S"]) if "due_at" in item else None
    settings_version = int(item.get("settings_version", number(0))["N"])
    version = int(item["version"]["N"])
    return replace(account, version=version, planning_at=planning_at, settings_version=settings_version)


def bill_item(org_id: str, account_id: str, bill: Bill) -> Item:
    """`B#`: a bill with its document. In the statement index by its statement, unless it went on to another account.

    Its status has a name of its own, which that index holds; a notice's moves, which it doesn't hold, cost it nothing.
    """
    item = {
        **key(keys.collection(org_id, account_id), keys.bill_lookup(bill.statement_id)),
        "bill_status": text(bill.status),
        "body": pack(Bill, bill),
    }
    if not bill.moved_to:
        item |= {
            "statement_pk": text(keys.statement_index(org_id)),
            "statement_sk": text(keys.bill_lookup(bill.statement_id)),
        }
    return item


NEEDS_ATTENTION = frozenset({*ERRORS, NoticeStatus.UNKNOWN})


def notice_item(notice: Notice) -> Item:
    """`N#`: a ledger row. In the due index while something has to happen to it at a time."""
    partition = keys.collection(notice.org_id, notice.account_id)
    item = {
        **key(partition, keys.notice_lookup(notice.notice_id)),
        "status": text(notice.status),
        "channel": text(notice.channel),
        "notification_type": text(notice.notification_type),
        "attempt": number(notice.attempt),
        "moves": number(len(notice.status_history)),
        "statement_pk": text(keys.statement_index(notice.org_id)),
        "statement_sk": text(keys.notice_lookup(notice.notice_id)),
        "org_pk": text(keys.notifications(notice.org_id)),
        "org_sk": text(keys.notification(notice.scheduled_for, notice.notice_id)),
        "body": pack(Notice, notice, exclude={"moves_read"}),
    }
    if notice.ingestion_ids:
        item["ingestion_id"] = {"SS": list(notice.ingestion_ids)}
    if notice.configuration_id:
        item["configuration_id"] = text(notice.configuration_id)
    if notice.possible_duplicate:
        item["possible_duplicate"] = {"BOOL": True}
    due_at = _notice_due_at(notice)
    if due_at is not None:
        item |= {"due_shard": text(keys.due_shard(partition)), "due_at": text(keys.instant(due_at))}
    return item


def notice_of(item: Item) -> Notice:
    """The notice of an `N#` item, which remembers how many moves it had made when it was read."""
    notice = unpack(Notice, item["body"])
    return replace(notice, moves_read=len(notice.status_history))


def _notice_due_at(notice: Notice) -> datetime | None:
    if notice.status is NoticeStatus.SCHEDULED:
        return notice.scheduled_for
    if notice.status in {NoticeStatus.QUEUED, NoticeStatus.SENDING, NoticeStatus.UNKNOWN}:
        return notice.lease_until
    return None


def payment_item(org_id: str, account_id: str, payment: Payment) -> Item:
    """`P#`: a posted payment. In the statement index by its id, in the organization index by the day received."""
    return {
        **key(keys.collection(org_id, account_id), keys.payment(payment.payment_id)),
        "statement_pk": text(keys.statement_index(org_id)),
        "statement_sk": text(keys.payment(payment.payment_id)),
        "org_pk": text(keys.payments(org_id)),
        "org_sk": text(keys.payment_place(payment.received_on, payment.payment_id)),
        "body": pack(Payment, payment),
    }


def link_item(link: PaymentLink) -> Item:
    """`L#`: a payment link, of which only hashes of its secrets are known."""
    return {
        **key(keys.collection(link.org_id, link.account_id), keys.link(link.link_id)),
        "body": pack(PaymentLink, link),
    }


def link_pointers(link: PaymentLink) -> list[Item]:
    """`T#`: from each secret of a link, hashed, to the link."""
    return [
        {
            **key(keys.link_secret(secret_hash)),
            "org_id": text(link.org_id),
            "account_id": text(link.account_id),
            "link_id": text(link.link_id),
        }
        for secret_hash in (link.token_hash, link.code_hash)
        if secret_hash
    ]


def checkout_item(checkout: Checkout) -> Item:
    """`C#`: a way to the processor and back."""
    return {
        **key(keys.collection(checkout.org_id, checkout.account_id), keys.checkout(checkout.reference)),
        "body": pack(Checkout, checkout),
    }


def checkout_pointers(checkout: Checkout) -> list[Item]:
    """`X#`: from our reference, and from the processor's own id of the payment, to the account that it is for."""
    references = [keys.checkout_reference(checkout.reference)]
    if checkout.processor_payment:
        references.append(keys.processor_payment(checkout.org_id, checkout.processor_payment))
    return [
        {
            **key(partition),
            "org_id": text(checkout.org_id),
            "account_id": text(checkout.account_id),
            "reference": text(checkout.reference),
        }
        for partition in references
    ]


def task_item(task: Task) -> Item:
    """A task, in the organization index under its status."""
    return {
        "pk": text(keys.tasks(task.org_id)),
        "sk": text(task.task_id),
        "status": text(task.status),
        "org_pk": text(keys.tasks_of_status(task.org_id, task.status)),
        "org_sk": text(task.task_id),
        "body": pack(Task, task),
    }


def task_of(item: Item) -> Task:
    """The task of its item."""
    return unpack(Task, item["body"])


def claim_item(org_id: str, account_id: str, claim: Claim) -> Item:
    """From what is claimed to the account: `L#` a patient account's active Lifetime bill, `S#` a statement's bill."""
    partition = (
        keys.patient_account(org_id, claim.patient_account_id)
        if isinstance(claim, PatientClaim)
        else keys.statement_claim(org_id, claim.statement_id)
    )
    return {
        "pk": text(partition),
        "sk": text(keys.ROOT),
        "account_id": text(account_id),
    }


def history_item(org_id: str, account_id: str, event: HistoryEvent, version: int, ordinal: int) -> Item:
    """`H#`: an event of the account's own; those of a bill stand in the bill.

    The version that it was decided on is in the key, so that two changes of one instant don't overwrite each other.
    """
    return {
        **key(keys.collection(org_id, account_id), keys.history(event.at, version, ordinal)),
        "body": pack(HistoryEvent, event),
    }
