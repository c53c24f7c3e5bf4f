"""Commands of the program as processes that can be killed at a chosen moment, and what they were doing then."""

import os
import random
import signal
import socket
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import forks
import program

# How often a process is looked at.
LOOK_SECONDS = 0.005


@dataclass(frozen=True)
class Moment:
    """Right before the ``event``-th change of a file or of a database, or so many seconds after it."""

    event: int
    seconds: float | None = None

    @classmethod
    def draw(cls, rng, events, seconds=0.1):
        """A moment in a life of so many events, half of them exactly at one."""
        return cls(rng.randint(1, events), rng.choice([None, rng.uniform(0, seconds)]))


@dataclass
class Command:
    """A process, its output in the files ``out`` and ``err``, and the changes it made in ``trace``."""

    pid: int
    folder: Path
    trace: Path
    connection: socket.socket = field(repr=False)
    code: int | None = None

    def poll(self):
        """The exit code, None as long as it lives."""
        return self.wait(0)

    def wait(self, timeout=120.0):
        """The exit code, None when it does not end in time."""
        if self.code is None:
            self.connection.settimeout(timeout)
            try:
                self.code = int(self.connection.recv(20))
            except (TimeoutError, BlockingIOError):
                return None
            self.connection.close()
        return self.code

    def send(self, number):
        """Send a signal; nothing happens when it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def events(self):
        """What it changed so far, one line a change."""
        return self.trace.read_text().splitlines() if self.trace.exists() else []

    def err(self):
        return (self.folder / "err").read_text()

    def told(self):
        return f"exit code {self.code}\n{(self.folder / 'out').read_text()}\n{self.err()}"

    def wait_until(self, moment):
        """Wait for a moment after an event; whether the process still lives."""
        end = time.monotonic() + 120
        while self.poll() is None and len(self.events()) < moment.event:
            assert time.monotonic() < end, self.told()
            time.sleep(LOOK_SECONDS)
        time.sleep(moment.seconds or 0)
        return self.poll() is None


@dataclass(frozen=True)
class Server:
    """The server that forks for each command."""

    address: Path
    python: Path

    def start(self, folder, *arguments, at=None, number=signal.SIGKILL, deaf=False, code="", **more):
        """Start a command in a folder; with ``at``, a beginning and a count, the signal comes before such a change."""
        trace = folder / f"trace-{len(list(folder.glob('trace-*')))}"
        env = program.environment(**more)
        request = {"module": "matchclf", "arguments": arguments, "cwd": str(folder), "env": env, "deaf": deaf}
        request |= {"trace": [str(trace), at, number], "python": str(self.python), "code": code}
        with (folder / "out").open("w") as out, (folder / "err").open("w") as err:
            pid, connection = forks.start(self.address, request, out, err)
        return Command(pid, folder, trace, connection)

    def run(self, folder, *arguments, **more):
        """A command to its end."""
        command = self.start(folder, *arguments, **more)
        assert command.wait(300) is not None, command.told()
        return command

    def killed(self, folder, moment, *arguments, **more):
        """A command that is killed at a moment, unless it ended before."""
        if moment.seconds is None:
            return self.run(folder, *arguments, at=("", moment.event), **more)
        command = self.start(folder, *arguments, **more)
        command.wait_until(moment)
        command.send(signal.SIGKILL)
        assert command.wait() is not None
        return command


@contextmanager
def served(folder):
    """A server that has imported everything, and an interpreter that has it start what is run by it."""
    with forks.served(folder, program.environment) as address:
        yield Server(address, forks.interpreter(folder))


def phase(events):
    """What a process was doing right after these changes."""
    run = "in a run" if "sql INSERT INTO runs" in events else "before a run"
    last = events[-1] if events else ""
    if last == "commit" or last.startswith("sql "):
        return f"{run}, writing to the store"
    return f"{run}, {'writing a file' if last.startswith(('open ', 'half of ', 'os.rename ')) else 'at work'}"


def generator(*seed):
    """Random numbers of one story."""
    return random.Random(str(seed))
