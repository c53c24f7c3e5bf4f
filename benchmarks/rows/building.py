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
    """All families at the size of the data and at four times as many matches, beside two idioms of pandas."""
    table = options.folder / "matches.pickle"
    subprocess.run([*WORKER, "write", str(table), *options.data], env=environment(), check=True)
    note = "" if options.share == 1 else f", on {options.share:.0%} of them, times {1 / options.share:.0f}"
    ours = {}
    for copies in (1, 4):
        for idiom in ("transform", "rolling"):
            found = [
                (run("ours", table, copies), run(idiom, table, copies, options.share)) for _ in range(options.pairs)
            ]
            rows, ours[copies] = found[0][0]["rows"], [one for one, _ in found]
            scaled = [(a["seconds"], b["seconds"] * rows / b["rows"]) for a, b in found]
            yield times_as_fast(f"features of {rows:,} matches; groupby.{idiom} and loops{note}", scaled, ">= 20")
    yield growth(list(zip(ours[4], ours[1], strict=True)))
    for found in ours.values():
        yield memory(found[0])


def growth(found: list[tuple[dict, dict]]) -> Row:
    what = f"features of {found[0][0]['rows']:,} matches; of {found[0][1]['rows']:,}"
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
