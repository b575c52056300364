"""The function's settings, from its environment."""

from shared.settings import FunctionSettings


class SendEmailSettings(FunctionSettings):
    """The function's settings, named as in template.yaml."""

    table_name: str
    public_base_url: str = ""
    public_base_url_parameter: str = ""
    sender_address: str
    configuration_set: str = ""
    allow_simulated_time: bool = False
