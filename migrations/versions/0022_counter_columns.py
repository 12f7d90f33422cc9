"""pushes, payments, refunds: failed_attempts, poll_count, unknown_rounds; webhook_deliveries.attempt_count"""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

TASKS = {"tries": "failed_attempts", "polls": "poll_count", "doubts": "unknown_rounds"}
RENAMED = {"pushes": TASKS, "payments": TASKS, "refunds": TASKS, "webhook_deliveries": {"tries": "attempt_count"}}


def upgrade() -> None:
    for table, columns in RENAMED.items():
        for before, after in columns.items():
            op.execute(f"ALTER TABLE {table} RENAME COLUMN {before} TO {after}")


def downgrade() -> None:
    for table, columns in RENAMED.items():
        for before, after in columns.items():
            op.execute(f"ALTER TABLE {table} RENAME COLUMN {after} TO {before}")
