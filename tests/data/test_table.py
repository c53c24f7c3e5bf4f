import random
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.formats import HEADER, check, read, rows, save, table, told
from matchclf.data.cells import days, numbers
from matchclf.data.schema import NAMES, conform
from matchclf.data.table import read_table
from matchclf.errors import ConfigError, DataError, SourceError
from matchclf.files import MAX_COLUMNS, MAX_ROWS, write_parquet

BASIC = ("date", "division", "home_team", "away_team", "home_goals", "away_goals", "outcome")
MATCH = [("2023-08-12", "E0", "Arsenal", "Forest", 2.0, 1.0, "H")]
LINE = "E0,12/08/2023,Arsenal,Forest,2,1,H"


def frame(path: Path, **changes):
    return rows(read(path, **changes).frame, *BASIC)


def generic(n: int = 3) -> pd.DataFrame:
    return conform(
        pd.DataFrame(
            {
                "date": pd.date_range("2020-01-01", periods=n),
                "country": "Xland",
                "division": "X1",
                "tier": 1,
                "season": "2020",
                "home_team": [f"h{i}" for i in range(n)],
                "away_team": [f"a{i}" for i in range(n)],
                "neutral": False,
                "home_goals": np.arange(n) % 5,
                "away_goals": 1.0,
            }
        )
    )


def test_two_and_four_digit_years_are_the_same_day(tmp_path):
    path = save(
        tmp_path, "E0,12/08/23,Arsenal,Forest,2,1,H", "E0,13/08/2023,Forest,Arsenal,0,0,D", "E0,1/2/94,A,B,0,0,D"
    )
    assert [row[0] for row in frame(path)] == ["2023-08-12", "2023-08-13", "1994-02-01"]


@pytest.mark.parametrize(
    "content",
    [
        f"{HEADER}\n{LINE}\n".encode(),
        f"{HEADER}\n{LINE}".encode(),
        f"\ufeff{HEADER}\r\n{LINE}\r\n".encode(),
        f"{HEADER}\r{LINE}\r".encode(),
        f"{HEADER},,\n{LINE},,\n,,,,,,,,\n\n ,,\n".encode(),
        f"{HEADER}\n{LINE},,,,\n".encode(),
        f"{HEADER}\nE0,12/08/2023,\xa0Arsenal ,Forest,2\xa0, 1,H\n".encode("cp1252"),
        f" Div ,Date,\xa0HomeTeam,AwayTeam,FTHG,FTAG,FTR\n{LINE}\n".encode("cp1252"),
        f'{HEADER},Referee\n{LINE},"Kinhöfer, T"\n'.encode("latin-1"),
    ],
    ids=["plain", "no last newline", "BOM and CRLF", "CR", "empty rows", "empty cells", "NBSP", "names", "latin-1"],
)
def test_the_same_match_is_read_however_its_file_is_written(tmp_path, content):
    path = tmp_path / "m.csv"
    path.write_bytes(content)
    raw = read(path)
    assert rows(raw.frame, *BASIC) == MATCH
    assert told(raw.findings) == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_names_do_not_depend_on_the_encoding(tmp_path, encoding):
    path = save(tmp_path, "E0,12/08/2023,Malmö\u2019s,Forest,2,1,H", encoding=encoding)
    assert frame(path)[0][2] == "Malmö\u2019s"


@pytest.mark.parametrize(
    "name",
    ["Mu\u0308nchen", "M\u200bünchen", " München\u00a0", "\ufeffMünchen", "Mün\u00adchen", "München \t"],
)
def test_spellings_that_look_the_same_are_one_team(tmp_path, name):
    assert frame(save(tmp_path, f"E0,12/08/2023,{name},Forest,2,1,H"))[0][2] == "München"


def test_windows_punctuation_read_as_latin_1_gets_its_sign_back(tmp_path):
    assert frame(save(tmp_path, "E0,12/08/2023,King\x92s  Lynn,Forest,2,1,H"))[0][2] == "King\u2019s Lynn"


def test_line_numbers_are_those_a_person_sees(tmp_path):
    path = save(tmp_path, ",,,,,,", LINE, "", 'E0,13/08/2023,"two\nlines",Forest,2,1,H', LINE)
    raw = read(path)
    assert raw.origin.where["row"].tolist() == [3, 5, 7]
    assert told(raw.findings) == [("doubtful", "line_break", 5, "cells", "two\nlines")]


def test_rows_that_do_not_fit_the_header_are_told(tmp_path):
    path = save(tmp_path, f"{LINE},,7,8", "E0,12/08/2023,A,B,2,1", LINE)
    assert told(read(path).findings) == [
        ("doubtful", "extra_cells", 2, "cells", "7,8"),
        ("doubtful", "missing_cells", 3, "cells", "FTR"),
    ]


def test_the_layout_of_the_extra_leagues_gives_the_same_columns(tmp_path):
    path = save(
        tmp_path,
        "Japan, J1 League,2012,10/03/2012,05:00,G-Osaka ,Kobe,2,3,A,1.94,3.56,4.34",
        "Argentina,Superliga ,2012/2013,03/08/2012,23:00, Arsenal Sarandi,Union,1,0,H,1.9,3.39,5.03",
        header="Country,League,Season,Date,Time,Home,Away,HG,AG,Res,PH,PD,PA",
    )
    assert rows(check(path).matches, "country", "division", "tier", "season", "home_team", "odds_source") == [
        ("Japan", "JPN", 1, "2012", "G-Osaka", "P"),
        ("Argentina", "ARG", 1, "2012/13", "Arsenal Sarandi", "P"),
    ]


def test_a_folder_is_read_in_sorted_order_whatever_the_formats(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / ".hidden").mkdir()
    save(tmp_path / ".hidden", "not,a,match")
    save(tmp_path, "not a match file", name="README.md")
    save(
        tmp_path / "sub", "SC0,14/08/2023,Celtic,Hearts,3,1,H,1.5,4,6", name="a.CSV", header=f"{HEADER},PSCH,PSCD,PSCA"
    )
    save(tmp_path, LINE, name="b.csv")
    source = {"Div": ["D1"], "Date": [date(2023, 8, 13)], "HomeTeam": ["Köln"], "AwayTeam": ["Mainz"]}
    pq.write_table(pa.table(source | {"FTHG": pa.array([1], "int16"), "FTAG": [1]}), tmp_path / "c.parquet")
    raw = read(tmp_path)
    assert [path.name for path in raw.files] == ["b.csv", "c.parquet", "a.CSV"]
    assert rows(raw.frame, *BASIC) == [
        *MATCH,
        ("2023-08-13", "D1", "Köln", "Mainz", 1.0, 1.0, ""),
        ("2023-08-14", "SC0", "Celtic", "Hearts", 3.0, 1.0, "H"),
    ]
    assert [Path(file).name for file in raw.origin.where["file"]] == ["b.csv", "c.parquet", "a.CSV"]
    assert raw.origin.where["row"].tolist() == [2, 1, 2]
    assert raw.prices["PSCA"].tolist()[2] == 6.0


def test_a_relative_path_starts_at_the_project(tmp_path):
    save(tmp_path, LINE)
    found = read_table(table("football_data", "m.csv"), tmp_path)
    assert (rows(found.frame, *BASIC), found.origin.where["file"].tolist()) == (MATCH, ["m.csv"])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty."),
        (b"\xef\xbb\xbf", "has no header in its first line"),
        (b"\n\nDiv,Date\n", "has no header in its first line"),
        (HEADER.encode(), "has a header but no rows."),
        (f"{HEADER}\n,,,\n".encode(), "has a header but no rows."),
        ("Div,Date".encode("utf-16"), "holds zero bytes; expected text in UTF-8"),
        (
            f'{HEADER}\n{LINE}\nE0,12/08/2023,"Forest,Arsenal,1,0,H\n{LINE}\n'.encode(),
            "is not readable as CSV in line 4",
        ),
        (f"{HEADER},Date\n{LINE},\n".encode(), "has more than one column named Date"),
        (b"Div;Date;HomeTeam\nE0;1;2\n", "has no column for date (expected Date; set data.columns.date)"),
    ],
)
def test_a_file_that_is_no_table_is_refused_in_a_sentence(tmp_path, content, sentence):
    path = tmp_path / "m.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"^m\.csv ") as error:
        read(path)
    assert sentence in str(error.value)


def test_missing_columns_of_all_files_are_told_at_once_with_what_was_found(tmp_path):
    save(tmp_path, "E0,12/08/2023,A,B,1", name="a.csv", header="Div,Date,Home Team,AwayTeam,FTHG")
    save(tmp_path, LINE, name="b.csv")
    save(tmp_path, "x", name="c.csv", header="Date")
    with pytest.raises(DataError) as error:
        read(tmp_path)
    lines = str(error.value).replace(f"{tmp_path.name}/", "").splitlines()
    assert lines == [
        "a.csv has no column for home_team (expected HomeTeam or Home or HT; set data.columns.home_team, closest is "
        "'Home Team'); nor for away_goals (expected FTAG or AG; set data.columns.away_goals, closest is 'FTHG'). "
        "Its columns: Div, Date, Home Team, AwayTeam, FTHG.",
        "c.csv has no column for division (expected Div or Country; set data.columns.division); nor for home_team "
        "(expected HomeTeam or Home or HT; set data.columns.home_team); nor for away_team (expected AwayTeam or Away "
        "or AT; set data.columns.away_team). Its columns: Date.",
    ]


def test_no_file_and_an_empty_folder_are_told(tmp_path):
    with pytest.raises(SourceError, match=r"There is no file or folder .*nowhere.csv"):
        read(tmp_path / "nowhere.csv")
    with pytest.raises(SourceError, match=r"holds nothing; expected files that end in .csv, .parquet, .pq"):
        read(tmp_path)


@pytest.mark.parametrize("setting", [{"columns": {"hometeam": ["x"]}}, {"constants": {"x": 1}}, {"match_key": ["x"]}])
def test_an_unknown_column_in_the_settings_is_refused(tmp_path, setting):
    with pytest.raises(ConfigError, match="which is unknown; choose among date, country"):
        read(save(tmp_path, LINE), **setting)


def test_a_file_with_the_names_of_the_schema_needs_no_mapping(tmp_path):
    expected = generic()
    expected.to_csv(tmp_path / "m.csv", index=False)
    write_parquet(expected, tmp_path / "m.parquet")
    for name in ("m.csv", "m.parquet"):
        checked = check(tmp_path / name, "parquet")
        pd.testing.assert_frame_equal(checked.matches, expected)
        assert told(checked.findings) == []


def test_a_mapping_and_constants_stand_for_other_names(tmp_path):
    columns = table("parquet", "x").columns | {"home_team": ["Heim"], "home_goals": ["Tore"]}
    path = save(tmp_path, "20240102,A,B,1,0,x", header="date,Heim,away_team,Tore,away_goals,neutral", name="m.csv")
    constants = {"country": "X", "division": "X1", "tier": 2, "neutral": False}
    changes = {"columns": columns | {"neutral": []}, "constants": constants, "date_formats": ["%Y%m%d"]}
    assert rows(check(path, "parquet", **changes).matches, *NAMES[:10]) == [
        ("2024-01-02", "X", "X1", 2, "", "A", "B", False, 1.0, 0.0)
    ]


def test_the_columns_of_a_file_count_more_than_constants(tmp_path):
    path = tmp_path / "m.csv"
    generic().assign(neutral=True).to_csv(path, index=False)
    assert read(path, "parquet", constants={"neutral": False}).frame["neutral"].all()


def test_internationals_are_one_country_and_know_neutral_grounds(tmp_path):
    path = save(
        tmp_path,
        "2022-12-18,Argentina,France,3,3,FIFA World Cup,Lusail,Qatar,TRUE",
        "2022-12-19,Wales,Oman,NA,NA,Friendly,Cardiff,Wales,FALSE",
        header="date,home_team,away_team,home_score,away_score,tournament,city,country,neutral",
    )
    checked = check(path, "internationals")
    names = ("date", "country", "division", "tier", "season", "home_team", "neutral", "home_goals")
    assert rows(checked.matches, *names) == [
        ("2022-12-18", "International", "International", 1, "", "Argentina", True, 3.0)
    ]
    assert rows(checked.upcoming, "home_team", "neutral") == [("Wales", False)]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([date(2023, 8, 12)]),
        pa.array([datetime(2023, 8, 12, 23, 59)], pa.timestamp("ns")),
        pa.array([datetime(2023, 8, 11, 23, 30, tzinfo=UTC)], pa.timestamp("us", tz="Europe/London")),
        pa.array(["12/08/2023"]).dictionary_encode(),
        pa.array(["12/08/23"], pa.large_string()),
    ],
    ids=["date", "timestamp", "time zone", "dictionary", "text"],
)
def test_parquet_dates_are_taken_as_they_are(tmp_path, column):
    source = {"Div": ["E0"], "Date": column, "HomeTeam": ["Arsenal"], "AwayTeam": ["Forest"], "FTR": ["H"]}
    pq.write_table(pa.table(source | {"FTHG": ["2"], "FTAG": pa.array([1.0], "float32")}), tmp_path / "m.parquet")
    assert frame(tmp_path / "m.parquet") == MATCH


def test_a_day_before_1970_keeps_its_date_with_a_time_of_day():
    column = pa.chunked_array([pa.array([datetime(1969, 12, 31, 23, 59, 59, 5)], pa.timestamp("us"))])
    assert days(column, [], [])[0].tolist() == [datetime(1969, 12, 31)]


@pytest.mark.parametrize(
    ("formats", "cell", "day"),
    [
        (["%Y-%m-%d"], 20240101, None),
        (["%Y%m%d"], 20240101, "2024-01-01"),
        (["%d/%m/%Y"], "03/25/2024", None),
        (["%d/%m/%Y"], "2024-03-25", None),
        (["%d/%m/%Y"], "25/03/2024 15:00", None),
        (["%d/%m/%Y"], "1\u0665/03/2024", None),
        (["%d/%m/%Y"], "", None),
        (["%d/%m/%Y", "%m/%d/%Y"], "25/03/2024", "2024-03-25"),
        (["%d/%m/%Y", "%m/%d/%Y"], "03/04/2024", None),
        (["%d/%m/%Y", "%m/%d/%Y"], "04/04/2024", "2024-04-04"),
    ],
)
def test_dates_are_never_guessed(formats, cell, day):
    values, wrong = days(pa.chunked_array([pa.array([cell])]), [], formats)
    assert (str(values[0])[:10], bool(wrong[0])) == (day or "NaT", day is None)


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        *[("2", 2.0), ("-1.5", -1.5), (".5", 0.5), ("1e1", 10.0), ("", None), ("-", None), (None, None)],
        *[(text, "wrong") for text in ("x", "1,5", "1_0", "nan", "inf", "1e999", "\u0662", "0x1", "2 .5")],
    ],
)
def test_numbers_are_plain_numbers(cell, number):
    values, wrong = numbers(pa.chunked_array([pa.array([cell], pa.string())]), ["-"])
    found = "wrong" if wrong[0] else None if np.isnan(values[0]) else values[0]
    assert found == number


def test_a_column_that_holds_no_cells_is_refused(tmp_path):
    pq.write_table(
        pa.table({"Div": ["E0"], "Date": ["x"], "HomeTeam": [[1]], "AwayTeam": ["B"]}), tmp_path / "m.parquet"
    )
    with pytest.raises(DataError, match=r"m.parquet has a column HomeTeam of type list<.*>; expected text"):
        read(tmp_path / "m.parquet")


def test_a_text_of_absurd_length_is_a_bad_row(tmp_path):
    source = generic().assign(home_team=["A", "B" * 100_000, "C"])
    write_parquet(source, tmp_path / "m.parquet")
    findings = read(tmp_path / "m.parquet", "parquet").findings
    assert told(findings) == [("bad", "long_text", 2, "home_team", "B" * 97 + "...")]


def test_a_parquet_bomb_is_refused_before_it_is_read(tmp_path):
    many = pa.DictionaryArray.from_arrays(np.zeros(MAX_ROWS + 1, "int8"), ["x"])
    pq.write_table(pa.table({"Div": many}), tmp_path / "rows.parquet")
    pq.write_table(pa.table({f"c{i}": [1] for i in range(MAX_COLUMNS + 1)}), tmp_path / "wide.parquet")
    assert (tmp_path / "rows.parquet").stat().st_size < 50_000
    for name, unit in (("rows", "2,000,001 rows; expected at most 2,000,000"), ("wide", "2,001 columns; expected at")):
        with pytest.raises(DataError, match=f"{name}.parquet has {unit}"):
            read(tmp_path / f"{name}.parquet")


def test_a_parquet_file_without_rows_or_cut_short_is_refused(tmp_path):
    write_parquet(generic().iloc[:0], tmp_path / "m.parquet")
    with pytest.raises(DataError, match=r"m.parquet has no rows\."):
        read(tmp_path / "m.parquet", "parquet")
    write_parquet(generic(), tmp_path / "m.parquet")
    content = (tmp_path / "m.parquet").read_bytes()
    for size in (0, 3, 100, len(content) - 1):
        (tmp_path / "m.parquet").write_bytes(content[:size])
        with pytest.raises(DataError, match=r"m\.parquet is not readable as Parquet, or is damaged"):
            read(tmp_path / "m.parquet", "parquet")


@pytest.mark.parametrize("times", [100, pytest.param(600, marks=pytest.mark.slow)])
def test_a_flipped_bit_in_parquet_never_gives_other_matches(tmp_path, times):
    path = tmp_path / "m.parquet"
    write_parquet(generic(50), path)
    content, expected = path.read_bytes(), check(path, "parquet").matches
    chance = random.Random(times)
    for _ in range(times):
        place, bit = chance.randrange(len(content)), chance.randrange(8)
        damaged = bytearray(content)
        damaged[place] ^= 1 << bit
        path.write_bytes(damaged)
        try:
            found = check(path, "parquet").matches
        except DataError:
            continue
        pd.testing.assert_frame_equal(found, expected)


@pytest.mark.parametrize("times", [60, pytest.param(600, marks=pytest.mark.slow)])
def test_damaged_csv_bytes_give_matches_or_a_sentence(tmp_path, times):
    path = save(tmp_path, *(f"E0,{day:02}/08/2023,Köln,Team {day},{day % 4},1," for day in range(1, 29)))
    content, chance = path.read_bytes(), random.Random(times)
    for _ in range(times):
        damaged = bytearray(content)
        for _ in range(chance.choice([1, 1, 5])):
            place = chance.randrange(len(damaged))
            damaged[place : place + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
        path.write_bytes(damaged)
        try:
            assert list(check(path, on_bad_rows="drop").matches.columns) == NAMES
        except DataError:
            continue


played_days = st.dates(date(1900, 1, 1), date(2025, 1, 1))
words = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=8)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(played_days, words, st.integers(0, 9)), min_size=1, max_size=5))
def test_csv_and_parquet_of_the_same_matches_read_alike(tmp_path, matches):
    source = generic(len(matches)).assign(
        date=pd.to_datetime([day for day, _, _ in matches]).astype("datetime64[s]"),
        home_team=[f"h{i} {name}" for i, (_, name, _) in enumerate(matches)],
        home_goals=[float(goals) for _, _, goals in matches],
    )
    source.to_csv(tmp_path / "m.csv", index=False)
    write_parquet(source, tmp_path / "m.parquet")
    csv, parquet = (read(tmp_path / name, "parquet") for name in ("m.csv", "m.parquet"))
    pd.testing.assert_frame_equal(csv.frame, parquet.frame)
    pd.testing.assert_frame_equal(csv.prices, parquet.prices)
