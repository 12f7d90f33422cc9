"""What Prometheus scrapes: every figure comes from the database, so it holds for all processes together."""

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from customs.config import read_settings
from customs.container import Services
from customs.events.outbox import OutboxEvent
from customs.gateway import Unknown
from customs.jobs.dispatcher import Dispatcher
from customs.ops import doctor
from customs.ops.standalone import keep_key_pair
from customs.stats.call_counters import BUCKETS, Counts
from customs.webhooks.models import Delivery, Endpoint
from tests import make
from tests.application import application
from tests.product import Desk
from tests.programs import program

Scrape = Callable[..., float | None]


@pytest.fixture
def database_url(either_database: str) -> str:
    """The figures are sums that the database adds up."""
    return either_database


@pytest.fixture
def scrape(client) -> Scrape:
    """The value of one sample, None when it is not there."""

    def value(sample: str, **labels: str) -> float | None:
        answer = client.get("/metrics")
        assert answer.status_code == 200
        found = [
            one.value
            for family in text_string_to_metric_families(answer.text)
            for one in family.samples
            if one.name == sample and labels.items() <= one.labels.items()
        ]
        assert len(found) <= 1
        return found[0] if found else None

    return value


@pytest.fixture
def count(services: Services):
    """Write calls down as a worker's desk does: channel, action, outcome, milliseconds."""

    def written(*calls: tuple[str, str, str, int], slot: int = 0) -> None:
        counter = Counts()
        for call in calls:
            counter.add(*call)
        with services.engine.begin() as db:
            counter.write(db, slot)

    return written


def test_an_empty_desk_has_figures_too(scrape: Scrape):
    assert scrape("customs_due_pushes") == 0
    assert scrape("customs_oldest_due_push_age_seconds") == 0
    assert scrape("customs_lanes_stopped") == 0
    assert scrape("customs_declarations_in_review") == 0
    assert scrape("customs_redis_up") == 0


def test_pushes_are_counted_by_channel_and_state_without_what_was_cancelled(desk: Desk, scrape: Scrape):
    ids = [desk.declare() for _ in range(3)]
    desk.decide("cancel", ids[0])
    desk.work(lambda task: make.reply("FAIL" if task.declaration_id == ids[1] else "SUCCESS", desk.now))
    desk.declare("alipay")

    states = {("wechatpay", "FAIL"): 1, ("wechatpay", "SUCCESS"): 1, ("alipay", "UNDECLARED"): 1}
    for (channel, state), expected in states.items():
        assert scrape("customs_pushes", channel=channel, state=state) == expected
    assert scrape("customs_pushes", channel="wechatpay", state="UNDECLARED") is None
    assert scrape("customs_declarations_in_review") == 1
    of_declarations = {("wechatpay", "FAIL"): 1, ("wechatpay", "cancelled"): 1, ("alipay", "UNDECLARED"): 1}
    for (channel, state), expected in of_declarations.items():
        assert scrape("customs_declarations", channel=channel, state=state) == expected


def test_a_push_whose_call_may_have_arrived_is_of_unknown_outcome(desk: Desk, scrape: Scrape):
    desk.declare()
    desk.declare("alipay")
    assert scrape("customs_pushes_outcome_unknown") == 0

    desk.work(lambda task: Unknown("cut") if task.channel == "alipay" else make.reply("SUCCESS", desk.now))

    assert scrape("customs_pushes_outcome_unknown") == 1


def test_while_the_database_is_away_the_rest_is_measured(tmp_path: Path):
    environment = {
        "CUSTOMS_HOME": str(tmp_path),
        "CUSTOMS_DATABASE_URL": "postgresql://customs@127.0.0.1:9/customs",
        "CUSTOMS_REDIS_URL": f"unix://{tmp_path}/nobody.sock",
    }
    client = application(Services(read_settings(make.SECRETS | environment))).test_client()
    client.get("/healthz", buffered=True)

    scraped = client.get("/metrics")

    assert scraped.status_code == 200
    assert {"customs_database_up 0.0", "customs_redis_up 0.0"} <= set(scraped.text.splitlines())
    assert "customs_http_requests_total" in scraped.text
    assert "customs_pushes" not in scraped.text


def test_with_a_token_only_whoever_knows_it_may_look(services: Services, client, monkeypatch):
    monkeypatch.setattr(services, "settings", replace(services.settings, metrics_token="m" * 16))

    def status(path: str, token: str | None) -> int:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return client.get(path, headers=headers).status_code

    for path in ("/metrics", "/readyz"):
        assert [status(path, token) for token in (None, "wrong", "m" * 16)] == [401, 401, 200]
    assert status("/healthz", None) == 200


def test_names_and_texts_are_as_prometheus_wants_them(client):
    promtool = program("promtool", "prometheus")

    checked = subprocess.run(
        [promtool, "check", "metrics"], input=client.get("/metrics").data, capture_output=True, check=False
    )

    assert (checked.returncode, checked.stderr.decode() + checked.stdout.decode()) == (0, "")


def test_the_backlog_is_what_is_due_and_not_claimed(desk: Desk, scrape: Scrape):
    for _ in range(3):
        desk.declare()
    assert scrape("customs_due_pushes") == 3
    assert 0 <= (scrape("customs_oldest_due_push_age_seconds") or 0) < 30

    desk.claim(room=2)

    assert scrape("customs_due_pushes") == 1


def test_a_stopped_lane_shows(desk: Desk, scrape: Scrape):
    desk.stop_lane("401")

    assert scrape("customs_lanes_stopped") == 1


def test_calls_are_counted_over_all_processes_and_times(count, scrape: Scrape):
    count(("alipay", "SUBMIT", "answered", 40), ("alipay", "SUBMIT", "answered", 40), slot=1)
    count(("alipay", "SUBMIT", "answered", 40), ("alipay", "SUBMIT", "unknown", 15_001), slot=2)
    count(("alipay", "SUBMIT", "answered", 40), slot=17)

    named = {"channel": "alipay", "action": "SUBMIT"}
    assert scrape("customs_gateway_calls_total", **named, outcome="answered") == 4
    assert scrape("customs_gateway_calls_total", **named, outcome="unknown") == 1
    assert scrape("customs_gateway_call_duration_seconds_count", **named) == 5
    assert scrape("customs_gateway_call_duration_seconds_sum", **named) == pytest.approx(4 * 0.04 + 15.001)


def test_a_bucket_holds_all_the_faster_calls(count, scrape: Scrape):
    count(*(("wechatpay", "QUERY", "answered", int(bound * 1000)) for bound in (*BUCKETS, 60)))

    leased = [scrape("customs_gateway_call_duration_seconds_bucket", le=str(bound)) for bound in (*BUCKETS, "+Inf")]

    assert leased == [float(number) for number in range(1, len(BUCKETS) + 2)]


def test_a_worker_writes_its_calls_down(services: Services, desk: Desk, scrape: Scrape):
    """Nobody listens at this gateway: one call that was not sent."""
    keep_key_pair(services.settings.home, "agent")
    desk.declare()
    engine = Dispatcher(services.push_handler, 2)

    engine.drain(5.0)
    engine.close()

    named = {"channel": "wechatpay", "action": "SUBMIT", "outcome": "not_sent"}
    assert scrape("customs_gateway_calls_total", **named) == 1


def test_a_paused_endpoint_and_what_is_due_to_be_told_are_seen(services: Services, desk: Desk, scrape: Scrape):
    endpoint = Endpoint(
        id="whe_1", url="https://erp.test/", every_merchant=True, owner="x", created_at=desk.now, secret="sealed"
    )
    endpoint.paused_at, endpoint.paused_why = desk.now, "it answered 410"
    with services.transaction() as db:
        db.add(endpoint)
        db.add(OutboxEvent(id="evt_1", type="webhook.test", created_at=desk.now, data={}, pending=False))
        db.flush()
        db.add(Delivery(id="whd_1", endpoint_id="whe_1", event_id="evt_1", created_at=desk.now, due_at=desk.now))

    (result,) = [one for one in doctor.run_checks(services) if one.part == "webhooks"]

    assert (scrape("customs_webhook_endpoints_paused"), scrape("customs_due_deliveries")) == (1, 1)
    assert (result.verdict, "410" in result.finding, "whe_1/resume" in result.remedy) == ("note", True, True)


def test_no_number_of_an_order_is_a_label(desk: Desk, client):
    row = make.declaration_row(buyer=make.buyer_row())
    desk.take_in(row)
    desk.work(lambda _: make.reply("SUCCESS", desk.now))

    scraped = client.get("/metrics").text

    assert row["merchant_no"] not in scraped
    assert row["payment_no"] not in scraped
