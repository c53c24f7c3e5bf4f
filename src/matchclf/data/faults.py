"""Checks that refuse a row: each takes the matches and gives its findings."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from matchclf.config import Table
from matchclf.data.findings import BAD, Origin, Rule
from matchclf.data.header import GOALS, OUTCOME, closest, listed
from matchclf.data.schema import outcome
from matchclf.data.values import GOALS_RULE, RULES

Findings = Iterator[pd.DataFrame]
FIRST_DAY = date(1850, 1, 1)
LATEST_FIXTURE = timedelta(days=2 * 365)
# Arbroath 36, Bon Accord 0 (1885) is the highest score of a national competition.
MOST_GOALS = 40
HIGHEST_TIER = 99
LETTERS = ("H", "D", "A")


@dataclass(frozen=True)
class Subject:
    """The matches under check, one row for one of ``origin``."""

    matches: pd.DataFrame
    origin: Origin
    table: Table
    today: date

    @property
    def played(self) -> pd.Series:
        """Whether a match has a score."""
        return self.matches[list(GOALS)].notna().any(axis=1)

    def keep(self, mask: Any) -> "Subject":
        """The same with some of the matches."""
        return replace(self, matches=self.matches[np.asarray(mask)], origin=self.origin.keep(mask))

    def names(self, mask: Any) -> list[str]:
        """What people call the matches where ``mask`` holds."""
        some = self.matches.loc[np.asarray(mask), ["home_team", "away_team", "date"]]
        return [f"{row.home_team} - {row.away_team} on {row.date:%Y-%m-%d}" for row in some.itertuples()]


def unreal_dates(subject: Subject) -> Findings:
    """No football before 1850, no score from the future, no fixture years ahead."""
    days = subject.matches["date"]
    today = pd.Timestamp(subject.today)
    late = (days > today) & subject.played | (days > today + LATEST_FIXTURE)
    message = f"the date must lie between {FIRST_DAY} and {subject.today}, or soon after for matches without a score"
    yield subject.origin.found(
        Rule(BAD, "date", message), (days < pd.Timestamp(FIRST_DAY)) | late, "date", days.dt.strftime("%Y-%m-%d")
    )


def empty_names(subject: Subject) -> Findings:
    """Teams, and where the files tell them country and division, have names."""
    told = () if subject.table.divisions else ("country", "division")
    rule = Rule(BAD, "empty_name", "the cell is empty; expected a name")
    for column in (*told, "home_team", "away_team"):
        names = subject.matches[column]
        yield subject.origin.found(rule, names == "", column, names)


def plays_itself(subject: Subject) -> Findings:
    """Home and away are two teams."""
    home, away = subject.matches["home_team"], subject.matches["away_team"]
    rule = Rule(BAD, "plays_itself", "a team cannot play itself")
    yield subject.origin.found(rule, (home == away) & (home != ""), "away_team", away)


def impossible_goals(subject: Subject) -> Findings:
    """Goals are whole, not negative, not absurd, and known of both teams or of none."""
    home, away = (subject.matches[name] for name in GOALS)
    for name, goals, other in ((GOALS[0], home, away), (GOALS[1], away, home)):
        known = goals.notna()
        impossible = known & ((goals < 0) | (goals > MOST_GOALS) | (goals != goals.round()))
        yield subject.origin.found(GOALS_RULE, impossible, name, goals)
        yield subject.origin.found(GOALS_RULE, ~known & other.notna(), name, np.full(len(goals), ""))


def wrong_outcomes(subject: Subject) -> Findings:
    """The letter of the outcome, where the file has one, is known and is that of the goals."""
    letters = subject.matches[OUTCOME]
    unknown = (letters != "") & ~letters.isin(LETTERS)
    yield subject.origin.found(
        Rule(BAD, "outcome", "the outcome must be H (home win), D (draw) or A (away win)"), unknown, OUTCOME, letters
    )
    home, away = (subject.matches[name] for name in GOALS)
    both = home.notna() & away.notna()
    expected = pd.Series("", index=letters.index, dtype="str")
    expected[both] = outcome(home[both], away[both]).map(dict(enumerate(LETTERS))).astype("str")
    against = (letters != "") & ~unknown & (letters != expected)
    shown = [f"{a} with {b:g}:{c:g}" for a, b, c in zip(letters[against], home[against], away[against], strict=True)]
    rule = Rule(BAD, "outcome_against_goals", "the outcome contradicts the goals")
    yield subject.origin.found(rule, against, OUTCOME, shown)


def unknown_divisions(subject: Subject) -> Findings:
    """Every division is one of the format's, when it lists them."""
    known = subject.table.divisions
    if not known:
        return
    words = subject.matches["division"]
    unknown = ~words.isin(known)
    shown = {word: f"{word}{closest(word, list(known))}" for word in words[unknown].unique()}
    codes = listed([name for name, entry in known.items() if len(entry) == 2])
    rule = Rule(BAD, "unknown_division", f"not a division of data.divisions, which are {codes}")
    yield subject.origin.found(rule, unknown, "division", words[unknown].map(shown))


def wrong_tiers(subject: Subject) -> Findings:
    """Tiers are whole numbers from 1, when the files or a constant tell them."""
    tiers = subject.matches["tier"]
    wrong = ~((tiers >= 1) & (tiers <= HIGHEST_TIER) & (tiers == tiers.round()))
    if not subject.table.divisions:
        yield subject.origin.found(RULES["tier"], wrong, "tier", tiers)


def duplicates(subject: Subject) -> Findings:
    """No match stands twice. The first of equal rows is good; of rows that contradict each other none is."""
    groups = subject.matches.groupby(subject.table.match_key, sort=False, dropna=False).ngroup()
    several = groups.duplicated(keep=False)
    part = subject.matches.loc[several, list(GOALS)]
    place = part.index.to_series().groupby(groups[several])
    first, last = place.transform("first"), place.transform("last")
    differs = part.fillna(-1).ne(part.fillna(-1).loc[first].to_numpy()).any(axis=1)
    refused = (part.index != first) | differs.groupby(groups[several]).transform("any")
    mask = subject.matches.index.isin(part.index[refused])
    other = subject.origin.where.loc[first.where(first != part.index, last)[refused]]
    places = [f"also {file} {row}" for file, row in zip(other["file"], other["row"], strict=True)]
    shown = [f"{name}, {place}" for name, place in zip(subject.names(mask), places, strict=True)]
    rule = Rule(BAD, "duplicate", f"the same {', '.join(subject.table.match_key)} must not stand twice")
    yield subject.origin.found(rule, mask, "home_team", shown)


FAULTS = (
    unreal_dates,
    empty_names,
    plays_itself,
    impossible_goals,
    wrong_outcomes,
    unknown_divisions,
    wrong_tiers,
)
