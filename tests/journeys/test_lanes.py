"""A lane that the gateway turned away stops, keeps its work, and goes on when a person resumes it."""

import subprocess
import sys

from customs.declarations.models import Push
from customs.lanes.models import Lane
from customs.ops.standalone import keep_key_pair
from tests import make
from tests.journeys.deployment import Deployment
from tests.journeys.processes import wait_until


def test_a_wrong_key_stops_the_lane_and_with_the_right_one_the_work_is_done(small: Deployment) -> None:
    keep_key_pair(small.home, "wrong")
    rows = [make.declaration_row() for _ in range(6)]
    small.hand_in(*rows)
    worker = small.start("worker", WISECASHIER_PRIVATE_KEY_FILE=str(small.home / "wrong_private.pem"))
    wait_until(lambda: is_stopped(small), "the lane was stopped")
    worker.end()

    kept = small.count(Push.next_action.is_not(None), Push.case_kind.is_(None))
    shown = lanes(small)
    resumed = lanes(small, "resume")
    small.start("worker")
    small.wait_until_drained()

    assert kept == len(rows)
    assert "stopped" in shown
    assert "1 lanes resumed" in resumed
    assert {small.state_of(row) for row in rows} == {"SUCCESS"}
    assert small.broken_promises() == []


def test_a_storm_of_401_stops_the_lane_and_over_the_api_it_goes_on(small: Deployment) -> None:
    rows = [make.declaration_row(out_order_no=make.number("DENIED401-")) for _ in range(6)]
    small.hand_in(*rows)
    small.start("worker")
    wait_until(lambda: is_stopped(small), "the lane was stopped")
    _, url = small.start_web()
    erp = small.erp(url)

    (lane,) = erp.get("/lanes")["data"]
    answer = erp.post(f"/lanes/{lane['id']}/resume", {})
    small.wait_until_drained()

    assert (lane["state"], answer.json()["state"]) == ("stopped", "open")
    assert lane["reason"]
    assert {small.state_of(row) for row in rows} == {"SUCCESS"}
    assert small.broken_promises() == []


def is_stopped(deployment: Deployment) -> bool:
    with deployment.services.reading() as db:
        return db.query(Lane).filter(Lane.stopped_at.is_not(None)).count() == 1


def lanes(deployment: Deployment, *words: str) -> str:
    command = [sys.executable, "-m", "customs", "lanes", *words]
    return subprocess.run(command, env=deployment.environ, capture_output=True, text=True, check=True).stdout
