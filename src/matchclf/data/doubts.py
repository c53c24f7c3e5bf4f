"""Checks that let a row through, counted and listed: what is odd in real files but may be true."""

import unicodedata

import numpy as np
import pandas as pd

from matchclf.data.cells import Array
from matchclf.data.faults import Findings, Subject
from matchclf.data.findings import DOUBTFUL, Rule
from matchclf.data.header import GOALS, STATS
from matchclf.data.values import STATISTIC_RULE

SIDES = ("home", "away")
MOST_OF_A_STATISTIC = 200
REMATCH_DAYS = 3


def twice_a_day(subject: Subject) -> Findings:
    """A team plays once a day."""
    teams, days = _teams(subject.matches), subject.matches["date"].to_numpy()
    twice = pd.DataFrame({"team": teams, "day": np.concatenate([days, days])}).duplicated(keep=False).to_numpy()
    rule = Rule(DOUBTFUL, "twice_a_day", "the team plays twice on this day")
    for side, mask in zip(SIDES, np.split(twice, 2), strict=True):
        yield subject.origin.found(rule, mask, f"{side}_team", subject.names(mask))


def rematches(subject: Subject) -> Findings:
    """A match is not played again at the same ground within days: one of the dates may be wrong."""
    home, away = np.split(_teams(subject.matches), 2)
    day = subject.matches["date"].to_numpy().astype("datetime64[D]").astype("int64")
    order = np.lexsort((day, away, home))
    same = (np.diff(home[order]) == 0) & (np.diff(away[order]) == 0)
    gap = np.diff(day[order])
    mask = np.zeros(len(day), dtype=bool)
    mask[order[1:]] = same & (gap > 0) & (gap <= REMATCH_DAYS)
    rule = Rule(DOUBTFUL, "rematch", f"the same teams met at the same ground less than {REMATCH_DAYS + 1} days before")
    yield subject.origin.found(rule, mask, "date", subject.names(mask))


def similar_names(subject: Subject) -> Findings:
    """Two spellings of one team differ by case, accents or punctuation alone; the rarer ones are listed."""
    matches = subject.matches
    teams = _teams(matches)
    number, first, count = np.unique(teams, return_index=True, return_counts=True)
    names = pd.concat([matches["home_team"], matches["away_team"]]).iloc[first].tolist()
    country = pd.concat([matches["country"], matches["country"]]).iloc[first].tolist()
    spellings = pd.DataFrame({"country": country, "letters": [_letters(name) for name in names], "name": names})
    spellings = spellings.assign(number=number, count=count).sort_values("count", ascending=False, kind="stable")
    usual = spellings.groupby(["country", "letters"])["name"].transform("first")
    rare = spellings.assign(usual=usual)[usual != spellings["name"]].set_index("number")
    shown = (rare["name"] + " / " + rare["usual"]).to_dict()
    rule = Rule(DOUBTFUL, "similar_names", "nearly the name of another team of the country, taken as two teams")
    for side, team in zip(SIDES, np.split(teams, 2), strict=True):
        mask = np.isin(team, rare.index.to_numpy())
        yield subject.origin.found(rule, mask, f"{side}_team", [shown[number] for number in team[mask]])


def without_score(subject: Subject) -> Findings:
    """A match of the past has a score."""
    mask = ~subject.played & (subject.matches["date"] < pd.Timestamp(subject.today))
    rule = Rule(DOUBTFUL, "no_score", "the day is past but there is no score; taken as still to come")
    yield subject.origin.found(rule, mask, "home_goals", subject.names(mask))


DOUBTS = (twice_a_day, rematches, similar_names, without_score)


def played_already(subject: Subject) -> tuple[Subject, pd.DataFrame]:
    """Matches still to come without those that another row gives the score of, and findings for these."""
    key = [name for name in subject.table.match_key if name not in GOALS]
    played = subject.played
    groups = subject.matches.groupby(key, sort=False).ngroup()
    mask = ~played & groups.isin(groups[played])
    rule = Rule(DOUBTFUL, "played_already", "another row has the score of this match; left out of those to come")
    return subject.keep(~mask), subject.origin.found(rule, mask, "home_goals", subject.names(mask))


def statistics(subject: Subject) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """Matches with impossible statistics taken as unknown: of two that contradict each other, both."""
    matches = subject.matches
    findings = []
    for name in STATS:
        values = matches[name]
        wrong = (values < 0) | (values > MOST_OF_A_STATISTIC) | (values.notna() & (values != values.round()))
        findings.append(subject.origin.found(STATISTIC_RULE, wrong, name, values))
        matches = matches.assign(**{name: values.mask(wrong)})
    for side in SIDES:
        parts = ((f"{side}_shots_on_target", f"{side}_shots"), (f"{side}_half_time_goals", f"{side}_goals"))
        for part, whole in parts:
            wrong = matches[part] > matches[whole]
            findings.append(subject.origin.found(_more_than(part, whole), wrong, part, _pairs(matches, part, whole)))
            doubted = [name for name in (part, whole) if name in STATS]
            matches = matches.assign(**{name: matches[name].mask(wrong) for name in doubted})
    return matches, findings


def _more_than(part: str, whole: str) -> Rule:
    words = " than ".join(name.split("_", 1)[1].replace("_", " ") for name in (part, whole))
    return Rule(DOUBTFUL, "statistic", f"more {words}, taken as unknown")


def _pairs(matches: pd.DataFrame, part: str, whole: str) -> list[str]:
    some = matches.loc[matches[part] > matches[whole], [part, whole]]
    return [f"{first:g} of {second:g}" for first, second in some.to_numpy()]


def _teams(matches: pd.DataFrame) -> Array:
    """A number for each team, first of all home teams, then of all away teams."""
    country = pd.factorize(matches["country"])[0].astype("int64")
    team = pd.factorize(pd.concat([matches["home_team"], matches["away_team"]]))[0].astype("int64")
    numbers: Array = np.concatenate([country, country]) * (team.max(initial=0) + 1) + team
    return numbers


def _letters(name: str) -> str:
    """What is left of a name without case, accents and punctuation."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in plain if letter.isalnum()) or name
