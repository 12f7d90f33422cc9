"""failed_sign_ins.forgiven_at"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("failed_sign_ins", sa.Column("forgiven_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("failed_sign_ins", "forgiven_at")
