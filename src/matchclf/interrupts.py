"""Ctrl-C and SIGTERM: open runs are closed with the reason, half-written files go, then the process ends.

The work is done by a thread that the signal wakes, because the main thread may be deep in a library, where raising
an exception is unsafe and waiting takes too long.
"""

import os
import signal
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from matchclf import files
from matchclf.tracking import runs

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def watch() -> None:
    """From now on end this process in order when one of ``SIGNALS`` arrives; to be called by the main thread."""
    if signal.getsignal(signal.SIGTERM) is _wake:
        return
    wakes, woken = socket.socketpair()
    wakes.setblocking(False)
    for number in SIGNALS:
        signal.signal(number, _wake)
    signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_wait, args=(wakes, woken), name="interrupts", daemon=True).start()


def _wake(*_: Any) -> None:
    """Nothing: the thread that waits is woken by the file descriptor."""


def _wait(_wakes: socket.socket, woken: socket.socket) -> None:
    while (number := woken.recv(1)[0]) not in SIGNALS:
        pass
    name = signal.Signals(number).name
    _pass_on()
    print(f"\nStopped by {name}: closing the open runs.", file=sys.stderr, flush=True)
    runs.finish_all(runs.KILLED, f"Stopped by {name}.")
    files.discard_parts()
    os._exit(128 + number)


def _pass_on() -> None:
    # The workers of a parallel launcher have runs of their own to close.
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError):
            parent = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1]
            if int(parent) == os.getpid():
                os.kill(int(folder.name), signal.SIGTERM)
