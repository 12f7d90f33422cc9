"""The doctor finds secrets that can be guessed or stand twice, and files that others can read; we create none such."""

import base64
import os
import random
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from customs.config import Settings, keep_files_private, read_settings
from customs.container import Services
from customs.ops.doctor import check_files, check_secrets, is_weak, run_checks
from customs.ops.health_checks import CheckResult
from tests.journeys.gateway import clean_environ

RANDOM = random.Random(7)
STRONG = [base64.urlsafe_b64encode(RANDOM.randbytes(32)).decode().rstrip("=") for _ in range(3)]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home as `customs up` keeps it, at the real gateway."""
    home = tmp_path / "home"
    settings = read_settings({"CUSTOMS_HOME": str(home), "WISECASHIER_BASE_URL": "https://gateway.example"})
    (home / "agent_private.pem").touch(mode=0o600)
    (home / "customs.db").touch(mode=0o600)
    (home / "logs").mkdir(mode=0o700)
    (home / "logs" / "web.log").touch(mode=0o600)
    return settings


def of_secrets(settings: Settings) -> list[CheckResult]:
    return list(check_secrets(Services(settings)))


def of_files(settings: Settings) -> list[CheckResult]:
    return list(check_files(Services(settings)))


@pytest.mark.parametrize(
    "secret",
    [
        "k" * 64,
        "0123456789" * 5,
        "abcabcabcabcabcabcabcabcabcabc",
        "xK9" * 12,
        "0101011010010101010101010111010101010101",
        "my-secret-key-of-production-2026-09",
        "CHANGE_ME_please_before_the_start_5",
        "correct-horse-Password-battery-9",
        "aB3dE6gH9jK2mN5p",
    ],
)
def test_a_secret_that_can_be_guessed_is_weak(secret: str):
    assert is_weak(secret)


@pytest.mark.parametrize("bytes_", [16, 24, 32])
@pytest.mark.parametrize("written", [bytes.hex, lambda raw: base64.b64encode(raw).decode()], ids=["hex", "base64"])
def test_random_bytes_are_strong_however_they_are_written(bytes_: int, written):
    made = [written(RANDOM.randbytes(bytes_)) for _ in range(200)]

    # By chance hexadecimal digits are few; a word of five letters comes up hardly ever.
    assert sum(map(is_weak, made)) <= 40
    assert not any(map(is_weak, STRONG))


def test_secrets_that_the_desk_makes_are_strong_and_each_its_own(settings: Settings):
    assert [(one.verdict, one.part) for one in of_secrets(settings)] == [("ok", "secrets")]


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"secret_key": "k" * 40}, "CUSTOMS_SECRET_KEY can be guessed"),
        ({"pii_keys": (STRONG[0], "k" * 40)}, "CUSTOMS_PII_KEYS can be guessed"),
        ({"metrics_token": "metricsmetricsmetricsmetrics"}, "CUSTOMS_METRICS_TOKEN can be guessed"),
        ({"secret_key": STRONG[0], "pii_keys": (STRONG[0],)}, "twice in CUSTOMS_PII_KEYS, CUSTOMS_SECRET_KEY"),
        ({"pii_keys": (STRONG[0], STRONG[0])}, "the same secret stands twice in CUSTOMS_PII_KEYS"),
        ({"metrics_token": STRONG[1], "secret_key": STRONG[1]}, "CUSTOMS_METRICS_TOKEN, CUSTOMS_SECRET_KEY"),
    ],
)
def test_the_doctor_names_the_variable_and_never_the_secret(settings: Settings, changes, found: str):
    (result,) = of_secrets(replace(settings, **changes))

    assert (result.verdict, found in result.finding) == ("wrong", True)
    assert "customs keys generate" in result.remedy
    assert not any(secret in result.finding for secret in [*STRONG, "k" * 40])


def test_at_the_sandbox_a_weak_secret_is_a_note(settings: Settings):
    (result,) = of_secrets(replace(settings, sandbox=True, secret_key="k" * 40))

    assert result.verdict == "note"


def test_a_home_that_only_its_owner_reads_is_in_order(settings: Settings):
    assert [one.verdict for one in of_files(settings)] == ["ok"]


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("secret_key", 0o644),
        ("pii_keys", 0o604),
        ("agent_private.pem", 0o644),
        ("customs.db", 0o644),
        ("logs/web.log", 0o666),
        ("logs/web.log", 0o620),
    ],
)
def test_a_file_that_others_can_come_to_is_named_with_what_to_do(settings: Settings, name: str, mode: int):
    file = settings.home / name
    file.parent.chmod(0o711)
    settings.home.chmod(0o711)
    file.chmod(mode)

    found = {str(one.finding): one for one in of_files(settings) if one.verdict == "wrong"}

    result = next(one for text, one in found.items() if text.endswith(str(file)))
    assert result.remedy == f"`chmod u=rwX,go= {file}`"


def test_the_remedy_mends_it(settings: Settings):
    settings.home.chmod(0o755)
    (settings.home / "customs.db").chmod(0o644)

    for one in of_files(settings):
        subprocess.run(str(one.remedy).strip("`"), shell=True, check=True)

    assert [one.verdict for one in of_files(settings)] == ["ok"]


def test_a_file_in_a_folder_that_nobody_else_enters_is_no_finding(settings: Settings):
    (settings.home / "customs.db").chmod(0o644)

    assert [one.verdict for one in of_files(settings)] == ["ok"]


def test_only_the_operator_at_the_terminal_hears_of_secrets_and_files(services: Services):
    parts = {"secrets", "files"}

    assert parts <= {one.part for one in run_checks(services)}
    assert not parts & {one.part for one in run_checks(services, thoroughly=False)}


def test_what_a_process_creates_is_its_owners_only(tmp_path: Path):
    before = os.umask(0o022)
    try:
        keep_files_private()
        (tmp_path / "file").touch()
        (tmp_path / "folder").mkdir()
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "folder").stat().st_mode) == 0o700


@pytest.mark.parametrize("command", [("-m", "customs", "db", "upgrade"), ("-m", "customs", "keys", "generate", "keys")])
def test_a_command_leaves_nothing_that_others_can_read(tmp_path: Path, command: tuple[str, ...]):
    environ = clean_environ() | {"CUSTOMS_HOME": str(tmp_path / "home"), "PYTHONDONTWRITEBYTECODE": "1"}

    subprocess.run([sys.executable, *command], env=environ, cwd=tmp_path, check=True, umask=0, capture_output=True)

    created = list(tmp_path.rglob("*"))
    assert created
    assert [path for path in created if path.stat().st_mode & 0o077] == []
