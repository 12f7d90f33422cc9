"""Redis wakes workers and is no way to run anything: whatever a queue names, a worker drains."""

from pathlib import Path

import pytest
from rq import Callback, Queue
from rq.serializers import JSONSerializer

from customs.jobs.wakeup import QUEUE
from tests import make
from tests.journeys.conftest import gateway, small  # noqa: F401
from tests.journeys.deployment import Deployment
from tests.journeys.processes import wait_until


@pytest.fixture
def either_database(sqlite_url: str) -> str:
    return sqlite_url


def test_a_job_that_names_other_code_drains_and_runs_none_of_it(small: Deployment, tmp_path: Path) -> None:  # noqa: F811
    row = make.declaration_row()
    made, called = tmp_path / "made", tmp_path / "called"
    small.start_redis()
    small.hand_in(row)
    queue = Queue(QUEUE, connection=small.services.notifier.redis, serializer=JSONSerializer)
    queue.enqueue("os.mkdir", str(made), on_success=Callback("pathlib.Path.home"), result_ttl=60)
    queue.enqueue("no.such.module", str(called), on_failure=Callback("os.getpid"))

    small.start("worker")
    wait_until(lambda: small.state_of(row) == "SUCCESS", "the worker drained")
    wait_until(lambda: queue.count == 0, "the queue is empty")

    assert not made.exists()
