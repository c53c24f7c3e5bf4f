import logging
import re
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from matchclf.console import progress, step, table


def test_a_step_is_one_line_with_its_name_its_time_and_what_it_found(caplog):
    caplog.set_level(logging.INFO, "matchclf")
    with step("features") as found:
        found.append("132 columns")
        found.append("2 families")
        assert caplog.messages == []
    assert len(caplog.messages) == 1
    assert re.fullmatch(r"features {2,6}\d+\.\d s  132 columns, 2 families", caplog.messages[0])


def test_lines_of_steps_stand_below_one_another(caplog):
    caplog.set_level(logging.INFO, "matchclf")
    for name in ("matches", "features"):
        with step(name) as found:
            found.append("done")
    assert {line.index("done") for line in caplog.messages} == {21}


def test_a_step_that_fails_says_nothing_of_its_own(caplog):
    caplog.set_level(logging.DEBUG, "matchclf")
    with pytest.raises(ZeroDivisionError), step("features"):
        _ = 1 / 0
    assert caplog.messages == []


def test_off_a_terminal_a_progress_bar_prints_nothing_and_counts_on(capsys):
    with progress("xgb", 8) as bar, ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: bar.advance(bar.task_ids[0]), range(8)))
        assert bar.tasks[0].completed == 8
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("level", "shown"), [(logging.INFO, True), (logging.WARNING, False)])
def test_on_a_terminal_a_progress_bar_shows_name_and_number_unless_it_is_to_be_quiet(capsys, monkeypatch, level, shown):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    handler = logging.StreamHandler(sys.stdout)
    handler.setLevel(level)
    monkeypatch.setattr(logging.getLogger(), "handlers", [handler])
    with progress("xgb", 8) as bar:
        bar.advance(bar.task_ids[0], 3)
        bar.refresh()
    out = capsys.readouterr().out
    assert ("xgb" in out, "3/8" in out) == (shown, shown)


def test_a_table_has_its_first_column_on_the_left_and_the_others_on_the_right():
    found = table(["", "log-loss", "ECE"], [["xgb", "0.9905", "0.01"], ["logreg", "10.0001", "-"]])
    assert found.splitlines() == [
        "        log-loss   ECE",
        "xgb       0.9905  0.01",
        "logreg   10.0001     -",
    ]


def test_brackets_in_a_table_are_no_markup():
    assert "[bold]x[/bold]" in table(["name"], [["[bold]x[/bold]"]])


def test_a_table_without_rows_is_its_header():
    assert table(["name", "log-loss"], []) == "name  log-loss"


def test_the_longest_table_we_show_is_not_cut():
    name = "smoke | ablation | variant=full_no_h2h | frac=0.001 (0123abcd)"
    models = ["dummy", "logreg", "hgb", "xgb", "catboost", "lightgbm", "tabnet", "ordered"]
    lines = table(["", *models], [[name, *(["1.0986"] * len(models))]]).splitlines()
    assert lines[0].split() == models
    assert lines[1].split("  ")[0] == name
    assert lines[1].count("1.0986") == len(models)
