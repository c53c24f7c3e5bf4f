"""How fast the program is beside the usual ways: ``python benchmarks/speed.py [ROW ...] [--pairs N] [--matches FILE]``.

Each row measures a job of ours and its yardstick in turn, A B A B, with one thread a process unless a row says
otherwise, and takes the ratio pair by pair: other work on the machine falls on both. Prints one table; works in a
temporary folder. The yardsticks are in benchmarks/stock. All rows at full size take hours; the long ones are made
shorter by --trials, --years and --share (0.01, 0.1, 0.25, 0.5 or 1).
"""

import argparse
import platform
import tempfile
from datetime import date
from pathlib import Path

from matchclf.console import table
from rows.building import features
from rows.measure import Options, Row
from rows.searching import ablation, bare, tuning
from rows.starting import first_work, second_stage, startup
from rows.tracking import child_run, store

# Eight countries of four divisions: 254,592 matches.
LEAGUE = ["data.countries=8", "data.tiers=4"]
ROWS = {
    row.__name__: row for row in (startup, first_work, features, second_stage, child_run, store, ablation, tuning, bare)
}
HEADER = ["what; beside what", "ours", "yardstick", "ratio (low to high)", "target", "pairs"]


def main() -> None:
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="speed", ignore_cleanup_errors=True) as folder:
        chosen, options = parsed(Path(folder))
        for name in chosen:
            for row in ROWS[name](options):
                print(" | ".join(row.cells()), flush=True)
                rows.append(row)
    print(f"\n{date.today()}, Python {platform.python_version()}, {platform.machine()}\n")
    print(table(HEADER, [row.cells() for row in rows]))


def parsed(folder: Path) -> tuple[list[str], Options]:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", help=f"out of {', '.join(ROWS)}; none is all of them")
    parser.add_argument("--matches", type=Path, help="Parquet file as football-data.co.uk has them")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--years", type=int, default=8, help="validation years")
    parser.add_argument("--share", type=float, default=1.0, help="of the matches, the latest, for what takes long")
    given = parser.parse_args()
    unknown = [name for name in given.rows if name not in ROWS]
    if unknown:
        parser.error(f"{unknown[0]} is no row; choose out of {', '.join(ROWS)}")
    data = ["data=football_data", f"data.path={given.matches.absolute()}"] if given.matches else LEAGUE
    return given.rows or list(ROWS), Options(given.pairs, folder, data, given.trials, given.years, given.share)


if __name__ == "__main__":
    main()
