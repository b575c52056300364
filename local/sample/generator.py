"""The sample: statement files of made-up practices, from a seed, with what ought to become of every statement.

Everything in it is invented (see sample_words), and the same seed makes the same files, byte for byte. What is in the
files beside plain statements stands in sample_households and sample_faults, and in the methods that make later files.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from random import Random
from typing import TYPE_CHECKING

from local.sample import words
from local.sample.amounts import decimal, in_cents, lower_balance, make_visit, number, set_balance
from local.sample.faults import FAULTS
from local.sample.households import (
    OPT_OUTS,
    WITHOUT_EMAIL,
    WITHOUT_MOBILE,
    Household,
    Person,
    draw_kinds,
    make_household,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from shared.domain.vocabulary.json_documents import Json

_VERSION = "1.0.0"
_HOUSEHOLDS = 100
_FAULTY_NUMBERS = 9_000  # the households of the wrong statements, which have no account
_MESSAGE_ONE_IN = 3
# How many bills of a practice the later files touch.
_LOWERED, _MOVED_TO_ZERO, _REPEATED = 9, 6, 8
_PAID_IN_PART, _PAID_IN_FULL, _OVERPAID, _TAKEN_BACK = 8, 5, 1, 2
_OVERPAYMENT = 2_500
_NEW_VISITS = 12


class Result(StrEnum):
    """What ingestion makes of a statement (docs/rules.md#ingestion-result)."""

    CREATED = "Created"
    UPDATED = "Updated"
    IGNORED = "Ignored"
    FAILED = "Failed"


@dataclass(frozen=True)
class SampleOrganization:
    """A practice to make statements for. `bill_type` is Episodic or Lifetime."""

    client_id: str
    name: str
    bill_type: str


@dataclass(frozen=True)
class Expected:
    """What ought to become of one statement of a file; they stand in the file's order.

    `error` is the pointer that a failed statement is answered with, `warnings` the pointers of a stored one. `balance`
    is the bill's in cents once the file is in, None where there is no bill.
    """

    kind: str
    statement_id: str | None
    client_id: str | None
    account_id: str | None
    result: Result
    error: str | None = None
    warnings: tuple[str, ...] = ()
    balance: int | None = None


@dataclass(frozen=True)
class SampleFile:
    """One file, sent on the day that lies `day` days after the start, and what ought to come of it."""

    name: str
    day: int
    document: Json
    expected: tuple[Expected, ...]


@dataclass(frozen=True)
class SampleAccount:
    """What the files say about a guarantor, for comparing who was written to and how.

    `has_email` and `has_mobile` mean an address that can be used; `opted_out_email` and `opted_out_sms` what the
    opt-out closes. One of `birth_dates` opens the payment link; where there is none, the postal code does.
    """

    client_id: str
    account_id: str
    kind: str
    language: str
    has_email: bool
    has_mobile: bool
    opted_out_email: bool
    opted_out_sms: bool
    address_status: str
    birth_dates: tuple[date, ...]
    postal_code: str
    statement_ids: tuple[str, ...]


@dataclass(frozen=True)
class Sample:
    """All files in the order of sending, the accounts they make, and each bill's balance in cents after the last.

    `balances` is by client id and statement id. A payment above the balance leaves zero here; the rest is a credit.
    """

    files: tuple[SampleFile, ...]
    accounts: tuple[SampleAccount, ...]
    balances: dict[tuple[str, str], int]

    def count(self, result: Result) -> int:
        """Return how many statements ought to have this result."""
        return sum(expected.result is result for file in self.files for expected in file.expected)


def generate(seed: int, organizations: Sequence[SampleOrganization], start: date) -> Sample:
    """Make the files of all organizations, the first of them sent on `start`."""
    practices = [
        _Practice(Random(f"{seed}/{organization.client_id}"), organization, start)  # noqa: S311 - a sample, no secret
        for organization in organizations
    ]
    files = [file for practice in practices for file in practice.files()]
    return Sample(
        files=tuple(sorted(files, key=lambda file: (file.day, file.name))),
        accounts=tuple(account for practice in practices for account in practice.accounts()),
        balances={
            (practice.client_id, statement_id): balance
            for practice in practices
            for statement_id, balance in practice.balances.items()
        },
    )


class _Practice:
    """Makes one organization's files; draws from its own random numbers, so that the others don't change it."""

    def __init__(self, random: Random, organization: SampleOrganization, start: date) -> None:
        self._random = random
        self._lifetime = organization.bill_type == "Lifetime"
        self._start = start
        self.client_id = organization.client_id
        self.balances: dict[str, int] = {}
        self._documents: dict[str, Json] = {}
        self._owners: dict[str, Household] = {}
        self._households = [
            make_household(random, self.client_id, place, kind, start)
            for place, kind in enumerate(draw_kinds(random, _HOUSEHOLDS), 1)
        ]

    def files(self) -> list[SampleFile]:
        """Make the files in the order in which they change the bills."""
        return [
            self._first_file(0),
            self._update_file(5),
            self._payment_file(14),
            self._new_visits_file(23),
        ]

    def accounts(self) -> list[SampleAccount]:
        """Return the facts of every household; each has a bill."""
        return [self._account(household) for household in self._households]

    def _account(self, household: Household) -> SampleAccount:
        guarantor, opt_out = household.guarantor, OPT_OUTS.get(household.kind)
        return SampleAccount(
            client_id=self.client_id,
            account_id=household.key,
            kind=household.kind,
            language="es" if guarantor["language"] == "es" else "en",
            has_email=household.kind not in WITHOUT_EMAIL,
            has_mobile=household.kind not in WITHOUT_MOBILE,
            opted_out_email=opt_out is not None and opt_out.email,
            opted_out_sms=opt_out is not None and opt_out.sms,
            address_status=guarantor["addressStatus"],
            birth_dates=household.birth_dates,
            postal_code=guarantor["address"]["postalCode"],
            statement_ids=tuple(household.statement_ids),
        )

    # --- the files ---

    def _first_file(self, day: int) -> SampleFile:
        """Every household's first statement or statements, with wrong ones among them and two repeats at the end."""
        made = [pair for household in self._households for pair in self._first_statements(household)]
        made += self._faulty_statements()
        self._random.shuffle(made)
        made += self._repeats_within_a_file(made)
        return self._file("statements", day, made, "ppay-lifetime" if self._lifetime else "episodic")

    def _first_statements(self, household: Household) -> list[tuple[Json, Expected]]:
        patients = household.patients
        if self._lifetime:
            return [self._new(household, [patient]) for patient in patients]
        if household.kind == "family":
            return [self._new(household, patients), self._new(household, patients[:1])]
        bills = self._random.randint(1, 2) if household.kind == "plain" else 1
        return [self._new(household, patients) for _ in range(bills)]

    def _update_file(self, day: int) -> SampleFile:
        """Balances that changed, some to zero, and identical repeats; the schema is left to the organization."""
        kinds = ["lower balance"] * _LOWERED + ["moved to zero"] * _MOVED_TO_ZERO + ["identical repeat"] * _REPEATED
        bills = self._random.sample(self._owing("plain", "family", "spanish", "no email"), len(kinds))
        made = [self._update(kind, statement_id) for kind, statement_id in zip(kinds, bills, strict=True)]
        self._random.shuffle(made)
        return self._file("updates", day, made, None)

    def _payment_file(self, day: int) -> SampleFile:
        """Money that reached the practice by another way: in part, in full, too much, taken back, told twice."""
        kinds = ["paid in part"] * _PAID_IN_PART + ["paid in full"] * _PAID_IN_FULL
        kinds += ["overpaid"] * _OVERPAID + ["paid and taken back"] * _TAKEN_BACK
        bills = self._random.sample(self._owing("plain", "family", "no mobile", "third party"), len(kinds))
        made = [self._payment(kind, statement_id, day) for kind, statement_id in zip(kinds, bills, strict=True)]
        self._random.shuffle(made)
        stray = copy.deepcopy(made[0][0])
        stray["statementId"] = f"{self.client_id}-stray"
        expected = Expected(
            "payment for an unknown bill",
            stray["statementId"],
            self.client_id,
            None,
            Result.FAILED,
            "/statementId",
        )
        made.append((stray, expected))
        return self._file("payment-updates", day, made, "ppay-payment-updates")

    def _new_visits_file(self, day: int) -> SampleFile:
        """New visits of guarantors who are known already: bills of their own, or amendments of a lifetime bill."""
        known = [household for household in self._households if household.kind in {"plain", "spanish"}]
        chosen = self._random.sample(known, _NEW_VISITS)
        made = [self._new(household, household.patients[:1], day) for household in chosen]
        return self._file("new-visits", day, made, "lifetime" if self._lifetime else "ppay-episodic")

    def _file(self, subject: str, day: int, made: list[tuple[Json, Expected]], schema: str | None) -> SampleFile:
        document: Json = {} if schema is None else {"schema": schema}
        document |= {"version": _VERSION, "statements": [statement for statement, _ in made]}
        name = f"{self._start + timedelta(days=day)}-{self.client_id.lower()}-{subject}.json"
        return SampleFile(name, day, document, tuple(expected for _, expected in made))

    # --- what is in them ---

    def _new(self, household: Household, patients: Sequence[Person], day: int = 0) -> tuple[Json, Expected]:
        """Make a household's new statement and take note of what it stores."""
        statement_id = f"{self.client_id}-{len(self._documents) + 1:05d}"
        document = self._statement(household, patients, statement_id, day)
        amended = self._active_lifetime_bill(household, patients[0])
        self._owners[statement_id] = household
        household.statement_ids.append(statement_id)
        if amended is None:
            return document, self._store(household.kind, document, Result.CREATED)
        # One active bill for a patient's account: the new statement takes the place of the one before.
        self.balances.pop(amended)
        household.statement_ids.remove(amended)
        return document, self._store("lifetime amendment", document, Result.UPDATED)

    def _active_lifetime_bill(self, household: Household, patient: Person) -> str | None:
        if not self._lifetime:
            return None
        for statement_id in household.statement_ids:
            owner = self._documents[statement_id]["patients"][0]["accountId"]
            if owner == patient.account_id and self.balances[statement_id] > 0:
                return statement_id
        return None

    def _statement(self, household: Household, patients: Sequence[Person], statement_id: str, day: int) -> Json:
        random, today = self._random, self._start + timedelta(days=day)
        document: Json = {
            "statementId": statement_id,
            "clientId": self.client_id,
            "statementDate": random.choice([None, today.isoformat(), (today - timedelta(days=3)).isoformat()]),
            "totalBilled": 0,
            "totalBalance": 0,
            "guarantor": copy.deepcopy(household.guarantor),
            "patients": [self._patient(person, today) for person in patients],
            **copy.deepcopy(household.top_level),
        }
        payers = [{"name": name} for name in random.sample(words.PAYERS, random.randint(0, 2))]
        if self._lifetime:
            document["patients"][0]["payers"] = payers
        elif payers:
            document["payers"] = payers
        if not random.randrange(_MESSAGE_ONE_IN):
            spanish = household.guarantor["language"] == "es"
            document["statementMessage"] = words.SPANISH_MESSAGE if spanish else random.choice(words.PRACTICE_MESSAGES)
        set_balance(document, household.kind, random)
        return document

    def _patient(self, person: Person, today: date) -> Json:
        patient: Json = {
            "accountId": person.account_id,
            "firstName": person.first_name,
            "lastName": person.last_name,
            "visits": [make_visit(self._random, today) for _ in range(self._random.randint(1, 2))],
        }
        return patient | ({"dateOfBirth": person.born.isoformat()} if person.born else {})

    def _update(self, kind: str, statement_id: str) -> tuple[Json, Expected]:
        document = copy.deepcopy(self._documents[statement_id])
        owed = self.balances[statement_id]
        if kind == "identical repeat":
            return document, self._expect(kind, document, Result.IGNORED)
        lower_balance(document, owed if kind == "moved to zero" else owed * self._random.randint(20, 80) // 100)
        return document, self._store(kind, document, Result.UPDATED)

    def _payment(self, kind: str, statement_id: str, day: int) -> tuple[Json, Expected]:
        """Tell of a payment; one in part is told twice in its statement, which must not count twice."""
        owed = self.balances[statement_id]
        amounts = {
            "paid in part": [owed * 30 // 100],
            "paid in full": [owed],
            "overpaid": [owed + _OVERPAYMENT],
            "paid and taken back": [owed, -owed],
        }[kind]
        transactions = [
            {
                "transactionId": f"T-{statement_id}-{place}",
                "transactionDate": (self._start + timedelta(days=day - 1)).isoformat(),
                "transactionAmt": number(amount) if place % 2 else decimal(amount),
            }
            for place, amount in enumerate(amounts, 1)
        ]
        if kind == "paid in part":
            transactions.append(dict(transactions[0]))
        patients = self._documents[statement_id]["patients"]
        document = {
            "statementId": statement_id,
            "clientId": self.client_id,
            "partnerTransactionsOnly": True,
            "patients": [{"accountId": patient["accountId"]} for patient in patients],
            "partnerTransactions": transactions,
        }
        self.balances[statement_id] = max(0, owed - sum(amounts))
        return document, self._expect(kind, document, Result.UPDATED)

    def _faulty_statements(self) -> list[tuple[Json, Expected]]:
        """One statement for each kind of bad input that can stand in a file with good ones."""
        made = []
        for place, fault in enumerate(FAULTS, 1):
            household = make_household(self._random, self.client_id, _FAULTY_NUMBERS + place, "plain", self._start)
            document = self._statement(household, household.patients, f"{self.client_id}-faulty-{place:02d}", 0)
            fault.apply(document)
            statement_id, client_id = document.get("statementId"), document.get("clientId")
            made.append((document, Expected(fault.kind, statement_id, client_id, None, Result.FAILED, fault.pointer)))
        return made

    def _repeats_within_a_file(self, made: list[tuple[Json, Expected]]) -> list[tuple[Json, Expected]]:
        """Repeat two statements of the file: an identical one is ignored, a different one fails, the first counts."""
        first, second = [document for document, expected in made if expected.kind == "plain"][:2]
        changed = {**copy.deepcopy(second), "statementMessage": "A second statement with the same number."}
        return [
            (copy.deepcopy(first), self._expect("identical in one file", first, Result.IGNORED)),
            (changed, self._expect("duplicate in one file", changed, Result.FAILED, "/statementId")),
        ]

    # --- bookkeeping ---

    def _owing(self, *kinds: str) -> list[str]:
        """Return the bills of households of these kinds on which something is owed, in the order of their making."""
        return [
            statement_id
            for statement_id, household in self._owners.items()
            if household.kind in kinds and self.balances.get(statement_id, 0) > 0
        ]

    def _store(self, kind: str, document: Json, result: Result) -> Expected:
        self._documents[document["statementId"]] = document
        self.balances[document["statementId"]] = in_cents(document["totalBalance"])
        return self._expect(kind, document, result)

    def _expect(self, kind: str, document: Json, result: Result, error: str | None = None) -> Expected:
        statement_id = document["statementId"]
        household, balance = self._owners[statement_id], self.balances[statement_id]
        read_in_full = "guarantor" in document and error is None
        warnings = household.warnings if read_in_full else ()
        return Expected(kind, statement_id, self.client_id, household.key, result, error, warnings, balance)
