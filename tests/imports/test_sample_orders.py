"""The file to learn with: two rows to mend, the rest good, and new numbers each time it is handed out."""

from datetime import UTC, datetime, timedelta

import pytest

from customs.auth.principal import Caller
from customs.container import Services
from customs.imports.sample_orders import LESSON, sample_csv
from customs.imports.sheet import read_sheet
from customs.sandbox.declaration_scenarios import scenario_of
from tests import make
from tests.imports.clerk import Clerk

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The file knows no database."""
    return sqlite_url


@pytest.mark.parametrize("merchants", [(), (make.MERCHANT,)])
def test_two_rows_want_correcting_and_then_all_of_it_goes(services: Services, merchants: tuple[str, ...]):
    clerk = Clerk(services, Caller("p", "a clerk", make.caller().scopes, frozenset(merchants) or None))
    draft = clerk.upload(sample_csv(NOW, merchants), "sample.csv")

    preview = clerk.look_at(draft)

    faulty = {
        finding.code: (row, name)
        for row in preview.faulty_rows()
        for name, cell in row.cells.items()
        for finding in cell.findings
    }
    assert (preview.draft.encoding, preview.totals.declarations, preview.totals.faulty) == ("GB18030", len(LESSON), 2)
    assert set(faulty) == {"cert_id_shape", "amount_sum"}
    row, _ = faulty["cert_id_shape"]
    draft = clerk.change(draft, row.number, "cert_id", make.cert_id())
    row, _ = faulty["amount_sum"]
    total = float(row.cells["transport_amount"].text) + float(row.cells["product_amount"].text)
    draft = clerk.change(draft, row.number, "sub_order_amount", f"{total:.2f}")
    assert len(clerk.submit(draft).accepted) == len(LESSON)


def test_some_orders_do_not_go_well():
    declarations = read_sheet(sample_csv(NOW), "sample.csv").declarations

    scenarios = [scenario_of(one["out_order_no"]).word for one in declarations]
    assert {"FAIL", "EXCEPT", "DIFFERENT", "SLOW", "SUCCESS"} == set(scenarios)


def test_its_numbers_are_new_each_time():
    first, second = (sample_csv(NOW + timedelta(milliseconds=number)) for number in (0, 1))

    def numbers(content: bytes) -> set[str]:
        return {
            str(one[name])
            for one in read_sheet(content, "a.csv").declarations
            for name in ("out_order_no", "payment_no")
        }

    assert numbers(first) & numbers(second) == set()
    assert len(numbers(first)) == 2 * len(LESSON)
