"""Nothing fails because it cannot be told: full disks, closed pipes, consoles without the letters."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import requests

from customs.ops.supervisor import free_port
from tests.journeys.gateway import clean_environ
from tests.journeys.processes import wait_until

# What a process that serves does with its words, whatever becomes of them.
SAYS = """
import sys
from customs import logging_setup
logging_setup.steady_streams()
logging_setup.configure("info")
import structlog
structlog.get_logger().info("somebody asked", name="李雷 😀 \\udcff")
print("said to stderr", file=sys.stderr, flush=True)
print("订购人 ✓", flush=True)
sys.exit(7)
"""


def full(_: Path) -> int:
    return os.open("/dev/full", os.O_WRONLY)


def closed_pipe(_: Path) -> int:
    reading, writing = os.pipe()
    os.close(reading)
    return writing


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a disk that is always full")
@pytest.mark.parametrize("sink", [full, closed_pipe])
def test_a_process_goes_on_when_nobody_can_be_told(sink: Callable[[Path], int], tmp_path: Path):
    shown = subprocess.run(
        [sys.executable, "-c", SAYS], stdout=subprocess.PIPE, stderr=sink(tmp_path), env=clean_environ(), check=False
    )

    assert (shown.returncode, shown.stdout.decode()) == (7, "订购人 ✓\n")


@pytest.mark.parametrize("encoding", ["ascii", "gbk"])
def test_a_console_without_the_letters_shows_their_numbers(encoding: str):
    environ = clean_environ() | {"PYTHONIOENCODING": encoding}

    shown = subprocess.run([sys.executable, "-c", SAYS], capture_output=True, env=environ, check=False)

    line = json.loads(shown.stderr.decode(encoding).splitlines()[0])
    assert shown.returncode == 7
    assert line["name"] == "李雷 😀 \udcff"
    assert "\\u2713" in shown.stdout.decode(encoding)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a disk that is always full")
def test_a_command_whose_words_do_not_arrive_ends_with_a_sentence(tmp_path: Path):
    command = [sys.executable, "-m", "customs", "db", "upgrade"]
    environ = clean_environ() | {"CUSTOMS_HOME": str(tmp_path)}

    shown = subprocess.run(command, stdout=full(tmp_path), stderr=subprocess.PIPE, env=environ, check=False)

    assert (shown.returncode, shown.stderr.decode()) == (
        1,
        "what this command has to say cannot be written: No space left on device\n",
    )


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a disk that is always full")
def test_the_web_answers_when_its_log_is_full(tmp_path: Path):
    port = free_port(0)
    command = [sys.executable, "-m", "customs", "web", "--port", str(port)]
    environ = clean_environ() | {"CUSTOMS_HOME": str(tmp_path)}

    with subprocess.Popen(command, env=environ, stdout=full(tmp_path), stderr=full(tmp_path)) as web:
        try:
            statuses: list[int] = []

            def answers() -> bool:
                with suppress(requests.ConnectionError):
                    # Its database has no table: the answer is an error, which is logged.
                    key = {"Authorization": "Bearer ck_test_x"}
                    statuses.append(requests.get(f"http://127.0.0.1:{port}/api/v1/batches", headers=key).status_code)
                return bool(statuses)

            wait_until(answers, "the API answers")
        finally:
            web.terminate()

    assert statuses == [503]
