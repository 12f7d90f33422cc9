"""The server that tests throw away: nothing of it is left, however whoever started it ends."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.journeys.processes import wait_until

HOLDING = """
from tests.postgresql import temporary_postgresql
with temporary_postgresql("fsync=off") as url:
    print(url, flush=True)
    input()
"""
ROOT = Path(__file__).parents[1]


@pytest.mark.usefixtures("cluster")
def test_a_run_that_is_killed_leaves_no_server_behind():
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDING], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    folder = Path(str(make_url(holder.stdout.readline().strip()).query["host"]))
    server = int((folder / "data" / "postmaster.pid").read_text().split()[0])

    holder.kill()
    holder.communicate()

    wait_until(lambda: not Path(f"/proc/{server}").exists() and not folder.exists(), "server and files are gone")
