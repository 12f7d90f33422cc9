"""The tables of pages, calls, roles and error codes name exactly what there is."""

import re

from customs.app import create_app
from customs.auth.roles import SCOPES
from customs.container import Services
from customs.declarations.fields import FIELDS, REQUIRED
from customs.declarations.intake.validate import Rejected
from customs.errors import CustomsError
from customs.events.outbox import EventType
from tests.docs.documents import API, PAGES, ROOT
from tests.web.page_table import PAGES as PAGE_SCOPES
from tests.web.page_table import SIGNED_IN, UNFINISHED

# What a rule says before the name of what varies: what kind of thing it is.
IN_A_ROUTE = re.compile(r"<(?:[a-z]+:)?")
# Answered by the renderer for what is no error of ours.
OTHER_PROBLEMS = {("database_unavailable", 503), ("gateway_unavailable", 503)}
OF_COMMANDS_ALONE = {("file_unreadable", 422)}
OF_PAGES_ALONE = {
    ("not_signed_in", 401),
    ("csrf_rejected", 403),
    ("invalid_credentials", 422),
    ("one_time_code_rejected", 422),
    ("login_throttled", 429),
    ("reveals_limited", 429),
}

WHOEVER = "whoever signed in"
# Nobody of the desk opens it: it stands among the calls.
OF_PAYERS = {"/payments/{payment_id}/return"}


def test_every_route_is_in_a_table_and_every_row_is_a_route(services: Services) -> None:
    calls = {span for row in API.table("call") for span in re.findall(r"`([A-Z]+ /[^`]*)`", row[0])}
    opened = {f"GET {address}" for row in PAGES.table("page") for address in re.findall(r"`([^`]+)`", row[1])}

    routes = {
        f"{method} {as_documented(rule.rule)}"
        for rule in create_app(services).url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    # What the forms of pages lead to stands on the pages.
    forms = {f"{method} {as_documented(rule)}" for method, rule in PAGE_SCOPES if method == "POST"}
    assert calls | opened == routes - forms
    assert calls & opened == set()


def test_every_page_has_the_scope_that_its_row_says() -> None:
    documented = {
        address: scope.strip("`")
        for _, addresses, _, scope in PAGES.table("page")
        for address in re.findall(r"`([^`]+)`", addresses)
    }

    words = {SIGNED_IN: WHOEVER, UNFINISHED: WHOEVER}
    scopes = {
        as_documented(rule): words.get(scope, scope) for (method, rule), scope in PAGE_SCOPES.items() if method == "GET"
    }
    assert documented == {address: scope for address, scope in scopes.items() if address not in OF_PAYERS}


def test_every_role_has_the_scopes_that_its_row_says() -> None:
    documented = {row[0].strip("`"): set(re.findall(r"`([^`]+)`", row[2])) for row in PAGES.table("role")}

    assert documented == {str(role): set(map(str, scopes)) for role, scopes in SCOPES.items()}


def as_documented(rule: str) -> str:
    return IN_A_ROUTE.sub("{", rule).replace(">", "}")


def test_the_table_of_problems_is_what_the_api_may_answer() -> None:
    documented = {(code, int(row[1])) for row in API.table("code") for code in re.findall(r"`([a-z_]+)`", row[0])}

    # An error that nothing raises promises nothing; below 500 the caller can do something about it.
    elsewhere = "".join(file.read_text() for file in (ROOT / "customs").rglob("*.py") if file.name != "errors.py")
    known: list[CustomsError] = [*(error() for error in CustomsError.__subclasses__()), Rejected("", ())]
    raised = [error for error in known if re.search(rf"\b{type(error).__name__}\b", elsewhere)]
    own = {(error.code, error.status) for error in raised if error.status < 500} - OF_COMMANDS_ALONE - OF_PAGES_ALONE
    assert documented == own | OTHER_PROBLEMS


def test_every_event_is_in_the_table_and_every_row_is_an_event() -> None:
    documented = [name for row in API.table("event") for name in re.findall(r"`([a-z._]+)`", row[0])]

    assert sorted(documented) == sorted(EventType)


def test_every_column_of_a_file_is_in_the_table() -> None:
    documented = [(row[0].strip("`"), row[1], row[2].startswith("required")) for row in API.table("column")]

    assert documented == [(column.header, column.chinese, column.header in REQUIRED) for column in FIELDS]
