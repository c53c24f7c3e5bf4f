"""The shipped formats as the reader gets them, without Hydra, and small files in them."""

from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
from omegaconf import OmegaConf

from matchclf.config import Table
from matchclf.data.matches import Checked, check_matches
from matchclf.data.table import RawMatches, read_table

CONF = Path(__file__).parents[2] / "conf" / "data"
TODAY = date(2026, 1, 1)
HEADER = "Div,Date,HomeTeam,AwayTeam,FTHG,FTAG,FTR"


@cache
def shipped(kind: str) -> Table:
    loaded = OmegaConf.load(CONF / f"{kind}.yaml")
    loaded.pop("defaults")
    return OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(Table), loaded, {"path": "x"}))


def table(kind: str, path: Path | str, **changes: Any) -> Table:
    return replace(shipped(kind), path=str(path), **changes)


def save(folder: Path, *lines: str, header: str = HEADER, name: str = "m.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes("\n".join([header, *lines, ""]).encode(encoding))
    return path


def read(path: Path, kind: str = "football_data", **changes: Any) -> RawMatches:
    return read_table(table(kind, path, **changes), path.parent)


def check(path: Path, kind: str = "football_data", **changes: Any) -> Checked:
    format_ = table(kind, path, **changes)
    return check_matches(read_table(format_, path.parent), format_, today=TODAY)


def told(findings: pd.DataFrame) -> list[tuple[Any, ...]]:
    """Severity, rule, row, column and value of each finding."""
    return list(findings[["severity", "rule", "row", "column", "value"]].itertuples(index=False, name=None))


def rows(matches: pd.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    days = matches.assign(date=matches["date"].dt.strftime("%Y-%m-%d"))
    return list(days[list(columns)].itertuples(index=False, name=None))
