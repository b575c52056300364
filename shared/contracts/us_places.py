"""States, territories and military posts as US addresses name them, and how an address shows that it is none.

States are USPS Publication 28, appendix B: also the District, territories, associated states and military posts.
"""

import re
import unicodedata
from functools import lru_cache

_NAMES = """
AL Alabama; AK Alaska; AZ Arizona; AR Arkansas; CA California; CO Colorado; CT Connecticut; DE Delaware;
DC District of Columbia; FL Florida; GA Georgia; HI Hawaii; ID Idaho; IL Illinois; IN Indiana; IA Iowa; KS Kansas;
KY Kentucky; LA Louisiana; ME Maine; MD Maryland; MA Massachusetts; MI Michigan; MN Minnesota; MS Mississippi;
MO Missouri; MT Montana; NE Nebraska; NV Nevada; NH New Hampshire; NJ New Jersey; NM New Mexico; NY New York;
NC North Carolina; ND North Dakota; OH Ohio; OK Oklahoma; OR Oregon; PA Pennsylvania; RI Rhode Island;
SC South Carolina; SD South Dakota; TN Tennessee; TX Texas; UT Utah; VT Vermont; VA Virginia; WA Washington;
WV West Virginia; WI Wisconsin; WY Wyoming; AS American Samoa; GU Guam; MP Northern Mariana Islands; PR Puerto Rico;
VI Virgin Islands; UM US Minor Outlying Islands; FM Federated States of Micronesia; MH Marshall Islands; PW Palau;
AA Armed Forces Americas; AE Armed Forces Europe; AP Armed Forces Pacific
"""
_OTHER_NAMES = (
    ("DC", "Washington DC"),
    ("VI", "US Virgin Islands"),
    ("MP", "Commonwealth of the Northern Mariana Islands"),
    ("FM", "Micronesia"),
    ("MH", "Republic of the Marshall Islands"),
    ("PW", "Republic of Palau"),
)
_ABBREVIATIONS = (
    "AL Ala, AZ Ariz, AR Ark, CA Calif, CO Colo, CT Conn, DE Del, FL Fla, IL Ill, IN Ind, KS Kan, KS Kans, MA Mass,"
    " MI Mich, MN Minn, MS Miss, MT Mont, NE Neb, NE Nebr, NV Nev, OK Okla, OR Ore, OR Oreg, PA Penn, PA Penna,"
    " TN Tenn, TX Tex, WA Wash, WI Wis, WI Wisc, WV W Va, WY Wyo"
)
"""As states were shortened before they had two letters."""

_PAIRS = tuple((name[:2], name[3:]) for name in re.split(r";\s+", _NAMES.strip()))
STATES = frozenset(code for code, _ in _PAIRS)
"""What USPS takes for a state."""

_TERRITORIES = ("AS", "GU", "MP", "PR", "VI", "UM", "FM", "MH", "PW")
"""These have a country code of their own (ISO 3166), and US ZIP codes all the same."""

_COUNTRY_NAMES = ("US", "USA", "United States", "United States of America", "America", "840", "EE UU", "Estados Unidos")

_LOST_ZEROS = {
    "CT": "060-069",
    "MA": "010-027 055",
    "ME": "039-049",
    "NH": "030-038",
    "NJ": "070-089 099",
    "NY": "005 063",
    "PR": "006 007 009",
    "RI": "028 029",
    "VI": "008",
    "VT": "050-054 056-059",
    "AE": "090-099",
}
"""By state, the first three digits of the ZIP codes that begin with a zero."""


def _letters(value: str) -> str:
    plain = unicodedata.normalize("NFKD", value.casefold())
    return "".join(character for character in plain if character.isalnum())


_BY_NAME = {
    **{_letters(code): code for code in STATES},
    **{_letters(name): code for code, name in (*_PAIRS, *_OTHER_NAMES)},
    **{_letters(name[3:]): name[:2] for name in _ABBREVIATIONS.split(", ")},
}
_COUNTRIES = frozenset(
    map(_letters, (*_COUNTRY_NAMES, *_TERRITORIES, *(name for code, name in _PAIRS if code in _TERRITORIES)))
)


@lru_cache(maxsize=256)  # the same few states stand on every statement
def state_code(value: str) -> str | None:
    """The two letters of a state, however it is named: `NY`, `n.y.`, `New York`; None: it is none of the US."""
    return _BY_NAME.get(_letters(value))


def is_us(country: str) -> bool:
    """Whether a country, by name or code, is the United States or a territory with US ZIP codes."""
    return _letters(country) in _COUNTRIES


def begins_in(postal_code: str, state: str) -> bool:
    """Whether a state (two letters) has ZIP codes that begin like this one, which begins with a zero."""
    runs = (run.partition("-") for run in _LOST_ZEROS.get(state, "").split())
    return any(first <= postal_code[:3] <= (last or first) for first, _, last in runs)
