"""The one reader of match files: a format is a YAML file, and what it names is read, never guessed."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from matchclf.config import Table
from matchclf.data.columnar import read_columnar
from matchclf.data.delimited import Cells, read_delimited
from matchclf.data.findings import DOUBTFUL, PARQUET, Origin, Rule, together
from matchclf.data.header import GOALS, check_names, listed, map_columns, needed_columns
from matchclf.data.values import prices, typed
from matchclf.errors import DataError, SourceError

MAX_PROBLEMS = 20
HEADER = 0
SUFFIXES = (".csv", *PARQUET)
ODDITIES = {
    "extra_cells": Rule(DOUBTFUL, "extra_cells", "more cells than the header has names, so its prices are left out"),
    "missing_cells": Rule(DOUBTFUL, "missing_cells", "the row ends before these columns"),
    "line_break": Rule(DOUBTFUL, "line_break", "a cell goes on over the end of its line"),
}


@dataclass(frozen=True)
class RawMatches:
    """Matches as they stand in the files, read but not checked; all parts have one row a match and one index.

    ``frame`` has the columns of the schema but for the odds, and ``outcome``, the letter in the file; ``prices``
    has the odds under their names in the files; ``findings`` are those made while reading.
    """

    frame: pd.DataFrame
    prices: pd.DataFrame
    origin: Origin
    findings: pd.DataFrame
    files: list[Path]


def read_table(table: Table, project: Path) -> RawMatches:
    """Read one CSV or Parquet file, or all of a folder in sorted order.

    Raises SourceError when there is no file, and DataError that tells of every file that cannot be read.
    """
    check_names(table)
    files = list_files(project / Path(table.folder).expanduser())
    parts, problems = [], []
    for path in files:
        try:
            parts.append(_read_file(path, _name(path, project), table))
        except DataError as problem:
            problems.append(f"{_name(path, project)} {problem}")
    if problems:
        more = [f"... and {len(problems) - MAX_PROBLEMS} more files."] if len(problems) > MAX_PROBLEMS else []
        raise DataError("\n".join([*problems[:MAX_PROBLEMS], *more]))
    return _joined(parts, files)


def list_files(path: Path) -> list[Path]:
    """Files that ``path`` stands for: itself, or the CSV and Parquet files of a folder, sorted."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise SourceError(
            f"There is no file or folder {path}; expected a CSV file, a Parquet file or a folder (data.path)."
        )
    inside = sorted(file for file in path.rglob("*") if file.is_file() and not _hidden(file, path))
    files = [file for file in inside if file.suffix.lower() in SUFFIXES]
    if not files:
        names = listed([file.name for file in inside]) or "nothing"
        raise SourceError(f"{path} holds {names}; expected files that end in {', '.join(SUFFIXES)}.")
    return files


def _hidden(file: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(folder).parts)


def _name(path: Path, project: Path) -> str:
    return str(path.relative_to(project) if path.is_relative_to(project) else path)


def _read_file(path: Path, name: str, table: Table) -> RawMatches:
    read = read_columnar if path.suffix.lower() in PARQUET else read_delimited
    try:
        cells = read(path, partial(needed_columns, table=table))
    except OSError as problem:
        raise DataError(f"cannot be opened: {problem.strerror}.") from problem
    mapping = map_columns(cells.table.column_names, table)
    origin = Origin(pd.DataFrame({"file": name, "row": cells.rows}), {name: mapping})
    frame, findings = typed(cells.table, mapping, table, origin)
    odds, more = prices(cells.table, table, origin)
    odd = [*_oddities(cells, origin), *_without_goals(cells.header, table, origin)]
    return RawMatches(frame, odds, origin, together([*findings, *more, *odd]), [path])


def _oddities(cells: Cells, origin: Origin) -> list[pd.DataFrame]:
    findings = []
    for kind, rule in ODDITIES.items():
        found = {position: text for position, other, text in cells.oddities if other == kind}
        mask = np.isin(np.arange(len(cells.rows)), list(found))
        findings.append(origin.found(rule, mask, "cells", list(found.values())))
    return findings


def _without_goals(header: list[str], table: Table, origin: Origin) -> list[pd.DataFrame]:
    """A file of fixtures has no columns for goals, and so may one whose columns have other names: told once."""
    if set(GOALS) & set(map_columns(header, table)):
        return []
    expected = " or ".join(table.columns.get("home_goals", ())) or "for goals"
    rule = Rule(DOUBTFUL, "no_goals", f"no column {expected}, so all matches of the file are taken as still to come")
    first = np.arange(len(origin.where)) == 0
    return [origin.found(rule, first, "home_goals", [listed(header)]).assign(row=HEADER)]


def _joined(parts: list[RawMatches], files: list[Path]) -> RawMatches:
    starts = np.cumsum([0, *(len(part.frame) for part in parts[:-1])])
    shifted = [part.findings.set_axis(part.findings.index + start) for part, start in zip(parts, starts, strict=True)]
    where = pd.concat([part.origin.where for part in parts], ignore_index=True)
    return RawMatches(
        pd.concat([part.frame for part in parts], ignore_index=True),
        pd.concat([part.prices for part in parts], ignore_index=True),
        Origin(where, {name: header for part in parts for name, header in part.origin.headers.items()}),
        together(shifted),
        files,
    )
