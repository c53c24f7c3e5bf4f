"""The cells of one file as typed columns of the schema, with a finding for each cell that cannot be read."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from matchclf.config import Table
from matchclf.data import cells
from matchclf.data.cells import Array
from matchclf.data.findings import BAD, DOUBTFUL, Origin, Rule
from matchclf.data.header import GOALS, OUTCOME, READABLE, STATS, price_columns

TEXTS = ("country", "division", "season", "home_team", "away_team", OUTCOME)
GOALS_RULE = Rule(BAD, "goals", "goals must be whole numbers from 0 to 40, of both teams or of none")
STATISTIC_RULE = Rule(DOUBTFUL, "statistic", "not a plausible number, taken as unknown")
ODDS_RULE = Rule(DOUBTFUL, "odds", "not a plausible set of decimal prices, left out")
RULES = {
    **dict.fromkeys(TEXTS, Rule(BAD, "long_text", f"a text must have at most {cells.LONGEST} characters")),
    "tier": Rule(BAD, "tier", "the tier must be a whole number from 1 to 99"),
    "neutral": Rule(BAD, "neutral", "must be true, yes or 1, or false, no or 0"),
    **dict.fromkeys(GOALS, GOALS_RULE),
    **dict.fromkeys(STATS, STATISTIC_RULE),
}


def typed(
    source: pa.Table, mapping: dict[str, str], table: Table, origin: Origin
) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """All columns that a file can give, empty where it has none; and the findings."""
    columns: dict[str, Any] = {}
    findings = []
    for name in READABLE:
        column = _column(name, source, mapping, table)
        if column is None:
            columns[name] = "" if name in TEXTS else np.nan
            continue
        columns[name], wrong = _read(name, column, table)
        if wrong.any():
            findings.append(origin.found(_rule(name, table), wrong, name, cells.shown(column, wrong)))
    return pd.DataFrame(columns, index=origin.where.index).astype(dict.fromkeys(TEXTS, "str")), findings


def prices(source: pa.Table, table: Table, origin: Origin) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """The columns of prices under their names in the file, NaN where there is no number; and the findings."""
    columns, findings = {}, []
    for name in price_columns(source.column_names, table):
        columns[name], wrong = cells.numbers(source[name], table.missing)
        if wrong.any():
            findings.append(origin.found(ODDS_RULE, wrong, name, cells.shown(source[name], wrong)))
    return pd.DataFrame(columns, index=origin.where.index), findings


def _column(name: str, source: pa.Table, mapping: dict[str, str], table: Table) -> Any:
    if name in mapping:
        return source[mapping[name]]
    constant = table.constants.get(name)
    return None if constant is None else pa.chunked_array([pa.repeat(str(constant), source.num_rows)])


def _read(name: str, column: Any, table: Table) -> tuple[Any, Array]:
    if name in TEXTS:
        return cells.texts(column, table.missing)
    if name == "date":
        return cells.days(column, table.missing, table.date_formats)
    if name == "neutral":
        return cells.flags(column, table.missing)
    return cells.numbers(column, table.missing)


def _rule(name: str, table: Table) -> Rule:
    if name == "date":
        formats = " or ".join(table.date_formats) or "a date column"
        return Rule(BAD, "date", f"the date must be one day, written as {formats}")
    return RULES[name]
