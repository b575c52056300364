"""The product's own functions, put together as their handlers do it, on a table, queues and providers in memory."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache, partial
from types import TracebackType
from typing import Any, Self

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from functions.delivery_events.clock import Clock
from functions.delivery_events.email_events import EmailEvents
from functions.delivery_events.inbound_texts import InboundTexts
from functions.delivery_events.text_answers import TextAnswers
from functions.delivery_events.text_events import TextEvents
from functions.render_print import print_job
from functions.render_print.letter_writer import LetterWriter
from functions.render_print.print_batch import BatchCloser
from functions.render_print.statement_pdf import RenderedStatement
from functions.scheduler import dispatch, sweep
from functions.send_email.account_limits import account_limits
from functions.send_email.email_sender import EmailSender
from functions.send_sms.text_sender import TextSender
from shared.contracts.messages import ClosePrintBatch
from shared.domain.delivery.channel_gate import Limits
from shared.domain.vocabulary.words import Channel
from shared.sending import permits as gate
from shared.sending import send_notice as delivery
from shared.sending.permits import ChannelGate
from shared.sending.send_notice import NoticeSender, Sender
from shared.storage import items
from shared.storage.account_books import ConcurrentChangeError
from shared.storage.channel_gates import ChannelGates
from shared.storage.items import unpack
from shared.storage.numbers import Numbers
from shared.storage.print_batches import PrintBatches
from shared.storage.races import BusyError
from tests.worlds.delivery_providers import Message
from tests.worlds.ledger import Ledger
from tests.worlds.wiring import scheduler_ports

BUCKET = "letters"
BASE_URL = "https://pay.example.com"

GIVEN_UP = (ClientError, BotoCoreError, BusyError, ConcurrentChangeError)
"""What a function may fail of here: calls that go wrong, and races lost too often. Who called it calls it again."""


class InOrder:
    """A pool of one worker, so that a sweep makes its calls in an order that a test can play again."""

    def __init__(self, _workers: int) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None) -> None:
        return None

    def map[T, R](self, work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        return iter([work(item) for item in items])


def prepare(patch: pytest.MonkeyPatch) -> None:
    """Take out what has nothing to do with delivery and would make it slow: threads, logs, setting real letters.

    A body that was read is known from then on: what is read from it can't be changed.
    """
    read = lru_cache(maxsize=10_000)(lambda kind, body, names: unpack(kind, {"B": body}, stored_as=dict(names)))

    def unpack_once(kind: type, attribute: dict[str, Any], *, stored_as: Mapping[str, str] | None = None) -> Any:
        return read(kind, attribute["B"], tuple((stored_as or {}).items()))

    patch.setattr(items, "unpack", unpack_once)
    patch.setattr(logging.root.manager, "disable", logging.CRITICAL)
    pages = iter(range(10**9))
    patch.setattr(sweep, "ThreadPoolExecutor", InOrder)
    for module in (delivery, gate, dispatch):
        patch.setattr(module, "count", lambda *_args, **_dimensions: None)
    patch.setattr(print_job, "statement_page", lambda *_: None)
    letter = b"%%PDF %d /Type /Pages /Count 1"
    patch.setattr(print_job, "render", lambda _: RenderedStatement(letter % next(pages), ()))


@dataclass(eq=False)
class Functions:
    """The functions of one stack. table, queues, providers: their clients. clock: what time it is.

    before_notice: told of each notice that a consumer turns to. before_delete: called before messages are deleted.
    """

    table: Any
    queues: Any
    providers: Any
    clock: Callable[[], datetime]
    before_notice: Callable[[str, str], None]
    before_delete: Callable[[], None]
    _gates: dict[tuple[str, Channel], ChannelGate] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ledger = Ledger(self.table)
        self.storage = ledger.storage
        self.books, self.rows, self.organizations = ledger.books, ledger.rows, ledger.organizations

    def sweep(self, now: datetime) -> None:
        """A run of the scheduler."""
        with suppress(*GIVEN_UP):
            ports = scheduler_ports(*self.storage, self.queues, {channel: channel.value for channel in Channel})
            sweep.Sweep(ports, now=now, as_of=None).run()

    def consume(self, process: str, messages: list[Message], now: datetime) -> None:
        """A consumer with a batch of one channel's messages. At its end those that didn't fail are deleted.

        A process keeps its gate; one that dies is followed by another that has seen nothing yet.
        """
        channel = messages[0].channel
        kept = self._gates.pop((process, channel), None) or self._gate(channel)
        parts = self.books, self.rows, self.organizations, self._sender(channel)
        numbers = Numbers(*self.storage) if channel is Channel.SMS else None
        consumer = NoticeSender(*parts, gate=kept, expected=len(messages), numbers=numbers)
        done = [message for message in messages if self._take(message, consumer, now)]
        with suppress(*GIVEN_UP):
            self.before_delete()
            for message in done:
                message.deleted = True
        self._gates[process, channel] = kept

    def _take(self, message: Message, consumer: NoticeSender, now: datetime) -> bool:
        """One message; False: it failed."""
        body = message.body
        try:
            if isinstance(body, ClosePrintBatch):
                batches = PrintBatches(*self.storage)
                BatchCloser(batches, self.organizations, self.providers, BUCKET).close(body.org_id, now)
            else:
                self.before_notice(body.account_id, body.notice_id)
                consumer.deliver(body.org_id, body.account_id, body.notice_id, now)
        except GIVEN_UP:
            return False
        return True

    def _gate(self, channel: Channel) -> ChannelGate:
        ask = partial(account_limits, self.providers) if channel is Channel.EMAIL else None
        usual = Limits(per_second=1.0) if channel.electronic else None
        return ChannelGate(channel, ChannelGates(*self.storage), usual, ask, clock=self.clock, sleep=lambda _: None)

    def _sender(self, channel: Channel) -> Sender:
        match channel:
            case Channel.EMAIL:
                return EmailSender(self.providers, "billing@dunlin.example", "dunlin", BASE_URL)
            case Channel.SMS:
                return TextSender(self.providers, BASE_URL)
            case Channel.PRINT:
                return LetterWriter(self.providers, BUCKET, BASE_URL)

    def listener(self, channel: Channel) -> EmailEvents | TextEvents:
        """Who hears a channel's events."""
        numbers, clock = Numbers(*self.storage), Clock(simulated=False)
        if channel is Channel.EMAIL:
            return EmailEvents(self.books, self.organizations, clock)
        answers = TextAnswers(self.organizations, lambda: self.providers, self_managed=False)
        inbound = InboundTexts(self.books, numbers, answers, clock)
        return TextEvents(self.books, self.organizations, numbers, clock, inbound, self._gate(channel))
