"""Any JSON and any path at all, on both databases: each may choke on what the other takes, and neither makes a 5xx."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import make
from tests.api.conftest import is_problem


@pytest.fixture
def database_url(either_database: str) -> str:
    """What one database takes, the other may choke on."""
    return either_database


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/batches/%00", "/declarations/%00", "/declarations/..%2f..", "/declarations/%ff", "/batches/𠮷"],
)
def test_what_is_not_there_is_404(erp, path: str):
    answer = erp.get(path)

    assert answer.status_code == 404
    assert is_problem(answer)


scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=8)
)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
FIELDS = [*make.declaration_row(), "merchant_customs_name", "duty", "submit", "buyer", "sub_orders"]
part = st.dictionaries(
    st.sampled_from(["sub_order_no", "amount", "transport_amount", "product_amount", "x"]),
    anything | st.just("1.00"),
    max_size=4,
)
changes = st.dictionaries(
    st.sampled_from([*FIELDS, "x"]),
    anything | st.lists(part, max_size=2) | st.dictionaries(st.sampled_from(["name", "cert_id", "x"]), anything),
    max_size=3,
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=anything | st.builds(lambda change: {"declarations": [make.declaration_row() | change]}, changes))
@pytest.mark.parametrize("path", ["/batches", "/declarations/preflight"])
def test_no_json_makes_a_5xx(erp, path: str, body):
    answer = erp.post(path, body)

    assert answer.status_code in (200, 202, 422)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=anything | st.builds(lambda change: {"reason": "x"} | change, changes))
@pytest.mark.parametrize("action", ["redeclare", "modify", "dismiss"])
def test_no_json_makes_an_action_a_5xx(erp, action: str, body):
    declaration = erp.get("/declarations").json["data"] or [erp.declare(parts=1)]

    answer = erp.post(f"/declarations/{declaration[0]['id']}/{action}", body)

    assert answer.status_code in (200, 202, 409, 422)


def test_a_crash_is_a_problem_too_and_says_nothing_of_its_cause(erp, services):
    services.engine.dispose()
    with services.transaction() as db:
        db.connection().exec_driver_sql("ALTER TABLE registrations RENAME TO registrations_away")

    try:
        answer = erp.get("/registrations")
    finally:
        # Other tests of this process stand on the same tables.
        with services.transaction() as db:
            db.connection().exec_driver_sql("ALTER TABLE registrations_away RENAME TO registrations")

    # A table that is not there counts as "the database is away" where the driver says no more than that.
    expected = {"sqlite": (503, "database_unavailable"), "postgresql": (500, "internal_error")}
    assert (answer.status_code, answer.json["code"]) == expected[services.engine.dialect.name]
    assert is_problem(answer)
    assert "registrations" not in answer.json["detail"]
