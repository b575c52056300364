"""Secrets by their names in Secrets Manager: read once a process, and again after a rotation."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

RENEWAL_SECONDS = 10.0
"""The least time between two readings of one secret: a stranger's bad signatures must not cost a call each."""

OVERLAP = timedelta(hours=24)
"""How long after a rotation the secret before it still counts, as long as Stripe itself lets an old one live."""

NO_SUCH_VERSION = "ResourceNotFoundException"


class SecretUnreadableError(Exception):
    """A secret that can't be read: there is none of this name, it isn't ours to read, or the service doesn't answer."""


@dataclass(frozen=True, slots=True)
class SecretVersions:
    """A secret's value, and the one before it while that still counts; "": there is none."""

    current: str = field(repr=False)
    previous: str = field(default="", repr=False)

    @property
    def all(self) -> tuple[str, ...]:
        """The values that count, the current one first."""
        return tuple(value for value in (self.current, self.previous) if value)


@dataclass(slots=True)
class SecretValues:
    """The secrets of one stack. elapsed: seconds of a clock that only goes forward; clock: what time it really is."""

    client: "SecretsManagerClient"
    elapsed: Callable[[], float] = time.monotonic
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    _known: dict[str, tuple[float, SecretVersions]] = field(default_factory=dict, repr=False)

    def read(self, name: str) -> SecretVersions:
        """A secret as it was when this process first asked for it. Raises SecretUnreadableError."""
        return self._known[name][1] if name in self._known else self._renewed(name)

    def renewed(self, name: str) -> SecretVersions | None:
        """A secret as it is now, where it isn't what was known; None: nothing new, or asked for a moment ago."""
        known = self._known.get(name)
        if known and self.elapsed() - known[0] < RENEWAL_SECONDS:
            return None
        now = self._renewed(name)
        return now if known is None or now != known[1] else None

    def _renewed(self, name: str) -> SecretVersions:
        try:
            answer = self.client.get_secret_value(SecretId=name)
            versions = SecretVersions(answer["SecretString"].strip(), self._previous(name, answer["CreatedDate"]))
        except (BotoCoreError, ClientError, KeyError):
            raise SecretUnreadableError from None
        self._known[name] = self.elapsed(), versions
        return versions

    def _previous(self, name: str, rotated_at: datetime) -> str:
        if self.clock() - rotated_at > OVERLAP:
            return ""
        try:
            before = self.client.get_secret_value(SecretId=name, VersionStage="AWSPREVIOUS")
        except ClientError as error:
            if error.response["Error"]["Code"] != NO_SUCH_VERSION:
                raise
            return ""
        return before["SecretString"].strip()
