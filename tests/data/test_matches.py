from dataclasses import replace
from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from data.formats import HEADER, TODAY, check, read, rows, save, shipped, told
from matchclf.config import Table
from matchclf.data.findings import Origin
from matchclf.data.matches import check_matches
from matchclf.data.odds import choose_odds
from matchclf.data.schema import NAMES, ODDS, STATISTICS
from matchclf.data.table import read_table
from matchclf.errors import ConfigError, DataError

GOALS_MESSAGE = "goals must be whole numbers from 0 to 40, of both teams or of none"
GOOD = "E0,12/08/2023,Good,Fine,2,1,H"
STATS_HEADER = f"{HEADER},HTHG,HTAG,HS,AS,HST,AST"
ODDS_HEADER = f"{HEADER},PSCH,PSCD,PSCA,AvgCH,AvgCD,AvgCA,B365H,B365D,B365A"


def findings(tmp_path, *lines: str, header: str = HEADER, kind: str = "football_data", **changes):
    path = save(tmp_path, *lines, header=header)
    return told(check(path, kind, **({"on_bad_rows": "drop"} | changes)).findings)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("E0,31/02/2023,A,B,2,1,H", [("date", "Date", "31/02/2023")]),
        ("E0,20230812,A,B,2,1,H", [("date", "Date", "20230812")]),
        ("E0,,A,B,2,1,H", [("date", "Date", "")]),
        ("E0,31/12/1849,A,B,2,1,H", [("date", "Date", "1849-12-31")]),
        ("E0,01/01/0001,A,B,2,1,H", [("date", "Date", "0001-01-01")]),
        ("E0,02/01/2026,A,B,2,1,H", [("date", "Date", "2026-01-02")]),
        ("E0,01/01/2029,A,B,,,", [("date", "Date", "2029-01-01")]),
        ("E0,31/12/9999,A,B,,,", [("date", "Date", "9999-12-31")]),
        ("E0,12/08/2023,,B,2,1,H", [("empty_name", "HomeTeam", "")]),
        ("E0,12/08/2023,A,\u200b \xa0,2,1,H", [("empty_name", "AwayTeam", "")]),
        ("E0,12/08/2023,A,A\u200b ,2,1,H", [("plays_itself", "AwayTeam", "A")]),
        ("E0,12/08/2023,A,B,x,1,", [("goals", "FTHG", "x")]),
        ("E0,12/08/2023,A,B,nan,nan,", [("goals", "FTHG", "nan"), ("goals", "FTAG", "nan")]),
        ("E0,12/08/2023,A,B,1.5,1,", [("goals", "FTHG", "1.5")]),
        ("E0,12/08/2023,A,B,-1,1,", [("goals", "FTHG", "-1")]),
        ("E0,12/08/2023,A,B,1,41,", [("goals", "FTAG", "41")]),
        ("E0,12/08/2023,A,B,1,99,", [("goals", "FTAG", "99")]),
        ("E0,12/08/2023,A,B,1,1e39,", [("goals", "FTAG", "1e+39")]),
        ("E0,12/08/2023,A,B,,1,", [("goals", "FTHG", "")]),
        ("E0,12/08/2023,A,B,1,,", [("goals", "FTAG", "")]),
        ("E0,12/08/2023,A,B,2,1,X", [("outcome", "FTR", "X")]),
        ("E0,12/08/2023,A,B,2,1,h", [("outcome", "FTR", "h")]),
        ("E0,12/08/2023,A,B,2,1,D", [("outcome_against_goals", "FTR", "D with 2:1")]),
        ("E0,12/08/2023,A,B,0,1,H", [("outcome_against_goals", "FTR", "H with 0:1")]),
        ("E0,12/08/2023,A,B,,,H", [("outcome_against_goals", "FTR", "H with nan:nan")]),
        ("E9,12/08/2023,A,B,2,1,H", [("unknown_division", "Div", "E9")]),
        (",12/08/2023,A,B,2,1,H", [("unknown_division", "Div", "")]),
    ],
)
def test_a_bad_row_is_left_out_and_listed(tmp_path, line, expected):
    path = save(tmp_path, line, GOOD)
    checked = check(path, on_bad_rows="drop")
    assert rows(checked.matches, "home_team", "away_team") == [("Good", "Fine")]
    assert checked.upcoming.empty
    assert told(checked.findings) == [("bad", rule, 2, column, value) for rule, column, value in expected]
    with pytest.raises(DataError, match="1 of 2 rows cannot be used"):
        check(path)


@pytest.mark.parametrize(
    "line",
    [
        "E0,01/01/1850,A,B,36,0,H",
        "E0,01/01/2026,A,B,40,40,D",
        "E0,12/08/2023,A,B,2.0,+1,",
        "EC,12/08/23,A,B,00,0,D",
        "Argentina,12/08/2023,A,B,0,1,A",
    ],
)
def test_a_rare_but_possible_row_is_good(tmp_path, line):
    assert findings(tmp_path, line, on_bad_rows="error") == []


@pytest.mark.parametrize(("column", "value"), [("tier", "0"), ("tier", "1.5"), ("tier", ""), ("neutral", "perhaps")])
def test_what_only_some_formats_tell_is_checked_too(tmp_path, column, value):
    cells = {"country": "X", "division": "X1", "tier": "1", "neutral": "no"} | {column: value}
    header = "date,home_team,away_team,home_goals,away_goals,country,division,tier,neutral"
    lines = [
        f"2024-01-0{day},A,B,1,0,{','.join(row.values())}" for day, row in ((1, cells), (9, cells | {column: "1"}))
    ]
    expected = "nan" if value == "" else value
    assert findings(tmp_path, *lines, header=header, kind="parquet") == [("bad", column, 2, column, expected)]


def test_empty_country_and_division_are_bad_where_the_file_tells_them(tmp_path):
    header = "date,home_team,away_team,home_goals,away_goals,country,division,tier,neutral"
    lines = ("2024-01-01,A,B,1,0,,X1,1,no", "2024-01-02,A,B,1,0,X,,1,no", "2024-02-02,A,B,1,0,X,X1,1,no")
    assert findings(tmp_path, *lines, header=header, kind="parquet") == [
        ("bad", "empty_name", 2, "country", ""),
        ("bad", "empty_name", 3, "division", ""),
    ]


def test_the_report_tells_all_findings_at_once(tmp_path):
    save(tmp_path, *(f"E0,{day:02}/08/2023,A,B{day},x,1," for day in range(1, 8)), GOOD, name="a.csv")
    save(tmp_path, "E9,12/08/2023,A,C,2,1,H", "e0,40/08/2023,D,D,2,1,H", name="b.csv")
    format_ = replace(shipped("football_data"), path=".", divisions={"E0": ["England", 1], "Y": ["X", 2, "X"]})
    raw = read_table(format_, tmp_path)
    with pytest.raises(DataError) as error:
        check_matches(raw, format_, TODAY)
    assert error.value.exit_code == 3
    assert str(error.value).splitlines() == [
        "9 of 10 rows cannot be used; mend them, or go on without them by data.on_bad_rows=drop:",
        f"a.csv, FTHG: {GOALS_MESSAGE} (7 rows): line 2 'x', line 3 'x', line 4 'x', line 5 'x', line 6 'x' "
        "and 2 more.",
        "b.csv, Date: the date must be one day, written as %d/%m/%Y or %d/%m/%y (1 row): line 3 '40/08/2023'.",
        "b.csv, AwayTeam: a team cannot play itself (1 row): line 3 'D'.",
        "b.csv, Div: not a division of data.divisions, which are E0 (2 rows): line 2 'E9', "
        "line 3 \"e0, closest is 'E0'\".",
    ]


def test_a_long_report_is_cut(tmp_path):
    for number in range(25):
        lines = [f"E0,0{day}/08/2023,A{number},B,x,1," for day in (1, 2)]
        save(tmp_path, *lines, f"E0,03/08/2023,A{number},C{number},2,1,H", name=f"{number:02}.csv")
    with pytest.raises(DataError) as error:
        check(tmp_path)
    lines = str(error.value).splitlines()
    assert (len(lines), lines[-1]) == (22, "... and 10 more in 5 further lines of this kind.")


def test_no_good_row_is_an_error_even_when_bad_ones_are_dropped(tmp_path):
    with pytest.raises(DataError, match=r"No match is left without the bad rows:\nm.csv, FTHG: goals must"):
        check(save(tmp_path, "E0,01/08/2023,A,B,x,1,"), on_bad_rows="drop")


def test_the_first_of_equal_rows_is_kept(tmp_path):
    path = save(tmp_path, GOOD, "E1,12/08/2023,Good ,Fine,2,1,H", GOOD)
    checked = check(path, on_bad_rows="drop")
    assert rows(checked.matches, "division", "home_team") == [("E0", "Good")]
    assert told(checked.findings) == [
        ("bad", "duplicate", 3, "HomeTeam", "Good - Fine on 2023-08-12, also m.csv 2"),
        ("bad", "duplicate", 4, "HomeTeam", "Good - Fine on 2023-08-12, also m.csv 2"),
    ]


def test_of_rows_that_contradict_each_other_none_is_kept(tmp_path):
    path = save(tmp_path, GOOD, "E0,13/08/2023,Good,Other,1,1,D", "E0,12/08/2023,Good,Fine,2,2,D")
    checked = check(path, on_bad_rows="drop")
    assert rows(checked.matches, "away_team") == [("Other",)]
    assert told(checked.findings) == [
        ("bad", "duplicate", 2, "HomeTeam", "Good - Fine on 2023-08-12, also m.csv 4"),
        ("bad", "duplicate", 4, "HomeTeam", "Good - Fine on 2023-08-12, also m.csv 2"),
    ]


def test_a_row_that_is_bad_by_itself_is_no_duplicate(tmp_path):
    assert findings(tmp_path, "E0,12/08/2023,Good,Fine,2,1,A", GOOD) == [
        ("bad", "outcome_against_goals", 2, "FTR", "A with 2:1")
    ]


def test_the_same_names_in_two_countries_are_four_teams(tmp_path):
    assert findings(tmp_path, "E0,12/08/2023,A,B,2,1,H", "SC0,12/08/2023,A,B,2,1,H") == []


def test_two_nations_may_meet_twice_on_a_day_but_not_with_the_same_goals(tmp_path):
    header = "date,home_team,away_team,home_score,away_score,neutral"
    lines = [f"1974-02-17,Tahiti,Fiji,{goals},FALSE" for goals in ("2,1", "0,0", "2,1")]
    found = findings(tmp_path, *lines, header=header, kind="internationals")
    assert [finding[:3] for finding in found] == [
        ("bad", "duplicate", 4),
        *[("doubtful", "twice_a_day", row) for row in (2, 3, 2, 3)],
    ]


def test_matches_without_a_score_are_kept_aside(tmp_path):
    path = save(tmp_path, GOOD, "E0,10/01/2026,Fine,Good,,,", "E0,11/08/2023,Old,Gone,,,")
    checked = check(path)
    assert rows(checked.matches, "home_team", "home_goals") == [("Good", 2.0)]
    assert rows(checked.upcoming, "home_team", "season") == [("Old", "2023/24"), ("Fine", "2025/26")]
    assert checked.upcoming[["home_goals", "away_goals"]].isna().all(axis=None)
    assert told(checked.findings) == [("doubtful", "no_score", 4, "FTHG", "Old - Gone on 2023-08-11")]
    assert checked.source_files == [path]


def test_a_file_of_fixtures_needs_no_columns_for_goals(tmp_path):
    checked = check(save(tmp_path, "E0,10/01/2026,A,B,1", header="Div,Date,HomeTeam,AwayTeam,Goals"))
    assert (len(checked.matches), rows(checked.upcoming, "home_team")) == (0, [("A",)])
    assert told(checked.findings) == [("doubtful", "no_goals", 0, "home_goals", "Div, Date, HomeTeam, AwayTeam, Goals")]


def test_a_fixture_that_another_row_gives_the_score_of_is_left_out(tmp_path):
    path = save(tmp_path, "E0,12/08/2023,Good,Fine,,,", GOOD, "E0,12/08/2023,Fine,Other,,,")
    checked = check(path)
    assert (len(checked.matches), rows(checked.upcoming, "home_team")) == (1, [("Fine",)])
    assert told(checked.findings)[0] == ("doubtful", "played_already", 2, "FTHG", "Good - Fine on 2023-08-12")


def test_a_team_twice_on_a_day_is_let_through(tmp_path):
    path = save(tmp_path, GOOD, "E1,12/08/2023,Other,Good,2,1,H", "E0,13/08/2023,Other,Fine,2,1,H")
    checked = check(path)
    assert len(checked.matches) == 3
    assert told(checked.findings) == [
        ("doubtful", "twice_a_day", 2, "HomeTeam", "Good - Fine on 2023-08-12"),
        ("doubtful", "twice_a_day", 3, "AwayTeam", "Other - Good on 2023-08-12"),
    ]


def test_a_rematch_at_the_same_ground_within_three_days_is_let_through(tmp_path):
    lines = [f"E0,{day}/08/2023,A,B,2,1,H" for day in ("20", "12", "15", "24")]
    assert findings(tmp_path, *lines, "E0,14/08/2023,B,A,2,1,H") == [
        ("doubtful", "rematch", 4, "Date", "A - B on 2023-08-15")
    ]


def test_names_that_are_nearly_the_same_are_let_through(tmp_path):
    lines = [
        "E4,01/01/2023,x,x,0,0,D",
        "E0,01/08/2023,Nott'm Forest,Köln,2,1,H",
        "E0,12/08/2023,Köln,Nott'm Forest,2,1,H",
        "E0,20/08/2023,koln,Nottm forest,2,1,H",
        "SC0,28/08/2023,KÖLN,Other,2,1,H",
    ]
    found = findings(tmp_path, *lines)
    assert found[-2:] == [
        ("doubtful", "similar_names", 5, "HomeTeam", "koln / Köln"),
        ("doubtful", "similar_names", 5, "AwayTeam", "Nottm forest / Nott'm Forest"),
    ]
    assert [finding[1] for finding in found].count("similar_names") == 2


def test_doubtful_statistics_are_unknown_and_good_ones_stay(tmp_path):
    path = save(
        tmp_path,
        "E0,01/08/2023,A,B,2,1,H,1,1,10,9,5,9",
        "E0,12/08/2023,A,C,2,1,H,3,0,x,9,5,10",
        "E0,20/08/2023,A,D,2,1,H,-1,,1.5,1e39,0,201",
        header=STATS_HEADER,
    )
    checked = check(path)
    names = ["half_time_goals", "shots", "shots_on_target"]
    columns = [f"{side}_{name}" for name in names for side in ("home", "away")]
    np.testing.assert_array_equal(
        checked.matches[columns].to_numpy(),
        [[1, 1, 10, 9, 5, 9], [np.nan, 0, np.nan, np.nan, 5, np.nan], [np.nan] * 4 + [0, np.nan]],
    )
    assert sorted(told(checked.findings), key=lambda finding: finding[2:4]) == [
        ("doubtful", "statistic", 3, "AST", "10 of 9"),
        ("doubtful", "statistic", 3, "HS", "x"),
        ("doubtful", "statistic", 3, "HTHG", "3 of 2"),
        ("doubtful", "statistic", 4, "AS", "1e+39"),
        ("doubtful", "statistic", 4, "AST", "201"),
        ("doubtful", "statistic", 4, "HS", "1.5"),
        ("doubtful", "statistic", 4, "HTHG", "-1"),
    ]


@pytest.mark.parametrize(
    ("prices", "chosen", "doubts"),
    [
        ("2,3.5,4,1.9,3.4,3.9,1.8,3.3,3.8", (2, 3.5, 4, "PSC"), []),
        (",,,1.9,3.4,3.9,1.8,3.3,3.8", (1.9, 3.4, 3.9, "AvgC"), []),
        ("2,3.5,,,3.4,3.9,1.8,3.3,3.8", (1.8, 3.3, 3.8, "B365"), []),
        (",,,,,,,,", (None, None, None, ""), []),
        ("2,x,4,1.9,3.4,3.9,,,", (1.9, 3.4, 3.9, "AvgC"), [("PSCD", "x")]),
        ("2,1,4,1.9,3.4,3.9,,,", (1.9, 3.4, 3.9, "AvgC"), [("PSCH, PSCD, PSCA", "2, 1, 4")]),
        ("2,0,4,,,,,,", (None, None, None, ""), [("PSCH, PSCD, PSCA", "2, 0, 4")]),
        ("3,4,4,1.9,3.4,3.9,,,", (1.9, 3.4, 3.9, "AvgC"), [("PSCH, PSCD, PSCA", "3, 4, 4")]),
        ("1.5,3,3,1.9,3.4,3.9,,,", (1.5, 3, 3, "PSC"), []),
        ("1.4,3,3,1.9,3.4,3.9,,,", (1.9, 3.4, 3.9, "AvgC"), [("PSCH, PSCD, PSCA", "1.4, 3, 3")]),
        ("2,3.5,4,1.9,0.4,3.9,,,", (2, 3.5, 4, "PSC"), [("AvgCH, AvgCD, AvgCA", "1.9, 0.4, 3.9")]),
        ("1.0001,1e39,1e39,1.9,3.4,3.9,,,", (1.9, 3.4, 3.9, "AvgC"), [("PSCH, PSCD, PSCA", "1.0001, 1e+39, 1e+39")]),
    ],
)
def test_the_first_whole_and_plausible_set_of_prices_counts(tmp_path, prices, chosen, doubts):
    checked = check(save(tmp_path, f"{GOOD},{prices}", header=ODDS_HEADER))
    expected = pd.DataFrame([chosen], columns=[*ODDS, "odds_source"]).astype(dict.fromkeys(ODDS, "float32"))
    pd.testing.assert_frame_equal(checked.matches[[*ODDS, "odds_source"]], expected.astype({"odds_source": "str"}))
    assert told(checked.findings) == [("doubtful", "odds", 2, column, value) for column, value in doubts]


def test_prices_of_a_row_longer_than_the_header_are_left_out(tmp_path):
    path = save(tmp_path, f"{GOOD},2,3.5,4,,,,,,,9", "E0,13/08/2023,A,B,0,0,D,2,3.5,4,,,,,,,", header=ODDS_HEADER)
    checked = check(path)
    assert rows(checked.matches, "home_team", "odds_source") == [("Good", ""), ("A", "PSC")]
    assert told(checked.findings) == [("doubtful", "extra_cells", 2, "cells", "9")]


def test_closing_prices_come_first_and_betbrain_means_count(tmp_path):
    firsts = [triple[0] for triple in shipped("football_data").odds]
    assert firsts == ["PSCH", "PH", "AvgCH", "B365CH", "PSH", "AvgH", "BbAvH", "B365H", "WHH"]
    path = save(tmp_path, f"{GOOD},1.9,1.8,3.4,3.5,3.9,4.0", header=f"{HEADER},BbMxH,BbAvH,BbMxD,BbAvD,BbMxA,BbAvA")
    assert rows(check(path).matches, *ODDS, "odds_source") == [(np.float32(1.8), 3.5, 4.0, "BbAv")]


def test_the_choice_of_prices_is_that_of_a_plain_loop():
    rng = np.random.default_rng(1)
    triples = [[f"{book}{letter}" for letter in "HDA"] for book in ("P", "Q", "R")]
    prices = pd.DataFrame(rng.uniform(0.8, 6, (400, 9)), columns=[name for triple in triples for name in triple])
    prices = prices.mask(rng.random((400, 9)) < 0.1)
    origin = Origin(pd.DataFrame({"file": "x.csv", "row": range(len(prices))}), {"x.csv": {}})
    odds, _ = choose_odds(prices, Table(name="x", path="x", odds=triples), origin, np.ones(400, dtype=bool))
    expected = []
    for row in prices.to_dict("records"):
        sets = ((triple[0][0], [row[name] for name in triple]) for triple in triples)
        good = [
            (*three, book) for book, three in sets if min(three) > 1 and -0.03 <= sum(1 / x for x in three) - 1 <= 0.35
        ]
        expected.append(good[0] if good else (np.nan, np.nan, np.nan, ""))
    pd.testing.assert_frame_equal(odds, pd.DataFrame(expected, columns=odds.columns))


@pytest.mark.parametrize(
    ("label", "expected"),
    [("2012/2013", "2012/13"), ("2012/13", "2012/13"), ("1999-2000", "1999/00"), ("2012", "2012"), ("2012.0", "2012")],
)
def test_season_labels_have_one_spelling(tmp_path, label, expected):
    path = save(tmp_path, f"{GOOD},{label}", header=f"{HEADER},Season")
    assert check(path).matches["season"].tolist() == [expected]


@pytest.mark.parametrize(
    ("day", "season"),
    [
        ("30/06/2019", "2018/19"),
        ("01/07/2019", "2019/20"),
        ("02/08/2020", "2019/20"),
        ("03/08/2020", "2020/21"),
        ("31/12/1999", "1999/00"),
        ("01/01/2000", "1999/00"),
        ("30/06/2021", "2020/21"),
    ],
)
def test_seasons_follow_from_dates_where_there_is_no_label(tmp_path, day, season):
    plain = save(tmp_path, f"E0,{day},A,B,2,1,H")
    assert check(plain).matches["season"].tolist() == [season]
    labelled = save(tmp_path, f"E0,{day},A,B,2,1,H, ", "E0,01/01/2015,A,B,2,1,H,2015", header=f"{HEADER},Season")
    assert set(check(labelled).matches["season"]) == {season, "2015"}


def test_every_division_has_one_country_in_both_layouts():
    divisions = shipped("football_data").divisions
    extra = {entry[2]: entry[:2] for entry in divisions.values() if len(entry) == 3}
    assert all(name == entry[0] for name, entry in divisions.items() if len(entry) == 3)
    assert {code: divisions[code] for code in extra} == extra
    assert len(extra) == 15
    england = {code: tier for code, (country, tier, *_) in divisions.items() if country == "England"}
    assert england == {"E0": 1, "E1": 2, "E2": 3, "E3": 4, "EC": 5}


def test_every_statistic_of_the_schema_has_a_column():
    expected = {f"{side}_{name}" for name in STATISTICS for side in ("home", "away")}
    assert expected <= set(shipped("football_data").columns)
    assert expected <= set(shipped("parquet").columns)


def test_checked_matches_have_the_schema_in_its_order(tmp_path):
    lines = ("E1,13/08/2023,B,A,0,0,D", "E0,13/08/2023,D,C,0,3,A", "E1,12/08/2023,F,E,1,0,H")
    checked = check(save(tmp_path, *lines))
    assert list(checked.matches.columns) == list(checked.upcoming.columns) == NAMES
    assert rows(checked.matches, *NAMES[:10]) == [
        ("2023-08-12", "England", "E1", 2, "2023/24", "F", "E", False, 1.0, 0.0),
        ("2023-08-13", "England", "E0", 1, "2023/24", "D", "C", False, 0.0, 3.0),
        ("2023-08-13", "England", "E1", 2, "2023/24", "B", "A", False, 0.0, 0.0),
    ]
    assert list(checked.findings.columns) == ["severity", "rule", "file", "row", "column", "value", "message"]


def test_checking_changes_nothing_it_was_given(tmp_path):
    raw = read(save(tmp_path, GOOD, GOOD, f"{GOOD},7", "E0,13/08/2023,A,B,-1,x,D"))
    before = (raw.frame.copy(), raw.prices.copy(), raw.findings.copy(), raw.origin.where.copy())
    check_matches(raw, replace(shipped("football_data"), on_bad_rows="drop"), today=date(2026, 1, 1))
    for now, then in zip((raw.frame, raw.prices, raw.findings, raw.origin.where), before, strict=True):
        pd.testing.assert_frame_equal(now, then)


def test_the_order_of_rows_does_not_matter(tmp_path):
    lines = [f"E0,{day:02}/08/2023,T{a},T{b},{day % 3},{a % 3}," for day, (a, b) in enumerate(pairwise(range(25)), 1)]
    first = check(save(tmp_path, *lines)).matches
    pd.testing.assert_frame_equal(check(save(tmp_path, *reversed(lines))).matches, first)


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ({"odds": [["a", "b"]]}, "data.odds has"),
        ({"divisions": {"E0": ["England"]}}, "data.divisions.E0 is"),
        ({"divisions": {"E0": ["England", "1"]}}, "data.divisions.E0 is"),
        ({"season_start": "13-01"}, "data.season_start=13-01 is not a day of the year"),
        ({"season_start_exceptions": {2020: "x"}}, "data.season_start_exceptions.2020=x is not"),
        ({"on_bad_rows": "skip"}, "data.on_bad_rows=skip is unknown; choose one of error, drop"),
    ],
)
def test_a_setting_that_cannot_be_right_is_refused(setting, sentence):
    with pytest.raises(ConfigError, match=sentence):
        replace(shipped("football_data"), **setting)
