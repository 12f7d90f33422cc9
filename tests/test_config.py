"""What the environment says: defaults that depend on one another, and every wrong value named by its variable."""

import base64
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from redis import ConnectionPool

from customs.config import RENAMED, Settings, Variables, read_settings, redis_socket, require_own_folder
from customs.errors import Misconfigured
from tests import make

REAL = {"WISECASHIER_BASE_URL": "https://gateway.example/api/"}

WRONG = {
    "a word for a number": ("CUSTOMS_POLL_SECONDS", "soon"),
    "no polling": ("CUSTOMS_POLL_SECONDS", "0"),
    "negative grace": ("CUSTOMS_UNKNOWN_GRACE_SECONDS", "-1"),
    "NaN": ("CUSTOMS_GATEWAY_TIMEOUT_SECONDS", "nan"),
    "no threads": ("CUSTOMS_GATEWAY_CONCURRENCY", "0"),
    "too many threads": ("CUSTOMS_GATEWAY_CONCURRENCY", "100000"),
    "half a thread": ("CUSTOMS_GATEWAY_CONCURRENCY", "1.5"),
    "negative rate": ("CUSTOMS_GATEWAY_RATE", "-1"),
    "lease shorter than a call": ("CUSTOMS_LEASE_SECONDS", "1"),
    "a policy nobody knows": ("CUSTOMS_REDECLARE_FAILED", "perhaps"),
    "a port that is none": ("CUSTOMS_WEB_PORT", "70000"),
    "neither yes nor no": ("CUSTOMS_SANDBOX", "maybe"),
    "not a URL": ("WISECASHIER_BASE_URL", "gateway"),
    "another scheme": ("WISECASHIER_BASE_URL", "file:///etc/passwd"),
    "no Redis": ("CUSTOMS_REDIS_URL", "localhost:6379"),
    "a Redis without a number": ("CUSTOMS_REDIS_URL", "redis://localhost/0?db=x"),
    "an option nobody knows": ("CUSTOMS_REDIS_URL", "redis://localhost/0?colour=red"),
    "a socket cut off": ("CUSTOMS_REDIS_URL", "unix:///a#b/redis.sock"),
    "a level nobody knows": ("CUSTOMS_LOG_LEVEL", "loud"),
    "a short secret": ("CUSTOMS_SECRET_KEY", "short"),
    "a short key among keys": ("CUSTOMS_PII_KEYS", "a key that is long enough, short"),
}


@pytest.fixture
def read(tmp_path: Path):
    """Settings read from these variables, with secrets and a home of this test."""
    return lambda **variables: read_settings(make.SECRETS | {"CUSTOMS_HOME": str(tmp_path)} | variables)


def test_an_empty_environment_is_the_sandbox_on_one_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)

    settings = read_settings({})

    assert settings.home == tmp_path / ".customs"
    assert settings.is_sqlite and settings.sandbox and settings.embedded_redis and settings.embedded_sandbox
    assert settings.database_url == f"sqlite:///{tmp_path / '.customs' / 'customs.db'}"
    assert (settings.poll_seconds, settings.unknown_grace_seconds, settings.alipay_repush_seconds) == (1, 2, 1)
    assert (settings.gateway_concurrency, settings.gateway_rate, settings.gateway_timeout_seconds) == (32, 0, 15)
    assert settings.warn_only_rules == frozenset()


def test_towards_the_real_gateway_there_is_more_time(read):
    settings = read(**REAL)

    assert (settings.sandbox, settings.embedded_sandbox, settings.base_url) == (
        False,
        False,
        "https://gateway.example/api",
    )
    assert (settings.poll_seconds, settings.unknown_grace_seconds, settings.alipay_repush_seconds) == (60, 420, 300)


def test_a_sandbox_elsewhere_is_a_sandbox_when_it_is_called_one(read):
    settings = read(**REAL, CUSTOMS_SANDBOX="true")

    assert (settings.sandbox, settings.embedded_sandbox, settings.poll_seconds) == (True, False, 1)


@pytest.mark.parametrize(
    ("name", "shown", "field", "expected"),
    [
        ("CUSTOMS_POLL_SECONDS", "0.5", "poll_seconds", 0.5),
        ("CUSTOMS_UNKNOWN_GRACE_SECONDS", "0", "unknown_grace_seconds", 0.0),
        ("CUSTOMS_ALIPAY_REPUSH_SECONDS", "0", "alipay_repush_seconds", 0.0),
        ("CUSTOMS_DATABASE_URL", "postgres://u@h/d", "database_url", "postgresql+psycopg://u@h/d"),
        ("CUSTOMS_DATABASE_URL", "postgresql://u@h/d", "database_url", "postgresql+psycopg://u@h/d"),
        ("CUSTOMS_DATABASE_URL", "postgresql+psycopg://u@h/d", "database_url", "postgresql+psycopg://u@h/d"),
        ("CUSTOMS_REDIS_URL", "redis://elsewhere", "redis_url", "redis://elsewhere"),
        ("CUSTOMS_WARN_ONLY_RULES", " a , b,, ", "warn_only_rules", frozenset({"a", "b"})),
        (
            "CUSTOMS_PII_KEYS",
            "the first of the keys, the second of them",
            "pii_keys",
            ("the first of the keys", "the second of them"),
        ),
        ("CUSTOMS_WEB_PORT", " 0 ", "web_port", 0),
    ],
)
def test_what_is_said_counts(read, name: str, shown: str, field: str, expected):
    assert getattr(read(**{name: shown}), field) == expected


@pytest.mark.parametrize("name", ["CUSTOMS_POLL_SECONDS", "CUSTOMS_REDIS_URL", "CUSTOMS_SANDBOX"])
def test_an_empty_variable_is_not_set(read, name: str):
    assert read(**{name: "  "}) == read()


@pytest.mark.parametrize(("name", "shown"), WRONG.values(), ids=WRONG)
def test_a_wrong_value_is_named_by_its_variable(read, name: str, shown: str):
    with pytest.raises(Misconfigured) as refused:
        read(**{name: shown})

    assert name in refused.value.detail
    assert shown == "0" or len(shown) < 5 or shown not in refused.value.detail


def test_every_wrong_variable_is_named_at_once(read):
    with pytest.raises(Misconfigured) as refused:
        read(CUSTOMS_WEB_PORT="x", CUSTOMS_POLL_SECONDS="y")

    assert {"CUSTOMS_WEB_PORT", "CUSTOMS_POLL_SECONDS"} <= set(refused.value.detail.replace(":", " ").split())


@pytest.mark.parametrize(
    ("earlier", "value", "name", "now"),
    [
        ("CUSTOMS_API_RATE", "7", "api_rate_limit", 7.0),
        ("CUSTOMS_CERT_ID_CHECK", "warn", "warn_only_rules", {"cert_id_invalid"}),
        ("CUSTOMS_CERT_ID_CHECK", "block", "warn_only_rules", set()),
        ("CUSTOMS_ONE_TIME_CODES", "required", "mfa", "required"),
        ("CUSTOMS_RULES_AS_WARNINGS", "number_invalid", "warn_only_rules", {"number_invalid"}),
    ],
)
def test_a_variable_under_its_earlier_name_is_read_and_reported(read, earlier: str, value: str, name: str, now: Any):
    settings = read(**{earlier: value})

    assert getattr(settings, name) == now
    assert settings.earlier_names == (earlier,)


def test_the_rules_of_two_earlier_names_are_one_list(read):
    settings = read(CUSTOMS_CERT_ID_CHECK="warn", CUSTOMS_RULES_AS_WARNINGS="number_invalid")

    assert settings.warn_only_rules == {"cert_id_invalid", "number_invalid"}


def test_the_new_name_wins_over_the_earlier_one(read):
    assert read(CUSTOMS_API_RATE="7", CUSTOMS_API_RATE_LIMIT="9").api_rate_limit == 9.0


GOOD_SECRET = f"whsec_{base64.b64encode(bytes(range(24))).decode()}"


@pytest.mark.parametrize("url", ["https://siem.example/anchors", "http://127.0.0.1:9000/", "http://localhost/a"])
def test_anchors_are_posted_over_https_or_to_this_machine(read, url: str):
    settings = read(CUSTOMS_AUDIT_ANCHOR_URL=url, CUSTOMS_AUDIT_ANCHOR_SECRET=GOOD_SECRET)

    assert (settings.audit_anchor_url, settings.audit_anchor_secret) == (url, GOOD_SECRET)


@pytest.mark.parametrize(
    ("url", "secret", "words"),
    [
        ("http://siem.example/anchors", GOOD_SECRET, "CUSTOMS_AUDIT_ANCHOR_URL: use https"),
        ("http://127.0.0.1.example/", GOOD_SECRET, "CUSTOMS_AUDIT_ANCHOR_URL: use https"),
        ("https://siem.example/", "", "CUSTOMS_AUDIT_ANCHOR_SECRET is required"),
        ("https://siem.example/", GOOD_SECRET.removeprefix("whsec_"), "CUSTOMS_AUDIT_ANCHOR_SECRET: whsec_"),
        ("https://siem.example/", "whsec_c2hvcnQ=", "at least 24 random bytes"),
        ("https://siem.example/", "whsec_not base64", "CUSTOMS_AUDIT_ANCHOR_SECRET: whsec_"),
    ],
)
def test_anchors_go_to_nobody_in_the_clear_or_unsigned(read, url: str, secret: str, words: str):
    with pytest.raises(Misconfigured, match=words):
        read(CUSTOMS_AUDIT_ANCHOR_URL=url, CUSTOMS_AUDIT_ANCHOR_SECRET=secret)


def test_a_severity_that_there_is_not_is_refused(read):
    with pytest.raises(Misconfigured, match="CUSTOMS_CERT_ID_CHECK: use one of block, warn"):
        read(CUSTOMS_CERT_ID_CHECK="perhaps")


def test_an_empty_variable_under_its_earlier_name_is_not_set(read):
    assert read(**dict.fromkeys(RENAMED, "")) == read()


def test_earlier_names_lead_to_variables_that_exist():
    now = {str(field.data_key) for field in Variables().fields.values()}

    assert not now & set(RENAMED)
    assert set(RENAMED.values()) <= now


@pytest.mark.parametrize("missing", make.SECRETS)
def test_with_a_database_of_its_own_a_deployment_brings_its_secrets(missing: str, tmp_path: Path):
    environ = {name: secret for name, secret in make.SECRETS.items() if name != missing}

    with pytest.raises(Misconfigured) as refused:
        read_settings(environ | {"CUSTOMS_HOME": str(tmp_path), "CUSTOMS_DATABASE_URL": "postgresql://u@h/d"})

    assert missing in refused.value.detail
    assert list(tmp_path.iterdir()) == []


def test_secrets_of_the_embedded_default_are_made_once_for_the_owner_only(tmp_path: Path):
    home = tmp_path / "home"
    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(lambda _: read_settings({"CUSTOMS_HOME": str(home)}), range(8)))

    assert len({(one.secret_key, one.pii_keys) for one in read}) == 1
    assert len(read[0].secret_key) >= 32
    assert {stat.S_IMODE(file.stat().st_mode) for file in home.iterdir()} == {0o600}
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_a_socket_in_a_very_deep_home_is_put_where_its_path_fits(tmp_path: Path, read):
    deep = tmp_path / ("d" * 100)

    socket = Path(read(CUSTOMS_HOME=str(deep)).redis_url.removeprefix("unix://"))

    assert len(bytes(socket)) < 100
    assert read(CUSTOMS_HOME=str(deep)).redis_url == f"unix://{socket}"
    assert read(CUSTOMS_HOME=str(deep) + "x").redis_url != f"unix://{socket}"


@pytest.mark.parametrize("name", ["a b", "a#b", "a?db=b", "50%41", "家", "a;b", "quote'\""])
def test_a_home_of_any_name_has_a_socket_that_its_url_leads_to(tmp_path: Path, read, name: str):
    home = tmp_path / name

    url = read(CUSTOMS_HOME=str(home)).redis_url

    assert ConnectionPool.from_url(url).make_connection().path == str(redis_socket(home))


@pytest.mark.parametrize("prepared", ["open to others", "a file", "a link"])
def test_a_socket_folder_outside_the_home_that_others_could_have_made_is_refused(tmp_path: Path, prepared: str):
    home = tmp_path / ("d" * 100)
    folder = redis_socket(home).parent
    try:
        if prepared == "open to others":
            folder.mkdir()
            folder.chmod(0o755)
        elif prepared == "a file":
            folder.touch()
        else:
            folder.symlink_to(tmp_path)

        with pytest.raises(Misconfigured, match="is not a folder of this user's alone"):
            read_settings({"CUSTOMS_HOME": str(home)})

        assert read_settings({"CUSTOMS_HOME": str(home), "CUSTOMS_REDIS_URL": "redis://127.0.0.1/0"}).home == home
    finally:
        folder.rmdir() if prepared == "open to others" else folder.unlink()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
def test_a_socket_folder_of_somebody_else_is_refused(tmp_path: Path):
    folder = tmp_path / "theirs"
    folder.mkdir(mode=0o700)
    require_own_folder(folder)

    os.chown(folder, 12345, 12345)

    with pytest.raises(Misconfigured, match="is not a folder of this user's alone"):
        require_own_folder(folder)


def test_every_variable_has_a_field():
    named = {name for name, field in Variables().fields.items() if field.data_key}

    assert named == {field.name for field in fields(Settings)} - {"embedded_redis", "embedded_sandbox", "earlier_names"}


@pytest.mark.parametrize(
    ("url", "sandbox", "is_taken"),
    [
        ("http://gateway.example/api", "0", False),
        ("https://gateway.example/api", "0", True),
        ("http://127.0.0.1:8900", "0", True),
        ("http://sandbox:8900", "1", True),
        ("", "0", True),
    ],
)
def test_names_do_not_travel_in_the_open_to_a_real_gateway(url: str, sandbox: str, is_taken: bool, tmp_path: Path):
    environment = make.SECRETS | {
        "CUSTOMS_HOME": str(tmp_path),
        "WISECASHIER_BASE_URL": url,
        "CUSTOMS_SANDBOX": sandbox,
    }

    if is_taken:
        assert read_settings(environment).base_url == url or not url
    else:
        with pytest.raises(Misconfigured, match="https"):
            read_settings(environment)


@pytest.mark.parametrize("name", ["WISECASHIER_BASE_URL", "CUSTOMS_PUBLIC_URL"])
def test_an_address_that_pages_show_holds_no_password(name: str, tmp_path: Path):
    environment = make.SECRETS | {"CUSTOMS_HOME": str(tmp_path), name: "https://somebody:a-password@desk.example"}

    with pytest.raises(Misconfigured) as refused:
        read_settings(environment)

    assert "a-password" not in refused.value.detail
