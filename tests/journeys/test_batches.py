"""An ERP's batch over the API, through real processes, on each database: to SUCCESS, and back from FAIL and EXCEPT."""

from collections.abc import Iterator

import pytest

from tests import make
from tests.journeys.deployment import Deployment, full_crew
from tests.journeys.erp import Erp
from tests.journeys.gateway import SandboxGateway


@pytest.fixture(scope="module")
def deployment(lasting_url: str, gateway: SandboxGateway, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    return Deployment(tmp_path_factory.mktemp("deployment"), lasting_url, gateway)


@pytest.fixture(scope="module")
def erp(deployment: Deployment) -> Iterator[Erp]:
    with full_crew(deployment) as erp:
        yield erp


def test_a_batch_of_both_channels_is_declared_to_its_end(erp: Erp, deployment: Deployment) -> None:
    rows = [
        make.declaration_row(buyer=make.buyer_row(name="欧阳·娜~𠮷")),
        make.declaration_row(parts=3, duty=88),
        make.declaration_row(office="GUANGZHOU_HUANGPU"),
        make.declaration_row(out_order_no=make.number("DROP-REQUEST-")),
        make.declaration_row(out_order_no=make.number("DROP-REPLY-")),
        make.declaration_row("alipay", parts=2),
        make.declaration_row("alipay", office="SHENZHEN"),
        make.declaration_row("alipay", office="SHENZHEN", parts=2),
        make.declaration_row("alipay", office="SHENZHEN", out_order_no=make.number("ERROR-AFTER-")),
    ]

    batch = erp.wait(erp.hand_in(*rows))

    assert (batch["state"], batch["counts"]["SUCCESS"]) == ("DONE", len(rows))
    assert deployment.broken_promises() == []


def test_what_failed_is_corrected_or_pushed_again_and_succeeds(erp: Erp, deployment: Deployment) -> None:
    refused, alipay_refused, lost, alipay_lost = rows = [
        make.declaration_row(out_order_no=make.number("FAIL-")),
        make.declaration_row("alipay", office="SHENZHEN", out_order_no=make.number("FAIL-")),
        make.declaration_row(out_order_no=make.number("EXCEPT-")),
        make.declaration_row("alipay", out_order_no=make.number("EXCEPT-")),
    ]
    batch_id = erp.hand_in(*rows)
    failed = erp.wait(batch_id)

    # The second code of the ordered office fails too, once it gets its turn with what was corrected before.
    for row in (refused, alipay_refused):
        erp.modify(row, mch_customs_no="110396T0002")
    for row in (lost, alipay_lost):
        erp.redeclare(row)
    erp.wait(batch_id)
    if erp.declaration(alipay_refused)["state"] == "FAIL":
        erp.modify(alipay_refused, mch_customs_no="110396T0003")
    batch = erp.wait(batch_id)

    assert (failed["state"], failed["counts"]["FAIL"], failed["counts"]["EXCEPT"]) == ("ATTENTION", 2, 2)
    assert (batch["state"], batch["counts"]["SUCCESS"]) == ("DONE", len(rows))
    assert deployment.broken_promises() == []
