"""What happened, for whoever asks why."""

from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.vocabulary.actors import person_behind


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEvent:
    """Something that happened: a past-tense name, by whom, why, and facts that hold no personal data.

    by: the person behind the actor, if the actor names one. text: what staff wrote, for staff alone: a note.
    """

    at: datetime
    event: str
    actor: str
    reason: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    by: str = ""
    text: str = ""

    def __post_init__(self) -> None:
        """Keep the person whom the actor names."""
        object.__setattr__(self, "by", self.by or person_behind(self.actor))
