"""The payment link that a notice carries."""

from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.account.masking import masked
from shared.domain.dunning.decision import Send
from shared.domain.paying.link_secrets import IssuedLink, new_bill_code, new_payment_link, new_secret, secret_hash
from shared.domain.records.book import AccountBook
from shared.domain.records.notice import Notice
from shared.domain.records.payment_link import PaymentLink
from shared.domain.records.policy import Organization
from shared.domain.vocabulary.randomness import RandomBytes
from shared.domain.vocabulary.words import Channel, NotificationType

ONE_TIME_LINK_LIVES = timedelta(hours=24)
"""A link sent by itself, by staff or because a patient asked for it (docs/rules.md#one-time-link)."""


FOR_ONE_BILL = frozenset({NotificationType.PAYMENT_LINK, NotificationType.ON_DEMAND})
"""Types whose link is for their one bill; any other's opens the account."""


def issue_link(
    notice: Notice, send: Send, book: AccountBook, organization: Organization, now: datetime, random: RandomBytes
) -> IssuedLink:
    """Make the link that a notice carries.

    A notice that has a link already keeps it and gets new secrets, because secrets aren't stored: so what staff
    know of a link stays true, its expiry too, and a notice that was rescheduled leaves no second link behind. Only
    where an earlier message may be on its way is another link made, because that message's must go on working.
    """
    on_paper, lives = notice.channel is Channel.PRINT, _link_lives(notice, organization)
    known = book.link(notice.link_id)
    if known is not None and (known.staff_name or notice.attempt == 0):
        expires_at = known.expires_at if known.staff_name else now + lives
        return _with_new_secrets(replace(known, expires_at=expires_at), masked(send.contact), random, on_paper=on_paper)
    of_one_bill = notice.notification_type in FOR_ONE_BILL and len(notice.bills) == 1
    return new_payment_link(
        org_id=notice.org_id,
        account_id=notice.account_id,
        now=now,
        lives=lives,
        random=random,
        statement_id=notice.bills[0].statement_id if of_one_bill else "",
        notice_id=notice.notice_id,
        sent_to=masked(send.contact),
        with_code=on_paper,
    )


def _link_lives(notice: Notice, organization: Organization) -> timedelta:
    one_time = notice.notification_type is NotificationType.PAYMENT_LINK
    return ONE_TIME_LINK_LIVES if one_time else timedelta(days=organization.link_days)


def _with_new_secrets(link: PaymentLink, sent_to: str, random: RandomBytes, *, on_paper: bool) -> IssuedLink:
    token, code = new_secret(random), new_bill_code(random) if on_paper else ""
    renewed = replace(link, token_hash=secret_hash(token), code_hash=secret_hash(code) if code else "", sent_to=sent_to)
    return IssuedLink(link=renewed, token=token, code=code)
