"""The template that all pages extend, and helpers of several pages."""

import functools
import importlib.resources
from typing import Any

import jinja2

# What a page may give to `base.html`; `facts` are pairs of value and name.
GIVEN: dict[str, Any] = {
    "kicker": "",
    "verdict": "",
    "facts": (),
    "warnings": (),
    "command": "",
    "versions": {},
    "made_from": "",
}


@functools.cache
def page_template(name: str) -> jinja2.Template:
    """Returns a template of this folder that escapes what it is given.

    Args:
        name: File name, such as `"run.html"`. A page that extends `base.html`
            must be given `title` and `heading`, and may be given `GIVEN`.
    """
    folder = importlib.resources.files("reprogram.report.pages")
    environment = jinja2.Environment(
        autoescape=True,
        loader=jinja2.FunctionLoader(
            lambda file: folder.joinpath(file).read_text("utf-8")
        ),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = number
    environment.globals.update(GIVEN)
    return environment.get_template(name)


def number(value: Any) -> str:
    """Writes a value: three digits of a fraction, all of an integer.

    Example:
    >>> number(1234), number(0.12345), number(None), number("text")
    ('1,234', '0.123', 'n/a', 'text')
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.3g}"
    return "n/a" if value is None else str(value)
