import json
import os
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from matchclf.tracking.owner import BOOT, HOST, LEASE, MACHINE, PID, SEEN, STARTED, deciding, is_alive, owner_tags

SAY = "from matchclf.tracking.owner import owner_tags; import json; print(json.dumps(owner_tags()), flush=True)"


@pytest.fixture
def other():
    """The tags of another process that lives."""
    command = [sys.executable, "-c", f"{SAY}; input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process, json.loads(process.stdout.readline())
        process.kill()


def ended():
    done = subprocess.run([sys.executable, "-c", SAY], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_this_process_lives():
    assert owner_tags()[PID] == str(os.getpid())
    assert is_alive(owner_tags())


def test_another_process_lives_until_it_is_killed_and_leaves_a_lease_that_nobody_holds(other):
    process, tags = other
    assert is_alive(tags)
    process.kill()
    process.wait()
    assert not is_alive(tags)
    assert Path(tags[LEASE]).is_file()


def test_a_process_that_ended_does_not_live_and_leaves_no_lease():
    tags = ended()
    assert not is_alive(tags)
    assert not Path(tags[LEASE]).exists()


def test_a_held_lease_says_more_than_a_process_id():
    assert is_alive({**owner_tags(), PID: "999999999", STARTED: "1"})


def test_where_no_lease_can_be_seen_the_process_id_and_its_start_tell(other):
    _, tags = other
    unseen = {**tags, LEASE: "/nowhere/1.lease"}
    assert is_alive(unseen)
    assert not is_alive({**unseen, STARTED: "1"})
    assert not is_alive({**unseen, PID: "999999999"})


def test_nothing_lives_across_a_reboot():
    assert not is_alive({**owner_tags(), BOOT: "00000000-0000-0000-0000-000000000000"})


@pytest.mark.parametrize("where", [{HOST: f"not-{socket.gethostname()}"}, {MACHINE: "another"}])
def test_a_process_of_another_machine_lives_as_long_as_it_is_heard_of(where):
    def heard(**ago):
        return is_alive({**ended(), **where, SEEN: (datetime.now(UTC) - timedelta(**ago)).isoformat()})

    assert heard(minutes=59)
    assert not heard(minutes=61)


def test_a_run_without_an_owner_does_not_live():
    assert not is_alive({})


def test_one_process_at_a_time_decides():
    command = [sys.executable, "-c", "from matchclf.tracking.owner import deciding\nwith deciding(): print('decided')"]
    with deciding():
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        time.sleep(1)
        assert process.poll() is None
    assert process.communicate(timeout=30)[0] == "decided\n"
