"""The OpenAPI document says what the API does: every route has its row, every answer has its schema."""

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from customs.site.openapi.document import GLOSSARY, OPERATIONS, PREFIX, document, schema_name
from tests import make
from tests.api.conftest import Erp, client, database_url, erp, key_for, limited, stranger  # noqa: F401
from tests.api.described import as_in_the_document, deviations

NOT_DESCRIBED = {"GET /openapi.json"}
NO_SUCH = "0" * 32
# The OpenAPI Initiative's own, under the Apache License 2.0.
OPENAPI_31 = Path(__file__).with_name("openapi-3.1.schema.json")
SCHEMAS = document()["components"]["schemas"]


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


def test_the_document_is_served_as_it_is(client):  # noqa: F811
    answer = client.get(f"{PREFIX}/openapi.json")

    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert answer.json == json.loads(json.dumps(document()))


def test_the_document_is_openapi_3_1():
    errors = Draft202012Validator(json.loads(OPENAPI_31.read_text())).iter_errors(document())

    assert [f"{error.json_path}: {error.message}" for error in errors] == []


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_one(name: str):
    Draft202012Validator.check_schema(SCHEMAS[name])


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_field_has_a_sentence_and_a_shape(name: str):
    for field, shape in SCHEMAS[name]["properties"].items():
        assert re.fullmatch(r"\S.*[.)]", shape["description"]), field
        assert shape.keys() & {"type", "enum", "$ref", "anyOf"}, field


def test_every_parameter_has_a_sentence():
    for row in OPERATIONS:
        assert all(one["description"].endswith(".") for one in row.parameters), row.name


def test_the_glossary_holds_no_name_that_no_field_has():
    assert set(GLOSSARY) <= {field for schema in SCHEMAS.values() for field in schema["properties"]}


@pytest.mark.parametrize(
    ("row", "body"),
    [pytest.param(row, body, id=f"{row.name}: {title}") for row in OPERATIONS for title, body in row.examples.items()],
)
def test_every_example_has_the_shape_of_its_body(row, body):
    schema = {"$ref": f"#/components/schemas/{schema_name(row.docs.body)}", "components": document()["components"]}

    assert [error.message for error in Draft202012Validator(schema).iter_errors(body)] == []


@pytest.mark.parametrize("row", OPERATIONS, ids=lambda row: row.name)
@pytest.mark.parametrize("key", ["none", "all"])
def test_what_nobody_prepared_is_answered_as_documented(erp, row, key: str):  # noqa: F811
    """Without a key; and with one, for things that are not there, with a body that says nothing."""
    path = re.sub(r"{(\w+)_id}", NO_SUCH, row.path)
    headers = {"Authorization": "Bearer nothing"} if key == "none" else {}

    answer = erp.call(row.method, path, headers=headers, **({"json": {}} if row.docs.body else {}))

    assert deviations(answer, row.method, row.path) == []
    assert answer.status_code == 401 if key == "none" else answer.status_code < 500


def test_the_answers_of_a_split_order_are_as_documented(erp):  # noqa: F811
    row = make.declaration_row(sub_orders=[make.sub_order_row()], buyer={"name": "李雷", "cert_id": make.cert_id()})
    made = erp.post("/batches", {"declarations": [row]}, Idempotency_Key="one")
    listed = erp.get("/declarations", batch_id=made.json["id"])
    response = erp.get(f"/declarations/{listed.json['data'][0]['id']}")
    name = f"/declarations/{response.json['id']}"
    events, refused = erp.get(f"{name}/events"), erp.post(f"{name}/dismiss", {"reason": "x"})
    again = erp.call("GET", name, headers={"If-None-Match": response.headers["ETag"]})
    checked = erp.post("/declarations/preflight", {"declarations": [row | {"office": "NOWHERE"}, 7]})
    rejected = erp.post("/batches", {"declarations": [row | {"duty": "8"}]})

    answers = {
        ("POST", "/batches"): [made, rejected],
        ("GET", "/declarations"): [listed],
        ("GET", "/declarations/{declaration_id}"): [response, again],
        ("GET", "/declarations/{declaration_id}/events"): [events],
        ("POST", "/declarations/{declaration_id}/dismiss"): [refused],
        ("POST", "/declarations/preflight"): [checked],
    }
    assert [one.status_code for some in answers.values() for one in some] == [202, 422, 200, 200, 304, 200, 409, 200]
    for (method, path), some in answers.items():
        assert [deviations(one, method, path) for one in some] == [[] for _ in some]
