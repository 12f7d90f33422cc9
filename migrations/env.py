"""Runs the versions on the connection that `customs.ops.migrate` hands over."""

from typing import Any, Literal

from alembic import context
from sqlalchemy.types import TypeDecorator

import customs.app  # noqa: F401 - every model must be known before autogenerate compares
from customs.db.database import Base


def plainly(kind: str, item: Any, _context: object) -> str | Literal[False]:
    """Our own column types as what they are in the database: a version must not change when a class does."""
    return f"sa.{item.impl!r}" if kind == "type" and isinstance(item, TypeDecorator) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    # SQLite cannot alter a table in place.
    render_as_batch=True,
    compare_type=True,
    render_item=plainly,
)
with context.begin_transaction():
    context.run_migrations()
