"""A partner, and the keys it authenticates with."""

import hashlib
import hmac
import re
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from shared.domain.records.stored import StoredRecord
from shared.domain.vocabulary.randomness import RandomBytes
from shared.domain.vocabulary.words import AccountStatus

_KEY = re.compile(r"dun_(?:live|test)_([0-9a-z]{8,40})_[0-9A-Za-z]{32,128}", re.ASCII)


class Scope(StrEnum):
    """What an API key may do (docs/rules.md#scopes)."""

    STATEMENTS_WRITE = "statements:write"
    READ = "read"
    MANAGE = "manage"
    SEND = "send"
    PAYMENTS_WRITE = "payments:write"


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner(StoredRecord):
    """A billing company or vendor that integrates with us; it owns organizations and keys.

    account_status: where it isn't Active none of its organizations duns; the keys of one that is Archived are refused.
    """

    partner_id: str
    name: str
    created_at: datetime
    account_status: AccountStatus = AccountStatus.ACTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey(StoredRecord):
    """A key of a partner. Only the SHA-256 of the whole key is kept; it has 256 random bits, so it needs no salt.

    expires_at: from when on it is refused because another key took its place; None: no other did.
    last_used_on: the last day (UTC) on which it was accepted, written once a day.
    """

    key_id: str
    partner_id: str
    secret_hash: str
    scopes: frozenset[Scope]
    created_at: datetime
    revoked_at: datetime | None = None
    expires_at: datetime | None = None
    live: bool = False
    last_used_on: date | None = None

    def admits(self, presented: str, now: datetime) -> bool:
        """Whether this is the key that was presented, and it is in force. Takes the same time for any guess."""
        same = hmac.compare_digest(_hash(presented), self.secret_hash)
        return same and self.in_force(now)

    def in_force(self, now: datetime) -> bool:
        """Whether it is neither revoked nor replaced."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def new_api_key(
    partner_id: str, scopes: frozenset[Scope], now: datetime, random: RandomBytes, *, live: bool = False
) -> tuple[ApiKey, str]:
    """Make a key for a partner: what is kept of it, and the key itself, which can't be had again."""
    key_id = random(8).hex()
    presented = f"dun_{'live' if live else 'test'}_{key_id}_{random(32).hex()}"
    key = ApiKey(
        key_id=key_id,
        partner_id=partner_id,
        secret_hash=_hash(presented),
        scopes=scopes,
        created_at=now,
        live=live,
    )
    return key, presented


class KeyNotInForceError(Exception):
    """The key is revoked, or another is taking its place already."""


def rotated(key: ApiKey, now: datetime, overlap: timedelta) -> ApiKey:
    """The key once another has its place: it is in force for the overlap, beside the new one.

    Raises KeyNotInForceError: of one partner's access two keys overlap, and no more (docs/rules.md#key-rotation).
    """
    if key.expires_at is not None or not key.in_force(now):
        raise KeyNotInForceError
    return replace(key, expires_at=now + overlap)


def key_id_of(presented: str) -> str | None:
    """The public id inside a key as it is presented; None: it can't be a key at all."""
    found = _KEY.fullmatch(presented)
    return found[1] if found else None


def _hash(presented: str) -> str:
    return hashlib.sha256(presented.encode()).hexdigest()
