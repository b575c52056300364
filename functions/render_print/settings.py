"""The function's settings, from its environment."""

from dataclasses import dataclass

from shared.settings import FunctionSettings


@dataclass(frozen=True, kw_only=True)
class RenderPrintSettings(FunctionSettings):
    """The function's settings, named as in template.yaml."""

    table_name: str
    print_bucket: str
    public_base_url: str = ""
    public_base_url_parameter: str = ""
    allow_simulated_time: bool = False
