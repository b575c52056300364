"""The account as a statement leaves it."""

from dataclasses import replace

from shared.domain.account.account_changes import consent_events
from shared.domain.account.contacts import reached_elsewhere
from shared.domain.intake.arrival import OPT_OUT_FIELD, Arrival, IntakeContext
from shared.domain.records.account import Account
from shared.domain.records.statement import NOTHING_OPTED_OUT, Guarantor, OptOuts
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.words import ConsentSource


def account_after(before: Account | None, arrival: Arrival, context: IntakeContext) -> Account:
    """The account with what the statement says of its guarantor; what it doesn't say stands."""
    statement = arrival.statement
    if before is None:
        return Account(
            org_id=context.organization.org_id,
            account_id=statement.account_id,
            guarantor=statement.guarantor,
            bill_to=statement.bill_to,
            opt_outs=_opt_outs(NOTHING_OPTED_OUT, statement.opt_outs),
            time_zones=arrival.time_zones,
            planning_at=context.now,
        )
    guarantor = guarantor_after(before.guarantor, arrival)
    return replace(
        before,
        guarantor=guarantor,
        bill_to=statement.bill_to or before.bill_to,
        opt_outs=_opt_outs(before.opt_outs, statement.opt_outs),
        undeliverable=before.undeliverable - reached_elsewhere(before.guarantor, guarantor),
        time_zones=arrival.time_zones or before.time_zones,
        planning_at=context.now,
    )


def guarantor_after(before: Guarantor, arrival: Arrival) -> Guarantor:
    """The guarantor with what the statement says.

    Contact data that is given replaces what was known; what is given but can't be used isn't used either.
    """
    said, unusable = arrival.statement.guarantor, arrival.unusable
    address = said.address or (None if "/guarantor/address" in unusable else before.address)

    def contact(now_said: str, known: str, pointer: str) -> str:
        return now_said or ("" if pointer in unusable else known)

    return replace(
        said,
        guarantor_id=said.guarantor_id or before.guarantor_id,
        date_of_birth=said.date_of_birth or before.date_of_birth,
        email=contact(said.email, before.email, "/guarantor/email"),
        mobile_phone=contact(said.mobile_phone, before.mobile_phone, "/guarantor/mobilePhone"),
        home_phone=contact(said.home_phone, before.home_phone, "/guarantor/homePhone"),
        language=said.language if arrival.language_given else before.language,
        address=address,
        address_status=said.address_status if said.address else said.address_status or before.address_status,
    )


def first_opt_outs(account: Account, context: IntakeContext) -> tuple[HistoryEvent, ...]:
    """The registry of consent of a new account: its first statement may have opted out of channels already."""
    source = ConsentSource.PARTNER_STATEMENT
    return consent_events(NOTHING_OPTED_OUT, account.opt_outs, context.now, context.actor, source, OPT_OUT_FIELD)


def _opt_outs(before: OptOuts, said: OptOuts | None) -> OptOuts:
    """An opt-out stands until it is taken back; opting out of the last channel leaves paper."""
    if said is None:
        return before
    email, sms = before.email or said.email, before.sms or said.sms
    return OptOuts(email=email, sms=sms, print=(before.print or said.print) and not (email and sms))
