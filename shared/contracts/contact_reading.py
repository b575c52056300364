"""Contact data of a statement: used, absent, or left out with a warning (docs/rules.md#unusable-contact-data).

What holds more or less than it should and can't be mistaken is mended (docs/rules.md, Reading what partners send).
"""

import re
from dataclasses import dataclass, field
from typing import Any

from shared.contracts import contact
from shared.contracts.plain_text import UNREADABLE
from shared.contracts.statement_bodies import LONGEST_LINE
from shared.contracts.statement_mending import (
    TURNED,
    has_overrides,
    is_hollow,
    is_quoted,
    one_line,
    words_in,
    yes_or_no,
)
from shared.contracts.us_places import is_us, state_code
from shared.domain.records.ingestion import Remark
from shared.domain.records.statement import Address, OptOuts
from shared.domain.vocabulary.json_documents import Ambiguous
from shared.domain.vocabulary.json_pointers import pointer_to
from shared.domain.vocabulary.postal_codes import postal_code
from shared.domain.vocabulary.words import AddressStatus, Language

ADDRESS = "/guarantor/address"
ADDRESS_LINES = ("line1", "line2", "city", "state")

OPT_OUT_LETTERS = {"e": OptOuts(email=True), "m": OptOuts(sms=True), "b": OptOuts(email=True, sms=True)}

LANGUAGE_NAMES = {
    **dict.fromkeys(("en", "eng", "english", "ingles"), Language.ENGLISH),
    **dict.fromkeys(("es", "esp", "spa", "spanish", "espanol", "castilian", "castellano"), Language.SPANISH),
}
"""ISO 639's codes of two and three letters, and the names in both languages; what follows them is a region."""


def given_of(value: Any) -> Any:  # noqa: ANN401 - any decoded JSON
    """A value without the space around it; None for one that is absent, null or blank."""
    text = value.strip() if isinstance(value, str) else value
    return None if text == "" else text


def _language_named(given: str) -> Language | None:
    """The language whose name or code a text begins with: `Spanish (Mexico)`, `es-MX`, `SPA`."""
    first = re.split(r"[^\w]|_", given, maxsplit=1)[0]
    return LANGUAGE_NAMES.get(words_in(first))


@dataclass(slots=True)
class ContactReader:
    """Reads contact data member by member, and notes what it has to mend, to leave out, or to fail the statement for.

    unusable: pointers to what is given and can't be used.
    """

    mends: list[Remark]
    warnings: list[Remark] = field(default_factory=list)
    errors: list[Remark] = field(default_factory=list)
    unusable: set[str] = field(default_factory=set)

    def warn(self, pointer: str, detail: str) -> None:
        """Tell of what can't be used."""
        self.warnings.append(Remark(pointer, detail))

    def _mended(self, pointer: str, detail: str) -> None:
        self.mends.append(Remark(pointer, detail))

    def _unusable(self, pointer: str, detail: str) -> None:
        self.warn(pointer, detail)
        self.unusable.add(pointer)

    def name(self, pointer: str, value: str) -> str:
        """A person's name as it came."""
        if "\N{REPLACEMENT CHARACTER}" in value:
            self.warn(pointer, "holds the sign for a lost character (U+FFFD)")
        return value

    def email(self, pointer: str, value: object) -> str:
        """An email address, or where the field holds more than one, its first."""
        given = given_of(value)
        if given is None:
            return ""
        text = given if isinstance(given, str) else ""
        found = contact.email_address(text)
        if found is None and (found := contact.first_email_address(text)) is not None:
            self._mended(pointer, "holds more than an email address; the first in it is used")
        if found is None:
            self._unusable(pointer, "isn't a usable email address; it isn't used")
        return found or ""

    def phone(self, pointer: str, value: object) -> str:
        """A phone number; a placeholder counts as unknown."""
        given = given_of(value)
        if given is None:
            return ""
        text = str(given) if isinstance(given, int) and not isinstance(given, bool) else given
        found = contact.phone_number(text) if isinstance(text, str) else None
        if found is None:
            self._unusable(pointer, "isn't a usable phone number; it isn't used")
        elif contact.is_placeholder_number(found):
            self.warn(pointer, "is no person's phone number; taken as unknown")
            return ""
        return found or ""

    def language(self, value: object) -> Language:
        """A language, by its code or name, with or without a region."""
        given = given_of(value)
        word = given.casefold() if isinstance(given, str) else given
        if word in tuple(Language):
            return Language(word)
        named = _language_named(given) if isinstance(given, str) else None
        if named is not None:
            self._mended("/guarantor/language", f"isn't a language's code; taken as {named}")
        elif given is not None:
            self.warn("/guarantor/language", "isn't a language that we write in; English is used")
        return named or Language.ENGLISH

    def opt_out(self, pointer: str, value: object) -> OptOuts | None:
        """What an opt-out says; unreadable: out of everything electronic, to be on the safe side."""
        given = given_of(value)
        if given is None:
            return None
        said = yes_or_no(given)
        if said is not None:
            if not isinstance(given, bool) and not is_quoted(given):
                self._mended(pointer, f"is taken as {str(said).lower()}")
            return OptOuts(email=True, sms=True) if said else None
        closed = OPT_OUT_LETTERS.get(given.casefold()) if isinstance(given, str) else None
        if closed is None:
            self.warn(pointer, "can't be read; taken as opted out of email and text")
        return closed or OptOuts(email=True, sms=True)

    # The mailing address.

    def address_status(self, value: object) -> AddressStatus | None:
        """What USPS says of the address."""
        given = given_of(value)
        word = given.upper() if isinstance(given, str) else given
        if word in tuple(AddressStatus):
            return AddressStatus(word)
        if given is not None:
            self.warn("/guarantor/addressStatus", "isn't one of Y, S, D and N; it isn't used")
        return None

    def address(self, value: object) -> Address | None:
        """A US mailing address; None, with a remark: nothing can be mailed, to an earlier one neither."""
        found = self._address(value)
        if found is None and not is_hollow(value):
            self.unusable.add(ADDRESS)
        return found

    def _address(self, value: object) -> Address | None:
        pointer = ADDRESS
        if isinstance(value, Ambiguous):
            self.errors += [Remark(f"{pointer}{pointer_to([name])}", "appears more than once") for name in value.twice]
            return None
        if is_hollow(value):
            self.warn(pointer, "is missing; nothing can be mailed")
            return None
        if not isinstance(value, dict):
            self.warn(pointer, "must be an object; nothing can be mailed")
            return None
        if not self._is_domestic(f"{pointer}/country", value.get("country")):
            return None
        lines = {name: self._address_line(f"{pointer}/{name}", value.get(name), name) for name in ADDRESS_LINES}
        code = self._postal_code(f"{pointer}/postalCode", value.get("postalCode"), lines["state"] or "")
        if code is None or any(line is None for line in lines.values()):
            return None
        return Address(
            line1=lines["line1"] or "",
            line2=lines["line2"] or "",
            city=lines["city"] or "",
            state=lines["state"] or "",
            postal_code=code,
        )

    def _is_domestic(self, pointer: str, value: object) -> bool:
        country = given_of(value)
        domestic = country is None or (isinstance(country, str | int) and is_us(str(country)))
        if not domestic:
            self.warn(pointer, "isn't the United States; nothing can be mailed")
        return domestic

    def _address_line(self, pointer: str, value: object, name: str) -> str | None:
        """A line of the address; None, with a remark: nothing can be mailed."""
        given = self._printable(pointer, value)
        if given is None:
            if name == "line2":
                return ""
            self.warn(pointer, "is missing; nothing can be mailed")
            return None
        if not isinstance(given, str) or len(given) > LONGEST_LINE:
            self.warn(pointer, f"must be text of at most {LONGEST_LINE} characters; nothing can be mailed")
            return None
        if name == "state" and state_code(given) is None:
            self.warn(pointer, "isn't a state of the United States; nothing can be mailed")
            return None
        return given

    def _postal_code(self, pointer: str, value: object, state: str) -> str | None:
        """The ZIP code; None, with a remark: nothing can be mailed. Its state tells whether it lost zeros."""
        given = self._printable(pointer, value)
        if given is None:
            self.warn(pointer, "is missing; nothing can be mailed")
            return None
        digits = str(given) if isinstance(given, str | int) and not isinstance(given, bool) else ""
        code = postal_code(digits)
        if code is None and (code := contact.mended_postal_code(digits, state_code(state) or "")) is not None:
            self._mended(pointer, "had lost the zeros at its beginning")
        if code is None:
            self.warn(pointer, "isn't a ZIP code; nothing can be mailed")
        return code

    def _printable(self, pointer: str, value: object) -> object:
        """A value of the address without the white space in and around it; None: there is none, or it is an error."""
        if isinstance(value, str) and not value.isprintable():
            if has_overrides(value):
                self._mended(pointer, TURNED)
            value = one_line(value)
            if UNREADABLE.search(value):
                self.errors.append(Remark(pointer, "must not hold control characters or broken Unicode"))
                return None
        return given_of(value)
