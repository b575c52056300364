"""Partners' API keys. Whoever starts to answer a request waits for this, so it is read without pydantic."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from shared.domain.records.partner import ApiKey, Scope
from shared.domain.vocabulary.words import AccountStatus
from shared.storage import keys
from shared.storage.attributes import Item, document, key, pack, text
from shared.storage.batches import read_items
from shared.storage.records import Records
from shared.storage.writes import NEW, THERE, Write, absent, below, conditional, put, transact, update

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from shared.domain.records.audit import AuditEntry


@dataclass(frozen=True, slots=True)
class ApiKeys:
    """The keys of one table. Only a hash of each is kept."""

    client: "DynamoDBClient"
    table: str

    @property
    def _records(self) -> Records:
        return Records(self.client, self.table)

    def get(self, key_id: str) -> ApiKey | None:
        """A key by its public id; None: there is none."""
        item = self._records.item(keys.api_key(key_id))
        return _api_key(item) if item else None

    def of_partner(self, partner_id: str) -> tuple[ApiKey, ...]:
        """A partner's keys, the oldest first: for operators."""
        pages = self.client.get_paginator("query").paginate(
            TableName=self.table,
            IndexName="organization",
            KeyConditionExpression="org_pk = :partition",
            ExpressionAttributeValues={":partition": text(keys.partners_keys(partner_id))},
        )
        rows = [(row["pk"]["S"], row["sk"]["S"]) for page in pages for row in page["Items"]]
        return tuple(map(_api_key, read_items(self.client, self.table, rows)))

    def is_of_archived_partner(self, api_key: ApiKey) -> bool:
        """Whether the partner that a key belongs to is Archived."""
        item = self._records.item(keys.partner(api_key.partner_id))
        return item is not None and document(item["body"]).get("account_status") == AccountStatus.ARCHIVED

    def save(self, api_key: ApiKey, audit: "AuditEntry | None" = None) -> None:
        """Store a key, new or revoked, with what tells of it (`audit`)."""
        transact(self.client, [put(self.table, _item(api_key)), *self._told(audit)])

    def rotate(self, old: ApiKey, new: ApiKey, audit: "AuditEntry | None" = None) -> None:
        """Store a key and the one that takes its place, both or none, with what tells of it."""
        writes = [put(self.table, _item(old), THERE), put(self.table, _item(new), NEW)]
        transact(self.client, [*writes, *self._told(audit)])

    def note_use(self, key_id: str, day: date) -> None:
        """Note that a key was accepted on a day; nothing is written twice for one day."""
        older = absent("last_used_on") | below("last_used_on", text(day.isoformat()))
        used = update(
            self.table,
            key(keys.api_key(key_id)),
            "SET last_used_on = :day",
            {":day": text(day.isoformat())},
            THERE & older,
        )
        conditional(self.client, used)

    def _told(self, audit: "AuditEntry | None") -> Sequence[Write]:
        from shared.storage.audit_trail import audit_write  # noqa: PLC0415 - only commands change keys

        return [audit_write(self.table, audit)] if audit else []


def _api_key(item: Item) -> ApiKey:
    """A key as it was packed: what is as by default was left out."""
    body, used = document(item["body"]), item.get("last_used_on")
    found = ApiKey(
        key_id=body["key_id"],
        partner_id=body["partner_id"],
        secret_hash=body["secret_hash"],
        scopes=frozenset(Scope(word) for word in body["scopes"] if word in Scope),
        created_at=datetime.fromisoformat(body["created_at"]),
        revoked_at=_moment(body.get("revoked_at")),
        expires_at=_moment(body.get("expires_at")),
        live=body.get("live", False),
        last_used_on=date.fromisoformat(used["S"]) if used else None,
    )
    return replace(found, as_read=json.dumps(body)) if _is_newer(body) else found


def _is_newer(body: dict[str, Any]) -> bool:
    """Whether a newer version wrote it (docs/rules.md#newer-records)."""
    return any(name not in ApiKey.__dataclass_fields__ for name in body) or any(
        word not in Scope for word in body["scopes"]
    )


def _moment(told: str | None) -> datetime | None:
    return datetime.fromisoformat(told) if told else None


def _item(api_key: ApiKey) -> Item:
    item = {
        **key(keys.api_key(api_key.key_id)),
        "org_pk": text(keys.partners_keys(api_key.partner_id)),
        "org_sk": text(f"{keys.instant(api_key.created_at)}#{api_key.key_id}"),
        "body": pack(ApiKey, api_key, exclude={"last_used_on"}),
    }
    return item | ({"last_used_on": text(api_key.last_used_on.isoformat())} if api_key.last_used_on else {})
