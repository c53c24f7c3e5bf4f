"""Check the set-up: one line a check, and how to mend what is wrong."""

from __future__ import annotations

import logging
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

from matchclf import paths
from matchclf.config import Config
from matchclf.console import table
from matchclf.errors import MatchclfError
from matchclf.files import digest, read_json
from matchclf.lineage import dvc
from matchclf.lineage.git import code_state
from matchclf.tracking import orphans, runs, spool
from matchclf.tracking.store import Store, is_server, open_store, tracking_uri

log = logging.getLogger(__name__)
PACKAGE = Path(__file__).parents[1]
LEAST_FREE_BYTES = 2**30
TRIED = "doctor.txt"


@dataclass(frozen=True)
class Found:
    """What a check found; ``mend`` says what to do about it and is empty where all is well."""

    told: str
    mend: str = ""


def run(config: Config) -> dict[str, Any]:
    """Make every check and show the findings; raises MatchclfError when something is wrong."""
    found = {name: _attempt(check, config) for name, check in CHECKS.items()}
    rows = [[name, "wrong" if one.mend else "ok", one.told] for name, one in found.items()]
    log.info("%s", table(["check", "", "found"], rows, left=3))
    wrong = {name: one.mend for name, one in found.items() if one.mend}
    for name, mend in wrong.items():
        log.info("mend       %s: %s", name, mend)
    if wrong:
        raise MatchclfError(f"{len(wrong)} of {len(found)} checks found something wrong: {', '.join(wrong)}.")
    return {"checks": {name: one.told for name, one in found.items()}}


def check_packages(_: Config) -> Found:
    """Whether every package that is required is here, in a version that was asked for."""
    from packaging.requirements import Requirement

    listed = [Requirement(line) for line in requires("matchclf") or []]
    required = [one for one in listed if not one.marker or one.marker.evaluate({"extra": ""})]
    wrong = [told for one in required if (told := _mismatch(one))]
    python = ".".join(map(str, sys.version_info[:3]))
    if wrong:
        return Found(f"Python {python}; {'; '.join(wrong)}", "install matchclf again, with its lower bounds")
    return Found(f"matchclf {version('matchclf')}, Python {python}, {len(required)} requirements")


def check_store(config: Config) -> Found:
    """Whether the tracking store answers and takes a run with a file, which is deleted again."""
    store = open_store(config.tracking, config.experiment_name, Path.cwd())
    run = runs.start(store, "doctor", {})
    try:
        store.client.log_text(run.id, "Can this be written and read?", TRIED)
        store.client.list_artifacts(run.id)
    finally:
        runs.finish(run)
        store.client.delete_run(run.id)
    return Found(f"{store.uri} takes runs, its artifact store takes files")


def check_orphans(config: Config) -> Found:
    """Whether runs say RUNNING whose process is gone; they are ended."""
    ended = [run.info.run_id for store in _stores(config) for run in orphans.reap(store)]
    left = "no run says RUNNING without a process" if not ended else f"ended as FAILED: {', '.join(ended)}"
    return Found(left)


def check_spool(config: Config) -> Found:
    """Whether runs wait for their server."""
    here, names = Path.cwd(), config.classification
    if not spool.has_spool(here):
        return Found("no run was ever kept back")
    both = (names.experiment_name, names.smoke_experiment_name)
    waiting = sum(len(spool.waiting(spool.open_spool(name, here))) for name in both)
    return Found(f"{waiting} runs wait for their server", "send them with stage=sync" if waiting else "")


def check_data(_: Config) -> Found:
    """Whether the prepared files are whole and those that DVC recorded."""
    if not paths.MANIFEST.is_file():
        return Found("nothing is prepared yet")
    files = read_json(paths.MANIFEST).get("files", {})
    changed = [path for path, md5 in files.items() if not Path(path).is_file() or digest(Path(path)) != md5]
    if changed:
        return Found(f"{', '.join(changed)} missing or changed", "prepare the data again with stage=prepare")
    recorded = dvc.recorded_md5(paths.DATASET, Path.cwd())
    if recorded and recorded.md5 != files.get(str(paths.DATASET)):
        return Found(f"{paths.DATASET} is not what {recorded.where} says", "dvc checkout, or dvc commit")
    return Found(f"{len(files)} prepared files are whole{f', as in {recorded.where}' if recorded else ''}")


def check_code(_: Config) -> Found:
    """Which code would be recorded."""
    code = code_state(PACKAGE, Path.cwd())
    return Found(f"{code.short_sha}{', with uncommitted changes, which runs store' if code.dirty else ''}")


def check_disk(_: Config) -> Found:
    """Whether there is space left."""
    free = shutil.disk_usage(Path.cwd()).free
    mend = "" if free >= LEAST_FREE_BYTES else "free at least 1 GiB: a full disk fails runs"
    return Found(f"{free / 2**30:.1f} GiB free", mend)


def _attempt(check: Callable[[Config], Found], config: Config) -> Found:
    try:
        return check(config)
    except Exception as problem:
        log.debug("A check failed.", exc_info=True)
        return Found("failed", f"{problem}")


def _mismatch(required: object) -> str:
    name, specifier = required.name, required.specifier  # type: ignore[attr-defined]
    try:
        found = version(name)
    except PackageNotFoundError:
        return f"{name} is missing"
    return "" if specifier.contains(found, prereleases=True) else f"{name} {found}, expected {specifier}"


def _stores(config: Config) -> list[Store]:
    here, names = Path.cwd(), config.classification
    both = (names.experiment_name, names.smoke_experiment_name)
    found = [open_store(config.tracking, name, here) for name in both]
    kept = spool.has_spool(here) and is_server(tracking_uri(config.tracking, here))
    return [*found, *(spool.open_spool(name, here) for name in both if kept)]


CHECKS = {
    "packages": check_packages,
    "code": check_code,
    "data": check_data,
    "tracking": check_store,
    "orphans": check_orphans,
    "spool": check_spool,
    "disk": check_disk,
}
