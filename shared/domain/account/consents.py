"""The registry of consent: which channels were opted out of and in to, when, by whom, with source and wording.

It is read from the account's history, of which nothing is deleted and no consent is overwritten.
"""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.account.contacts import GUARANTOR
from shared.domain.records.book import AccountBook
from shared.domain.vocabulary.words import Channel, ConsentSource

OPTED_OUT_EVENT, OPTED_IN_EVENT = "OptedOut", "OptedIn"
"""The events of an account's history that are about consent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """Consent to a channel, given or withdrawn. recipient: by whom; the guarantor, or another recipient of messages.

    source: a ConsentSource; "" for what was recorded before sources were. wording: words of ours, never a person's own.
    """

    channel: Channel
    given: bool
    at: datetime
    actor: str
    source: str
    wording: str
    recipient: str = GUARANTOR


def consents(book: AccountBook) -> tuple[Consent, ...]:
    """The registry of an account, oldest first."""
    return tuple(
        Consent(
            channel=Channel(event.facts["channel"]),
            given=event.event == OPTED_IN_EVENT,
            at=event.at,
            actor=event.actor,
            source=event.facts.get("source", ""),
            wording=event.facts.get("wording", ""),
            recipient=event.facts.get("party", GUARANTOR),
        )
        for event in sorted(book.history, key=lambda event: event.at)
        if event.event in {OPTED_IN_EVENT, OPTED_OUT_EVENT}
    )


def opted_out_by_text_alone(book: AccountBook) -> bool:
    """Whether the guarantor is opted out of texts, and by nothing but text messages since last opted in.

    Only then may a text message opt in again: it takes back what a text said, not what staff or a page recorded.
    """
    about_texts = [each for each in consents(book) if each.channel is Channel.SMS and each.recipient == GUARANTOR]
    sources = set[str]()
    for each in about_texts:
        sources = set() if each.given else sources | {each.source}
    return sources == {ConsentSource.TEXT_MESSAGE}


def opted_out_of_emails(book: AccountBook, recipient: str) -> bool:
    """Whether a recipient other than the guarantor unsubscribed. The account's opt-outs are the guarantor's alone."""
    given = [each.given for each in consents(book) if (each.channel, each.recipient) == (Channel.EMAIL, recipient)]
    return bool(given) and not given[-1]
