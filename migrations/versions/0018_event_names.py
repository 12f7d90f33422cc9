"""names of events: refund.succeeded, refund.failed, batch.needs_attention; columns named for the outbox"""

from collections.abc import Callable, Collection

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

INDEX = "ix_announcements_{}"
ANNOUNCEMENTS = sa.table("announcements", sa.column("type", sa.String), sa.column("data", sa.JSON))
ENDPOINTS = sa.table("webhook_endpoints", sa.column("id", sa.String), sa.column("types", sa.JSON(none_as_null=True)))
EARLIER = {
    "batch.needs_attention": "batch.attention",
    "refund.succeeded": "refund.ended",
    "refund.failed": "refund.ended",
}


def upgrade() -> None:
    of_type = ANNOUNCEMENTS.c.type
    status = ANNOUNCEMENTS.c.data["status"].as_string()
    _rename_events(of_type == "batch.attention", "batch.needs_attention")
    _rename_events(sa.and_(of_type == "refund.ended", status == "SUCCESS"), "refund.succeeded")
    _rename_events(of_type == "refund.ended", "refund.failed")
    later = {old: {new for new, known in EARLIER.items() if known == old} for old in EARLIER.values()}
    _rename_subscriptions(lambda name: later.get(name, {name}))
    _rename_pending("unspread", "pending")
    _rename_event_id("announcement_id", "event_id")


def downgrade() -> None:
    _rename_event_id("event_id", "announcement_id")
    _rename_pending("pending", "unspread")
    _rename_subscriptions(lambda name: {EARLIER.get(name, name)})
    for new, old in EARLIER.items():
        _rename_events(ANNOUNCEMENTS.c.type == new, old)


def _rename_events(condition: sa.ColumnElement[bool], name: str) -> None:
    op.execute(ANNOUNCEMENTS.update().where(condition).values(type=name))


def _rename_subscriptions(names: Callable[[str], Collection[str]]) -> None:
    db = op.get_bind()
    for endpoint_id, types in db.execute(sa.select(ENDPOINTS).where(ENDPOINTS.c.types.is_not(None))).all():
        renamed = sorted({new for one in types for new in names(one)})
        if renamed != types:
            db.execute(ENDPOINTS.update().where(ENDPOINTS.c.id == endpoint_id).values(types=renamed))


def _rename_pending(old: str, new: str) -> None:
    op.drop_index(INDEX.format(old), "announcements")
    # Not as a batch: SQLite renames a column in place, and need not make the table anew.
    op.execute(f"ALTER TABLE announcements RENAME COLUMN {old} TO {new}")
    where = sa.text(new)
    op.create_index(
        INDEX.format(new), "announcements", ["created_at", "id"], sqlite_where=where, postgresql_where=where
    )


def _rename_event_id(old: str, new: str) -> None:
    op.execute(f"ALTER TABLE webhook_deliveries RENAME COLUMN {old} TO {new}")
    # SQLite has no statement for it, and reads no constraint by its name.
    if op.get_bind().dialect.name == "postgresql":
        constraint = "fk_webhook_deliveries_{}"
        op.execute(
            f"ALTER TABLE webhook_deliveries RENAME CONSTRAINT {constraint.format(old)} TO {constraint.format(new)}"
        )
