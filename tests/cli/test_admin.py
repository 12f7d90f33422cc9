"""`customs api-key`: create, list, rotate and revoke, as the operator of a host calls them."""

import json

import pytest
from click.testing import CliRunner, Result

from customs.auth.api_keys import caller_of
from customs.cli import commands
from customs.cli.processes import replace_key_of_up
from customs.config import read_settings
from customs.container import Services
from customs.db import database
from customs.errors import ApiKeyInvalid
from tests import make


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """A command asks what the functions ask, which are tested on both."""
    return sqlite_url


REAL = {"WISECASHIER_BASE_URL": "https://gateway.example"}


def environ(services: Services) -> dict[str, str]:
    settings = services.settings
    return make.SECRETS | {"CUSTOMS_HOME": str(settings.home), "CUSTOMS_DATABASE_URL": settings.database_url}


@pytest.fixture
def run(services: Services):
    def ran(*words: str, **variables: str) -> Result:
        runner = CliRunner(env=environ(services) | variables)
        return runner.invoke(commands, ["api-key", *words], catch_exceptions=False)

    return ran


@pytest.fixture
def api_key(run):
    def called(*words: str) -> str:
        done = run(*words)
        assert done.exit_code == 0, done.output
        return str(done.stdout)

    return called


@pytest.fixture
def opens(services: Services):
    def opened(key: str) -> bool:
        try:
            with services.transaction() as db:
                caller_of(db, key, database.now(db))
        except ApiKeyInvalid:
            return False
        return True

    return opened


def test_a_key_is_made_as_ever(api_key, opens):
    output = json.loads(api_key("create", "--name", "erp", "--merchant", "M100", "--scope", "payments:read", "--json"))

    assert list(output) == ["key"]
    assert opens(output["key"])
    assert api_key("create", "--name", "other").startswith("ck_test_")


def test_the_list_says_what_lives_and_shows_no_key(api_key):
    key = api_key("create", "--name", "erp", "--expires-days", "30", "--scope", "payments:read").strip()

    (row,) = json.loads(api_key("list", "--json"))

    assert (row["name"], row["state"], row["scopes"], row["merchants"]) == ("erp", "live", ["payments:read"], ["all"])
    assert row["expires_at"] > row["created_at"]
    assert row["last_used_at"] is None
    assert key not in api_key("list") + json.dumps(row)


@pytest.mark.parametrize(("hours", "lives"), [("1", True), ("0", False)])
def test_after_a_rotation_the_old_key_lives_for_the_overlap(api_key, opens, hours: str, lives: bool):
    old = api_key("create", "--name", "erp").strip()

    new = json.loads(api_key("rotate", "erp", "--overlap-hours", hours, "--json"))["key"]

    assert (opens(old), opens(new)) == (lives, True)
    assert [row["state"] for row in json.loads(api_key("list", "--json"))] == [
        "replaced" if lives else "expired",
        "live",
    ]


def test_a_revoked_key_opens_nothing(api_key, opens):
    key = api_key("create", "--name", "erp").strip()
    (row,) = json.loads(api_key("list", "--json"))

    api_key("revoke", row["id"])

    assert not opens(key)
    assert json.loads(api_key("list", "--json"))[0]["state"] == "revoked"


@pytest.mark.parametrize(
    ("words", "warned"),
    [
        ((), "may do everything (--scope) and is for every merchant (--merchant)"),
        (("--merchant", "M100"), "this key may do everything (--scope), at"),
        (("--scope", "payments:read"), "this key is for every merchant (--merchant), at"),
        (("--merchant", "M100", "--scope", "payments:read"), ""),
        (("--all",), ""),
    ],
)
def test_a_key_for_everything_at_the_real_gateway_comes_with_a_warning(run, opens, words: tuple[str, ...], warned: str):
    done = run("create", "--name", "erp", *words, **REAL)

    assert done.exit_code == 0
    assert done.stdout.startswith("ck_live_")
    assert opens(done.stdout.strip())
    assert warned in done.stderr
    assert bool(done.stderr) == bool(warned)


def test_at_the_sandbox_there_is_no_warning(run):
    assert run("create", "--name", "erp").stderr == ""


def test_all_and_a_scope_contradict_one_another(run):
    done = run("create", "--name", "erp", "--all", "--scope", "payments:read")

    assert (done.exit_code, "--all goes with neither" in done.stderr) == (2, True)


def test_each_start_of_customs_up_replaces_the_key_of_the_last_one(services: Services, api_key, opens):
    own = api_key("create", "--name", "erp").strip()
    trial = Services(read_settings(environ(services)))

    keys = [replace_key_of_up(trial) for _ in range(3)]

    trial.engine.dispose()
    assert [opens(str(key)) for key in keys] == [False, False, True]
    assert opens(own)
    live = [row for row in json.loads(api_key("list", "--json")) if row["state"] == "live"]
    assert [(row["name"], row["expires_at"] is not None) for row in live] == [("erp", False), ("customs up", True)]


def test_customs_up_makes_no_key_of_the_real_gateway(services: Services, api_key):
    real = Services(read_settings(environ(services) | REAL))

    assert replace_key_of_up(real) is None

    real.engine.dispose()
    assert json.loads(api_key("list", "--json")) == []
