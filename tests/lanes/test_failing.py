"""A lane on which no call is answered: the doctor, the light, the page, a metric, the API and the command say so."""

import ssl
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from customs.cli.admin import lanes as lanes_command
from customs.container import Services
from customs.gateway.errors import GatewayError, NotSent, Unknown
from customs.lanes import breaker
from customs.lanes.breaker import lane_report
from customs.ops import doctor
from tests import make
from tests.application import application
from tests.certificates import self_signed
from tests.product import Desk
from tests.web.visiting import People, text_of
from tests.webhooks.receiver import listening


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def people(services: Services) -> People:
    return People(services)


@pytest.fixture
def fail(desk: Desk):
    """Let calls have ended so since half a minute ago."""

    def failed(outcome: GatewayError) -> None:
        desk.wait(seconds=-30)
        with desk.services.engine.begin() as db:
            breaker.record_report(db, desk.lane, lane_report([outcome], desk.now), desk.now)
        desk.wait(seconds=30)

    return failed


REFUSED = NotSent("certificate verify failed")
UNREADABLE = Unknown("<html>")


def verdicts(services: Services) -> dict[str, tuple[str, str]]:
    return {one.part: (one.verdict, one.finding) for one in doctor.run_checks(services, thoroughly=False)}


@pytest.mark.parametrize("outcome", [REFUSED, UNREADABLE], ids=["certificate", "not understood"])
def test_the_doctor_says_what_came_instead(services: Services, desk: Desk, fail, outcome: GatewayError):
    before = verdicts(services)["lane"]

    fail(outcome)

    verdict, found = verdicts(services)["lane"]
    assert (before[0], verdict) == ("ok", "wrong")
    assert outcome.message in found


def test_the_light_and_the_page_of_lanes_say_so(people: People, fail):
    fail(UNREADABLE)

    page = people.signed_in("clerk", language="en").get("/admin/lanes")

    assert "No call brings an answer" in page.text
    assert "No answer since" in text_of(page) and UNREADABLE.message in text_of(page)


def test_a_metric_counts_it(services: Services, fail):
    client: FlaskClient = application(services).test_client()

    fail(REFUSED)

    assert "customs_lanes_failing 1.0" in client.get("/metrics").text


def test_a_lane_that_fails_is_no_open_one(services: Services, desk: Desk, fail, monkeypatch: pytest.MonkeyPatch):
    fail(REFUSED)
    for name, value in make.SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CUSTOMS_DATABASE_URL", services.settings.database_url)

    shown = CliRunner().invoke(lanes_command, env={"COLUMNS": "300"}).output

    assert "failing" in shown and REFUSED.message in shown


@pytest.mark.parametrize("trusted", [True, False])
def test_the_doctor_knocks_as_a_call_does_and_minds_the_certificate(services: Services, tmp_path: Path, trusted: bool):
    """Also before anything was called."""
    context, file = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), self_signed(tmp_path, "localhost")
    context.load_cert_chain(file)
    with listening(context) as server:
        url = server.url.partition("/hook")[0].replace("127.0.0.1", "localhost")
        services.settings = replace(services.settings, base_url=url, ca_bundle=str(file) if trusted else "")

        verdict, found = verdicts(services)["gateway"]

    assert (verdict == "wrong", "certificate" in found) == (not trusted, not trusted)


def test_a_lane_that_this_desk_no_longer_uses_is_nobody_s_trouble(services: Services, people: People, fail):
    fail(REFUSED)
    services.settings = replace(services.settings, base_url="https://gateway.example")

    page = people.signed_in("clerk", language="en").get("/admin/lanes")

    assert verdicts(services)["lane"][0] == "ok"
    # It can still be looked at.
    assert "this desk has another credential now" in text_of(page)
