"""What Lambda tells a function about its invocation, for tests that call its entry point."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any


def lambda_context(milliseconds_left: Callable[[], int] = lambda: 300_000) -> Any:
    """An invocation with so much time left whenever it asks."""
    return SimpleNamespace(
        function_name="test",
        memory_limit_in_mb=128,
        invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:test",
        aws_request_id="00000000-0000-0000-0000-000000000000",
        get_remaining_time_in_millis=milliseconds_left,
    )
