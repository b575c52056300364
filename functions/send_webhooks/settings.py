"""The function's settings, from its environment."""

from dataclasses import dataclass

from shared.settings import FunctionSettings


@dataclass(frozen=True, kw_only=True)
class SendWebhooksSettings(FunctionSettings):
    """The function's settings, named as in template.yaml.

    webhooks_to_loopback: whether receivers may be on this machine, over plain HTTP: in local stacks alone.
    """

    table_name: str
    webhook_key: str
    webhooks_to_loopback: bool = False
    allow_simulated_time: bool = False
