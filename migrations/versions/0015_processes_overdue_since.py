"""processes, overdue_since of work, lanes without an answer"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

DUE = ("pushes", "payments", "refunds", "webhook_deliveries")


def upgrade() -> None:
    op.create_table(
        "processes",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("host", sa.String(length=100), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("trouble", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_processes")),
    )
    # Added in place, not in a batch: SQLite would copy a million rows for a column that is empty.
    for table in DUE:
        op.add_column(table, sa.Column("overdue_since", sa.DateTime(timezone=True), nullable=True))
    for name in ("failing_since", "failed_at"):
        op.add_column("lanes", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.add_column("lanes", sa.Column("failure", sa.Text(), nullable=True))


def downgrade() -> None:
    for name in ("failure", "failed_at", "failing_since"):
        op.drop_column("lanes", name)
    for table in DUE:
        op.drop_column(table, "overdue_since")
    op.drop_table("processes")
