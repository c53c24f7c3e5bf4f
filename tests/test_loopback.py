"""The guard around the tests: it refuses and writes down every way out of this machine."""

import multiprocessing
import os
import socket
import subprocess
import sys
from contextlib import closing, suppress

import pytest

import loopback
import program

# Addresses and a domain that are kept for documentation: nobody has them.
OUTSIDE, NAME = "192.0.2.1", "matches.example"
CALL_OUT = f"""
import socket
try:
    socket.create_connection(("{OUTSIDE}", 80), 1)
except Exception:
    print("refused")
"""
IN_A_CHILD = f"""
import subprocess, sys
print(subprocess.run([sys.executable, "-c", {CALL_OUT!r}], env=dict(PYTHONPATH=""), capture_output=True).stdout)
"""


@pytest.fixture
def told(guard):
    """What was refused in this test so far, which is then no fault of it: event and host."""
    return lambda: [" ".join(line.split()[:2]) for line in loopback.refused(guard)]


def udp():
    return closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))


def send():
    with udp() as one:
        one.sendto(b"", (OUTSIDE, 9))


def listen():
    with udp() as one:
        one.bind(("", 0))


@pytest.mark.parametrize(
    ("act", "line"),
    [
        (lambda: socket.create_connection((OUTSIDE, 80), 1), f"socket.getaddrinfo {OUTSIDE}"),
        (lambda: socket.create_connection((NAME, 443), 1), f"socket.getaddrinfo {NAME}"),
        (lambda: socket.create_connection(("127.example", 443), 1), "socket.getaddrinfo 127.example"),
        (lambda: socket.gethostbyname(NAME), f"socket.gethostbyname {NAME}"),
        (lambda: socket.gethostbyaddr(OUTSIDE), f"socket.gethostbyaddr {OUTSIDE}"),
        (lambda: socket.getnameinfo((OUTSIDE, 80), 0), f"socket.getnameinfo {OUTSIDE}"),
        (send, f"socket.sendto {OUTSIDE}"),
        (listen, "socket.bind any"),
    ],
)
def test_every_way_out_is_refused_and_written_down(act, line, told):
    with pytest.raises(loopback.OutsideError, match=r" by '.*python"):
        act()
    assert told() == [line]


def test_a_socket_that_is_connected_by_hand_is_refused_too(told):
    for family, address in ((socket.AF_INET, OUTSIDE), (socket.AF_INET6, "2001:db8::1")):
        with closing(socket.socket(family)) as one, pytest.raises(loopback.OutsideError):
            one.connect((address, 80))
        assert told() == [f"socket.connect {address}"]


def test_loopback_and_sockets_of_this_machine_are_free(told, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        for host in ("127.0.0.1", "localhost"):
            socket.create_connection((host, server.getsockname()[1]), 1).close()
    with closing(socket.socket(socket.AF_UNIX)) as server, closing(socket.socket(socket.AF_UNIX)) as one:
        server.bind(str(tmp_path / "socket"))
        server.listen()
        one.connect(str(tmp_path / "socket"))
    assert socket.gethostbyaddr("127.0.0.1")[0] == "localhost"
    assert told() == []


@pytest.mark.parametrize(
    ("code", "env"),
    [
        (CALL_OUT, {}),
        (CALL_OUT, {"PYTHONPATH": "/somewhere"}),
        (IN_A_CHILD, {}),
        ("import os\nos.execv(sys.executable, [sys.executable, '-c', CALL_OUT])", {}),
    ],
)
def test_a_process_of_a_test_is_guarded_whatever_its_environment(code, env, told):
    code = f"import sys\nCALL_OUT = {CALL_OUT!r}\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", code], env=program.environment(**env), capture_output=True, text=True, check=True
    )
    assert "refused" in done.stdout, done
    assert told() == [f"socket.getaddrinfo {OUTSIDE}"]


def test_a_process_with_code_of_a_test_before_it_is_guarded(told, tmp_path):
    env = program.environment(**program.hooked(tmp_path / "hook", "print('hooked')"))
    done = subprocess.run([sys.executable, "-c", CALL_OUT], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["hooked", "refused"]
    assert told() == [f"socket.getaddrinfo {OUTSIDE}"]


@pytest.mark.parametrize("way", ["fork", "spawn"])
def test_a_process_of_multiprocessing_is_guarded(way, told):
    process = multiprocessing.get_context(way).Process(target=socket.gethostbyname, args=(NAME,))
    with suppress(OSError):
        process.start()
        process.join(60)
    assert process.exitcode == 1
    assert told() == [f"socket.gethostbyname {NAME}"]


def test_a_test_that_calls_out_fails_although_nobody_sees_it(tmp_path):
    tests = tmp_path / "tests"
    tests.mkdir()
    for name in ("conftest.py", "forks.py", "loopback.py", "program.py", "s3_server.py", "shared.py"):
        (tests / name).symlink_to(program.ROOT / "tests" / name)
    (tests / "test_one.py").write_text(
        f"import subprocess, sys\n\n\ndef test_one():\n"
        f"    subprocess.run([sys.executable, '-c', {CALL_OUT!r}], env=dict())\n\n\ndef test_two():\n    pass\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", tests]
    command += ["-o", f"pythonpath={tests}", "--import-mode=importlib", tests]
    env = program.environment()
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert "2 passed, 1 error" in done.stdout, done
    assert "ERROR at teardown of test_one" in done.stdout
    assert f"socket.getaddrinfo {OUTSIDE} by " in done.stdout
