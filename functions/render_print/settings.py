"""The function's settings, from its environment."""

from shared.settings import FunctionSettings


class RenderPrintSettings(FunctionSettings):
    """The function's settings, named as in template.yaml."""

    table_name: str
    print_bucket: str
    public_base_url: str = ""
    public_base_url_parameter: str = ""
    allow_simulated_time: bool = False
