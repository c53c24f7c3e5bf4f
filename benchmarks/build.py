"""One building of features in a process of its own.

``python benchmarks/build.py ours|rolling|transform TABLE COPIES [SHARE]`` prints rows, seconds, peak memory above what
was there before, and the size of the result, as JSON. ``... write TABLE OVERRIDE ...`` keeps the matches of a config.
"""

import json
import sys
import time
from pathlib import Path

import pandas as pd
from hydra import compose, initialize_config_dir

from matchclf.compose import CONF, register_schema, to_plain
from matchclf.data.sources import load_matches
from matchclf.features.build import build_features, check_families
from stock.features import build

MIB = 2**20


def main(what: str, table: str, *more: str) -> None:
    register_schema()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = to_plain(compose("config", list(more) if what == "write" else []))
    if what == "write":
        load_matches(config.data, Path.cwd()).matches.to_pickle(table)
        return
    matches = repeated(pd.read_pickle(table), int(more[0]))
    if more[1:]:
        matches = matches.tail(int(len(matches) * float(more[1]))).reset_index(drop=True)
    check_families(config.features.families)  # imports them, as the other way was imported
    before = memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    began = time.perf_counter()
    families = config.features.families
    made = build_features(matches, families).values() if what == "ours" else [build(matches, families, what)]
    seconds = time.perf_counter() - began
    size = sum(frame.memory_usage(index=False).sum() for frame in made) / MIB
    found = {"rows": len(matches), "seconds": seconds, "peak": memory("VmHWM") - before, "size": float(size)}
    print(json.dumps(found))


def repeated(matches: pd.DataFrame, copies: int) -> pd.DataFrame:
    """The same matches in other countries: as many days, more matches on each."""
    if copies == 1:
        return matches
    parts = [matches.assign(country=matches["country"] + str(number)) for number in range(copies)]
    return pd.concat(parts).sort_values("date", kind="stable", ignore_index=True)


def memory(name: str) -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition(f"{name}:")[2].split()[0]) / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
