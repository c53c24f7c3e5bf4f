"""Ctrl-C and SIGTERM: open runs are closed with the reason, half-written files go, then the process ends.

The work is done by a thread that the signal wakes, because the main thread may be deep in a library, where raising
an exception is unsafe and waiting takes too long. When closing takes long, a further
signal ends the process at once.
"""

import os
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from matchclf import files
from matchclf.tracking import runs

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# A second signal within this time is the same wish again.
PATIENCE_SECONDS = 4.0
# How often a worker looks whether its launcher still lives.
LOOK_SECONDS = 1.0


def watch(worker: bool = False) -> None:
    """From now on end this process in order when one of ``SIGNALS`` arrives; to be called by the main thread.

    A ``worker`` of a parallel launcher also ends when the process that started it is gone.
    """
    if signal.getsignal(signal.SIGTERM) is _wake:
        return
    wakes, woken = socket.socketpair()
    wakes.setblocking(False)
    for number in SIGNALS:
        # What was started by nohup outlives its terminal; Ctrl-C is heard even where a shell had it ignored.
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _wake)
    signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
    launcher = os.getppid() if worker else None
    threading.Thread(target=_wait, args=(wakes, woken, launcher), name="interrupts", daemon=True).start()


def _wake(*_: Any) -> None:
    """Nothing: the thread that waits is woken by the file descriptor."""


def _wait(_wakes: socket.socket, woken: socket.socket, launcher: int | None) -> None:
    woken.settimeout(LOOK_SECONDS if launcher else None)
    number = None
    while number is None:
        number = _next_signal(woken)
        if launcher and os.getppid() != launcher:
            break
    why = signal.Signals(number).name if number else "the end of the process that started it"
    closing = threading.Thread(target=_close, args=(why,), name="closing", daemon=True)
    closing.start()
    closing.join(PATIENCE_SECONDS)
    woken.settimeout(0.01)
    while _next_signal(woken) is not None:
        pass  # said in impatience
    while closing.is_alive() and _next_signal(woken) is None:
        pass
    os._exit(128 + number if number else 1)


def _next_signal(woken: socket.socket) -> int | None:
    """The first of ``SIGNALS`` that arrives; None when the time is over or when another signal woke the thread."""
    with suppress(TimeoutError):
        number = woken.recv(1)[0]
        return number if number in SIGNALS else None
    return None


def _close(why: str) -> None:
    print(f"\nStopped by {why}: closing the open runs.", file=sys.stderr, flush=True)
    _pass_on()
    runs.finish_all(runs.KILLED, f"Stopped by {why}.", for_good=True)
    files.discard_parts()


def end_workers() -> None:
    """Let the workers of a parallel launcher close their runs and end, and wait for that a little."""
    _pass_on()
    end = time.monotonic() + PATIENCE_SECONDS
    while _children() and time.monotonic() < end:
        time.sleep(0.05)


def _pass_on() -> None:
    # The workers of a parallel launcher have runs of their own to close.
    for child in _children():
        with suppress(OSError):
            os.kill(child, signal.SIGTERM)


def _children() -> list[int]:
    """Processes that this one started and that have not ended."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError):
            state, parent = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[:2]
            if int(parent) == os.getpid() and state != "Z":
                found.append(int(folder.name))
    return found
