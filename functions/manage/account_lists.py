"""Lists of accounts: who owes, and whom a search finds (docs/rules.md#account-search)."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from functions.manage.frame import ListRequest, api, list_request
from functions.manage.notification_filters import YesOrNo
from functions.manage.ports import ports
from shared.contracts.account_lists import AccountsPage, ListedAccount, ListedNotice
from shared.domain.account.holds import ended_holds
from shared.domain.account.search_facts import SHORTEST_BEGINNING, alike, alike_name, may_be_name
from shared.domain.account.summary import last_notice, next_notice, summarized
from shared.domain.calendar.send_window import local_date
from shared.domain.paying.link_secrets import normalized_code, secret_hash
from shared.domain.records.account import Account
from shared.domain.records.notice import Notice
from shared.domain.records.policy import Organization
from shared.domain.vocabulary.words import Hold
from shared.http.routes import Query, WordQuery, wrong_parameter
from shared.storage import keys
from shared.storage.account_lists import ListPlace, ListRow, names_first
from shared.storage.batches import MOST_KEYS
from shared.storage.search_entries import SearchHashes

LONGEST_TERM = 254
"""Characters; an email address has no more."""

MOST_PAGES = 4
"""How many pages of the list are read for a filter that few accounts pass."""

PRINTED_CODE = re.compile(r"\w{5}-\w{5}")


class AccountOrder(StrEnum):
    """In which order accounts that owe are listed."""

    OLDEST = "oldest"
    NEWEST = "newest"


SOUGHT = Query(
    "search",
    "The beginning of the guarantor's or a patient's last name, at least two letters; or, whole, a phone number, email"
    " address, date of birth (1980-02-29 or 2/29/1980), statementId, a patient's accountId or a bill code. Without it:"
    " the accounts that owe.",
)
OWING = WordQuery("owing", "true: only accounts that owe; false, of a search: only those that don't.", YesOrNo)
HOLD = WordQuery("hold", "Only accounts on this hold.", Hold)
SORT = WordQuery(
    "sort", "Of the accounts that owe: those whose unpaid bill is the oldest, or newest, first.", AccountOrder
)


LIST_FILTERS = (SOUGHT, OWING, HOLD, SORT)


class _Found(NamedTuple):
    """Accounts with the rows that they were found by, where the list goes on, and their notices once they are read."""

    accounts: list[tuple[Account, ListRow]]
    end: ListPlace | None = None
    notices: dict[str, tuple[Notice, ...]] | None = None


def list_of_accounts(organization: Organization) -> AccountsPage:
    """The page of accounts that the request asks for. Raises a 400 problem for filters that can't go together."""
    asked, given = list_request(), api.query
    if SOUGHT.name in given:
        if SORT.name in given:
            raise wrong_parameter(SORT.name, "is for the list of accounts that owe, not for a search")
        found = _filtered(organization, _searched(organization, _term(SOUGHT.text(given)), asked))
    elif OWING.word(given) is YesOrNo.NO:
        raise wrong_parameter(OWING.name, "may be false only in a search")
    else:
        found = _owing(organization, asked)
    return _page(organization, asked, _in_one_read(found))


def _term(given: str) -> str:
    term = given.strip()
    if not term or len(term) > LONGEST_TERM or not term.isprintable():
        raise wrong_parameter(SOUGHT.name, f"must be 1 to {LONGEST_TERM} printable characters")
    if may_be_name(term) and len(alike_name(term)) < SHORTEST_BEGINNING:
        raise wrong_parameter(SOUGHT.name, f"must have at least {SHORTEST_BEGINNING} letters of a last name")
    return term


# --- who is found -------------------------------------------------------------------------------------------------


def _owing(organization: Organization, asked: ListRequest) -> _Found:
    """The accounts that owe. A filter is asked of a few pages, so that one that few pass isn't asked page by page."""
    lists, newest = ports().account_lists, SORT.word(api.query) is AccountOrder.NEWEST
    accounts, after = list[tuple[Account, ListRow]](), asked.after
    for _ in range(MOST_PAGES):
        page = lists.owing(organization.org_id, asked.limit - len(accounts), after, newest_first=newest)
        read = _Found(lists.accounts(organization.org_id, page.rows))
        accounts += _filtered(organization, read).accounts
        after = page.end
        if after is None or len(accounts) == asked.limit:
            break
    return _Found(accounts, after)


def _searched(organization: Organization, term: str, asked: ListRequest) -> _Found:
    """The accounts that a term finds: by a bill code, else by a name, else by what is found whole only.

    Each is looked up only if the one before found nothing, so that no search needs more than five reads, with the one
    of the organization (docs/decisions/0069-account-search.md).
    """
    code = _bill_code(term)
    by_code = _by_bill_code(organization, code) if code and not asked.after else None
    if by_code:
        return by_code
    hashes = SearchHashes(ports().search_key(), organization.org_id)
    if may_be_name(term):
        named = _named(organization, hashes, alike_name(term), asked)
        if named.accounts or named.end or asked.after or code:
            return named
    return _having(organization, hashes, term, asked, narrowed=may_be_name(term) or bool(code))


def _named(organization: Organization, hashes: SearchHashes, beginning: str, asked: ListRequest) -> _Found:
    lists = ports().account_lists
    page = lists.named(hashes, beginning, asked.limit, asked.after)
    read = _read(organization, page.rows)
    return _Found([(each, row) for each, row in read if names_first(row, each, hashes, beginning)], page.end)


def _having(
    organization: Organization, hashes: SearchHashes, term: str, asked: ListRequest, *, narrowed: bool
) -> _Found:
    """The accounts that a term finds whole. narrowed: something else was looked up before, so one hit is enough."""
    page = ports().account_lists.having(hashes, alike(term), asked.limit, asked.after)
    if asked.after or (narrowed and page.rows):
        return _Found(_read(organization, page.rows), page.end)
    holder = ports().books.account_of(organization.org_id, keys.bill_lookup(term))
    if holder is None or holder in {row.account_id for row in page.rows}:
        return _Found(_read(organization, page.rows), page.end)
    if not page.rows:
        return _whole(organization, holder)
    return _Found(_read(organization, [ListRow(holder, page.rows[0].place), *page.rows]), page.end)


def _read(organization: Organization, rows: list[ListRow]) -> list[tuple[Account, ListRow]]:
    return ports().account_lists.accounts(organization.org_id, rows)


def _bill_code(term: str) -> str | None:
    """The bill code that a term may be: as it is printed, or with letters and digits; ten digits are a number."""
    code = normalized_code(term)
    mixed = any(sign.isdigit() for sign in term) and any(sign.isalpha() for sign in term)
    return code if code and (mixed or PRINTED_CODE.fullmatch(term)) else None


def _by_bill_code(organization: Organization, code: str) -> _Found | None:
    owner = ports().links.by_secret_hash(secret_hash(code))
    if owner is None or owner.org_id != organization.org_id:
        return None
    return _whole(organization, owner.account_id)


def _whole(organization: Organization, account_id: str) -> _Found:
    """One account, read whole, which is one read with its notices."""
    book = ports().books.load(organization.org_id, account_id)
    if book is None:
        return _Found([])
    account = replace(book.account, summary=summarized(book))
    return _Found([(account, ListRow(account_id, ()))], notices={account_id: book.notices})


# --- what is shown ------------------------------------------------------------------------------------------------


def _filtered(organization: Organization, found: _Found) -> _Found:
    """The accounts that pass the filters of the request."""
    owing, hold = OWING.word(api.query), HOLD.word(api.query)
    today = local_date(api.now, organization.zone)

    def passes(account: Account) -> bool:
        owes = account.summary.owed > 0
        held = hold is None or hold in account.holds - ended_holds(account, today)
        return held and (owing is None or owes is (owing is YesOrNo.YES))

    return found._replace(accounts=[(account, row) for account, row in found.accounts if passes(account)])


def _in_one_read(found: _Found) -> _Found:
    """As many of the accounts as have notices that are one read; the rest is the next page."""
    if found.notices is not None:
        return found
    wanted = 0
    for n, (account, _) in enumerate(found.accounts):
        wanted += len(account.summary.notice_ids)
        if n and wanted > MOST_KEYS:
            kept = found.accounts[:n]
            return _with_notices(_Found(kept, kept[-1][1].place))
    return _with_notices(found)


def _with_notices(found: _Found) -> _Found:
    return found._replace(notices=ports().account_lists.notices(account for account, _ in found.accounts))


def _page(organization: Organization, asked: ListRequest, found: _Found) -> AccountsPage:
    today, notices = local_date(api.now, organization.zone), found.notices or {}
    listed = [
        _listed(account, notices.get(account.account_id, ()), organization, today) for account, _ in found.accounts
    ]
    all_of_it = asked.after is None and found.end is None
    return AccountsPage(items=listed, total=len(listed) if all_of_it else None, next_cursor=asked.cursor(found.end))


def _listed(account: Account, notices: Sequence[Notice], organization: Organization, today: date) -> ListedAccount:
    """An account on a day of the organization's calendar, with the notices that its summary names."""
    summary = account.summary
    coming, went = next_notice(notices), last_notice(notices)
    return ListedAccount(
        account_id=account.account_id,
        guarantor_name=account.guarantor.name,
        balance=summary.owed,
        past_due=summary.past_due(today, organization.dunning.days_until_due),
        credit=summary.credit,
        open_bills=summary.open_bills,
        owing_since=summary.owing_since,
        holds=sorted(account.holds - ended_holds(account, today)),
        next_notice=ListedNotice.of(coming) if coming else None,
        last_notice=ListedNotice.of(went) if went else None,
        pay_now=summary.owed > 0 and organization.payments.online,
    )
