"""What one machine chooses when nothing else is said: its gateway, its keys, and that a home is run by one."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from customs.config import read_settings
from customs.errors import Misconfigured
from customs.ops.standalone import HomeInUse, Standalone, keep_key_pair


def standalone(home: Path, environ: Mapping[str, str], upgrade: Callable[[], None] = lambda: None) -> Standalone:
    environ = {"CUSTOMS_HOME": str(home), **environ}
    return Standalone(read_settings(environ), upgrade, environ=environ, port=0, sandbox_port=0)


def test_the_sandbox_is_our_own_unless_a_gateway_was_named(tmp_path: Path) -> None:
    own = standalone(tmp_path, {})
    theirs = standalone(tmp_path, {"WISECASHIER_BASE_URL": "https://gateway.example", "WISECASHIER_AGENT_NO": "42"})

    assert own.sandbox_url == own.environ["WISECASHIER_BASE_URL"]
    assert own.environ["WISECASHIER_PRIVATE_KEY_FILE"] == str(tmp_path / "agent_private.pem")
    assert theirs.sandbox_url is None
    assert theirs.environ["WISECASHIER_BASE_URL"] == "https://gateway.example"
    assert theirs.environ["WISECASHIER_AGENT_NO"] == "42"


def test_what_the_children_read_says_what_was_chosen(tmp_path: Path) -> None:
    chosen = standalone(tmp_path, {})

    settings = read_settings(chosen.environ)

    assert (settings.home, settings.sandbox, settings.base_url) == (tmp_path, True, chosen.sandbox_url)


def test_a_home_is_run_by_one_at_a_time(tmp_path: Path) -> None:
    def second() -> None:
        with pytest.raises(HomeInUse, match=f"process {os.getpid()}"):
            standalone(tmp_path, {}).__enter__()
        raise Misconfigured("seen")

    with pytest.raises(Misconfigured, match="seen"):
        standalone(tmp_path, {}, upgrade=second).__enter__()


def test_keys_are_made_once_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    keep_key_pair(tmp_path, "agent")
    private, public = tmp_path / "agent_private.pem", tmp_path / "agent_public.pem"
    made = private.read_bytes(), public.read_bytes()
    public.unlink()

    keep_key_pair(tmp_path, "agent")

    assert (private.read_bytes(), public.read_bytes()) == made
    assert made[0].startswith(b"-----BEGIN RSA PRIVATE KEY-----")
    assert private.stat().st_mode & 0o777 == 0o600


def test_a_private_key_that_cannot_be_read_is_never_replaced(tmp_path: Path) -> None:
    private = tmp_path / "agent_private.pem"
    private.write_text("not a key")

    with pytest.raises(Misconfigured, match=r"agent_private\.pem"):
        keep_key_pair(tmp_path, "agent")

    assert private.read_text() == "not a key"
