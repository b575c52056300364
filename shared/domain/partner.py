"""A partner, and the keys it authenticates with."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Scope(StrEnum):
    """What an API key may do (contract.md, Partner endpoints)."""

    STATEMENTS_WRITE = "statements:write"
    READ = "read"
    MANAGE = "manage"
    SEND = "send"
    PAYMENTS_WRITE = "payments:write"


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """A billing company or vendor that integrates with us; it owns organizations and keys."""

    partner_id: str
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key of a partner. Only the SHA-256 of its secret is kept; it has 256 random bits, so it needs no salt."""

    key_id: str
    partner_id: str
    secret_hash: str
    scopes: frozenset[Scope]
    created_at: datetime
    revoked_at: datetime | None = None
