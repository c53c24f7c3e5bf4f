"""What lies in a folder of a bucket, as far as it can lie in a folder here."""

from matchclf.data.s3.connect import Store
from matchclf.data.s3.location import key_fault
from matchclf.data.s3.problems import translating
from matchclf.errors import SourceError

MAX_OBJECTS = 100_000


def list_keys(store: Store, page_size: int) -> list[str]:
    """Keys of the match files below the location's folder, sorted; hidden names do not count.

    Raises SourceError when there are none, more than ``MAX_OBJECTS``, or names that no folder can have, and when two
    lists of them differ.
    """
    from matchclf.data.table import SUFFIXES

    where, keys = store.location, _listed(store, page_size)
    # A list has no checksum, and what it leaves out is taken for deleted.
    if _listed(store, page_size) != keys:
        raise SourceError(f"{where} changed while its objects were listed, or an answer was damaged. Run again.")
    chosen = [key for key in keys if key.lower().endswith(SUFFIXES) and not _hidden(key.removeprefix(where.key))]
    if not chosen:
        raise SourceError(f"{where} holds {len(keys):,} objects, none that ends in {', '.join(SUFFIXES)}.")
    _check_names(store, chosen)
    return sorted(chosen)


def _listed(store: Store, page_size: int) -> list[str]:
    where, keys = store.location, []
    with translating(where, where.key):
        pages = store.client.get_paginator("list_objects_v2").paginate(
            Bucket=where.bucket, Prefix=where.key, PaginationConfig={"PageSize": page_size}
        )
        for page in pages:
            keys += [one["Key"] for one in page.get("Contents", ())]
            if len(keys) > MAX_OBJECTS:
                raise SourceError(f"{where} holds more than {MAX_OBJECTS:,} objects. Name a folder with fewer.")
    return keys


def _hidden(name: str) -> bool:
    return any(part.startswith(".") and part not in (".", "..") for part in name.split("/"))


def _check_names(store: Store, keys: list[str]) -> None:
    names = set(keys)
    for key in keys:
        parts = key.split("/")
        above = {"/".join(parts[:end]) for end in range(1, len(parts))}
        fault = "is also the folder of another object" if above & names else key_fault(key)
        if fault:
            found = store.location.name_of(sorted(above & names)[0] if above & names else key)
            raise SourceError(
                f"{found!r} {fault}, so it cannot be stored as a file. Rename it, or name another folder."
            )
