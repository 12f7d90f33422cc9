"""The OpenAPI document says what the API does: every route has its row, every answer has its schema."""

import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from customs.site.openapi.document import OPERATIONS, PREFIX, document
from tests import make
from tests.api.conftest import Erp, client, database_url, erp, key_for, limited, stranger  # noqa: F401

NOT_DESCRIBED = {"GET /openapi.json"}
NO_SUCH = "0" * 32


@pytest.fixture
def described(client) -> dict[str, Any]:  # noqa: F811
    answer = client.get(f"{PREFIX}/openapi.json")
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    return answer.json


def closed(shape: Any) -> Any:
    """The same schema taking no field that it does not name: an answer may hold nothing undocumented."""
    if isinstance(shape, list):
        return [closed(one) for one in shape]
    if not isinstance(shape, dict):
        return shape
    below = {name: closed(value) for name, value in shape.items()}
    return {"additionalProperties": False} | below if "properties" in below and below.get("type") == "object" else below


def faults_of(answer, method: str, path: str, described: dict[str, Any]) -> list[str]:
    """What an answer has against its description."""
    told = described["paths"][path][method.lower()]["responses"].get(str(answer.status_code))
    if told is None:
        return [f"{answer.status_code} is not documented"]
    (content_type,) = told.get("content", {"": None})
    if not content_type:
        return ["a body where none is documented"] if answer.data else []
    whole = told["content"][content_type]["schema"] | {"components": closed(described["components"])}
    found = [error.message for error in Draft202012Validator(whole).iter_errors(answer.json)]
    return found if answer.content_type == content_type else [answer.content_type, *found]


def as_in_the_document(rule: str) -> str:
    return re.sub(r"<(?:[a-z]+:)?([a-z_]+)>", r"{\1}", rule.removeprefix(PREFIX))


def test_every_route_has_its_row_and_every_row_is_a_route(client):  # noqa: F811
    routes = {
        f"{method} {as_in_the_document(rule.rule)}"
        for rule in client.application.url_map.iter_rules()
        if rule.rule.startswith(f"{PREFIX}/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }

    assert {f"{row.method} {row.path}" for row in OPERATIONS} == routes - NOT_DESCRIBED


def test_the_names_of_operations_are_different():
    names = [row.name for row in OPERATIONS]

    assert len(names) == len(set(names))


def test_every_schema_is_used_and_every_reference_leads_to_one():
    text = json.dumps(document())

    named = set(re.findall(r'"#/components/schemas/(\w+)"', text))
    assert named == set(document()["components"]["schemas"])


@pytest.mark.parametrize("name", document()["components"]["schemas"])
def test_every_schema_is_one(name: str):
    Draft202012Validator.check_schema(document()["components"]["schemas"][name])


@pytest.mark.parametrize(
    ("row", "body"),
    [pytest.param(row, body, id=f"{row.name}: {title}") for row in OPERATIONS for title, body in row.examples.items()],
)
def test_every_example_has_the_shape_of_its_body(row, body):
    whole = {"$ref": f"#/components/schemas/{row.body}", "components": document()["components"]}

    assert [error.message for error in Draft202012Validator(whole).iter_errors(body)] == []


@pytest.mark.parametrize("row", [row for row in OPERATIONS if row.scope], ids=lambda row: row.name)
@pytest.mark.parametrize("key", ["none", "all"])
def test_what_nobody_prepared_is_answered_as_documented(erp, described, row, key: str):  # noqa: F811
    """Without a key; and with one, for things that are not there, with a body that says nothing."""
    path = re.sub(r"{(\w+)_id}", NO_SUCH, row.path)
    headers = {"Authorization": "Bearer nothing"} if key == "none" else {}

    answer = erp.call(row.method, path, headers=headers, **({"json": {}} if row.body else {}))

    assert faults_of(answer, row.method, row.path, described) == []
    assert answer.status_code == 401 if key == "none" else answer.status_code < 500


def test_the_answers_of_a_split_order_are_as_documented(erp, described):  # noqa: F811
    row = make.declaration_row(sub_orders=[make.sub_order_row()], buyer={"name": "李雷", "cert_id": make.cert_id()})
    made = erp.post("/batches", {"declarations": [row]}, Idempotency_Key="one")
    listed = erp.get("/declarations", batch_id=made.json["id"])
    told = erp.get(f"/declarations/{listed.json['data'][0]['id']}")
    name = f"/declarations/{told.json['id']}"
    events, refused = erp.get(f"{name}/events"), erp.post(f"{name}/dismiss", {"reason": "x"})
    again = erp.call("GET", name, headers={"If-None-Match": told.headers["ETag"]})
    checked = erp.post("/declarations/preflight", {"declarations": [row | {"office": "NOWHERE"}, 7]})
    rejected = erp.post("/batches", {"declarations": [row | {"duty": "8"}]})

    answers = {
        ("POST", "/batches"): [made, rejected],
        ("GET", "/declarations"): [listed],
        ("GET", "/declarations/{declaration_id}"): [told, again],
        ("GET", "/declarations/{declaration_id}/events"): [events],
        ("POST", "/declarations/{declaration_id}/dismiss"): [refused],
        ("POST", "/declarations/preflight"): [checked],
    }
    assert [one.status_code for some in answers.values() for one in some] == [202, 422, 200, 200, 304, 200, 409, 200]
    for (method, path), some in answers.items():
        assert [faults_of(one, method, path, described) for one in some] == [[] for _ in some]
