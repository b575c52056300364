"""A bill that goes to another person's account."""

from dataclasses import replace

from shared.domain.intake.arrival import IntakeContext
from shared.domain.intake.moving import arrive, depart
from shared.domain.records.book import AccountBook
from shared.storage.account_books import AccountBooks
from tests.worlds.examples import NOW, account, organization
from tests.worlds.manage_api import stored


def moved_away(books: AccountBooks, *statement_ids: str, to: str = "G-2", origin: str = "G-1") -> None:
    """The bills go to another person's account."""
    here, other = stored(books, origin), books.load("org_1", to)
    there = other or AccountBook(account=account(account_id=to))
    someone = replace(there.account.guarantor, guarantor_id=to, first_name="Lou", last_name="Other")
    context = IntakeContext(
        organization=organization(), bill_type=organization().bill_type, ingestion_id="ing_2", now=NOW
    )
    departure = depart(here, statement_ids or ["S-1"], someone, to, context)
    assert departure is not None
    books.commit_together([departure.left, arrive(there, departure, context)])
