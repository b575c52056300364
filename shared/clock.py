"""What time it is: the clock's, or where a stack allows it, a request's own (docs/rules.md#simulated-time)."""

from datetime import UTC, datetime

SIMULATED_TIME_HEADER = "Dunlin-As-Of"


def now(as_of: str | None, *, allowed: bool) -> datetime:
    """The instant to judge by, timezone-aware.

    `as_of` is RFC 3339 and counts only where `allowed`; any other stack ignores it. Raises ValueError when it isn't
    an instant with its offset.
    """
    if not allowed or not as_of:
        return datetime.now(UTC)
    instant = datetime.fromisoformat(as_of)
    if instant.tzinfo is None:
        raise ValueError("an instant needs its offset from UTC")
    return instant.astimezone(UTC)
