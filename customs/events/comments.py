"""Comments that people leave beside a declaration or a cause of failures."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Index, String, Text, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from customs.audit.actions import AuditReader
from customs.db.database import Base, UtcDateTime
from customs.errors import ErrorDetail, NotFound, ValidationFailed
from customs.ids import new_id
from customs.privacy.masking import mask_free_text
from customs.validation import is_unprintable

LONGEST_COMMENT = 2000


class Comment(Base):
    """A comment. `subject_id` is the declaration's or the cause's id; a cause is seen by several merchants' people.

    `merchant_no`: who may see it has that merchant; None for everybody who sees the subject.
    """

    __tablename__ = "comments"
    __table_args__ = (Index(None, "subject_id", "id"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    subject_id: Mapped[str] = mapped_column(String(40))
    merchant_no: Mapped[str | None] = mapped_column(String(64))
    author_id: Mapped[str] = mapped_column(String(40))
    author: Mapped[str] = mapped_column(String(100))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    text: Mapped[str] = mapped_column(Text)


def comment(
    db: Session, author: AuditReader, subject_id: str, merchant_no: str | None, text: str, now: datetime
) -> Comment:
    """Store a comment; whatever in it looks like an ID or phone number is masked for good.

    Whether the subject is there and the author may see it is the caller's to know. Raises NotFound for a merchant who
    is not the author's, ValidationFailed for a text that is empty, too long or not to be seen.
    """
    if merchant_no is not None and author.merchants is not None and merchant_no not in author.merchants:
        raise NotFound
    made = Comment(
        id=new_id("com"),
        subject_id=subject_id,
        merchant_no=merchant_no,
        author_id=author.id,
        author=author.name,
        at=now,
        text=mask_free_text(_normalize(text)),
    )
    db.add(made)
    db.flush()
    return made


def comments_of(db: Session, reader: AuditReader, subject_id: str) -> Sequence[Comment]:
    """Return the comments on a subject, oldest first, without those that concern other merchants than the reader's."""
    statement = select(Comment).where(Comment.subject_id == subject_id).order_by(Comment.at, Comment.id)
    if reader.merchants is not None:
        theirs = Comment.merchant_no.in_(sorted(reader.merchants))
        statement = statement.where(or_(Comment.merchant_no.is_(None), theirs))
    return db.scalars(statement).all()


def _normalize(text: str) -> str:
    """Return the text with plain line ends and no blanks around it."""
    stripped = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not 1 <= len(stripped) <= LONGEST_COMMENT:
        detail = f"a comment has 1 to {LONGEST_COMMENT} characters, this one {len(stripped)}"
        raise ValidationFailed(detail, errors=[ErrorDetail("/text", "length", detail)])
    if any(map(is_unprintable, stripped.replace("\n", ""))):
        detail = "this holds an invisible or unprintable character: type it anew"
        raise ValidationFailed(detail, errors=[ErrorDetail("/text", "unprintable", detail)])
    return stripped
