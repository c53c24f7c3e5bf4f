"""Every block of commands in the pages of docs/ is run, in the order of its page, as a reader would."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import program

PAGES = {page.stem: page for page in sorted((program.ROOT / "docs").glob("*.md"))}
# What needs Docker, hours or a cluster is shown as text there, and looked at by tests of its own.
NOT_RUN = {"scaling", "speed", "team-server"}
BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(name):
    return BLOCK.findall(PAGES[name].read_text())


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(PAGES.keys() - NOT_RUN))
def test_the_commands_of_a_page_run_in_a_row(name, tmp_path):
    assert blocks(name)
    project = tmp_path / "project"
    project.mkdir()
    for part in ("src", "conf", "tests", "params.yaml", "pyproject.toml"):
        whole = program.ROOT / part
        (shutil.copytree if whole.is_dir() else shutil.copy)(whole, project / part)
    git = ["git", "-c", "user.name=reader", "-c", "user.email=reader@example.org"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "The project"]):
        subprocess.run([*git, *command], cwd=project, check=True)
    activated = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    env = program.environment(PYTHONPATH=str(project / "src"), PATH=activated)
    script = "set -eux\n" + "".join(blocks(name))
    done = subprocess.run(["bash", "-c", script], cwd=project, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_pages_name_files_and_pages_that_are_there(page):
    text = page.read_text()
    linked = [link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in link]
    named = re.findall(r"`((?:src|conf|tests|benchmarks|docs)/[\w./]+\.\w+)`", text)
    made = set(re.findall(r"^cat >>? (\S+)", text, re.MULTILINE))
    missing = [link for link in linked if not (page.parent / link).exists()]
    missing += [name for name in named if not (program.ROOT / name).exists() and name not in made]
    assert missing == []
