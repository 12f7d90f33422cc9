"""cases of payments and refunds; answers about somebody else's record"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

HAS_CASE = sa.text("case_reason IS NOT NULL")
ERRANDS = ("payments", "refunds")


def upgrade() -> None:
    for table in ("pushes", *ERRANDS):
        op.add_column(table, sa.Column("strays", sa.Integer(), server_default="0", nullable=False))
    for table in ERRANDS:
        op.add_column(table, sa.Column("case_reason", sa.Text(), nullable=True))
        op.add_column(table, sa.Column("case_since", sa.DateTime(timezone=True), nullable=True))
        op.create_index(
            f"ix_{table}_case", table, ["created_at", "id"], sqlite_where=HAS_CASE, postgresql_where=HAS_CASE
        )


def downgrade() -> None:
    for table in ERRANDS:
        op.drop_index(f"ix_{table}_case", table_name=table)
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_column("case_since")
            batch_op.drop_column("case_reason")
    for table in ("pushes", *ERRANDS):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_column("strays")
