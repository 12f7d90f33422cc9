"""Table of the request log: requests of API keys and their answers, masked for support."""

from datetime import datetime

from sqlalchemy import Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from customs.db.database import Base, UtcDateTime

LONGEST_PATH = 500


class LoggedRequest(Base):
    """One request. `caller` and `key_id`: None when no key was recognised. Bodies are masked and cut.

    The sizes and the digest are of a body as it came, once decompressed: of one too large to be kept, all there is.
    """

    __tablename__ = "requests"
    __table_args__ = (Index(None, "caller", "at", "id"), Index(None, "request_id"), Index(None, "at", "id"))

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    request_id: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    caller: Mapped[str | None] = mapped_column(String(40))
    key_id: Mapped[str | None] = mapped_column(String(40))
    method: Mapped[str] = mapped_column(String(16))
    path: Mapped[str] = mapped_column(String(LONGEST_PATH))
    query: Mapped[str | None] = mapped_column(String(LONGEST_PATH))
    status: Mapped[int] = mapped_column(Integer)
    duration_ms: Mapped[int] = mapped_column(Integer)
    request_size: Mapped[int | None] = mapped_column(Integer)
    request_sha256: Mapped[str | None] = mapped_column(String(64))
    request_body: Mapped[str | None] = mapped_column(Text)
    response_size: Mapped[int | None] = mapped_column(Integer)
    response_sha256: Mapped[str | None] = mapped_column(String(64))
    response_body: Mapped[str | None] = mapped_column(Text)
