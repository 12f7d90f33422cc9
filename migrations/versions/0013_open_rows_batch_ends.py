"""rows that a batch left open, and the ends it comes to"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OPEN, OF_DRAFT = sa.text("discarded_at IS NULL"), sa.text("draft_id IS NOT NULL")
ROWS = "/declarations/"
BATCHES = sa.table(
    "batches",
    *map(sa.column, ("id", "sender_id", "sender")),
    sa.column("created_at", sa.DateTime(timezone=True)),
    sa.column("findings", sa.JSON()),
)
DRAFTS = sa.table("drafts", *map(sa.column, ("id", "batch_id", "row_count")))
OPEN_ROWS = sa.table(
    "open_rows",
    *map(sa.column, ("batch_id", "draft_id", "row", "position", "merchant_no", "channel", "office")),
    *map(sa.column, ("out_order_no", "payment_no", "left_by_id", "left_by")),
    sa.column("left_at", sa.DateTime(timezone=True)),
)


def upgrade() -> None:
    op.create_table(
        "batch_moves",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("batch_id", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch_moves")),
    )
    op.create_table(
        "open_rows",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("batch_id", sa.String(length=40), nullable=False),
        sa.Column("draft_id", sa.String(length=40), nullable=True),
        sa.Column("row", sa.Integer(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("merchant_no", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("office", sa.String(length=32), nullable=False),
        sa.Column("out_order_no", sa.String(length=64), nullable=False),
        sa.Column("payment_no", sa.String(length=64), nullable=False),
        sa.Column("left_by_id", sa.String(length=40), nullable=False),
        sa.Column("left_by", sa.String(length=100), nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("discarded_by", sa.String(length=100), nullable=True),
        sa.Column("discarded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_open_rows")),
    )
    with op.batch_alter_table("open_rows", schema=None) as batch_op:
        batch_op.create_index("ix_open_rows_batch_id_id", ["batch_id", "id"], unique=False)
        for name, columns, where in (
            ("ix_open_rows_open", ["batch_id", "id"], OPEN),
            ("ix_open_rows_order", ["merchant_no", "out_order_no"], OPEN),
            ("ix_open_rows_draft_id", ["draft_id"], OF_DRAFT),
        ):
            batch_op.create_index(name, columns, unique=False, sqlite_where=where, postgresql_where=where)
    with op.batch_alter_table("batch_ends", schema=None) as batch_op:
        batch_op.add_column(sa.Column("state", sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column("runs", sa.Integer(), nullable=True))
    with op.batch_alter_table("batches", schema=None) as batch_op:
        batch_op.add_column(sa.Column("runs", sa.Integer(), nullable=True))
    op.execute("UPDATE batches SET runs = 0")
    with op.batch_alter_table("batches", schema=None) as batch_op:
        batch_op.alter_column("runs", existing_type=sa.Integer(), nullable=False)
    _open_what_was_left_out()


def _open_what_was_left_out() -> None:
    """The findings of a batch name the rows that it left out so far, a draft may still hold their cells."""
    db = op.get_bind()
    kept = sa.select(DRAFTS.c.batch_id, sa.func.max(DRAFTS.c.id).label("draft_id")).where(DRAFTS.c.row_count > 0)
    drafts = {row.batch_id: row.draft_id for row in db.execute(kept.group_by(DRAFTS.c.batch_id))}
    faulty = sa.cast(BATCHES.c.findings, sa.Text()).like('%"error"%')
    for batch in db.execute(sa.select(BATCHES).where(faulty)).mappings().all():
        if rows := list(_rows_of(batch["findings"])):
            db.execute(sa.insert(OPEN_ROWS), [_open_row(batch, drafts.get(batch["id"]), *row) for row in rows])


def _rows_of(findings: list[dict[str, Any]]) -> list[tuple[int, int | None]]:
    """The place of each faulty order, and the rows of the file in which it is faulty."""
    errors = [one for one in findings if one["severity"] == "error" and one["pointer"].startswith(ROWS)]
    return sorted({(int(one["pointer"].split("/")[2]), one["row"]) for one in errors}, key=str)


def _open_row(batch: Any, draft_id: str | None, position: int, row: int | None) -> dict[str, Any]:
    numbers = dict.fromkeys(("merchant_no", "channel", "office", "out_order_no", "payment_no"), "")
    return numbers | {
        "batch_id": batch["id"],
        "draft_id": None if row is None else draft_id,
        "row": row,
        "position": position,
        "left_by_id": batch["sender_id"],
        "left_by": batch["sender"],
        "left_at": batch["created_at"],
    }


def downgrade() -> None:
    with op.batch_alter_table("batches", schema=None) as batch_op:
        batch_op.drop_column("runs")
    with op.batch_alter_table("batch_ends", schema=None) as batch_op:
        batch_op.drop_column("runs")
        batch_op.drop_column("state")
    op.drop_table("open_rows")
    op.drop_table("batch_moves")
