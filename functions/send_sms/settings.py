"""The function's settings, from its environment."""

from pydantic import PositiveFloat

from shared.settings import FunctionSettings


class SendSmsSettings(FunctionSettings):
    """The function's settings, named as in template.yaml."""

    table_name: str
    public_base_url: str = ""
    public_base_url_parameter: str = ""
    texts_per_second: PositiveFloat = 20.0
    allow_simulated_time: bool = False
