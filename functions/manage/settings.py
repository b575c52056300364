"""What the function is told by its environment."""

from shared.settings import FunctionSettings


class ManageSettings(FunctionSettings):
    """The function's settings, named as in template.yaml."""

    table_name: str
    allow_simulated_time: bool = False
    sandbox_processor_url: str = ""
    webhook_key: str = ""
    webhooks_to_loopback: bool = False
