"""The table of settings says what customs/config.py says: every variable, every default."""

import re
from pathlib import Path
from typing import Any

import pytest

from customs.config import BY_GATEWAY, Variables, read_settings
from customs.jobs.failpoints import Failpoints
from tests.docs.documents import CONFIGURATION

# Typed from the contract, which is kept elsewhere: these names are public.
PUBLIC_VARIABLES = {
    "CUSTOMS_DATABASE_URL",
    "CUSTOMS_REDIS_URL",
    "CUSTOMS_HOME",
    "CUSTOMS_SECRET_KEY",
    "CUSTOMS_PII_KEYS",
    "WISECASHIER_BASE_URL",
    "WISECASHIER_AGENT_NO",
    "WISECASHIER_PRIVATE_KEY_FILE",
    "WISECASHIER_PUBLIC_KEY_FILE",
    "WISECASHIER_VERSION",
    "CUSTOMS_POLL_SECONDS",
    "CUSTOMS_UNKNOWN_GRACE_SECONDS",
    "CUSTOMS_ALIPAY_REPUSH_SECONDS",
    "CUSTOMS_WARN_ONLY_RULES",
    "CUSTOMS_GATEWAY_CONCURRENCY",
    "CUSTOMS_GATEWAY_RATE",
    "CUSTOMS_GATEWAY_TIMEOUT_SECONDS",
}
VARIABLES = {str(field.data_key): (name, field.load_default) for name, field in Variables().fields.items()}
KEPT_IN_A_FILE = ("secret_key", "pii_keys")


def test_every_variable_is_in_the_table_and_every_row_is_a_variable() -> None:
    documented = [row[0].strip("`") for row in CONFIGURATION.table("variable")]

    assert sorted(documented) == sorted([*VARIABLES, Failpoints.VARIABLE])


def test_the_public_variables_of_the_contract_are_settings() -> None:
    assert set(VARIABLES) >= PUBLIC_VARIABLES


@pytest.mark.parametrize("variable", VARIABLES)
def test_the_default_in_the_table_is_the_one_in_force(variable: str, tmp_path: Path) -> None:
    (cell,) = [row[2] for row in CONFIGURATION.table("variable") if row[0] == f"`{variable}`"]
    name, default = VARIABLES[variable]

    settings = read_settings({"CUSTOMS_HOME": str(tmp_path)})

    in_force = getattr(settings, name)
    first, *_ = [*re.findall(r"`([^`]+)`", cell), ""]
    if name in BY_GATEWAY:
        assert cell == "`{}` (sandbox: `{}`)".format(*map(_shown, BY_GATEWAY[name]))
    elif name in KEPT_IN_A_FILE:
        assert (tmp_path / first).read_text() in (in_force, *in_force)
    elif "in `CUSTOMS_HOME`" in cell:
        assert str(in_force).endswith(f"/{first}")
    else:
        assert first == _shown(default or in_force)


def _shown(value: Any) -> str:
    """A setting as one would write it into the environment."""
    if isinstance(value, frozenset):
        return ",".join(sorted(value))
    return f"{value:g}" if isinstance(value, (bool, int, float)) else str(value)
