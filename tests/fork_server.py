"""A process that has imported everything once and forks for each command: a start takes a fraction of a second.

What it runs are processes like any other, with a session, a working folder, an environment and signals of their own.
``python fork_server.py SOCKET`` listens until its standard input ends. A request is one JSON object, with the
descriptors of standard output and error; the answers are the process id, and when the process has ended, its status.
"""

import gc
import json
import os
import runpy
import select
import signal
import socket
import sys
import threading
from importlib import import_module
from pathlib import Path

MODULES = (
    "matchclf.app",
    "matchclf.search",
    "matchclf.tracking.verify",
    "matchclf.plots.search",
    "matchclf.plots.final",
    "matchclf.data.synthetic",
    "matchclf.data.table",
    "matchclf.data.s3.download",
    "hydra_plugins.matchclf_sweeper.sweeper",
    "hydra_plugins.hydra_joblib_launcher.joblib_launcher",
    "hydra._internal.core_plugins.bash_completion",
    "hydra._internal.core_plugins.basic_launcher",
    "hydra._internal.core_plugins.basic_sweeper",
    "hydra._internal.core_plugins.file_config_source",
    "hydra._internal.core_plugins.fish_completion",
    "hydra._internal.core_plugins.importlib_resources_config_source",
    "hydra._internal.core_plugins.structured_config_source",
    "hydra._internal.core_plugins.zsh_completion",
    "matplotlib.backends.backend_agg",
    "mlflow.pyfunc",
    "mlflow.sklearn",
    "mlflow.store.artifact.local_artifact_repo",
    "mlflow.store.model_registry.sqlalchemy_workspace_store",
    "mlflow.store.tracking.sqlalchemy_workspace_store",
    "mlflow.utils.requirements_utils",
    "optuna.importance",
    "sklearn.calibration",
    "sklearn.ensemble",
    "sklearn.impute",
    "sklearn.linear_model",
    "skops.io",
    "boto3.session",
    "narwhals.stable.v2",
    "pyarrow.pandas_compat",
    "pandas.io.formats.csvs",
    "sqlalchemy.dialects.sqlite",
    "matchclf.features.elo",
    "matchclf.features.form",
    "matchclf.features.h2h",
    "matchclf.features.rest",
)
WRITES = os.O_WRONLY | os.O_RDWR


def main():
    """Serve until standard input ends, alone with it: no thread, no store and no lock is there to be inherited."""
    from matchclf.stages import STAGES

    for name in (*MODULES, *(stage.module for stage in STAGES.values())):
        import_module(name)
    assert threading.active_count() == 1
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(sys.argv[1])
        listener.listen(64)
        print("ready", flush=True)
        while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
            connection, _ = listener.accept()
            with connection:
                if os.fork() == 0:
                    listener.close()
                    _mind(connection)


def _mind(connection):
    """Start the command, tell its process id, wait for it, tell how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    text, descriptors, _, _ = socket.recv_fds(connection, 1 << 20, 2)
    pid = os.fork()
    if pid == 0:
        connection.close()
        _become(json.loads(text), descriptors)
    connection.sendall(f"{pid}\n".encode())
    _, status = os.waitpid(pid, 0)
    connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def _become(request, descriptors):
    os.setsid()
    for number, descriptor in enumerate(descriptors, 1):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    sys.executable = request["python"]
    sys.argv = ["matchclf", *request["arguments"]]
    signal.signal(signal.SIGINT, signal.SIG_IGN if request["deaf"] else signal.default_int_handler)
    if request["trace"]:
        _watch(*request["trace"])
    if request["code"]:
        exec(request["code"], {})
    # It ends as an interpreter does: what is raised goes up and out.
    runpy.run_module(request["module"], run_name="__main__", alter_sys=True)
    sys.exit()


def _watch(trace, at, number):
    """Tell of each change of a file or a database, one a line, right before it.

    ``at`` is the beginning of a line and a count: before so many such changes the process gets a signal.
    """
    import pyarrow.parquet
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    told = os.open(trace, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    seen = iter(range(1, 1 << 30))

    def tell(what):
        if ".lease" in what:  # how many others left differs from time to time
            return
        os.write(told, f"{what}\n".encode())
        if at and what.startswith(at[0]) and next(seen) == at[1]:
            os.kill(os.getpid(), number)

    def audit(happening, arguments):
        written = happening == "open" and isinstance(arguments[0], str) and (arguments[2] or 0) & WRITES
        if written or happening in ("os.rename", "os.remove"):
            tell(f"{happening} {arguments[0]}")

    def execute(_connection, _cursor, statement, *_):
        if not statement.lstrip().startswith(("SELECT", "PRAGMA")):
            tell("sql " + " ".join(statement.split()[:3]))

    pyarrow.parquet.write_table = _in_halves(pyarrow.parquet.write_table, 1, tell)
    Path.write_text = _in_halves(Path.write_text, 0, tell)
    event.listen(Engine, "before_cursor_execute", execute)
    event.listen(Engine, "commit", lambda _connection: tell("commit"))
    sys.addaudithook(audit)


def _in_halves(write, place, tell):
    """The same function, told of when half of the file is written that its argument at this place names."""

    def written(*arguments, **more):
        done, path = write(*arguments, **more), Path(arguments[place])
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        tell(f"half of {path}")
        path.write_bytes(whole)
        return done

    return written


if __name__ == "__main__":
    main()
