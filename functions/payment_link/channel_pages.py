"""The pages on which a patient says how to be reached: unsubscribing, undoing it, and the choice of channels."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from urllib.parse import quote

from functions.payment_link.forms import checked
from functions.payment_link.page import Page, PageError, say
from functions.payment_link.questions import (
    Asking,
    asked_again,
    checked_answer,
    known_visit,
    question_page,
    verified_by,
)
from functions.payment_link.site import UNREADABLE_PAGE, PageAnswer, PageRequest
from functions.payment_link.visits import Desk, LinkVisit
from shared.domain.account.contacts import GUARANTOR, contact_refusal
from shared.domain.delivery.claim_records import TEST_CONTACT
from shared.domain.texting.channel_choices import Agreement, opted_in_channels, stopped_by_text, to_opt_in
from shared.domain.vocabulary.words import Channel, ConsentSource

ONE_CLICK = "List-Unsubscribe=One-Click"
"""What a mail program posts (RFC 8058). It showed its own button, so no sentence of ours was agreed to."""

ANSWER_FIELDS = frozenset({"month", "day", "year", "postalCode"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelPages:
    """The pages at `/unsubscribe/{token}`. They work as long as the link is in the history.

    Whoever has the link may close channels; only who answers the link's question opens one again (decision 8).
    """

    desk: Desk

    def show(self, request: PageRequest, token: str) -> PageAnswer:
        """`GET`: asks, and offers the other choices; changes nothing."""
        visit = known_visit(self.desk, request, token)
        if visit.recipient == TEST_CONTACT:
            return _page(visit, "test")
        return _page(visit, "ask" if visit.emails_on else "off")

    def act(self, request: PageRequest, token: str) -> PageAnswer:
        """`POST`: does what `action` says; without one, as from a mail program, it unsubscribes."""
        visit = known_visit(self.desk, request, token)
        if visit.recipient == TEST_CONTACT:
            return _page(visit, "test")
        # A mail program's click means one thing, whatever else came with it.
        action = "" if _one_click(request) else request.form.get("action", "")
        if action in {"", "unsubscribe"}:
            return self._unsubscribe(visit, request)
        if action == "resubscribe":
            return self._resubscribe(visit, request)
        if action == "preferences" and visit.recipient == GUARANTOR:
            return self._choose(visit, request)
        return UNREADABLE_PAGE

    def _unsubscribe(self, visit: LinkVisit, request: PageRequest) -> Page:
        clicked = Agreement(source=ConsentSource.ONE_CLICK, wording=ONE_CLICK)
        agreed = clicked if _one_click(request) else _agreed(visit, request, "unsubscribe_text")
        return _page(self.desk.unsubscribe(visit, request.now, agreed), "off")

    def _resubscribe(self, visit: LinkVisit, request: PageRequest) -> Page:
        if visit.emails_on:
            return _page(visit, "on_again")
        wanted = frozenset({Channel.EMAIL})
        visit, secret = self._identified(visit, request, "resubscribe", wanted, opening=wanted)
        visit = self.desk.resubscribe(visit, request.now, _agreed(visit, request, "resubscribe_agreed"))
        return _page(visit, "on_again", wanted=wanted, secret=secret)

    def _choose(self, visit: LinkVisit, request: PageRequest) -> Page:
        """Close at once what isn't checked; open what is, for somebody who answers the question."""
        wanted = frozenset(channel for channel in Channel if checked(request.form, channel))
        agreed = _agreed(visit, request, "preferences_agreed")
        before, secret = opted_in_channels(visit.book.account), verified_by(request, visit)
        visit = self.desk.choose(visit, wanted, request.now, agreed, may_opt_in=bool(secret))
        opening = to_opt_in(visit.book.account, wanted)
        if opening:
            closed = _closed_notice(before, opted_in_channels(visit.book.account), wanted)
            visit, secret = self._identified(visit, request, "preferences", wanted, opening=opening, closed=closed)
            visit = self.desk.choose(visit, wanted, request.now, agreed, may_opt_in=True)
        return _page(visit, "chosen", wanted=wanted, secret=secret)

    def _identified(
        self,
        visit: LinkVisit,
        request: PageRequest,
        action: str,
        wanted: frozenset[Channel],
        *,
        opening: frozenset[Channel],
        closed: str = "",
    ) -> tuple[LinkVisit, str]:
        """The visit and the secret of a browser that answers, or has answered; raises PageError with the question."""
        asking = Asking(
            template="confirm.html",
            home=_home(visit),
            facts={
                "action": action,
                "wanted": wanted,
                "opening": sorted(opening),
                "closed": closed,
            },
        )
        if ANSWER_FIELDS & request.form.keys():
            return checked_answer(self.desk, visit, request, asking)
        secret = verified_by(request, visit)
        if secret:
            return visit, secret
        if request.secrets:
            raise PageError(asked_again(visit, request, asking, "problem_ask_again"))
        raise PageError(question_page(visit, request, asking))


def _page(visit: LinkVisit, state: str, *, wanted: AbstractSet[Channel] = frozenset(), secret: str = "") -> Page:
    """What holds now, with the forms to change it. It names channels only: whoever has the link may see it."""
    account = visit.book.account
    may_use, own = opted_in_channels(account), visit.recipient == GUARANTOR
    return Page(
        template="unsubscribe.html",
        visit=visit,
        home=_home(visit),
        facts={
            "state": state,
            # Whoever else got the link has a say in no channel of the guarantor's.
            "own": own,
            "open": may_use,
            "text_stopped": stopped_by_text(account),
            "letters_kept": not wanted,
            # Only the patient may learn whether there is an address.
            "unreachable": own
            and bool(secret)
            and any(contact_refusal(channel, account) for channel in wanted & may_use),
            "verification": secret,
        },
    )


def _closed_notice(before: frozenset[Channel], after: frozenset[Channel], wanted: frozenset[Channel]) -> str:
    """What to say of the channels just closed, while others wait for the answer; letters may have to wait too."""
    if Channel.PRINT in after - wanted:
        return "confirm_closed_letters"
    return "confirm_closed" if before - after else ""


def _one_click(request: PageRequest) -> bool:
    return request.form.get("List-Unsubscribe", "").casefold() == "one-click"


def _agreed(visit: LinkVisit, request: PageRequest, text: str) -> Agreement:
    """The sentence that stood above the button, in the language that it was read in."""
    language = request.language or visit.book.account.guarantor.language
    return Agreement(
        source=ConsentSource.UNSUBSCRIBE_PAGE, wording=say(language, text, practice=visit.organization.name)
    )


def _home(visit: LinkVisit) -> str:
    return f"/unsubscribe/{quote(visit.token, safe='')}"
