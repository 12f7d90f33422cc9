"""The calls and the programs that the documents show run as they stand."""

import ast
import html
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from customs.app import create_app
from customs.auth.api_keys import create_api_key
from customs.container import Services
from customs.db import database
from customs.site.openapi import examples
from tests.docs.documents import API, GATEWAY_CLIENT, ROOT
from tests.journeys.gateway import running_gateway

# The status that a call answers, and which of its words goes into a variable of the shell.
CALL = re.compile(
    r'^# (\d{3})(?:\. Put the "(\w+)"( of the first)? into (\w+))?\n(curl .*?)(?=^# \d{3}|\Z)', re.MULTILINE | re.DOTALL
)


def test_the_walk_through_of_the_api_answers_what_it_says(services: Services) -> None:
    client = create_app(services).test_client()
    shell = {"KEY": new_key(services)}
    calls = [call for kind, block in API.fenced if kind == "sh" for call in CALL.findall(block)]

    for status, field, first, variable, line in calls:
        method, address, headers, body = read_curl(line, shell)
        answer = client.open(address, method=method, headers=headers, data=body)
        assert answer.status_code == int(status), f"{line}\n{answer.text}"
        if variable:
            shell[variable] = (answer.json["data"][0] if first else answer.json)[field]

    assert len(calls) == sum(block.count("curl ") for _, block in API.fenced)
    assert len(calls) >= 10


def read_curl(line: str, shell: dict[str, str]) -> tuple[str, str, dict[str, str], str | None]:
    """Take a curl line apart: method, address without host, headers, body."""
    words = iter(shlex.split(re.sub(r"\$(\w+)", lambda found: shell[found[1]], line.replace("\\\n", " ")))[1:])
    method, address, headers, body = "", "", {}, None
    for word in words:
        if word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-X":
            method = next(words)
        elif word == "-d":
            body = next(words)
        else:
            parts = urlsplit(word)
            address = f"{parts.path}?{parts.query}"
    return method or ("GET" if body is None else "POST"), address, headers, body


def new_key(services: Services) -> str:
    with services.transaction() as db:
        return create_api_key(db, "a reader", sandbox=True, scopes=(), merchants=(), now=database.now(db))


def test_the_batches_shown_are_accepted_as_they_stand_one_after_the_other(services: Services) -> None:
    """A newcomer tries those of docs/api.md, of the guide and of the API's page on one desk."""
    call = next(block for kind, block in API.fenced if kind == "sh" and "curl" in block)
    client = create_app(services).test_client()
    guide = html.unescape(client.get("/docs/guide").text)
    of_the_guide = re.findall(r"/api/v1/batches -d '\n(.*?)'", guide, re.DOTALL)[0]
    in_python = ast.literal_eval(re.findall(r"^order = (\{.*?^\})", guide, re.DOTALL | re.MULTILINE)[0])
    of_the_page = [json.dumps(example) for example in examples.BATCHES.values()]
    bodies = [call.split("'")[1], of_the_guide, json.dumps({"declarations": [in_python]}), *of_the_page]
    headers = {"Authorization": f"Bearer {new_key(services)}", "Content-Type": "application/json"}

    answers = [client.post("/api/v1/batches", data=body, headers=headers) for body in bodies]

    assert [(answer.status_code, answer.json["counts"]["total"]) for answer in answers] == [(202, 1)] * len(bodies)


def test_the_example_of_the_client_runs(tmp_path: Path) -> None:
    (example,) = [block for kind, block in GATEWAY_CLIENT.fenced if kind == "python"]

    with running_gateway(tmp_path) as gateway:
        ran = subprocess.run(
            [sys.executable, "-c", example.replace("http://127.0.0.1:8900", gateway.url)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    assert (ran.returncode, ran.stdout.split()[:1]) == (0, ["UNDECLARED"]), ran.stderr
