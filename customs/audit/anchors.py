"""Anchors of the audit trail: its end, written outside its tables, so that tables put back or emptied are found."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog
from sqlalchemy import URL, Engine, select
from sqlalchemy.orm import Session

from customs.audit.hash_chain import exact
from customs.audit.models import ENTRIES
from customs.audit.trail import AuditTrail
from customs.config import open_private
from customs.db import database

log = structlog.get_logger()

FILE_NAME = "audit_anchors"


@dataclass(frozen=True)
class Anchor:
    """Number and hash of the last entry at a time. `accepted`: why an end that goes back was taken, usually None."""

    at: str
    number: int
    hash: str
    accepted: str | None = None

    def holds(self, db: Session) -> bool:
        """Whether the entry of this number is still the one that was anchored."""
        return db.scalar(select(ENTRIES.c.hash).where(ENTRIES.c.number == self.number)) == self.hash


class AnchorFile:
    """File in the home with a line for each anchor, only ever appended to; each line names its database."""

    def __init__(self, home: Path, url: URL) -> None:
        self.file = home / FILE_NAME
        # The home may be moved, and a setting may name another database: neither is a trail that was put back.
        place = (url.database or "").removeprefix(f"{home}/")
        host, port = url.host or url.query.get("host") or "", url.port or ""
        self._database = place if url.drivername.startswith("sqlite") else f"{host}:{port}/{place}"

    def last(self) -> Anchor | None:
        """Return the newest anchor of this database. Raises OSError when the file cannot be read."""
        try:
            lines = self.file.read_text().splitlines()
        except FileNotFoundError:
            return None
        return next((anchor for line in reversed(lines) if (anchor := self._read(line))), None)

    def append(self, anchor: Anchor) -> None:
        """Write one more line, and see that it is on the disk."""
        line = json.dumps({"database": self._database, **asdict(anchor)}, ensure_ascii=False)
        with self._opened() as descriptor:
            # A line that a full disk cut short is nobody's beginning.
            size = os.fstat(descriptor).st_size
            is_cut = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            os.write(descriptor, (b"\n" if is_cut else b"") + f"{line}\n".encode())
            os.fsync(descriptor)

    @contextmanager
    def locked(self) -> Iterator[bool]:
        """Keep other processes of this home from anchoring; yields False where one of them is at it."""
        with self._opened() as descriptor:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True

    @contextmanager
    def _opened(self) -> Iterator[int]:
        self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = open_private(str(self.file), os.O_RDWR | os.O_CREAT | os.O_APPEND)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def _read(self, line: str) -> Anchor | None:
        try:
            found = json.loads(line)
            if found.pop("database") == self._database:
                return Anchor(**found)
        except (ValueError, TypeError, KeyError, AttributeError):
            pass
        return None


def anchor_end(engine: Engine, trail: AuditTrail, anchors: AnchorFile, accepted: str | None = None) -> Anchor | None:
    """Write the end of the trail down, in the file and in the log; return the anchor, None where none was written.

    None is written while the end stands still, nor on a trail that does not go on from the last anchor: that one goes
    on showing that the trail was put back, until somebody accepts it and says why.
    """
    with anchors.locked() as is_acquired:
        if not is_acquired:
            return None
        last = anchors.last()
        with database.reading(engine) as db:
            end = trail.sealed_end(db)
            if end is None or (accepted is None and last and (end.number <= last.number or not last.holds(db))):
                return None
            anchor = Anchor(exact(database.now(db)), end.number, end.hash, accepted)
        anchors.append(anchor)
    log.info("audit anchor", number=anchor.number, hash=anchor.hash)
    return anchor
