"""The time zones of US ZIP codes, by their first three digits.

Drawn from the zipcodes package, which a test compares it with. The package itself takes a third of a second and 50 MB
to look at its first code and 0.2 ms for each further one, many times what the rest of a statement costs; this takes
none of that. Where a prefix lies in several zones all are named: a text then waits until it is day in each of them.
A prefix that no code begins with names none, and a military one those of its theatre (docs/rules.md#military-zip).
"""

from bisect import bisect_right

PREFIX_LENGTH = 3

RUNS = (
    ("005", "America/New_York"),
    ("006", "America/Puerto_Rico"),
    ("008", "America/St_Thomas"),
    ("009", "America/Puerto_Rico"),
    ("010", "America/New_York"),
    ("324", "America/Chicago America/New_York"),
    ("325", "America/Chicago"),
    ("326", "America/New_York"),
    ("350", "America/Chicago"),
    ("373", "America/Chicago America/New_York"),
    ("375", "America/Chicago"),
    ("376", "America/New_York"),
    ("377", "America/Chicago America/New_York"),
    ("378", "America/New_York"),
    ("380", "America/Chicago"),
    ("398", "America/New_York"),
    ("400", "America/Kentucky/Louisville America/New_York"),
    ("401", "America/Chicago America/Kentucky/Louisville America/New_York"),
    ("402", "America/Kentucky/Louisville"),
    ("403", "America/New_York"),
    ("420", "America/Chicago"),
    ("425", "America/New_York"),
    ("426", "America/Chicago America/Kentucky/Monticello America/New_York"),
    ("427", "America/Chicago America/New_York"),
    ("430", "America/New_York"),
    ("460", "America/Indiana/Indianapolis"),
    ("463", "America/Chicago America/Indiana/Knox"),
    ("464", "America/Chicago"),
    ("465", "America/Indiana/Indianapolis America/Indiana/Knox"),
    ("466", "America/Indiana/Indianapolis"),
    ("469", "America/Indiana/Indianapolis America/Indiana/Knox America/Indiana/Winamac"),
    ("470", "America/Indiana/Indianapolis America/Indiana/Vevay America/New_York"),
    ("471", "America/Indiana/Indianapolis America/Indiana/Marengo America/Kentucky/Louisville"),
    ("472", "America/Indiana/Indianapolis"),
    ("475", "America/Chicago America/Indiana/Petersburg America/Indiana/Tell_City America/Indiana/Vincennes"),
    ("476", "America/Chicago"),
    ("478", "America/Indiana/Indianapolis"),
    ("479", "America/Chicago America/Indiana/Indianapolis America/Indiana/Winamac"),
    ("480", "America/Detroit"),
    ("498", "America/Detroit America/Menominee"),
    ("500", "America/Chicago"),
    ("569", "America/New_York"),
    ("570", "America/Chicago"),
    ("575", "America/Chicago America/Denver"),
    ("577", "America/Denver"),
    ("580", "America/Chicago"),
    (
        "585",
        (
            "America/Chicago America/Denver America/North_Dakota/Beulah "
            "America/North_Dakota/Center America/North_Dakota/New_Salem"
        ),
    ),
    ("586", "America/Denver America/North_Dakota/New_Salem"),
    ("587", "America/Chicago"),
    ("590", "America/Denver"),
    ("600", "America/Chicago"),
    ("677", "America/Chicago America/Denver"),
    ("679", "America/Chicago"),
    ("690", "America/Chicago America/Denver"),
    ("693", "America/Denver"),
    ("700", "America/Chicago"),
    ("798", "America/Chicago America/Denver"),
    ("800", "America/Denver"),
    ("832", "America/Boise"),
    ("834", "America/Boise America/Denver"),
    ("835", "America/Boise America/Los_Angeles"),
    ("836", "America/Boise"),
    ("838", "America/Los_Angeles"),
    ("840", "America/Denver"),
    ("850", "America/Phoenix"),
    ("860", "America/Denver America/Phoenix"),
    ("863", "America/Phoenix"),
    ("865", "America/Denver America/Phoenix"),
    ("870", "America/Denver"),
    ("888", "America/New_York"),
    ("889", "America/Los_Angeles"),
    ("967", "Pacific/Honolulu Pacific/Pago_Pago"),
    ("968", "Pacific/Honolulu"),
    ("969", "Pacific/Chuuk Pacific/Guam Pacific/Majuro Pacific/Palau Pacific/Saipan"),
    ("970", "America/Los_Angeles"),
    ("979", "America/Boise America/Los_Angeles"),
    ("980", "America/Los_Angeles"),
    ("995", "America/Adak America/Anchorage America/Nome"),
    ("996", "America/Anchorage America/Nome America/Yakutat"),
    ("997", "America/Anchorage America/Nome"),
    ("998", "America/Juneau America/Sitka"),
    ("999", "America/Juneau America/Metlakatla America/Sitka"),
)
"""Where the zones change: the first prefix of each run, and the zones of all codes up to the next run."""

_UNASSIGNED = (
    "000 001 002 003 004 213 269 343 345 348 353 419 428 429 517 518 519 529 533 536 552 568 578 579 589 621 632 642"
    " 643 659 663 682 694 695 696 697 698 699 702 709 715 732 742 771 817 818 819 839 848 849 854 858 861 862 866 867"
    " 868 869 872 886 887 892 896 899 909 929 987"
)
UNASSIGNED = frozenset(_UNASSIGNED.split())
"""The prefixes that no ZIP code begins with: the runs pass over them."""

THEATRES = {
    "AE": ("Europe/Athens", "Europe/Berlin", "Europe/London"),
    "AP": ("Asia/Tokyo", "Pacific/Guam"),
    "AA": ("America/Bogota", "America/Sao_Paulo", "America/Tegucigalpa"),
}
"""Where military mail goes, by what it has for a state: Europe, the Pacific, the Americas but for the US and Canada.

The code doesn't tell the post's country, so these are the outermost zones of the theatre and the one in its middle.
"""

_MILITARY = {
    **dict.fromkeys((f"{prefix:03d}" for prefix in range(90, 100)), "AE"),
    **dict.fromkeys(("962", "963", "964", "965", "966"), "AP"),
    "340": "AA",
}
SHARED_WITH_CIVILIANS = "099"
"""The one military prefix that civilian codes begin with too."""

_FIRSTS = tuple(first for first, _ in RUNS)


def theatre_of(prefix: str) -> str | None:
    """What codes that begin with these three digits have for a state if they are military ones; None: they aren't."""
    return _MILITARY.get(prefix[:PREFIX_LENGTH])


def zones_of_prefix(prefix: str) -> tuple[str, ...]:
    """The zones of all codes that begin with these three digits; empty where none does."""
    prefix = prefix[:PREFIX_LENGTH]
    theatre = theatre_of(prefix)
    if prefix in UNASSIGNED:
        return ()
    if theatre and prefix != SHARED_WITH_CIVILIANS:
        return THEATRES[theatre]
    run = bisect_right(_FIRSTS, prefix) - 1
    civilian = tuple(RUNS[run][1].split(" ")) if run >= 0 else ()
    return (*THEATRES[theatre], *civilian) if theatre else civilian
