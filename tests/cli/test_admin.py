"""`customs api-key`: create, list, rotate and revoke, as the operator of a host calls them."""

import json

import pytest
from click.testing import CliRunner

from customs.auth.api_keys import caller_of
from customs.cli import commands
from customs.container import Services
from customs.db import database
from customs.errors import ApiKeyInvalid
from tests import make


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """A command asks what the functions ask, which are tested on both."""
    return sqlite_url


@pytest.fixture
def api_key(services: Services):
    variables = {"CUSTOMS_HOME": str(services.settings.home), "CUSTOMS_DATABASE_URL": services.settings.database_url}

    def called(*words: str) -> str:
        done = CliRunner(env=make.SECRETS | variables).invoke(commands, ["api-key", *words], catch_exceptions=False)
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
