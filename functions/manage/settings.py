"""What the function is told by its environment."""

from dataclasses import dataclass

from shared.domain.vocabulary.words import Channel
from shared.settings import FunctionSettings


@dataclass(frozen=True, kw_only=True)
class ManageSettings(FunctionSettings):
    """The function's settings, named as in template.yaml."""

    table_name: str
    allow_simulated_time: bool = False
    sandbox_processor_url: str = ""
    print_bucket: str = ""
    stripe_api_url: str = ""
    webhook_key: str = ""
    webhooks_to_loopback: bool = False
    email_queue_url: str = ""
    sms_queue_url: str = ""
    print_queue_url: str = ""

    @property
    def queue_urls(self) -> dict[Channel, str]:
        """Each channel's queue."""
        return {
            Channel.EMAIL: self.email_queue_url,
            Channel.SMS: self.sms_queue_url,
            Channel.PRINT: self.print_queue_url,
        }
