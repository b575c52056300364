"""A lower bound for checks of all that there is: of nothing, everything is true."""

from collections.abc import Iterable


def some[T](found: Iterable[T]) -> list[T]:
    """What was found, which is something."""
    listed = list(found)
    assert listed, "there is nothing to check"
    return listed
