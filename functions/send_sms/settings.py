"""The function's settings, from its environment."""

from dataclasses import dataclass, field

from shared.settings import FunctionSettings


@dataclass(frozen=True, kw_only=True)
class SendSmsSettings(FunctionSettings):
    """The function's settings, named as in template.yaml."""

    table_name: str
    public_base_url: str = ""
    public_base_url_parameter: str = ""
    texts_per_second: float = field(default=20.0, metadata={"positive": True})
    allow_simulated_time: bool = False
