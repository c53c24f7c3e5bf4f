"""A search beside the stock way and beside bare xgboost, and an ablation beside single runs."""

import json
from collections.abc import Iterator
from pathlib import Path

from rows.measure import LOGLOSS, PROGRAM, Options, Row, at_most, in_turn, lines, script, seconds, times_as_fast

TABLE = "data/splits/train.parquet"
VARIANTS = ("elo_only", "stats_only", "full_no_h2h", "full")
TWO = {"OMP_NUM_THREADS": "2"}
ALONE = ["tuning.racing=false", "workers=1"]
FRAC = {0.01: "hundredth", 0.1: "tenth", 0.25: "quarter", 0.5: "half", 1.0: "full"}


def tuning(options: Options) -> Iterator[Row]:
    """A search as it is by default, with racing and the folds side by side, beside Optuna over a Pipeline.

    The other one fits with two threads, and is given the points of our search, so that both do the same trials.
    """
    folder, best = prepared(options), []

    def ours() -> float:
        took = seconds(search(options), folder)
        (folder / "points.json").write_text(json.dumps(settings_of(folder)))
        best.append(json.loads((folder / "data/models/xgb_best_params.json").read_text())["cv_logloss_mean"])
        return took

    def stock() -> float:
        arguments = [options.trials, years(options), "2", options.share, "points.json"]
        told = lines(script("tuning.py", TABLE, "columns.json", "sqlite:///stock.db", *arguments), folder, **TWO)
        best.append(float(told[-1][1].split()[1]))
        return told[-1][0]

    what = f"{options.trials} trials of xgb on {size(options)}; stock with the same points"
    yield times_as_fast(what, in_turn(ours, stock, options.pairs), ">= 2.5")
    yield difference("best CV log-loss of that search; stock", list(zip(best[::2], best[1::2], strict=True)))


def bare(options: Options) -> Iterator[Row]:
    """A trial without racing on one thread, beside a loop over xgboost.train with the same settings."""
    folder = prepared(options)
    found = []
    for _ in range(options.pairs):
        told = lines([*search(options), *ALONE], folder)
        at = [seconds for seconds, line in told if line.startswith("trial ")]
        (folder / "settings.json").write_text(json.dumps(settings_of(folder)[1:]))
        loop = script("bare.py", TABLE, "columns.json", "settings.json", years(options), options.share)
        # The first trial reads the data too.
        found.append((at[-1] - at[0], float(lines(loop, folder)[-1][1])))
    what = f"{options.trials - 1} trials on {size(options)}, no racing, one thread; bare xgboost.train"
    yield times_as_fast(what, found, ">= 0.9")


def ablation(options: Options) -> Iterator[Row]:
    """Four variants and three models in one sweep, beside four runs; the data is prepared before."""
    folder = prepared(options)
    common = [*PROGRAM, "stage=ablation", "model=[dummy,logreg,hgb]", "rounds=50", *sized(options)]

    def sweep() -> float:
        return seconds([*common, "--multirun", f"variant={','.join(VARIANTS)}"], folder)

    def single(fresh: bool) -> float:
        took = 0.0
        for variant in VARIANTS:
            if fresh:
                (folder / "data/processed/manifest.json").unlink()
            took += seconds([*common, f"variant={variant}"], folder)
        return took

    def fresh_sweep() -> float:
        (folder / "data/processed/manifest.json").unlink()
        return sweep()

    what = f"ablation, 4 variants, 3 models on {size(options)}; 4 single runs"
    found = in_turn(fresh_sweep, lambda: single(fresh=True), options.pairs)
    yield at_most(f"{what}, each preparing", found, "<= 0.6")
    yield at_most(f"{what}, data prepared before", in_turn(sweep, lambda: single(fresh=False), options.pairs), "<= 0.6")


def difference(what: str, pairs: list[tuple[float, float]]) -> Row:
    """Ours less the other's, instead of a ratio."""
    ours, stock = zip(*pairs, strict=True)
    return Row(what, min(ours), min(stock), [a - b for a, b in pairs], "<= 0.0005", LOGLOSS)


def prepared(options: Options) -> Path:
    """A folder with the data prepared, and the columns that a model sees in columns.json."""
    folder = options.folder / "search"
    if not folder.exists():
        folder.mkdir()
        seconds([*PROGRAM, "stage=prepare", *sized(options)], folder)
        families = json.loads((folder / "data/processed/manifest.json").read_text())["families"]
        columns = [column for name, own in families.items() if name != "market" for column in own]
        (folder / "columns.json").write_text(json.dumps(columns))
    return folder


def search(options: Options) -> list[str]:
    more = [f"tuning.n_trials={options.trials}", "tuning.resume=fresh"]
    return [*PROGRAM, "stage=tuning", "model=xgb", *more, *sized(options)]


def sized(options: Options) -> list[str]:
    return [f"frac={FRAC[options.share]}", f"temporal.cv_years={years(options)}", *options.data]


def years(options: Options) -> str:
    return json.dumps(list(range(2024 - options.years, 2024))).replace(" ", "")


def size(options: Options) -> str:
    return f"{options.share:.0%} of the matches, {options.years} folds"


def settings_of(folder: Path) -> list[dict]:
    """Settings of the trials of the latest search, by their number."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
    experiment = client.get_experiment_by_name("matches_clf").experiment_id
    latest = client.search_runs([experiment], "tags.`pipeline.stage` = 'tuning'", max_results=1)[0]
    children = client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{latest.info.run_id}'")
    by_number = sorted(children, key=lambda one: int(one.data.tags["trial.number"]))
    prefix = "models.xgb.estimator."
    told = [json.loads(one.data.tags["trial.params"]) for one in by_number]
    return [{name.removeprefix(prefix): value for name, value in one.items()} for one in told]
