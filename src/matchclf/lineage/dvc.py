"""What DVC tells a process that it runs, read from the environment without importing DVC."""

import os

NONE = "none"


def experiment_name() -> str:
    """Name of the DVC experiment that runs this process, ``none`` outside one."""
    return os.environ.get("DVC_EXP_NAME") or NONE
