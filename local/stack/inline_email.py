"""Write the email layout that ships, from its source and style sheet: `python -m local.stack.inline_email`.

Mail programs drop or rewrite style sheets, so each element carries its own style; only what can't be inlined (media
queries) stays in the head. It is done here and not in the function: see docs/decisions/0003.
"""

from __future__ import annotations

import sys

import css_inline

from local.stack.workspace import PROJECT

TEMPLATES = PROJECT / "shared" / "rendering" / "templates"
SHIPPED = TEMPLATES / "email.html"
PLACE, COMMENT = "[[ screens_css ]]", "/* screens_css */"
"""Where the style sheet of the head is put in. To the inliner it must be CSS, or it takes the first rule with it."""


def inlined() -> str:
    """The layout with every rule of email.css on the elements that it is for."""
    source = (TEMPLATES / "email.source.html").read_text(encoding="utf-8")
    css = (TEMPLATES / "email.css").read_text(encoding="utf-8")
    inliner = css_inline.CSSInliner(load_remote_stylesheets=False, extra_css=css)
    return inliner.inline(source.replace(PLACE, COMMENT)).replace(COMMENT, PLACE)


def main() -> int:
    """Write it."""
    SHIPPED.write_text(inlined(), encoding="utf-8")
    print(f"written: {SHIPPED.relative_to(PROJECT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
