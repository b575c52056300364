"""Make a dictionary that kept messages are compressed by: `python -m local.stack.message_dictionary NUMBER`.

It is what the system's own emails say, each part once, with made-up values. A number once used stays as it is, for what
was compressed by it is read by nothing else: when the templates have changed much, make the next
(docs/decisions/0044-what-a-notice-costs.md).
"""

import re
import sys
from itertools import product

from shared.domain.delivery.kept_messages import KeptMessage
from shared.domain.vocabulary.words import Language, NotificationType
from shared.rendering.email_message import render_email
from shared.rendering.variables import MessageVariables
from shared.storage import kept_messages

PARTS = re.compile(r"(?<=>)|(?<=\. )|(?<=\\n)")
"""What of a message may be the same in another: a tag, a sentence, a line."""

_VARIABLES = MessageVariables(
    practice="Family Practice",
    short_name="Practice",
    first_name="Ada",
    phone="(518) 555-0100",
    address_lines=("12 Main Street", "Albany, NY 12207"),
    link="https://example.com/pay/[not kept]",
    unsubscribe_link="https://example.com/unsubscribe/[not kept]",
)


def made() -> bytes:
    """Each part of each of the system's emails, once; what is used most often last, as zlib likes it."""
    parts = dict[str, None]()
    for language, kind in product(reversed(Language), reversed(NotificationType)):
        email = render_email(kind, language, _VARIABLES)
        message = KeptMessage(notice_id="", subject=email.subject, html=email.html, text=email.text)
        for part in PARTS.split(kept_messages.document_of(message).decode()):
            parts.pop(part, None)
            parts[part] = None
    return "".join(parts).encode()


if __name__ == "__main__":
    kept_messages.dictionary_file(int(sys.argv[1])).write_bytes(made())
