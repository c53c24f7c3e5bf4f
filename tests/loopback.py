"""No way out of this machine: what a process of the tests does with sockets is refused unless it stays on loopback.

Python calls an audit hook before it connects a socket, looks up a name or opens a port. A hook cannot be removed, and
every Python process started from a guarded one is guarded too: its PYTHONPATH gets the guard's folder, in which
``sitecustomize.py`` is run at every start. What is refused is also written down, as the exception may be caught.
"""

import os
import shutil
import sys
from collections.abc import Callable, MutableMapping
from functools import partial
from pathlib import Path
from typing import Any

# The copy that guards, under a name that a test's own ``sitecustomize.py`` can import: Python runs only the first.
MODULE = "sitecustomize_of_tests"
FILE = "refused"
ADDRESSES = ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.bind")
NAMES = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo")


class OutsideError(RuntimeError):
    """Not an OSError, which libraries take for a bad moment of the network and try again."""


def guard(folder: Path) -> None:
    """Guard this process and all that it starts from now on; ``folder`` is new."""
    folder.mkdir(parents=True)
    shutil.copy(__file__, folder / f"{MODULE}.py")
    (folder / "sitecustomize.py").write_text(f"import {MODULE}\n")
    _inherit(str(folder), os.environ)
    sys.addaudithook(partial(_watch, str(folder)))


def refused(folder: Path) -> list[str]:
    """What was refused since this was asked last, one line each."""
    try:
        (folder / FILE).rename(folder / "told")
    except FileNotFoundError:
        return []
    return (folder / "told").read_text().splitlines()


def _watch(folder: str, event: str, arguments: tuple[Any, ...]) -> None:
    if event == "subprocess.Popen":
        _inherit(folder, arguments[3])
    elif event in ADDRESSES:
        endpoint, address = arguments
        if endpoint.family.name in ("AF_INET", "AF_INET6") and address is not None:
            _refuse_unless(_is_loopback, folder, event, address[0])
    elif event in NAMES:
        name = arguments[0][0] if event == "socket.getnameinfo" else arguments[0]
        _refuse_unless(_is_own_name, folder, event, name)


def _inherit(folder: str, env: MutableMapping[str, str] | None) -> None:
    if env is not None:
        paths = env.get("PYTHONPATH", "").split(os.pathsep)
        env["PYTHONPATH"] = os.pathsep.join(filter(None, ["" if folder in paths else folder, *paths]))


def _refuse_unless(allowed: Callable[[str], bool], folder: str, event: str, host: str | bytes | None) -> None:
    text = host.decode() if isinstance(host, bytes) else host
    if text is None or allowed(text):
        return
    told = f"{event} {text or 'any address'} by {' '.join(sys.orig_argv)[:300]!r}"
    descriptor = os.open(f"{folder}/{FILE}", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, f"{told}\n".encode())
    os.close(descriptor)
    raise OutsideError(told)


def _is_own_name(host: str) -> bool:
    return host in ("", "localhost") or _is_loopback(host)


def _is_loopback(host: str) -> bool:
    import ipaddress

    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


if __name__ == MODULE:
    sys.addaudithook(partial(_watch, str(Path(__file__).parent)))
