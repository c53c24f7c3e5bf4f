"""Real MLflow servers on loopback."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import closing, contextmanager, suppress

import program

OPTIONS = ("--host", "127.0.0.1", "--workers", "1")


def free_port():
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def start(folder, port=None, command=None, options=None, **more):
    """A server with its database and files in a folder, or with other options, and its address once it answers."""
    port = port or free_port()
    where = ("--backend-store-uri", f"sqlite:///{folder}/server.db", "--artifacts-destination", f"{folder}/artifacts")
    command = [
        *(command or (sys.executable, "-m", "mlflow", "server", *(options or where))),
        *OPTIONS,
        "--port",
        str(port),
    ]
    env = program.environment(MLFLOW_DISABLE_TELEMETRY="true", MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false", **more)
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=log, start_new_session=True)
    address = f"http://127.0.0.1:{port}"
    for _ in range(1200):
        assert server.poll() is None, (folder / "server.log").read_text()
        with suppress(OSError), urllib.request.urlopen(f"{address}/health", timeout=5) as answer:
            assert answer.status == 200
            return server, address
        time.sleep(0.1)
    raise TimeoutError(address)


def stop(server, number=signal.SIGTERM):
    """End a server and the processes it started."""
    with suppress(ProcessLookupError):
        os.killpg(server.pid, number)
    server.wait(timeout=30)


@contextmanager
def mlflow_server(folder, port=None, command=None, **more):
    """The address of a server while the block runs."""
    server, address = start(folder, port, command, **more)
    try:
        yield address
    finally:
        stop(server)
