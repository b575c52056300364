"""What happened, for whoever asks why."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEvent:
    """Something that happened: a past-tense name, by whom, why, and facts that hold no personal data."""

    at: datetime
    event: str
    actor: str
    reason: str = ""
    facts: dict[str, str] = field(default_factory=dict)
