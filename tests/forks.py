"""Ask a process that has imported everything to fork for a command: see ``fork_server.py``."""

import json
import socket
import stat
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def served(folder, environment):
    """The address of such a server."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("fork_server.py")), str(folder / "socket")],
        env=environment(MLFLOW_DISABLE_TELEMETRY="true", **threads),
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout.readline() == "ready\n"
        yield folder / "socket"
        process.stdin.close()


def interpreter(folder):
    """A program in place of Python, which has what is run by it started by the server in this folder."""
    python = folder / "python"
    python.write_text(f"#!{sys.executable} -SE\n{Path(__file__).with_name('python_client.py').read_text()}")
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    return python


def start(address, request, out, err):
    """Start what is requested; its process id, and a connection that tells its exit code."""
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(address))
    socket.send_fds(connection, [json.dumps(request).encode()], [out.fileno(), err.fileno()])
    pid = b""
    while not pid.endswith(b"\n"):
        pid += connection.recv(1)
    return int(pid), connection
