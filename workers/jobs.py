"""The one job: drain what is due. It carries no data; the database says what there is to do."""

import os
import signal
import threading
import time
from functools import cache
from typing import Any

from customs.crash_points import CrashPoints
from customs.desks import Owned
from customs.engine import Engine
from customs.settings import read_settings
from customs.wiring import Services

DRAIN_SECONDS = 30.0

stopping = threading.Event()
# Why this process ends, where somebody has to do something about it.
refusals: list[str] = []


@cache
def services() -> Services:
    """This process's services, made at the first job."""
    crash_at = os.environ.get(CrashPoints.VARIABLE, "")
    return Services(read_settings(), crash_at, pings=False, on_mismatch=refuse)


def refuse(sentence: str) -> None:
    """End this process, for the database is another program's: what it would write there would be wrong."""
    refusals.append(sentence)
    stopping.set()
    # RQ hears signals only.
    os.kill(os.getpid(), signal.SIGTERM)


@cache
def engine() -> Engine[Owned, Any]:
    return Engine(services().desks, services().settings.gateway_concurrency)


def drain() -> int:
    """Work for some 30 seconds, or until nothing is due; ring for a colleague when there is more than one can hold."""
    ends_at = time.monotonic() + DRAIN_SECONDS
    ring = services().doorbell.ring
    recorded = engine().drain(DRAIN_SECONDS, stopping.is_set, on_backlog=ring)
    if time.monotonic() >= ends_at:
        ring()
    return recorded
