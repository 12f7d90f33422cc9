"""Details have an ETag: who has a thing as it stands is told so, and no more."""

import pytest

from tests import make
from tests.api.test_scopes import PAYMENT, refund_of


@pytest.fixture
def paths(erp, desk) -> dict[str, str]:
    """One of each."""
    declaration = erp.declare()
    payment = erp.post("/payments", PAYMENT).json
    refund = refund_of(desk, payment)
    (request, *_) = erp.get("/requests").json["data"]
    return {
        "batch": f"/batches/{declaration['batch_id']}",
        "declaration": f"/declarations/{declaration['id']}",
        "payment": f"/payments/{payment['id']}",
        "refund": f"/refunds/{refund}",
        "lane": f"/lanes/{desk.lane}",
        "request": f"/requests/{request['request_id']}",
    }


@pytest.mark.parametrize("kind", ["batch", "declaration", "payment", "refund", "lane", "request"])
def test_what_did_not_change_is_not_sent_again(erp, paths, kind: str):
    first = erp.get(paths[kind])

    again = erp.call("GET", paths[kind], headers={"If-None-Match": first.headers["ETag"]})
    other = erp.call("GET", paths[kind], headers={"If-None-Match": '"another"'})

    assert (first.status_code, again.status_code, again.data) == (200, 304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert (other.status_code, other.json) == (200, first.json)


def test_what_changed_has_another_etag(erp, desk, paths):
    kinds = ("batch", "declaration", "lane")
    before = {kind: erp.get(paths[kind]).headers["ETag"] for kind in kinds}

    desk.work(lambda _: make.reply("SUCCESS", desk.now))
    desk.stop_lane("why")

    answers = [erp.call("GET", paths[kind], headers={"If-None-Match": before[kind]}) for kind in kinds]
    assert [answer.status_code for answer in answers] == [200, 200, 200]


def test_a_lane_that_is_not_there_is_404(erp):
    assert erp.get("/lanes/nowhere").status_code == 404
