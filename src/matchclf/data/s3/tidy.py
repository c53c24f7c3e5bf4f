"""What lies below a bucket's folder and should not: remains of a killed download, and copies of deleted objects."""

import re
from pathlib import Path

from matchclf.data.s3.location import Location
from matchclf.data.s3.sidecar import read_sidecar, sidecar_path
from matchclf.errors import SourceError

PART = re.compile(r"\..+\.[0-9]+\.part")


def remove_parts(folder: Path) -> None:
    """Remove half-written files; to be called by the one process that may write to the folder."""
    for path in folder.rglob("*.part"):
        if PART.fullmatch(path.name):
            path.unlink()


def outdated(location: Location, target: Path, keys: list[str]) -> list[Path]:
    """Copies below a location's folder whose objects are not among ``keys``.

    Raises SourceError for a match file that was never downloaded: it would be read with the others.
    """
    folder, bucket = location.path_of(location.key, target), target / location.bucket
    wanted = {location.path_of(key, target) for key in keys}
    found = [path for path in _match_files(folder) if path not in wanted]
    for path in found:
        try:
            key = read_sidecar(path).key
        except SourceError:
            key = ""
        if key != path.relative_to(bucket).as_posix():
            raise SourceError(f"{path} does not come from {location}. Move it away: it would be read with the others.")
    return found


def remove(copies: list[Path]) -> None:
    """Remove copies and their sidecars."""
    for path in copies:
        path.unlink()
        sidecar_path(path).unlink()


def _match_files(folder: Path) -> list[Path]:
    from matchclf.data.table import SUFFIXES

    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.name.lower().endswith(SUFFIXES)
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
