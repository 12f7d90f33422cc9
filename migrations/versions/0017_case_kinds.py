"""case_kind and case_detail, read from the sentence that said why a case is open; detail of causes; cases of events"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

Readings = Iterable[tuple[re.Pattern[str], str]]
Sentences = Mapping[str, tuple[str, ...]]
# How the sentences were written until now, the kind that each stands for, and its facts by their names.
READINGS = tuple(
    (re.compile(reading, re.DOTALL), kind)
    for reading, kind in (
        (r"FAIL(?:: (?P<explanation>.*))?", "FAIL"),
        (r"EXCEPT(?:: (?P<explanation>.*))?", "EXCEPT"),
        (r"refused: (?P<explanation>.*)", "REFUSED"),
        (r"identity MISMATCH: .*", "IDENTITY"),
        (r"the gateway answered with an unknown state: (?P<state>.*)", "UNKNOWN_STATE"),
        (r"the gateway went back from (?P<before>\w+) to (?P<after>\w+)", "WENT_BACK"),
        (r"no end after 24 hours of asking", "NO_END"),
        (r"the gateway answers about another payment under this number", "ANOTHERS_NUMBER"),
        (r"(?P<action>\w+) sent (?P<count>\d+) times without effect", "NO_EFFECT"),
        (r"the gateway may hold what was sent before this correction", "NO_EFFECT"),
        (r"(?P<amount>\S+) (?P<currency>\w+) of its payment is (?:to be )?refunded: (?P<reason>.*)", "REFUND"),
        (r"refunded (?P<amount>\S+) (?P<currency>\w+) elsewhere", "REFUND"),
        (
            r"the sub-orders at (?P<customs>\w+) come to (?P<declared>\S+), and (?P<paid>\S+) was paid",
            "OVER_PAID",
        ),
        (r"its payment (?:is (?P<status>\w+)|was not made within a day)", "PAYMENT_ENDED"),
        (r"(?P<reason>.*)", "OTHER"),
    )
)
# The facts in the explanation of a cause.
OF_CAUSE = {
    "FAIL": r"(?P<explanation>.+)",
    "EXCEPT": r"(?P<explanation>.+)",
    "REFUSED": r"(?P<explanation>.+)",
    "UNKNOWN_STATE": r"(?P<state>.+)",
    "WENT_BACK": r"from (?P<before>\w+) to (?P<after>\w+)",
    "NO_EFFECT": r"(?P<action>.+)",
    "PAYMENT_ENDED": r"is (?P<status>\w+)",
    "OTHER": r"(?P<reason>.+)",
}
# The sentences again, for the way back: the first whose facts are all there counts.
SENTENCES = {
    "FAIL": ("FAIL: %(explanation)s", "FAIL"),
    "EXCEPT": ("EXCEPT: %(explanation)s", "EXCEPT"),
    "REFUSED": ("refused: %(explanation)s",),
    "IDENTITY": ("identity MISMATCH: the order's buyer is not the payer",),
    "UNKNOWN_STATE": ("the gateway answered with an unknown state: %(state)s",),
    "WENT_BACK": ("the gateway went back from %(before)s to %(after)s",),
    "NO_END": ("no end after 24 hours of asking",),
    "ANOTHERS_NUMBER": ("the gateway answers about another payment under this number",),
    "NO_EFFECT": (
        "%(action)s sent %(count)s times without effect",
        "the gateway may hold what was sent before this correction",
    ),
    "REFUND": (
        "%(amount)s %(currency)s of its payment is to be refunded: %(reason)s",
        "refunded %(amount)s %(currency)s elsewhere",
    ),
    "OVER_PAID": ("the sub-orders at %(customs)s come to %(declared)s, and %(paid)s was paid",),
    "PAYMENT_ENDED": ("its payment is %(status)s", "its payment was not made within a day"),
    "OTHER": ("%(reason)s",),
}
OF_PAYMENTS = tuple(
    (re.compile(reading), kind)
    for reading, kind in (
        (r"no end after 24 hours of asking", "NO_END"),
        (r"the gateway answers about somebody else's record under this number", "ANOTHERS_NUMBER"),
        (r"sent (?P<count>\d+) times without effect", "NO_EFFECT"),
        (r".*", "NO_ANSWER"),
    )
)
PAYMENT_SENTENCES = {
    "NO_END": ("no end after 24 hours of asking",),
    "ANOTHERS_NUMBER": ("the gateway answers about somebody else's record under this number",),
    "NO_EFFECT": ("sent %(count)s times without effect",),
    "NO_ANSWER": ("nobody knows what became of it: the gateway was asked for 24 hours",),
}
WORDS = {
    "declarations": (READINGS, SENTENCES),
    "pushes": (READINGS, SENTENCES),
    "payments": (OF_PAYMENTS, PAYMENT_SENTENCES),
    "refunds": (OF_PAYMENTS, PAYMENT_SENTENCES),
}
INDEXED = ("payments", "refunds")
DETAIL = sa.JSON(none_as_null=True)
TABLES = {
    name: sa.table(name, *map(sa.column, ("id", "case_reason", "case_kind")), sa.column("case_detail", DETAIL))
    for name in WORDS
}
CAUSES = sa.table("causes", *map(sa.column, ("id", "error", "explanation")), sa.column("detail", sa.JSON))
EVENTS = sa.table("events", sa.column("id"), sa.column("detail", sa.JSON))
GROUP = 1000


def upgrade() -> None:
    for name, table in TABLES.items():
        op.add_column(name, sa.Column("case_kind", sa.String(16), nullable=True))
        op.add_column(name, sa.Column("case_detail", DETAIL, nullable=True))
        for rows in _groups(table, table.c.case_reason.is_not(None)):
            _write(table, [_read_row(row, WORDS[name][0]) for row in rows])
        _index(name, "case_kind")
        op.drop_column(name, "case_reason")
    op.add_column("causes", sa.Column("detail", sa.JSON(), server_default="{}", nullable=False))
    for rows in _groups(CAUSES, sa.true()):
        _write(CAUSES, [{"key": row["id"], "detail": _of_cause(row["error"], row["explanation"])} for row in rows])
    for rows in _groups(EVENTS, EVENTS.c.detail["case"].as_string().is_not(None)):
        _write(EVENTS, [{"key": row["id"], "detail": _with_cases(row["detail"])} for row in rows])


def downgrade() -> None:
    for rows in _groups(EVENTS, EVENTS.c.detail["cases"].as_string().is_not(None)):
        _write(EVENTS, [{"key": row["id"], "detail": _with_sentence(row["detail"])} for row in rows])
    op.drop_column("causes", "detail")
    for name, table in TABLES.items():
        op.add_column(name, sa.Column("case_reason", sa.Text(), nullable=True))
        for rows in _groups(table, table.c.case_kind.is_not(None)):
            _write(table, [_sentence_row(row, WORDS[name][1]) for row in rows])
        _index(name, "case_reason")
        op.drop_column(name, "case_detail")
        op.drop_column(name, "case_kind")


def _index(table: str, column: str) -> None:
    if table in INDEXED:
        has_case = sa.text(f"{column} IS NOT NULL")
        op.drop_index(f"ix_{table}_case", table_name=table)
        op.create_index(
            f"ix_{table}_case", table, ["created_at", "id"], sqlite_where=has_case, postgresql_where=has_case
        )


def _groups(table: sa.TableClause, condition: sa.ColumnElement[bool]) -> Iterator[list[Mapping[str, Any]]]:
    """Read rows in the order of their ids, some at a time."""
    asked = sa.select(table).where(condition).order_by(table.c.id).limit(GROUP)
    rows = op.get_bind().execute(asked).mappings().all()
    while rows:
        yield list(rows)
        rows = op.get_bind().execute(asked.where(table.c.id > rows[-1]["id"])).mappings().all()


def _write(table: sa.TableClause, rows: list[dict[str, Any]]) -> None:
    names = [name for name in rows[0] if name != "key"]
    values = {name: sa.bindparam(f"new_{name}", type_=table.c[name].type) for name in names}
    given = [{"key": row["key"], **{f"new_{name}": row[name] for name in names}} for row in rows]
    op.get_bind().execute(sa.update(table).where(table.c.id == sa.bindparam("key")).values(values), given)


def _read(sentence: str, readings: Readings = READINGS) -> tuple[str, dict[str, str]]:
    for reading, kind in readings:
        if (found := reading.fullmatch(sentence)) is not None:
            return kind, {name: text for name, text in found.groupdict().items() if text is not None}
    raise AssertionError("the last reading fits everything")


def _read_row(row: Mapping[str, Any], readings: Readings) -> dict[str, Any]:
    kind, detail = _read(row["case_reason"], readings)
    return {"key": row["id"], "case_kind": kind, "case_detail": detail}


def _of_cause(error: str, explanation: str) -> dict[str, str]:
    found = re.fullmatch(OF_CAUSE.get(error, ""), explanation, re.DOTALL)
    return found.groupdict() if found else {}


def _with_cases(detail: dict[str, Any]) -> dict[str, Any]:
    kind, facts = _read(detail["case"])
    return {name: fact for name, fact in detail.items() if name != "case"} | {"cases": [{"kind": kind, **facts}]}


def _with_sentence(detail: dict[str, Any]) -> dict[str, Any]:
    sentences = "; ".join(_sentence(one["kind"], one) for one in detail["cases"])
    return {name: fact for name, fact in detail.items() if name != "cases"} | {"case": sentences}


def _sentence_row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"key": row["id"], "case_reason": _sentence(row["case_kind"], row["case_detail"])}


def _sentence_row(row: Mapping[str, Any], sentences: Sentences) -> dict[str, Any]:
    return {"key": row["id"], "case_reason": _sentence(row["case_kind"], row["case_detail"], sentences)}


def _sentence(kind: str, detail: Mapping[str, str] | None, sentences: Sentences = SENTENCES) -> str:
    facts = detail or {}
    for text in sentences.get(kind, ()):
        if set(re.findall(r"%\((\w+)\)s", text)) <= facts.keys():
            return text % facts
    return kind
