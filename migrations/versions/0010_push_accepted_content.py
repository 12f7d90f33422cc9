"""pushes keep the content that was accepted"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Of what was refused before this, nobody kept what the gateway had accepted: nothing can be said of it.
    op.add_column("pushes", sa.Column("accepted_content", sa.Text(), nullable=True))
    op.add_column("pushes", sa.Column("content_in_doubt", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("pushes", sa.Column("refund_allowed", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("pushes", schema=None) as batch_op:
        batch_op.alter_column("content_in_doubt", existing_type=sa.Boolean(), server_default=None)
        batch_op.alter_column("refund_allowed", existing_type=sa.Boolean(), server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("pushes", schema=None) as batch_op:
        batch_op.drop_column("refund_allowed")
        batch_op.drop_column("content_in_doubt")
        batch_op.drop_column("accepted_content")
