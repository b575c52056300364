"""Money that an external payment site took: posted where it belongs, or left to staff with what it may be for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from shared.domain.paying.external_payments import (
    SitePayment,
    ids_alike,
    open_statement_ids,
    received_at_site,
    site_payment_id,
    unmatched_task,
)
from shared.domain.paying.payments import post_payment
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.policy import Organization
from shared.domain.vocabulary.actors import Actor
from shared.storage import keys
from shared.storage.account_books import AccountBooks
from shared.storage.races import LostRaceError, until_won
from shared.storage.tasks import Tasks

type SiteResult = Literal["recorded", "unmatched"]


@dataclass(frozen=True, slots=True)
class SitePayments:
    """The payments of external sites, over the stores that they need."""

    books: AccountBooks
    tasks: Tasks

    def record(self, organization: Organization, told: SitePayment, now: datetime) -> SiteResult:
        """Post a payment to the bill that it names, else to its account, once (docs/rules.md#unmatched-money)."""
        posted = keys.payment(site_payment_id(organization.org_id, told.payment_id))
        if self.books.account_of(organization.org_id, posted) is not None:
            return "recorded"
        if until_won(lambda: self._post(organization, told, now)):
            return "recorded"
        self.tasks.create(unmatched_task(organization.org_id, told, self._candidates(organization, told), now))
        return "unmatched"

    def _post(self, organization: Organization, told: SitePayment, now: datetime) -> bool:
        """Whether there was somewhere to post it. A bill that goes to another account meanwhile is followed."""
        account_id: str | None = told.account_id
        if told.statement_id:
            account_id = self.books.account_of(organization.org_id, keys.bill_lookup(told.statement_id))
        if not account_id or not self.books.known(organization.org_id, [account_id]):
            return False

        def decide(book: AccountBook) -> Change | None:
            bill = book.bill(told.statement_id)
            if told.statement_id and (bill is None or bill.moved_to):
                raise LostRaceError
            received = received_at_site(organization.org_id, told, told.statement_id)
            return post_payment(book, organization, received, now, Actor.PROCESSOR)

        self.books.change(organization.org_id, account_id, decide)
        return True

    def _candidates(self, organization: Organization, told: SitePayment) -> set[str]:
        """The bills that the payment may be for: of an account that it names, or of an id that is written alike."""
        lookups = {keys.bill_lookup(form): form for form in ids_alike(told.statement_id)}
        found = {lookups[key] for key in self.books.accounts_of(organization.org_id, lookups)}
        for account_id in (told.account_id, *ids_alike(told.account_id)) if told.account_id else ():
            book = self.books.load(organization.org_id, account_id)
            found |= set(open_statement_ids(book)) if book else set()
        return found
