"""The MLflow store: created once under a lock, opened with usage reporting off."""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from matchclf import paths
from matchclf.config import Tracking
from matchclf.errors import ConfigError, DataError, TrackingError
from matchclf.tracking.database import PatientClient, make_database

if TYPE_CHECKING:
    from mlflow import MlflowClient

SQLITE = "sqlite:///"
# Give up on a server that is gone after seconds, not after the eight minutes of MLflow's defaults.
HTTP_LIMITS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}
NOT_LET_IN = "failed with error code 401"
# How long a server may take for its first answer.
FIRST_ANSWER_SECONDS = 5


@dataclass(frozen=True)
class Store:
    """One experiment of one tracking store."""

    uri: str
    client: MlflowClient
    experiment_id: str
    experiment_name: str


def open_store(tracking: Tracking, experiment_name: str, project: Path) -> Store:
    """Open the store, making it and the experiment where they are missing; raises TrackingError."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    for name, value in HTTP_LIMITS.items():
        os.environ.setdefault(name, value)
    uri = tracking_uri(tracking, project)
    _check_server(uri)
    import sqlite3

    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        if uri.startswith(SQLITE):
            make_database(Path(uri.removeprefix(SQLITE)))
        client: Any = PatientClient(MlflowClient(tracking_uri=uri))
        return Store(uri, client, _experiment_id(client, uri, experiment_name, project), experiment_name)
    except (MlflowException, sqlite3.Error, OSError, DataError) as problem:
        if NOT_LET_IN in str(problem):
            raise TrackingError(_not_let_in(uri)) from problem
        raise TrackingError(f"The tracking store {uri} cannot be used: {problem}.") from problem


def _not_let_in(uri: str) -> str:
    user = os.environ.get("MLFLOW_TRACKING_USERNAME")
    who = f"the user {user} with this password" if user else "anybody without a user and a password"
    return (
        f"The tracking server {uri} does not let in {who}; set MLFLOW_TRACKING_USERNAME and "
        "MLFLOW_TRACKING_PASSWORD in the environment."
    )


def tracking_uri(tracking: Tracking, project: Path) -> str:
    """The configured URI, else MLFLOW_TRACKING_URI, else the SQLite file of the working folder."""
    uri = tracking.uri or os.environ.get("MLFLOW_TRACKING_URI")
    if tracking.uri and urlsplit(tracking.uri).password:
        raise ConfigError(
            "tracking.uri holds a password; set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD in the "
            "environment instead, so that it is not stored with the run."
        )
    if tracking.name == "server" and not uri:
        raise ConfigError("tracking=server needs tracking.uri=http://HOST:PORT or MLFLOW_TRACKING_URI.")
    if uri and "://" not in uri:
        raise ConfigError(f"The tracking URI {uri} is no URI; expected http://HOST:PORT or sqlite:///FILE.")
    return uri or f"{SQLITE}{project / paths.STORE}"


def where_to_look(store: Store, run_id: str) -> str:
    """How to open the MLflow UI, and the page of a run in it."""
    page = f"#/experiments/{store.experiment_id}/runs/{run_id}"
    if not store.uri.startswith(SQLITE):
        return f"See the run:   {store.uri.rstrip('/')}/{page}"
    python = min(sys.executable, os.path.relpath(sys.executable), key=len)
    database = os.path.relpath(store.uri.removeprefix(SQLITE))
    command = f"{python} -m mlflow ui --backend-store-uri {SQLITE}{database}"
    return f"See the run:   {command}\n        open:  http://127.0.0.1:5000/{page}"


def _experiment_id(client: MlflowClient, uri: str, name: str, project: Path) -> str:
    from mlflow.exceptions import MlflowException

    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        artifacts = (project / paths.ARTIFACTS).as_uri() if uri.startswith(SQLITE) else None
        try:
            return str(client.create_experiment(name, artifact_location=artifacts))
        except MlflowException:  # another process was faster
            experiment = client.get_experiment_by_name(name)
            if experiment is None:
                raise
    if experiment.lifecycle_stage != "active":
        raise TrackingError(
            f"The experiment {name} is deleted; restore it with "
            f"`mlflow experiments restore --experiment-id {experiment.experiment_id}`."
        )
    return str(experiment.experiment_id)


def is_server(uri: str) -> bool:
    """Whether a store is reached over the network."""
    return uri.startswith("http")


def _check_server(uri: str) -> None:
    if not is_server(uri):
        return
    # What only a server needs, --help does without.
    from http.client import HTTPException
    from urllib.error import HTTPError
    from urllib.request import urlopen

    parts = urlsplit(uri)
    address = parts._replace(netloc=parts.netloc.rpartition("@")[2], path=f"{parts.path.rstrip('/')}/health").geturl()
    try:
        # Any answer will do: what stands in front of a server may know no such page, or want a password for it.
        urlopen(address, timeout=FIRST_ANSWER_SECONDS).close()  # noqa: S310 http only
    except HTTPError:
        return
    except (OSError, HTTPException) as problem:
        why = getattr(problem, "reason", problem)
        raise TrackingError(
            f"The tracking server {uri} does not answer ({why}). Start it, or let the work go on without it with "
            "tracking.on_outage=spool and send the runs later with stage=sync."
        ) from problem
