"""A connection to the server: credentials from the usual AWS chain, bounded waiting, nothing secret in the log."""

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from matchclf.data.s3.location import Location, check_endpoint
from matchclf.data.s3.problems import translating
from matchclf.errors import SourceError

CONNECT_SECONDS, READ_SECONDS, REACH_SECONDS = 5, 20, 8
ATTEMPTS = 3
WORKERS = 8


@dataclass(frozen=True)
class Store:
    """A client of the server that holds a location; it can be used by several threads at once."""

    client: Any
    location: Location


@contextmanager
def connect(location: Location) -> Iterator[Store]:
    """Open a client for the block; raises SourceError when the server cannot be reached or there are no credentials."""
    _keep_quiet()
    with translating(location, location.key):
        client = _client(location)
    with closing(client):
        check_endpoint(client.meta.endpoint_url, "The endpoint_url in the AWS settings")
        _check_reachable(location, client.meta.endpoint_url)
        yield Store(client, location)


def _client(location: Location) -> Any:
    from boto3.session import Session
    from botocore.config import Config

    bounds = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        max_pool_connections=WORKERS,
    )
    client = Session().client("s3", endpoint_url=location.endpoint_url, region_name=location.region, config=bounds)
    client.meta.events.register("before-call.s3.HeadBucket", _ask_once)
    return client


def _ask_once(context: dict[str, Any], **_: Any) -> None:
    # boto3 looks for the region of a redirecting server by a request that it would redirect as well, without end.
    context.setdefault("s3_redirect", {})["redirected"] = True


def _keep_quiet() -> None:
    # At level DEBUG they write signatures and session tokens; urllib3.connection tells of cut answers, as we do.
    levels = {"boto3": logging.WARNING, "botocore": logging.WARNING, "urllib3": logging.WARNING}
    for name, level in (levels | {"urllib3.connection": logging.ERROR}).items():
        logger = logging.getLogger(name)
        logger.setLevel(max(level, logger.level))


def _check_reachable(location: Location, endpoint: str) -> None:
    """One attempt to connect, bounded as a whole: boto3 waits anew for each address of a host and in each attempt."""
    from botocore.utils import get_environ_proxies

    parts = urlsplit(endpoint)
    proxy = get_environ_proxies(endpoint).get(parts.scheme)
    if proxy:
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    reached = threading.Event()
    knocking = threading.Thread(target=_knock, args=(parts.hostname, port, reached), daemon=True)
    knocking.start()
    knocking.join(REACH_SECONDS)
    if not reached.is_set():
        role = "the proxy" if proxy else "the server"
        raise SourceError(
            f"{location}: {role} {parts.hostname}:{port} cannot be reached. Check data.endpoint_url and the network."
        )


def _knock(host: str, port: int, reached: threading.Event) -> None:
    with suppress(OSError, ValueError), socket.create_connection((host, port), CONNECT_SECONDS):
        reached.set()
