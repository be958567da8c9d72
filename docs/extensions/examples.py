"""Shows the examples of docstrings as code in the API reference."""

import re
from typing import Any

import griffe

PROMPT = re.compile(
    r"^Examples?:\n(?:[ \t]*\n)*((?:[ \t]*\S.*\n?|[ \t]*\n(?=[ \t]*>>>))+)",
    re.MULTILINE,
)


def fenced(text: str) -> str:
    """Turns each example that is not indented into a block of code.

    Args:
        text: A docstring whose common indentation is removed.

    Returns:
        The same, with the example in a fence that Markdown understands.
    """

    def block(match: re.Match) -> str:
        code = match[1].rstrip()
        return f"**Example**\n\n```pycon\n{code}\n```\n"

    return PROMPT.sub(block, text)


class Examples(griffe.Extension):
    """Rewrites the docstring of every object that is loaded."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring:
            obj.docstring.value = fenced(obj.docstring.value)
