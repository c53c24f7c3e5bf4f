import unicodedata

import numpy as np
import pandas as pd
import pytest

from matchclf.config import World
from matchclf.data.fixtures import read_fixtures
from matchclf.data.schema import COLUMNS, ORDER
from matchclf.data.synthetic import make_world
from matchclf.errors import DataError
from matchclf.features.build import build_features

WORLD = World(countries=2, tiers=2, teams_per_division=6, promoted=1, first_season=2022)
MATCHES, _ = make_world(WORLD)
MIDDLE = pd.Timestamp("2026-02-07")
LAST = MATCHES["season"] == MATCHES["season"].iloc[-1]
DAY = "2026-06-01"


@pytest.fixture
def read(tmp_path):
    """What is read from a fixture file of this content."""

    def read(content, matches=MATCHES, data=WORLD):
        path = tmp_path / "fixtures.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_fixtures(path, matches, data)

    return read


@pytest.fixture
def refused(read, tmp_path):
    """The sentences, without the name of the file, that refuse a fixture file."""

    def refused(content, **more):
        with pytest.raises(DataError) as problem:
            read(content, **more)
        return str(problem.value).replace(f"{tmp_path}/fixtures.csv ", "").splitlines()

    return refused


def teams(country, division):
    """The teams of a division in the last season, in the order of the alphabet."""
    inside = (MATCHES["country"] == country) & (MATCHES["division"] == division)
    return sorted(set(MATCHES.loc[LAST & inside, "home_team"]))


A, B, C, *_ = teams("Alvaria", "ALV1")
D, *_ = teams("Alvaria", "ALV2")
E, *_ = teams("Borland", "BOR1")
# Teams of the second division of the season before.
BELOW = set(MATCHES.loc[(MATCHES["season"] == "2024/25") & (MATCHES["division"] == "ALV2"), "home_team"])


def as_csv(matches):
    columns = {"date": "date", "home_team": "home", "away_team": "away", "division": "division"}
    return matches[list(columns)].rename(columns=columns).to_csv(index=False, date_format="%Y-%m-%d")


def test_a_fixture_has_the_columns_of_a_match_and_no_goals(read):
    found = read(f"date,home,away\n{DAY},{A},{B}\n")
    assert list(found.columns) == [column.name for column in COLUMNS]
    assert {name: str(dtype) for name, dtype in found.dtypes.items()} == {
        column.name: str(pd.Series(dtype=column.dtype).dtype) for column in COLUMNS
    }
    known = found.loc[0].dropna().to_dict()
    assert known == {
        "date": pd.Timestamp(DAY),
        "country": "Alvaria",
        "division": "ALV1",
        "tier": 1,
        "season": "2025/26",
        "home_team": A,
        "away_team": B,
        "neutral": False,
        "odds_source": "",
    }


def test_fixtures_are_sorted_like_matches_whatever_the_order_of_rows_and_columns(read):
    found = read(f"Away , HOME,Neutral,date\n{A},{B},YES,2026-06-02\n{C},{A},,{DAY}\n{C},{B},no,2026-06-03\n")
    told = found[["date", "home_team", "away_team", "neutral"]].astype(str).to_numpy().tolist()
    assert told == [
        [DAY, A, C, "False"],
        ["2026-06-02", B, A, "True"],
        ["2026-06-03", B, C, "False"],
    ]


def test_every_row_that_cannot_be_used_is_told_with_its_line(refused):
    rows = [
        f"{DAY},{A},{B}",
        "",
        f"2026-13-01,{A},{B}",
        f"01/06/2026,{A},{B}",
        f'{DAY},"{A}\n",{A}',
        f"2026-01-01,{A},{B}",
        f"{DAY},Who?,{B}",
        f"{DAY},{A},{D}",
        f"{DAY},{A},{E}",
        f"{DAY},{A}",
        f"{DAY},{A},{C},extra",
        f",{A},{C}",
        f"{DAY},{A},{B}",
    ]
    last = MATCHES["date"].max()
    assert refused("\n".join(["date,home,away", *rows, ""])) == [
        "Fixtures cannot be used:",
        "line 4: date=2026-13-01 is not a date; expected YYYY-MM-DD, for instance 2024-01-01.",
        "line 5: date=01/06/2026 is not a date; expected YYYY-MM-DD, for instance 2024-01-01.",
        f"line 6: {A} cannot play against itself.",
        f"line 8: date=2026-01-01 is before the last match known, {last:%Y-%m-%d}.",
        "line 9: The team Who? is unknown.",
        f"line 10: {A} last played in ALV1, {D} in ALV2; add a division.",
        f"line 11: {A} plays in Alvaria and {E} plays in Borland; expected two teams of one country.",
        "line 12: away is empty.",
        "line 13: There are more cells than columns: extra.",
        "line 14: date is empty.",
        f"line 15: The match of {A} and {B} on this day is known already.",
    ]


def test_of_many_bad_rows_twenty_are_told_and_the_others_counted(refused):
    lines = refused("date,home,away\n" + "".join(f"{DAY},{number}?,{B}\n" for number in range(25)))
    assert lines[1] == "line 2: The team 0? is unknown."
    assert lines[20:] == ["line 21: The team 19? is unknown.", "... and 5 more."]


def test_a_misspelt_team_is_told_with_what_it_may_be(refused):
    assert refused(f"date,home,away\n{DAY},{A.upper()},{B}\n")[1].startswith(f"line 2: The team {A.upper()} is unknown")
    assert refused(f"date,home,away\n{DAY},{A[:-1]},{B}\n")[1].startswith(
        f"line 2: The team {A[:-1]} is unknown; did you mean {A}"
    )


def test_a_match_that_was_played_on_the_last_day_is_no_fixture_but_another_of_that_day_is(read, refused):
    last = MATCHES.iloc[-1]
    row = "date,home,away\n{:%Y-%m-%d},{},{}\n"
    assert refused(row.format(last.date, last.home_team, last.away_team))[1] == (
        f"line 2: The match of {last.home_team} and {last.away_team} on this day is known already."
    )
    assert len(read(row.format(last.date, last.away_team, last.home_team))) == 1


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "is empty."),
        ("date,home,away\n", "has a header but no rows."),
        ("date,home\n2026-06-01,A\n", "has the columns date, home; expected"),
        ("date,home,away,odds\n2026-06-01,A,B,2\n", "has the columns date, home, away, odds; expected"),
        ("date,home,away,Home\n2026-06-01,A,B,A\n", "has the columns date, home, away, Home; expected"),
        ("date;home;away\n2026-06-01;A;B\n", "has the columns date;home;away; expected"),
        (b"date,home,away\n2026-06-01,\0,B\n", "holds zero bytes;"),
        ('date,home,away\n2026-06-01,"A,B\n', "is not readable as CSV in line 2:"),
    ],
)
def test_a_file_that_is_no_table_of_fixtures_is_refused(refused, content, sentence):
    (line,) = refused(content)
    assert line.startswith(sentence)


def test_a_file_that_does_not_exist_is_refused(tmp_path):
    for path, why in ((tmp_path / "none.csv", "No such file or directory"), (tmp_path, "Is a directory")):
        with pytest.raises(DataError) as problem:
            read_fixtures(path, MATCHES, WORLD)
        assert str(problem.value) == f"{path} cannot be opened: {why}."


def test_names_are_read_as_in_the_match_files(read):
    known = MATCHES.replace(A, "Köln")
    row = f"date,home,away\r\n{DAY},Köln,{B}\r\n"
    spellings = {
        "composed": row,
        "decomposed": unicodedata.normalize("NFD", row),
        "with a byte order mark": f"\ufeff{row}",
        "with odd spaces": row.replace("Köln", "\u00a0 Köln\u200b "),
        "in Latin-1": row.encode("latin-1"),
        "quoted, and with a comma at the end": f'date,home,away,\n{DAY},"Köln","{B}",\n',
    }
    found = {name: read(content, matches=known)["home_team"].tolist() for name, content in spellings.items()}
    assert found == {name: ["Köln"] for name in spellings}


def test_a_name_known_in_two_countries_needs_a_country(read, refused):
    known = MATCHES.replace({E: A, teams("Borland", "BOR1")[1]: B})
    assert refused(f"date,home,away\n{DAY},{A},{B}\n", matches=known)[1] == (
        f"line 2: {A} and {B} play in Alvaria and in Borland; add a country."
    )
    row = f"date,home,away,country\n{DAY},{A},{B},%s\n"
    assert read(row % "Borland", matches=known)[["country", "division"]].to_numpy().tolist() == [["Borland", "BOR1"]]
    assert refused(row % "Narnia", matches=known)[1].endswith("expected two teams of Narnia.")
    # One of the teams tells the country.
    assert read(f"date,home,away\n{DAY},{A},{C}\n", matches=known)["country"].tolist() == ["Alvaria"]


def test_a_division_may_be_given_and_must_be_one_of_the_country(read, refused):
    row = f"date,home,away,division\n{DAY},{A},{D},%s\n"
    assert read(row % "ALV2")[["division", "tier"]].to_numpy().tolist() == [["ALV2", 2]]
    assert refused(row % "BOR2")[1] == "line 2: The division BOR2 of Alvaria is unknown."


def test_neutral_must_be_yes_or_no(refused):
    assert refused(f"date,home,away,neutral\n{DAY},{A},{B},maybe\n")[1] == (
        "line 2: neutral=maybe is unknown; choose one of true, false."
    )


def features(matches, compose):
    families = compose("stage=predict").features.families
    return pd.concat(build_features(matches, families).values(), axis=1)


def calendar_years(matches):
    return matches.assign(season=matches["date"].dt.year.astype("str"))


def no_seasons(matches):
    return matches.assign(season="")


def own_labels(matches):
    return matches.assign(season="season of " + matches["season"].str[:4])


FIRST = MATCHES.loc[LAST, "date"].iloc[0]
# The first day on which a team plays that went up to this division.
UP = MATCHES.loc[LAST & (MATCHES["division"] == "ALV1") & MATCHES["home_team"].isin(BELOW), "date"].iloc[0]
NEW_YEAR = MATCHES.loc[MATCHES["date"] >= "2026-01-01", "date"].iloc[0]


@pytest.mark.parametrize(
    ("day", "labelled"),
    [
        (FIRST, MATCHES),
        (UP, MATCHES),
        (MIDDLE, MATCHES),
        (FIRST, calendar_years(MATCHES)),
        (MIDDLE, calendar_years(MATCHES)),
        (NEW_YEAR, calendar_years(MATCHES)),
        (FIRST, no_seasons(MATCHES)),
        (MIDDLE, own_labels(MATCHES)),
    ],
    ids=["new season", "promoted", "middle", "year: summer", "year: middle", "new year", "no seasons", "own labels"],
)
def test_a_fixture_gets_the_features_that_it_has_once_it_is_played(read, compose, day, labelled):
    known, day = labelled[labelled["date"] < day], labelled.loc[labelled["date"] >= day, "date"].iloc[0]
    names = set(known["home_team"]) | set(known["away_team"])
    to_come = labelled[
        (labelled["date"] == day) & labelled["home_team"].isin(names) & labelled["away_team"].isin(names)
    ]
    assert len(to_come)
    after = features(labelled, compose).loc[to_come.index]
    columns = [*ORDER, "season", "tier"]
    for data in (WORLD, compose("data=football_data", "data.path=x").data):
        found = read(as_csv(to_come), matches=known, data=data)
        pd.testing.assert_frame_equal(found[columns], to_come[columns].reset_index(drop=True))
        before = features(pd.concat([known, found], ignore_index=True), compose).tail(len(found))
        assert list(before.columns) == list(after.columns)
        np.testing.assert_array_equal(before.to_numpy().view(np.uint32), after.to_numpy().view(np.uint32))


def test_the_season_of_a_table_starts_on_its_own_day(read, compose):
    table = compose("data=football_data", "data.path=x", "data.season_start=06-01").data
    known = MATCHES[MATCHES["date"] < "2026-05-01"]
    found = read(f"date,home,away\n2026-05-31,{A},{B}\n{DAY},{B},{A}\n", matches=known, data=table)
    assert found["season"].tolist() == ["2025/26", "2026/27"]


def test_reading_fixtures_changes_no_match(read):
    before = MATCHES.copy()
    read(f"date,home,away\n{DAY},{A},{B}\n")
    pd.testing.assert_frame_equal(MATCHES, before)
