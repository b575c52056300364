"""Replanning an organization's accounts in the background, because what they are planned by has changed.

A job item in the due index says that it has to be done. It is written in the same transaction as the change, so
neither is ever without the other. Each sweep takes pages of the organization's bills, marks their accounts as due, and
notes how far it came; a job that is cut off goes on from there, and marking an account twice is harmless. Another
change starts the job again.
"""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.vocabulary.words import BillStatus
from shared.storage.account_books import AccountBooks
from shared.storage.background_jobs import BackgroundJobs

BILLS_A_PAGE = 100


@dataclass(frozen=True, slots=True)
class Replanning:
    """Marks accounts as due, a page of bills at a time."""

    jobs: BackgroundJobs
    books: AccountBooks

    def advance(self, org_id: str, now: datetime) -> int | None:
        """Mark the accounts that owe a bill of the job's next page as due, and answer how many were marked.

        None: there is no job whose time has come.
        """
        job = self.jobs.replanning(org_id, now)
        if job is None:
            return None
        page = self.jobs.bills(job, org_id, BILLS_A_PAGE)
        owing = {bill.account_id for bill in page.rows if bill.status is BillStatus.DUE}
        marked = sum(self.books.mark_due(org_id, account_id, job.version, now) for account_id in sorted(owing))
        self.jobs.move_on(job, page)
        return marked
