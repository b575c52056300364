"""Calls that wait for the table, made side by side."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor


def side_by_side[A, B](call: Callable[[A], B], inputs: Sequence[A], workers: int) -> list[B]:
    """What a call answers for each input, in their order, with so many under way at once."""
    if len(inputs) <= 1:
        return [call(each) for each in inputs]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(call, inputs))
