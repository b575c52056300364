"""Which signs a text may hold, for bodies of the API as for statements."""

import re

OVERRIDES = "\u202a-\u202e\u2066-\u2069"
"""Bidirectional embeddings, overrides and isolates: they turn around what stands behind them."""

UNREADABLE = re.compile(rf"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029{OVERRIDES}]")
"""Control characters, halves of surrogate pairs, Unicode's own line breaks, and the overrides."""

_READABLE = rf"[^\p{{Cc}}\u2028\u2029{OVERRIDES}]"
"""Anything else, as the models' own patterns say it; broken Unicode they refuse by themselves."""

ONE_LINE = rf"^{_READABLE}*$"

NOT_BLANK = rf"^{_READABLE}*[^\p{{Cc}}\s{OVERRIDES}]{_READABLE}*$"
"""One readable line that isn't blank."""

PARAGRAPHS = rf"^(?:{_READABLE}|\n)*$"

NO_CONTROL_CHARACTERS = "must not hold control characters"
UNREADABLE_TEXT = f"{NO_CONTROL_CHARACTERS} or broken Unicode"
"""What is told of a text that holds them."""
