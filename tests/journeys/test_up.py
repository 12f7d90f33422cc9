"""`customs up` on a bare machine: a taken port is avoided, the printed key works, and nothing is left behind."""

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import make
from tests.journeys.erp import Erp
from tests.journeys.gateway import clean_environ
from tests.journeys.processes import Process, started, wait_until

READY = "Ctrl-C stops everything."


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


@pytest.fixture
def up(taken_port: int, tmp_path: Path) -> Iterator[Process]:
    """`customs up` from a fresh home, once it has said that it is ready."""
    environ = clean_environ() | {"CUSTOMS_HOME": str(tmp_path / "home"), "CUSTOMS_POLL_SECONDS": "0.3"}
    command = [sys.executable, "-m", "customs", "up", "--no-demo", "--workers", "1", "--port", str(taken_port)]
    with started(command, environ, tmp_path / "up.log") as process:
        wait_until(lambda: READY in process.log.read_text(), "the desk is up")
        yield process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=lambda number: number.name)
def test_it_declares_a_batch_and_is_gone_without_a_trace(
    up: Process, taken_port: int, number: signal.Signals, tmp_path: Path
) -> None:
    shown = up.log.read_text()
    url, key = printed("desk", shown), printed("API key", shown)
    erp = Erp(url, key)
    family = descendants(up.pid)

    batch = erp.wait(erp.hand_in(make.declaration_row(), make.declaration_row("alipay", office="SHENZHEN")))
    titles = {title(pid) for pid in family}
    listed = batches_listed(shown, tmp_path)
    created = {path: path.stat().st_mode for path in (tmp_path / "home").rglob("*")}
    up.signal(number)
    ended = up.exit_code()

    assert batch["state"] == "DONE"
    assert batch["id"] in listed
    assert {path for path, mode in created.items() if mode & 0o077} == set()
    assert {"customs.db-wal", "agent_private.pem", "audit_anchors", "web.log"} <= {path.name for path in created}
    assert f":{taken_port}" not in url
    assert f"login     admin / {(tmp_path / 'home' / 'admin_password').read_text()} " in shown
    assert {"customs web", "customs worker", "customs clock", "customs sandbox"} <= titles
    assert any(shown.startswith("redis-server") for shown in titles)
    assert ended == (0 if number is signal.SIGINT else -signal.SIGKILL)
    wait_until(lambda: not any(map(runs, family)), "all its children are gone")


def batches_listed(shown: str, folder: Path) -> str:
    """What the command says that was shown for another terminal, which is in another folder."""
    (command,) = re.findall(r"^CUSTOMS_HOME=.* status$", shown, re.MULTILINE)
    environ = clean_environ() | {"COLUMNS": "200"}
    return subprocess.run(
        command, shell=True, cwd=folder, env=environ, capture_output=True, text=True, check=True
    ).stdout


def printed(name: str, shown: str) -> str:
    found = re.search(rf"{name} +(\w\S+)", shown)
    assert found, shown
    return found[1]


def descendants(pid: int) -> list[int]:
    """Every process below this one."""
    children = [int(word) for word in shell("ps", "-o", "pid=", "--ppid", str(pid)).split()]
    return [*children, *(below for child in children for below in descendants(child))]


def title(pid: int) -> str:
    return shell("ps", "-o", "args=", "-p", str(pid)).strip()


def runs(pid: int) -> bool:
    state = shell("ps", "-o", "stat=", "-p", str(pid)).strip()
    return bool(state) and not state.startswith("Z")


def shell(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout
