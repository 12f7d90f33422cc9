"""What the form of a correction of many shows of each field."""

from customs.review.bulk_correction_views import values_of_field
from tests.product import Desk


def test_each_value_of_a_field_is_shown_once(desk: Desk):
    declarations = [desk.declaration(desk.declare(mch_customs_no=value)) for value in ("B", "A", "B")]

    assert values_of_field(declarations, "mch_customs_no") == ("A", "B")
    assert values_of_field(declarations, "duty") == ()
