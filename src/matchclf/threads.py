"""Threads of BLAS and OpenMP: one a fit, since fits run side by side; another number changes the last digits."""

import os

NAMES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def bound_threads() -> None:
    """One thread each unless the environment says otherwise; the libraries read it when they are loaded."""
    for name in NAMES:
        os.environ.setdefault(name, "1")


def settings() -> dict[str, str]:
    """What the environment says, as it is kept with a run and set again when the run is made again."""
    return {name: os.environ[name] for name in NAMES if name in os.environ}
