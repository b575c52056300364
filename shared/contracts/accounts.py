"""Bodies of the accounts of the partner API."""

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from shared.contracts.contact_data import AddressBody, MaybeEmail, MaybePhone
from shared.contracts.wire import Day, Instant, Money, NamedLine, WireModel, Word
from shared.domain.account.consents import Consent
from shared.domain.records.account import Account, HoldDetail, Objection
from shared.domain.records.book import AccountBook
from shared.domain.records.statement import Guarantor, OptOuts
from shared.domain.vocabulary.words import AddressStatus, Channel, ConsentSource, Hold, Language, ObjectionKind


class ContactBody(WireModel):
    """Who the guarantor is, and where they are reached."""

    first_name: Annotated[NamedLine, Field(max_length=60)]
    last_name: Annotated[NamedLine, Field(max_length=60)]
    date_of_birth: Day | None = None
    email: MaybeEmail = ""
    mobile_phone: MaybePhone = ""
    home_phone: MaybePhone = ""
    address: AddressBody | None = None
    address_status: Word[AddressStatus] | None = Field(default=None, description="USPS delivery point validation.")

    @classmethod
    def of(cls, guarantor: Guarantor) -> "ContactBody":
        """A guarantor as stored."""
        return cls.model_construct(
            first_name=guarantor.first_name,
            last_name=guarantor.last_name,
            date_of_birth=guarantor.date_of_birth,
            email=guarantor.email,
            mobile_phone=guarantor.mobile_phone,
            home_phone=guarantor.home_phone,
            address=AddressBody.of(guarantor.address) if guarantor.address else None,
            address_status=guarantor.address_status,
        )


class OptOutsBody(WireModel):
    """The channels that the guarantor doesn't want. All three at once leave paper on: one channel must stay."""

    email: bool = False
    sms: bool = False
    print: bool = False

    def domain(self) -> OptOuts:
        """The choice, as it was said."""
        return OptOuts(email=self.email, sms=self.sms, print=self.print)


def _each_once(holds: list[Hold]) -> list[Hold]:
    if len(set(holds)) < len(holds):
        raise ValueError("must name each hold once")
    return holds


class AccountBody(WireModel):
    """What a partner may change of an account."""

    read_only = (
        *("accountId", "balance", "credit", "undeliverable", "statementIds"),
        *("holdDetails", "objections", "remindOn"),
    )

    contact: ContactBody
    language: Word[Language] = Language.ENGLISH
    opt_outs: OptOutsBody = Field(default_factory=OptOutsBody)
    holds: Annotated[list[Word[Hold]], AfterValidator(_each_once), Field(default_factory=list)]

    @classmethod
    def of(cls, account: Account) -> "AccountBody":
        """What is stored of it, in the form that a PATCH merges into."""
        opt_outs = account.opt_outs
        return cls.model_construct(
            contact=ContactBody.of(account.guarantor),
            language=account.guarantor.language,
            opt_outs=OptOutsBody(email=opt_outs.email, sms=opt_outs.sms, print=opt_outs.print),
            holds=sorted(account.holds),
        )

    def domain(self, before: Account) -> Account:
        """The account `before` with all that this body says."""
        said = self.contact
        guarantor = replace(
            before.guarantor,
            first_name=said.first_name,
            last_name=said.last_name,
            date_of_birth=said.date_of_birth,
            email=said.email,
            mobile_phone=said.mobile_phone,
            home_phone=said.home_phone,
            address=said.address.domain() if said.address else None,
            address_status=said.address_status,
            language=self.language,
        )
        return replace(before, guarantor=guarantor, opt_outs=self.opt_outs.domain(), holds=frozenset(self.holds))


class HoldDetailAnswer(WireModel):
    """A hold, with what is known of it."""

    hold: Hold
    reason: str | None
    since: Instant
    until: Day | None = Field(description="The day on which dunning goes on by itself; null: once it is lifted.")
    by: str = Field(description="Who set it: the person whom the write named in `Dunlin-Actor`, else the key.")

    @classmethod
    def of(cls, detail: HoldDetail) -> "HoldDetailAnswer":
        """A hold as stored."""
        return cls(hold=detail.hold, reason=detail.reason or None, since=detail.since, until=detail.until, by=detail.by)


class ObjectionAnswer(WireModel):
    """What a patient said against a bill, until its task is resolved."""

    task_id: str
    kind: ObjectionKind
    said_at: Instant
    statement_id: str | None = Field(description="Which bill; null: all that the payment link showed.")

    @classmethod
    def of(cls, said: Objection) -> "ObjectionAnswer":
        """An objection as stored."""
        return cls(task_id=said.task_id, kind=said.kind, said_at=said.said_at, statement_id=said.statement_id or None)


class HoldBody(WireModel):
    """A hold to be set; one that is set already gets this reason and end."""

    hold: Word[Hold]
    reason: Annotated[NamedLine, Field(max_length=200)]
    until: Day | None = Field(default=None, description="The day on which dunning goes on by itself.")


class AccountAnswer(AccountBody):
    """An account: a guarantor at an organization."""

    account_id: str
    balance: Money = Field(description="The sum of what its bills owe.")
    credit: Money = Field(description="Money that no bill took, and what statements say the practice owes.")
    undeliverable: list[Channel] = Field(description="Channels where a message bounced permanently.")
    hold_details: list[HoldDetailAnswer]
    objections: list[ObjectionAnswer] = Field(description="Dunning pauses until their tasks are resolved.")
    remind_on: Day | None = Field(description="The day before which the patient asked for no reminder.")
    statement_ids: list[str]

    @classmethod
    def of_book(cls, book: AccountBook) -> "AccountAnswer":
        """An account with its bills."""
        account = book.account
        return cls.model_construct(
            **dict(AccountBody.of(account)),
            account_id=account.account_id,
            balance=book.owed,
            credit=book.credit,
            undeliverable=sorted(account.undeliverable),
            hold_details=[HoldDetailAnswer.of(detail) for detail in account.hold_details],
            objections=[ObjectionAnswer.of(said) for said in account.objections],
            remind_on=account.remind_on,
            statement_ids=[bill.statement_id for bill in book.bills],
        )


class ConsentAnswer(WireModel):
    """Consent to a channel, given or withdrawn."""

    channel: Channel
    consent: Literal["given", "withdrawn"]
    at: Instant
    actor: str
    source: str | None = Field(description=f"How: {', '.join(ConsentSource)}. null: recorded before sources were.")
    wording: str | None = Field(
        description="The words agreed to: of the page, the statement's field, or the keyword that a text was recognised"
        " as; never what a person wrote."
    )
    party: Literal["guarantor", "patient", "billTo"] = Field(
        description="Whose consent. That of others than the guarantor is about messages to their own number or address."
    )

    @classmethod
    def of(cls, consent: Consent) -> "ConsentAnswer":
        """An entry of the registry."""
        return cls.model_validate(
            {
                "channel": consent.channel,
                "consent": "given" if consent.given else "withdrawn",
                "at": consent.at,
                "actor": consent.actor,
                "source": consent.source or None,
                "wording": consent.wording or None,
                "party": consent.recipient,
            }
        )


class ConsentsPage(WireModel):
    """A page of an account's registry of consent, oldest first."""

    items: list[ConsentAnswer]
    next_cursor: str | None
