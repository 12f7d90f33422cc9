"""api_keys.created_by: the user or operator who saw the key, as the audit trail has it"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("created_by", sa.String(40), nullable=True))
    op.create_index("ix_api_keys_created_by", "api_keys", ["created_by"])
    op.execute(
        "UPDATE api_keys SET created_by = (SELECT MAX(actor_id) FROM audit_entries"
        " WHERE audit_entries.subject_id = api_keys.id AND action IN ('api_key.create', 'api_key.rotate'))"
    )
    op.execute(
        "UPDATE api_keys SET revoked_at = CURRENT_TIMESTAMP WHERE revoked_at IS NULL"
        " AND created_by IN (SELECT id FROM people WHERE disabled_at IS NOT NULL)"
    )


def downgrade() -> None:
    op.drop_index("ix_api_keys_created_by", "api_keys")
    op.drop_column("api_keys", "created_by")
