import subprocess
from pathlib import Path

import pytest

from matchclf.lineage.git import CodeState, code_state

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
