"""Processes are killed in the middle of a batch; whatever was acknowledged ends as it should, within seconds."""

from pathlib import Path

import pytest

from customs.declarations.models import Push
from customs.declarations.states import State
from customs.jobs.process_registry import list_processes
from tests import make
from tests.journeys.deployment import Deployment
from tests.journeys.gateway import SandboxGateway
from tests.journeys.processes import Process, wait_until

SLOW = "DELAY-REPLY-"
# Longer than anybody waits here: what a dead worker held is freed because the clock sees that it is gone.
LEASE = {"CUSTOMS_LEASE_SECONDS": "3600"}
# So few threads that one worker does not reserve all there is.
FEW = {"CUSTOMS_GATEWAY_CONCURRENCY": "2"}


@pytest.fixture
def deployment(database_url: str, tmp_path: Path, gateway: SandboxGateway) -> Deployment:
    return Deployment(tmp_path, database_url, gateway, **LEASE, **FEW)


def rows_of_a_batch(count: int) -> list[dict[str, object]]:
    prefixes = ("O", SLOW, "DROP-REPLY-", "RESET-")
    return [make.declaration_row(out_order_no=make.number(prefixes[i % len(prefixes)])) for i in range(count)]


def test_what_a_killed_worker_held_is_done_by_its_colleague(deployment: Deployment) -> None:
    rows = rows_of_a_batch(32)
    with deployment:
        workers = [deployment.start("worker") for _ in range(2)]
        deployment.start("clock")
        wait_until(lambda: all(is_up(deployment, worker) for worker in workers), "both workers are up")
        deployment.hand_in(*rows)
        wait_until(lambda: all(holds(deployment, worker) for worker in workers), "both workers hold something")

        workers[0].kill()
        deployment.wait_until_drained()

        assert {deployment.state_of(row) for row in rows} == {"SUCCESS"}
        assert deployment.broken_promises() == []


def test_a_redis_that_is_emptied_and_killed_takes_nothing_with_it(deployment: Deployment) -> None:
    rows = rows_of_a_batch(32)
    with deployment:
        redis = deployment.start_redis()
        deployment.start("worker")
        deployment.start("clock")
        deployment.hand_in(*rows)
        wait_until(lambda: deployment.count(Push.attempts > 0) > 0, "the batch is under way")

        deployment.empty_redis()
        wait_until(lambda: deployment.count(Push.state == State.SUCCESS) > 0, "something is SUCCESS")
        redis.kill()
        more = rows_of_a_batch(8)
        deployment.hand_in(*more)
        deployment.wait_until_drained()
        back = deployment.start_redis()
        again = make.declaration_row()
        deployment.hand_in(again)
        deployment.wait_until_drained()

        assert back.runs
        assert {deployment.state_of(row) for row in [*rows, *more, again]} == {"SUCCESS"}
        assert deployment.broken_promises() == []


def test_a_batch_is_stored_by_the_time_it_is_acknowledged(deployment: Deployment) -> None:
    rows = [make.declaration_row() for _ in range(5)]
    with deployment:
        web, url = deployment.start_web()
        erp = deployment.erp(url)

        erp.hand_in(*rows)
        web.kill()
        deployment.start("worker")
        deployment.wait_until_drained()

        assert deployment.broken_promises() == []
        assert {deployment.state_of(row) for row in rows} == {"SUCCESS"}


def is_up(deployment: Deployment, worker: Process) -> bool:
    with deployment.services.reading() as db:
        return any(one.pid == worker.pid for one in list_processes(db))


def holds(deployment: Deployment, worker: Process) -> bool:
    return deployment.count(Push.holder.endswith(f":{worker.pid}")) > 0
