"""The scheduler's settings, from its environment."""

from dataclasses import dataclass

from shared.domain.vocabulary.words import Channel
from shared.settings import FunctionSettings


@dataclass(frozen=True, kw_only=True)
class SchedulerSettings(FunctionSettings):
    """The scheduler's settings, named as in template.yaml."""

    table_name: str
    email_queue_url: str
    sms_queue_url: str
    print_queue_url: str
    webhook_queue_url: str
    ingest_function: str
    print_bucket: str
    allow_simulated_time: bool = False

    @property
    def queue_urls(self) -> dict[Channel, str]:
        """Each channel's queue."""
        return {
            Channel.EMAIL: self.email_queue_url,
            Channel.SMS: self.sms_queue_url,
            Channel.PRINT: self.print_queue_url,
        }
