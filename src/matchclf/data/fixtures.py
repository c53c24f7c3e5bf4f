"""Upcoming matches from a CSV of date, home, away, completed from the matches already known."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import pandas as pd

from matchclf.config import Table, World
from matchclf.config.rules import iso_date
from matchclf.data.cells import clean
from matchclf.data.delimited import read_delimited
from matchclf.data.schema import conform
from matchclf.data.season import with_season
from matchclf.errors import ConfigError, DataError

REQUIRED = ("date", "home", "away")
OPTIONAL = ("country", "division", "neutral")
NEUTRAL = {"": False, "false": False, "no": False, "0": False, "true": True, "yes": True, "1": True}
MAX_PROBLEMS = 20
MATCH = ["date", "country", "home_team", "away_team"]
# Where the data do not say when a season starts, and their labels are those of seasons over two years.
USUAL_START = Table(path=".", season_start="07-01")


def read_fixtures(path: Path, matches: pd.DataFrame, data: World | Table) -> pd.DataFrame:
    """Fixtures in the columns of the schema, without goals; ``matches`` tells where and in which division teams play.

    A country is needed where a name is known in several, a division where the two teams last played in different
    ones. Raises DataError with every row that cannot be used: unknown team, wrong date, a date before the last match,
    a match that is known already or stands there twice.
    """
    problems: list[str] = []
    rows: list[dict[str, Any]] = []
    last_day, teams = matches["date"].max(), _last_seen(matches)
    taken = set(matches.loc[matches["date"] == last_day, MATCH].itertuples(index=False, name=None))
    for number, cell in _read(path):
        try:
            row = _row(cell, teams, last_day)
            _take(row, taken)
            rows.append(row)
        except (DataError, ConfigError) as problem:
            problems.append(f"{path} line {number}: {problem}")
    if problems:
        more = [f"... and {len(problems) - MAX_PROBLEMS} more."] if len(problems) > MAX_PROBLEMS else []
        raise DataError("\n".join(["Fixtures cannot be used:", *problems[:MAX_PROBLEMS], *more]))
    return conform(_with_seasons(pd.DataFrame(rows), data))


def _read(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Line and cells of each row, by column; cells beyond the header are under an empty name."""
    try:
        cells = read_delimited(path, _names)
    except OSError as problem:
        raise DataError(f"{path} cannot be opened: {problem.strerror}.") from problem
    except DataError as problem:
        raise DataError(f"{path} {problem}") from problem
    extra = {position: {"": text} for position, kind, text in cells.oddities if kind == "extra_cells"}
    found = [{name.lower(): clean(text) for name, text in row.items()} for row in cells.table.to_pylist()]
    return [(int(line), row | extra.get(at, {})) for at, (line, row) in enumerate(zip(cells.rows, found, strict=True))]


def _names(header: list[str]) -> list[str]:
    names = [name for name in header if name]
    known = {name.lower() for name in names}
    if len(known) < len(names) or not set(REQUIRED) <= known <= {*REQUIRED, *OPTIONAL}:
        raise DataError(
            f"has the columns {', '.join(header)}; expected {', '.join(REQUIRED)}, and where needed "
            f"{', '.join(OPTIONAL)}."
        )
    return names


def _last_seen(matches: pd.DataFrame) -> pd.DataFrame:
    """Division, tier and season label of each team's latest match, by country and team."""
    sides = [
        matches[["date", "country", f"{side}_team", "division", "tier", "season"]].rename(
            columns={f"{side}_team": "team"}
        )
        for side in ("home", "away")
    ]
    latest = pd.concat(sides).sort_values("date", kind="stable").drop_duplicates(["country", "team"], keep="last")
    return latest.set_index(["team", "country"]).sort_index()


def _row(cell: dict[str, str], teams: pd.DataFrame, last_day: pd.Timestamp) -> dict[str, Any]:
    if "" in cell:
        raise DataError(f"There are more cells than columns: {cell['']}.")
    for name in REQUIRED:
        if not cell[name]:
            raise DataError(f"{name} is empty.")
    day = pd.Timestamp(iso_date("date", cell["date"]))
    if day < last_day:
        raise DataError(f"date={cell['date']} is before the last match known, {last_day:%Y-%m-%d}.")
    if cell["home"] == cell["away"]:
        raise DataError(f"{cell['home']} cannot play against itself.")
    country = _country(cell["home"], cell["away"], cell.get("country", ""), teams)
    neutral = cell.get("neutral", "").lower()
    if neutral not in NEUTRAL:
        raise DataError(f"neutral={neutral} is unknown; choose one of true, false.")
    return {
        "date": day,
        "country": country,
        "home_team": cell["home"],
        "away_team": cell["away"],
        "neutral": NEUTRAL[neutral],
        "home_goals": float("nan"),
        "away_goals": float("nan"),
        **_division(cell.get("division", ""), (cell["home"], country), (cell["away"], country), teams),
    }


def _take(row: dict[str, Any], taken: set[tuple[Any, ...]]) -> None:
    key = tuple(row[name] for name in MATCH)
    if key in taken:
        raise DataError(f"The match of {row['home_team']} and {row['away_team']} on this day is known already.")
    taken.add(key)


def _country(home: str, away: str, given: str, teams: pd.DataFrame) -> str:
    """The one country in which both teams play."""
    places = [_places(name, teams) for name in (home, away)]
    both = sorted(set(places[0]) & set(places[1]) & ({given} if given else set(places[0])))
    if len(both) > 1:
        raise DataError(f"{home} and {away} play in {' and in '.join(both)}; add a country.")
    if not both:
        told = " and ".join(
            f"{name} plays in {', '.join(there)}" for name, there in zip((home, away), places, strict=True)
        )
        raise DataError(f"{told}; expected two teams of {given or 'one country'}.")
    return both[0]


def _places(name: str, teams: pd.DataFrame) -> list[str]:
    names = teams.index.get_level_values("team")
    if name not in names:
        close = difflib.get_close_matches(name, set(names), n=3)
        raise DataError(f"The team {name} is unknown" + (f"; did you mean {' or '.join(close)}?" if close else "."))
    return [str(country) for country in teams.loc[name].index]


def _division(given: str, home: tuple[str, str], away: tuple[str, str], teams: pd.DataFrame) -> dict[str, object]:
    """Division, tier and season label with the day they are of: as given, else those of both teams' last matches."""
    last, theirs = (teams.loc[[team]].iloc[0] for team in (home, away))
    if given:
        inside = teams[(teams["division"] == given) & (teams.index.get_level_values("country") == home[1])]
        if not len(inside):
            raise DataError(f"The division {given} of {home[1]} is unknown.")
        last = inside.sort_values("date").iloc[-1]
    elif last["division"] != theirs["division"] and last["season"]:
        raise DataError(
            f"{home[0]} last played in {last['division']}, {away[0]} in {theirs['division']}; add a division."
        )
    return {**{key: last[key] for key in ("division", "tier", "season")}, "last_date": last["date"]}


def _with_seasons(fixtures: pd.DataFrame, data: World | Table) -> pd.DataFrame:
    """The season that a day has in the way in which the division's last match got its own: by year, or by date."""
    rules = data if isinstance(data, Table) and data.season_start is not None else USUAL_START
    days = {name: fixtures[[name]].set_axis(["date"], axis=1).assign(season="") for name in ("date", "last_date")}
    by_date = {name: with_season(day, rules)["season"] for name, day in days.items()}
    by_year = {name: day["date"].dt.year.astype("str") for name, day in days.items()}
    season = fixtures["season"]
    for label in (by_date, by_year):
        season = season.where(fixtures["season"] != label["last_date"], label["date"])
    return fixtures.assign(season=season)
