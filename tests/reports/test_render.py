"""A page as HTML, Markdown and CSV: whole, offline, and harmless whatever the texts in it say."""

import csv
import io
import re
from html.parser import HTMLParser

import pytest
from matplotlib.figure import Figure

from matchclf.reports.drawings import bars, calibration_gaps, history, in_style, intervals, lines
from matchclf.reports.files import write_report
from matchclf.reports.page import RUN, Column, Page, Plot, Section, Table
from matchclf.reports.render import to_csv, to_html, to_markdown
from matchclf.reports.svg import BLUE, VARIABLES, inline_svg
from reports_pages import check_offline

ID = "0123456789abcdef0123456789abcdef"
EVIL = r"$\frac$<script>alert('x')</script><img src=http://evil.example/x>"
COLUMNS = (Column("variant"), Column("log-loss", ".4f"), Column("matches", ","), Column("run", RUN))
TABLE = Table("scores", "Scores", COLUMNS, (("elo_only", 1.02144, 81223, ID), ("none", None, float("nan"), None)))


def page(text="plain", *blocks):
    return Page("kind-1", text, ((text, text),), (Section(text, (text,), blocks or (TABLE,)),))


def cells(html):
    return re.findall(r"<td([^>]*)>(.*?)</td>", html)


def test_a_table_shows_each_number_with_its_run_and_nothing_for_what_is_unknown():
    assert cells(to_html(page())) == [
        ("", "elo_only"),
        (f' class="number" title="run {ID}"', "1.0214"),
        (f' class="number" title="run {ID}"', "81,223"),
        (f' class="run" title="{ID}"', "01234567"),
        ("", "none"),
        (' class="number"', ""),
        (' class="number"', ""),
        (' class="run"', ""),
    ]


def test_csv_has_all_digits_and_whole_ids():
    assert to_csv(TABLE) == f"variant,log-loss,matches,run\nelo_only,1.02144,81223,{ID}\nnone,,,\n"


def test_markdown_has_the_same_table():
    assert to_markdown(page()) == (
        "# plain\n- plain: plain\n\n## plain\n\nplain\n\n**Scores**\n\n"
        "| variant | log-loss | matches | run |\n| --- | ---: | ---: | --- |\n"
        "| elo\\_only | 1.0214 | 81,223 | 01234567 |\n| none |  |  |  |\n"
    )


def test_texts_of_users_are_text_everywhere():
    figure = intervals({EVIL: {EVIL: (0.0, -1.0, 1.0)}, "other": {}}, EVIL)
    table = Table("t", EVIL, (Column(EVIL), Column("run", RUN)), ((EVIL, EVIL), ("=1+1|`x`", ID)))
    whole = page(EVIL, table, Table("u", EVIL, (Column("a"),), ((EVIL,),), folded=True), Plot(figure, EVIL))
    check_offline(to_html(whole))
    told = to_markdown(whole)
    assert "<" not in told
    assert "\\|\\`x\\`" in told
    rows = list(csv.reader(io.StringIO(to_csv(table))))
    assert rows == [[EVIL, "run"], [EVIL, EVIL], ["'=1+1|`x`", ID]]


def test_the_check_of_these_tests_finds_what_it_is_for():
    for bad in (
        '<img src="http://a.example/x">',
        "<a href='https://a.example'>",
        "<p onclick='x()'>",
        "<style>p { background: url(//a.example/x) }</style>",
        "<style>@import 'x.css'</style>",
        "<script>x()</script>",
        '<image xlink:href="x.png">',
        '<p style="background: url(x.png)">',
    ):
        with pytest.raises(AssertionError):
            check_offline(f"<html>{bad}</html>")


def test_secrets_are_masked_in_every_form():
    secret = "password=hunter2hunter2"
    for told in (to_html(page(secret)), to_markdown(page(secret)), to_csv(Table("t", "", (Column(secret),), ()))):
        assert "hunter2" not in told


FIGURES = {
    "intervals": lambda: intervals({"one": {"a": (0.1, 0.05, 0.15), "b": (-0.1, -0.2, -0.05)}}, "nats"),
    "lines": lambda: lines({"a": [(0.1, 1.1), (1.0, 1.0)], "b": [(0.1, 1.1), (1.0, 1.001)]}, "share", "nats"),
    "history": lambda: history([0, 1, 2], [1.1, 1.0, 9.0], ["pruned", "complete", "complete"]),
    "bars": lambda: bars({"a": 0.75, "b": 0.25}, ".0%", "share"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_plot_takes_all_its_colours_from_the_page_and_keeps_its_texts(name):
    text = inline_svg(FIGURES[name](), "p1", "what it shows")
    assert re.findall(r"#[0-9a-fA-F]{6}\b", text) == []
    assert set(re.findall(r"var\(--(\w+)\)", text)) <= set(VARIABLES.values())
    assert text.startswith('<svg role="img" aria-label="what it shows" viewBox="0 0 ')
    assert "http" not in text
    assert "font-family" not in text
    assert "DejaVu" not in text
    unit = {"intervals": "nats", "lines": "share", "history": "trial", "bars": "share"}[name]
    assert re.search(rf">{unit}</text>", text)


def test_two_plots_of_one_page_have_no_id_in_common():
    figure = FIGURES["bars"]()
    ids = [re.findall(r'\bid="([^"]+)"', inline_svg(figure, prefix, "")) for prefix in ("p1", "p2")]
    assert len(set(ids[0]) | set(ids[1])) == len(ids[0]) + len(ids[1])


def test_every_name_of_a_colour_has_a_value_for_light_and_for_dark():
    style = re.search(r"<style>(.*?)</style>", to_html(page()), re.S)[1]
    light, dark = style.split("@media (prefers-color-scheme: dark)")
    for variable in VARIABLES.values():
        assert f"--{variable}: #" in light
        assert f"--{variable}: #" in dark


def test_the_same_page_gives_the_same_bytes():
    assert to_html(page("x", Plot(FIGURES["lines"](), ""))) == to_html(page("x", Plot(FIGURES["lines"](), "")))


def test_calibration_gaps_are_those_of_ten_equal_groups():
    import numpy as np

    proba = np.linspace(0.2, 0.4, 100)
    target = (np.arange(100) % 4 > 0).astype(np.int8)
    figure = calibration_gaps(target, {"one": np.column_stack([proba, proba, 1 - 2 * proba])})
    line = figure.axes[0].lines[0]
    said = proba.reshape(10, 10).mean(axis=1)
    was = (target == 0).reshape(10, 10).mean(axis=1)
    np.testing.assert_allclose(line.get_xdata(), 100 * said)
    np.testing.assert_allclose(line.get_ydata(), 100 * (was - said))


def test_a_drawing_leaves_the_settings_of_matplotlib_alone():
    import matplotlib as mpl

    before = dict(mpl.rcParams)

    @in_style
    def draw():
        assert mpl.rcParams["svg.fonttype"] == "none"
        return Figure()

    draw()
    assert dict(mpl.rcParams) == before
    assert BLUE in VARIABLES


def test_a_report_is_a_folder_with_a_page_a_text_and_a_table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    target = write_report(Page("a/b c..", "t", (), (Section("s", (), (TABLE,)),)))
    assert str(target) == "data/reports/a-b-c/report.html"
    assert sorted(path.name for path in target.parent.iterdir()) == ["report.html", "report.md", "scores.csv"]
    assert (target.parent / "scores.csv").read_text() == to_csv(TABLE)


def test_html_is_well_formed():
    open_tags = []

    class Nested(HTMLParser):
        def handle_starttag(self, tag, attrs):
            if tag not in ("meta", "br", "use"):
                open_tags.append(tag)

        def handle_startendtag(self, tag, attrs):
            pass

        def handle_endtag(self, tag):
            if tag != "use":
                assert open_tags.pop() == tag

    folded = Table("t", "T", COLUMNS, TABLE.rows, folded=True)
    Nested().feed(to_html(page("x", TABLE, folded, Plot(FIGURES["bars"](), ""))))
    assert open_tags == []
