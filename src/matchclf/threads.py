"""Threads: one a fit for BLAS and OpenMP, and no more fits at the same time than there are cores.

Several threads in one fit change its last digits; fits run side by side instead.
"""

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

NAMES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
# What a job of Slurm was given on its machine; without control groups the affinity does not tell.
SLURM = ("SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE")
LOOK_SECONDS = 0.2
# Jobs that share the cores with this one, itself included, and the place that it holds among them.
_sharing = [1]
_held: list[IO[bytes]] = []


def bound_threads() -> None:
    """One thread each unless the environment says otherwise; the libraries read it when they are loaded."""
    for name in NAMES:
        os.environ.setdefault(name, "1")


def settings() -> dict[str, str]:
    """What the environment says, as it is kept with a run and set again when the run is made again."""
    return {name: os.environ[name] for name in NAMES if name in os.environ}


def cores() -> int:
    """Cores that this process may use."""
    here = len(os.sched_getaffinity(0))
    given = next((os.environ[name] for name in SLURM if os.environ.get(name, "").isdigit()), here)
    return max(1, min(here, int(given)))


def fits(workers: int) -> int:
    """Fits at the same time in this process: its share of ``workers``, or of the cores for 0; at least 1."""
    return fits_of(workers, _sharing[0])


def fits_of(workers: int, jobs: int) -> int:
    """Fits at the same time in each of so many jobs."""
    return max(1, (workers or cores()) // jobs)


def share(jobs: int) -> None:
    """From now on so many jobs share the cores with this one, itself included."""
    _sharing[0] = jobs


def take_place(folder: Path, places: int) -> None:
    """Wait until fewer than ``places`` processes hold a place of this folder, and hold one.

    It is held until ``leave_place``, or until the process ends in any way.
    """
    leave_place()
    folder.mkdir(parents=True, exist_ok=True)
    while not any(_try(folder / str(number)) for number in range(places)):
        time.sleep(LOOK_SECONDS)


def leave_place() -> None:
    """Let another process have the place that this one holds, if any."""
    while _held:
        _held.pop().close()


def _try(place: Path) -> bool:
    handle = place.open("ab")
    with suppress(BlockingIOError):
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _held.append(handle)
        return True
    handle.close()
    return False
