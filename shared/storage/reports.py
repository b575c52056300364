"""An organization's reports in the table, and the accounts that have to be looked at for them.

What an account added is replaced by what it adds now in one transaction with the figures of the days that this changes,
each on condition that it is as it was read. So every account counts exactly once, however often a run is repeated or
cut off and however many runs there are at once. See docs/decisions/0066-reports-from-the-ledger.md.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from shared.domain.reporting.ageing import Ageing
from shared.domain.reporting.facts import AccountFacts, Figures
from shared.domain.reporting.postings import PostingLine
from shared.storage import items, keys
from shared.storage.account_books import STATEMENT_INDEX
from shared.storage.batches import read_items
from shared.storage.items import Item, number, text
from shared.storage.records import Records
from shared.storage.writes import MOST_WRITES, Write, at_version, conditional, delete, put, transact, update

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ACCOUNTS_A_PAGE = 20

MOST_DAYS_A_STEP = 25
"""So many days of one account change in one transaction; what is left of them does in the next."""

NO_FACTS = AccountFacts()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportState:
    """How far an organization's reports are.

    day: whose ageing is still open: `owed` says what is owed now, and days before have their ageing stored.
    filed_through: the last day whose reconciliation files are written. counted_at: when something was last counted.
    revision: rises with each write; 0: nothing is stored yet.
    """

    day: date | None = None
    owed: Figures = field(default_factory=dict)
    filed_through: date | None = None
    counted_at: datetime | None = None
    revision: int = 0


class Added(NamedTuple):
    """What an account added when it was last counted. revision: rises with each count; 0: it never was."""

    facts: AccountFacts
    revision: int


@dataclass(frozen=True, slots=True)
class Reports:
    """The reports of one table."""

    client: "DynamoDBClient"
    table: str

    # --- the accounts to look at ------------------------------------------------------------------------------------

    def organizations(self, shard: str) -> Iterator[str]:
        """The organizations of a shard that have accounts to look at, now or later: one Query each, and one more."""
        after = " "
        while True:
            found = self._changed(shard, "statement_sk > :after", {":after": after}, limit=1)["Items"]
            if not found:
                return
            org_id, _ = keys.changed_account_parts(found[0]["statement_sk"]["S"])
            yield org_id
            after = keys.after_changed_accounts(org_id)

    def changed_accounts(self, org_id: str, now: datetime) -> Iterator[list[str]]:
        """An organization's accounts that are to be looked at by now, by pages."""
        first, last = keys.changed_accounts_until(org_id, now)
        shard = keys.changed_shard(org_id)
        while True:
            between = "statement_sk BETWEEN :first AND :last"
            page = self._changed(shard, between, {":first": first, ":last": last}, limit=ACCOUNTS_A_PAGE)
            places = [item["statement_sk"]["S"] for item in page["Items"]]
            if places:
                yield [keys.changed_account_parts(place)[1] for place in places]
            if "LastEvaluatedKey" not in page:
                return
            first = f"{places[-1]} "

    def _changed(self, shard: str, where: str, values: Mapping[str, str], limit: int) -> Any:  # noqa: ANN401 - the client's own answer
        return self.client.query(
            TableName=self.table,
            IndexName=STATEMENT_INDEX,
            KeyConditionExpression=f"statement_pk = :shard AND {where}",
            ExpressionAttributeValues={":shard": text(shard), **{name: text(value) for name, value in values.items()}},
            Limit=limit,
        )

    def look_again(self, org_id: str, account_id: str, version: int, at: datetime | None) -> None:
        """Have an account looked at again at an instant; None: when it is changed again.

        Only if it is at the version that was read: otherwise it has been changed, and stays to be looked at now.
        """
        key = items.key(keys.collection(org_id, account_id))
        as_read = at_version(version)
        if at is None:
            write = update(self.table, key, "REMOVE statement_pk, statement_sk", {}, as_read)
        else:
            place = {
                ":shard": text(keys.changed_shard(org_id)),
                ":place": text(keys.changed_account(org_id, account_id, at)),
            }
            write = update(self.table, key, "SET statement_pk = :shard, statement_sk = :place", place, as_read)
        conditional(self.client, write, conflict_loses=True)

    # --- what they add ----------------------------------------------------------------------------------------------

    def state(self, org_id: str) -> ReportState:
        """How far an organization's reports are, read consistently."""
        item = Records(self.client, self.table).item(keys.reports(org_id))
        if item is None:
            return ReportState()
        return replace(items.unpack(ReportState, item["body"]), revision=int(item["version"]["N"]))

    def save(self, org_id: str, before: ReportState, after: ReportState, ended: Mapping[str, Ageing]) -> bool:
        """Write how far the reports are, with the ageing of days that ended. False: another run was quicker."""
        puts = [
            put(self.table, _item(org_id, keys.ageing_of(day), Ageing, ageing), None) for day, ageing in ended.items()
        ]
        return transact(self.client, [self._state(org_id, before, after), *puts])

    def added(self, org_id: str, account_ids: Iterable[str]) -> dict[str, Added]:
        """What each account added when it was last counted, be it nothing; read consistently."""
        wanted = list(account_ids)
        places = ((keys.reports(org_id), keys.added_by(account_id)) for account_id in wanted)
        found = {item["sk"]["S"]: item for item in read_items(self.client, self.table, places)}
        return {account_id: _added(found.get(keys.added_by(account_id))) for account_id in wanted}

    def add(self, org_id: str, added: Mapping[str, Added], facts: Mapping[str, AccountFacts], now: datetime) -> bool:
        """Count what accounts add now instead of what they added. False: another run was quicker; look at them again.

        `added` must have been read before the ledgers that the facts are of: that closes the race with a run that reads
        a ledger later and counts it earlier, whose newer facts would be written over.
        """
        known = dict(added)
        while True:
            state = self.state(org_id)
            step = _Step(org_id, self.table)
            for account_id, wanted in facts.items():
                before = known[account_id]
                if before.facts != wanted and not step.take(account_id, before, wanted):
                    break
            if not step.writes:
                return True
            owed = _sum(state.owed, step.owed)
            after = replace(state, owed=owed, counted_at=max(now, state.counted_at or now))
            writes = [self._state(org_id, state, after), *step.writes, *self._figures(org_id, step.days)]
            if not transact(self.client, writes):
                return False
            known |= step.after

    def _state(self, org_id: str, before: ReportState, after: ReportState) -> Write:
        item = _item(org_id, keys.ROOT, ReportState, replace(after, revision=0))
        return put(self.table, item | {"version": number(before.revision + 1)}, at_version(before.revision))

    def _figures(self, org_id: str, changes: Mapping[str, Figures]) -> Iterator[Write]:
        """The writes of the days' figures. The state's revision is risen with them, so nobody else writes any."""
        stored = self.figures(org_id, changes)
        for day, change in changes.items():
            yield put(
                self.table, _item(org_id, keys.figures_of(day), dict[str, int], _sum(stored.get(day, {}), change))
            )

    # --- what reports read ------------------------------------------------------------------------------------------

    def figures(self, org_id: str, days: Iterable[str]) -> dict[str, Figures]:
        """The figures of some days, read consistently."""
        partition = keys.reports(org_id)
        found = read_items(self.client, self.table, ((partition, keys.figures_of(day)) for day in days))
        return {
            keys.id_of(item["sk"]["S"], keys.FIGURES_SORT): items.unpack(dict[str, int], item["body"]) for item in found
        }

    def figures_between(self, org_id: str, first: date, last: date) -> dict[str, Figures]:
        """The figures of all days from the first to the last that have any, oldest first."""
        found = self._between(org_id, keys.figures_of(first.isoformat()), keys.figures_of(last.isoformat()))
        return {
            keys.id_of(item["sk"]["S"], keys.FIGURES_SORT): items.unpack(dict[str, int], item["body"]) for item in found
        }

    def ageing_between(self, org_id: str, first: date, last: date) -> dict[str, Ageing]:
        """What was owed when days ended, as far as that is stored."""
        found = self._between(org_id, keys.ageing_of(first.isoformat()), keys.ageing_of(last.isoformat()))
        return {keys.id_of(item["sk"]["S"], keys.AGEING_SORT): items.unpack(Ageing, item["body"]) for item in found}

    def postings_between(self, org_id: str, first: date, last: date) -> Iterator[PostingLine]:
        """The lines of all postings from the first day to the last, by day, oldest first within an account."""
        begin, end = keys.postings_of(first.isoformat(), ""), keys.postings_of(last.isoformat(), "~")
        for item in self._between(org_id, begin, end):
            yield from items.unpack(tuple[PostingLine, ...], item["body"])

    def _between(self, org_id: str, first: str, last: str) -> Iterator[Item]:
        pages = self.client.get_paginator("query").paginate(
            TableName=self.table,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":pk": text(keys.reports(org_id)),
                ":first": text(first),
                ":last": text(last),
            },
        )
        for page in pages:
            yield from page["Items"]


class _Step:
    """One transaction's worth of accounts: what it writes of them, and how it changes the figures of days.

    after: what the accounts add then; of one with too many days it only takes some.
    """

    def __init__(self, org_id: str, table: str) -> None:
        self._org_id, self._table = org_id, table
        self.writes = list[Write]()
        self.days = dict[str, Figures]()
        self.owed: Figures = {}
        self.after = dict[str, Added]()

    def take(self, account_id: str, before: Added, wanted: AccountFacts) -> bool:
        """Take an account into the step. False: it doesn't fit any more."""
        days = _differing(before.facts.days, wanted.days)[:MOST_DAYS_A_STEP]
        posted = _differing(before.facts.postings, wanted.postings)[:MOST_DAYS_A_STEP]
        room = MOST_WRITES - 1 - len(self.writes) - len({*self.days, *days})
        if self.writes and room < 1 + len(posted):
            return False
        after = replace(
            wanted,
            days=_part(before.facts.days, wanted.days, days),
            postings=_part(before.facts.postings, wanted.postings, posted),
        )
        self._write(account_id, before, after)
        for day in days:
            old, new = before.facts.days.get(day, {}), after.days.get(day, {})
            self.days[day] = _sum(self.days.get(day, {}), new, old)
        self.owed = _sum(self.owed, after.owed, before.facts.owed)
        for day in posted:
            self._write_postings(keys.postings_of(day, account_id), after.postings.get(day, ()))
        return True

    def _write(self, account_id: str, before: Added, after: AccountFacts) -> None:
        self.after[account_id] = Added(after, before.revision + 1)
        item = _item(self._org_id, keys.added_by(account_id), AccountFacts, after)
        item["version"] = number(before.revision + 1)
        self.writes.append(put(self._table, item, at_version(before.revision)))

    def _write_postings(self, sort: str, lines: tuple[PostingLine, ...]) -> None:
        if lines:
            self.writes.append(put(self._table, _item(self._org_id, sort, tuple[PostingLine, ...], lines)))
        else:
            self.writes.append(delete(self._table, items.key(keys.reports(self._org_id), sort)))


def _added(item: Item | None) -> Added:
    return Added(items.unpack(AccountFacts, item["body"]), int(item["version"]["N"])) if item else Added(NO_FACTS, 0)


def _differing(before: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    return sorted(day for day in {*before, *wanted} if before.get(day) != wanted.get(day))


def _part[V](before: Mapping[str, V], wanted: Mapping[str, V], days: Iterable[str]) -> dict[str, V]:
    """What was there, with some days as they are wanted."""
    changed = set(days)
    kept = {day: value for day, value in before.items() if day not in changed}
    return kept | {day: wanted[day] for day in changed if day in wanted}


def _sum(one: Figures, more: Figures, less: Figures | None = None) -> Figures:
    total = Counter(one)
    total.update(more)
    total.subtract(less or {})
    return {key: total[key] for key in sorted(total) if total[key]}


def _item(org_id: str, sort: str, kind: Any, value: Any) -> Item:  # noqa: ANN401 - whatever can be a body
    return {**items.key(keys.reports(org_id), sort), "body": items.pack(kind, value)}
