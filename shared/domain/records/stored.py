"""What every stored record has, so that no version of the code loses what another wrote."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRecord:
    """A record that is read, changed and written again (docs/rules.md#newer-records).

    as_read: the stored document, where it held more than this version of the code knows; "" otherwise. No rule looks
    at it: storage passes on from it what would be lost.
    """

    as_read: str = field(default="", compare=False, repr=False)
