"""What an email's HTML may hold: text, tables, links and pictures; nothing that runs, loads, frames or asks."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

SAFE_TAGS = frozenset(
    [
        "a",
        "abbr",
        "b",
        "blockquote",
        "body",
        "br",
        "center",
        "col",
        "colgroup",
        "dd",
        "div",
        "dl",
        "dt",
        "em",
        "font",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "head",
        "hr",
        "html",
        "i",
        "img",
        "li",
        "meta",
        "ol",
        "p",
        "pre",
        "small",
        "span",
        "strong",
        "style",
        "sub",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "title",
        "tr",
        "u",
        "ul",
    ]
)

SAFE_ATTRIBUTES = frozenset(
    [
        "align",
        "alt",
        "bgcolor",
        "border",
        "cellpadding",
        "cellspacing",
        "charset",
        "class",
        "color",
        "cols",
        "colspan",
        "content",
        "dir",
        "face",
        "height",
        "hidden",
        "href",
        "id",
        "lang",
        "name",
        "role",
        "rowspan",
        "scope",
        "size",
        "src",
        "style",
        "title",
        "valign",
        "width",
        "xmlns",
    ]
)

LINK_ADDRESSES = re.compile(r"(?:https?:|mailto:|tel:|#)", re.IGNORECASE)
PICTURE_ADDRESSES = re.compile(r"(?:https:|cid:|data:image/(?:png|jpeg|gif);base64,)", re.IGNORECASE)
CONDITIONAL = re.compile(r"\[if\b[^\]]*\]>(.*?)(?:<!\[endif\])?", re.IGNORECASE | re.DOTALL)
LOADING_STYLE = re.compile(r"@import|url\s*\(|expression\s*\(|javascript:|behavior\s*:|-moz-binding", re.IGNORECASE)
SAFE_META = frozenset(
    ["viewport", "color-scheme", "supported-color-schemes", "format-detection", "x-apple-disable-message-reformatting"]
)


@dataclass
class _Reader(HTMLParser):
    """Reads a document once: what is unsafe in it, and what a person reads."""

    unsafe: dict[str, None] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    inside: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in SAFE_TAGS:
            self._refuse(f"has the element <{_shown(tag)}>")
        for name, value in attrs:
            self._attribute(tag, name, value or "")
        if tag in {"style", "title"}:
            self.inside.append(tag)
        # A cell, a paragraph or a break parts two words; markup within a word doesn't.
        if tag not in {"a", "abbr", "b", "em", "font", "i", "small", "span", "strong", "sub", "sup", "u"}:
            self.words.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in self.inside:
            self.inside.remove(tag)

    def handle_data(self, data: str) -> None:
        if "style" in self.inside:
            if LOADING_STYLE.search(_unescaped_style(data)):
                self._refuse("has a style that loads something")
        else:
            self.words.append(data)

    def handle_comment(self, data: str) -> None:
        # Some mail programs show what stands in a conditional comment, so it is read as they would.
        conditional = CONDITIONAL.fullmatch(data.strip())
        if conditional:
            inside = read_markup(conditional[1])
            self.unsafe |= dict.fromkeys(inside.unsafe)
            self.words.append(f" {inside.words} ")

    def handle_decl(self, decl: str) -> None:
        if not decl.lower().startswith("doctype html"):
            self._refuse("has a declaration other than <!doctype html>")

    def unknown_decl(self, data: str) -> None:
        if not re.fullmatch(r"(?:if\b[^\]]*|endif)", data.strip(), re.IGNORECASE):
            self._refuse(f"has the declaration <![{_shown(data)}")

    def handle_pi(self, data: str) -> None:
        self._refuse(f"has the instruction <?{_shown(data)}")

    def _attribute(self, tag: str, name: str, value: str) -> None:
        if name not in SAFE_ATTRIBUTES and not name.startswith(("aria-", "data-")):
            self._refuse(f"has the attribute {_shown(name)}")
        elif name == "href" and (tag != "a" or not LINK_ADDRESSES.match(value.strip())):
            self._refuse("has a link that is no address")
        elif name == "src" and (tag != "img" or not PICTURE_ADDRESSES.match(value.strip())):
            self._refuse("has a picture from another place than https")
        elif name == "style" and LOADING_STYLE.search(_unescaped_style(value)):
            self._refuse("has a style that loads something")
        elif tag == "meta" and name == "name" and value.strip().lower() not in SAFE_META:
            self._refuse(f"has the meta element {_shown(value)}")
        if name in {"alt", "title", "aria-label"}:
            self.words.append(f" {value} ")

    def _refuse(self, what: str) -> None:
        self.unsafe[what] = None


def _shown(name: str) -> str:
    return name[:40]


def _unescaped_style(style: str) -> str:
    """A style without the escapes and comments that its words could be hidden by."""
    plain = re.sub(r"/\*.*?\*/", "", style, flags=re.DOTALL)
    return re.sub(r"\\([0-9a-fA-F]{1,6})\s?", lambda found: chr(min(int(found[1], 16), 0x10FFFF)), plain)


@dataclass(frozen=True, slots=True)
class ReadMarkup:
    """What is unsafe in a document, and what a person reads in it."""

    unsafe: tuple[str, ...]
    words: str


def read_markup(html: str) -> ReadMarkup:
    """Read an email's HTML as a mail program would."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return ReadMarkup(tuple(reader.unsafe), "".join(reader.words))
