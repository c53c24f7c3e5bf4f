"""The season of a match: its label in the file, else from its date."""

import re

import pandas as pd

from matchclf.config import Table

_TWO_YEARS = re.compile(r"([0-9]{4})\s*[/-]\s*(?:[0-9]{2})?([0-9]{2})")
_FLOAT = re.compile(r"([0-9]{4})\.0")


def with_season(matches: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Matches with one spelling of season labels (2012/13, or 2012), taken from the date where there is none."""
    spelling = {label: _label(label) for label in matches["season"].unique()}
    label = matches["season"].map(spelling).astype("str")
    unknown = label == ""
    if table.season_start is not None and unknown.any():
        label = label.where(~unknown, _from_date(matches["date"], table))
    return matches.assign(season=label)


def _label(text: str) -> str:
    if whole := _FLOAT.fullmatch(text):
        return whole[1]
    years = _TWO_YEARS.fullmatch(text)
    return f"{years[1]}/{years[2]}" if years else text


def _from_date(date: "pd.Series[pd.Timestamp]", table: Table) -> "pd.Series[str]":
    """Season that runs on a day: from the start day of one year, which exceptions may move, to that of the next."""
    year = date.dt.year.fillna(0).astype("int64")
    day = date.dt.month * 100 + date.dt.day
    starts = {year: _month_day(text) for year, text in table.season_start_exceptions.items()}
    start = year.map(starts).fillna(_month_day(str(table.season_start)))
    first = year - (day < start).astype("int64")
    return first.astype("str") + "/" + ((first + 1) % 100).astype("str").str.zfill(2)


def _month_day(text: str) -> int:
    month, day = text.split("-")
    return int(month) * 100 + int(day)
