"""Where nobody can pay online no message invites to; and a receipt of more than was owed says so."""

import pytest

from shared.domain.records.policy import PaymentSettings
from shared.domain.vocabulary.words import Channel, Language, NotificationType, Processor
from shared.rendering.email_message import render_email
from shared.rendering.templates import NoSuchTemplateError, system_template
from shared.rendering.text_message import render_text
from shared.rendering.variables import MessageVariables

INVITATIONS = (
    "pay online",
    "and pay",
    "or pay",
    "pagar en línea",
    "pague en línea",
    "y pagar",
    " o pagar",
)


def variables(**changes: object) -> MessageVariables:
    given = {"practice": "Northside", "short_name": "Northside", "link": "https://pay.example.com/pay/t"} | changes
    return MessageVariables(**given)  # type: ignore[arg-type] # any of its fields


def messages(language: Language, *, online: bool) -> list[str]:
    said = variables(online=online)
    found = list[str]()
    for kind in NotificationType:
        for channel in (Channel.EMAIL, Channel.SMS):
            try:
                system_template(channel, kind, language)
            except NoSuchTemplateError:
                continue
            if channel is Channel.SMS:
                found.append(render_text(kind, language, said).message)
            else:
                email = render_email(kind, language, said)
                found += [email.subject, email.text, email.html]
    return found


@pytest.mark.parametrize("language", Language)
def test_no_message_invites_to_pay_online_where_nobody_can(language: Language) -> None:
    whole = "\n".join(messages(language, online=False)).casefold()
    assert [words for words in INVITATIONS if words in whole] == []
    there = "\n".join(messages(language, online=True)).casefold()
    assert any(words in there for words in INVITATIONS)


@pytest.mark.parametrize(
    ("settings", "online"),
    [
        (PaymentSettings(), False),
        (PaymentSettings(processor=Processor.SANDBOX), True),
        (PaymentSettings(processor=Processor.EXTERNAL, external_url_template="https://pay.example.com/{id}"), False),
        (
            PaymentSettings(
                processor=Processor.EXTERNAL, external_url_template="https://pay.example.com/{id}", external_id="N-1"
            ),
            True,
        ),
    ],
)
def test_online_is_who_has_a_way_to_pay_there(settings: PaymentSettings, online: bool) -> None:  # noqa: FBT001 - a case
    assert settings.online is online


@pytest.mark.parametrize(
    ("language", "thanks", "more"),
    [
        (Language.ENGLISH, "Thank you for your payment", "$74.60 of it is more than was owed"),
        (Language.SPANISH, "Gracias por su pago", "74.60 es más de lo que se debía"),
    ],
)
def test_a_receipt_of_more_than_was_owed_says_so_instead_of_thanking(
    language: Language, thanks: str, more: str
) -> None:
    usual = render_email(NotificationType.RECEIPT, language, variables(amount_paid=74_60))
    over = render_email(NotificationType.RECEIPT, language, variables(amount_paid=74_60, amount_over=74_60))
    for part in ("html", "text"):
        assert thanks in getattr(usual, part)
        assert more not in getattr(usual, part)
        assert thanks not in getattr(over, part)
        assert more in getattr(over, part)
