"""Who a statement is about: ids that name nobody, and whether two guarantors are the same person.

Sending one person's bill to another is the worst thing that we can do, and the systems that statements come from write
placeholders for people that they don't know (docs/rules.md#placeholder-guarantor and #another-person).
"""

import unicodedata
from dataclasses import replace
from itertools import starmap

from shared.domain.intake.arrival import Arrival
from shared.domain.records.ingestion import Remark
from shared.domain.records.statement import PATIENT_KEY, Address, Guarantor

GUARANTOR_ID = "/guarantor/guarantorId"

BELONGS_TO_ANOTHER = Remark(GUARANTOR_ID, "belongs to another person: nothing that both sides say of them agrees")
RESERVED = Remark(GUARANTOR_ID, f"must not begin with {PATIENT_KEY}, which is kept for patients without a guarantorId")
NAMES_NOBODY = Remark(GUARANTOR_ID, "names nobody; the account goes by the first patient's accountId")

FEWEST_NINES = 3
"""How many nines, and nothing else, name nobody: practices reach 9 and 99 by counting."""

FEWEST_DIFFERENCES = 2
"""How many facts have to differ, where none agrees, for a guarantor to be another person."""

_NOBODY = """
    self selfpay sameaspatient sameasguarantor same patient patientself guarantor subscriber insured
    none noguarantor nobody noone nil null undefined nan na notapplicable notavailable notassigned
    unassigned unknown unk unspecified missing blank empty void default tbd placeholder dummy ninguno
    ninguna nadie desconocido desconocida mismo misma elmismo lamisma paciente
"""
NOBODY = frozenset(_NOBODY.split())
"""Words for nobody, or for the patient, by their letters alone."""


def names_nobody(guarantor_id: str) -> bool:
    """Whether an id is a placeholder: a word for nobody or the patient, only signs, zeros, nines or crosses, or -1."""
    shown = unicodedata.normalize("NFKC", guarantor_id).casefold()
    bare = _bare(shown)
    signs = {str(unicodedata.decimal(sign, sign)) for sign in bare}
    nines = signs == {"9"} and len(bare) >= FEWEST_NINES
    return not bare or bare in NOBODY or signs in ({"0"}, {"x"}) or nines or shown.strip() == "-1"


def is_reserved(guarantor_id: str) -> bool:
    """Whether an id is in the name space of patients who have no guarantor's id."""
    return unicodedata.normalize("NFKC", guarantor_id).strip().casefold().startswith(PATIENT_KEY)


def with_known_guarantor(arrival: Arrival) -> Arrival:
    """The arrival without a `guarantorId` that names nobody, and with a warning that says so."""
    statement = arrival.statement
    given = statement.guarantor.guarantor_id
    if not given or not names_nobody(given):
        return arrival
    unnamed = replace(statement, guarantor=replace(statement.guarantor, guarantor_id=""))
    return replace(arrival, statement=unnamed, warnings=(*arrival.warnings, NAMES_NOBODY))


def same_person(one: Guarantor, other: Guarantor) -> bool:
    """Whether two guarantors may be one person, by the facts that both sides have.

    They aren't where no fact agrees and two or more differ. What one side doesn't know says nothing.
    """
    known = [(a, b) for a, b in zip(_facts(one), _facts(other), strict=True) if a and b]
    agreeing = sum(starmap(str.__eq__, known))
    return agreeing > 0 or len(known) < FEWEST_DIFFERENCES


def _facts(guarantor: Guarantor) -> tuple[str, ...]:
    """First name, last name, date of birth, email, mobile phone and postal address, bare; "": not known."""
    born = guarantor.date_of_birth
    return (
        _bare(guarantor.first_name),
        _bare(guarantor.last_name),
        born.isoformat() if born else "",
        _bare(guarantor.email),
        _bare(guarantor.mobile_phone),
        _bare_address(guarantor.address),
    )


def _bare_address(address: Address | None) -> str:
    """An address as its letters and digits.

    Whether a unit stands on a line of its own makes no difference, nor does the block that a longer ZIP code names.
    """
    if address is None:
        return ""
    lines = address.line1, address.line2, address.city, address.state, address.postal_code.partition("-")[0]
    return _bare("".join(lines))


def _bare(text: str) -> str:
    """The letters and digits of a text, in one case and without the accents of Latin letters."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    kept = (sign for sign in plain if unicodedata.category(sign)[0] in "LNM" and not "\u0300" <= sign <= "\u036f")
    return "".join(kept)
