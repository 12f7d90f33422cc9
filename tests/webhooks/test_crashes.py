"""A worker that dies loses no event, and what it repeats has the same id."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from customs.events.outbox import EventType
from customs.jobs.failpoints import EXIT_CODE
from customs.webhooks.models import DeliveryState
from tests import make
from tests.conftest import SIGNING_KEY
from tests.webhooks.courier import Courier
from tests.webhooks.receiver import Receiver
from workers import clock

ROOT = Path(__file__).parents[2]
# What a worker does that dies at a point; it stands on nothing of the tests.
DOOMED = """
import sys
from customs.jobs.dispatcher import Dispatcher
from customs.config import read_settings
from customs.container import Services
services = Services(read_settings(), sys.argv[1])
Dispatcher(services.delivery_handler, 4).drain(10.0)
"""
# Each point, the how-manyth passage of it matters, and how often the event had left by then.
POINTS = {
    "webhook_fan_out_before_commit": (1, 0),
    "webhook_claim_before_commit": (1, 0),
    "webhook_call_before_send": (1, 0),
    "webhook_call_after_reply": (1, 1),
    "webhook_record_before_commit": (2, 1),
}


@pytest.mark.parametrize("point", POINTS)
def test_what_a_dead_worker_did_not_record_is_sent_again_with_the_same_id(
    courier: Courier, receiver: Receiver, database_url: str, tmp_path: Path, point: str
):
    endpoint_id = courier.listen(receiver.url)
    courier.announce(EventType.PAYMENT_PAID)
    passage, left = POINTS[point]
    environment = {
        "PATH": os.environ["PATH"],
        "CUSTOMS_HOME": str(tmp_path),
        "CUSTOMS_DATABASE_URL": database_url,
        "CUSTOMS_REDIS_URL": f"unix://{tmp_path}/nobody.sock",
        "WISECASHIER_BASE_URL": "http://127.0.0.1:9",
        "WISECASHIER_PRIVATE_KEY_FILE": str(SIGNING_KEY),
        "CUSTOMS_SANDBOX": "1",
        **make.SECRETS,
    }
    command = [sys.executable, "-c", DOOMED, f"{point}:{passage}"]
    doomed = subprocess.run(command, env=environment, cwd=ROOT, timeout=30, check=False)
    left_by_then = len(receiver.heard)

    clock.tick(courier.services)
    courier.deliver()

    assert doomed.returncode == EXIT_CODE
    assert left_by_then == left
    assert len(receiver.heard) == left + 1
    assert {one.id for one in receiver.heard} == {courier.announced()[0].id}
    assert courier.delivery(endpoint_id).state is DeliveryState.DELIVERED
