"""users, sessions, the audit trail, drafts, tallies and causes"""

import hashlib
import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# The rules of causes and tallies as they were when this was written: what is older has to be counted too.
EVER = date.min
REASONS = (
    (r"FAIL(?:: (.*))?", "FAIL"),
    (r"EXCEPT(?:: (.*))?", "EXCEPT"),
    (r"refused: (.*)", "REFUSED"),
    (r"identity MISMATCH: .*", "IDENTITY"),
    (r"the gateway answered with an unknown state: (.*)", "UNKNOWN_STATE"),
    (r"the gateway went back (from .*)", "WENT_BACK"),
    (r"no end after 24 hours of asking", "NO_END"),
    (r"(\w+) sent \d+ times without effect", "NO_EFFECT"),
    (r"\S+ \w+ of its payment is refunded: .*", "REFUND"),
    (r"refunded \S+ \w+ elsewhere", "REFUND"),
    (r"the sub-orders at \w+ come to .*", "OVER_PAID"),
    (r"its payment (is \w+|was not made .*)", "PAYMENT_ENDED"),
    (r"(.*)", "OTHER"),
)
TALLIES = sa.table(
    "tallies",
    sa.column("kind"),
    sa.column("day", sa.Date()),
    *map(sa.column, ("merchant_no", "channel", "subject", "word", "slot", "count")),
)
CAUSES = sa.table(
    "causes",
    *map(sa.column, ("id", "channel", "customs", "error", "explanation")),
    sa.column("first_seen_at", sa.DateTime(timezone=True)),
    sa.column("last_seen_at", sa.DateTime(timezone=True)),
)
PUSHES = sa.table(
    "pushes",
    *map(sa.column, ("id", "merchant_no", "channel", "customs", "case_reason", "cause_id")),
    sa.column("case_since", sa.DateTime(timezone=True)),
)
DAYS = {
    "postgresql": ("CAST(created_at AT TIME ZONE 'Asia/Shanghai' AS DATE)", "DATE '0001-01-01'"),
    "sqlite": ("date(created_at, '+8 hours')", "'0001-01-01'"),
}


def upgrade() -> None:
    op.create_table(
        "audit_end",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("seal", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_end")),
    )
    op.create_table(
        "audit_entries",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.String(length=40), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=20), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("merchant_no", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_entries")),
    )
    with op.batch_alter_table("audit_entries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_entries_at_number"), ["at", "number"], unique=False)
        for name in ("merchant_no", "actor_id", "action", "subject_id"):
            batch_op.create_index(
                batch_op.f(f"ix_audit_entries_{name}_at_number"), [name, "at", "number"], unique=False
            )

    op.create_table(
        "causes",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("customs", sa.String(length=32), nullable=False),
        sa.Column("error", sa.String(length=32), nullable=False),
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("assignee_id", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_causes")),
    )
    op.create_table(
        "comments",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.String(length=40), nullable=False),
        sa.Column("merchant_no", sa.String(length=64), nullable=True),
        sa.Column("author_id", sa.String(length=40), nullable=False),
        sa.Column("author", sa.String(length=100), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comments")),
    )
    with op.batch_alter_table("comments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_comments_subject_id_id"), ["subject_id", "id"], unique=False)

    op.create_table(
        "drafts",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("owner_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("form", sa.String(length=16), nullable=False),
        sa.Column("encoding", sa.String(length=16), nullable=False),
        sa.Column("batch_id", sa.String(length=40), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drafts")),
    )
    with op.batch_alter_table("drafts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_drafts_owner_id_id"), ["owner_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_drafts_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "failed_sign_ins",
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("who", name=op.f("pk_failed_sign_ins")),
    )
    with op.batch_alter_table("failed_sign_ins", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_failed_sign_ins_last_at"), ["last_at"], unique=False)

    op.create_table(
        "people",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("merchants", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("language", sa.String(length=8), nullable=True),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("must_change_password", sa.Boolean(), nullable=False),
        sa.Column("code_secret", sa.Text(), nullable=True),
        sa.Column("code_step", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("login", name=op.f("uq_people_login")),
    )
    op.create_table(
        "saved_filters",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("page", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_filters")),
    )
    with op.batch_alter_table("saved_filters", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_saved_filters_person_id_page"), ["person_id", "page"], unique=False)

    op.create_table(
        "sessions",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("code_given", sa.Boolean(), nullable=False),
        sa.Column("browser", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("digest", name=op.f("uq_sessions_digest")),
    )
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sessions_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_sessions_person_id_id"), ["person_id", "id"], unique=False)

    op.create_table(
        "tallies",
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("merchant_no", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=48), nullable=False),
        sa.Column("word", sa.String(length=16), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "kind", "day", "merchant_no", "channel", "subject", "word", "slot", name=op.f("pk_tallies")
        ),
        postgresql_with={"fillfactor": 50},
    )
    with op.batch_alter_table("batches", schema=None) as batch_op:
        batch_op.add_column(sa.Column("sender_id", sa.String(length=40), nullable=True))
    # Who sent what came before was known by name only.
    op.execute("UPDATE batches SET sender_id = ''")
    with op.batch_alter_table("batches", schema=None) as batch_op:
        batch_op.alter_column("sender_id", existing_type=sa.String(length=40), nullable=False)
        batch_op.create_index(batch_op.f("ix_batches_sender_id_id"), ["sender_id", "id"], unique=False)

    with op.batch_alter_table("declarations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_declarations_merchant_no_id"), ["merchant_no", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_declarations_office_id"), ["office", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_declarations_state_id"), ["state", "id"], unique=False)
        batch_op.drop_index("ix_declarations_review")
        batch_op.create_index(
            "ix_declarations_review",
            ["id", "merchant_no"],
            unique=False,
            sqlite_where=sa.text("needs_review"),
            postgresql_where=sa.text("needs_review"),
        )
        batch_op.create_index(
            "ix_declarations_review_merchant_no",
            ["merchant_no", "id"],
            unique=False,
            sqlite_where=sa.text("needs_review"),
            postgresql_where=sa.text("needs_review"),
        )

    with op.batch_alter_table("pushes", schema=None) as batch_op:
        batch_op.add_column(sa.Column("cause_id", sa.String(length=40), nullable=True))
        batch_op.create_index(
            "ix_pushes_cause",
            ["cause_id", "declaration_id", "merchant_no"],
            unique=False,
            sqlite_where=sa.text("cause_id IS NOT NULL"),
            postgresql_where=sa.text("cause_id IS NOT NULL"),
        )

    _tally_declarations()
    _tally_causes()


def _tally_declarations() -> None:
    for day in DAYS[op.get_bind().dialect.name]:
        for word, counted in (
            ("CASE WHEN cancelled THEN 'cancelled' ELSE state END", "TRUE"),
            ("'needs_review'", "needs_review"),
        ):
            op.execute(
                "INSERT INTO tallies (kind, day, merchant_no, channel, subject, word, slot, count)"  # noqa: S608
                f" SELECT 'state', {day}, merchant_no, channel, office, {word}, 0, count(*)"
                f" FROM declarations WHERE {counted} GROUP BY 2, 3, 4, 5, 6"
            )


def _tally_causes() -> None:
    db = op.get_bind()
    tallies: Counter[tuple[date, str, str, str, str]] = Counter()
    causes: dict[str, dict[str, object]] = {}
    of_push: list[dict[str, str]] = []
    columns = (PUSHES.c[name] for name in ("id", "merchant_no", "channel", "customs", "case_reason", "case_since"))
    cases = sa.select(*columns).where(PUSHES.c.case_reason.is_not(None))
    for id_, merchant_no, channel, customs, reason, since in db.execute(cases.order_by(PUSHES.c.case_since)):
        named = _cause(channel, customs, reason)
        cause_id = f"cause_{hashlib.sha256(chr(0).join(named).encode(errors='replace')).hexdigest()[:32]}"
        named_columns = dict(zip(("channel", "customs", "error", "explanation"), named, strict=True))
        cause = causes.setdefault(cause_id, {"id": cause_id, **named_columns, "first_seen_at": since})
        cause["last_seen_at"] = since
        of_push.append({"push_id": id_, "cause": cause_id})
        for day, word in ((EVER, "open"), (EVER, "opened"), (_day(since), "opened")):
            tallies[day, merchant_no, channel, cause_id, word] += 1
    if of_push:
        db.execute(sa.insert(CAUSES), list(causes.values()))
        renamed = sa.update(PUSHES).where(PUSHES.c.id == sa.bindparam("push_id"))
        db.execute(renamed.values(cause_id=sa.bindparam("cause")), of_push)
        names = ("day", "merchant_no", "channel", "subject", "word")
        rows = [dict(zip(names, key, strict=True), kind="cause", slot=0, count=count) for key, count in tallies.items()]
        db.execute(sa.insert(TALLIES), rows)


def _cause(channel: str, customs: str, reason: str) -> tuple[str, str, str, str]:
    for reading, error in REASONS:
        if (found := re.fullmatch(reading, reason, re.DOTALL)) is not None:
            explained = found.group(1) if found.re.groups else None
            return channel, customs, error, _normalised(explained or "")
    raise AssertionError("the last reading fits everything")


def _normalised(explanation: str) -> str:
    text = re.sub(r"[^\x00-\x7f]\*+", "#", explanation[:1000])
    words = r"[\dA-Za-z_|*@#]+(?:[-.:,/][\dA-Za-z_|*@#]+)*"
    text = re.sub(words, lambda word: "#" if re.search(r"[\d*]", word.group()) else word.group(), text)
    return " ".join(re.sub(r"#(?:[\s.:,/-]*#)+", "#", text).split())[:200]


def _day(moment: datetime) -> date:
    """The day in Shanghai; SQLite keeps naive UTC."""
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return (aware.astimezone(UTC) + timedelta(hours=8)).date()


def downgrade() -> None:
    with op.batch_alter_table("pushes", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_pushes_cause",
            sqlite_where=sa.text("cause_id IS NOT NULL"),
            postgresql_where=sa.text("cause_id IS NOT NULL"),
        )
        batch_op.drop_column("cause_id")

    with op.batch_alter_table("declarations", schema=None) as batch_op:
        batch_op.drop_index("ix_declarations_review_merchant_no")
        batch_op.drop_index("ix_declarations_review")
        batch_op.create_index(
            "ix_declarations_review",
            ["id"],
            unique=False,
            sqlite_where=sa.text("needs_review"),
            postgresql_where=sa.text("needs_review"),
        )
        batch_op.drop_index(batch_op.f("ix_declarations_state_id"))
        batch_op.drop_index(batch_op.f("ix_declarations_office_id"))
        batch_op.drop_index(batch_op.f("ix_declarations_merchant_no_id"))

    with op.batch_alter_table("batches", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_batches_sender_id_id"))
        batch_op.drop_column("sender_id")

    op.drop_table("tallies")
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sessions_person_id_id"))
        batch_op.drop_index(batch_op.f("ix_sessions_expires_at"))

    op.drop_table("sessions")
    with op.batch_alter_table("saved_filters", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_saved_filters_person_id_page"))

    op.drop_table("saved_filters")
    op.drop_table("people")
    with op.batch_alter_table("failed_sign_ins", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_failed_sign_ins_last_at"))

    op.drop_table("failed_sign_ins")
    with op.batch_alter_table("drafts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_drafts_updated_at"))
        batch_op.drop_index(batch_op.f("ix_drafts_owner_id_id"))

    op.drop_table("drafts")
    with op.batch_alter_table("comments", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_comments_subject_id_id"))

    op.drop_table("comments")
    op.drop_table("causes")
    with op.batch_alter_table("audit_entries", schema=None) as batch_op:
        for name in ("subject_id", "action", "actor_id", "merchant_no"):
            batch_op.drop_index(batch_op.f(f"ix_audit_entries_{name}_at_number"))
        batch_op.drop_index(batch_op.f("ix_audit_entries_at_number"))

    op.drop_table("audit_entries")
    op.drop_table("audit_end")
