"""indexes of lists follow created_at: an id no longer says when its row was made"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

IN_REVIEW, UNSPREAD = "needs_review", "unspread"

# Table, index before, its columns, index after, its columns, and the condition of both.
Moved = tuple[str, str | None, Sequence[str], str, Sequence[str], str | None]
MOVED: Sequence[Moved] = (
    ("batches", None, (), "ix_batches_created_at_id", ("created_at", "id"), None),
    (
        "batches",
        "ix_batches_sender_id_id",
        ("sender_id", "id"),
        "ix_batches_sender_id_created_at_id",
        ("sender_id", "created_at", "id"),
        None,
    ),
    ("declarations", None, (), "ix_declarations_created_at_id", ("created_at", "id"), None),
    *(
        (
            "declarations",
            f"ix_declarations_{column}_id",
            (column, "id"),
            f"ix_declarations_{column}_created_at_id",
            (column, "created_at", "id"),
            None,
        )
        for column in ("state", "merchant_no", "office")
    ),
    (
        "declarations",
        "ix_declarations_review",
        ("id", "merchant_no"),
        "ix_declarations_review",
        ("created_at", "id", "merchant_no"),
        IN_REVIEW,
    ),
    (
        "declarations",
        "ix_declarations_review_merchant_no",
        ("merchant_no", "id"),
        "ix_declarations_review_merchant_no",
        ("merchant_no", "created_at", "id"),
        IN_REVIEW,
    ),
    ("payments", None, (), "ix_payments_created_at_id", ("created_at", "id"), None),
    *(
        (
            "payments",
            f"ix_payments_{column}_id",
            (column, "id"),
            f"ix_payments_{column}_created_at_id",
            (column, "created_at", "id"),
            None,
        )
        for column in ("merchant_no", "status")
    ),
    ("refunds", None, (), "ix_refunds_created_at_id", ("created_at", "id"), None),
    *(
        (
            "refunds",
            f"ix_refunds_{column}_id",
            (column, "id"),
            f"ix_refunds_{column}_created_at_id",
            (column, "created_at", "id"),
            None,
        )
        for column in ("payment_id", "merchant_no")
    ),
    (
        "webhook_deliveries",
        "ix_webhook_deliveries_endpoint_id_id",
        ("endpoint_id", "id"),
        "ix_webhook_deliveries_endpoint_id_created_at_id",
        ("endpoint_id", "created_at", "id"),
        None,
    ),
    ("announcements", None, (), "ix_announcements_created_at_id", ("created_at", "id"), None),
    (
        "announcements",
        "ix_announcements_merchant_no_id",
        ("merchant_no", "id"),
        "ix_announcements_merchant_no_created_at_id",
        ("merchant_no", "created_at", "id"),
        None,
    ),
    (
        "announcements",
        "ix_announcements_unspread",
        ("id",),
        "ix_announcements_unspread",
        ("created_at", "id"),
        UNSPREAD,
    ),
    (
        "requests",
        "ix_requests_caller_id",
        ("caller", "id"),
        "ix_requests_caller_at_id",
        ("caller", "at", "id"),
        None,
    ),
    ("requests", "ix_requests_at", ("at",), "ix_requests_at_id", ("at", "id"), None),
)


def upgrade() -> None:
    for table, before, _, after, columns, where in MOVED:
        _replace(table, before, after, columns, where)


def downgrade() -> None:
    for table, before, columns, after, _, where in reversed(MOVED):
        _replace(table, after, before, columns, where)


def _replace(table: str, gone: str | None, made: str | None, columns: Sequence[str], where: str | None) -> None:
    if gone is not None:
        op.drop_index(gone, table_name=table)
    if made is not None:
        condition = None if where is None else sa.text(where)
        op.create_index(made, table, list(columns), sqlite_where=condition, postgresql_where=condition)
