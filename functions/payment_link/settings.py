"""The function's settings, from its environment."""

from dataclasses import dataclass, field

from shared.settings import FunctionSettings


@dataclass(frozen=True, kw_only=True)
class PaymentLinkSettings(FunctionSettings):
    """The function's settings, named as in template.yaml.

    public_base_url: under which patients reach the pages, without a trailing slash; empty: it stands in the parameter
    of Systems Manager that public_base_url_parameter names.
    render_function: what sets statements and receipts as PDF; empty: nothing does, and no page leads to one.
    stripe_api_url: of another Stripe, in test stacks; empty: Stripe's own.
    sandbox_processor_url: of the simulated processor; empty: this stack has none.
    """

    table_name: str
    public_base_url: str = ""
    public_base_url_parameter: str = ""
    allow_simulated_time: bool = False
    render_function: str = ""
    stripe_api_url: str = ""
    sandbox_processor_url: str = ""
    sandbox_processor_key: str = field(default="", repr=False)
