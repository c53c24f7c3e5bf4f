"""A thread that tells other machines at regular times that this process lives."""

import logging
import os
import threading
import time
from collections.abc import Callable
from functools import cache

log = logging.getLogger(__name__)
SECONDS = 60


def start(beat: Callable[[], None]) -> None:
    """Call ``beat`` every ``SECONDS`` from now on, in a thread of this process; once is enough."""
    _start(beat, os.getpid())


@cache
def _start(beat: Callable[[], None], pid: int) -> None:
    threading.Thread(target=_keep_beating, args=(beat, pid), name="heartbeat", daemon=True).start()


def _keep_beating(beat: Callable[[], None], pid: int) -> None:
    while os.getpid() == pid:
        time.sleep(SECONDS)
        try:
            beat()
        except Exception:  # the work itself will find that the store is gone
            log.debug("No heartbeat.", exc_info=True)
