"""The function's settings, from its environment."""

from pydantic import SecretStr

from shared.settings import FunctionSettings


class PaymentLinkSettings(FunctionSettings):
    """The function's settings, named as in template.yaml.

    public_base_url: under which patients reach the pages, without a trailing slash; empty: it stands in the parameter
    of Systems Manager that public_base_url_parameter names.
    stripe_api_url: of another Stripe, in test stacks; empty: Stripe's own.
    sandbox_processor_url: of the simulated processor; empty: this stack has none.
    """

    table_name: str
    public_base_url: str = ""
    public_base_url_parameter: str = ""
    allow_simulated_time: bool = False
    stripe_api_url: str = ""
    sandbox_processor_url: str = ""
    sandbox_processor_key: SecretStr = SecretStr("")
