"""What the email provider says became of a message: SES event publishing, delivered by an SNS topic.

Only what we act on is read. Our own ids are in the message tags.
"""

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from shared.contracts.email_tags import ATTEMPT_TAG


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True, defer_build=True)


class SesMail(_Part):
    """The message that an event is about."""

    message_id: str
    destination: list[str] = Field(default_factory=list, repr=False)
    tags: dict[str, list[str]] = Field(default_factory=dict)

    def tag(self, name: str) -> str | None:
        """The value of one of our tags; None: the message isn't one of ours."""
        values = self.tags.get(name)
        return values[0] if values else None

    @property
    def address(self) -> str:
        """Where it went; each of ours goes to one address. "": the event doesn't say."""
        return self.destination[0] if len(self.destination) == 1 else ""

    @property
    def attempt(self) -> int | None:
        """Which sending of the notice it was; None: the message doesn't say."""
        value = self.tag(ATTEMPT_TAG) or ""
        return int(value) if value.isascii() and value.isdigit() else None


class Bounce(_Part):
    """Why a message bounced."""

    bounce_type: str


class Complaint(_Part):
    """What a recipient, or the recipient's provider, reports of a message.

    https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
    """

    complaint_sub_type: str | None = None
    complaint_feedback_type: str | None = None
    timestamp: AwareDatetime | None = None


class EmailEvent(_Part):
    """One event of one message."""

    event_type: str
    mail: SesMail
    bounce: Bounce | None = None
    complaint: Complaint | None = None
