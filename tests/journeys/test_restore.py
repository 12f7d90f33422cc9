"""A database is lost and put back to an earlier time: what was declared since is found, and nothing twice."""

import subprocess
from pathlib import Path

import pytest
from sqlalchemy import make_url

from customs.declarations import statistics
from customs.ops.backup import back_up, doubt_calls
from tests import make
from tests.journeys.deployment import Deployment
from tests.journeys.events_seen import Row
from tests.journeys.gateway import SandboxGateway
from tests.journeys.processes import wait_until
from tests.postgresql import new_database
from tests.programs import program


@pytest.fixture
def database_url(either_database: str) -> str:
    return either_database


def copied(deployment: Deployment, file: Path) -> None:
    """Make a back-up as the manual says."""
    engine = deployment.services.engine
    if engine.dialect.name == "sqlite":
        back_up(engine, file)
    else:
        dump = program("pg_dump", "postgresql-client")
        subprocess.run([dump, "--format", "custom", "--file", file, "--dbname", plain(engine.url)], check=True)


def put_back(file: Path, url: str, request: pytest.FixtureRequest) -> str:
    """Restore a back-up as the manual says; return the URL of the new database."""
    if url.startswith("sqlite"):
        return f"sqlite:///{file}"
    empty = new_database(request.getfixturevalue("cluster"))
    restore = program("pg_restore", "postgresql-client")
    subprocess.run([restore, "--exit-on-error", "--no-owner", "--dbname", plain(make_url(empty)), file], check=True)
    return empty


def finish(deployment: Deployment) -> None:
    """Work until nothing is left to do."""

    def is_done() -> bool:
        deployment.drain()
        return deployment.is_drained()

    wait_until(is_done, "everything came to its end")


def filings(gateway: SandboxGateway, *rows: Row) -> list[int]:
    """How often each filing of these orders was made."""
    payments = {row["payment_no"] for row in rows}
    return [one["adds"] + one["redeclares"] for one in gateway.filings() if one["payment_no"] in payments]


def plain(url: object) -> str:
    """The URL as PostgreSQL's own programs read it."""
    return make_url(str(url)).set(drivername="postgresql").render_as_string(hide_password=False)


def test_what_was_declared_after_the_backup_is_found_and_not_declared_again(
    database_url: str, tmp_path: Path, gateway: SandboxGateway, request: pytest.FixtureRequest
) -> None:
    ended, since, never = (make.declaration_row() for _ in range(3))
    ordered = make.declaration_row("alipay", office="SHENZHEN")
    file = tmp_path / "backup"
    with Deployment(tmp_path / "first", database_url, gateway) as first:
        first.hand_in(ended)
        finish(first)
        first.hand_in(since, ordered)
        copied(first, file)
        finish(first)
        assert [first.state_of(row) for row in (since, ordered)] == ["SUCCESS", "SUCCESS"]
    filed = filings(gateway, ended, since, ordered)

    with Deployment(tmp_path / "second", put_back(file, database_url, request), gateway) as second:
        doubted = doubt_calls(second.services.engine, second.services.declarations)
        second.hand_in(never)
        finish(second)

        assert (doubted.pushes, doubted.payments, doubted.in_review) == (1, 0, 1)
        assert [second.state_of(row) for row in (ended, since, never)] == ["SUCCESS"] * 3
        assert second.is_in_review(ordered)
        assert statistics.find(second.services.engine).tallies == {}
    assert filings(gateway, ended, since, ordered) == filed == [1] * 4
    assert filings(gateway, never) == [1]
