"""An experiment that was run before on the same settings, code and data: told, pointed to, or refused."""

import logging

from matchclf.config import Config
from matchclf.errors import ConfigError, DuplicateError
from matchclf.tracking import record, runs
from matchclf.tracking.runs import Run
from matchclf.tracking.search import StoredRun, find_runs
from matchclf.tracking.tags import NONE

log = logging.getLogger(__name__)
SCORES = ("final.logloss", "best.logloss")


def check_duplicate(config: Config, parent: Run, data_hash: str) -> None:
    """Do what ``lineage.on_duplicate`` says when a finished run had the same settings, code and data.

    Code with uncommitted changes, or of no known commit, is never the same. Raises ConfigError for ``refuse``,
    DuplicateError for ``link``.
    """
    earlier = _earlier(parent, data_hash)
    if earlier is None:
        return
    told = f"The run {earlier.info.run_id} had the same settings, code and data"
    if config.lineage.on_duplicate == "refuse":
        raise ConfigError(f"{told}; run it again with lineage.on_duplicate=run.")
    record.record(parent, tags={"duplicate.of": earlier.info.run_id})
    if config.lineage.on_duplicate == "link":
        score = next(earlier.data.metrics[name] for name in SCORES if name in earlier.data.metrics)
        raise DuplicateError(f"duplicate  {told}: log-loss {score:.4f}; nothing was run", score)
    log.info("duplicate  %s", told)


def _earlier(parent: Run, data_hash: str) -> StoredRun | None:
    if parent.tags["pipeline.git_dirty"] == "true" or parent.tags["pipeline.git_sha"] == NONE:
        return None
    same = ("pipeline.stage", "pipeline.scope", "pipeline.params_hash", "pipeline.git_sha", "pipeline.git_dirty")
    found = find_runs(parent.store, data__hash=data_hash, **{key.replace(".", "__"): parent.tags[key] for key in same})
    complete = [run for run in found if run.info.status == runs.FINISHED and "duplicate.of" not in run.data.tags]
    return complete[-1] if complete else None
