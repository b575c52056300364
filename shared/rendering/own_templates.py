"""Templates that organizations write: what they may do at all, and how one is used without risk for the notice.

The language is a small part of jinja's: variables by name, `if`, `for line in address_lines`, and filters that change
letters. Nothing in it can call, reach into a value, multiply or loop over anything long. So what a template writes is
bounded by its size, and so is the time that it takes, whatever it says; the sandbox is the second wall, not the first.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from jinja2 import TemplateSyntaxError, nodes

from shared.domain.delivery.orders import TemplateFailedError
from shared.domain.records.own_template import OwnTemplate
from shared.domain.vocabulary.words import Channel
from shared.rendering.environment import text_environment
from shared.rendering.templates import MessageTemplate

VARIABLES: dict[Channel, frozenset[str]] = {
    Channel.EMAIL: frozenset(
        [
            "address_lines",
            "amount_due",
            "amount_over",
            "amount_paid",
            "first_name",
            "link",
            "link_expires",
            "online",
            "paid_on",
            "paid_statements",
            "payment_reference",
            "phone",
            "phone_link",
            "practice",
            "short_name",
            "staff_name",
            "unsubscribe_link",
        ]
    ),
    Channel.SMS: frozenset(["brief", "link", "online", "phone", "practice", "short_name", "terse"]),
    Channel.PRINT: frozenset(["first_name", "phone", "practice", "short_name"]),
}
"""What a template of a channel may name."""

LISTS = frozenset({"address_lines"})
"""Variables that are lists, and short ones."""

FILTERS = frozenset({"capitalize", "lower", "title", "trim", "upper"})
"""Filters that a template may use, without arguments: none makes a text longer than a letter or two."""

ALLOWED_NODES = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.If,
    nodes.CondExpr,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Compare,
    nodes.Operand,
)

MOST_NODES = 2_000
"""Pieces of one source; our own largest has a few hundred."""

MOST_CHARACTERS = {Channel.EMAIL: 300_000, Channel.SMS: 2_000, Channel.PRINT: 4_000}
"""What one message may come to, all its parts together. Mail programs cut an email off at a third of that."""

NOT_READ = "is no template that can be read"


@dataclass(frozen=True, slots=True)
class Construct:
    """Something that a template may not do, as a person is told it, with its line."""

    what: str
    line: int

    def __str__(self) -> str:
        return f"{self.what} (line {self.line})"


def forbidden(source: str, channel: Channel) -> list[Construct]:
    """All that a source does which a template of a channel may not do; nothing: it may be rendered."""
    try:
        tree = text_environment().parse(source)
        pieces = sum(1 for _ in _walk(tree, 0))
        if pieces > MOST_NODES:
            return [Construct(f"has more than {MOST_NODES} pieces", 1)]
        found = list(_forbidden(tree, VARIABLES[channel]))
        if not found:
            text_environment().from_string(source)
    except TemplateSyntaxError as error:
        return [Construct(f"{NOT_READ}: {error.message}", error.lineno)]
    except (SyntaxError, RecursionError, MemoryError, ValueError):  # of Python's compiler, for what nests too deeply
        return [Construct(f"{NOT_READ}: it is nested too deeply", 1)]
    return found


def _walk(node: nodes.Node, depth: int) -> Iterator[nodes.Node]:
    yield node
    for child in node.iter_child_nodes():
        yield from _walk(child, depth + 1)


def _forbidden(node: nodes.Node, known: frozenset[str]) -> Iterator[Construct]:
    match node:
        case nodes.For():
            yield from _forbidden_loop(node, known)
            return
        case nodes.Filter(name=name):
            if name not in FILTERS or node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
                yield Construct(f"uses the filter {name}, which isn't one of {', '.join(sorted(FILTERS))}", node.lineno)
        case nodes.Name(name=name):
            if name not in known:
                yield Construct(f"names the unknown variable {name}", node.lineno)
        case _ if not isinstance(node, ALLOWED_NODES):
            yield Construct(f"uses {_named(node)}, which templates may not", node.lineno)
            return
    for child in node.iter_child_nodes():
        yield from _forbidden(child, known)


def _forbidden_loop(loop: nodes.For, known: frozenset[str]) -> Iterator[Construct]:
    """A loop over a short list by its name, with nothing but text and variables in it."""
    over, target = loop.iter, loop.target
    if not (isinstance(over, nodes.Name) and over.name in LISTS & known):
        yield Construct("loops over something else than address_lines", loop.lineno)
    elif not isinstance(target, nodes.Name) or target.name in known or loop.test or loop.else_ or loop.recursive:
        yield Construct("has a loop other than {% for line in address_lines %}", loop.lineno)
    elif any(isinstance(inner, nodes.For) for child in loop.body for inner in _walk(child, 0)):
        yield Construct("has a loop within a loop", loop.lineno)
    else:
        for child in loop.body:
            yield from _forbidden(child, known | {target.name})


def _named(node: nodes.Node) -> str:
    """A construct in the words of the language: a call, an attribute, a macro..."""
    words = {"Getattr": "an attribute", "Getitem": "an item", "Call": "a call"}
    return words.get(type(node).__name__, type(node).__name__.lower())


@lru_cache(maxsize=256)
def sources_of(template: OwnTemplate) -> MessageTemplate:
    """A template's sources, looked at again: it was saved by an older version of these rules, perhaps.

    Raises TemplateFailedError.
    """
    sources = (template.subject, template.html, template.text)
    if any(forbidden(source, template.channel) for source in sources):
        raise TemplateFailedError("forbidden construct")
    return MessageTemplate(subject=template.subject, html=template.html, text=template.text)


def written[R](own: OwnTemplate | None, write: Callable[[MessageTemplate | None], R], length: Callable[[R], int]) -> R:
    """Write a message by an own template, or by the system's where there is none.

    Raises TemplateFailedError for whatever an own template does wrong, so that the notice can go by the system's.
    """
    if own is None:
        return write(None)
    try:
        message = write(sources_of(own))
    except TemplateFailedError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a partner's template does, its notice goes
        raise TemplateFailedError(type(error).__name__) from None
    if length(message) > MOST_CHARACTERS[own.channel]:
        raise TemplateFailedError("too long")
    return message
