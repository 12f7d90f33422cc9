"""The clock: it rings when something is due, frees the leases of the dead, and leaves those of the living alone."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from customs.config import read_settings
from customs.container import Services
from customs.declarations.models import Push
from customs.declarations.states import Action
from customs.jobs.leases import dead_holders, machine, this_holder
from customs.jobs.wakeup import QUEUE, WorkerNotifier
from customs.ops.standalone import redis_binary, redis_command
from tests import make
from tests.product import Desk
from workers import clock


@pytest.fixture
def redis(services: Services, tmp_path: Path) -> Iterator[WorkerNotifier]:
    """A real Redis where these services look for one."""
    command = redis_command(tmp_path / "nobody.sock")
    with subprocess.Popen(command, executable=redis_binary(), stdout=subprocess.DEVNULL) as server:
        for _ in range(200):
            if services.notifier.is_available():
                break
            threading.Event().wait(0.02)
        yield services.notifier
        server.terminate()


@pytest.fixture(scope="session")
def dead() -> str:
    """The name of a process of this machine that is gone."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    return f"{machine()}:{gone.pid}"


def lease(desk: Desk, declaration_id: str, holder: str) -> None:
    """Let this holder have sent the push a moment ago, for a minute."""
    desk.send(desk.claim())
    with desk.services.transaction() as db:
        until = desk.now + timedelta(minutes=1)
        db.execute(update(Push).where(Push.declaration_id == declaration_id).values(holder=holder, lease_until=until))


def test_nothing_due_rings_nobody(services: Services, redis: WorkerNotifier):
    assert clock.tick(services) is False
    assert redis.redis.llen(f"rq:queue:{QUEUE}") == 0


def test_something_due_rings_once_however_often_it_looks(services: Services, desk: Desk, redis: WorkerNotifier):
    desk.declare()

    rang = [clock.tick(services) for _ in range(3)]

    assert rang == [True, True, True]
    assert redis.redis.llen(f"rq:queue:{QUEUE}") == 1


def test_what_is_claimed_or_not_yet_due_rings_nobody(services: Services, desk: Desk, redis: WorkerNotifier):
    desk.declare()
    desk.claim()

    assert clock.tick(services) is False


def test_while_redis_is_away_it_goes_on(services: Services, desk: Desk):
    desk.declare()

    assert clock.tick(services) is False


def test_the_leases_of_a_dead_worker_are_freed_and_what_it_had_sent_is_asked_for(
    services: Services, desk: Desk, dead: str
):
    declaration_id = desk.declare()
    lease(desk, declaration_id, dead)

    clock.tick(services)

    push = desk.push(declaration_id)
    assert (push.holder, push.in_doubt) == (None, Action.SUBMIT)
    desk.wait(seconds=1)
    assert [task.action for task in desk.claim()] == [Action.QUERY]


@pytest.mark.parametrize(
    "holder", [this_holder(), f"{machine()}:1", f"another-machine:{os.getpid()}"], ids=["this", "init", "elsewhere"]
)
def test_the_leases_of_the_living_and_of_other_machines_stay(services: Services, desk: Desk, holder: str):
    declaration_id = desk.declare()
    lease(desk, declaration_id, holder)
    before = desk.push(declaration_id).lease_until

    clock.tick(services)

    assert (desk.push(declaration_id).holder, desk.push(declaration_id).lease_until) == (holder, before)


def test_only_the_dead_of_this_machine_are_dead(dead: str):
    elsewhere = dead.replace(machine(), "elsewhere")

    assert dead_holders([dead, this_holder(), elsewhere]) == [dead]


def test_it_survives_a_database_that_is_away_and_stops_when_told(tmp_path: Path):
    away = {"CUSTOMS_HOME": str(tmp_path), "CUSTOMS_DATABASE_URL": f"sqlite:///{tmp_path}/nowhere/customs.db"}
    services, stopping = Services(read_settings(make.SECRETS | away)), threading.Event()

    running = threading.Thread(target=clock.run, args=(services, stopping))
    running.start()
    stopping.wait(0.2)
    was_alive = running.is_alive()
    stopping.set()
    running.join(5)

    assert (was_alive, running.is_alive()) == (True, False)
