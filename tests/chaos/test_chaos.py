"""A minute of everything at once: orders come in, the gateway fails by seed, and a nemesis kills what runs."""

import threading
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pytest

from tests import make
from tests.chaos.nemesis import Nemesis
from tests.journeys.deployment import Deployment
from tests.journeys.events_seen import Row
from tests.journeys.gateway import running_gateway
from tests.journeys.processes import wait_until

pytestmark = pytest.mark.chaos

RAGE_SECONDS = 60.0
# Longer than the sandbox's longest delay: a request that was only late has arrived before the grace is over.
PACE = {"CUSTOMS_LEASE_SECONDS": "5", "CUSTOMS_GATEWAY_TIMEOUT_SECONDS": "1.5", "CUSTOMS_UNKNOWN_GRACE_SECONDS": "4"}
RECOVERY_SECONDS = 90.0
FAULT_RATE = 0.15
BATCH = 12
PAUSE_SECONDS = 1.0


# Channel, and what differs from a plain order; a word is one of the sandbox's scenarios.
KINDS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("wechatpay", "O", {}),
    ("alipay", "O", {"office": "SHENZHEN"}),
    ("wechatpay", "O", {"parts": 2}),
    ("wechatpay", "FAIL-", {}),
    ("alipay", "O", {}),
    ("wechatpay", "SLOW-", {}),
    ("alipay", "EXCEPT-", {}),
)


def orders(number: int) -> list[Row]:
    """One batch; among the plain ones some that fail, some split, some with ordered codes."""
    return [
        make.declaration_row(channel, out_order_no=make.number(prefix), **changes)
        for channel, prefix, changes in islice(cycle(KINDS), number)
    ]


@pytest.mark.parametrize("seed", [20261123])
def test_whatever_was_acknowledged_in_the_storm_ends_as_it_should(database_url: str, tmp_path: Path, seed: int) -> None:
    home = tmp_path / "gateway"
    home.mkdir()
    calm = threading.Event()
    with running_gateway(home) as gateway, Deployment(tmp_path / "desk", database_url, gateway, **PACE) as deployment:
        gateway.switch(fault_seed=seed, fault_rate=FAULT_RATE)
        nemesis = Nemesis(deployment, seed)
        erp = deployment.erp(nemesis.url)

        def hand_in() -> None:
            while not calm.wait(PAUSE_SECONDS):
                erp.insist(*orders(BATCH))

        sender = threading.Thread(target=hand_in)
        sender.start()
        try:
            done = nemesis.rage(RAGE_SECONDS)
        finally:
            calm.set()
            sender.join()
        gateway.switch(fault_rate=0.0)

        def drained() -> bool:
            deployment.resume_lanes()
            return deployment.is_drained()

        wait_until(drained, "everything came to its end", RECOVERY_SECONDS)
        print(f"{len(deployment.promises.orders)} orders through {len(done)} actions: {', '.join(done)}")
        assert deployment.broken_promises() == []
