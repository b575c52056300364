"""Taking notices from a channel's queue, each by itself: one that fails is brought again alone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypedDict

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from shared import clock as simulated_time
from shared.domain.records.notice import Notice
from shared.messaging.metrics import tally

if TYPE_CHECKING:
    from shared.contracts.messages import ChannelMessage, NoticeMessage, SampleMessage

SEND_RESERVE_MILLISECONDS = 24_000
"""A notice is only begun with while this much time is left: enough to wait for a permit (gate.LONGEST_WAIT), and
for all the calls that it may need."""


class FailedMessage(TypedDict):
    """A message that is to be brought again."""

    itemIdentifier: str


class BatchAnswer(TypedDict):
    """What SQS is answered to a batch: it keeps the messages that failed, and only them."""

    batchItemFailures: list[FailedMessage]


type Deliver = Callable[[str, str, str, datetime], Notice | None]
"""Delivers a notice of an organization and an account, at a time (Delivery.deliver)."""


type SendSample = Callable[["SampleMessage", datetime], str]
"""Sends an organization's test contact a made-up message, and answers what became of it."""


type ClosePrint = Callable[[str, datetime], object]
"""Closes the print batches of an organization that are over by a time."""


def consume(
    event: dict[str, Any],
    context: LambdaContext,
    deliver: Deliver,
    logger: Logger,
    *,
    send_sample: SendSample,
    allow_simulated_time: bool,
    close_print: ClosePrint | None = None,
) -> BatchAnswer:
    """Deliver each notice of a batch, and answer the messages that failed. The print queue also asks to close batches.

    A message that can't be read fails, and only it: the queue moves it to its dead letters after the receive count.
    One that there is no time for doesn't fail, or a slow provider would bring a whole backlog there: the end of its
    notice's, or batch's, lease queues it once more.
    """
    consumer = _Consumer(
        context=context,
        deliver=deliver,
        send_sample=send_sample,
        close_print=close_print,
        logger=logger,
        allow_simulated_time=allow_simulated_time,
    )
    return batch_answer(event, consumer.took)


def batch_answer(event: dict[str, Any], took: Callable[[dict[str, Any]], bool]) -> BatchAnswer:
    """Take each message of a batch by itself, and answer those that failed: that `took` says so of."""
    failed = [record["messageId"] for record in event["Records"] if not took(record)]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Consumer:
    """Takes the messages of one invocation."""

    context: LambdaContext
    deliver: Deliver
    send_sample: SendSample
    close_print: ClosePrint | None
    logger: Logger
    allow_simulated_time: bool

    def took(self, record: dict[str, Any]) -> bool:
        """Do what one message asks for; False: it failed, which is logged already."""
        try:
            self._take(record)
        except Exception:  # noqa: BLE001 - whatever it is, the other messages must go on
            return False
        return True

    def _take(self, record: dict[str, Any]) -> None:
        """Do what one message asks for, if it can be read and there is time."""
        from shared.contracts.messages import NoticeMessage, SampleMessage  # noqa: PLC0415 - pydantic: the start needs none

        message, now = self._read(record)
        if self.context.get_remaining_time_in_millis() < SEND_RESERVE_MILLISECONDS:
            self.logger.warning("lease kept: out of time", extra={"message_id": record["messageId"]})
        elif isinstance(message, NoticeMessage):
            self._deliver(message, now)
        elif isinstance(message, SampleMessage):
            self._send_sample(message, now)
        elif self.close_print:
            self._close(self.close_print, message.org_id, now)

    def _read(self, record: dict[str, Any]) -> "tuple[ChannelMessage, datetime]":
        """A message, and the time that it is to be judged by."""
        from shared.contracts.messages import read_channel_message  # noqa: PLC0415 - as above

        try:
            message = read_channel_message(record["body"], batches=self.close_print is not None)
            as_of = message.as_of.isoformat() if message.as_of else None
            return message, simulated_time.now(as_of, allowed=self.allow_simulated_time)
        except ValueError:
            self.logger.error("message not understood", extra={"message_id": record["messageId"]})  # noqa: TRY400 - quotes it
            raise

    def _deliver(self, message: "NoticeMessage", now: datetime) -> None:
        ids = {"org_id": message.org_id, "account_id": message.account_id, "notice_id": message.notice_id}
        with self._logged("notice not delivered", ids):
            left = self.deliver(message.org_id, message.account_id, message.notice_id, now)
        facts = {"status": left.status, "reason": left.reason} if left else {"status": "nothing to do"}
        self.logger.info("notice processed", extra={**ids, **facts})
        if left:
            tally("Notices", channel=left.channel, status=left.status)

    def _send_sample(self, message: "SampleMessage", now: datetime) -> None:
        ids = {"org_id": message.org_id, "sample_id": message.sample_id}
        with self._logged("sample not sent", ids):
            left = self.send_sample(message, now)
        self.logger.info("sample processed", extra={**ids, "status": left})

    def _close(self, close_print: ClosePrint, org_id: str, now: datetime) -> None:
        with self._logged("print batch not closed", {"org_id": org_id}):
            close_print(org_id, now)

    @contextmanager
    def _logged(self, failure: str, ids: dict[str, str]) -> Iterator[None]:
        """Log what fails, by its ids and the error's type."""
        try:
            yield
        except Exception as error:
            facts = {**ids, "error": type(error).__name__}
            self.logger.error(failure, extra=facts)  # noqa: TRY400 - a traceback could quote what was stored of a person
            raise
