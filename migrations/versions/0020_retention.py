"""declarations.buyer_erased_at; indexes of what retention ends: buyers, payers, exchanges"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

INDEXES = (
    ("ix_declarations_buyer", "declarations", ["created_at", "id"], "buyer IS NOT NULL"),
    ("ix_payments_personal", "payments", ["created_at", "id"], "inputs IS NOT NULL OR personal IS NOT NULL"),
    ("ix_events_exchange", "events", ["at", "id"], "request IS NOT NULL"),
    ("ix_payment_events_exchange", "payment_events", ["at", "id"], "request IS NOT NULL"),
)


def upgrade() -> None:
    op.add_column("declarations", sa.Column("buyer_erased_at", sa.DateTime(timezone=True), nullable=True))
    for name, table, columns, condition in INDEXES:
        where = sa.text(condition)
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for name, table, _columns, _condition in INDEXES:
        op.drop_index(name, table)
    op.drop_column("declarations", "buyer_erased_at")
