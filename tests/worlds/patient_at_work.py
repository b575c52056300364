"""A patient at a browser without script, who follows the link in a message."""

import re

import httpx
import pytest


def link_in(text: str) -> str:
    """The payment link in a message."""
    found = re.search(r"http\S+/pay/\S+", text)
    assert found
    return found.group()


class Form:
    """A page's form as a browser without script sends it."""

    def __init__(self, page: httpx.Response, action: str) -> None:
        """Find the form whose action ends with a word, and what its hidden fields carry."""
        for found in re.finditer(r"<form[^>]*action=\"([^\"]*)\"[^>]*>(.*?)</form>", page.text, re.DOTALL):
            self.action, inside = found.group(1).replace("&amp;", "&"), found.group(2)
            if self.action.split("?")[0].endswith(action):
                break
        else:
            pytest.fail(f"no form for {action} on the page")
        hidden = re.findall(r"<input[^>]*type=\"hidden\"[^>]*>", inside)
        self.fields = {
            re.search(r"name=\"([^\"]*)\"", tag).group(1): re.search(r"value=\"([^\"]*)\"", tag).group(1)  # type: ignore[union-attr]  # an input has both
            for tag in hidden
        }
        self.page = page

    def send(self, browser: httpx.Client, **answers: str) -> httpx.Response:
        """Send it, with what a person fills in."""
        return browser.post(self.page.url.join(self.action), data={**self.fields, **answers})
