"""What the function works with, made once a process."""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from functions.render_print.letter_writer import LetterWriter
from functions.render_print.settings import RenderPrintSettings
from shared.domain.vocabulary.words import Channel
from shared.messaging import clients
from shared.messaging.public_address import public_base_url
from shared.sending.channel_ports import ChannelPorts
from shared.sending.permits import ChannelGate
from shared.storage.account_books import AccountBooks
from shared.storage.channel_gates import ChannelGates
from shared.storage.notices import Notices
from shared.storage.organizations import Organizations
from shared.storage.own_templates import OwnTemplates
from shared.storage.print_batches import PrintBatches

if TYPE_CHECKING:
    from functions.render_print.patient_documents import DocumentWriter


@dataclass(frozen=True, kw_only=True)
class RenderPrintPorts(ChannelPorts):
    """The function's settings, what it writes letters with, and the batches that they are in."""

    settings: RenderPrintSettings
    sender: LetterWriter
    print_batches: PrintBatches

    @property
    def documents(self) -> "DocumentWriter":
        """What sets documents for the patient pages."""
        from functions.render_print.patient_documents import DocumentWriter  # noqa: PLC0415 - few ask for one

        return DocumentWriter(books=self.books, organizations=self.organizations, base_url=self.sender.base_url)


@cache
def ports() -> RenderPrintPorts:
    """Read the settings and make the clients."""
    settings = RenderPrintSettings.from_environment()
    table = clients.dynamodb(), settings.table_name
    return RenderPrintPorts(
        settings=settings,
        books=AccountBooks(*table),
        notices=Notices(*table),
        organizations=Organizations(*table),
        templates=OwnTemplates(*table),
        sender=LetterWriter(
            clients.s3(),
            settings.print_bucket,
            public_base_url(settings.public_base_url, settings.public_base_url_parameter),
        ),
        gate=ChannelGate(Channel.PRINT, ChannelGates(*table)),
        print_batches=PrintBatches(*table),
    )
