"""Answering a text from a recipient by a text."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger

from shared.domain.records.book import AccountBook
from shared.domain.texting.inbound_texts import Keyword, answered_by_provider
from shared.domain.vocabulary.words import Language
from shared.rendering.text_answers import help_text, stopped_text
from shared.storage.organizations import Organizations

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_sns import SNSClient

logger = Logger()


@dataclass(frozen=True, slots=True)
class TextAnswers:
    """Makes answers and gives them to the provider. self_managed: whether the provider answers STOP by itself or not.

    `client` makes the provider's client, which few invocations need.
    """

    organizations: Organizations
    client: "Callable[[], SNSClient]"
    self_managed: bool

    def confirmation(self, book: AccountBook, keyword: Keyword, body: str) -> str | None:
        """The one text that confirms that texts have stopped; None: the provider has sent it already."""
        if answered_by_provider(body) and not self.self_managed:
            return None
        name, _ = self._practice(book)
        return stopped_text(name, _language(book, keyword)) if name else None

    def help(self, book: AccountBook, keyword: Keyword | None) -> str | None:
        """What HELP gets."""
        name, phone = self._practice(book)
        return help_text(name, phone, _language(book, keyword)) if name else None

    def give(self, number: str, text: str) -> str:
        """Give an answer to the provider, once; answers the provider's id of it, or "" where none is known.

        It isn't tried again: what it says is of use now or never, and twice would be one text too many.
        """
        try:
            answer = self.client().publish(
                PhoneNumber=number,
                Message=text,
                MessageAttributes={"AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"}},
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, the text was handled and must not be handled again
            # The type only: an error's text may quote the number.
            logger.warning("answer not sent", extra={"error": type(error).__name__})
            return ""
        return answer["MessageId"]

    def _practice(self, book: AccountBook) -> tuple[str, str]:
        organization = self.organizations.get(book.account.org_id)
        return (organization.short_name or organization.name, organization.phone) if organization else ("", "")


def _language(book: AccountBook, keyword: Keyword | None) -> Language:
    """The guarantor's language, or Spanish where the word was."""
    if keyword and keyword.language is Language.SPANISH:
        return Language.SPANISH
    return book.account.guarantor.language
