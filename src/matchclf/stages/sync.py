"""Send the runs that wait in the spool to the tracking server."""

import logging
from pathlib import Path

from matchclf.config import Config
from matchclf.errors import ConfigError
from matchclf.tracking import spool
from matchclf.tracking.store import is_server, open_store, tracking_uri

log = logging.getLogger(__name__)


def run(config: Config) -> dict[str, int]:
    """Send what waits, each run exactly once; raises ConfigError without a server, TrackingError when it is gone."""
    here = Path.cwd()
    uri = tracking_uri(config.tracking, here)
    if not is_server(uri):
        raise ConfigError(f"stage=sync sends runs to a tracking server; found {uri}, expected http://HOST:PORT.")
    if not spool.has_spool(here):
        log.info("sync       nothing was ever kept back here")
        return {"sent": 0}
    names, total = config.classification, 0
    for name in (names.experiment_name, names.smoke_experiment_name):
        sent = spool.send(spool.open_spool(name, here), open_store(config.tracking, name, here))
        total += sent
        log.info("sync       %d runs of %s sent to %s", sent, name, uri)
    return {"sent": total}
