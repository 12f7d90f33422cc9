"""drafts.left_behind: whether a batch left rows of the draft open"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("drafts") as drafts:
        drafts.add_column(sa.Column("left_behind", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute(
        "UPDATE drafts SET left_behind = TRUE WHERE EXISTS"
        " (SELECT 1 FROM open_rows WHERE open_rows.draft_id = drafts.id)"
    )


def downgrade() -> None:
    with op.batch_alter_table("drafts") as drafts:
        drafts.drop_column("left_behind")
