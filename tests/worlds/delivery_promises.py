"""What delivery promises, checked where it happens: at each write of a row, each claim, each message accepted.

It stands on the ledger and the providers' own logs, in words of its own. The product's rules are asked only
to compare what a claim was judged by with what holds at its moment.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from shared.domain.account.contacts import number_hash
from shared.domain.account.masking import masked
from shared.domain.account.number_stops import STACK_SENDER
from shared.domain.delivery.settlement import DeliveryOutcome
from shared.domain.dunning import judge
from shared.domain.dunning.decision import Send
from shared.domain.records.account import Account
from shared.domain.records.book import AccountBook
from shared.domain.records.notice import Notice, StatusChange
from shared.domain.records.policy import Organization
from shared.domain.vocabulary.words import AccountStatus, BillStatus, Channel, NoticeStatus
from shared.storage import items, keys
from tests.worlds.ledger import Ledger
from tests.worlds.memory_table import MemoryTable
from tests.worlds.table_expressions import Item

if TYPE_CHECKING:
    from tests.worlds.delivery_providers import Acceptance

S = NoticeStatus
RECORDED = {S.SENT, S.DELIVERED}
CAME_BACK = {DeliveryOutcome.BOUNCED, DeliveryOutcome.BOUNCED_FOR_NOW, DeliveryOutcome.REJECTED}
GOOD_NEWS = {DeliveryOutcome.ACCEPTED, DeliveryOutcome.DELIVERED}
ARRIVED = GOOD_NEWS | {DeliveryOutcome.COMPLAINED}
STAFF = "staff"

GIVEN_BACK = (S.SENDING, S.SCHEDULED)
"""A provider that surely doesn't have it: the attempt isn't used up."""

SENT_ONCE_MORE = (S.UNKNOWN, S.SCHEDULED, "scheduler")
WAITS = {Channel.EMAIL: timedelta(hours=1), Channel.SMS: timedelta(hours=4)}
"""How long a notice that the provider may have waits for the provider's event (docs/delivery.md)."""

type Step = tuple[str, Channel, str, str, int]
"""Of which account, on which channel, which statement in which aging period, at which level."""


class BrokenPromiseError(BaseException):
    """Something that must never happen has happened; no `except Exception` of the product may hide it."""


@dataclass(eq=False)
class Sent:
    """An accepted message, as it was claimed: the how-manieth claim of its row, at what time, telling of which steps.

    told: the provider's words about it that were heard, each with the number of writes before it.
    """

    acceptance: "Acceptance"
    claim: int
    claimed_at: datetime
    dunning: bool
    steps: frozenset[Step]
    told: list[tuple[DeliveryOutcome, int]] = field(default_factory=list)

    @property
    def came_back(self) -> bool:
        return any(outcome in CAME_BACK for outcome, _ in self.told)


@dataclass(eq=False)
class Promises:
    """The ledger and the providers, watched. `seen` counts what happened, to show that there was something to see."""

    organizations: list[Organization]
    table: MemoryTable
    sent: list[Sent] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    claims: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    writes: int = 0
    seen: Counter[str] = field(default_factory=Counter)

    @property
    def organization(self) -> Organization:
        """As it is now; `organizations` has what it was before, too."""
        return self.organizations[-1]

    def book(self, account_id: str) -> AccountBook:
        """What the table holds of an account at this moment."""
        return Ledger(self.table).elsewhere().book(account_id)

    def row(self, account_id: str, notice_id: str) -> Notice:
        return next(notice for notice in self.book(account_id).notices if notice.notice_id == notice_id)

    # --- at each write -------------------------------------------------------------------------------------------

    def written(self, before: Item | None, after: Item | None) -> None:
        """See an item before and after it is written."""
        self.writes += 1
        if after is None:
            return
        sort = after["sk"]["S"]
        if sort == keys.ROOT and after["pk"]["S"].startswith("A#"):
            was = int(before["version"]["N"]) if before else 0
            only_set_aside = before is not None and _failures(after) > _failures(before)
            promise(
                only_set_aside or int(after["version"]["N"]) == was + 1,
                "an account is written over what somebody else wrote",
            )
        if sort.startswith(keys.NOTICE_SORT):
            self._row_written(_notice(before) if before else None, _notice(after))

    def _row_written(self, before: Notice | None, after: Notice) -> None:
        known = before.status_history if before else ()
        promise(after.status_history[: len(known)] == known, f"history is lost: {story(known)} -> {story(after)}")
        promise(after.status is after.status_history[-1].status, f"history lags behind: {story(after)}")
        for earlier, later in pairwise(after.status_history[max(len(known) - 1, 0) :]):
            self.seen[f"{earlier.status} -> {later.status}"] += 1
            if (earlier.status, later.status, later.actor) == SENT_ONCE_MORE:
                waited = later.at - earlier.at >= WAITS[after.channel]
                promise(waited, f"sent again before the provider's event could come: {story(after)}")
        claims = [entry for entry in after.status_history if entry.status is S.SENDING]
        given_back = [
            later for earlier, later in pairwise(after.status_history) if (earlier.status, later.status) == GIVEN_BACK
        ]
        promise(
            after.attempt == len(claims) - len(given_back),
            f"attempts aren't the calls that may have reached the provider: {after.attempt}, {story(after)}",
        )
        promise(after.channel.electronic or after.status is not S.UNKNOWN, "a letter became Unknown")
        if after.status is S.SENDING:
            self._claimed(before, after)
        if after.status in RECORDED:
            promise(bool(self._sent_of(after)), f"recorded as sent, but nobody has it: {story(after)}")

    def _claimed(self, before: Notice | None, after: Notice) -> None:
        """From here on the message goes: whatever was committed before this write had to be heeded."""
        self.claims[after.notice_id].append(self.writes)
        promise(before is not None and before.status in {S.SCHEDULED, S.QUEUED}, f"taken twice: {story(after)}")
        promise(self.organization.account_status is AccountStatus.ACTIVE, "claimed for an organization that is closed")
        book = self.book(after.account_id)
        promise(not self._said_stop(after, book), f"claimed though its number said STOP: {story(after)}")
        if not after.notification_type.dunning:
            return
        open_bills = {bill.statement_id for bill in book.bills if bill.status is BillStatus.DUE and bill.balance > 0}
        promise(not book.account.holds, "claimed though the account is on hold")
        promise(not _opted_out(book.account, after.channel), f"claimed though opted out of {after.channel}")
        promise(after.channel not in book.account.undeliverable, f"claimed though {after.channel} can't be reached")
        promise(bool(after.bills), "claimed with nothing to tell")
        self._judged_by_what_holds(before or after, after, book)
        promise(open_bills.issuperset(after.statement_ids), f"claimed for a closed bill: {story(after)}")

    def _said_stop(self, claimed: Notice, book: AccountBook) -> bool:
        """Whether a text goes to a number that said STOP, whichever account it said it to."""
        if claimed.channel is not Channel.SMS or self.organization.test_contacts:
            return False
        partition = keys.texted_number(number_hash(book.account.guarantor.mobile_phone))
        said = self.table.items.get((partition, keys.number_stop(STACK_SENDER)))
        return said is not None and bool(said["stopped"]["BOOL"])

    def _judged_by_what_holds(self, before: Notice, after: Notice, book: AccountBook) -> None:
        """Whoever judges at the moment of the claim comes to the same; settings may be some seconds old."""
        others = tuple(row for row in book.notices if row.notice_id != after.notice_id)
        known = replace(book, notices=(*others, before))
        verdicts = [judge(before, known, practice, after.status_history[-1].at) for practice in self.organizations]
        same = [
            (verdict.level, verdict.bills, verdict.template_id, masked(verdict.contact))
            for verdict in verdicts
            if isinstance(verdict, Send)
        ]
        claimed = after.level, after.bills, after.template_id, after.sent_to
        promise(claimed in same, f"claimed on a judgement that doesn't hold any more: {story(after)}")

    # --- at the providers ----------------------------------------------------------------------------------------

    def reached(self, notice_id: str) -> None:
        """A call reaches a provider: one for each claim, and none without."""
        self.calls[notice_id] += 1
        promise(self.calls[notice_id] <= len(self.claims[notice_id]), "called twice for one claim")

    def heard(self, acceptance: "Acceptance", outcome: DeliveryOutcome) -> None:
        """A provider's event was taken in."""
        for sent in self.sent:
            if sent.acceptance is acceptance:
                sent.told.append((outcome, self.writes))

    def accepted(self, acceptance: "Acceptance") -> None:
        """A provider takes a message."""
        row = self.row(acceptance.account_id, acceptance.notice_id)
        before = [sent for sent in self.sent if sent.acceptance.notice_id == row.notice_id]
        claim = [entry for entry in row.status_history if entry.status is S.SENDING][-1]
        new = Sent(
            acceptance,
            claim=len(self.claims[row.notice_id]),
            claimed_at=claim.at,
            dunning=row.notification_type.dunning,
            steps=frozenset(
                (row.account_id, row.channel, entry.statement_id, entry.aging_period, entry.level)
                for entry in row.bills
            ),
        )
        for earlier in before:
            self._sent_again(row, earlier)
        resent = [
            later
            for earlier, later in pairwise(row.status_history)
            if earlier.status is S.UNKNOWN and later.status in {S.SCHEDULED, S.QUEUED} and later.actor != STAFF
        ]
        promise(len(resent) <= 1, f"sent again by itself more than once: {story(row)}")
        if new.dunning:
            self._one_a_day(new)
            self._step_told_once(new)
        self.sent.append(new)

    def _sent_again(self, row: Notice, earlier: Sent) -> None:
        """A second acceptance: only where nobody could know of the first, and then it is marked."""
        promise(row.channel.electronic, f"a letter exists twice: {story(row)}")
        if earlier.came_back:
            self.seen["sent again after it came back"] += 1
            return
        claimed = self.claims[row.notice_id][-1]
        promise(
            not any(outcome in ARRIVED and heard_at < claimed for outcome, heard_at in earlier.told),
            f"sent again although the provider's event had come: {story(row)}",
        )
        since = _after_claim(row.status_history, earlier.claim)
        promise(not RECORDED & since, f"sent again although it was recorded: {story(row)}")
        promise(row.possible_duplicate, f"sent twice, and not marked: {story(row)}")
        self.seen["possible duplicate accepted"] += 1

    def _one_a_day(self, new: Sent) -> None:
        for other in self.sent:
            same_channel = (other.acceptance.account_id, other.acceptance.channel) == (
                new.acceptance.account_id,
                new.acceptance.channel,
            )
            if other.dunning and same_channel and self._day(other) == self._day(new):
                promise(
                    other.acceptance.notice_id == new.acceptance.notice_id,
                    f"two reminders by {new.acceptance.channel} on {self._day(new)}",
                )

    def _step_told_once(self, new: Sent) -> None:
        """Another notice never tells what was told; one that came back told nothing."""
        for other in self.sent:
            if other.dunning and not other.came_back and other.acceptance.notice_id != new.acceptance.notice_id:
                again = other.steps & new.steps
                promise(not again, f"the same step is told by two notices: {sorted(map(str, again))}")

    def _day(self, sent: Sent) -> Any:
        return sent.claimed_at.astimezone(self.organization.zone).date()

    def _sent_of(self, notice: Notice) -> list[Sent]:
        return [sent for sent in self.sent if sent.acceptance.notice_id == notice.notice_id]


def promise(kept: bool, what: str) -> None:  # noqa: FBT001 - reads as an assertion
    if not kept:
        raise BrokenPromiseError(what)


def _failures(item: Item) -> int:
    return int(item["failures"]["N"]) if "failures" in item else 0


def _notice(item: Item) -> Notice:
    return items.unpack(Notice, item["body"])


def _after_claim(history: tuple[StatusChange, ...], claim: int) -> set[NoticeStatus]:
    """The statuses between the n-th claim and the next."""
    ordinal, found = 0, set[NoticeStatus]()
    for entry in history:
        ordinal += entry.status is S.SENDING
        if ordinal == claim:
            found.add(entry.status)
    return found


def _opted_out(account: Account, channel: Channel) -> bool:
    """A letter still goes where everything is closed."""
    choice = account.opt_outs
    if channel is Channel.PRINT:
        return choice.print and not (choice.email and choice.sms)
    return bool(getattr(choice, channel))


def story(told: Notice | tuple[StatusChange, ...]) -> str:
    history = told.status_history if isinstance(told, Notice) else told
    return ", ".join(f"{entry.status} ({entry.actor} {entry.at:%d %H:%M} {entry.reason})" for entry in history)
