import numpy as np
import pandas as pd

from matchclf.data.summary import summarise


def part(days: list[str], outcomes: list[int], **more: object) -> pd.DataFrame:
    """Matches of teams that each play at home and away."""
    rows = len(days)
    teams = ["a", "b", "c"] * rows
    table = {
        "date": pd.to_datetime(days),
        "country": "X",
        "division": "D1",
        "home_team": teams[:rows],
        "away_team": teams[1 : rows + 1],
        "home_goals": 2.0,
        "away_goals": 1.0,
        "outcome_1x2": np.array(outcomes, dtype=np.int8),
        **dict.fromkeys(("odds_home", "odds_draw", "odds_away"), 3.0),
    }
    return pd.DataFrame(table | more)


TRAIN = part(
    ["2018-08-04", "2019-05-01", "2020-12-31"],
    [0, 0, 2],
    country=["X", "X", "Y"],
    division=["D1", "D2", "D1"],
    odds_home=[2.0, np.nan, 2.5],
)
TEST = part(["2021-01-01", "2021-05-23", "2021-05-24"], [1, 1, 1], home_goals=0.5)
FOLDS = pd.DataFrame(
    {
        "year": [2020],
        "train_start": pd.to_datetime(["2018-08-04"]),
        "train_end": pd.to_datetime(["2019-05-01"]),
        "train_rows": [12_345],
        "valid_start": pd.to_datetime(["2020-01-01"]),
        "valid_end": pd.to_datetime(["2020-12-31"]),
        "valid_rows": [9_999],
    }
)
FINDINGS = pd.DataFrame(
    {
        "severity": ["doubt", "doubt", "error"],
        "rule": ["team twice on a day", "team twice on a day", "duplicate"],
        "row": [4, 5, 6],
    }
)
BEFORE_FINDINGS = """\
# Prepared data

## Parts

| part | matches | from | to | countries | divisions | teams | home | draw | away | goals | with odds |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
| development | 3 | 2018-08-04 | 2020-12-31 | 2 | 3 | 5 | 66.7% | 0.0% | 33.3% | 3.00 | 66.7% |
| holdout | 3 | 2021-01-01 | 2021-05-24 | 1 | 1 | 3 | 0.0% | 100.0% | 0.0% | 1.50 | 100.0% |

## Folds

| year | train_start | train_end | train_rows | valid_start | valid_end | valid_rows |
| --- | --- | --- | --- | --- | --- | --- |
| 2020 | 2018-08-04 | 2019-05-01 | 12,345 | 2020-01-01 | 2020-12-31 | 9999 |

## Features

| family | columns |
| --- | --- |
| elo | 4 |
| form | 120 |

## Findings

"""
COLUMNS = {"elo": 4, "form": 120}


def test_the_summary_shows_parts_folds_features_and_findings():
    expected = """\
| severity | rule | rows |
| --- | --- | --- |
| doubt | team twice on a day | 2 |
| error | duplicate | 1 |
"""
    assert summarise(TRAIN, TEST, FOLDS, FINDINGS, COLUMNS) == BEFORE_FINDINGS + expected


def test_without_findings_the_summary_says_so():
    nothing = "| findings |\n| --- |\n| none |\n"
    assert summarise(TRAIN, TEST, FOLDS, pd.DataFrame(), COLUMNS) == BEFORE_FINDINGS + nothing
    assert summarise(TRAIN, TEST, FOLDS, FINDINGS[:0], COLUMNS) == BEFORE_FINDINGS + nothing


def test_a_team_is_told_by_country_and_name():
    twice = part(["2018-08-04"] * 3, [0, 1, 2], home_team=["a", "a", "a"], away_team="a", country=["X", "Y", "Y"])
    assert "| development | 3 | 2018-08-04 | 2018-08-04 | 2 | 2 | 2 |" in summarise(
        twice, TEST, FOLDS, FINDINGS, COLUMNS
    )


def test_tables_are_untouched():
    before = [table.copy() for table in (TRAIN, TEST, FOLDS, FINDINGS)]
    summarise(TRAIN, TEST, FOLDS, FINDINGS, COLUMNS)
    for table, kept in zip((TRAIN, TEST, FOLDS, FINDINGS), before, strict=True):
        pd.testing.assert_frame_equal(table, kept)
