"""Names and addresses as mail headers carry them."""

from email.header import Header
from email.utils import formataddr

LONGEST_WORD = 75
"""An encoded word's limit; a longer name becomes several words (RFC 2047, section 2)."""

ENCODED_WORD = "=?"
"""What an encoded word begins with."""


def mailbox(name: str, address: str) -> str:
    """A display name with its address (RFC 5322), the name encoded where it isn't ASCII (RFC 2047).

    Control characters in a name become spaces, so that it can't add a header. A name that looks encoded already is
    encoded itself, so that it is shown as it is and not as what somebody hid in it.
    """
    shown = " ".join("".join(sign if sign.isprintable() else " " for sign in name).split())
    if shown.isascii() and ENCODED_WORD not in shown:
        return formataddr((shown, address))
    encoded = " ".join(Header(shown, "utf-8", maxlinelen=LONGEST_WORD).encode().split())
    return f"{encoded} <{address}>"
