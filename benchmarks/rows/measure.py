"""Two ways of one job in turn, A B A B, and how they compare pair by pair."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

STOCK = Path(__file__).parents[1] / "stock"
PROGRAM = [sys.executable, "-m", "matchclf"]
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
LOGLOSS = "log-loss"
# With this Python compiles everything at every start.
DROPPED = ("PYTHONDONTWRITEBYTECODE",)


@dataclass(frozen=True)
class Options:
    """What the command line of speed.py says."""

    pairs: int
    folder: Path
    data: list[str]
    trials: int
    years: int
    share: float


@dataclass(frozen=True)
class Row:
    """Seconds (or another unit) of both, and their ratio, as low, median and high over the pairs."""

    what: str
    ours: float
    stock: float
    ratios: list[float]
    target: str
    unit: str = "s"

    def cells(self) -> list[str]:
        low, high = min(self.ratios), max(self.ratios)
        digits = 4 if self.unit == LOGLOSS else 2
        ratio = f"{median(self.ratios):.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"
        return [self.what, self.number(self.ours), self.number(self.stock), ratio, self.target, str(len(self.ratios))]

    def number(self, value: float) -> str:
        if self.unit == LOGLOSS:
            return f"{value:.4f}"
        return f"{value * 1000:,.0f} ms" if self.unit == "s" and value < 1 else f"{value:,.1f} {self.unit}"


def in_turn(ours: Callable[[], float], stock: Callable[[], float], pairs: int) -> list[tuple[float, float]]:
    """What both give, pair by pair."""
    return [(ours(), stock()) for _ in range(pairs)]


def at_most(what: str, found: Iterable[tuple[float, float]], target: str) -> Row:
    """A row whose ratio is ours over the other: the lower, the better."""
    ours, stock = zip(*found, strict=True)
    return Row(what, median(ours), median(stock), [a / b for a, b in zip(ours, stock, strict=True)], target)


def times_as_fast(what: str, found: Iterable[tuple[float, float]], target: str) -> Row:
    """A row whose ratio is the other over ours: the higher, the better."""
    ours, stock = zip(*found, strict=True)
    return Row(what, median(ours), median(stock), [b / a for a, b in zip(ours, stock, strict=True)], target)


def seconds(command: list[str], folder: Path, ok: bool = True, **more: str) -> float:
    """Wall seconds of a process from start to end; raises when it ends otherwise than expected."""
    began = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment(**more), capture_output=True, text=True, check=False)
    took = time.perf_counter() - began
    if (done.returncode == 0) is not ok:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-2000:]}")
    return took


def lines(command: list[str], folder: Path, **more: str) -> list[tuple[float, str]]:
    """What a process prints, each line with the seconds since its start."""
    began = time.perf_counter()
    env = environment(PYTHONUNBUFFERED="1", **more)
    with subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.PIPE, text=True) as process:
        found = [(time.perf_counter() - began, line) for line in process.stdout]
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return found


def when(found: list[tuple[float, str]], beginning: str) -> float:
    """Seconds until the first line that begins so."""
    return next(seconds for seconds, line in found if line.startswith(beginning))


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in DROPPED}
    return kept | dict.fromkeys(THREADS, "1") | {"MLFLOW_DISABLE_TELEMETRY": "true"} | more


def script(name: str, *arguments: object) -> list[str]:
    """A script of benchmarks/stock."""
    return [sys.executable, str(STOCK / name), *map(str, arguments)]
