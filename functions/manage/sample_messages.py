"""A made-up message to an organization's test contact, marked as a test: nothing of it is stored."""

from http import HTTPStatus

from functions.manage.frame import api, logger, route
from functions.manage.ports import ports
from shared.contracts.messages import SampleMessage
from shared.contracts.templates import SampleAsked, SampleBody
from shared.domain.delivery.samples import sample_contact
from shared.domain.records.partner import Scope
from shared.domain.records.policy import Organization
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import AccountStatus
from shared.http.api import Answer, json_answer
from shared.http.partner_api import invalid
from shared.http.problems import ProblemError


@route(
    "POST",
    "/v1/organizations/{orgId}/test-messages",
    operation="sendTestMessage",
    summary="Send a made-up message, marked as a test, to the organization's test contact",
    tag="Templates",
    scope=Scope.SEND,
    body=SampleBody,
    answer=SampleAsked,
    status=202,
    problems=(409,),
)
def send_test_message(organization: Organization, wanted: SampleBody) -> Answer:
    """Ask a channel for a sample. It never goes to anybody but the test contact."""
    from shared.rendering.templates import NoSuchTemplateError, system_template  # noqa: PLC0415 - only this route needs it

    if organization.account_status is not AccountStatus.ACTIVE:
        raise ProblemError(HTTPStatus.CONFLICT, "An organization that isn't Active sends nothing.")
    try:
        system_template(wanted.channel, wanted.notification_type, wanted.language)
    except NoSuchTemplateError:
        raise invalid("/notificationType", "isn't sent on this channel") from None
    if isinstance(sample_contact(organization, wanted.channel), Reason):
        raise ProblemError(
            HTTPStatus.CONFLICT, "The organization has no test contact for this channel.", type="no-test-contact"
        )
    message = SampleMessage(
        org_id=organization.org_id,
        sample_id=api.new_id("smp_"),
        channel=wanted.channel,
        notification_type=wanted.notification_type,
        language=wanted.language,
        as_of=api.now if ports().settings.allow_simulated_time else None,
    )
    ports().queues.send_sample(message)
    logger.info("test message asked for", extra={"org_id": organization.org_id, "sample_id": message.sample_id})
    return json_answer(SampleAsked(test_message_id=message.sample_id), HTTPStatus.ACCEPTED)
