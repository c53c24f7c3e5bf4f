"""What several workers of a test run share: made by the first that needs it, while the others wait."""

import os
import shutil

from matchclf.files import locked, read_json, write_json


def once(factory, name, make):
    """A folder of this name, and what ``make(folder)`` told when it was filled: a JSON object."""
    root = factory.getbasetemp()
    root = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root
    folder, told = root / name, root / f"{name}.json"
    with locked(told):
        if not told.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            write_json(make(folder), told)
    return folder, read_json(told)
