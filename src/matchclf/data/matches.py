"""The checks between a file and the rest of the program, and the one report of what they found."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd

from matchclf.config import Table
from matchclf.data.doubts import DOUBTS, played_already, statistics
from matchclf.data.faults import FAULTS, Subject, duplicates
from matchclf.data.findings import BAD, report, together
from matchclf.data.odds import choose_odds
from matchclf.data.schema import conform
from matchclf.data.season import with_season
from matchclf.data.table import RawMatches
from matchclf.errors import DataError


@dataclass(frozen=True)
class Checked:
    """Matches in the columns of the schema: played ones, and those still to come, whose goals are NaN.

    ``findings`` has one row a finding: severity (bad or doubtful), rule, file, row, column, value, message.
    """

    matches: pd.DataFrame
    upcoming: pd.DataFrame
    findings: pd.DataFrame
    source_files: list[Path]


def check_matches(raw: RawMatches, table: Table, today: date | None = None) -> Checked:
    """Check what was read, and give it the columns of the schema.

    Raises DataError with a report of all bad rows, unless ``data.on_bad_rows=drop`` leaves them out, or when no
    row is left.
    """
    subject = Subject(_with_division(raw.frame, table), raw.origin, table, today or datetime.now(tz=UTC).date())
    bad = _bad_rows(subject, raw)
    if len(bad) and table.on_bad_rows == "error":
        raise DataError(_refusal(bad, len(raw.frame)))
    kept = subject.keep(~raw.frame.index.isin(bad.index))
    if not len(kept.matches):
        raise DataError(f"No match is left without the bad rows:\n{report(bad)}")
    matches, doubts = _doubted(kept, raw)
    findings = together([bad, raw.findings[raw.findings["severity"] != BAD], *doubts]).reset_index(drop=True)
    played = matches["home_goals"].notna()
    return Checked(conform(matches[played]), conform(matches[~played]), findings, raw.files)


def _bad_rows(subject: Subject, raw: RawMatches) -> pd.DataFrame:
    """Findings of bad rows; a row that is bad by itself is no duplicate."""
    while_reading = raw.findings[raw.findings["severity"] == BAD]
    found = together(findings for check in FAULTS for findings in check(subject))
    unread = while_reading.index[while_reading["rule"] == "goals"]
    found = found[~((found["rule"] == "goals") & (found["value"] == "") & found.index.isin(unread))]
    single = together([while_reading, found])
    good, _ = played_already(subject.keep(~subject.matches.index.isin(single.index)))
    return together([single, *duplicates(good)])


def _doubted(subject: Subject, raw: RawMatches) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """Matches with seasons and odds, doubtful values left out; and what was doubtful."""
    subject, already = played_already(subject)
    matches, findings = statistics(subject)
    index = matches.index
    shifted = raw.findings.index[raw.findings["rule"] == "extra_cells"]
    odds, left_out = choose_odds(raw.prices.loc[index], subject.table, subject.origin, ~index.isin(shifted))
    matches = with_season(matches, subject.table).join(odds)
    told = replace(subject, matches=matches)
    return matches, [already, *findings, *left_out, *(found for check in DOUBTS for found in check(told))]


def _with_division(matches: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Matches with the country, the tier and the code that the format gives to what stands in the file."""
    if not table.divisions:
        return matches
    word = matches["division"]
    country, tier, code = (
        {name: entry[part] if part < len(entry) else name for name, entry in table.divisions.items()}
        for part in range(3)
    )
    return matches.assign(
        country=word.map(country).fillna("").astype("str"),
        tier=word.map(tier).astype("float64"),
        division=word.map(code).fillna(word).astype("str"),
    )


def _refusal(bad: pd.DataFrame, rows: int) -> str:
    number = bad.index.nunique()
    return (
        f"{number:,} of {rows:,} rows cannot be used; mend them, or go on without them by "
        f"data.on_bad_rows=drop:\n{report(bad)}"
    )
