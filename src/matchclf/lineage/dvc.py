"""What DVC knows, read from the environment and from its files without importing DVC."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from matchclf.errors import DataError
from matchclf.files import digest, replacing

T = TypeVar("T")
NONE = "none"
LOCK = "dvc.lock"
MD5 = re.compile(r"[0-9a-f]{32}")
# What the MD5 of a folder ends with: it is that of the list of its files, which is in the cache.
FOLDER = ".dir"
KINDS: dict[type, str] = {dict: "mapping", list: "list", str: "text"}


@dataclass(frozen=True)
class Recorded:
    """The MD5 that DVC recorded for a file, and the file that says so, relative to the project."""

    md5: str
    where: Path


def experiment_name() -> str:
    """Name of the DVC experiment that runs this process, ``none`` outside one."""
    return os.environ.get("DVC_EXP_NAME") or NONE


def recorded_md5(path: Path, project: Path) -> Recorded | None:
    """What a ``.dvc`` file or dvc.lock says of a file, also of one in a tracked folder; None where they say nothing.

    The lock is looked for in ``project`` and above it, up to the root of the repository. A folder's list of files is in
    DVC's cache: without it nothing is known of a file in that folder. Raises DataError for what DVC would not write.
    """
    target, root = _absolute(project / path), _root(project)
    for pointer in _pointers(target, project, root):
        for out in _outs(pointer):
            tracked = _absolute(pointer.parent / _expect(str, out.get("path"), "the path of an output", pointer))
            if tracked == target or tracked in target.parents:
                md5 = _md5_of_file(_md5(out, pointer), target.relative_to(tracked), root)
                return Recorded(md5, Path(os.path.relpath(pointer, project))) if md5 else None
    return None


def find_in_cache(md5: str, project: Path) -> Path | None:
    """The object with this MD5 in DVC's cache; None when it is not there, or its bytes have another MD5 by now."""
    path = _cached(md5, _root(project))
    return path if path.is_file() and digest(path) == md5 else None


def share_cache(project: Path, worktree: Path) -> None:
    """Let DVC in another work tree of the repository use the cache of ``project``."""
    local = _root(worktree) / ".dvc" / "config.local"
    with replacing(local) as part:
        part.write_text(f"[cache]\n    dir = {_cache(_root(project) / '.dvc')}\n", encoding="utf-8")


def _pointers(target: Path, project: Path, root: Path) -> Iterator[Path]:
    inside = [place for place in (target, *target.parents) if root in place.parents]
    above = [place for place in (_absolute(project), *_absolute(project).parents) if place.is_relative_to(root)]
    found = [place.with_name(f"{place.name}.dvc") for place in inside] + [place / LOCK for place in above]
    return (pointer for pointer in found if pointer.is_file())


def _outs(pointer: Path) -> list[dict[str, Any]]:
    content = _load_yaml(pointer)
    if pointer.name == LOCK:
        stages = _expect(dict, content.get("stages", {}), "stages", pointer).items()
        parts = [_expect(dict, stage, f"the stage {name}", pointer) for name, stage in stages]
    else:
        parts = [content]
    lists = [_expect(list, part.get("outs", []), "outs", pointer) for part in parts]
    return [_expect(dict, out, "an output", pointer) for outs in lists for out in outs]


def _md5(out: dict[str, Any], pointer: Path) -> str:
    md5 = _expect(str, out.get("md5"), f"the md5 of {out['path']}", pointer)
    if not MD5.fullmatch(md5.removesuffix(FOLDER)):
        raise DataError(f"{pointer}: the md5 of {out['path']} is {md5!r}; expected 32 hex digits.")
    return md5


def _md5_of_file(md5: str, member: Path, root: Path) -> str | None:
    """The MD5 of an output, or of one file in it where the output is a folder."""
    if not md5.endswith(FOLDER):
        return md5 if member == Path() else None
    listing = _cached(md5, root)
    if not listing.is_file():
        return None
    if digest(listing) != md5.removesuffix(FOLDER):
        raise DataError(f"{listing} is damaged: its MD5 is {digest(listing)}. Remove it and run `dvc fetch`.")
    return {entry["relpath"]: entry["md5"] for entry in json.loads(listing.read_bytes())}.get(member.as_posix())


def _cached(md5: str, root: Path) -> Path:
    return _cache(root / ".dvc") / "files/md5" / md5[:2] / md5[2:]


def _cache(settings: Path) -> Path:
    """The folder of the cache: as the local config says, else the shared one, else DVC's default."""
    import configparser

    folder = "cache"
    for path in (settings / "config", settings / "config.local"):
        config = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            config.read(path, encoding="utf-8")
        except (OSError, ValueError, configparser.Error) as problem:
            raise DataError(f"{path} cannot be read as the config of DVC: {problem}.") from problem
        folder = config.get("cache", "dir", fallback=folder).strip("\"'")
    return settings / Path(folder).expanduser()


def _load_yaml(path: Path) -> dict[str, Any]:
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except Exception as problem:  # tags such as !!int let PyYAML stumble in many ways
        raise DataError(f"{path} cannot be read as YAML: {problem}.") from problem
    return _expect(dict, content, "the whole file", path)


def _expect(kind: type[T], value: object, what: str, where: Path) -> T:
    if not isinstance(value, kind):
        raise DataError(f"{where}: {what} is {str(value)[:60]!r}; expected a {KINDS[kind]}, as DVC writes it.")
    return value


def _root(project: Path) -> Path:
    """The nearest folder at or above ``project`` with a repository in it, else ``project``."""
    folder = _absolute(project)
    above = (folder, *folder.parents)
    return next((place for place in above if (place / ".dvc").is_dir() or (place / ".git").exists()), folder)


def _absolute(path: Path) -> Path:
    # Not resolved: an output may be a link into the cache.
    return Path(os.path.normpath(path.absolute()))
