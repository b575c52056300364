"""How a guarantor wants to be reached: channels that the person closes and opens again (domain.md, Queue rules)."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.account import Account
from shared.domain.account_changes import change_account, opted_out_of
from shared.domain.book import AccountBook, Change
from shared.domain.contacts import number_hash, opted_out
from shared.domain.statement import OptOuts
from shared.domain.words import Channel, ConsentSource

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
    return number_hash(account.guarantor.mobile_phone) in account.stopped_numbers


def to_open(account: Account, wanted: AbstractSet[Channel]) -> frozenset[Channel]:
    """The wanted channels that are closed now and that a page may open."""
    beyond_us = {Channel.SMS} if stopped_by_text(account) else set[Channel]()
    return frozenset(wanted) - open_channels(account) - beyond_us


def unsubscribe(book: AccountBook, now: datetime, agreed: Agreement) -> Change | None:
    """Opt a guarantor out of email and stop what was going to be sent that way; None: that is so already."""
    opt_outs = opted_out_of(book.account.opt_outs, Channel.EMAIL)
    return _change(book, opt_outs, now, agreed)


def resubscribe(book: AccountBook, now: datetime, agreed: Agreement) -> Change | None:
    """Let emails go to a guarantor who is known to ask for them, and leave the other channels; None: they do."""
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
    opt_outs = OptOuts(**{channel.value: channel not in left for channel in Channel})
    return _change(book, opt_outs, now, agreed)


def _change(book: AccountBook, opt_outs: OptOuts, now: datetime, agreed: Agreement) -> Change | None:
    after = replace(book.account, opt_outs=opt_outs)
    return change_account(book, after, now, ACTOR, source=agreed.source, wording=agreed.wording)
