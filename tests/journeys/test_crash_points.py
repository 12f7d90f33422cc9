"""A worker dies at each step of claim, call and record; nothing is lost and nothing is filed twice."""

from pathlib import Path

import pytest

from customs.declarations.states import Action
from tests.journeys.crashing import POINTS, crash_and_recover
from tests.journeys.deployment import Deployment
from tests.journeys.gateway import SandboxGateway

# Each point once; `make chaos` walks every point with every action on both databases.
CRASHES = [
    *(("sqlite", Action.SUBMIT, point) for point in POINTS),
    ("sqlite", Action.MODIFY, "call_after_reply"),
    ("postgresql", Action.SUBMIT, "call_after_reply"),
    ("postgresql", Action.REDECLARE, "mark_before_commit"),
]


@pytest.mark.parametrize(("database_url", "action", "point"), CRASHES, indirect=["database_url"])
def test_a_worker_that_died_leaves_nothing_undone_and_nothing_done_twice(
    database_url: str, action: Action, point: str, tmp_path: Path, gateway: SandboxGateway
) -> None:
    with Deployment(tmp_path, database_url, gateway) as deployment:
        crash_and_recover(deployment, action, point)

        assert deployment.broken_promises() == []
