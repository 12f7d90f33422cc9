"""A desk on which there is one of everything, made through its own API and pages, and restored after a test."""

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import event, inspect, select, text

from customs.app import create_app
from customs.container import Services
from customs.declarations.models import Declaration
from customs.events.outbox import EventType
from tests import make
from tests.payments.till import Till
from tests.product import Desk
from tests.web.visiting import People, Visitor
from tests.webhooks.courier import Courier

ROLES = ("clerk", "reviewer", "developer", "admin")
OWN, FOREIGN = ["M100"], ["M999"]
NAME, CERT_ID = "欧阳𠮷·买买提", make.cert_id(77)
NO_ID = "decl_00000000000000000000000000000000"
COOKIE = "customs_session"
KEY = re.compile(r"ck_test_\w+")
# What the database of one machine takes and PostgreSQL does not.
LARGEST_INTEGER = 2**63 - 1


@dataclass
class Crowd:
    """The desk, everybody at it, the ids of what is there, by what routes call them, the numbers that it bears,
    and the id of a declaration that waits to be sent.

    `boss` is the admin of every merchant whose the drafts, filters and sessions among it are; `own` are people of the
    merchant whose everything else is, and `strangers` of another one: one of each role.
    """

    services: Services
    people: People
    boss: Visitor
    own: Mapping[str, Visitor]
    strangers: Mapping[str, Visitor]
    ids: Mapping[str, str]
    numbers: Sequence[str]
    waiting: str
    snapshot: sqlite3.Connection
    sessions: dict[Visitor, str] = field(default_factory=dict)

    @property
    def nothing(self) -> dict[str, str]:
        """Ids as they are made, of nothing that there is."""
        return dict.fromkeys(self.ids, NO_ID) | {name: self.ids[name] for name in ("place", "number")}

    def place(self, rule: str, **other: str) -> str:
        """A route's address, with the ids of what is there or others."""
        named = {"name": "desk.css", **self.ids, **other}
        return re.sub(r"<(?:[a-z]+:)?(\w+)>", lambda one: named[one[1]], rule)

    def stored(self) -> dict[str, list[Any]]:
        """Every row of every table, but for who failed to sign in; when somebody was last seen changes nothing."""
        with self.services.reading() as db:
            names = [name for name in inspect(db.connection()).get_table_names() if name != "failed_sign_ins"]
            tables = {name: db.execute(text(f"SELECT * FROM {name}")).mappings().all() for name in names}
        return {
            name: sorted(repr({key: row[key] for key in row if key != "last_seen_at"}) for row in rows)
            for name, rows in tables.items()
        }

    def put_back(self) -> None:
        """Everything as it was when the desk was made, and everybody signed in as they were."""
        with closing(self._file()) as file:
            self.snapshot.backup(file)
        for visitor, token in self.sessions.items():
            visitor.client.set_cookie(COOKIE, token)
            visitor.client.delete_cookie("customs_flash")

    def keep(self) -> None:
        """What is there now is what is put back later."""
        with closing(self._file()) as file:
            file.backup(self.snapshot)
        for visitor in (self.boss, *self.own.values(), *self.strangers.values()):
            self.sessions[visitor] = visitor.client.get_cookie(COOKIE).value  # type: ignore[union-attr]

    def _file(self) -> sqlite3.Connection:
        return sqlite3.connect(self.services.engine.url.database or "")


@contextmanager
def crowded(services: Services) -> Iterator[Crowd]:
    """A desk with one of everything, on a database that is as strict with texts and numbers as PostgreSQL."""
    services.settings = replace(services.settings, sandbox=True)
    event.listen(services.engine, "before_cursor_execute", _refuse_what_postgresql_refuses)
    people = People(services)
    # Of its own: other tests of this process give the common one other services meanwhile.
    people.app = create_app(services)
    boss = people.signed_in("admin")
    own, strangers = ({role: people.signed_in(role, whose) for role in ROLES} for whose in (OWN, FOREIGN))
    waiting = _fill(services, boss)
    ids, numbers = _ids(services, boss), _numbers(services)
    crowd = Crowd(services, people, boss, own, strangers, ids, numbers, waiting, sqlite3.connect(":memory:"))
    crowd.keep()
    yield crowd
    crowd.snapshot.close()


def _fill(services: Services, boss: Visitor) -> str:
    """One of everything of the merchant M100: failed, paid, refunded, told, noted, half imported; and what waits."""
    desk, buyer = Desk(services), {"name": NAME, "cert_id": CERT_ID}
    courier, till = Courier(services), Till(services, desk)
    left_behind = make.declaration_row(office="nowhere", buyer=buyer)
    batch = desk.take_in(make.declaration_row(buyer=buyer), left_behind, on_error="accept_valid")
    with services.reading() as db:
        failed = db.scalars(select(Declaration.id).where(Declaration.batch_id == batch.id)).one()
    desk.end(failed, "FAIL", explanation=f"{NAME} {CERT_ID} 身份证号不符")
    waiting = desk.declare(parts=2)
    paid = till.paid(out_order_no="SHOP-1")
    boss.post(f"/payments/{paid}/refunds", amount="1.00", reason="sold out", once="r")
    page = boss.post("/developers/webhooks", url="http://127.0.0.1:9/", subscribe_all="1", merchants="M100", once="w")
    assert page.status_code == 201, page.text
    courier.announce(EventType.DECLARATION_FAILED, declaration_id=failed)
    courier.fan_out()
    made = boss.post(
        "/developers/keys", name="ERP", scopes=["declarations:write"], merchants="M100", lifetime="90", once="k"
    )
    key = KEY.search(made.text)
    assert key, made.text
    body = {"declarations": [make.declaration_row(buyer=buyer | {"phone": CERT_ID})]}
    boss.client.post("/api/v1/batches", json=body, headers={"Authorization": f"Bearer {key[0]}"}, buffered=True)
    boss.post("/filters", name="mine", query="state=FAIL")
    boss.post(f"/review/cases/{failed}/comment", text="somebody looks at it")
    header = "channel\toffice\tmerchant_no\tout_order_no\tpayment_no\tmch_customs_no\tbuyer_name\tcert_id\tremark"
    row = f"wechatpay\tnowhere\tM100\tO-1\tP-1\t110396T0001\t{NAME}\t{CERT_ID}\tfragile"
    assert boss.post("/import", pasted=f"{header}\n{row}\n").status_code == 303
    return waiting


def _ids(services: Services, boss: Visitor) -> dict[str, str]:
    """By what routes call them. The session and the person are the boss's."""
    queries = {
        "batch_id": "SELECT batch_id FROM declarations WHERE state = 'FAIL'",
        "declaration_id": "SELECT id FROM declarations WHERE state = 'FAIL'",
        "cause_id": "SELECT id FROM causes",
        "draft_id": "SELECT id FROM drafts",
        "payment_id": "SELECT id FROM payments",
        "endpoint_id": "SELECT id FROM webhook_endpoints",
        "event_id": "SELECT event_id FROM webhook_deliveries",
        "key_id": "SELECT id FROM api_keys",
        "log_id": "SELECT id FROM requests",
        "filter_id": "SELECT id FROM saved_filters",
        "lane_id": "SELECT id FROM lanes",
        "session_id": f"SELECT id FROM sessions WHERE person_id = '{boss.person_id}'",
    }
    with services.reading() as db:
        found = {name: str(db.scalars(text(query)).first()) for name, query in queries.items()}
    assert "None" not in found.values(), found
    return found | {"person_id": boss.person_id, "place": "8", "number": "2"}


def _numbers(services: Services) -> list[str]:
    one = "SELECT {name} FROM {table}"
    names = [(name, table) for name in ("out_order_no", "payment_no") for table in ("declarations", "payments")]
    with services.reading() as db:
        found = {number for name, table in names for number in db.scalars(text(one.format(name=name, table=table)))}
    return sorted(found)


def _refuse_what_postgresql_refuses(_connection: Any, _cursor: Any, _statement: str, parameters: Any, *_: Any) -> None:
    rows = parameters if isinstance(parameters, list) else [parameters]
    for value in (value for row in rows for value in (row.values() if isinstance(row, dict) else row)):
        if isinstance(value, str) and "\x00" in value:
            raise ValueError("PostgreSQL knows no text with a NUL in it")
        if isinstance(value, str):
            value.encode()
        if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
            raise ValueError("PostgreSQL knows no integer so large")
