"""Taking notices from a channel's queue, each by itself: one that fails is brought again alone."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from shared import clock as simulated_time
from shared.contracts.messages import ClosePrintBatch, NoticeMessage, read_message
from shared.domain.records.notice import Notice

LEAVE_MILLISECONDS = 24_000
"""A notice is only begun with while this much time is left: enough to wait for a permission (gate.LONGEST_WAIT), and
for all the calls that it may need."""

type Deliver = Callable[[str, str, str, datetime], Notice | None]
"""Delivers a notice of an organization and an account, at a time (Delivery.deliver)."""


type ClosePrint = Callable[[str, datetime], object]
"""Closes the print batches of an organization that are over by a time."""


def consume(
    event: dict[str, Any],
    context: LambdaContext,
    deliver: Deliver,
    logger: Logger,
    *,
    allow_simulated_time: bool,
    close_print: ClosePrint | None = None,
) -> PartialItemFailureResponse:
    """Deliver each notice of a batch, and answer the messages that failed. The print queue also asks to close batches.

    A message that can't be read fails, and only it: the queue moves it to its dead letters after the receive count.
    One that there is no time for doesn't fail, or a slow provider would bring a whole backlog there: the end of its
    notice's, or batch's, lease queues it once more.
    """

    def one(record: SQSRecord) -> None:
        try:
            message = read_message(record.body) if close_print else NoticeMessage.model_validate_json(record.body)
            as_of = message.as_of.isoformat() if message.as_of else None
            now = simulated_time.now(as_of, allowed=allow_simulated_time)
        except ValueError:
            logger.error("message not understood", extra={"message_id": record.message_id})  # noqa: TRY400 - quotes it
            raise
        if context.get_remaining_time_in_millis() < LEAVE_MILLISECONDS:
            logger.warning("left to its lease, for want of time", extra={"message_id": record.message_id})
        elif close_print and isinstance(message, ClosePrintBatch):
            close(close_print, message.org_id, now)
        elif isinstance(message, NoticeMessage):
            deliver_one(message, now)

    def close(close_print: ClosePrint, org_id: str, now: datetime) -> None:
        try:
            close_print(org_id, now)
        except Exception as error:
            logger.error("print batch not closed", extra={"org_id": org_id, "error": type(error).__name__})  # noqa: TRY400 - quotes what was stored
            raise

    def deliver_one(message: NoticeMessage, now: datetime) -> None:
        ids = {"org_id": message.org_id, "account_id": message.account_id, "notice_id": message.notice_id}
        try:
            left = deliver(message.org_id, message.account_id, message.notice_id, now)
        except Exception as error:
            logger.error("notice not delivered", extra={**ids, "error": type(error).__name__})  # noqa: TRY400 - quotes a person
            raise
        facts = {"status": left.status, "reason": left.reason} if left else {"status": "nothing to do"}
        logger.info("notice looked at", extra={**ids, **facts})

    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    return process_partial_response(event=event, record_handler=one, processor=processor, context=context)
