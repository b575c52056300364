"""What the function is told by its environment."""

from dataclasses import dataclass

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
