"""Idempotency records: what was answered to a POST with an Idempotency-Key, so that a repeat answers the same."""

import hashlib
import secrets
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shared.storage import items, keys
from shared.storage.items import number, text
from shared.storage.records import Records
from shared.storage.writes import NEW, THERE, Condition, absent, at_most, conditional, delete, equals

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ANSWERS_KEPT_FOR = timedelta(hours=24)
REQUEST_LEASE = timedelta(minutes=2)
"""After this a request that never answered is taken for dead, and its key may be used again."""


SEED_BYTES = 16


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
class TakenKey:
    """A key that was taken for a request. seed: what the ids of all that the request makes are made from.

    It is the same when the request is tried again after a failure, so that what the first try has done is known again.
    """

    seed: str


@dataclass(frozen=True, slots=True)
class IdempotencyRecords:
    """The idempotency records of one table."""

    client: "DynamoDBClient"
    table: str

    def begin(self, partner_id: str, key: str, request: bytes, now: datetime) -> StoredAnswer | TakenKey:
        """Take the key, or answer what was answered to it before.

        Raises KeyReusedError for another request under the same key, InFlightError while the first is under way. The
        condition closes the race of two equal requests at once: one takes the key, the other is refused. One that
        failed, or never answered and whose lease has ended, leaves the key to the next try of the same request.
        """
        pk, fingerprint = keys.idempotency(partner_id, key), hashlib.sha256(request).hexdigest()
        records, taken = Records(self.client, self.table), TakenKey(secrets.token_hex(SEED_BYTES))
        lease = now + REQUEST_LEASE
        if records.put(_taken(partner_id, key, fingerprint, taken, lease_until=lease, now=now), NEW):
            return taken
        stored = records.item(pk)
        if stored is None:
            raise InFlightError
        if stored["fingerprint"]["S"] != fingerprint:
            raise KeyReusedError
        if "answer" in stored:
            return StoredAnswer(
                status=int(stored["status"]["N"]),
                content_type=stored["content_type"]["S"],
                body=zlib.decompress(stored["answer"]["B"]).decode(),
            )
        taken = TakenKey(stored["seed"]["S"]) if "seed" in stored else taken
        again = _taken(partner_id, key, fingerprint, taken, lease_until=lease, now=now)
        if not records.put(again, _given_up(fingerprint, now)):
            raise InFlightError
        return taken

    def release(self, partner_id: str, key: str) -> None:
        """Give the key back, because nothing was done under it."""
        conditional(self.client, delete(self.table, _key(partner_id, key), absent("answer")))

    def give_up(self, partner_id: str, key: str, request: bytes, taken: TakenKey, now: datetime) -> None:
        """Leave the key to the next try of the same request, because this one failed: something may have been done."""
        fingerprint = hashlib.sha256(request).hexdigest()
        item = _taken(partner_id, key, fingerprint, taken, lease_until=now, now=now)
        Records(self.client, self.table).put(item, THERE & absent("answer"))

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


def _key(partner_id: str, key: str) -> items.Item:
    return items.key(keys.idempotency(partner_id, key))


def _taken(
    partner_id: str, key: str, fingerprint: str, taken: TakenKey, *, lease_until: datetime, now: datetime
) -> items.Item:
    """The record of a key that a request has, until its lease ends."""
    return {
        **_key(partner_id, key),
        "fingerprint": text(fingerprint),
        "seed": text(taken.seed),
        "lease_until": text(keys.instant(lease_until)),
        "expires_at": number(int((now + ANSWERS_KEPT_FOR).timestamp())),
    }


def _given_up(fingerprint: str, now: datetime) -> Condition:
    """The same request took the key and has never answered, though its lease has ended or was given up."""
    never_answered = absent("answer") & at_most("lease_until", text(keys.instant(now)))
    return never_answered & equals("fingerprint", text(fingerprint))
