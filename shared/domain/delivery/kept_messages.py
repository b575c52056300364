"""A message as it was sent, kept for whoever asks what a patient read (docs/rules.md#kept-message)."""

from collections.abc import Callable
from dataclasses import dataclass

from shared.domain.delivery.orders import Order, ProviderAnswer

STRUCK_OUT = "[not kept]"
"""What stands in a kept message where the link's secret stood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptMessage:
    """An email or text as it was given to its provider, but for the secret of its link.

    subject, html: of an email. A later attempt's replaces an earlier one's.
    """

    notice_id: str
    subject: str = ""
    html: str = ""
    text: str


@dataclass(frozen=True, slots=True)
class PreparedMessage:
    """A message that is ready to be sent, and what is kept of it. Called, it is sent: one call to the provider."""

    send: Callable[[], ProviderAnswer]
    kept: KeptMessage

    def __call__(self) -> ProviderAnswer:
        """Send it."""
        return self.send()


def kept(order: Order, *, text: str, subject: str = "", html: str = "") -> KeptMessage:
    """What is kept of a message: all of it, without the secret that opens its link.

    Whoever may read it may see what a patient read, but not act as the patient.
    """

    def without_secret(part: str) -> str:
        return part.replace(order.link.token, STRUCK_OUT)

    return KeptMessage(
        notice_id=order.notice.notice_id,
        subject=without_secret(subject),
        html=without_secret(html),
        text=without_secret(text),
    )
