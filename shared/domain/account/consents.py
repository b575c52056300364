"""The registry of consent: which channels were closed and opened, when, by whom, by which way and in which words.

It is read from the account's history, which nothing deletes and nothing overwrites.
"""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.account.contacts import GUARANTOR
from shared.domain.records.book import AccountBook
from shared.domain.vocabulary.words import Channel, ConsentSource

WITHDRAWN, GIVEN = "OptedOut", "OptedIn"
"""The events of an account's history that are about consent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """Consent to a channel, given or withdrawn. party: who did; the guarantor, or another recipient of messages.

    source: a ConsentSource; "" for what was recorded before sources were. wording: words of ours, never a person's own.
    """

    channel: Channel
    given: bool
    at: datetime
    actor: str
    source: str
    wording: str
    party: str = GUARANTOR


def consents(book: AccountBook) -> tuple[Consent, ...]:
    """The registry of an account, oldest first."""
    return tuple(
        Consent(
            channel=Channel(event.facts["channel"]),
            given=event.event == GIVEN,
            at=event.at,
            actor=event.actor,
            source=event.facts.get("source", ""),
            wording=event.facts.get("wording", ""),
            party=event.facts.get("party", GUARANTOR),
        )
        for event in sorted(book.history, key=lambda event: event.at)
        if event.event in {GIVEN, WITHDRAWN}
    )


def closed_by_text_alone(book: AccountBook) -> bool:
    """Whether texts to the guarantor are closed, and nobody closed them but a text message since they were last open.

    Only then may a text message open them again: it takes back what a text said, not what staff or a page recorded.
    """
    about_texts = [each for each in consents(book) if each.channel is Channel.SMS and each.party == GUARANTOR]
    sources = set[str]()
    for each in about_texts:
        sources = set() if each.given else sources | {each.source}
    return sources == {ConsentSource.TEXT_MESSAGE}


def refuses_emails(book: AccountBook, party: str) -> bool:
    """Whether a recipient other than the guarantor unsubscribed. The account's opt-outs are the guarantor's alone."""
    told = [each.given for each in consents(book) if (each.channel, each.party) == (Channel.EMAIL, party)]
    return bool(told) and not told[-1]
