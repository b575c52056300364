"""Messages on the channel queues: ids only, no personal data."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class NoticeMessage(BaseModel):
    """Asks a channel to send one notice. `as_of` is set in stacks with simulated time only."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="forbid")

    org_id: str
    account_id: str
    notice_id: str
    as_of: datetime | None = None
