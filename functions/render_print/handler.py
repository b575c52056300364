"""Sets notices as letters for the print shop, and closes its daily batches: a message of the queue asks for one."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.render_print.ports import ports
from functions.render_print.print_batch import BatchCloser
from shared.sending.queue_consumer import consume

logger = Logger()

PRINT_RESERVE_MILLISECONDS = 8_000
"""The closing of a batch stops this long before the invocation ends, and goes on in another."""


def closer(context: LambdaContext) -> BatchCloser:
    """What closes batches, as long as the invocation has time."""
    return BatchCloser(
        ports().print_batches,
        ports().organizations,
        ports().sender.client,
        ports().settings.print_bucket,
        lambda: context.get_remaining_time_in_millis() < PRINT_RESERVE_MILLISECONDS,
        ports().gate.is_stopped,
    )


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Entry point: a batch of the print queue."""
    sender = ports().notice_sender(len(event["Records"]))
    return consume(
        event,
        context,
        sender.deliver,
        logger,
        send_sample=sender.send_sample,
        allow_simulated_time=ports().settings.allow_simulated_time,
        close_print=closer(context).close,
    )
