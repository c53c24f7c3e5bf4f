"""MLflow's own server answers with what the champion forecasts."""

import json
import math
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import finals
import program
from matchclf.config import Tracking
from matchclf.tracking import models
from matchclf.tracking.registry import Registered
from matchclf.tracking.store import open_store

SECONDS = 200
NAME = "served"


@contextmanager
def serving(uri, folder):
    """Address of a server of the champion in the store at ``uri``; it and its workers are ended in every case."""
    port = finals.free_port()
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", f"models:/{NAME}@champion"]
    command += ["--env-manager", "local", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    # MLflow starts the program uvicorn, as it is found in an activated environment.
    found_in = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    env = program.environment(MLFLOW_TRACKING_URI=uri, MLFLOW_DISABLE_TELEMETRY="true", PATH=found_in)
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=log, start_new_session=True)
    try:
        _wait(server, f"http://127.0.0.1:{port}/ping", folder / "log")
        yield f"http://127.0.0.1:{port}"
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _wait(server, address, log):
    until = time.monotonic() + SECONDS
    while True:
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < until, log.read_text()
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                assert answer.status == 200
                return
        except OSError:
            time.sleep(0.2)


def ask(address, frame):
    """What the server forecasts for a frame, sent as JSON, which has null for what is unknown."""
    rows = [[None if math.isnan(cell) else cell for cell in row] for row in frame.to_numpy(np.float64).tolist()]
    body = json.dumps({"dataframe_split": {"columns": list(frame.columns), "data": rows}}, allow_nan=False)
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{address}/invocations", body.encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return np.array(json.loads(answer.read())["predictions"])


@pytest.mark.slow
@pytest.mark.parametrize("model", ["logreg", "hgb"])
def test_the_champion_is_served_over_http_by_its_alias(final_runs, tmp_path, model):
    folder, ids = final_runs
    store = open_store(Tracking("local", f"sqlite:///{folder}/mlflow.db"), "matches_clf", folder)
    registered = Registered(store, NAME)
    registered.set_alias("champion", registered.make_version(store.client.get_run(ids[model])))
    sample = pd.read_parquet(program.artifact(folder, store.client.get_run(ids[model]), models.SAMPLE))
    frame = sample.drop(columns=list("012")).head(20)
    frame.iloc[0, 3] = frame.iloc[5, 0] = np.nan
    expected = models.load_model(store, ids[model]).predict_proba(frame)
    with serving(store.uri, tmp_path) as address:
        np.testing.assert_allclose(ask(address, frame), expected, atol=1e-6)
        # Columns have names: their order does not matter, and one that lacks is told.
        np.testing.assert_allclose(ask(address, frame[frame.columns[::-1]]), expected, atol=1e-6)
        with pytest.raises(urllib.error.HTTPError) as problem:
            ask(address, frame.drop(columns=frame.columns[0]))
        with problem.value as answer:
            assert answer.code == 400
            assert frame.columns[0] in answer.read().decode()
