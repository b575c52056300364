"""Sets letters for the print shop and closes its daily batches, by its queue; PaymentLink asks it for documents."""

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


def ordered(order: dict[str, Any]) -> dict[str, Any]:
    """The document that a patient page asks for."""
    import base64  # noqa: PLC0415 - as the rest of it: few ask for a document

    from shared.contracts.patient_documents import DocumentAnswer, DocumentOrder  # noqa: PLC0415 - likewise

    pdf = ports().documents.pdf(DocumentOrder.model_validate(order))
    return DocumentAnswer.model_validate({"pdf": base64.b64encode(pdf)}).model_dump(mode="json", by_alias=True)


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> BatchAnswer | dict[str, Any]:
    """Entry point: a batch of the print queue, or an order of a document."""
    if "document" in event:
        return ordered(event)
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
