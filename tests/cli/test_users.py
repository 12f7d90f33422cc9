"""`customs user`: create, list, reset and disable, as the operator of a host calls them."""

import json
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from customs.audit.models import ENTRIES
from customs.cli import commands
from customs.container import Services
from customs.errors import ActionNotAllowed, NotFound, ValidationFailed
from tests import make
from tests.auth.staff import Staff


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """A command asks what the functions ask, which are tested on both."""
    return sqlite_url


@pytest.fixture
def staff(staff: Staff) -> Staff:
    """A command goes by the clock."""
    staff.now = datetime.now(UTC)
    return staff


@pytest.fixture
def user(services: Services):
    variables = {"CUSTOMS_HOME": str(services.settings.home), "CUSTOMS_DATABASE_URL": services.settings.database_url}

    def called(*words: str) -> str:
        done = CliRunner(env=make.SECRETS | variables).invoke(commands, ["user", *words], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return str(done.stdout)

    return called


def create(user, login: str = "zhang", role: str = "clerk", *more: str) -> str:
    return user("create", "--login", login, "--name", "张伟", "--role", role, *more)


def test_somebody_who_was_created_signs_in_with_the_password_printed(user, staff: Staff):
    output = json.loads(create(user, "Zhang", "clerk", "--merchant", "M100", "--merchant", "M200", "--json"))
    login, password = create(user, "wang").split()

    assert list(output) == ["login", "password"]
    person = staff.session(staff.sign_in(output["login"], output["password"])).person
    assert (person.login, person.merchants, person.must_change_password) == ("zhang", ["M100", "M200"], True)
    assert staff.look(staff.sign_in(login, password))


def test_the_list_says_who_there_is_and_shows_no_secret(user, staff: Staff):
    password = json.loads(create(user, "zhang", "clerk", "--merchant", "M100", "--json"))["password"]
    create(user, "wang", "reviewer")
    user("disable", "wang")

    wang, zhang = json.loads(user("list", "--json"))

    assert (zhang["name"], zhang["role"], zhang["merchants"], zhang["state"]) == ("张伟", "clerk", ["M100"], "enabled")
    assert (wang["merchants"], wang["state"], wang["one_time_codes"]) == (["all"], "disabled", "none")
    shown = user("list") + json.dumps([zhang, wang])
    assert password not in shown
    assert staff.person().password_hash not in shown


def test_a_reset_prints_another_password_and_takes_codes_and_sessions_away(user, staff: Staff):
    staff.hire(role="admin")
    _, token = staff.set_up_codes(staff.sign_in())

    output = json.loads(user("reset", "ZHANG", "--json"))

    assert staff.look(token) is None
    assert staff.person().code_secret is None
    assert staff.session(staff.sign_in(output["login"], output["password"])).person.must_change_password


def test_who_was_disabled_is_out(user, staff: Staff):
    staff.hire()
    token = staff.sign_in()

    user("disable", "zhang")

    assert staff.look(token) is None


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("reset", "nobody"), NotFound),
        (("disable", "nobody"), NotFound),
        (("disable", "admin"), ActionNotAllowed),
        (("create", "--login", "x", "--name", "X", "--role", "clerk"), ValidationFailed),
        (("create", "--login", "admin", "--name", "X", "--role", "clerk"), ValidationFailed),
    ],
)
def test_what_cannot_be_done_is_reported_and_leaves_no_trace(user, staff: Staff, words, error):
    staff.hire("admin", "admin")

    with pytest.raises(error):
        user(*words)

    with staff.services.reading() as db:
        assert db.execute(select(ENTRIES)).all() == []


def test_every_action_is_on_the_record_and_no_password_with_it(user, staff: Staff):
    output = [json.loads(create(user, "zhang", "clerk", "--json")), json.loads(user("reset", "zhang", "--json"))]
    user("disable", "zhang")

    with staff.services.reading() as db:
        entries = db.execute(select(ENTRIES).order_by(ENTRIES.c.number)).all()

    assert [(one.actor, one.action, one.subject_id) for one in entries] == [
        ("operator", f"person.{verb}", staff.person().id) for verb in ("create", "reset_password", "disable")
    ]
    assert not any(one["password"] in str(entries) for one in output)
