"""Real repositories of git and DVC in a temporary folder."""

import os
import subprocess
import sys
from pathlib import Path

import program


def environment(folder):
    """The environment of a user whose own settings of git and DVC play no part."""
    outside = folder.parent / f"{folder.name}-settings"
    people = {f"GIT_{role}_{what}": "somebody" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return program.environment(
        DVC_NO_ANALYTICS="1",
        DVC_SITE_CACHE_DIR=str(outside),
        DVC_GLOBAL_CONFIG_DIR=str(outside),
        DVC_SYSTEM_CONFIG_DIR=str(outside),
        GIT_CONFIG_GLOBAL=os.devnull,
        GIT_CONFIG_NOSYSTEM="1",
        PATH=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        **people,
    )


def call(*command, cwd, **more):
    """The output of a command that must end well, both streams together."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=environment(cwd) | more,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}"
    return done.stdout


def git(folder, *arguments):
    return call("git", *arguments, cwd=folder)


def dvc(folder, *arguments, **more):
    return call(sys.executable, "-m", "dvc", *arguments, cwd=folder, **more)


def initialise(folder):
    """Put a folder under git and DVC; nothing is committed yet."""
    git(folder, "init", "--quiet", "--initial-branch=main")
    dvc(folder, "init", "--quiet")


def commit(folder, message):
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)
