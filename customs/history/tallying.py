"""Tallies: how many there are of each kind, kept in the transaction that changes it, so that no page has to count."""

from datetime import date

from sqlalchemy import BigInteger, Date, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from customs.database import Base


class Tally(Base):
    """How many of one `word` there are for a merchant, a day (Asia/Shanghai) and a subject; readers add the slots up.

    `slot` spreads processes over rows, so that none waits for another.
    """

    __tablename__ = "tallies"

    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    merchant_no: Mapped[str] = mapped_column(String(64), primary_key=True)
    channel: Mapped[str] = mapped_column(String(16), primary_key=True)
    subject: Mapped[str] = mapped_column(String(48), primary_key=True)
    word: Mapped[str] = mapped_column(String(16), primary_key=True)
    slot: Mapped[int] = mapped_column(Integer, primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)
