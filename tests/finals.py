"""Final runs for the tests of what comes after them: made by the program, and copies of them with something changed."""

import socket
import tempfile
from contextlib import closing
from importlib import import_module
from pathlib import Path

import pandas as pd
from mlflow.entities import Metric, Param

import program
from matchclf.config import World
from matchclf.data.schema import OUTCOMES
from matchclf.data.synthetic import make_world

WORLD = World(countries=1, tiers=2, teams_per_division=6, promoted=1, first_season=2014)
# The first day of the season that is still to come in the files of the final runs.
CUT = "2025-08-29"
DATA = ("data=football_data", "data.path=raw")
FINAL = (*DATA, "rounds=5", "final.calibration_share=0.2", "stage=final_train")


def write_matches(path, until=None):
    """Two divisions of the built-in league in the layout of football-data.co.uk, without goals from a day on."""
    matches, _ = make_world(WORLD)
    goals = matches[["home_goals", "away_goals"]].astype("Int64")
    if until:
        goals = goals.mask(matches["date"] >= until)
    table = pd.DataFrame(
        {
            "Div": matches["tier"].map({1: "E0", 2: "E1"}),
            "Date": matches["date"].dt.strftime("%d/%m/%Y"),
            "HomeTeam": matches["home_team"],
            "AwayTeam": matches["away_team"],
            "FTHG": goals["home_goals"],
            "FTAG": goals["away_goals"],
        }
    )
    path.parent.mkdir(exist_ok=True)
    table.to_csv(path, index=False)


def copy_run(client, run_id, change=lambda folder: None, experiment=None, **tags):
    """A finished run like another, with other tags (``__`` for a dot) and what ``change`` does to its artifacts."""
    run = client.get_run(run_id)
    changed = {name.replace("__", "."): value for name, value in tags.items()}
    made = client.create_run(
        client.get_experiment_by_name(experiment).experiment_id if experiment else run.info.experiment_id,
        tags={**run.data.tags, **changed},
        run_name=run.info.run_name,
    ).info.run_id
    metrics = [Metric(name, value, 0, 0) for name, value in run.data.metrics.items()]
    client.log_batch(made, metrics=metrics, params=[Param(*one) for one in run.data.params.items()])
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(client.download_artifacts(run_id, "", folder))
        change(copied)
        client.log_artifacts(made, str(copied))
    client.set_terminated(made)
    return made


def better(share):
    """A change of stored forecasts: this share of every forecast moves to what happened."""

    def change(folder):
        path = folder / "predictions/holdout.parquet"
        table = pd.read_parquet(path)
        for label, outcome in enumerate(OUTCOMES):
            happened = table["outcome_1x2"] == label
            table[f"final_{outcome}"] = (1 - share) * table[f"final_{outcome}"] + share * happened
        table.to_parquet(path)

    return change


def free_port():
    """A port of the loopback address that nobody listens on."""
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def stage(compose, name, *overrides):
    """Run a stage in this process and in the working folder."""
    import_module(f"matchclf.stages.{name}").run(compose(f"stage={name}", *overrides))


def aliases(store, model):
    """Version of each alias of a registered model."""
    found = program.client(store).search_registered_models(f"name = '{model}'")
    return {alias: int(version) for one in found for alias, version in one.aliases.items()}
