"""Which column of a file means what: the names of a format against the names in a header."""

import difflib
from collections.abc import Sequence

from matchclf.config import Table
from matchclf.data.schema import NAMES, ODDS, STATISTICS
from matchclf.errors import ConfigError, DataError

OUTCOME = "outcome"
GOALS = ("home_goals", "away_goals")
STATS = tuple(f"{side}_{name}" for name in STATISTICS for side in ("home", "away"))
READABLE = tuple(name for name in (*NAMES, OUTCOME) if name not in (*ODDS, "odds_source"))
OPTIONAL = (*STATS, "season", OUTCOME)
MAX_LISTED = 40


def check_names(table: Table) -> None:
    """Raise ConfigError for a column of the config that the schema does not have."""
    for key, names in (
        ("columns", table.columns),
        ("constants", table.constants),
        ("match_key", table.match_key),
    ):
        for name in names:
            if name not in READABLE:
                raise ConfigError(f"data.{key} names {name!r}, which is unknown; choose among {', '.join(READABLE)}.")
    if not table.match_key:
        raise ConfigError("data.match_key is empty; expected the columns that tell one match from another.")


def map_columns(header: Sequence[str], table: Table) -> dict[str, str]:
    """Column of the file for each column of the schema that it has; the first of the format's names counts."""
    choices = {name: [column for column in columns if column in header] for name, columns in table.columns.items()}
    return {name: found[0] for name, found in choices.items() if found}


def price_columns(header: Sequence[str], table: Table) -> list[str]:
    """Columns of all sets of prices that the file has whole, in the order of the format."""
    whole = [triple for triple in table.odds if set(triple) <= set(header)]
    return list(dict.fromkeys(column for triple in whole for column in triple))


def needed_columns(header: Sequence[str], table: Table) -> list[str]:
    """Columns to read from a file; raises DataError, without the name of the file, when it lacks a required one."""
    mapping = map_columns(header, table)
    lacking = [name for name in required(table, mapping) if name not in mapping]
    if lacking:
        raise DataError(
            f"has no column for {'; nor for '.join(_expected(name, header, table) for name in lacking)}. "
            f"Its columns: {listed([name for name in header if name])}."
        )
    needed = list(dict.fromkeys([*mapping.values(), *price_columns(header, table)]))
    twice = [name for name in needed if list(header).count(name) > 1]
    if twice:
        raise DataError(f"has more than one column named {', '.join(twice)}; expected one.")
    return needed


def required(table: Table, mapping: dict[str, str]) -> list[str]:
    """Columns a file must have: what no constant and no division gives. Goals may only be absent together."""
    known = {name for name, value in table.constants.items() if value is not None}
    if table.divisions:
        known |= {"country", "tier"}
    if not set(GOALS) & set(mapping):
        known |= set(GOALS)
    return [name for name in READABLE if name not in OPTIONAL and name not in known]


def listed(names: Sequence[str]) -> str:
    """Names in one line, shortened when there are many."""
    more = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
    return ", ".join(names[:MAX_LISTED]) + more


def closest(name: str, names: Sequence[str]) -> str:
    """The most similar of some names as the end of a sentence, or nothing."""
    folded = {other.casefold(): other for other in names}
    near = [folded[match] for match in difflib.get_close_matches(name.casefold(), folded, 3, 0.7)]
    return f", closest is {' or '.join(repr(match) for match in near)}" if near else ""


def _expected(name: str, header: Sequence[str], table: Table) -> str:
    columns = table.columns.get(name) or [name]
    return f"{name} (expected {' or '.join(columns)}; set data.columns.{name}{closest(columns[0], header)})"
