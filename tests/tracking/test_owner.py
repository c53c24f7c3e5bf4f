import os
import socket
import subprocess
import sys

from matchclf.tracking.owner import HOST, PID, STARTED, is_alive, owner_tags


def test_this_process_lives():
    assert owner_tags()[PID] == str(os.getpid())
    assert is_alive(owner_tags())


def test_a_process_that_ended_does_not_live():
    code = "from matchclf.tracking.owner import owner_tags; import json; print(json.dumps(owner_tags()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not is_alive(__import__("json").loads(done.stdout))


def test_another_process_with_the_same_id_is_another():
    assert not is_alive({**owner_tags(), STARTED: "1"})


def test_a_process_of_another_host_cannot_be_told_and_is_taken_to_live():
    assert is_alive({**owner_tags(), HOST: f"not-{socket.gethostname()}"})


def test_a_run_without_an_owner_does_not_live():
    assert not is_alive({})
