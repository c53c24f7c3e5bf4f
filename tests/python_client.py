"""In place of the Python interpreter: ``-m MODULE ARGUMENT...`` is run by the fork server beside it."""

import json
import os
import socket
import sys
from pathlib import Path


def main():
    """Have the server run it with our output, and end as it ends."""
    _, _, module, *arguments = sys.argv
    request = {"module": module, "arguments": arguments, "cwd": str(Path.cwd()), "env": dict(os.environ)}
    request |= {"python": sys.argv[0], "deaf": False, "trace": None, "code": ""}
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(Path(sys.argv[0]).with_name("socket")))
        socket.send_fds(connection, [json.dumps(request).encode()], [1, 2])
        _pid, code = connection.makefile().read().split()
    sys.exit(int(code))


if __name__ == "__main__":
    main()
