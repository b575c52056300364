"""What every channel's function sends notices with."""

from dataclasses import dataclass
from functools import cached_property

from shared.sending.known_organizations import KnownOrganizations
from shared.sending.permits import ChannelGate
from shared.sending.send_notice import NoticeSender, Sender
from shared.storage.account_books import AccountBooks
from shared.storage.notices import Notices
from shared.storage.numbers import Numbers
from shared.storage.organizations import Organizations
from shared.storage.own_templates import OwnTemplates


@dataclass(frozen=True, kw_only=True)
class ChannelPorts:
    """The stores, the channel's provider (`sender`), and its gate. numbers: where messages go to phone numbers."""

    books: AccountBooks
    notices: Notices
    organizations: Organizations
    templates: OwnTemplates
    sender: Sender
    gate: ChannelGate
    numbers: Numbers | None = None

    @cached_property
    def known_organizations(self) -> KnownOrganizations:
        """The organizations as this process has read them within a minute."""
        return KnownOrganizations(self.organizations)

    def notice_sender(self, expected: int) -> NoticeSender:
        """What sends the notices of one invocation, so many."""
        parts = self.books, self.notices, self.organizations, self.sender, self.gate
        return NoticeSender(
            *parts,
            expected=expected,
            numbers=self.numbers,
            templates=self.templates,
            known_organizations=self.known_organizations,
        )
