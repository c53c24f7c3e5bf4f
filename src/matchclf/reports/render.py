"""A page as HTML in one file that needs nothing else, as Markdown, and its tables as CSV."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from matchclf.redaction import redact
from matchclf.reports.page import RUN, Page, Plot, Table, is_unknown
from matchclf.reports.svg import inline_svg

# What a spreadsheet takes for the beginning of a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def to_html(page: Page) -> str:
    """The page in one file without scripts and without any reference to another; secrets are masked."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    drawn: list[Plot] = []

    def draw(plot: Plot) -> Markup:
        drawn.append(plot)
        # Matplotlib and inline_svg have escaped the text in it.
        return Markup(inline_svg(plot.figure, f"p{len(drawn)}", plot.shows))  # noqa: S704  # nosec B704

    loader = FileSystemLoader(Path(__file__).parent)
    surroundings = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    whole = surroundings.get_template("page.html.jinja").render(page=page, draw=draw, is_plot=_is_plot, RUN=RUN)
    return redact(whole)


def to_markdown(page: Page) -> str:
    """The sentences and tables of the page; of a plot what it shows."""
    parts = [f"# {_plain(page.title)}", *(f"- {_plain(name)}: {_plain(value)}" for name, value in page.facts)]
    for section in page.sections:
        parts += ["", f"## {_plain(section.title)}", *(f"\n{_plain(sentence)}" for sentence in section.text)]
        for block in section.blocks:
            parts += ["", f"*{_plain(block.shows)}*" if isinstance(block, Plot) else _markdown_table(block)]
    return redact("\n".join(parts) + "\n")


def to_csv(table: Table) -> str:
    """All values of a table in full, ids of runs too."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(_harmless(column.name) for column in table.columns)
    writer.writerows([_harmless(value) for value in row] for row in table.rows)
    return redact(stream.getvalue())


def _markdown_table(table: Table) -> str:
    lines = [
        [_plain(column.name) for column in table.columns],
        ["---:" if column.is_number else "---" for column in table.columns],
        *([_plain(c.told(v)) for c, v in zip(table.columns, row, strict=True)] for row in table.rows),
    ]
    return "\n".join([f"**{_plain(table.title)}**", "", *(f"| {' | '.join(cells)} |" for cells in lines)])


def _plain(text: str) -> str:
    """Text that Markdown neither takes for markup nor for the end of a cell."""
    for sign in "\\`*_[]|":
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.replace("&", "&amp;").replace("<", "&lt;").split())


def _harmless(value: Any) -> Any:
    if is_unknown(value):
        return ""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _is_plot(block: Plot | Table) -> bool:
    return isinstance(block, Plot)
