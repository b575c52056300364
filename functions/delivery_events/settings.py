"""The function's settings, from its environment."""

from dataclasses import dataclass

from shared.settings import FunctionSettings


@dataclass(frozen=True, kw_only=True)
class DeliveryEventsSettings(FunctionSettings):
    """The function's settings, named as in template.yaml.

    text_events_topic: its ARN; what any other topic brings is the email provider's.
    self_managed_opt_outs: whether the text provider leaves STOP and HELP to us, instead of answering them by itself.
    """

    table_name: str
    text_events_topic: str = ""
    self_managed_opt_outs: bool = False
    allow_simulated_time: bool = False
