"""SQL that was compiled once, for every engine of the same kind of database."""

from typing import Any

from sqlalchemy.util import LRUCache

CAPACITY = 5_000


class CompiledStatements(LRUCache[Any, Any]):
    """A cache of SQLAlchemy's that takes two engines' dialects for one where they speak to the same kind of server."""

    def __init__(self) -> None:
        super().__init__(CAPACITY)

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(_without_engine(key), default)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(_without_engine(key), value)


def _without_engine(key: Any) -> Any:
    dialect, *statement = key
    return type(dialect), dialect.server_version_info, *statement
