"""Sets notices as letters for the print shop, and closes its daily batches: a message of the queue asks for one."""

from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.render_print.ports import ports
from shared.sending.queue_consumer import BatchAnswer, consume

if TYPE_CHECKING:
    from functions.render_print.print_batch import BatchCloser

logger = Logger()

PRINT_RESERVE_MILLISECONDS = 8_000
"""The closing of a batch stops this long before the invocation ends, and goes on in another."""


def closer(context: LambdaContext) -> "BatchCloser":
    """What closes batches, as long as the invocation has time."""
    from functions.render_print.print_batch import BatchCloser  # noqa: PLC0415 - pydantic: the start needs none

    return BatchCloser(
        ports().print_batches,
        ports().organizations,
        ports().sender.client,
        ports().settings.print_bucket,
        lambda: context.get_remaining_time_in_millis() < PRINT_RESERVE_MILLISECONDS,
        ports().gate.is_stopped,
    )


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> BatchAnswer:
    """Entry point: a batch of the print queue."""
    return consume(
        event,
        context,
        ports().notice_sender(len(event["Records"])).deliver,
        logger,
        allow_simulated_time=ports().settings.allow_simulated_time,
        close_print=closer(context).close,
    )
