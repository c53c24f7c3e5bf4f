"""Is it the right content: compared with what the server knows of it, as far as it knows something for certain."""

import base64
import hashlib
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from matchclf.data.s3.connect import Store
from matchclf.data.s3.objects import CHUNK, Head, part_size
from matchclf.errors import SourceError

OF_PARTS = re.compile(r"[A-Za-z0-9+/]+=*-([1-9][0-9]{0,4})")
ALGORITHMS = ("crc32", "sha1", "sha256")


def check_content(store: Store, known: Head, path: Path, md5: str) -> list[str]:
    """Compare a downloaded file with the object's MD5 and with the checksums of its parts; names what was compared.

    The ETag of an object that was uploaded in parts is no hash of its content and is not used. Raises SourceError.
    """
    if known.md5 and md5 != known.md5:
        raise _damaged(store, known)
    compared = ["md5"] if known.md5 else []
    for algorithm, told in known.checksums.items():
        if algorithm in ALGORITHMS and OF_PARTS.fullmatch(told) and _compare_parts(store, known, path, algorithm):
            compared.append(f"{algorithm} of parts")
    return compared


def hashes(chunks: Iterable[bytes]) -> tuple[str, str, int]:
    """SHA-256 and MD5 in hex, and the number of bytes."""
    sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    for chunk in chunks:
        sha256.update(chunk)
        md5.update(chunk)
        size += len(chunk)
    return sha256.hexdigest(), md5.hexdigest(), size


def chunks_of(path: Path) -> Iterator[bytes]:
    """A file's bytes."""
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            yield chunk


def checksum_of_parts(path: Path, sizes: Iterable[int], algorithm: str) -> str:
    """Checksum of the parts' checksums in base64 and the number of parts, as S3 keeps it of an upload in parts."""
    with path.open("rb") as stream:
        parts = [_checksum(_part(stream, size), algorithm) for size in sizes]
    return f"{base64.b64encode(_checksum([b''.join(parts)], algorithm)).decode()}-{len(parts)}"


def _compare_parts(store: Store, known: Head, path: Path, algorithm: str) -> bool:
    """Whether the server tells where the parts end, so that their checksum says something; raises when it differs."""
    told = known.checksums[algorithm]
    count = int(told.rsplit("-")[-1])
    first = part_size(store, known, 1)
    # Uploads have parts of one size but for the last: one question is enough, unless the answer does not fit.
    sizes = [first] * (count - 1) + [known.size - first * (count - 1)]
    if sizes[-1] > 0 and checksum_of_parts(path, sizes, algorithm) == told:
        return True
    sizes = [first, *(part_size(store, known, number) for number in range(2, count + 1))]
    if sum(sizes) != known.size:
        return False
    if checksum_of_parts(path, sizes, algorithm) != told:
        raise _damaged(store, known)
    return True


def _part(stream: BinaryIO, size: int) -> Iterator[bytes]:
    left = size
    while chunk := stream.read(min(CHUNK, left)):
        left -= len(chunk)
        yield chunk


def _checksum(chunks: Iterable[bytes], algorithm: str) -> bytes:
    if algorithm == "crc32":
        value = 0
        for chunk in chunks:
            value = zlib.crc32(chunk, value)
        return value.to_bytes(4, "big")
    hasher = hashlib.new(algorithm, usedforsecurity=False)
    for chunk in chunks:
        hasher.update(chunk)
    return hasher.digest()


def _damaged(store: Store, known: Head) -> SourceError:
    place = store.location.name_of(known.key)
    return SourceError(f"{place} came with another content than the server has. Run again; the copy here is kept.")
