"""How a guarantor wants to be reached: what they opt out of and in to (docs/rules.md#resubscribing)."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.account.account_changes import change_account, opted_out_of
from shared.domain.account.consents import OPTED_IN_EVENT, OPTED_OUT_EVENT, opted_out_of_emails
from shared.domain.account.contacts import GUARANTOR, Contact, opted_out, said_stop
from shared.domain.account.masking import masked
from shared.domain.delivery.claim_records import TEST_CONTACT
from shared.domain.records.account import Account
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.payment_link import PaymentLink
from shared.domain.records.policy import Organization
from shared.domain.records.statement import OptOuts
from shared.domain.vocabulary.actors import Actor
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.words import Channel, ConsentSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What a choice rests on: where it was made, and the words that the person saw and agreed to."""

    source: ConsentSource
    wording: str


def opted_in_channels(account: Account) -> frozenset[Channel]:
    """The channels that the guarantor isn't opted out of; never none, for paper stays as the last one."""
    return frozenset(channel for channel in Channel if not opted_out(channel, account))


def stopped_by_text(account: Account) -> bool:
    """Whether the guarantor's number said STOP: then only START opts in to texts, because the carrier blocks them."""
    return said_stop(account.guarantor.mobile_phone, account)


def to_opt_in(account: Account, wanted: AbstractSet[Channel]) -> frozenset[Channel]:
    """The wanted channels that are opted out of now and that a page may opt in to."""
    return _offered(account) & wanted - opted_in_channels(account)


def recipient_of(book: AccountBook, link: PaymentLink, organization: Organization) -> str:
    """The recipient whose channels a link is about: its message's; at the guarantor's own address, the guarantor.

    A patient or third party who unsubscribes takes no reminders from a guarantor who asked for nothing, nor does staff
    who got the message in test mode (decision 8).
    """
    asked = book.notice(link.notice_id)
    if asked is None or link.sent_to == _masked_email(book.account.guarantor.email):
        return GUARANTOR
    testing = organization.test_contacts
    return TEST_CONTACT if testing and link.sent_to == _masked_email(testing.email) else asked.send_to


def _masked_email(address: str) -> str:
    return masked(Contact(channel=Channel.EMAIL, name="", destination=address))


def gets_emails(book: AccountBook, recipient: str) -> bool:
    """Whether a recipient isn't opted out of emails."""
    if recipient == GUARANTOR:
        return not opted_out(Channel.EMAIL, book.account)
    return not opted_out_of_emails(book, recipient)


def unsubscribe(book: AccountBook, now: datetime, agreed: Agreement, recipient: str = GUARANTOR) -> Change | None:
    """Opt a recipient out of email and stop what was going to be sent that way; None: that is so already."""
    if recipient != GUARANTOR:
        return _recorded(book, recipient, OPTED_OUT_EVENT, now, agreed) if gets_emails(book, recipient) else None
    return _change(book, opted_out_of(book.account.opt_outs, Channel.EMAIL), now, agreed)


def resubscribe(book: AccountBook, now: datetime, agreed: Agreement, recipient: str = GUARANTOR) -> Change | None:
    """Opt a recipient who is known to ask for it in to emails, and leave the other channels; None: it is so already."""
    if recipient != GUARANTOR:
        return None if gets_emails(book, recipient) else _recorded(book, recipient, OPTED_IN_EVENT, now, agreed)
    return choose(book, opted_in_channels(book.account) | {Channel.EMAIL}, now, agreed, may_opt_in=True)


def choose(
    book: AccountBook, wanted: AbstractSet[Channel], now: datetime, agreed: Agreement, *, may_opt_in: bool
) -> Change | None:
    """Opt out of what isn't wanted and in to what is; where nothing is wanted, paper stays. None: all is so already.

    may_opt_in: whether it is known that the person asks. If not, there are only opt-outs: whoever else has the link,
    a mail scanner say, may take messages away but not turn any on.
    """
    before = opted_in_channels(book.account)
    added = to_opt_in(book.account, wanted) if may_opt_in else frozenset[Channel]()
    left = (wanted & before) | added or {Channel.PRINT}
    if left == before:
        return None
    choices = {channel.value: channel not in left for channel in _offered(book.account)}
    return _change(book, replace(book.account.opt_outs, **choices), now, agreed)


def _offered(account: Account) -> frozenset[Channel]:
    """The channels that a page has a say in. Not texts after a STOP: what it recorded would outlive the START."""
    return frozenset(Channel) - ({Channel.SMS} if stopped_by_text(account) else set[Channel]())


def _change(book: AccountBook, opt_outs: OptOuts, now: datetime, agreed: Agreement) -> Change | None:
    after = replace(book.account, opt_outs=opt_outs)
    return change_account(book, after, now, Actor.PATIENT, source=agreed.source, wording=agreed.wording)


def _recorded(book: AccountBook, recipient: str, event: str, now: datetime, agreed: Agreement) -> Change:
    """The choice of another than the guarantor is in the registry; what waits for them is judged by it when sent."""
    facts = {"channel": Channel.EMAIL, "source": agreed.source, "wording": agreed.wording, "party": recipient}
    return Change(account=book.account, history=(HistoryEvent(at=now, event=event, actor=recipient, facts=facts),))
