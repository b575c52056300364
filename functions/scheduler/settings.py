"""What the scheduler is told by its environment."""

from pydantic import BaseModel, ConfigDict

from shared.domain.vocabulary.words import Channel


class SchedulerSettings(BaseModel):
    """The scheduler's settings, named as in template.yaml."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=str.upper)

    table_name: str
    email_queue_url: str
    sms_queue_url: str
    print_queue_url: str
    allow_simulated_time: bool = False

    @property
    def queue_urls(self) -> dict[Channel, str]:
        """Each channel's queue."""
        return {
            Channel.EMAIL: self.email_queue_url,
            Channel.SMS: self.sms_queue_url,
            Channel.PRINT: self.print_queue_url,
        }
