"""A Redis that answers and refuses to work: the work goes on, it is said once, and the worker goes back in the end."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis

from customs.db import database
from customs.jobs.process_registry import Kind, running
from customs.jobs.wakeup import QUEUE, connect
from customs.ops import doctor
from tests import make
from tests.journeys.deployment import Deployment
from tests.journeys.gateway import SandboxGateway
from tests.journeys.processes import Process, wait_until

# Generous: leaving takes one wait for a bell, going back a quarter of a minute.
SECONDS = 90.0
# A line when it begins, one now and then while it lasts, whatever else a worker says of its work.
MOST_LINES = 12


class Crew:
    """One worker and one clock behind one Redis, for all the ways in which that refuses."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.redis_process = deployment.start_redis()
        self.redis = Redis(unix_socket_path=str(deployment.socket))
        self.worker = deployment.start("worker")
        deployment.start("clock")
        wait_until(self.is_behind_the_queue, "the worker waits behind the queue", SECONDS)

    def trouble(self) -> str | None:
        """What the worker says of itself in the database."""
        with self.deployment.services.reading() as db:
            workers = running(db, database.now(db))[Kind.WORKER]
        return workers[0].trouble if workers else "none runs"

    def is_behind_the_queue(self) -> bool:
        return self.trouble() is None and bool(self.redis.exists("rq:workers"))

    def is_declared(self) -> bool:
        """Whether what is handed in now comes to its end."""
        row = make.declaration_row()
        self.deployment.hand_in(row)
        self.deployment.wait_until_drained(SECONDS)
        return self.deployment.state_of(row) == "SUCCESS"


@pytest.fixture(scope="module")
def crew(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory, gateway: SandboxGateway) -> Iterator[Crew]:
    home = tmp_path_factory.mktemp("refuses")
    file = home / "customs.db"
    file.write_bytes(migrated_file.read_bytes())
    with Deployment(home, f"sqlite:///{file}", gateway) as deployment:
        yield Crew(deployment)


def full(redis: Redis) -> None:
    redis.config_set("maxmemory", "1")


def with_room(redis: Redis) -> None:
    redis.config_set("maxmemory", "0")


def replica(redis: Redis) -> None:
    redis.replicaof("127.0.0.1", "1")


def primary(redis: Redis) -> None:
    redis.replicaof("no", "one")


def without_rights(redis: Redis) -> None:
    """Nobody may put anything into a list: every bell is lost, and waiting for one goes well."""
    redis.execute_command("ACL", "SETUSER", "default", "-rpush", "-lpush")


def with_rights(redis: Redis) -> None:
    redis.execute_command("ACL", "SETUSER", "default", "+@all")


def of_another_kind(redis: Redis) -> None:
    """Where RQ keeps what was taken from the queue lies something else."""
    redis.set(f"rq:queue:{QUEUE}:intermediate", "in the way")


def of_its_kind(redis: Redis) -> None:
    redis.delete(f"rq:queue:{QUEUE}:intermediate")


WAYS: dict[str, tuple[Callable[[Redis], None], Callable[[Redis], None]]] = {
    "full": (full, with_room),
    "read-only": (replica, primary),
    "no rights": (without_rights, with_rights),
    "another kind of key": (of_another_kind, of_its_kind),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_work_goes_on_while_it_refuses_and_the_worker_goes_back_when_it_works(crew: Crew, way: str) -> None:
    refuse, mend = WAYS[way]
    lines = len(crew.worker.log.read_text().splitlines())

    refuse(crew.redis)
    try:
        goes_on = crew.is_declared()
        wait_until(lambda: crew.trouble() is not None, "the worker says that it looks for work by itself", SECONDS)
        shown = [one for one in doctor.run_checks(crew.deployment.services, thoroughly=False) if one.part == "workers"]
    finally:
        mend(crew.redis)
    wait_until(crew.is_behind_the_queue, "the worker waits behind the queue again", SECONDS)

    assert goes_on
    assert [one.verdict for one in shown] == ["ok", "note"]
    assert len(crew.worker.log.read_text().splitlines()) - lines <= MOST_LINES
    assert crew.is_declared()


def test_a_redis_that_hangs_is_left_alone_and_keeps_nobody_waiting(crew: Crew) -> None:
    crew.redis_process.signal(signal.SIGSTOP)
    try:
        goes_on = crew.is_declared()
        trouble = crew.deployment.services.notifier.trouble()
    finally:
        crew.redis_process.signal(signal.SIGCONT)
    wait_until(crew.is_behind_the_queue, "the worker waits behind the queue again", SECONDS)

    assert goes_on
    assert trouble is not None


def test_who_asks_whether_it_works_leaves_nothing_behind(crew: Crew) -> None:
    notifier = crew.deployment.services.notifier
    known = {key for key in connect(notifier.redis_url).keys("*") if b"probe" in key}

    assert (notifier.trouble(), known) == (None, set())


def test_a_process_that_ends_takes_its_sign_of_life_back(crew: Crew) -> None:
    second: Process = crew.deployment.start("worker")
    wait_until(lambda: workers(crew) == 2, "the second worker is seen", SECONDS)

    second.signal(signal.SIGTERM)

    assert second.exit_code(SECONDS) == 0
    assert workers(crew) == 1


def workers(crew: Crew) -> int:
    with crew.deployment.services.reading() as db:
        return len(running(db, database.now(db))[Kind.WORKER])
