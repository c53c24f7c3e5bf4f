"""The data of a run found again by its hash: where it was, in DVC's cache or remote, or in its bucket."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from matchclf.config import Table, World
from matchclf.data.s3 import Location, fetch
from matchclf.data.table import list_files
from matchclf.errors import MatchclfError, SourceError
from matchclf.lineage import dvc
from matchclf.lineage.source import local_source
from matchclf.stages.original import Original

log = logging.getLogger(__name__)


def find_data(original: Original, code: Path, folder: Path) -> dict[str, Any]:
    """The settings of a run with the path of files that have the content they had; raises SourceError.

    ``code`` is the work tree of its commit, where DVC's pointers are those of the time; ``folder`` takes copies.
    """
    settings = original.settings
    if settings["data"]["name"] == World.name:
        return settings
    table, md5 = Table(**settings["data"]), original.data["data.source_md5"]
    path = Path(table.folder).expanduser()
    here = {"bucket": None, "key": None}
    for find in (_in_place, _cached, _pulled, _fetched):
        found = find(table, original, code, folder)
        if found is not None and _md5(found) == md5:
            log.info("data       %s", found)
            return {**settings, "data": {**settings["data"], **here, "path": str(found)}}
    raise SourceError(
        f"The matches of run {original.run.info.run_id} are not found: {path} has the MD5 {_md5(Path.cwd() / path)}, "
        f"expected {md5}; nor are they in DVC's cache, a DVC remote or the bucket they came from. Put the file of that "
        "MD5 there, or run `dvc pull` where it is tracked."
    )


def _in_place(table: Table, *_: Any) -> Path:
    return Path.cwd() / Path(table.folder).expanduser()


def _fetched(table: Table, original: Original, _: Path, folder: Path) -> Path | None:
    """The object as it was, from the bucket that the config or the run's tags name."""
    if table.bucket is None or table.key is None:
        return None
    version = original.data["data.source_version_id"]
    location = Location(
        table.bucket, table.key, table.endpoint_url, table.region, None if version in ("none", "null") else version
    )
    try:
        fetch(location, folder, expected_etag=None if location.is_prefix else original.data["data.source_etag"])
    except SourceError as problem:
        log.warning("data       %s", problem)
        return None
    return location.path_of(location.key.rstrip("/"), folder)


def _md5(path: Path) -> str:
    """The MD5 of a file's content, or of a folder's files; says so when there is none."""
    try:
        return local_source(path, list_files(path), path.parent).etag
    except (MatchclfError, OSError):
        return "none, it does not exist"


def _cached(table: Table, original: Original, _: Path, folder: Path) -> Path | None:
    cached = dvc.find_in_cache(original.data["data.source_md5"], Path.cwd())
    if cached is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(cached, folder / Path(table.folder).name))


def _pulled(table: Table, _: Original, code: Path, __: Path) -> Path | None:
    """The file or folder as DVC tracked it at the time of the run, pulled into the work tree."""
    path = Path(table.folder)
    pointer = code / f"{path}.dvc"
    if path.is_absolute() or not pointer.is_file():
        return None
    command = [sys.executable, "-m", "dvc", "pull", str(path)]
    dvc.share_cache(Path.cwd(), code)
    quiet = {**os.environ, "DVC_NO_ANALYTICS": "1"}
    done = subprocess.run(command, cwd=code, env=quiet, capture_output=True, text=True, check=False)  # noqa: S603
    return code / path if done.returncode == 0 else None
