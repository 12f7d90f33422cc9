"""declarations, sub-orders and pushes name their owners without foreign keys; sub-orders are keyed by their number"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

OLD_KEY = "uq_sub_orders_declaration_id_sub_order_no"


def upgrade() -> None:
    with op.batch_alter_table("pushes") as pushes:
        pushes.drop_constraint("fk_pushes_sub_order_id", type_="foreignkey")
        pushes.drop_constraint("fk_pushes_declaration_id", type_="foreignkey")
        pushes.drop_column("sub_order_id")
    with op.batch_alter_table("sub_orders") as sub_orders:
        sub_orders.drop_constraint("fk_sub_orders_declaration_id", type_="foreignkey")
        sub_orders.drop_constraint(OLD_KEY, type_="unique")
        sub_orders.drop_constraint("pk_sub_orders", type_="primary")
        sub_orders.drop_column("id")
        sub_orders.create_primary_key("pk_sub_orders", ["declaration_id", "sub_order_no"])
    with op.batch_alter_table("declarations") as declarations:
        declarations.drop_constraint("fk_declarations_batch_id", type_="foreignkey")


def downgrade() -> None:
    with op.batch_alter_table("declarations") as declarations:
        declarations.create_foreign_key("fk_declarations_batch_id", "batches", ["batch_id"], ["id"])
    with op.batch_alter_table("sub_orders") as sub_orders:
        sub_orders.drop_constraint("pk_sub_orders", type_="primary")
        sub_orders.add_column(sa.Column("id", sa.String(length=40), nullable=True))
        sub_orders.create_foreign_key("fk_sub_orders_declaration_id", "declarations", ["declaration_id"], ["id"])
    # A row's place in its declaration makes an id as good as the one it had.
    op.execute("UPDATE sub_orders SET id = 's' || substr(declaration_id, 6) || '_' || position")
    with op.batch_alter_table("sub_orders") as sub_orders:
        sub_orders.alter_column("id", existing_type=sa.String(length=40), nullable=False)
        sub_orders.create_primary_key("pk_sub_orders", ["id"])
        sub_orders.create_unique_constraint(OLD_KEY, ["declaration_id", "sub_order_no"])
    with op.batch_alter_table("pushes") as pushes:
        pushes.add_column(sa.Column("sub_order_id", sa.String(length=40), nullable=True))
        pushes.create_foreign_key("fk_pushes_declaration_id", "declarations", ["declaration_id"], ["id"])
    op.execute(
        "UPDATE pushes SET sub_order_id = (SELECT id FROM sub_orders WHERE"
        " sub_orders.declaration_id = pushes.declaration_id AND sub_orders.sub_order_no = pushes.sub_order_no)"
    )
    with op.batch_alter_table("pushes") as pushes:
        pushes.create_foreign_key("fk_pushes_sub_order_id", "sub_orders", ["sub_order_id"], ["id"])
