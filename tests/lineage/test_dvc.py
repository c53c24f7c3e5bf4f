import hashlib
import os
import shutil
import sys
from pathlib import Path

import pytest

from dvc_repo import call, commit, dvc, git, initialise
from matchclf.errors import DataError
from matchclf.lineage.dvc import Recorded, experiment_name, find_in_cache, recorded_md5, share_cache

FILES = {
    "raw/E0.csv": b"Date,Home\r\n01/08/2014,Ajax\r\n",
    "old/D1.csv": b"one",
    "old/more/I1.csv": b"two",
    "free.csv": b"three",
    "dvc.yaml": b"""
stages:
  copy:
    cmd: mkdir -p out/parts && cp raw/E0.csv out/one.csv && cp free.csv out/parts/a.csv && cp free.csv out/scores.csv
    deps: [raw/E0.csv]
    outs: [out/one.csv, out/parts, out/scores.csv: {cache: false}]
""",
}


def md5(content):
    return hashlib.md5(content).hexdigest()


E0, D1, I1, FREE = (md5(FILES[name]) for name in ("raw/E0.csv", "old/D1.csv", "old/more/I1.csv", "free.csv"))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A repository with a tracked file, a tracked folder and a stage with outputs; no test changes it."""
    folder = tmp_path_factory.mktemp("made") / "project"
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    initialise(folder)
    dvc(folder, "add", "--quiet", "raw/E0.csv", "old")
    dvc(folder, "repro", "--quiet")
    commit(folder, "one")
    return folder


@pytest.fixture
def project(made, tmp_path):
    """A copy of it with its cache, for a test that changes something."""
    return shutil.copytree(made, tmp_path / "project", symlinks=True)


def cached(project, digest):
    return project / ".dvc/cache/files/md5" / digest[:2] / digest[2:]


def damage(path, content):
    path.chmod(0o644)
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("path", "digest", "where"),
    [
        ("raw/E0.csv", E0, "raw/E0.csv.dvc"),
        ("old/D1.csv", D1, "old.dvc"),
        ("old/more/I1.csv", I1, "old.dvc"),
        ("out/one.csv", E0, "dvc.lock"),
        ("out/parts/a.csv", FREE, "dvc.lock"),
        ("out/scores.csv", FREE, "dvc.lock"),
    ],
)
def test_what_dvc_recorded_is_found_with_the_file_that_says_so(made, path, digest, where):
    assert recorded_md5(Path(path), made) == Recorded(digest, Path(where))
    assert recorded_md5(made / path, made) == Recorded(digest, Path(where))


@pytest.mark.parametrize(
    "path", ["free.csv", "old/new.csv", "nowhere.csv", "../E0.csv", "raw", "old", "old/more", "raw/E0.csv/x"]
)
def test_what_dvc_does_not_track_has_no_record(made, path):
    assert recorded_md5(Path(path), made) is None


def test_the_record_stays_when_the_file_has_changed_or_is_gone(project):
    (project / "raw/E0.csv").write_bytes(b"other")
    (project / "out/one.csv").unlink()
    assert recorded_md5(Path("raw/E0.csv"), project) == Recorded(E0, Path("raw/E0.csv.dvc"))
    assert recorded_md5(Path("out/one.csv"), project) == Recorded(E0, Path("dvc.lock"))


def test_a_project_in_a_subfolder_finds_the_records_above_it(made):
    assert recorded_md5(Path("../out/one.csv"), made / "raw") == Recorded(E0, Path("../dvc.lock"))
    assert recorded_md5(Path("E0.csv"), made / "raw") == Recorded(E0, Path("E0.csv.dvc"))
    assert recorded_md5(Path("I1.csv"), made / "old/more") == Recorded(I1, Path("../../old.dvc"))


def test_records_of_another_repository_do_not_count(project):
    inner = project / "inner"
    (inner / "out").mkdir(parents=True)
    git(inner, "init", "--quiet")
    assert recorded_md5(Path("../out/one.csv"), inner) is None


def test_without_a_repository_there_is_no_record(tmp_path):
    assert recorded_md5(Path("raw/E0.csv"), tmp_path) is None
    assert find_in_cache(E0, tmp_path) is None


def test_a_link_into_the_cache_is_known_by_its_own_name(project):
    dvc(project, "config", "cache.type", "symlink")
    dvc(project, "checkout", "--quiet", "--relink")
    assert (project / "raw/E0.csv").resolve() == (project / "out/one.csv").resolve() == cached(project, E0)
    assert recorded_md5(Path("raw/E0.csv"), project) == Recorded(E0, Path("raw/E0.csv.dvc"))
    assert recorded_md5(Path("out/one.csv"), project) == Recorded(E0, Path("dvc.lock"))


def test_a_file_of_a_folder_is_unknown_without_the_list_in_the_cache(project):
    for listing in project.glob(".dvc/cache/files/md5/*/*.dir"):
        listing.unlink()
    assert recorded_md5(Path("old/D1.csv"), project) is None
    assert recorded_md5(Path("raw/E0.csv"), project) == Recorded(E0, Path("raw/E0.csv.dvc"))


def test_a_damaged_list_of_a_folder_is_refused(project):
    (listing,) = [one for one in project.glob(".dvc/cache/files/md5/*/*.dir") if D1.encode() in one.read_bytes()]
    damage(listing, listing.read_bytes().replace(D1.encode(), E0.encode()))
    with pytest.raises(DataError, match=rf"{listing} is damaged: its MD5 is [0-9a-f]{{32}}.*dvc fetch"):
        recorded_md5(Path("old/D1.csv"), project)


def test_an_object_of_the_cache_is_found_by_its_md5(made):
    assert find_in_cache(E0, made) == cached(made, E0)
    assert find_in_cache(E0, made / "raw") == cached(made, E0)


@pytest.mark.parametrize("name", [md5(b"unknown"), "", "..", "../../config", E0.upper(), f"{E0}.dir", f"{E0}\n"])
def test_what_the_cache_does_not_have_is_not_found(made, name):
    assert find_in_cache(name, made) is None


def test_an_object_that_changed_in_the_cache_is_not_found_even_with_size_and_time_kept(project):
    path = cached(project, E0)
    before = path.stat()
    damage(path, FILES["raw/E0.csv"].replace(b"Ajax", b"Ajay"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert find_in_cache(E0, project) is None


@pytest.mark.parametrize("options", [[], ["--local"]])
@pytest.mark.parametrize("place", ["../shared, cache", "/elsewhere"])
def test_a_cache_in_another_place_is_found_where_the_config_says(project, tmp_path, options, place):
    folder = tmp_path / "elsewhere" if place == "/elsewhere" else project / place
    shutil.move(project / ".dvc/cache", folder)
    dvc(project, "cache", "dir", *options, str(folder) if place == "/elsewhere" else place)
    assert cached_in(folder, find_in_cache(E0, project)) == f"files/md5/{E0[:2]}/{E0[2:]}"
    assert recorded_md5(Path("old/D1.csv"), project) == Recorded(D1, Path("old.dvc"))


def cached_in(folder, found):
    return str(found.resolve().relative_to(folder.resolve()))


def test_the_local_config_wins_over_the_shared_one(project, tmp_path):
    dvc(project, "cache", "dir", str(tmp_path / "empty"))
    dvc(project, "cache", "dir", "--local", "cache")
    assert find_in_cache(E0, project) is None
    shutil.move(project / ".dvc/cache", project / "cache")
    assert cached_in(project / "cache", find_in_cache(E0, project)) == f"files/md5/{E0[:2]}/{E0[2:]}"


def test_another_work_tree_takes_the_data_of_its_commit_from_the_cache_of_the_first(project, tmp_path):
    (project / "raw/E0.csv").write_bytes(b"other")
    dvc(project, "add", "--quiet", "raw/E0.csv")
    commit(project, "two")
    worktree = tmp_path / "worktree"
    git(project, "worktree", "add", "--quiet", "--detach", str(worktree), "HEAD~1")
    share_cache(project, worktree)
    dvc(worktree, "checkout", "--quiet", "raw/E0.csv")
    assert (worktree / "raw/E0.csv").read_bytes() == FILES["raw/E0.csv"]
    assert (project / "raw/E0.csv").read_bytes() == b"other"
    assert git(worktree, "status", "--porcelain") == ""


BROKEN = {
    "cut off": ("outs:\n- md5: [", "cannot be read as YAML"),
    "in conflict": ("<<<<<<< HEAD\nouts: []\n=======\n", "cannot be read as YAML"),
    "not text": (b"\xff\xfe", "cannot be read as YAML"),
    "empty": ("", "the whole file is 'None'; expected a mapping"),
    "a list": ("- outs", r"the whole file is \"\['outs'\]\"; expected a mapping"),
    "a text": ("outs", "the whole file is 'outs'; expected a mapping"),
    "outs no list": ("outs: {path: E0.csv}", "outs is .*; expected a list"),
    "an output no mapping": ("outs: [E0.csv]", "an output is 'E0.csv'; expected a mapping"),
    "no path": ("outs: [{md5: a}]", "the path of an output is 'None'; expected a text"),
    "no md5": ("outs: [{path: E0.csv}]", "the md5 of E0.csv is 'None'; expected a text"),
    "md5 a number": ("outs: [{path: E0.csv, md5: 12}]", "the md5 of E0.csv is '12'; expected a text"),
    "md5 too short": ("outs: [{path: E0.csv, md5: abc}]", "the md5 of E0.csv is 'abc'; expected 32 hex digits"),
}


@pytest.mark.parametrize(("content", "told"), BROKEN.values(), ids=BROKEN)
def test_a_pointer_that_dvc_would_not_write_is_told_in_a_sentence(project, content, told):
    pointer = project / "raw/E0.csv.dvc"
    pointer.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError, match=told) as raised:
        recorded_md5(Path("raw/E0.csv"), project)
    assert str(pointer) in str(raised.value)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("stages: [copy]", "stages is .*; expected a mapping"),
        ("stages: {copy: null}", "the stage copy is 'None'; expected a mapping"),
        ("stages: {copy: {outs: one.csv}}", "outs is 'one.csv'; expected a list"),
        ("stages: {copy: {outs: [{path: out/one.csv}]}}", "the md5 of out/one.csv is 'None'"),
    ],
)
def test_a_lock_that_dvc_would_not_write_is_told_in_a_sentence(project, content, told):
    (project / "dvc.lock").write_text(content)
    with pytest.raises(DataError, match=told) as raised:
        recorded_md5(Path("out/one.csv"), project)
    assert str(project / "dvc.lock") in str(raised.value)


@pytest.mark.parametrize("content", ["{schema: '2.0'}", "{schema: '2.0', stages: {copy: {cmd: ls}}}"])
def test_a_lock_without_outputs_has_no_record(project, content):
    (project / "dvc.lock").write_text(content)
    assert recorded_md5(Path("out/one.csv"), project) is None


def test_a_broken_config_is_told_in_a_sentence(project):
    (project / ".dvc/config").write_text("dir = nowhere\n")
    with pytest.raises(DataError, match="cannot be read as the config of DVC") as raised:
        find_in_cache(E0, project)
    assert str(project / ".dvc/config") in str(raised.value)


def test_the_name_of_the_experiment_is_that_of_the_environment(monkeypatch):
    monkeypatch.delenv("DVC_EXP_NAME", raising=False)
    assert experiment_name() == "none"
    monkeypatch.setenv("DVC_EXP_NAME", "exp-1f2a")
    assert experiment_name() == "exp-1f2a"


def test_reading_the_records_does_not_import_dvc(made):
    code = "import sys; from pathlib import Path; from matchclf.lineage import dvc; "
    code += "print(dvc.recorded_md5(Path('old/D1.csv'), Path.cwd()).md5, 'dvc' in sys.modules)"
    assert call(sys.executable, "-c", code, cwd=made) == f"{D1} False\n"
