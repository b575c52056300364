"""The sandbox that templates run in. A template is compiled once; partners may write their own."""

from functools import cache, lru_cache

from jinja2 import StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment


@cache
def text_environment() -> ImmutableSandboxedEnvironment:
    """For plain text: nothing is escaped."""
    return _environment(escapes=False)


@lru_cache(maxsize=256)
def compiled_text(source: str) -> Template:
    """A template of plain text, compiled when it is first needed."""
    return text_environment().from_string(source)


@cache
def html_environment() -> ImmutableSandboxedEnvironment:
    """For HTML: whatever a variable holds is text, never markup."""
    return _environment(escapes=True)


def _environment(*, escapes: bool) -> ImmutableSandboxedEnvironment:
    # The last newline stays: a text part ends with one.
    return ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        autoescape=escapes,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        cache_size=0,
    )
