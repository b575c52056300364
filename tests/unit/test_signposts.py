"""Every signpost leads somewhere: code points to rules, rules to code and tests, documents to headings."""

import re

import pytest

from tests.worlds.signposts import NAME, PROJECT, RULES, anchors, links, rules, signposts, texts

WRITTEN = rules(RULES.read_text())

AWAY = re.compile(
    r"\b(?:domain|contract|budgets|layout|naming|style)\.md\b|\bsettled[ ]question|\bquestions? \d", re.IGNORECASE
)
"""Names of documents that aren't in the project, and of the places in them."""

DOCUMENT = re.compile(r"\bdocs/[\w/-]+\.md\b")


def test_every_signpost_leads_to_a_rule() -> None:
    """In code, tests, templates, settings and documents."""
    names = {rule.name for rule in WRITTEN}
    pointed = [(path, name) for path, text in texts() for name in signposts(text)]
    assert len(pointed) > len(WRITTEN) / 2
    assert [(path, name) for path, name in pointed if name not in names] == []


def test_what_partners_read_holds_no_signpost() -> None:
    """Docstrings of models and words are descriptions of the API's document; its readers don't have ours."""
    assert DOCUMENT.findall((PROJECT / "docs/openapi.json").read_text()) == []


def test_every_document_that_is_named_is_there() -> None:
    named = [(path, name) for path, text in texts() for name in DOCUMENT.findall(text)]
    assert named
    assert [(path, name) for path, name in named if not (PROJECT / name).is_file()] == []


def test_every_link_to_a_heading_leads_to_one() -> None:
    """By GitHub's rules for anchors."""
    documents = {PROJECT / path: text for path, text in texts() if path.endswith(".md")}
    known = {here: anchors(text) for here, text in documents.items()}
    found = [
        (here, (here.parent / target).resolve() if target else here, anchor)
        for here, text in documents.items()
        for target, anchor in links(text)
    ]
    assert found
    assert [(here.name, anchor) for here, there, anchor in found if anchor not in known.get(there, set())] == []


def test_no_signpost_leads_out_of_the_project() -> None:
    lines = ((path, line) for path, text in texts() for line in text.splitlines())
    assert [(path, line.strip()) for path, line in lines if AWAY.search(line)] == []


def test_every_rule_names_code_and_tests_that_are_there() -> None:
    missing = [f"{rule.name}: {place}" for rule in WRITTEN for place in (*rule.code, *rule.tests) if not place.is_there]
    assert missing == []
    assert [rule.name for rule in WRITTEN if not (rule.code and rule.tests)] == []
    tests = [(rule.name, test) for rule in WRITTEN for test in rule.tests]
    assert [(name, str(test)) for name, test in tests if not test.name.startswith("test_")] == []


def test_every_rule_says_something_under_a_short_name_of_its_own() -> None:
    names = [rule.name for rule in WRITTEN]
    assert [name for name in names if not re.fullmatch(NAME, name)] == []
    assert len(set(names)) == len(names)
    assert [rule.name for rule in WRITTEN if not rule.says] == []
    headings = anchors(RULES.read_text())
    assert [name for name in names if name not in headings or f"{name}-1" in headings] == []


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("Drop to paper on opt-out", "drop-to-paper-on-opt-out"),
        ("Holds, and a bill's status", "holds-and-a-bills-status"),
        ("Several bills: one notice", "several-bills-one-notice"),
        ("1. One `transaction` a *change*", "1-one-transaction-a-change"),
        ("What [GitHub](https://example.com) makes_of - it", "what-github-makes_of---it"),
    ],
)
def test_an_anchor_is_the_headings_words_without_signs(heading: str, anchor: str) -> None:
    """Of two equal headings the second gets a number, and what stands in a block of code is none."""
    assert anchors(f"# {heading}\n\n```\n# not this\n```\n\n## {heading}\n") == {anchor, f"{anchor}-1"}


def test_a_signpost_may_name_several_rules() -> None:
    """Joined by commas or "and", over the end of a line too."""
    text = "decides (docs/rules.md#minimum, #opt-out\n    and #hold); docs/rules.md#bounce. See #receipt"
    assert signposts(text) == ["minimum", "opt-out", "hold", "bounce"]
