"""Which key a request presents, and whether it is in force."""

from datetime import datetime

from aws_lambda_powertools import Logger

from shared.domain.records.partner import ApiKey, key_id_of
from shared.storage.api_keys import ApiKeys

logger = Logger()

SCHEME = "bearer"


class UnauthorizedError(Exception):
    """The gateway answers 401 to exactly this text."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


def authenticate(header: str, api_keys: ApiKeys, now: datetime) -> ApiKey:
    """The key that an Authorization header presents. Raises UnauthorizedError for anything but a valid one.

    The keys of a partner that is Archived are refused. The first use of a day is noted; the gateway keeps the answer,
    so that most requests come without any of this.
    """
    scheme, _, presented = header.strip().partition(" ")
    key_id = key_id_of(presented.strip()) if scheme.lower() == SCHEME else None
    key = api_keys.get(key_id) if key_id else None
    if key is None or not key.admits(presented.strip(), now) or api_keys.is_of_archived_partner(key):
        logger.info("key refused", extra={"key_id": key.key_id if key else None})
        raise UnauthorizedError
    if key.last_used_on is None or key.last_used_on < now.date():
        api_keys.note_use(key.key_id, now.date())
    logger.info("key accepted", extra={"key_id": key.key_id})
    return key
