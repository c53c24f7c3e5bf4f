"""Every kind of match data behind one function: the built-in league, or files in one of the table formats."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from matchclf.config import Table, World
from matchclf.errors import ConfigError
from matchclf.lineage.source import Source, local_source, s3_source, synthetic_source

if TYPE_CHECKING:
    from matchclf.data.s3 import Location


@dataclass(frozen=True)
class Loaded:
    """Checked matches; ``upcoming`` are those without a score, ``truth`` is None but for the built-in league."""

    matches: pd.DataFrame
    upcoming: pd.DataFrame
    findings: pd.DataFrame
    truth: pd.DataFrame | None


def check_source(data: World | Table) -> None:
    """Raise SourceError when there is no such file; a bucket is not asked yet, only its name is checked."""
    if isinstance(data, World):
        return
    if data.bucket is None:
        source_files(data)
    else:
        _location(data)


def source_files(table: Table) -> list[Path]:
    """The files that a table's path stands for; raises SourceError when there are none."""
    from matchclf.data.table import list_files

    return list_files(Path(table.folder).expanduser())


def find_source(data: World | Table, project: Path) -> Source:
    """Where the matches come from, downloaded first when they are in a bucket and have changed there."""
    if isinstance(data, World):
        return synthetic_source(asdict(data))
    if data.bucket is None:
        return local_source(Path(data.folder).expanduser(), source_files(data), project)
    from matchclf.data.s3 import fetch

    return s3_source(data.bucket, str(data.key), fetch(_location(data), Path(str(data.path))))


def _location(table: Table) -> Location:
    from matchclf.data.s3 import Location

    return Location(str(table.bucket), str(table.key), table.endpoint_url, table.region, table.version_id)


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
