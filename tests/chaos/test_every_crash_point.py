"""Every crash point, with every action, on both databases."""

from pathlib import Path

import pytest

from customs.declarations.states import Action
from tests.journeys.crashing import POINTS, STAGES, crash_and_recover
from tests.journeys.deployment import Deployment
from tests.journeys.gateway import SandboxGateway

pytestmark = pytest.mark.chaos


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("action", STAGES)
def test_a_worker_that_died_leaves_nothing_undone_and_nothing_done_twice(
    database_url: str, action: Action, point: str, tmp_path: Path, gateway: SandboxGateway
) -> None:
    with Deployment(tmp_path, database_url, gateway) as deployment:
        crash_and_recover(deployment, action, point)

        assert deployment.broken_promises() == []
