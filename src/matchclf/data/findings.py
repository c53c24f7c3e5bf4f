"""What is wrong with the rows of match files: one row a finding, and the report a person reads."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

COLUMNS = ["severity", "rule", "file", "row", "column", "value", "message"]
BAD, DOUBTFUL = "bad", "doubtful"
PARQUET = (".parquet", ".pq")
MAX_LINES, MAX_ROWS, MAX_VALUE = 20, 5, 100


@dataclass(frozen=True)
class Rule:
    """One way a row can be wrong: ``bad`` rows are refused, ``doubtful`` ones are let through."""

    severity: str
    name: str
    message: str


@dataclass(frozen=True)
class Origin:
    """Where each match stands: columns ``file`` and ``row``, and the names that each file gives to its columns."""

    where: pd.DataFrame
    headers: dict[str, dict[str, str]]

    def found(self, rule: Rule, mask: Any, column: str, values: Any) -> pd.DataFrame:
        """One finding for each match where ``mask`` holds; the index is that of the matches.

        ``column`` is a name of the schema, or any label; ``values`` has one entry a match, or one a finding.
        """
        mask = np.asarray(mask, dtype=bool)
        where = self.where[mask]
        if where.empty:
            return together([])
        values = np.asarray(values, dtype=object)
        files = where["file"].astype(str)
        labels = {file: header.get(column, column) for file, header in self.headers.items()}
        return pd.DataFrame(
            {
                "severity": rule.severity,
                "rule": rule.name,
                "file": files,
                "row": where["row"],
                "column": files.map(labels),
                "value": _shown(values[mask] if len(values) == len(mask) else values),
                "message": rule.message,
            },
            index=where.index,
            columns=COLUMNS,
        )

    def keep(self, mask: Any) -> "Origin":
        """The same for a part of the matches."""
        return Origin(self.where[np.asarray(mask, dtype=bool)], self.headers)


def together(findings: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """All findings in one table; empty, with its columns, when there are none."""
    some = [found for found in findings if len(found)]
    return pd.concat(some) if some else pd.DataFrame({name: [] for name in COLUMNS})


def report(findings: pd.DataFrame) -> str:
    """One line for each rule, file and column: the number of rows, and the first of them with their values."""
    groups = list(findings.groupby(["file", "column", "message"], sort=False))
    lines = [_line(group) for _, group in groups[:MAX_LINES]]
    rest = sum(len(group) for _, group in groups[MAX_LINES:])
    if rest:
        lines.append(f"... and {rest} more in {len(groups) - MAX_LINES} further lines of this kind.")
    return "\n".join(lines)


def _line(group: pd.DataFrame) -> str:
    file, column, message = (str(group[name].iloc[0]) for name in ("file", "column", "message"))
    unit = "row" if file.lower().endswith(PARQUET) else "line"
    rows = zip(group["row"].head(MAX_ROWS), group["value"].head(MAX_ROWS), strict=True)
    first = ", ".join(f"{f'{unit} {row}' if row else 'header'} {value!r}" for row, value in rows)
    more = f" and {len(group) - MAX_ROWS} more" if len(group) > MAX_ROWS else ""
    return f"{file}, {column}: {message} ({len(group):,} row{'s' * (len(group) > 1)}): {first}{more}."


def _shown(values: Any) -> Any:
    """Texts of values, long ones cut; each distinct value is written once."""
    codes, distinct = pd.factorize(values, use_na_sentinel=False)
    texts = [f"{value:g}" if isinstance(value, float) else str(value) for value in distinct]
    return np.array([text if len(text) <= MAX_VALUE else f"{text[: MAX_VALUE - 3]}..." for text in texts])[codes]
