"""What is done with the things that the recipes added: run in the copy; each returns what the test looks at."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import select, text
from werkzeug.serving import make_server

from customs.declarations.pushes.claim import Task
from customs.declarations.pushes.handler import GATEWAY_CALLS
from customs.events.outbox import EventType, OutboxEvent
from customs.gateway import PAYMENT_CHANNELS, DeclarationReply, Gateway, Signer, channels
from customs.gateway.endpoints import BY_NAME
from customs.gateway.signing import read_private_key
from customs.sandbox import SandboxSettings
from customs.sandbox.app import create_sandbox
from customs.spreadsheets.reader import read_grid
from tests import make
from tests.conftest import SIGNING_KEY
from tests.imports.clerk import order_row
from tests.imports.importing import hand_in
from tests.imports.spreadsheets import csv_text
from tests.product import Desk
from tests.web.crowded import Crowd
from tests.webhooks.courier import Courier

PARCEL = "SF100200300"


def a_declaration_at_the_new_office(crowd: Crowd) -> list[str]:
    """The codes that it is pushed to."""
    desk = Desk(crowd.services)
    batch = desk.take_in(make.declaration_row("alipay", office="QINGDAO", merchant_customs_name="某某公司"))
    with crowd.services.reading() as db:
        found = db.execute(
            text("SELECT customs FROM pushes JOIN declarations d ON d.id = declaration_id WHERE batch_id = :id"),
            {"id": batch.id},
        )
        return sorted(code for (code,) in found)


def what_the_new_rule_finds(crowd: Crowd) -> list[str]:
    """The codes of the findings of an order that breaks it, as a clerk's import shows them."""
    desk = Desk(crowd.services)
    row = make.declaration_row(duty=666)
    batch = desk.take_in(row, make.declaration_row(), on_error="accept_valid")
    return [finding["code"] for finding in batch.findings]


def somebody_of_the_new_role(crowd: Crowd) -> list[int]:
    """What the pages that the role opens, and one that it does not, answer."""
    auditor = crowd.people.signed_in("auditor", ["M100"])
    return [auditor.get(path).status_code for path in ("/", "/audit", "/import")]


def the_new_event_reaches_its_endpoint(crowd: Crowd) -> int:
    """How many deliveries it makes."""
    courier = Courier(crowd.services)
    courier.announce(EventType("declaration.archived"), declaration_id=crowd.ids["declaration_id"])
    courier.fan_out()
    with crowd.services.reading() as db:
        query = "SELECT count(*) FROM webhook_deliveries d JOIN announcements a ON a.id = d.event_id"
        return int(db.scalar(text(f"{query} WHERE a.type = 'declaration.archived'")) or 0)


def a_declaration_with_the_new_column(crowd: Crowd) -> list[str]:
    """Where the value of the new column is found."""
    desk, sent = Desk(crowd.services), []

    def reply(task: Any) -> Any:
        params = task.filing.params_for(BY_NAME[f"{task.channel}_declare"])
        sent.append((task.channel, params.get("logistics_no")))
        return make.reply("SUCCESS", desk.now)

    rows = (make.declaration_row(channel, logistics_no=PARCEL) for channel in PAYMENT_CHANNELS)
    batch = desk.take_in(*rows)
    draft = hand_in(crowd.boss, csv_text(order_row(logistics_no=PARCEL)).encode(), "orders.csv").location
    with crowd.services.reading() as db:
        declared = db.scalar(text("SELECT id FROM declarations WHERE batch_id = :id"), {"id": batch.id})
    desk.work(reply)
    results = read_grid(crowd.boss.get(f"/batches/{batch.id}/result.xlsx").data, "results.xlsx")
    with crowd.services.reading() as db:
        of_batch = OutboxEvent.type == EventType.DECLARATION_SUCCEEDED, OutboxEvent.batch_id == batch.id
        events = db.scalars(select(OutboxEvent.data).where(*of_batch)).all()
    found = {
        "page": PARCEL in crowd.boss.get(f"/declarations/{declared}").text,
        "draft": PARCEL in crowd.boss.get(f"{draft}?show=rest").text,
        **{str(channel): (channel, PARCEL) in sent for channel in PAYMENT_CHANNELS},
        "result": all(PARCEL in cells for _, cells in results.rows),
        "event": bool(events) and all(data["logistics_no"] == PARCEL for data in events),
    }
    return [place for place, is_there in found.items() if is_there]


@contextmanager
def sandbox_gateway() -> Iterator[Gateway]:
    """A client of a sandbox that is served over HTTP and takes no time between states."""
    with TemporaryDirectory() as folder:
        public_key = Path(folder) / "agent.pem"
        public_key.write_bytes(
            read_private_key(SIGNING_KEY.read_bytes())
            .public_key()
            .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        )
        server = make_server("127.0.0.1", 0, create_sandbox(SandboxSettings("A1", public_key, step_seconds=0)))
        thread = Thread(target=server.serve_forever)
        thread.start()
        gateway = Gateway(f"http://127.0.0.1:{server.server_port}", "A1", Signer.from_file(SIGNING_KEY))
        try:
            yield gateway
        finally:
            gateway.close()
            server.shutdown()
            thread.join()
            server.server_close()


def a_declaration_through_the_new_channel(crowd: Crowd) -> dict[str, Any]:
    """Its calls with what the sandbox answered, its state in the end, and where the channel is found."""
    desk, answered = Desk(crowd.services), []
    batch = desk.take_in(make.declaration_row("unionpay"))
    with crowd.services.reading() as db:
        declared = db.scalar(text("SELECT id FROM declarations WHERE batch_id = :id"), {"id": batch.id})
    with sandbox_gateway() as gateway:
        by_channel = channels(gateway)

        def reply(task: Task) -> DeclarationReply:
            if task.declaration_id != declared:
                return make.reply("SUCCESS", desk.now)
            answer = GATEWAY_CALLS[task.action](by_channel[task.channel], task.filing)
            answered.append((task.action, answer.state, answer.gateway_no is not None))
            return answer

        while any(push.next_action for push in desk.declaration(declared).pushes):
            desk.work(reply)
            desk.wait(minutes=1)
    draft = hand_in(crowd.boss, csv_text(order_row(channel="银联")).encode(), "orders.csv").location
    results = read_grid(crowd.boss.get(f"/batches/{batch.id}/result.xlsx").data, "results.xlsx")
    return {
        "calls": answered,
        "state": desk.declaration(declared).state,
        "draft": "UnionPay" in crowd.boss.get(f"{draft}?show=rest").text,
        "page": "UnionPay" in crowd.boss.get(f"/declarations/{declared}").text,
        "result": [cells for _, cells in results.rows],
    }


EXTRAS: tuple[Callable[[Crowd], Any], ...] = (
    a_declaration_at_the_new_office,
    a_declaration_with_the_new_column,
    a_declaration_through_the_new_channel,
    what_the_new_rule_finds,
    somebody_of_the_new_role,
    the_new_event_reaches_its_endpoint,
)
