"""Reads a page as a browser would, for the tests of the report."""

import base64
import html.parser
from xml.etree import ElementTree


class Reader(html.parser.HTMLParser):
    """Collects the tags, the text and the images of a page."""

    VOID = ("meta", "img", "br", "link")

    def __init__(self, text: str):
        super().__init__()
        self.tags, self.open, self.images, self.text = [], [], [], ""
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "img":
            self.images.append(dict(attrs))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data

    def titles(self) -> list[str]:
        return [image["alt"] for image in self.images]


def svg_text(uri: str) -> str:
    prefix, data = uri.split(",")
    assert prefix == "data:image/svg+xml;base64"
    svg = base64.b64decode(data).decode()
    ElementTree.fromstring(svg)
    return svg
