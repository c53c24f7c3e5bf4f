"""Time and memory of preparing a data set, step by step: ``python benchmarks/prepare.py PATH [football_data]``.

Prints one table. Run it on an idle machine: the figures are wall-clock seconds of this machine.
"""

import resource
import sys
import time
from pathlib import Path

import pandas as pd
from hydra import compose, initialize_config_dir

from matchclf.compose import CONF, register_schema, to_plain
from matchclf.data.dataset import assemble
from matchclf.data.sources import load_matches
from matchclf.features.build import find_families


def main(path: str, data: str = "football_data") -> None:
    register_schema()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = to_plain(compose("config", [f"data={data}", f"data.path={path}"]))
    loaded, seconds = timed(load_matches, config.data, Path.cwd())
    rows = [("read and check", len(loaded.matches), seconds)]
    frames = []
    for name, family in find_families().items():
        frame, seconds = timed(family, loaded.matches, **config.features.families[name])
        frames.append(frame)
        rows.append((f"features {name}", frame.shape[1], seconds))
    dataset, seconds = timed(assemble, loaded.matches, pd.concat(frames, axis=1))
    rows.append(("assemble", dataset.shape[1], seconds))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'step':20} {'rows or columns':>16} {'seconds':>8}")
    for step, size, seconds in rows:
        print(f"{step:20} {size:16,} {seconds:8.2f}")
    print(
        f"peak memory {peak:,.0f} MiB; the features are {sum(f.memory_usage().sum() for f in frames) / 2**20:,.0f} MiB"
    )


def timed(function, *arguments, **parameters):
    began = time.perf_counter()
    result = function(*arguments, **parameters)
    return result, time.perf_counter() - began


if __name__ == "__main__":
    main(*sys.argv[1:])
