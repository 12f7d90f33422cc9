"""tallies of declarations that are not under way: somebody has to decide, or nothing goes on by itself"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# A day's tally is the day in Shanghai on which the declaration came; EVER is all of them.
DAYS = {
    "sqlite": ("'0001-01-01'", "date(created_at, '+8 hours')"),
    "postgresql": ("DATE '0001-01-01'", "CAST(created_at AT TIME ZONE 'Asia/Shanghai' AS DATE)"),
}
IDLE = (
    "NOT d.cancelled AND d.state IN ('UNDECLARED', 'SUBMITTED', 'PROCESSING')"
    " AND (d.needs_review OR NOT EXISTS (SELECT 1 FROM pushes p WHERE p.declaration_id = d.id"
    " AND p.next_action IS NOT NULL AND (p.blocked_by IS NULL"
    " OR EXISTS (SELECT 1 FROM pushes b WHERE b.id = p.blocked_by AND b.state = 'SUCCESS'))))"
)


def upgrade() -> None:
    for day in DAYS[op.get_bind().dialect.name]:
        op.execute(
            "INSERT INTO tallies (kind, day, merchant_no, channel, subject, word, slot, count)"  # noqa: S608
            f" SELECT 'state', {day}, d.merchant_no, d.channel, d.office, 'idle_' || lower(d.state), 0, count(*)"
            f" FROM declarations d WHERE {IDLE} GROUP BY 2, 3, 4, 5, 6"
        )


def downgrade() -> None:
    op.execute("DELETE FROM tallies WHERE kind = 'state' AND word LIKE 'idle_%'")
