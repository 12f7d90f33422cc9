"""Crash points: which there are, what a worker is doing when it dies there, and how the desk recovers."""

from collections.abc import Callable, Mapping

from customs.declarations.models import Push
from customs.declarations.states import Action
from customs.jobs.failpoints import EXIT_CODE, Failpoints
from tests import make
from tests.journeys.deployment import Deployment
from tests.journeys.processes import wait_until
from workers import clock

# Each point, and the how-manyth time it is reached is the one that matters: the first exchange records nothing yet.
POINTS = {
    "claim_before_commit": 1,
    "claim_after_commit": 1,
    "mark_before_commit": 1,
    "exchange_after_commit": 1,
    "call_before_send": 1,
    "call_after_reply": 1,
    "record_before_commit": 2,
}


def _submissions(deployment: Deployment) -> None:
    deployment.hand_in(
        make.declaration_row(),
        make.declaration_row("alipay", office="SHENZHEN"),
        make.declaration_row(parts=2),
    )


def _queries(deployment: Deployment) -> None:
    _submissions(deployment)
    deployment.drain()
    wait_until(lambda: deployment.count(Push.next_action == Action.QUERY) >= 3, "what was sent is polled")


def _repushes(deployment: Deployment) -> None:
    row = make.declaration_row(out_order_no=make.number("EXCEPT-"))
    deployment.hand_in(row)
    _drain_to(deployment, row, "EXCEPT")
    deployment.redeclare(row)


def _modifications(deployment: Deployment) -> None:
    row = make.declaration_row(out_order_no=make.number("FAIL-"))
    deployment.hand_in(row)
    _drain_to(deployment, row, "FAIL")
    deployment.modify(row, mch_customs_no="110396T0002")


def _drain_to(deployment: Deployment, row: dict[str, str], state: str) -> None:
    def there() -> bool:
        deployment.drain()
        return deployment.state_of(row) == state

    wait_until(there, f"{row['out_order_no']} is {state}")


# What is due when the worker that will die begins.
STAGES: Mapping[Action, Callable[[Deployment], None]] = {
    Action.SUBMIT: _submissions,
    Action.QUERY: _queries,
    Action.REDECLARE: _repushes,
    Action.MODIFY: _modifications,
}


def crash_and_recover(deployment: Deployment, action: Action, point: str) -> None:
    """Let a worker die at the point while it does this, then let the clock and a healthy desk go on to the end."""
    STAGES[action](deployment)
    doomed = deployment.start("worker", **{Failpoints.VARIABLE: f"{point}:{POINTS[point]}"})
    assert doomed.exit_code() == EXIT_CODE

    def recovered() -> bool:
        clock.tick(deployment.services)
        deployment.drain()
        return deployment.is_drained()

    wait_until(recovered, "everything came to its end")
