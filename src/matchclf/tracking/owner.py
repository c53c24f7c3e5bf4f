"""Which process a run belongs to, so that a later one can tell whether it still lives.

A process holds a lock on a file, its lease, as long as it lives: the system takes the lock away however it ends. The
tags of each of its runs name the lease. Where the lease cannot be seen, boot, process id and start time tell; what
runs on another machine tells of itself by a heartbeat.
"""

from __future__ import annotations

import atexit
import fcntl
import hashlib
import os
import secrets
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import IO

from matchclf.files import locked

HOST, MACHINE, BOOT = "owner.host", "owner.machine", "owner.boot"
PID, STARTED, LEASE, SEEN = "owner.pid", "owner.started", "owner.lease", "owner.seen"
# An owner on another machine that was silent for so long is taken for dead.
SILENCE = timedelta(hours=1)
_held: dict[int, IO[bytes]] = {}


def owner_tags() -> dict[str, str]:
    """Machine, boot, process, its start in clock ticks since boot (process ids are used again), its lease, now."""
    return {
        HOST: socket.gethostname(),
        MACHINE: _machine(),
        BOOT: _boot(),
        PID: str(os.getpid()),
        STARTED: _started(os.getpid()),
        LEASE: _lease(os.getpid()),
        SEEN: now(),
    }


def is_alive(tags: Mapping[str, str]) -> bool:
    """Whether the process that started a run still lives; on another machine: whether it was heard of lately."""
    if PID not in tags:
        return False
    if (tags.get(HOST), tags.get(MACHINE)) != (socket.gethostname(), _machine()):
        return SEEN not in tags or datetime.now(UTC) - datetime.fromisoformat(tags[SEEN]) < SILENCE
    if tags.get(BOOT) != _boot():
        return False
    with suppress(OSError):  # no lease, or none that can be seen
        return _is_held(Path(tags.get(LEASE) or "/"))
    return _started(int(tags[PID])) == tags[STARTED] != ""


def described(tags: Mapping[str, str]) -> str:
    """The owner in words."""
    return f"process {tags.get(PID)} on {tags.get(HOST)}"


def now() -> str:
    """What a heartbeat says."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@contextmanager
def deciding() -> Iterator[None]:
    """Hold the lock under which a process of this machine decides that the owner of a run is dead, and acts on it."""
    with locked(_folder() / "deciding"):
        yield


@cache
def _lease(pid: int) -> str:
    # By process id: what forks has no lease of its own yet.
    try:
        for left in _folder().glob("*.lease"):
            if not _is_held(left):
                left.unlink(missing_ok=True)
        path = _folder() / f"{pid}-{secrets.token_hex(4)}.lease"
        _held[pid] = path.open("xb")
        fcntl.flock(_held[pid], fcntl.LOCK_EX)
    except OSError:
        return ""
    atexit.register(_give_up, path, pid)
    return str(path)


def _give_up(lease: Path, pid: int) -> None:
    if os.getpid() == pid:  # not in a process that was forked from the owner
        lease.unlink(missing_ok=True)
        _held.pop(pid).close()


def _is_held(lease: Path) -> bool:
    try:
        with lease.open("rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _folder() -> Path:
    folder = Path(tempfile.gettempdir()) / f"matchclf-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


@cache
def _machine() -> str:
    # Containers may share a name: process ids mean something within one namespace only.
    seen = _read("/etc/machine-id")
    with suppress(OSError):
        seen += str(Path("/proc/self/ns/pid").readlink())
    return hashlib.sha256(seen.encode()).hexdigest()[:16]


def _boot() -> str:
    return _read("/proc/sys/kernel/random/boot_id")


def _started(pid: int) -> str:
    status = _read(f"/proc/{pid}/stat")
    return status.rpartition(")")[2].split()[19] if status else ""


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError:
        return ""
