"""Start-up, and what comes before the first fit."""

from collections.abc import Iterator

from rows.measure import PROGRAM, Options, Row, at_most, in_turn, lines, script, seconds, when

ONE_FIT = ["stage=train_eval", "model=[logreg]", "temporal.cv_years=[2023]"]


def startup(options: Options) -> Iterator[Row]:
    """--help, --cfg job and wrong overrides, beside a Hydra app without a config."""
    empty, folder = script("empty_app.py"), options.folder
    seconds([*PROGRAM, "--help"], folder)
    for arguments, other, ok in (
        (["--help"], ["--help"], True),
        (["--cfg", "job"], ["--cfg", "job"], True),
        (["stage=nope"], ["nope=1"], False),
        (["nope=1"], ["nope=1"], False),
    ):
        found = in_turn(
            lambda: seconds([*PROGRAM, *arguments], folder, ok),  # noqa: B023 called in this turn
            lambda: seconds([*empty, *other], folder, ok),  # noqa: B023
            options.pairs,
        )
        yield at_most(f"start-up: {' '.join(arguments)}; an empty Hydra app", found, "<= 1.3")


def first_work(options: Options) -> Iterator[Row]:
    """Seconds to the first fitted model of a smoke run, beside a script of imports and one fit."""
    folder = options.folder / "smoke"
    folder.mkdir(exist_ok=True)
    ours = [*PROGRAM, "experiment=smoke", *ONE_FIT]
    lines(ours, folder)
    table, store = "data/splits/train.parquet", "sqlite:///stock.db"
    for what, other, end in (
        ("imports and one fit", script("first_fit.py", table), "fitted"),
        ("the same, logged to SQLite by fluent calls", script("first_fit.py", table, store), "fitted"),
    ):
        lines(other, folder)
        found = in_turn(
            lambda: when(lines(ours, folder), "logreg"),
            lambda: when(lines(other, folder), end),  # noqa: B023 called in this turn
            options.pairs,
        )
        yield at_most(f"start-up to the first fit; {what}", found, "<= 1.1")
    found = in_turn(lambda: seconds(ours, folder), lambda: seconds(other, folder), options.pairs)
    yield at_most("that run from start to end; the same", found, "")


def second_stage(options: Options) -> Iterator[Row]:
    """Seconds from the run's start to its first fitted model, with data prepared before; the first stage prepares."""
    folder = options.folder / "stages"
    folder.mkdir(exist_ok=True)
    command = [*PROGRAM, *ONE_FIT, "frac=hundredth", "model=[dummy]", *options.data]

    def first() -> float:
        (folder / "data/processed/manifest.json").unlink(missing_ok=True)
        return to_first_fit(lines(command, folder))

    first()
    found = [(to_first_fit(lines(command, folder)), first()) for _ in range(options.pairs)]
    yield at_most("second stage: from its start to the first fit; the first stage", found, "< 2 s")


def to_first_fit(found: list[tuple[float, str]]) -> float:
    return when(found, "dummy") - when(found, "run")
