"""A figure as SVG inside a page: its texts stay texts, and its colours follow the page, light or dark."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Drawn in these colours, shown in the page's variables of these names: no plot uses the first three for anything else.
INK, FAINT, BACK = "#010203", "#a1b2c3", "#fefdfc"
BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#999999"
VARIABLES = {
    INK: "ink",
    FAINT: "faint",
    BACK: "back",
    BLUE: "blue",
    ORANGE: "orange",
    GREEN: "green",
    PURPLE: "purple",
    GREY: "grey",
}
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "matchclf",
    # A name with dollar signs is a name.
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": FAINT,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": FAINT,
    "grid.linewidth": 0.5,
}
_DROPPED = re.compile(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<metadata>.*?</metadata>|<defs>\s*<style.*?</style>\s*</defs>", re.S)
_SIZE = re.compile(r'<svg [^>]*?viewBox="0 0 ([0-9.]+) ([0-9.]+)"[^>]*>', re.S)
_FONT = re.compile(r"font: (?:[0-9]+ )?([0-9.]+px) [^;\"]+")
_FAMILY = re.compile(r"font-family: [^;\"]+;? ?")


def inline_svg(figure: Figure, prefix: str, shows: str) -> str:
    """The figure as one ``svg`` element; ``prefix`` keeps its ids apart from those of the page's other figures.

    It holds no reference to anything outside of it.
    """
    import matplotlib as mpl

    stream = io.StringIO()
    with mpl.rc_context(STYLE):
        _lay_out(figure)
        figure.savefig(stream, format="svg", metadata={"Date": None})
    text = _DROPPED.sub("", stream.getvalue()).strip()
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{prefix}-", text).replace("xlink:href", "href")
    text = _FAMILY.sub("", _FONT.sub(r"font-size: \1", text))
    for colour, variable in VARIABLES.items():
        text = re.sub(colour, f"var(--{variable})", text, flags=re.I)
    return _SIZE.sub(_head(shows), text, count=1)


def _lay_out(figure: Figure) -> None:
    # When saved it would be drawn twice, the first time only to be laid out.
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
        figure.set_layout_engine("none")


def _head(shows: str) -> str:
    from markupsafe import escape

    told = str(escape(shows)).replace("\\", r"\\")
    return rf'<svg role="img" aria-label="{told}" viewBox="0 0 \1 \2" style="max-width: \1pt">'
