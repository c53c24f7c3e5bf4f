import os
import random
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from matchclf.errors import SourceError
from matchclf.lineage.git import MAX_DIFF_BYTES, CodeState, Diff, apply_diff, code_state, uncommitted_diff, worktree
from matchclf.lineage.git import repository as repository_of

NOTHING = CodeState("none", "none", dirty=False)


@pytest.fixture(autouse=True)
def _no_settings_but_ours(monkeypatch):
    """The answers of git depend on no one's own configuration."""
    settings = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    people = {f"GIT_{role}_{what}": "somebody" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    for name, value in (settings | people).items():
        monkeypatch.setenv(name, value)


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def repository(folder: Path, *tracked: str) -> str:
    """Make a repository with one commit of these files; returns the commit."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet")
    for name in tracked:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"# {folder.name}\n")
        git(folder, "add", "--force", name)
    git(folder, "commit", "--quiet", "--message", "one")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def project(tmp_path):
    """A repository that tracks a package, and the path of the package in it."""
    folder = tmp_path / "project"
    repository(folder, "README.md", "src/package/__init__.py", "src/package/app.py")
    return folder, folder / "src" / "package"


def test_a_clean_repository_is_told_by_its_commit(project):
    folder, package = project
    sha, short = git(folder, "rev-parse", "HEAD"), git(folder, "rev-parse", "--short", "HEAD")
    assert len(sha) == 40
    assert sha.startswith(short)
    assert code_state(package, folder) == CodeState(sha, short, dirty=False)


def test_looking_writes_nothing_into_the_repository(project):
    # A git that is killed while it writes leaves a lock that stops every other git command.
    folder, package = project
    index = folder / ".git/index"
    for path in package.rglob("*.py"):
        os.utime(path, (0, 0))
    before = index.stat().st_mtime_ns, index.stat().st_ino
    code_state(package, folder)
    uncommitted_diff(package, folder)
    assert (index.stat().st_mtime_ns, index.stat().st_ino) == before


def test_a_second_commit_is_another_state(project):
    folder, package = project
    before = code_state(package, folder)
    (package / "app.py").write_text("changed\n")
    git(folder, "commit", "--quiet", "--all", "--message", "two")
    after = code_state(package, folder)
    assert after.sha == git(folder, "rev-parse", "HEAD") != before.sha
    assert not after.dirty


def test_a_checked_out_commit_without_a_branch_is_told_too(project):
    folder, package = project
    git(folder, "checkout", "--quiet", "--detach")
    assert code_state(package, folder).sha == git(folder, "rev-parse", "HEAD")


def change(folder: Path) -> None:
    (folder / "src/package/app.py").write_text("changed\n")


def stage(folder: Path) -> None:
    change(folder)
    git(folder, "add", "--all")


def delete(folder: Path) -> None:
    (folder / "src/package/app.py").unlink()


def add(folder: Path) -> None:
    (folder / "src/package/new.py").touch()


def add_outside_the_package(folder: Path) -> None:
    (folder / "params.yaml").touch()


@pytest.mark.parametrize("meddle", [change, stage, delete, add, add_outside_the_package])
def test_whatever_is_not_committed_makes_it_dirty(project, meddle):
    folder, package = project
    clean = code_state(package, folder)
    meddle(folder)
    assert code_state(package, folder) == CodeState(clean.sha, clean.short_sha, dirty=True)


def test_an_ignored_file_does_not_make_it_dirty(project):
    folder, package = project
    (folder / ".gitignore").write_text("mlflow.db\n")
    git(folder, "add", ".gitignore")
    git(folder, "commit", "--quiet", "--message", "ignore")
    (folder / "mlflow.db").touch()
    assert not code_state(package, folder).dirty


def test_a_folder_that_is_no_repository_has_no_state(tmp_path):
    (tmp_path / "__init__.py").touch()
    assert code_state(tmp_path, tmp_path) == NOTHING


def test_a_repository_before_its_first_commit_has_no_state(tmp_path):
    git(tmp_path, "init", "--quiet")
    (tmp_path / "__init__.py").touch()
    git(tmp_path, "add", "--all")
    assert code_state(tmp_path, tmp_path) == NOTHING


def test_a_folder_that_is_not_there_has_no_state(tmp_path):
    assert code_state(tmp_path / "nowhere", tmp_path / "nowhere") == NOTHING


def test_without_git_there_is_no_state(project, monkeypatch, tmp_path):
    folder, package = project
    monkeypatch.setenv("PATH", str(tmp_path))
    assert code_state(package, folder) == NOTHING


def test_the_repository_of_the_package_counts_not_that_of_the_working_folder(project, tmp_path):
    folder, package = project
    elsewhere = tmp_path / "elsewhere"
    other = repository(elsewhere, "notes.md")
    (elsewhere / "untracked").touch()
    found = code_state(package, elsewhere)
    assert found.sha == git(folder, "rev-parse", "HEAD") != other
    assert not found.dirty


def test_the_working_folder_may_be_no_repository(project, tmp_path):
    folder, package = project
    outside = tmp_path / "outside"
    outside.mkdir()
    assert code_state(package, outside).sha == git(folder, "rev-parse", "HEAD")


@pytest.mark.parametrize("ignored", [True, False])
def test_an_installed_package_is_told_by_the_repository_of_the_working_folder(tmp_path, ignored):
    folder = tmp_path / "work"
    sha = repository(folder, "params.yaml")
    package = folder / ".venv/lib/package"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    if ignored:
        (folder / ".git/info/exclude").write_text(".venv\n")
    assert code_state(package, folder) == CodeState(sha, sha[:7], dirty=not ignored)


def test_a_package_installed_into_a_repository_of_somebody_else_is_not_told_by_it(tmp_path):
    environment = tmp_path / "environment"
    repository(environment, "notes.md")
    (environment / "package").mkdir()
    (environment / "package/__init__.py").touch()
    sha = repository(tmp_path / "work", "params.yaml")
    assert code_state(environment / "package", tmp_path / "work").sha == sha


def test_a_package_that_one_repository_tracks_inside_another_is_told_by_its_own(tmp_path):
    outer = tmp_path / "work"
    repository(outer, "params.yaml")
    inner = repository(outer / "vendor", "package/__init__.py")
    assert code_state(outer / "vendor/package", outer) == CodeState(inner, inner[:7], dirty=False)


def test_a_name_with_spaces_quotes_and_umlauts_is_no_obstacle(tmp_path):
    folder = tmp_path / "mein 'großes' \"Projekt\""
    sha = repository(folder, "package/__init__.py")
    (folder / "Köln.csv").touch()
    assert code_state(folder / "package", folder) == CodeState(sha, sha[:7], dirty=True)


# What is not committed.

NO_DIFF = Diff("", complete=True, redacted=False)
UNKNOWN = Diff("", complete=False, redacted=False)


def contents(folder: Path) -> dict[str, tuple[str, bytes]]:
    """Every file below a folder: what it is, and what it holds."""

    def told(path: Path) -> tuple[str, bytes]:
        if path.is_symlink():
            return "link", str(path.readlink()).encode()
        return ("program" if path.stat().st_mode & stat.S_IXUSR else "file"), path.read_bytes()

    found = [path for path in folder.rglob("*") if path.is_symlink() or path.is_file()]
    inside = {os.fsdecode(os.fsencode(path.relative_to(folder))): path for path in found}
    return {name: told(path) for name, path in inside.items() if not name.startswith(".git/") and name != ".git"}


def restored(folder: Path, text: str, target: Path) -> dict[str, tuple[str, bytes]]:
    """What the commit and the diff give in a folder of their own."""
    with worktree(folder, git(folder, "rev-parse", "HEAD"), target) as checked_out:
        apply_diff(checked_out, text)
        return contents(checked_out)


def changed(folder: Path) -> None:
    (folder / "src/package/app.py").write_text("one\ntwo\n")


def changed_twice(folder: Path) -> None:
    stage(folder)
    (folder / "src/package/app.py").write_text("# project\nthen this\n")


def new_and_staged(folder: Path) -> None:
    (folder / "src/package/staged.py").write_text("staged\n")
    git(folder, "add", "--all")
    (folder / "src/package/staged.py").write_text("staged\nthen this\n")


def staged_but_gone(folder: Path) -> None:
    new_and_staged(folder)
    (folder / "src/package/staged.py").unlink()


def new(folder: Path) -> None:
    (folder / "new folder/deep").mkdir(parents=True)
    (folder / "new folder/deep/new.py").write_text("import os\n\n\nprint(os.name)\n")
    (folder / "empty").touch()


def renamed(folder: Path) -> None:
    (folder / "src/package/app.py").rename(folder / "src/package/main.py")


def programs_and_links(folder: Path) -> None:
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    (folder / "README.md").chmod(0o755)
    (folder / "link").symlink_to("src/package")


def file_into_link(folder: Path) -> None:
    (folder / "README.md").unlink()
    (folder / "README.md").symlink_to("src/package/app.py")


def odd_lines(folder: Path) -> None:
    (folder / "windows.txt").write_bytes(b"one\r\ntwo\r\n")
    (folder / "mixed.txt").write_bytes(b"one\r\ntwo\rthree\n\n \t\n four \nno end")
    (folder / "src/package/app.py").write_bytes(b"# project\r\n")
    (folder / "separators.txt").write_bytes("one\u2028two\x0cthree\x85four\n".encode())


def odd_names(folder: Path) -> None:
    names = ["Köln 'x' \"y\".csv", "*.py", ":(top)x", "a\nb", "-rf", "back\\slash", "#x", " ", "[a]b?"]
    for name in [*names, os.fsdecode(b"M\xfcnchen")]:
        (folder / name).write_bytes(os.fsencode(name) + b"\n")


def other_encodings(folder: Path) -> None:
    (folder / "latin.csv").write_bytes("München;1\n".encode("latin-1") * 3)
    (folder / "wide.csv").write_bytes("München;1\n".encode("utf-16"))
    (folder / "marked.csv").write_bytes("München;1\n".encode("utf-8-sig"))


def binary(folder: Path) -> None:
    (folder / "model.bin").write_bytes(random.Random(1).randbytes(3000))
    (folder / "src/package/app.py").write_bytes(bytes(range(256)))


def renamed_among_binaries(folder: Path) -> None:
    renamed(folder)
    (folder / "model.bin").write_bytes(bytes(range(256)))


def settings_of_somebody(folder: Path) -> None:
    (folder / "src/package/app.py").write_text("".join(f"{number}\n" for number in range(20)))
    git(folder, "commit", "--quiet", "--all", "--message", "twenty lines")
    (folder / "src/package/app.py").write_text("".join(f"{number}\n" for number in range(20) if number != 10))
    (folder / "new.txt").write_text("one  \n")
    (folder / os.fsdecode(b"M\xfcnchen")).write_text("one\n")
    settings = {"diff.noprefix": "true", "diff.mnemonicPrefix": "true", "color.ui": "always", "diff.external": "false"}
    settings |= {
        "diff.context": "0",
        "apply.whitespace": "error-all",
        "diff.renames": "copies",
        "core.quotePath": "false",
    }
    for name, value in settings.items():
        git(folder, "config", name, value)


CHANGES = [changed, delete, changed_twice, new_and_staged, staged_but_gone, new, renamed, programs_and_links]
CHANGES += [file_into_link, odd_lines, odd_names, other_encodings, binary, renamed_among_binaries, settings_of_somebody]


@pytest.mark.parametrize("meddle", CHANGES)
def test_commit_and_diff_restore_every_file_exactly(project, tmp_path, meddle):
    folder, package = project
    meddle(folder)
    found = uncommitted_diff(package, folder)
    assert found.complete
    assert not found.redacted
    assert restored(folder, found.text, tmp_path / "target") == contents(folder)


def test_the_diff_may_be_stored_as_a_file(project, tmp_path):
    folder, package = project
    for meddle in (odd_lines, other_encodings, binary):
        meddle(folder)
    (tmp_path / "stored").write_bytes(uncommitted_diff(package, folder).text.encode())
    text = (tmp_path / "stored").read_bytes().decode()
    assert restored(folder, text, tmp_path / "target") == contents(folder)


def test_all_changes_at_once_are_restored_from_a_folder_below(project, tmp_path):
    folder, package = project
    for meddle in (new, odd_names, programs_and_links, other_encodings, binary):
        meddle(folder)
    found = uncommitted_diff(package, folder / "new folder")
    assert found.complete
    assert restored(folder, found.text, tmp_path / "target") == contents(folder)


def test_a_diff_reads_like_a_diff(project):
    folder, package = project
    (folder / "src/package/app.py").write_text("# project\nx = 1\n")
    (folder / "new.py").write_text("y = 2\n")
    assert [line for line in uncommitted_diff(package, folder).text.splitlines() if not line.startswith("index ")] == [
        "diff --git a/new.py b/new.py",
        "new file mode 100644",
        "--- /dev/null",
        "+++ b/new.py",
        "@@ -0,0 +1 @@",
        "+y = 2",
        "diff --git a/src/package/app.py b/src/package/app.py",
        "--- a/src/package/app.py",
        "+++ b/src/package/app.py",
        "@@ -1 +1,2 @@",
        " # project",
        "+x = 1",
    ]


def test_what_is_clean_has_an_empty_diff(project):
    folder, package = project
    assert uncommitted_diff(package, folder) == NO_DIFF


def test_what_matchclf_writes_itself_and_what_is_ignored_is_not_in_the_diff(project):
    folder, package = project
    for name in ("data/processed/a.csv", "multirun/1/a.log", "mlartifacts/1/a", "mlflow.db", "mlflow.db-wal"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("a\n")
    (folder / ".git/info/exclude").write_text("*.secret\n")
    (folder / "a.secret").write_text("a\n")
    (folder / "data/large.csv").write_text("1\n" * MAX_DIFF_BYTES)
    assert uncommitted_diff(package, folder) == NO_DIFF
    git(folder, "add", "data/processed/a.csv")
    assert uncommitted_diff(package, folder) == NO_DIFF
    (folder / "src/data").mkdir()
    (folder / "src/data/code.py").write_text("a\n")
    assert "src/data/code.py" in uncommitted_diff(package, folder).text


def test_asking_for_the_diff_changes_nothing_in_the_repository(project):
    folder, package = project
    for meddle in (new_and_staged, new, binary):
        meddle(folder)
    git(folder, "status")
    before = {path: path.read_bytes() for path in (folder / ".git").rglob("*") if path.is_file()}
    assert uncommitted_diff(package, folder).text
    assert {path: path.read_bytes() for path in (folder / ".git").rglob("*") if path.is_file()} == before


def test_without_a_commit_the_diff_is_unknown(tmp_path, project, monkeypatch):
    (tmp_path / "outside").mkdir()
    assert uncommitted_diff(tmp_path / "outside", tmp_path / "outside") == UNKNOWN
    git(tmp_path / "outside", "init", "--quiet")
    (tmp_path / "outside/__init__.py").touch()
    assert uncommitted_diff(tmp_path / "outside", tmp_path / "outside") == UNKNOWN
    monkeypatch.setenv("PATH", str(tmp_path))
    folder, package = project
    assert uncommitted_diff(package, folder) == UNKNOWN


def test_a_large_new_file_is_left_out_and_the_code_is_kept(project, tmp_path):
    folder, package = project
    new(folder)
    everything_else = contents(folder)
    (folder / "a large.csv").write_text("1\n" * MAX_DIFF_BYTES)
    found = uncommitted_diff(package, folder)
    assert not found.complete
    assert restored(folder, found.text, tmp_path / "target") == everything_else


def test_many_new_files_are_kept_up_to_the_limit(project):
    folder, package = project
    for number in range(30):
        (folder / f"{number}.csv").write_text(f"{number}\n" * (20_000 + number))
    found = uncommitted_diff(package, folder)
    assert not found.complete
    assert MAX_DIFF_BYTES / 2 < len(found.text) <= MAX_DIFF_BYTES
    assert "a/0.csv" in found.text
    assert "a/29.csv" not in found.text


def test_a_large_change_is_left_out_and_the_others_are_kept(project, tmp_path):
    folder, package = project
    before = contents(folder)["src/package/app.py"]
    new(folder)
    (folder / "src/package/app.py").write_text("1\n" * MAX_DIFF_BYTES)
    found = uncommitted_diff(package, folder)
    assert not found.complete
    assert restored(folder, found.text, tmp_path / "target") == contents(folder) | {"src/package/app.py": before}


@pytest.mark.parametrize("setting", ["diff.submodule=short", "diff.submodule=log", "diff.ignoreSubmodules=dirty"])
def test_a_repository_inside_is_not_complete(project, setting):
    folder, package = project
    git(folder, "config", *setting.split("="))
    repository(folder / "vendor", "a.py")
    assert uncommitted_diff(package, folder) == UNKNOWN
    git(folder, "add", "vendor")
    git(folder, "commit", "--quiet", "--message", "vendor")
    assert uncommitted_diff(package, folder) == NO_DIFF
    (folder / "vendor/a.py").write_text("changed\n")
    assert uncommitted_diff(package, folder) == UNKNOWN
    git(folder / "vendor", "commit", "--quiet", "--all", "--message", "two")
    assert uncommitted_diff(package, folder) == UNKNOWN


def test_a_repository_without_a_commit_inside_does_not_hide_other_files(project):
    folder, package = project
    (folder / "vendor").mkdir()
    git(folder / "vendor", "init", "--quiet")
    (folder / "vendor/a.py").touch()
    new(folder)
    found = uncommitted_diff(package, folder)
    assert not found.complete
    assert "deep/new.py" in found.text


def test_secrets_in_a_diff_are_masked_and_told(project, tmp_path, monkeypatch):
    folder, package = project
    monkeypatch.setenv("A_TOKEN", "x7Kq2Zr9Wm4Lb8Tn")
    (folder / "settings.env").write_text("AWS_SECRET_ACCESS_KEY=hunter2hunter2\nROUNDS=3\n")
    (folder / "src/package/app.py").write_text("# project\nadd('x7Kq2Zr9Wm4Lb8Tn')\n")
    found = uncommitted_diff(package, folder)
    assert found.complete
    assert found.redacted
    assert "hunter2" not in found.text
    assert "x7Kq2Zr9Wm4Lb8Tn" not in found.text
    assert restored(folder, found.text, tmp_path / "target") == contents(folder) | {
        "settings.env": ("file", b"AWS_SECRET_ACCESS_KEY=***\nROUNDS=3\n"),
        "src/package/app.py": ("file", b"# project\nadd('***')\n"),
    }


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_a_binary_file_with_a_secret_is_left_out(project, tmp_path, encoding):
    folder, package = project
    changed(folder)
    everything_else = contents(folder)
    (folder / "settings.ini").write_bytes("; München\npassword = hunter2\n".encode(encoding))
    found = uncommitted_diff(package, folder)
    assert (found.complete, found.redacted) == (False, False)
    assert restored(folder, found.text, tmp_path / "target") == everything_else


def test_a_binary_file_that_held_a_secret_is_left_out(project):
    folder, package = project
    (folder / "settings.ini").write_bytes("; München\npassword = hunter2\n".encode("latin-1"))
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "secret")
    (folder / "settings.ini").unlink()
    assert uncommitted_diff(package, folder) == UNKNOWN


# The repository, and the way back.


def test_the_repository_is_that_of_the_package_else_that_of_the_working_folder(project, tmp_path):
    folder, package = project
    other = tmp_path / "other"
    repository(other, "notes.md")
    (other / "deep").mkdir()
    assert repository_of(package, other) == folder
    assert repository_of(tmp_path, other / "deep") == other
    assert repository_of(tmp_path, tmp_path) is None


def test_a_worktree_holds_the_commit_and_is_gone_afterwards(project, tmp_path):
    folder, _ = project
    first, before = git(folder, "rev-parse", "HEAD"), contents(folder)
    changed(folder)
    git(folder, "commit", "--quiet", "--all", "--message", "two")
    second, refs = git(folder, "rev-parse", "HEAD"), git(folder, "show-ref")
    (folder / "src/package/app.py").write_text("moved on\n")
    target = tmp_path / "deep" / "target"
    for sha in (first, first[:9]):
        with worktree(folder, sha, target) as checked_out:
            assert checked_out == target
            assert contents(target) == before
            assert code_state(target / "src/package", target).sha == first
            assert git(target, "rev-parse", "--abbrev-ref", "HEAD") == "HEAD"
        assert not target.exists()
    assert git(folder, "worktree", "list").count("\n") == 0
    assert git(folder, "rev-parse", "HEAD") == second
    assert git(folder, "show-ref") == refs
    assert (folder / "src/package/app.py").read_text() == "moved on\n"


def test_a_worktree_is_gone_even_when_it_was_changed_locked_or_removed(project, tmp_path):
    folder, _ = project
    sha, target = git(folder, "rev-parse", "HEAD"), tmp_path / "target"

    def stop(meddle) -> None:
        meddle()
        raise KeyboardInterrupt

    def leave_behind() -> None:
        new(target)
        delete(target)
        git(folder, "worktree", "lock", str(target))

    for meddle in (leave_behind, lambda: shutil.rmtree(target), lambda: (target / ".git").unlink()):
        with pytest.raises(KeyboardInterrupt), worktree(folder, sha, target):
            stop(meddle)
        assert not target.exists()
        assert git(folder, "worktree", "list").count("\n") == 0


def test_two_worktrees_of_one_commit_stand_side_by_side(project, tmp_path):
    folder, _ = project
    sha = git(folder, "rev-parse", "HEAD")
    with worktree(folder, sha, tmp_path / "one/target"):
        with worktree(folder, sha, tmp_path / "two/target"):
            pass
        assert (tmp_path / "one/target/README.md").exists()


def test_a_worktree_runs_no_hooks(project, tmp_path):
    folder, _ = project
    hook = folder / ".git/hooks/post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/hooked\n")
    hook.chmod(0o755)
    with worktree(folder, git(folder, "rev-parse", "HEAD"), tmp_path / "target"):
        pass
    assert not (tmp_path / "hooked").exists()


def test_an_environment_of_a_git_hook_does_not_lead_elsewhere(project, tmp_path, monkeypatch):
    folder, package = project
    other = tmp_path / "other"
    repository(other, "notes.md")
    changed(folder)
    sha = git(folder, "rev-parse", "HEAD")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git/index"))
    text = uncommitted_diff(package, folder).text
    assert text.count("diff --git") == 1
    with worktree(folder, sha, tmp_path / "target") as target:
        apply_diff(target, text)
        assert contents(target) == contents(folder)


@pytest.mark.parametrize("sha", ["0123456789abcdef0123456789abcdef01234567", "none", "--all", ""])
def test_a_commit_that_is_not_there_is_told_with_what_may_help(project, tmp_path, sha):
    folder, _ = project
    with pytest.raises(SourceError) as problem, worktree(folder, sha, tmp_path / "target"):
        pass
    assert str(problem.value) == f"The commit {sha} is not in {folder}; if it was pushed, `git fetch` may bring it."
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize("what", ["folder", "file"])
def test_a_target_with_something_in_it_is_refused_and_kept(project, tmp_path, what):
    folder, _ = project
    target, sha = tmp_path / "target", git(folder, "rev-parse", "HEAD")
    if what == "folder":
        target.mkdir()
    mine = target / "mine" if what == "folder" else target
    mine.write_text("mine\n")
    with pytest.raises(SourceError) as problem, worktree(folder, sha, target):
        pass
    assert str(problem.value) == f"{target} is not empty; the commit {sha} needs a folder of its own."
    assert mine.read_text() == "mine\n"


def test_an_empty_target_and_a_checked_out_branch_will_do(project, tmp_path):
    folder, _ = project
    (tmp_path / "target").mkdir()
    with worktree(folder, git(folder, "branch", "--show-current"), tmp_path / "target") as target:
        assert (target / "README.md").exists()


def test_a_commit_that_cannot_be_checked_out_is_told_and_leaves_nothing(project, tmp_path):
    folder, _ = project
    blob = git(folder, "rev-parse", "HEAD:README.md")
    (folder / ".git/objects" / blob[:2] / blob[2:]).unlink()
    expected = r"^The commit HEAD cannot be checked out into /.*target: .*\.$"
    with pytest.raises(SourceError, match=expected), worktree(folder, "HEAD", tmp_path / "target"):
        pass
    assert not (tmp_path / "target").exists()
    assert git(folder, "worktree", "list").count("\n") == 0


def test_a_diff_that_does_not_fit_changes_nothing(project, tmp_path):
    folder, package = project
    new(folder)
    changed(folder)
    text = uncommitted_diff(package, folder).text
    git(folder, "commit", "--quiet", "--all", "--message", "two")
    before = contents(folder)
    with pytest.raises(SourceError) as problem, worktree(folder, "HEAD", tmp_path / "target") as target:
        apply_diff(target, text)
    assert str(problem.value).startswith(f"The stored diff does not fit the code in {tmp_path / 'target'}: ")
    assert str(problem.value).endswith(" patch does not apply.")
    assert contents(folder) == before


@pytest.mark.parametrize("name", ["../outside.py", "link/outside.py", ".git/hooks/post-checkout"])
def test_a_diff_writes_nothing_outside_of_the_code(project, tmp_path, name):
    folder, _ = project
    (tmp_path / "elsewhere").mkdir()
    (folder / "link").symlink_to(tmp_path / "elsewhere")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "link")
    text = f"diff --git a/{name} b/{name}\nnew file mode 100644\n--- /dev/null\n+++ b/{name}\n@@ -0,0 +1 @@\n+x\n"
    refused = pytest.raises(SourceError, match=r"^The stored diff does not fit the code in ")
    with worktree(folder, "HEAD", tmp_path / "target") as target, refused:
        apply_diff(target, text)
    assert not list(tmp_path.rglob("outside.py"))


def test_an_empty_diff_is_applied_without_git(tmp_path):
    apply_diff(tmp_path / "nowhere", "")
