"""Leave out of the built layer what libraries bring and nothing here reads: data of other languages and countries.

Every file is unpacked for every new copy of a function, and code and layer together may be 250 MB unpacked at most.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Surplus:
    """What of a library goes: all that fits `pattern`, but for names that begin with one of `kept`."""

    pattern: str
    why: str
    kept: tuple[str, ...] = ()


SURPLUS = (
    Surplus("babel/locale-data/*.dat", "messages are written in English and Spanish", ("root.", "en", "es")),
    Surplus("holidays/locale/*", "holidays are only dates to us, their names aren't shown"),
    Surplus("phonenumbers/geodata", "where a number's exchange lies, in words; its time zone comes from other data"),
    Surplus("phonenumbers/carrierdata", "which carrier a number was given to first"),
    Surplus("phonenumbers/shortdata/region_*", "short numbers such as 911: none is a patient's"),
    Surplus("dns", "asks for an address's mail server; addresses are only read, never looked up"),
)


def trim(build: Path) -> int:
    """Remove the surplus from the layer of a build folder, and answer how many files went."""
    gone = 0
    for surplus in SURPLUS:
        for path in sorted((build / "SharedLayer" / "python").glob(surplus.pattern)):
            if surplus.kept and path.name.startswith(surplus.kept):
                continue
            gone += sum(1 for file in path.rglob("*") if file.is_file()) if path.is_dir() else 1
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return gone
