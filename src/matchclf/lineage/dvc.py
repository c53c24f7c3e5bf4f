"""What DVC tells a process that it runs, read from the environment without importing DVC."""

import os
from dataclasses import dataclass
from pathlib import Path

NONE = "none"


def experiment_name() -> str:
    """Name of the DVC experiment that runs this process, ``none`` outside one."""
    return os.environ.get("DVC_EXP_NAME") or NONE


@dataclass(frozen=True)
class Recorded:
    """The MD5 that DVC recorded for a file, and the file that says so."""

    md5: str
    where: Path


def recorded_md5(path: Path, project: Path) -> Recorded | None:
    """The MD5 that DVC recorded for a file of the project; None when it tracks none."""
    return None
