"""What the providers of the local AWS really got, with the simulated day on which they got it."""

from __future__ import annotations

import time
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from local.stack.errors import LocalStackError

if TYPE_CHECKING:
    from datetime import date

    from local.stack.watch import LocalStack, SentMail, WatchedText


@dataclass(frozen=True)
class MailboxLetter:
    """A letter in the print bucket: the notification it is for, and the key of its PDF."""

    notification_id: str
    pdf: str


@dataclass
class Mailbox:
    """All that was sent, in the order in which it was seen; `collect` looks for more."""

    stack: LocalStack
    texts: list[tuple[date, WatchedText]] = field(default_factory=list)
    letters: list[tuple[date, MailboxLetter]] = field(default_factory=list)
    _days: list[tuple[float, date]] = field(default_factory=list)
    _mails: list[tuple[date, SentMail]] = field(default_factory=list)
    _looked: float = 0.0
    _seen: set[str] = field(default_factory=set)

    def begin(self, day: date) -> None:
        """Say that what is sent from now on is sent on a day."""
        self._days.append((time.time(), day))

    def collect(self) -> None:
        """Take note of the texts and letters of the day; emails have a time, so they are looked at when asked for."""
        day = self._days[-1][1]
        self.texts += [(day, text) for text in self.stack.sent_texts() if self._new(text.message_id)]
        jobs = [key for key in self.stack.printed_keys() if key.endswith(".json") and self._new(key)]
        for key in jobs:
            name = key.rsplit("/", 1)[-1].removesuffix(".json")
            self.letters.append((day, MailboxLetter(name, key.removesuffix(".json") + ".pdf")))

    @property
    def mails(self) -> list[tuple[date, SentMail]]:
        """Every email sent, with its day."""
        if self._looked <= self._days[-1][0]:
            self._looked = time.time()
            starts = [start for start, _ in self._days]
            self._mails = [
                (self._days[bisect_right(starts, mail.sent_at) - 1][1], mail) for mail in self.stack.sent_mail()
            ]
        return self._mails

    def mail_to(self, address: str) -> SentMail:
        """Return the latest email to an address; raises LocalStackError where there is none."""
        found = [mail for _, mail in self.mails if address in mail.to]
        if not found:
            raise LocalStackError("a patient waits for an email that didn't come")
        return found[-1]

    def text_to(self, number: str) -> WatchedText:
        """Return the latest text to a number; raises LocalStackError where there is none."""
        found = [text for _, text in self.texts if text.to == number]
        if not found:
            raise LocalStackError("a patient waits for a text that didn't come")
        return found[-1]

    def _new(self, name: str) -> bool:
        fresh = name not in self._seen
        self._seen.add(name)
        return fresh
