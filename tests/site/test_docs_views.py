"""The documentation's pages: whole by themselves, strict, made of files that are what they say."""

import re

import pytest

from customs.site import docs_views
from customs.site.openapi.document import OPERATIONS
from tests.api.conftest import client, database_url, erp, key_for  # noqa: F401


@pytest.mark.parametrize("path", ["/docs", "/docs/guide", "/errors"])
def test_a_page_holds_nothing_inline_and_asks_nothing_of_others(client, path: str):  # noqa: F811
    page = client.get(path)

    assert page.status_code == 200
    assert "'unsafe" not in page.headers["Content-Security-Policy"]
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page.text)
    assert all(link.startswith(("/", "#", "data:")) for link in re.findall(r'(?:src|href)="([^"]*)"', page.text))


def test_the_reference_is_kept_until_it_changes(client):  # noqa: F811
    first = client.get("/docs")
    again = client.get("/docs", headers={"If-None-Match": first.headers["ETag"]})

    assert (first.status_code, again.status_code) == (200, 304)


def test_the_reference_shows_every_call_and_every_schema(client):  # noqa: F811
    page = client.get("/docs").text

    anchors = set(re.findall(r'id="([^"]+)"', page))
    assert {row.name for row in OPERATIONS} | {f"schema-{name}" for name in docs_views.schemas()} <= anchors
    # Whatever it points to on the page is there.
    assert set(re.findall(r'href="#([^"]+)"', page)) <= anchors


def test_the_reference_names_each_field_with_what_it_holds():
    fields = {field.name: field for field in docs_views.fields_of(docs_views.schemas()["DeclarationIn"])}

    assert fields["channel"].kind == "wechatpay | alipay" and fields["channel"].required
    assert fields["sub_orders"].of == "SubOrderIn" and not fields["sub_orders"].required


def test_the_first_call_of_the_guide_is_taken_as_it_stands(client, erp):  # noqa: F811
    page = client.get("/docs/guide").text.replace("&#34;", '"').replace("&#39;", "'")

    (body,) = set(re.findall(r"/api/v1/batches -d '\n(.*?)'", page, re.DOTALL))
    answer = erp.call("POST", "/batches", data=body.encode(), content_type="application/json")

    assert answer.status_code == 202, answer.text
