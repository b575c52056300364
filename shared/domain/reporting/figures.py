"""The keys of what is counted: words joined by `|`. They are stored, so they stay."""

STATEMENTS_RECEIVED, CREATED, UPDATED = "statements", "created", "updated"
"""Statements received, by whether they made a bill or went on with one."""

BILLED = "billed"
"""Cents: what of the bills made on the day was paid since, or is still owed."""

NOTICE_MOVES = "notices"
"""Notices that came into a status, by channel, type, level and status."""

SENDINGS = "sendings"
"""Times that a provider took a notice of a channel, or may have taken it."""

LETTERS_AVOIDED = "lettersAvoided"
"""Letters of a step that weren't sent, because the guarantor is reached electronically."""

LINKS_OPENED = "linksOpened"
OPT_OUTS_MADE, COMPLAINTS = "optOuts", "complaints"

MONEY, PAID_ONLINE, AT_THE_DESK = "money", "online", "desk"
"""Cents that came in, less what went back, by whether they came through a payment link."""

PAYMENTS = "payments"
"""Payments by channel, type and level of the notice that each counts for, and of which: how many, how many cents."""

COLLECTED = "collected"
"""Cents that were paid so many days after the day that their bills were made on; a figure of that day."""

COUNT, CENTS = "count", "cents"


def figure(*words: object) -> str:
    """The key of a figure."""
    return "|".join(map(str, words))


def words_of(name: str) -> list[str]:
    """What `figure` made the key of a figure of."""
    return name.split("|")
