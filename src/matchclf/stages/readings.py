"""The holdout is read here and nowhere else, and each reading is counted."""

import logging

from matchclf import paths
from matchclf.data.dataset import Dataset, load_dataset
from matchclf.stages.prepare import Prepared
from matchclf.tracking import record
from matchclf.tracking.runs import Run
from matchclf.tracking.search import holdout_readings

log = logging.getLogger(__name__)


def read_holdout(parent: Run, prepared: Prepared, columns: list[str]) -> Dataset:
    """Read the holdout, after saying so on the run: how often it was read on this data, this time included."""
    earlier = holdout_readings(parent.store, prepared.version)
    number = len(earlier) + 1
    record.record(parent, tags={"holdout.touched": "true", "holdout.reading": str(number)})
    last = f"; before this by {earlier[-1].info.run_name} ({earlier[-1].info.run_id})" if earlier else ""
    log.info("holdout    read %d time%s on this data%s", number, "s" if earlier else "", last)
    return load_dataset(paths.TEST, columns)
