"""The outbox: what was really sent, as files that a browser opens. Everything in them is made up."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from local.demo.ledger import DUNNING_WORDS
from local.demo.practices import PRACTICES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from local.demo.ledger import Ledger
    from local.demo.run import DemoRun

_LETTERS_OF_A_KIND = 2
_STYLE = """
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #1c2733; }
table { border-collapse: collapse; width: 100%; margin-bottom: 2rem; }
th, td { text-align: left; padding: .375rem .75rem; border-bottom: 1px solid #d9e0e5; overflow-wrap: anywhere; }
th { white-space: nowrap; } td:first-child { white-space: nowrap; }
"""


@dataclass(frozen=True)
class Outbox:
    """The folder with its index, and one example of each."""

    folder: Path
    letters: tuple[Path, ...]

    @property
    def index(self) -> Path:
        """The page that leads to everything."""
        return self.folder / "index.html"


def write(run: DemoRun, ledgers: Mapping[str, Ledger], folder: Path) -> Outbox:
    """Write all emails and texts, and some letters of each kind, into a folder made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    mails = _mails(run, folder)
    letters = _letters(run, ledgers, folder)
    texts = [(str(day), text.to, escape(text.message)) for day, text in run.world.mailbox.texts]
    outbox = Outbox(folder, tuple(path for _, path in letters))
    parts = [
        "<p>What the local AWS really got in the demo. Everybody in it is made up.</p>",
        _table(f"Letters ({len(letters)} of {len(run.world.mailbox.letters)})", ("kind", "letter"), _linked(letters)),
        _table(f"Emails ({len(mails)})", ("day", "to", "subject"), mails),
        _table(f"Texts ({len(texts)})", ("day", "to", "message"), texts),
    ]
    outbox.index.write_text(_page("\n".join(parts)), encoding="utf-8")
    return outbox


def _mails(run: DemoRun, folder: Path) -> list[tuple[str, str, str]]:
    rows = []
    for number, (day, mail) in enumerate(run.world.mailbox.mails, 1):
        name = f"email-{number:04d}"
        (folder / f"{name}.html").write_text(mail.html, encoding="utf-8")
        (folder / f"{name}.txt").write_text(mail.text, encoding="utf-8")
        links = f'<a href="{name}.html">{escape(mail.subject)}</a> (<a href="{name}.txt">plain</a>)'
        rows.append((str(day), escape(", ".join(mail.to)), links))
    return rows


def _letters(run: DemoRun, ledgers: Mapping[str, Ledger], folder: Path) -> list[tuple[str, Path]]:
    """Fetch the first letters of each practice, type and language."""
    keys = {letter.notification_id: letter.pdf for _, letter in run.world.mailbox.letters}
    written: list[tuple[str, Path]] = []
    counts: dict[str, int] = {}
    for practice in PRACTICES:
        for each in ledgers[practice.client_id].notifications:
            language = run.input.accounts[practice.client_id, each.account_id].facts.language
            kind = f"{practice.client_id.lower()}-{each.kind.lower()}-{language}"
            known = each.notification_id in keys and each.kind in DUNNING_WORDS
            if known and counts.get(kind, 0) < _LETTERS_OF_A_KIND:
                counts[kind] = counts.get(kind, 0) + 1
                path = folder / f"letter-{kind}-{counts[kind]}.pdf"
                path.write_bytes(run.stack.printed(keys[each.notification_id]))
                written.append((kind, path))
    return sorted(written)


def _linked(letters: Iterable[tuple[str, Path]]) -> list[tuple[str, str]]:
    return [(escape(kind), f'<a href="{escape(path.name)}">{escape(path.name)}</a>') for kind, path in letters]


def _table(title: str, headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Make a table; the cells are HTML already."""
    head = "".join(f'<th scope="col">{heading}</th>' for heading in headings)
    body = "\n".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<h2>{title}</h2>\n<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>"


def _page(body: str) -> str:
    return f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Outbox of the demo</title>
<style>{_STYLE}</style></head>
<body><h1>Outbox of the demo</h1>
{body}
</body>
</html>
"""
