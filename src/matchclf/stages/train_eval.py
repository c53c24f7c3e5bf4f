"""Score every model, pick the best, and write its run id to data/models/run_id.json."""

import logging

from matchclf import paths
from matchclf.config import Config
from matchclf.files import write_json
from matchclf.stages.compare import compare
from matchclf.stages.experiment import Scored
from matchclf.stages.metric_files import keep_comparison
from matchclf.tracking.runs import Run

log = logging.getLogger(__name__)


def run(config: Config, parent: Run) -> float:
    """Pick the model with the lowest log-loss over the walk-forward folds, or on the holdout when asked to."""
    scored = compare(config, parent)
    best = min(scored, key=lambda one: one.picked_by)
    keep_comparison("train_eval", [one.evaluation for one in scored])
    _keep_winner(config, parent, best)
    return best.picked_by


def _keep_winner(config: Config, parent: Run, best: Scored) -> None:
    winner = {
        "run_id": best.run.id,
        "parent_run_id": parent.id,
        "experiment_name": parent.store.experiment_name,
        "run_kind": config.run_kind,
        "model": best.name,
        "select_by": config.stage.select_by,
        "logloss": best.picked_by,
        "params_hash": parent.tags["pipeline.params_hash"],
        "data_hash": best.run.tags["data.hash"],
    }
    write_json(winner, paths.RUN_ID)
    log.info(
        "best       %s, log-loss %.4f by %s; written to %s",
        best.name,
        best.picked_by,
        config.stage.select_by,
        paths.RUN_ID,
    )
