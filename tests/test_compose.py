"""docker-compose.yml and Dockerfile against the product, without Docker: the schema, commands, variables, probes."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import pytest
from flask import Flask
from ruamel.yaml import YAML

from customs.app import create_app
from customs.cli import commands
from customs.config import Settings, Variables, read_settings
from customs.container import Services
from customs.gateway import Signer
from customs.ops.standalone import keep_key_pair
from customs.sandbox import SandboxSettings
from customs.sandbox.app import create_sandbox
from tests import make
from tests.journeys.gateway import clean_environ
from tests.journeys.processes import started, wait_until

ROOT = Path(__file__).parent.parent
COMPOSE_FILE = ROOT / "docker-compose.yml"
COMPOSE: dict[str, Any] = YAML(typ="safe").load(COMPOSE_FILE)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OWN = {name: service for name, service in SERVICES.items() if "build" in service}
ONE_SHOT = {name for name, service in OWN.items() if service.get("restart") == "no"}
GIVEN = make.SECRETS | {"CUSTOMS_DB_PASSWORD": "0123abcd", "CUSTOMS_REDIS_PASSWORD": "abcd0123"}
VARIABLES = {field.data_key for field in Variables().fields.values()}


def environment_of(name: str) -> dict[str, str]:
    """A service's environment with what the shell gives filled in."""
    written = OWN[name].get("environment", {})
    return {
        key: re.sub(r"\$\{(\w+)[^}]*\}", lambda shown: GIVEN.get(shown[1], "0"), str(text))
        for key, text in written.items()
    }


def parsed(command: list[str]) -> dict[str, Any]:
    """The parameters of a `customs` command line; raises UsageError when there is no such command or option."""
    program, *words = command
    assert program == "customs"
    current: click.Command = commands
    context = click.Context(current, info_name=program)
    while isinstance(current, click.Group):
        _, found, words = current.resolve_command(context, words)
        assert found is not None
        current, context = found, click.Context(found, parent=context)
    current.parse_args(context, words)
    return context.params


def test_the_file_fits_the_compose_schema() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE_FILE)]

    checked = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_part_of_the_desk_is_there() -> None:
    assert set(SERVICES) >= {"postgres", "redis", "web", "worker", "clock", "sandbox"}


@pytest.mark.parametrize("name", OWN)
def test_each_command_is_a_real_one(name: str) -> None:
    assert parsed(OWN[name]["command"]) is not None


@pytest.mark.parametrize("name", OWN)
def test_each_variable_is_a_setting(name: str) -> None:
    assert set(environment_of(name)) <= VARIABLES


def test_only_secrets_are_asked_of_the_shell_and_each_is_required() -> None:
    asked = re.findall(r"\$\{(\w+)([^}]*)\}", COMPOSE_FILE.read_text())

    assert {name for name, rest in asked if rest.startswith(":?")} == {
        "CUSTOMS_SECRET_KEY",
        "CUSTOMS_PII_KEYS",
        "CUSTOMS_DB_PASSWORD",
        "CUSTOMS_REDIS_PASSWORD",
    }
    assert [name for name, rest in asked if not rest.startswith(":?")] == ["CUSTOMS_TRUSTED_PROXIES", "CUSTOMS_HOST"]


def test_the_processes_share_one_database_one_redis_one_gateway() -> None:
    read: list[Settings] = [read_settings(environment_of(name)) for name in ("migrate", "web", "worker", "clock")]

    addresses = {(one.database_url, one.redis_url, one.base_url, one.agent_no, one.sandbox) for one in read}
    database = "postgresql+psycopg://customs:0123abcd@postgres/customs"
    assert addresses == {(database, "redis://:abcd0123@redis:6379/0", "http://sandbox:8900", "SANDBOX", True)}


def test_the_addresses_are_those_of_services_that_listen_there() -> None:
    gateway = urlsplit(environment_of("worker")["WISECASHIER_BASE_URL"])

    assert parsed(SERVICES[str(gateway.hostname)]["command"])["port"] == gateway.port
    assert {"postgres", "redis"} <= set(SERVICES)


@pytest.mark.parametrize("name", sorted(set(SERVICES) - ONE_SHOT))
def test_each_lasting_service_has_a_probe(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"


@pytest.mark.parametrize("name", ["web", "sandbox"])
def test_each_probed_path_is_a_route_on_the_port_that_is_served(name: str, tmp_path: Path) -> None:
    (url,) = re.findall(r"http://[^']+", " ".join(OWN[name]["healthcheck"]["test"]))

    assert urlsplit(url).path in {rule.rule for rule in _app(name, tmp_path).url_map.iter_rules()}
    assert urlsplit(url).port == parsed(OWN[name]["command"])["port"]
    assert parsed(OWN[name]["command"])["host"] == "0.0.0.0"


def _app(name: str, home: Path) -> Flask:
    if name == "web":
        return create_app(Services(read_settings({"CUSTOMS_HOME": str(home)})))
    keep_key_pair(home, "agent")
    return create_sandbox(SandboxSettings("SANDBOX", home / "agent_public.pem"))


@pytest.mark.skipif(sys.platform != "linux", reason="the probe reads /proc, as it does in the container")
@pytest.mark.parametrize("name", ["worker", "clock"])
def test_the_probe_of_a_process_that_listens_nowhere_finds_it_by_its_name(name: str, tmp_path: Path) -> None:
    program, *words = OWN[name]["command"]
    environ = clean_environ() | {"CUSTOMS_HOME": str(tmp_path)}
    command = [sys.executable, "-m", program, *words]

    with started(command, environ, tmp_path / "log", None) as process:
        probe = [word.replace("/proc/1/", f"/proc/{process.pid}/") for word in OWN[name]["healthcheck"]["test"][1:]]
        wait_until(lambda: subprocess.run(probe, check=False).returncode == 0, "the probe is content")

        assert process.runs


def test_what_one_waits_for_exists_and_is_what_it_can_wait_for() -> None:
    waits = [
        (name, on, how["condition"]) for name, one in SERVICES.items() for on, how in one.get("depends_on", {}).items()
    ]

    wrong = [
        (name, on, condition)
        for name, on, condition in waits
        if on not in SERVICES or (condition == "service_completed_successfully") != (on in ONE_SHOT)
    ]
    assert waits
    assert wrong == []


def test_the_key_pair_is_made_where_worker_and_sandbox_look_for_it(tmp_path: Path) -> None:
    folder = str(parsed(OWN["keys"]["command"])["folder"])

    keep_key_pair(tmp_path, "agent")

    made = {f"{folder}/{file.name}" for file in tmp_path.iterdir()}
    assert environment_of("worker")["WISECASHIER_PRIVATE_KEY_FILE"] in made
    assert str(parsed(OWN["sandbox"]["command"])["agent_key"]) in made
    for name in ("keys", "worker", "sandbox"):
        assert any(volume.startswith(f"keys:{folder}") for volume in OWN[name]["volumes"])
    assert Signer.from_file(tmp_path / "agent_private.pem")


def test_every_volume_is_declared() -> None:
    mounted = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", ())}

    assert mounted == set(COMPOSE["volumes"])


def test_the_image_is_built_from_the_lock_and_runs_as_nobody_special() -> None:
    instructions = [line.split() for line in (ROOT / "Dockerfile").read_text().splitlines() if line]

    copied = [
        source for words in instructions if words[0] == "COPY" and words[1] != "--from=build" for source in words[1:-1]
    ]
    users = [words[1] for words in instructions if words[0] == "USER"]
    assert [source for source in copied if not (ROOT / source).exists()] == []
    assert any("--require-hashes" in words and "/tmp/requirements.lock" in words for words in instructions)
    assert users == ["10001:10001"]
    assert instructions[-1][0] == "CMD"
    # What is only for building stays in the first stage.
    assert next(words for words in instructions if words[0] == "FROM")[2:] == ["AS", "build"]


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_may_gain_rights(name: str) -> None:
    assert SERVICES[name]["security_opt"] == ["no-new-privileges:true"]
    assert SERVICES[name]["mem_limit"]


@pytest.mark.parametrize("name", [name for name in SERVICES if name != "postgres"])
def test_a_service_has_no_capability_it_does_not_need_and_a_file_system_to_read(name: str) -> None:
    assert SERVICES[name]["cap_drop"] == ["ALL"]
    assert SERVICES[name]["read_only"] is True


def test_the_queue_takes_a_password_and_is_reached_by_those_who_use_it_alone() -> None:
    on_queue = {name for name, one in SERVICES.items() if "queue" in one.get("networks", ())}

    assert on_queue == {"redis", "web", "worker", "clock"}
    assert SERVICES["redis"]["networks"] == ["queue"]
    assert COMPOSE["networks"]["queue"] == COMPOSE["networks"]["data"] == {"internal": True}
    assert "--requirepass ${CUSTOMS_REDIS_PASSWORD:?" in SERVICES["redis"]["command"]


def test_every_network_and_every_volume_of_a_home_is_there() -> None:
    used = {network for one in SERVICES.values() for network in one.get("networks", ())}

    assert used == set(COMPOSE["networks"])
    assert all(any(volume.endswith(":/state") for volume in one["volumes"]) for one in OWN.values())
    assert [name for name, one in OWN.items() if "networks" not in one and one.get("network_mode") != "none"] == []


def test_only_this_machine_reaches_the_desk_without_the_proxy() -> None:
    ports = {name: one["ports"] for name, one in SERVICES.items() if "ports" in one}

    assert set(ports) == {"web", "proxy"}
    assert all(port.startswith("127.0.0.1:") for port in ports["web"])
    assert SERVICES["proxy"]["profiles"] == ["tls"]


def test_what_is_copied_into_the_image_is_not_ignored_and_nothing_else_is_sent() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    copied = {
        source.rstrip("/")
        for line in (ROOT / "Dockerfile").read_text().splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for source in line.split()[1:-1]
    }

    assert "*" in lines
    assert {line[1:] for line in lines if line.startswith("!")} == copied


def test_no_image_comes_from_a_named_registry() -> None:
    images = [service["image"] for service in SERVICES.values()]

    assert [image for image in images if "/" in image] == []
