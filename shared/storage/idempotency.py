"""Idempotency records: what was answered to a POST with an Idempotency-Key, so that a repeat answers the same."""

import hashlib
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from shared.storage import items, keys
from shared.storage.items import number, text
from shared.storage.records import Records
from shared.storage.writes import NEW, Condition, absent, below, equals

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ANSWERS_KEPT_FOR = timedelta(hours=24)
REQUEST_LEASE = timedelta(minutes=2)
"""After this a request that never answered is taken for dead, and its key may be used again."""


class KeyReusedError(Exception):
    """The key was used with another body."""


class InFlightError(Exception):
    """A request with this key is being worked on."""


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer that was given."""

    status: int
    content_type: str
    body: str


@dataclass(frozen=True, slots=True)
class IdempotencyRecords:
    """The idempotency records of one table."""

    client: "DynamoDBClient"
    table: str

    def begin(self, partner_id: str, key: str, request: bytes, now: datetime) -> StoredAnswer | None:
        """Take the key, or answer what was answered to it before.

        Raises KeyReusedError for another request under the same key, InFlightError while the first is under way. The
        condition closes the race of two equal requests at once: one takes the key, the other is refused.
        """
        pk, fingerprint = keys.idempotency(partner_id, key), hashlib.sha256(request).hexdigest()
        records = Records(self.client, self.table)
        item: dict[str, Any] = {
            **items.key(pk),
            "fingerprint": text(fingerprint),
            "lease_until": text(keys.instant(now + REQUEST_LEASE)),
            "expires_at": number(int((now + ANSWERS_KEPT_FOR).timestamp())),
        }
        if records.put(item, NEW | _given_up(fingerprint, now)):
            return None
        stored = records.item(pk)
        if stored is None:
            raise InFlightError
        if stored["fingerprint"]["S"] != fingerprint:
            raise KeyReusedError
        if "answer" not in stored:
            raise InFlightError
        return StoredAnswer(
            status=int(stored["status"]["N"]),
            content_type=stored["content_type"]["S"],
            body=zlib.decompress(stored["answer"]["B"]).decode(),
        )

    def release(self, partner_id: str, key: str) -> None:
        """Give the key back, because nothing was done under it."""
        self.client.delete_item(TableName=self.table, Key=items.key(keys.idempotency(partner_id, key)))

    def finish(self, partner_id: str, key: str, request: bytes, answer: StoredAnswer, now: datetime) -> None:
        """Keep the answer for repeats."""
        Records(self.client, self.table).put(
            {
                **items.key(keys.idempotency(partner_id, key)),
                "fingerprint": text(hashlib.sha256(request).hexdigest()),
                "status": number(answer.status),
                "content_type": text(answer.content_type),
                "answer": {"B": zlib.compress(answer.body.encode())},
                "expires_at": number(int((now + ANSWERS_KEPT_FOR).timestamp())),
            }
        )


def _given_up(fingerprint: str, now: datetime) -> Condition:
    """The same request took the key and has never answered, though its lease has ended."""
    never_answered = absent("answer") & below("lease_until", text(keys.instant(now)))
    return never_answered & equals("fingerprint", text(fingerprint))
