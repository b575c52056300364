"""Templates that organizations might write: sound ones, to be changed by each test in one place."""

from typing import Any

from shared.domain.records.own_template import OwnTemplate
from shared.domain.vocabulary.words import Channel, Language
from tests.worlds.examples import NOW

EMAIL: dict[str, Any] = {
    "channel": "email",
    "language": "en",
    "subject": "A word from {{ practice }}",
    "html": '<html><body><p>Hello {{ first_name }}, {{ practice }} has a statement for you.</p><p><a href="{{ link }}">'
    '{{ link }}</a></p><p><a href="{{ unsubscribe_link }}">Unsubscribe</a></p></body></html>',
    "text": "{{ practice }} has a statement for you: {{ link }}\n\nUnsubscribe: {{ unsubscribe_link }}\n",
}
TEXT: dict[str, Any] = {
    "channel": "sms",
    "language": "en",
    "text": "{{ short_name }}: a statement waits for you: {{ link }} Reply STOP to opt out.",
}
LETTER: dict[str, Any] = {
    "channel": "print",
    "language": "en",
    "text": "Dear {{ first_name }}, thank you. {{ practice }}",
}
BODIES = {"email": EMAIL, "sms": TEXT, "print": LETTER}
"""Bodies of the API, by channel."""


def own_template(body: dict[str, Any], template_id: str = "Initial", **changes: Any) -> OwnTemplate:
    """A template as it would be stored."""
    facts: dict[str, Any] = {
        "org_id": "org_1",
        "template_id": template_id,
        "channel": Channel(body["channel"]),
        "language": Language(body["language"]),
        "subject": body.get("subject", ""),
        "html": body.get("html", ""),
        "text": body["text"],
        "saved_at": NOW,
        "saved_by": "key:k1",
    }
    return OwnTemplate(**facts | changes)
