"""Building features: time beside pandas and loops, memory, and how both grow with the matches."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from rows.measure import Options, Row, environment, times_as_fast

WORKER = [sys.executable, str(Path(__file__).parents[1] / "build.py")]


def features(options: Options) -> Iterator[Row]:
    """All families at the size of the data, and at four times as many matches."""
    table = options.folder / "matches.pickle"
    subprocess.run([*WORKER, "write", str(table), *options.data], env=environment(), check=True)
    note = "" if options.share == 1 else f" (on {options.share:.0%} of them, times {1 / options.share:.0f})"
    for idiom in ("transform", "rolling"):
        once = [(run("ours", table, 1), run(idiom, table, 1, options.share)) for _ in range(options.pairs)]
        rows = once[0][0]["rows"]
        scaled = [(a["seconds"], b["seconds"] * rows / b["rows"]) for a, b in once]
        yield times_as_fast(f"features of {rows:,} matches; groupby.{idiom} and loops{note}", scaled, ">= 20")
    four = [run("ours", table, 4) for _ in range(options.pairs)]
    pairs = [(large, small) for large, (small, _) in zip(four, once, strict=True)]
    yield growth(f"features of {four[0]['rows']:,} matches; of {rows:,}", pairs)
    for found in (once[0][0], four[0]):
        yield memory(found)


def growth(what: str, found: list[tuple[dict, dict]]) -> Row:
    large, small = ([one[i]["seconds"] for one in found] for i in (0, 1))
    ratios = [a / b for a, b in zip(large, small, strict=True)]
    return Row(what, median(large), median(small), ratios, "<= 4.5")


def memory(found: dict) -> Row:
    what = f"peak memory of building {found['rows']:,} matches, above what was there; size of the result"
    return Row(what, found["peak"], found["size"], [found["peak"] / found["size"]], "<= 3", "MiB")


def run(*arguments: object) -> dict:
    command = [*WORKER, *map(str, arguments)]
    done = subprocess.run(command, env=environment(), stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])
