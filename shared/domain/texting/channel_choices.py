"""How a guarantor wants to be reached: channels that the person closes and opens (docs/rules.md#resubscribing)."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.account.account_changes import change_account, opted_out_of
from shared.domain.account.consents import GIVEN, WITHDRAWN, refuses_emails
from shared.domain.account.contacts import GUARANTOR, Contact, opted_out, said_stop
from shared.domain.account.masking import masked
from shared.domain.delivery.claim_records import TEST_CONTACT
from shared.domain.records.account import Account
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.payment_link import PaymentLink
from shared.domain.records.policy import Organization
from shared.domain.records.statement import OptOuts
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.words import Channel, ConsentSource

ACTOR = "patient"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What a choice rests on: where it was made, and the words that the person saw and agreed to."""

    source: ConsentSource
    wording: str


def open_channels(account: Account) -> frozenset[Channel]:
    """The channels that may be used as far as the guarantor has a say; never none, for paper can't be closed last."""
    return frozenset(channel for channel in Channel if not opted_out(channel, account))


def stopped_by_text(account: Account) -> bool:
    """Whether the guarantor's number said STOP: then only START opens texts, because the carrier holds them back."""
    return said_stop(account.guarantor.mobile_phone, account)


def to_open(account: Account, wanted: AbstractSet[Channel]) -> frozenset[Channel]:
    """The wanted channels that are closed now and that a page may open."""
    return _offered(account) & wanted - open_channels(account)


def party_of(book: AccountBook, link: PaymentLink, organization: Organization) -> str:
    """Whose channels a link is about: whom its message went to; at the guarantor's own address, the guarantor.

    A patient or third party who unsubscribes takes no reminders from a guarantor who asked for nothing, nor does staff
    who got the message in test mode (decision 8).
    """
    asked = next((notice for notice in book.notices if notice.notice_id == link.notice_id), None)
    if asked is None or link.sent_to == _masked_email(book.account.guarantor.email):
        return GUARANTOR
    testing = organization.test_contacts
    return TEST_CONTACT if testing and link.sent_to == _masked_email(testing.email) else asked.send_to


def _masked_email(address: str) -> str:
    return masked(Contact(channel=Channel.EMAIL, name="", destination=address))


def gets_emails(book: AccountBook, party: str) -> bool:
    """Whether emails may go to a recipient, as far as that recipient has a say."""
    if party == GUARANTOR:
        return not opted_out(Channel.EMAIL, book.account)
    return not refuses_emails(book, party)


def unsubscribe(book: AccountBook, now: datetime, agreed: Agreement, party: str = GUARANTOR) -> Change | None:
    """Opt a recipient out of email and stop what was going to be sent that way; None: that is so already."""
    if party != GUARANTOR:
        return _said(book, party, WITHDRAWN, now, agreed) if gets_emails(book, party) else None
    return _change(book, opted_out_of(book.account.opt_outs, Channel.EMAIL), now, agreed)


def resubscribe(book: AccountBook, now: datetime, agreed: Agreement, party: str = GUARANTOR) -> Change | None:
    """Let emails go to a recipient who is known to ask for them, and leave the other channels; None: they do."""
    if party != GUARANTOR:
        return None if gets_emails(book, party) else _said(book, party, GIVEN, now, agreed)
    return choose(book, open_channels(book.account) | {Channel.EMAIL}, now, agreed, may_open=True)


def choose(
    book: AccountBook, wanted: AbstractSet[Channel], now: datetime, agreed: Agreement, *, may_open: bool
) -> Change | None:
    """Leave open what is wanted and nothing else; where that is nothing, paper. None: all is so already.

    may_open: whether it is known that the person asks. If not, channels are only closed: whoever else has the link,
    a mail scanner say, may take messages away but not bring any back.
    """
    now_open = open_channels(book.account)
    opened = to_open(book.account, wanted) if may_open else frozenset[Channel]()
    left = (wanted & now_open) | opened or {Channel.PRINT}
    if left == now_open:
        return None
    choices = {channel.value: channel not in left for channel in _offered(book.account)}
    return _change(book, replace(book.account.opt_outs, **choices), now, agreed)


def _offered(account: Account) -> frozenset[Channel]:
    """The channels that a page has a say in. Not texts after a STOP: what it recorded would outlive the START."""
    return frozenset(Channel) - ({Channel.SMS} if stopped_by_text(account) else set[Channel]())


def _change(book: AccountBook, opt_outs: OptOuts, now: datetime, agreed: Agreement) -> Change | None:
    after = replace(book.account, opt_outs=opt_outs)
    return change_account(book, after, now, ACTOR, source=agreed.source, wording=agreed.wording)


def _said(book: AccountBook, party: str, event: str, now: datetime, agreed: Agreement) -> Change:
    """What others than the guarantor say stands in the registry; what waits for them is judged by it when it goes."""
    facts = {"channel": Channel.EMAIL, "source": agreed.source, "wording": agreed.wording, "party": party}
    return Change(account=book.account, history=(HistoryEvent(at=now, event=event, actor=party, facts=facts),))
