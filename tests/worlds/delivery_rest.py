"""What delivery promises once all that was under way has come to an end: nothing is lost, nothing waits for ever."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.domain.dunning import plan
from shared.domain.dunning.promises import broken_promises
from shared.domain.records.book import AccountBook
from shared.domain.records.notice import Notice
from shared.domain.records.policy import Organization
from shared.domain.records.presets import configuration
from shared.domain.vocabulary.words import AccountStatus, BillStatus, CommunicationStatus, NoticeStatus
from tests.worlds.delivery_promises import GOOD_NEWS, RECORDED, Promises, Sent, promise, story

S = NoticeStatus
UNDER_WAY = {S.QUEUED, S.SENDING}
DID_NOT_GO = {S.SCHEDULED, S.QUEUED, S.WILL_NOT_SEND, S.CANCELLED}


def nothing_is_lost(promises: Promises, books: Sequence[AccountBook], now: datetime) -> None:
    """Every notice went, or waits for its time, or says why not; and no plan was forgotten."""
    for book in books:
        for row in book.notices:
            _has_ended(row, now)
            promises.seen[f"at rest: {row.status}"] += 1
        planning_at = book.account.planning_at
        promise(planning_at is None or planning_at > now, "an account waits to be planned")
        planned = plan(book, promises.organization, now)
        promise(planned.notices == (), f"a plan was lost: {[story(row) for row in planned.notices]}")
        promise(_no_later(planning_at, planned.next_planning_at), "the next planning was lost")
        _each_bill_was_told_of(book, promises.organization, now)
        broken = broken_promises(book, promises.organization, now, stopped=False)
        promise(broken == [], f"the check of the ledger rings where nothing is wrong: {broken}")
    for sent in promises.sent:
        _shows_what_was_heard(promises, sent)


def _no_later(planning_at: datetime | None, needed: datetime | None) -> bool:
    """Whether an account is looked at in time.

    It may be sooner than needed by now: a look was set for the day on which a bounced step would drop to paper, and
    then the letter went before. Such a look finds nothing, and sets the next.
    """
    return needed is None or (planning_at is not None and planning_at <= needed)


def _has_ended(row: Notice, now: datetime) -> None:
    promise(row.status not in UNDER_WAY, f"stuck: {story(row)}")
    promise(row.status is not S.SCHEDULED or row.scheduled_for > now, f"overdue: {story(row)}")
    given_up = row.status is S.UNKNOWN and not (row.possible_duplicate and row.lease_until is None)
    promise(not given_up, f"given up without another try: {story(row)}")
    promise(row.status in RECORDED | {S.SCHEDULED} or bool(row.reason), f"ended without a reason: {story(row)}")


def _shows_what_was_heard(promises: Promises, sent: Sent) -> None:
    row = promises.row(sent.acceptance.account_id, sent.acceptance.notice_id)
    heard = {outcome for outcome, _ in sent.told}
    if heard & GOOD_NEWS and not sent.came_back:
        promise(row.status not in DID_NOT_GO, f"it went and was heard of, but isn't shown: {story(row)}")
    elif row.status in DID_NOT_GO:
        promises.seen["at rest: went, never heard of, and not sent again"] += 1


def _each_bill_was_told_of(book: AccountBook, practice: Organization, now: datetime) -> None:
    """Each open bill's present step has a row: one that went, waits for its time, or says why it didn't go."""
    enabled = practice.communication_status is CommunicationStatus.ENABLED
    if book.account.holds or practice.account_status is not AccountStatus.ACTIVE or not enabled:
        return
    steps = configuration(practice.dunning.configuration_id).steps
    for bill in book.bills:
        age = (now.astimezone(practice.zone).date() - bill.effective_created_date).days
        level = sum(step.bill_age <= age for step in steps)
        told = [
            entry.level
            for row in book.notices
            for entry in row.bills
            if (entry.statement_id, entry.aging_period) == (bill.statement_id, bill.aging_period)
        ]
        if bill.status is BillStatus.DUE and bill.balance > 0 and bill.level_floor < level:
            promise(max(told, default=0) >= level, f"nobody was told of level {level}: {told}")


def each_letter_is_listed_once(books: Sequence[AccountBook], bucket: Mapping[str, tuple[bytes, Any]]) -> None:
    """Each letter that was sent stands in exactly one manifest, as it lies in the bucket, and no other does."""
    manifests = [json.loads(body) for key, (body, _) in bucket.items() if key.endswith(".manifest")]
    listed = [letter for manifest in manifests for letter in manifest["letters"]]
    ids = sorted(letter["notificationId"] for letter in listed)
    sent = sorted(row.notice_id for book in books for row in book.notices if row.letter)
    promise(ids == sent, f"sent {sent}, but listed {ids}")
    for letter in listed:
        pdf, _ = bucket[letter["pdf"]]
        promise(hashlib.sha256(pdf).hexdigest() == letter["sha256"], "a manifest lists another letter's checksum")
