"""What the function is told by its environment."""

from pydantic import BaseModel, ConfigDict


class SendEmailSettings(BaseModel):
    """The function's settings, named as in template.yaml."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=str.upper)

    table_name: str
    public_base_url: str = ""
    public_base_url_parameter: str = ""
    sender_address: str
    configuration_set: str = ""
    allow_simulated_time: bool = False
