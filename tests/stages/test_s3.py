"""Experiments on matches in a bucket of a real server on loopback."""

import json
import os

import pytest

import program
import projects
import s3_server
from conftest import write_football_data
from matchclf.files import digest
from s3_server import Folder

COMMAND = ("stage=train_eval", "variant=elo_only", "model=[dummy]", "rounds=5")
DATASET = "data/processed/dataset.parquet"


def source(folder, url, key="E0.csv"):
    """The overrides that name an object."""
    return ("data=s3", f"data.bucket={folder.bucket}", f"data.key={folder.name}{key}", f"data.endpoint_url={url}")


@pytest.fixture(scope="module")
def bucket(server, owner, tmp_path_factory):
    """A folder in a bucket that keeps versions, and a working folder with the same file and two folds."""
    folder = Folder(server, owner, "versions", "experiments/")
    place = tmp_path_factory.mktemp("s3")
    (place / "raw").mkdir()
    write_football_data(place / projects.FILE)
    folder.put("E0.csv", (place / projects.FILE).read_bytes())
    params = (program.ROOT / "params.yaml").read_text().split("  cv_years:")[0]
    (place / "params.yaml").write_text(f"{params}  cv_years: [2019, 2020]\n")
    return folder, place


@pytest.fixture(scope="module")
def trained(bucket, server):
    """A train_eval on the object."""
    folder, place = bucket
    done = program.run(*COMMAND, *source(folder, server), cwd=place, **s3_server.settings(place))
    assert done.code == 0, done
    return program.parents(place)[-1]


def told(run):
    return {name.removeprefix("data."): value for name, value in run.data.tags.items() if name.startswith("data.")}


def test_every_run_tells_which_object_it_was(bucket, trained):
    folder, place = bucket
    head = folder.client.head_object(Bucket=folder.bucket, Key="experiments/E0.csv")
    path = place / "data/raw/versions/experiments/E0.csv"
    sidecar = json.loads(path.with_name("E0.csv.s3.json").read_text())
    expected = {
        "source_bucket": "versions",
        "source_key": "experiments/E0.csv",
        "source_etag": projects.md5(place / projects.FILE),
        "source_md5": projects.md5(place / projects.FILE),
        "source_version_id": head["VersionId"],
        "source_last_modified": head["LastModified"].isoformat(),
        "ingested_at": sidecar["ingested_at"],
        "version": digest(place / DATASET),
        "hash": digest(place / DATASET),
    }
    for run in (trained, *program.children(place, trained).values()):
        found = told(run)
        assert {name: found[name] for name in expected} == expected
    assert (sidecar["etag"], head["ETag"]) == (expected["source_etag"], f'"{expected["source_etag"]}"')


def test_an_unchanged_object_is_asked_for_and_not_downloaded_again(bucket, trained, server):
    folder, place = bucket
    before = (place / "data/raw/versions/experiments/E0.csv").stat()
    with s3_server.proxy(server, s3_server.through) as way:
        done = program.run("stage=prepare", *source(folder, way.url), cwd=place, **s3_server.settings(place))
    assert (done.code, "prepare    kept" in done.out) == (0, True), done
    assert [one.split()[0] for one in way.requests] == ["HEAD"]
    after = (place / "data/raw/versions/experiments/E0.csv").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_the_same_content_in_a_local_file_is_the_same_experiment(bucket, trained):
    _, place = bucket
    os.utime(place / projects.FILE, (1600000000, 1600000000))
    done = program.run(*COMMAND, "data=football_data", f"data.path={projects.FILE}", cwd=place)
    assert (done.code, "prepare    kept" in done.out) == (0, True), done
    local = program.parents(place)[-1]
    same = ("pipeline.params_hash", "data.version", "data.hash", "data.source_md5")
    assert [local.data.tags[name] for name in same] == [trained.data.tags[name] for name in same]
    found = told(local)
    assert (found["source_bucket"], found["source_key"], found["source_version_id"]) == ("file", projects.FILE, "none")
    # Of the file, not of the object that was prepared before.
    assert found["source_last_modified"] == "2020-09-13T12:26:40+00:00"
    assert local.data.metrics["best.logloss"] == trained.data.metrics["best.logloss"]


@pytest.mark.parametrize(
    ("overrides", "code", "said"),
    [
        (
            ["data.bucket=nothing-here", "data.key=E0.csv"],
            5,
            "s3://nothing-here/E0.csv: there is no bucket nothing-here",
        ),
        pytest.param(
            ["data.bucket=versions", "data.key=none.csv"],
            5,
            "s3://versions/none.csv: there is no such object",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_what_is_not_there_fails_the_run_with_bucket_and_key(server, tmp_path, overrides, code, said):
    command = (*COMMAND, "data=s3", f"data.endpoint_url={server}", *overrides)
    done = program.run(*command, cwd=tmp_path, **s3_server.settings(tmp_path))
    assert (done.code, said in done.err) == (code, True), done
    assert "Traceback" not in done.err
    (run,) = program.search(tmp_path)
    assert (run.info.status, said in run.data.tags["status.reason"]) == ("FAILED", True)
    assert done.files == frozenset(name for name in done.files if name.endswith(".lock"))


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["data.key=E0.csv"], "data.bucket"),
        (["data.bucket=matches"], "data.key"),
        (["data.bucket=matches", "data.key=../E0.csv"], "data.key is '../E0.csv'"),
        (["data.bucket=matches", "data.key=raw/", "data.version_id=1"], "is a folder, which has no versions"),
        (["data.bucket=matches", "data.key=E0.csv", "data.endpoint_url=http://joe:hunter2@host"], "data.endpoint_url"),
    ],
)
def test_names_that_cannot_be_right_are_refused_before_a_run_is_opened(tmp_path, overrides, said):
    done = program.run(*COMMAND, "data=s3", *overrides, cwd=tmp_path)
    assert (done.code, said in done.err, "hunter2" in done.err) == (2, True, False), done
    assert not (tmp_path / "mlflow.db").exists()


@pytest.mark.slow
def test_a_run_is_made_again_from_the_version_it_had(server, owner, tmp_path):
    folder, place = Folder(server, owner, "versions", "replaced/"), projects.make(tmp_path / "project")
    content = (place / projects.FILE).read_bytes()
    folder.put("E0.csv", content)
    settings = s3_server.settings(tmp_path)
    done = projects.run(place, *COMMAND, *source(folder, server), **settings)
    assert done.code == 0, done
    (run,) = program.parents(place)
    folder.put("E0.csv", b"".join(content.splitlines(keepends=True)[:-20]))
    (place / projects.FILE).unlink()
    again = projects.run(place, "stage=prepare", *source(folder, server), **settings)
    assert again.code == 0, again

    done = projects.run(place, "stage=reproduce", f"run_id={run.info.run_id}", **settings)
    assert (done.code, "verdict    identical" in done.out) == (0, True), done
    folder.client.delete_object(
        Bucket="versions", Key="replaced/E0.csv", VersionId=run.data.tags["data.source_version_id"]
    )
    done = projects.run(place, "stage=reproduce", f"run_id={run.info.run_id}", **settings)
    assert (done.code, "are not found" in done.err, "has no version" in done.out) == (5, True, True), done
