"""Which signs a text may hold, for bodies of the API as for statements."""

import re

UNREADABLE_SIGNS = r"\x00-\x1f\x7f-\x9f\ud800-\udfff"
"""Control characters, and halves of surrogate pairs."""

UNREADABLE = re.compile(f"[{UNREADABLE_SIGNS}]")

NOT_ON_ONE_LINE = re.compile(f"[{UNREADABLE_SIGNS}\u2028\u2029]")
"""What is unreadable, and Unicode's own line breaks."""

_READABLE = r"[^\p{Cc}]"
"""Anything but a control character, as the models' own patterns say it; broken Unicode they refuse by themselves."""

READABLE_PATTERN = f"^{_READABLE}*$"

FILLED_PATTERN = rf"^{_READABLE}*[^\p{{Cc}}\s]{_READABLE}*$"
"""Readable, and not blank."""

NO_CONTROL_CHARACTERS = "must not hold control characters"
UNREADABLE_TEXT = f"{NO_CONTROL_CHARACTERS} or broken Unicode"
"""What is told of a text that holds them."""
