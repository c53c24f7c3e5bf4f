import hashlib
import http.client
import signal
import socket
import threading
import time
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import pytest

import mlflow_server
import program
from matchclf.config import Tracking
from matchclf.errors import ConfigError, TrackingError
from matchclf.stages import sync
from matchclf.tracking import record, runs, spool
from matchclf.tracking.children import child_run
from matchclf.tracking.search import KEPT_AS, all_runs, find_run
from matchclf.tracking.store import open_store

ONE = (*program.TINY, "model=[dummy,logreg]", "variant=elo_only", "stage=ablation")
OUTAGES = 20


@pytest.fixture(scope="module")
def backend(tmp_path_factory):
    with mlflow_server.mlflow_server(tmp_path_factory.mktemp("server")) as address:
        yield address


class Unreliable:
    """A way to a server on which requests get lost, before they arrive or on the way back, from the n-th on."""

    def __init__(self, backend):
        self.backend, self.seen, self.lost, self.breaks_at, self.how = backend, 0, 0, None, None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.pass_on(self)

            do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def break_at(self, number, how):
        self.seen, self.breaks_at, self.how = 0, number, how

    def pass_on(self, request):
        broken = self.breaks_at is not None and self.seen >= self.breaks_at
        self.seen += request.path != "/health"
        self.lost += broken
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        if broken and self.how == "before it arrives":
            return
        with closing(http.client.HTTPConnection(self.backend.removeprefix("http://"), timeout=30)) as connection:
            connection.request(request.command, request.path, body, dict(request.headers))
            answer = connection.getresponse()
            content = answer.read()
        if broken:
            return
        request.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() in ("content-type", "content-length"):
                request.send_header(name, value)
        request.end_headers()
        request.wfile.write(content)

    @contextmanager
    def running(self):
        thread = threading.Thread(target=self.server.serve_forever)
        thread.start()
        try:
            yield self
        finally:
            self.server.shutdown()
            self.server.server_close()
            thread.join()


def fill(store):
    """A parent with two children, all of whose parts are used, the second of them failed."""
    parent = runs.start(store, "ablation | variant=full | frac=1.0", {"pipeline.scope": "parent"})
    record.record(parent, params={f"p{number}": number for number in range(150)})
    with child_run(parent, "model | one", {"pipeline.scope": "child"}) as one:
        by_year = pd.DataFrame({"cv.logloss": [1.0, 0.99, 0.98]}, index=[2021, 2022, 2023])
        record.record(one, params={"C": 0.5}, metrics={"cv.logloss_mean": 0.99}, by_year=by_year)
        record.keep_table(one, pd.DataFrame({"prob": [0.1, 0.2]}), "predictions/out_of_fold.parquet")
        record.keep_text(one, "text", "notes/one.txt")
    with pytest.raises(ValueError, match="no"), child_run(parent, "model | two", {"pipeline.scope": "child"}):
        raise ValueError("no")
    record.record(parent, tags={"best.run_id": one.id}, metrics={"best.logloss": 0.99})
    runs.finish(parent)
    return 3


def picture(store, by):
    """Everything that is kept of each run, by its id in the spool: without owners, with the ids of the spool."""
    found = all_runs(store)
    ids = {run.info.run_id: by(run) for run in found}
    assert len(set(ids.values())) == len(found)
    return {ids[run.info.run_id]: told(store, run, ids) for run in found}


def told(store, run, ids):
    client, info = store.client, run.info
    tags = {
        key: ids.get(value, value) for key, value in run.data.tags.items() if not key.startswith(("owner.", "spool."))
    }
    history = {
        key: [(p.step, p.timestamp, p.value) for p in client.get_metric_history(info.run_id, key)]
        for key in run.data.metrics
    }
    inputs = [one.dataset.digest for one in run.inputs.dataset_inputs]
    times = (info.run_name, info.status, info.start_time, info.end_time)
    return times, tags, run.data.params, history, inputs, artifacts(client, info.run_id)


def artifacts(client, run_id, folder=None):
    found = {}
    for file in client.list_artifacts(run_id, folder):
        if file.is_dir:
            found |= artifacts(client, run_id, file.path)
        else:
            content = Path(client.download_artifacts(run_id, file.path)).read_bytes()
            found[file.path] = hashlib.sha256(content).hexdigest()
    return found


def same(kept, server):
    return picture(kept, lambda run: run.info.run_id) == picture(server, lambda run: run.data.tags[KEPT_AS])


@pytest.fixture
def kept(tmp_path, request):
    return spool.open_spool(request.node.name, tmp_path)


@pytest.mark.slow
def test_outages_at_any_request_lose_nothing_and_make_nothing_twice(backend, kept, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
    with Unreliable(backend).running() as way:
        server = open_store(Tracking("server", way.address), kept.experiment_name, tmp_path)
        failed = 0
        for number in range(OUTAGES):
            expected = fill(kept)
            how = ("before it arrives", "on the way back")[number % 2]
            way.break_at(1 + number, how)
            with pytest.raises(TrackingError, match="stopped answering"):
                spool.send(kept, server)
            failed += 1
            way.break_at(None, None)
            assert spool.send(kept, server) == expected
            assert spool.send(kept, server) == 0
        assert (failed, way.lost >= OUTAGES) == (OUTAGES, True)
        assert len(all_runs(server)) == 3 * OUTAGES
        assert same(kept, server)


def test_a_sent_run_is_found_by_the_id_it_had_in_the_spool(backend, kept, tmp_path):
    server = open_store(Tracking("server", backend), kept.experiment_name, tmp_path)
    assert spool.send(kept, server) == 0
    fill(kept)
    assert spool.send(kept, server) == 3
    assert same(kept, server)
    for run in all_runs(kept):
        assert find_run(server, run.info.run_id).info.run_name == run.info.run_name


def test_a_parent_that_still_runs_waits_with_its_children(backend, kept, tmp_path):
    server = open_store(Tracking("server", backend), kept.experiment_name, tmp_path)
    parent = runs.start(kept, "parent", {"pipeline.scope": "parent"})
    with child_run(parent, "child", {"pipeline.scope": "child"}):
        pass
    assert spool.send(kept, server) == 0
    runs.finish(parent)
    assert spool.send(kept, server) == 2


@pytest.mark.slow
def test_computing_goes_on_without_a_server_and_sync_sends_what_it_gave(matchclf, tmp_path):
    port = mlflow_server.free_port()
    there = (*ONE, "tracking=server", f"tracking.uri=http://127.0.0.1:{port}", "tracking.on_outage=spool")
    done = matchclf(*there)
    assert done.code == 0
    assert (
        "spool      the server does not answer; 1 parent runs wait in data/spool, send them with stage=sync" in done.out
    )
    refused = matchclf("stage=sync", *there[-3:])
    assert refused.code == 4
    assert refused.err.splitlines()[-1].startswith(
        f"Error: The tracking server http://127.0.0.1:{port} does not answer"
    )
    (tmp_path / "server").mkdir()
    with mlflow_server.mlflow_server(tmp_path / "server", port) as address:
        sent = matchclf("stage=sync", *there[-3:])
        assert (sent.code, "sync       3 runs of matches_clf sent" in sent.out) == (0, True), sent
        tree = [
            (
                "ablation | variant=elo_only | frac=1.0",
                "FINISHED",
                [("model | dummy", "FINISHED"), ("model | logreg", "FINISHED")],
            )
        ]
        assert program.tree(address) == tree
        kept, server = (
            spool.open_spool("matches_clf", tmp_path),
            open_store(Tracking("server", address), "matches_clf", tmp_path),
        )
        assert same(kept, server)
        # With the server there, a run is sent when it ends.
        assert matchclf(*there).code == 0
        assert program.tree(address) == tree * 2


@pytest.mark.slow
def test_a_server_that_dies_during_a_run_ends_it_with_one_sentence(tmp_path):
    (tmp_path / "server").mkdir()
    server, address = mlflow_server.start(tmp_path / "server")
    try:
        command = (*program.TINY, "model=[dummy,logreg]", "stage=ablation", f"tracking.uri={address}")
        process = program.start(*command, cwd=tmp_path)
        while "\nmatches " not in (tmp_path / "out").read_text():
            assert process.poll() is None
            time.sleep(0.02)
    finally:
        mlflow_server.stop(server, signal.SIGKILL)
    assert process.wait(timeout=60) == 4
    *_, sentence = (tmp_path / "err").read_text().splitlines()
    assert sentence.startswith("Error: The tracking store")
    assert "stopped answering" in sentence


def test_sync_without_a_server_is_refused(compose, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(ConfigError, match=r"^stage=sync sends runs to a tracking server; found sqlite:"):
        sync.run(compose("stage=sync"))


def test_a_server_that_takes_no_connection_is_told_within_seconds(tmp_path):
    with closing(socket.socket()) as silent:  # accepts, and never answers
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        began = time.monotonic()
        with pytest.raises(TrackingError, match="does not answer"):
            open_store(Tracking("server", f"http://127.0.0.1:{silent.getsockname()[1]}"), "x", tmp_path)
        assert time.monotonic() - began < 10
