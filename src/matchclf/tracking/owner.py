"""Which process a run belongs to, so that a later one can tell whether it still lives."""

import os
import socket
from collections.abc import Mapping
from pathlib import Path

HOST, PID, STARTED = "owner.host", "owner.pid", "owner.started"


def owner_tags() -> dict[str, str]:
    """Host, process id and start of this process, in clock ticks since boot (process ids are used again)."""
    return {HOST: socket.gethostname(), PID: str(os.getpid()), STARTED: _started(os.getpid())}


def is_alive(tags: Mapping[str, str]) -> bool:
    """Whether the process that started a run still lives; of another host it cannot be told and is taken to live."""
    if tags.get(HOST) != socket.gethostname():
        return HOST in tags
    return bool(tags.get(STARTED)) and _started(int(tags[PID])) == tags[STARTED]


def _started(pid: int) -> str:
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return ""
    return status.rpartition(")")[2].split()[19]
