"""A desk on which something of everything has happened, for the pages that show one thing."""

from datetime import datetime
from typing import Any

import pyotp
from sqlalchemy import select

from customs.audit.request_log import LoggedRequest
from customs.auth.models import ApiKey, Person
from customs.auth.principal import Caller
from customs.auth.roles import caller_of_person
from customs.auth.totp import secret_place
from customs.container import Services
from customs.declarations.models import Push
from customs.gateway.messages.records import GATEWAY_TIME
from customs.imports.drafts import open_draft
from tests import make
from tests.browser.browsing import Somebody
from tests.imports.clerk import order_row
from tests.imports.importing import warehouse_file
from tests.journeys.deployment import Deployment
from tests.journeys.erp import Erp
from tests.journeys.processes import wait_until

# Each ends as its word says; what fails alike comes twice, so that it is a group.
WORDS = ("FAIL", "FAIL", "EXCEPT", "DIFFERENT", "REFUSE")


def furnish(deployment: Deployment, url: str) -> dict[str, str]:
    """Let a program declare, collect and refund; returns the ids of what is there, by what routes call them.

    After a colon stands which one, where there are several.
    """
    erp = deployment.erp(url)
    ids = _declared(deployment, erp) | _collected(erp)
    target = {"url": f"{url}/healthz", "types": ["declaration.failed"]}
    ids["endpoint_id"] = erp.post("/webhook-endpoints", target).json()["id"]
    erp.post(f"/webhook-endpoints/{ids['endpoint_id']}/test", {})
    with deployment.services.reading() as db:
        ids["key_id"] = db.scalars(select(ApiKey.id)).all()[-1]
        ids["log_id"] = db.scalars(select(LoggedRequest.id).where(LoggedRequest.method == "POST")).all()[-1]
    return ids | {"code": "validation_failed", "today": datetime.now(GATEWAY_TIME).date().isoformat()}


def _declared(deployment: Deployment, erp: Erp) -> dict[str, str]:
    buyer = make.buyer_row(name="欧阳若兰·买买提艾力", cert_id=make.cert_id(77))
    failing = [make.declaration_row(out_order_no=make.number(f"{word}-"), buyer=buyer) for word in WORDS]
    split = make.declaration_row("alipay", office="SHENZHEN", parts=3, buyer=buyer)
    batch_id = erp.hand_in(*failing, split, make.declaration_row(duty=88))
    deployment.wait_until_drained()
    ids = {"batch_id": batch_id, "declaration_id": _id_of(erp, failing[0]), "declaration_id:split": _id_of(erp, split)}
    ids |= {"declaration_id:identity": _id_of(erp, failing[3]), "out_order_no": failing[0]["out_order_no"]}
    with deployment.services.reading() as db:
        cause = select(Push.cause_id).where(Push.declaration_id == ids["declaration_id"])
        return ids | {"cause_id": str(db.scalars(cause).one())}


def _collected(erp: Erp) -> dict[str, str]:
    at_the_till = {"method": "scan_pay", "auth_code": "135605691981176449"}
    waiting, paid = _pay(erp), _pay(erp, **at_the_till, out_order_no=make.number("SHOP-"))
    expired = _pay(erp, out_order_no=make.number("PAY-EXPIRE-"))
    erp.post(f"/payments/{paid}/refunds", {"reason": "sold out", "amount": "40.00"}).raise_for_status()
    wait_until(lambda: erp.get(f"/payments/{expired}")["status"] == "EXPIRED", "nobody paid in time")
    wait_until(lambda: erp.get("/refunds", payment_id=paid)["data"][0]["status"] == "SUCCESS", "it is refunded")
    return {"payment_id": waiting, "payment_id:refunded": paid, "payment_id:expired": expired}


def _pay(erp: Erp, **changes: Any) -> str:
    order = {"channel": "wechatpay", "method": "scanned_pay", "merchant_no": make.MERCHANT, "subject": "一盒茶"}
    answer = erp.post("/payments", order | {"amount": "100.00", "currency": "CNY"} | changes)
    answer.raise_for_status()
    return str(answer.json()["id"])


def _id_of(erp: Erp, row: dict[str, Any]) -> str:
    return str(erp.declaration(row)["id"])


def draft_of(services: Services, person: Somebody) -> str:
    """A file that somebody has handed in and not submitted: some of it is wrong."""
    wrong = ({}, {"cert_id": "11010519491231002Y"}, {"office": "亚特兰蒂斯"}, {"payment_no": "5.10921E+17"})
    with services.transaction() as db:
        content = warehouse_file(*(order_row(**changes) for changes in wrong))
        return open_draft(db, services.vault, _caller(services, person), content, "跨境申报订单.csv").id


def give_codes(services: Services, person: Somebody) -> None:
    """From now on they are asked for a one-time code."""
    with services.transaction() as db:
        found = db.get_one(Person, person.id)
        found.code_secret = services.vault.seal(pyotp.random_base32(), secret_place(person.id))


def _caller(services: Services, person: Somebody) -> Caller:
    with services.reading() as db:
        return caller_of_person(db.get_one(Person, person.id))
