"""The documentation's pages: whole by themselves, strict, made of files that are what they say."""

import hashlib
import re
import tomllib

import pytest

from customs.web.docs import ASSETS, STATIC
from tests.api.conftest import client, database_url, erp, key_for  # noqa: F401

VENDORED = tomllib.loads((STATIC / "swagger-ui" / "vendored.toml").read_text())


def test_what_was_taken_over_is_what_it_says():
    held = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in (STATIC / "swagger-ui").iterdir()
        if file.name != "vendored.toml"
    }

    assert {"name", "version", "licence"} <= VENDORED.keys()
    assert held == VENDORED["sha256"]


@pytest.mark.parametrize("path", ["/docs", "/docs/guide", "/errors"])
def test_a_page_holds_nothing_inline_and_asks_nothing_of_others(client, path: str):  # noqa: F811
    page = client.get(path)

    assert page.status_code == 200
    assert "'unsafe" not in page.headers["Content-Security-Policy"]
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page.text)
    assert all(link.startswith(("/", "#", "data:")) for link in re.findall(r'(?:src|href)="([^"]*)"', page.text))


@pytest.mark.parametrize("name", ASSETS)
def test_a_file_is_kept_until_it_changes(client, name: str):  # noqa: F811
    first = client.get(f"/docs/assets/{name}")
    again = client.get(f"/docs/assets/{name}", headers={"If-None-Match": first.headers["ETag"]})

    assert (first.status_code, again.status_code) == (200, 304)
    assert client.get("/docs/assets/vendored.toml").status_code == 404


def test_the_first_call_of_the_guide_is_taken_as_it_stands(client, erp):  # noqa: F811
    page = client.get("/docs/guide").text.replace("&#34;", '"').replace("&#39;", "'")

    (body,) = set(re.findall(r"/api/v1/batches -d '\n(.*?)'", page, re.DOTALL))
    answer = erp.call("POST", "/batches", data=body.encode(), content_type="application/json")

    assert answer.status_code == 202, answer.text
