"""What people do leaves an entry, whichever door they come through: who it was, what they did, to which, and why."""

from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from customs.audit.actions import AuditAction
from customs.audit.hash_chain import ChainDefect
from customs.audit.models import AuditEntry
from customs.audit.trail import AuditTrail
from customs.auth.models import ApiKey
from customs.auth.principal import Scope
from customs.cli import commands
from customs.container import Services
from customs.declarations.models import Batch, Declaration
from customs.errors import ActionNotAllowed, InsufficientScope, ValidationFailed
from tests import make
from tests.api.conftest import Erp
from tests.audit.trails import Trail
from tests.payments.till import Till, payment_row
from tests.product import Desk
from tests.webhooks.courier import Courier

ERP = make.caller()
WRITER = make.caller(scopes=frozenset({Scope.DECLARATIONS_WRITE}))
WHY = "the office asked for it"


@pytest.fixture
def till(services: Services, desk: Desk) -> Till:
    return Till(services, desk)


@pytest.fixture
def courier(services: Services) -> Courier:
    return Courier(services)


@pytest.fixture
def run(services: Services):
    """A command of whoever runs the host, on the same database."""
    variables = {"CUSTOMS_HOME": str(services.settings.home), "CUSTOMS_DATABASE_URL": services.settings.database_url}

    def ran(*words: str, secret_key: str = make.SECRETS["CUSTOMS_SECRET_KEY"]) -> str:
        environ = make.SECRETS | variables | {"CUSTOMS_SECRET_KEY": secret_key}
        done = CliRunner(env=environ).invoke(commands, words, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return str(done.stdout)

    return ran


@pytest.fixture
def key(erp: Erp, services: Services) -> ApiKey:
    """The ERP's key, as it is stored."""
    with services.reading() as db:
        return db.scalars(select(ApiKey).order_by(ApiKey.id)).first()


def as_row(entry: AuditEntry) -> tuple[str, str, str, str, str | None, str | None]:
    return entry.actor_id, entry.actor, entry.action, entry.subject_id, entry.merchant_no, entry.reason


def acts(trail: Trail) -> list[str]:
    return [entry.action for entry in trail.entries()]


# A person's decisions.


def test_a_push_again_says_which_pushes_and_whether_it_was_let_out(trail: Trail, desk: Desk):
    declaration_id = desk.declare("alipay")
    desk.end(declaration_id, "FAIL")
    desk.wait(minutes=10)
    push = desk.push(declaration_id)

    desk.decide("redeclare", declaration_id, by=ERP, override=True, push_ids=[push.id])

    entry = trail.last()
    assert as_row(entry) == (
        ERP.id,
        ERP.name,
        AuditAction.DECLARATION_REDECLARE,
        declaration_id,
        make.MERCHANT,
        "because",
    )
    assert entry.detail == {"override": "true", "pushes": push.id}
    assert entry.at == max(event.at for event in desk.events(declaration_id))
    assert trail.verify().ok


def test_a_correction_says_what_was_changed_and_not_to_what(trail: Trail, desk: Desk):
    declaration_id = desk.declare(buyer=make.buyer_row())

    desk.modify(declaration_id, by=ERP, duty=5, buyer={"name": "韩梅梅", "cert_id": make.cert_id(7)})

    entry = trail.last()
    assert as_row(entry) == (ERP.id, ERP.name, AuditAction.DECLARATION_MODIFY, declaration_id, make.MERCHANT, "because")
    assert entry.detail == {"changed": "buyer, duty", "pushes": desk.push(declaration_id).id}
    assert "韩梅梅" not in str(trail.rows()) and make.cert_id(7) not in str(trail.rows())


def test_a_cancellation_is_on_record(trail: Trail, desk: Desk):
    declaration_id = desk.declare()

    desk.decide("cancel", declaration_id, by=ERP)

    assert as_row(trail.last()) == (
        ERP.id,
        ERP.name,
        AuditAction.DECLARATION_CANCEL,
        declaration_id,
        make.MERCHANT,
        "because",
    )


def test_a_dismissal_says_what_case_was_closed(trail: Trail, desk: Desk):
    declaration_id = desk.declare()
    desk.end(declaration_id, "FAIL")
    case = desk.declaration(declaration_id).case_reason

    desk.decide("dismiss", declaration_id, by=ERP)

    entry = trail.last()
    assert (entry.action, entry.actor_id, entry.detail) == (AuditAction.DECLARATION_DISMISS, ERP.id, {"case": case})


def test_a_decision_that_was_refused_leaves_no_entry(trail: Trail, desk: Desk):
    declaration_id = desk.declare()

    with pytest.raises(ActionNotAllowed):
        desk.decide("dismiss", declaration_id)
    with pytest.raises(InsufficientScope):
        desk.decide("redeclare", declaration_id, by=WRITER, override=True)
    with pytest.raises(ValidationFailed):
        desk.modify(declaration_id)

    assert acts(trail) == [AuditAction.BATCH_SUBMIT]


def test_an_id_number_in_a_reason_is_masked_in_the_timeline_and_on_record(trail: Trail, desk: Desk, erp: Erp):
    declaration_id, cert_id = desk.declare(), make.cert_id(9)

    erp.post(f"/declarations/{declaration_id}/cancel", {"reason": f"{cert_id} is wrong"})

    masked = f"{cert_id[:4]}**********{cert_id[-4:]} is wrong"
    assert (trail.last().reason, desk.events(declaration_id)[-1].detail["reason"]) == (masked, masked)


# Batches.


def test_a_batch_is_one_entry_however_many_rows_it_has(trail: Trail, desk: Desk):
    known = make.declaration_row()
    desk.take_in(known)

    broken = make.declaration_row(office="ATLANTIS")
    batch = desk.take_in(
        known, *(make.declaration_row() for _ in range(20)), broken, caller=ERP, on_error="accept_valid"
    )

    entry = trail.last()
    assert acts(trail) == [AuditAction.BATCH_SUBMIT] * 2
    assert as_row(entry) == (ERP.id, ERP.name, AuditAction.BATCH_SUBMIT, batch.id, make.MERCHANT, None)
    assert entry.detail == {"name": batch.name, "rows": "22", "accepted": "20", "replayed": "1"}


def test_a_batch_of_several_merchants_is_none_of_theirs_alone(trail: Trail, desk: Desk):
    desk.take_in(make.declaration_row(), make.declaration_row(merchant_no="M200"))

    assert trail.last().merchant_no is None


def test_a_batch_that_was_refused_leaves_no_entry(trail: Trail, desk: Desk):
    with pytest.raises(ValidationFailed):
        desk.take_in(make.declaration_row(office="ATLANTIS"))

    assert trail.entries() == []


# Payments and refunds.


def test_a_payment_is_on_record_once(trail: Trail, till: Till):
    payment_id = till.pay(ERP, out_order_no="SHOP1", currency="HKD", amount="12.50")
    till.pay(ERP, out_order_no="SHOP1", currency="HKD", amount="12.50")

    (entry,) = trail.entries()
    assert as_row(entry) == (ERP.id, ERP.name, AuditAction.PAYMENT_CREATE, payment_id, make.MERCHANT, None)
    assert entry.detail == {"channel": "wechatpay", "method": "scanned_pay", "amount": "12.50", "currency": "HKD"}


def test_a_refund_is_on_record_with_its_reason(trail: Trail, till: Till):
    payment_id = till.paid()

    refund_id = till.refund(payment_id, "3.00", ERP)

    entry = trail.last()
    assert as_row(entry) == (ERP.id, ERP.name, AuditAction.REFUND_CREATE, refund_id, make.MERCHANT, "sold out")
    assert entry.detail == {"payment": payment_id, "amount": "3.00", "currency": "CNY"}


def test_a_refund_that_was_refused_leaves_no_entry(trail: Trail, till: Till):
    payment_id = till.paid()

    with pytest.raises(ActionNotAllowed):
        till.refund(payment_id, "1000.00")

    assert acts(trail) == [AuditAction.PAYMENT_CREATE]


# Webhooks.


def test_what_is_done_to_an_endpoint_is_on_record_with_its_host_and_no_secret(trail: Trail, courier: Courier):
    endpoint_id = courier.listen("http://127.0.0.1:9/hook?token=a-secret-of-theirs", by=make.caller("M100"))

    for action in ("rotate", "resume", "remove"):
        courier.decide(action, endpoint_id, by=make.caller("M100"))

    assert acts(trail) == [
        AuditAction.WEBHOOK_CREATE,
        AuditAction.WEBHOOK_ROTATE,
        AuditAction.WEBHOOK_RESUME,
        AuditAction.WEBHOOK_DELETE,
    ]
    assert {as_row(entry)[:2] + as_row(entry)[3:] for entry in trail.entries()} == {
        (ERP.id, ERP.name, endpoint_id, "M100", None)
    }
    assert {entry.detail["host"] for entry in trail.entries()} == {"127.0.0.1"}
    assert "a-secret-of-theirs" not in str(trail.rows())


# Through the API: the key is who did it.


class TestThroughTheApi:
    @pytest.fixture
    def database_url(self, sqlite_url: str) -> str:
        """Doors are the same on both."""
        return sqlite_url

    @pytest.fixture
    def written(self, trail: Trail, key: ApiKey):
        """The last entry, which is the key's."""

        def last() -> AuditEntry:
            entry = trail.last()
            assert (entry.actor_id, entry.actor) == (key.id, key.name)
            assert trail.verify().ok
            return entry

        return last

    def test_a_batch_that_is_sent_again_under_its_key_is_one_entry(self, erp: Erp, trail: Trail, written):
        body = {"name": "first", "declarations": [make.declaration_row()]}
        answers = [erp.post("/batches", body, Idempotency_Key="one") for _ in range(2)]

        entry = written()
        assert acts(trail) == [AuditAction.BATCH_SUBMIT]
        assert (entry.subject_id, entry.detail["name"]) == (answers[1].json["id"], "first")

    @pytest.mark.parametrize(
        ("action", "body"),
        [("redeclare", {"override": True}), ("modify", {"duty": 7}), ("dismiss", {}), ("cancel", {})],
    )
    def test_a_decision(self, erp: Erp, desk: Desk, written, action: str, body: dict[str, Any]):
        declaration_id = desk.declare()
        if action != "cancel":
            desk.end(declaration_id, "FAIL")

        answered = erp.post(f"/declarations/{declaration_id}/{action}", {"reason": WHY} | body)

        assert answered.status_code in (200, 202), answered.text
        assert as_row(written())[2:] == (f"declaration.{action}", declaration_id, make.MERCHANT, WHY)

    def test_a_payment_and_its_refund(self, erp: Erp, till: Till, written):
        made = erp.post("/payments", payment_row()).json

        assert as_row(written())[2:] == (AuditAction.PAYMENT_CREATE, made["id"], make.MERCHANT, None)

        refund = erp.post(f"/payments/{till.paid()}/refunds", {"reason": WHY, "amount": "1.00"}).json
        assert as_row(written())[2:] == (AuditAction.REFUND_CREATE, refund["id"], make.MERCHANT, WHY)

    def test_registrations(self, erp: Erp, written):
        row = {"merchant_no": "M100", "channel": "wechatpay", "office": "HANGZHOU", "mch_customs_no": "R1"}
        offices = ("HANGZHOU", "SHENZHEN", "XIAN", "SHANGHAI", "NINGBO", "GUANGZHOU_HUANGPU")
        answered = erp.put("/registrations", {"registrations": [row | {"office": office} for office in offices]})

        entry = written()
        assert answered.status_code == 200, answered.text
        assert as_row(entry)[2:] == (AuditAction.REGISTRATION_PUT, "M100", "M100", None)
        assert (entry.detail["count"], entry.detail["first"].count(",")) == ("6", 4)
        assert entry.detail["first"].startswith("M100/wechatpay/HANGZHOU, ")

    def test_a_lane(self, erp: Erp, desk: Desk, written):
        desk.stop_lane("the gateway refused our signature")

        erp.post(f"/lanes/{desk.lane}/resume", {})

        entry = written()
        assert as_row(entry)[2:] == (AuditAction.LANE_RESUME, desk.lane, None, None)
        assert entry.detail == {"stopped_for": "the gateway refused our signature"}

    def test_an_endpoint(self, erp: Erp, trail: Trail, written, services: Services):
        services.settings = replace(services.settings, sandbox=True)
        made = erp.post("/webhook-endpoints", {"url": "http://127.0.0.1:9/"})
        assert made.status_code == 201, made.text
        path = f"/webhook-endpoints/{made.json['id']}"
        for answered in (erp.post(f"{path}/rotate", {}), erp.post(f"{path}/resume", {}), erp.call("DELETE", path)):
            assert answered.status_code in (200, 204), answered.text

        assert as_row(written())[2:] == (AuditAction.WEBHOOK_DELETE, made.json["id"], None, None)
        assert acts(trail) == [
            AuditAction.WEBHOOK_CREATE,
            AuditAction.WEBHOOK_ROTATE,
            AuditAction.WEBHOOK_RESUME,
            AuditAction.WEBHOOK_DELETE,
        ]


# At the command line: the operator is who did it.


class TestAtTheCommandLine:
    @pytest.fixture
    def database_url(self, sqlite_url: str) -> str:
        """A command asks what the functions ask, which are tested on both."""
        return sqlite_url

    @pytest.fixture
    def written(self, trail: Trail):
        """The last entry, which is the operator's."""

        def last() -> AuditEntry:
            entry = trail.last()
            assert (entry.actor_id, entry.actor) == ("operator", "operator")
            assert trail.verify().ok
            return entry

        return last

    def test_keys_given_replaced_and_ended(self, run, trail: Trail, written, services: Services):
        text = run("api-key", "create", "--name", "erp", "--merchant", "M100", "--scope", "payments:read").strip()
        entry = written()
        rights = {"name": "erp", "scopes": "payments:read", "merchants": "M100"}
        assert (entry.action, entry.merchant_no, entry.detail) == (AuditAction.API_KEY_CREATE, "M100", rights)

        new = run("api-key", "rotate", "erp").strip()
        with services.reading() as db:
            first, second = db.scalars(select(ApiKey.id).order_by(ApiKey.id))
        assert (entry.subject_id, written().subject_id) == (first, second)

        run("api-key", "revoke", second)
        assert (written().action, written().subject_id) == (AuditAction.API_KEY_REVOKE, second)
        assert acts(trail) == [AuditAction.API_KEY_CREATE, AuditAction.API_KEY_ROTATE, AuditAction.API_KEY_REVOKE]
        assert text not in str(trail.rows()) and new not in str(trail.rows())

    def test_a_key_for_everything_says_so(self, run, written):
        run("api-key", "create", "--name", "all of it")

        assert written().detail == {"name": "all of it", "scopes": "all", "merchants": "all"}

    def test_lanes(self, run, desk: Desk, written):
        desk.stop_lane("the clocks differ")

        run("lanes", "resume")

        assert (written().action, written().subject_id) == (AuditAction.LANE_RESUME, desk.lane)

    def test_registrations(self, run, written, services: Services):
        file = services.settings.home / "registrations.csv"
        file.write_text("merchant_no,channel,office,mch_customs_no\nM100,wechatpay,XIAN,R1\nM200,wechatpay,XIAN,R2\n")

        run("registrations", "import", str(file))

        entry = written()
        assert as_row(entry)[2:] == (AuditAction.REGISTRATION_PUT, "several", None, None)
        assert entry.detail == {"count": "2", "first": "M100/wechatpay/XIAN, M200/wechatpay/XIAN"}

    def test_a_file_and_what_is_done_about_one_of_its_rows(self, run, desk: Desk, written, services: Services):
        file = services.settings.home / "orders.csv"
        row = make.declaration_row()
        file.write_text(f"{','.join(row)}\n{','.join(row.values())}\n")
        run("submit", str(file))
        with services.reading() as db:
            batch, declaration = db.scalars(select(Batch.id)).one(), db.scalars(select(Declaration.id)).one()
        assert (written().action, written().subject_id, written().detail["name"]) == (
            AuditAction.BATCH_SUBMIT,
            batch,
            "orders.csv",
        )

        run("modify", row["out_order_no"], "--set", "duty=5", "--reason", WHY)
        assert as_row(written())[2:] == (AuditAction.DECLARATION_MODIFY, declaration, make.MERCHANT, WHY)

        desk.end(declaration)
        run("redeclare", row["out_order_no"], "--reason", WHY)
        assert as_row(written())[2:] == (AuditAction.DECLARATION_REDECLARE, declaration, make.MERCHANT, WHY)

    def test_names_and_id_numbers_sealed_with_another_key(self, run, desk: Desk, written):
        desk.declare(buyer=make.buyer_row())

        run("keys", "rotate")

        assert written().action == AuditAction.PERSONAL_DATA_RESEAL
        assert written().detail["buyers"] == "0"

    def test_after_a_new_secret_the_trail_is_sealed_anew_when_that_is_asked_for(self, run, trail: Trail, desk: Desk):
        desk.declare()
        trail.services.audit = AuditTrail("another secret of the tests")
        run("keys", "rotate", secret_key="another secret of the tests")
        assert trail.verify().what is ChainDefect.SEAL

        message = run("keys", "rotate", "--seal-audit-trail", secret_key="another secret of the tests")

        assert "the audit trail of 2 entries was sealed anew" in message
        assert trail.verify().ok
        assert acts(trail)[1:] == [
            AuditAction.PERSONAL_DATA_RESEAL,
            AuditAction.AUDIT_SEAL,
            AuditAction.PERSONAL_DATA_RESEAL,
        ]
