"""Every kind of match data behind one function: the built-in league, or files in one of the table formats."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from matchclf.config import Table, World
from matchclf.errors import ConfigError


@dataclass(frozen=True)
class Loaded:
    """Checked matches; ``upcoming`` are those without a score, ``truth`` is None but for the built-in league."""

    matches: pd.DataFrame
    upcoming: pd.DataFrame
    findings: pd.DataFrame
    truth: pd.DataFrame | None


def source_files(table: Table) -> list[Path]:
    """The files that a table's path stands for; raises SourceError when there are none."""
    from matchclf.data.table import list_files

    return list_files(Path(table.path).expanduser())


def load_matches(data: World | Table, project: Path) -> Loaded:
    """Read and check the matches that a data option describes."""
    if isinstance(data, World):
        from matchclf.data.synthetic import make_world

        matches, truth = make_world(data)
        return Loaded(matches, matches.iloc[:0], pd.DataFrame(), truth)
    if isinstance(data, Table):
        from matchclf.data.matches import check_matches
        from matchclf.data.table import read_table

        checked = check_matches(read_table(data, project), data)
        return Loaded(checked.matches, checked.upcoming, checked.findings, None)
    raise ConfigError(f"data is a {type(data).__name__}; expected a match table or the built-in league.")
