"""The manifests for Kubernetes fit its own description, name what exists, and give no pod a right it does not need."""

import hashlib
import json
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from customs.cli import commands
from customs.config import Variables

HERE = Path(__file__).parent
FOLDER = HERE.parents[1] / "ops" / "kubernetes"
DEFINITIONS = json.loads((HERE / "definitions.json").read_text())
API = {
    "Deployment": "io.k8s.api.apps.v1.Deployment",
    "Job": "io.k8s.api.batch.v1.Job",
    "Service": "io.k8s.api.core.v1.Service",
    "ConfigMap": "io.k8s.api.core.v1.ConfigMap",
    "PersistentVolumeClaim": "io.k8s.api.core.v1.PersistentVolumeClaim",
    "PodDisruptionBudget": "io.k8s.api.policy.v1.PodDisruptionBudget",
    "NetworkPolicy": "io.k8s.api.networking.v1.NetworkPolicy",
}
OBJECTS: list[dict[str, Any]] = [
    one for file in sorted(FOLDER.glob("*.yml")) for one in YAML(typ="safe", pure=True).load_all(file)
]
PODS: dict[str, dict[str, Any]] = {
    one["metadata"]["name"]: one["spec"]["template"]["spec"] for one in OBJECTS if "template" in one.get("spec", {})
}
LASTING = {name: pod for name, pod in PODS.items() if "restartPolicy" not in pod}


def title(one: dict[str, Any]) -> str:
    return f"{one['kind']} {one['metadata']['name']}"


def wrong(one: dict[str, Any]) -> list[str]:
    """What Kubernetes would refuse."""
    validator = Draft202012Validator({"$ref": f"#/$defs/{API[one['kind']]}", "$defs": DEFINITIONS["$defs"]})
    return [f"{'/'.join(map(str, error.path))}: {error.message[:200]}" for error in validator.iter_errors(one)]


def test_the_description_is_the_one_that_is_named() -> None:
    vendored = tomllib.loads((HERE / "vendored.toml").read_text())

    assert {"name", "version", "licence"} <= set(vendored)
    assert (
        hashlib.sha256((HERE / "definitions.json").read_bytes()).hexdigest() == vendored["sha256"]["definitions.json"]
    )


@pytest.mark.parametrize("one", OBJECTS, ids=title)
def test_an_object_is_one_that_kubernetes_takes(one: dict[str, Any]) -> None:
    assert wrong(one) == []


def test_a_misspelt_field_would_be_found() -> None:
    (web,) = [one for one in OBJECTS if title(one) == "Deployment customs-web"]

    assert wrong(web | {"spec": web["spec"] | {"replica": 2}})
    assert wrong(web | {"spec": web["spec"] | {"replicas": "two"}})


@pytest.mark.parametrize("name", PODS)
def test_a_pod_runs_a_command_that_exists_without_rights(name: str) -> None:
    pod = PODS[name]
    (container,) = pod["containers"]
    program, *words = container["command"]

    assert program == "customs"
    command: click.Command = commands
    while isinstance(command, click.Group) and words:
        command = command.commands[words.pop(0)]
    assert {word for word in words if word.startswith("--")} <= {
        opt for parameter in command.params for opt in parameter.opts
    }
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 10001
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"]
    mounted, there = {one["name"] for one in container["volumeMounts"]}, {one["name"] for one in pod["volumes"]}
    assert mounted == there


@pytest.mark.parametrize("name", LASTING)
def test_a_lasting_pod_is_probed_and_has_time_to_end(name: str) -> None:
    (container,) = LASTING[name]["containers"]

    assert "livenessProbe" in container
    assert LASTING[name]["terminationGracePeriodSeconds"] == 45


def test_every_setting_is_one_and_no_secret_is_among_them() -> None:
    (settings,) = [one["data"] for one in OBJECTS if one["kind"] == "ConfigMap"]

    assert set(settings) <= {field.data_key for field in Variables().fields.values()}
    assert not {"CUSTOMS_SECRET_KEY", "CUSTOMS_PII_KEYS", "CUSTOMS_DATABASE_URL", "CUSTOMS_REDIS_URL"} & set(settings)


def test_what_can_be_more_than_one_keeps_one_while_nodes_are_drained() -> None:
    kept = {one["spec"]["selector"]["matchLabels"]["part"] for one in OBJECTS if one["kind"] == "PodDisruptionBudget"}
    several = {
        one["metadata"]["labels"]["part"]
        for one in OBJECTS
        if one["kind"] == "Deployment" and one["spec"]["replicas"] > 1
    }

    assert kept == several == {"web", "worker"}


def test_the_read_me_applies_every_file() -> None:
    text = (FOLDER / "README.md").read_text()

    assert [file.name for file in FOLDER.glob("*.yml") if f"ops/kubernetes/{file.name}" not in text] == []
