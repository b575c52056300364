"""Partners' API keys. Whoever starts to answer a request waits for this, so it is read without pydantic."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from shared.domain.records.partner import ApiKey, Scope
from shared.storage import keys
from shared.storage.attributes import document, key, pack
from shared.storage.records import Records

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


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
        return _api_key(document(item["body"])) if item else None

    def save(self, api_key: ApiKey) -> None:
        """Store a key, new or revoked."""
        self._records.put({**key(keys.api_key(api_key.key_id)), "body": pack(ApiKey, api_key)})


def _api_key(body: dict[str, Any]) -> ApiKey:
    """A key as `pack` wrote it: what is as by default was left out."""
    revoked_at = body.get("revoked_at")
    return ApiKey(
        key_id=body["key_id"],
        partner_id=body["partner_id"],
        secret_hash=body["secret_hash"],
        scopes=frozenset(map(Scope, body["scopes"])),
        created_at=datetime.fromisoformat(body["created_at"]),
        revoked_at=datetime.fromisoformat(revoked_at) if revoked_at else None,
    )
