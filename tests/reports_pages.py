"""What every report promises: one file, no script, nothing from anywhere else."""

import re
from html.parser import HTMLParser

REFERENCES = ("src", "href", "xlink:href", "srcset", "action", "data", "poster")


class _Look(HTMLParser):
    def __init__(self):
        super().__init__()
        self.styles = []

    def handle_starttag(self, tag, attrs):
        assert tag not in ("script", "link", "iframe", "object", "embed", "img", "base", "form"), tag
        for name, value in attrs:
            assert not name.startswith("on"), (tag, name)
            assert name not in REFERENCES or value.startswith("#"), (tag, name, value)
            if name == "style":
                self.styles.append(value)

    def handle_data(self, data):
        if self.rawdata[: self.rawdata.find(data)].rstrip().endswith("<style>"):
            self.styles.append(data)


def check_offline(html):
    """Raise AssertionError unless a page has no script and refers to nothing outside of itself."""
    look = _Look()
    look.feed(html)
    styles = [*look.styles, *re.findall(r"<style[^>]*>(.*?)</style>", html, re.S)]
    for style in styles:
        assert "@import" not in style
        assert all(target.strip("'\" ").startswith("#") for target in re.findall(r"url\(([^)]*)\)", style)), style
