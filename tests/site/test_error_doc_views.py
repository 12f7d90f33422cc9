"""Every code that the source can answer has a page in both languages, and every page is of such a code."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from markupsafe import escape

from customs.site.openapi.operation import code_of, kinds
from customs.web.error_catalog import entries
from tests.api.conftest import client, database_url  # noqa: F401

ROOT = Path(__file__).parents[2] / "customs"
# Where the code stands among the arguments of what makes an error.
PLACES = {
    "ErrorDetail": 1,
    "FieldError": 1,
    "RuleFinding": 1,
    "Flaw": 0,
    "Refusal": 0,
    "Finding": 3,
    "problem": 1,
    "unreadable": 0,
    "Rule": 0,
}
# The gateway's side, and a bill's lines: their words are no codes of ours.
ELSEWHERE = ("sandbox/", "gateway/", "reconciliation/parser.py")
# What werkzeug says by itself.
OF_WERKZEUG = {"method_not_allowed", "bad_request"}


def written() -> Iterator[str]:
    for file in sorted(ROOT.rglob("*.py")):
        if not str(file.relative_to(ROOT)).startswith(ELSEWHERE):
            yield from codes_of(file.read_text())


def codes_of(source: str) -> Iterator[str]:
    return (code for node in ast.walk(ast.parse(source)) for code in code_in(node))


def code_in(node: ast.AST) -> Iterator[str]:
    if not isinstance(node, ast.Call):
        return
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    place = PLACES.get(name)
    if place is not None and len(node.args) > place:
        code = node.args[place]
        if isinstance(code, ast.Constant) and isinstance(code.value, str):
            yield code.value


def test_every_code_has_a_page_and_every_page_has_a_code(client):  # noqa: F811
    # What only keeps a process from starting is said at a terminal, where nobody opens a page.
    of_requests = ("customs.errors", "customs.declarations.intake.validate")
    codes = {code_of(kind) for kind in kinds() if kind.__module__ in of_requests}

    assert set(entries()) == codes | set(written()) | OF_WERKZEUG


def test_a_new_code_needs_its_entry():
    source = 'raise ValidationFailed(errors=[ErrorDetail("/office", "on_the_moon", "the office is on the moon")])'

    assert set(codes_of(source)) - set(entries()) == {"on_the_moon"}


@pytest.mark.parametrize("code", entries())
def test_a_page_speaks_both_languages_and_json(client, code: str):  # noqa: F811
    page = client.get(f"/errors/{code}", headers={"Accept": "text/html,*/*;q=0.8"})
    as_json = client.get(f"/errors/{code}", headers={"Accept": "application/json"})

    entry = entries()[code]
    assert page.content_type == "text/html; charset=utf-8"
    assert "style-src 'self'" in page.headers["Content-Security-Policy"]
    assert all(max(words) >= "一" for words in as_json.json["zh"].values())
    assert as_json.json["en"] == {"meaning": entry.meaning, "action": entry.action}
    assert all(escape(words) in page.text for words in (*as_json.json["zh"].values(), *as_json.json["en"].values()))


def test_the_list_leads_to_every_page(client):  # noqa: F811
    page, as_json = client.get("/errors").text, client.get("/errors", headers={"Accept": "application/json"})

    assert all(f'href="/errors/{code}"' in page for code in entries())
    assert [entry["code"] for entry in as_json.json["data"]] == list(entries())


def test_the_type_of_a_problem_is_the_address_of_its_page(client):  # noqa: F811
    problem = client.get("/api/v1/batches").json

    assert client.get(problem["type"]).status_code == 200


def test_a_code_that_is_none_is_404(client):  # noqa: F811
    assert client.get("/errors/no_such_code").status_code == 404
