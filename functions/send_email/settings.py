"""The function's settings, from its environment."""

from dataclasses import dataclass

from shared.settings import FunctionSettings


@dataclass(frozen=True, kw_only=True)
class SendEmailSettings(FunctionSettings):
    """The function's settings, named as in template.yaml."""

    table_name: str
    public_base_url: str = ""
    public_base_url_parameter: str = ""
    sender_address: str
    configuration_set: str = ""
    allow_simulated_time: bool = False
