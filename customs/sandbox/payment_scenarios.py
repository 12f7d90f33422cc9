"""Scenarios of payments, refunds and notifications, by trigger words in the caller's numbers: four tables."""

import json
from dataclasses import dataclass

from customs.sandbox.declaration_scenarios import Course, Refusal, Step, Table

# Marks a text for the translations; the pages translate it.
_ = str
INIT = Step("INIT", 1)
WAITING_FOR_PAYER: Course = (Step("INIT", None),)
PAID: Course = (Step("PAID", None),)
REFUNDED: Course = (Step("SUCCESS", None),)
BUSINESS = {"payment": ("付款码无效", "AUTH_CODE_INVALID"), "refund": ("商户可用退款余额不足", "NOTENOUGH")}


def _business(kind: str) -> Refusal:
    message, code = BUSINESS[kind]
    return Refusal(555, json.dumps({"wx_message": message, "wx_code": code}, ensure_ascii=False))


@dataclass(frozen=True)
class PaymentScenario:
    """One row. Without a `course` the method decides; the first `hidden_reads` queries find nothing (404)."""

    word: str
    meaning: str
    course: Course = ()
    refusal: Refusal | None = None
    hidden_reads: int = 0


PAYMENT_SCENARIOS = (
    PaymentScenario(
        "",
        _("scan_pay is PAID at once; every other method waits for the payer at /pay, and expires after two hours"),
    ),
    PaymentScenario("PAY-AUTO", _("paid by itself after 3 steps"), (Step("INIT", 3), *PAID)),
    PaymentScenario("PAY-SLOW", _("paid by itself after 20 steps"), (Step("INIT", 20), *PAID)),
    PaymentScenario("PAY-BUTTON", _("scan_pay waits for the payer too"), WAITING_FOR_PAYER),
    PaymentScenario("PAY-FAIL", _("FAIL after 1 step"), (INIT, Step("FAIL", None))),
    PaymentScenario("PAY-EXPIRE", _("EXPIRED after 3 steps"), (Step("INIT", 3), Step("EXPIRED", None))),
    PaymentScenario(
        "PAY-STRANGE",
        _("a status the document does not know (USERPAYING) for 2 steps, then PAID"),
        (INIT, Step("USERPAYING", 2), *PAID),
    ),
    PaymentScenario("PAY-HIDDEN", _("the first two queries find nothing (404)"), hidden_reads=2),
    PaymentScenario(
        "PAY-REFUSE",
        _("the create is refused with 400"),
        refusal=Refusal(400, "refused as the order number asks"),
    ),
    PaymentScenario(
        "PAY-BIZ555",
        _("the create is refused with 555, a business code inside"),
        refusal=_business("payment"),
    ),
)


@dataclass(frozen=True)
class Wallet:
    """Whose wallet pays: its currency, and its name in each channel's reply (`pay_method`, `channel`)."""

    word: str
    meaning: str
    currency: str
    wechatpay: str
    alipay: str


WALLETS = (
    Wallet("", _("a mainland wallet pays"), "CNY", "WECHATPAYCN", "ALIPAYCN"),
    Wallet("WALLET-HK", _("a Hong Kong wallet pays, in HKD"), "HKD", "WECHATPAYHK", "ALIPAYHK"),
)


@dataclass(frozen=True)
class RefundScenario:
    """One row; the word stands in the refund's number or in the order's."""

    word: str
    meaning: str
    course: Course = REFUNDED
    refusal: Refusal | None = None


RETURNING = Step("PROCESSING", 3)

REFUND_SCENARIOS = (
    RefundScenario("", _("refunded at once")),
    RefundScenario("REFUND-WAIT", _("PROCESSING for 3 steps, then SUCCESS"), (RETURNING, *REFUNDED)),
    RefundScenario(
        "REFUND-BOUNCE",
        _("PROCESSING for 3 steps, then FAIL: the amount may be refunded again"),
        (RETURNING, Step("FAIL", None)),
    ),
    RefundScenario(
        "REFUND-DENY",
        _("the refund is refused with 400"),
        refusal=Refusal(400, "refused as the number asks"),
    ),
    RefundScenario(
        "REFUND-POOR",
        _("the refund is refused with 555 (NOTENOUGH inside)"),
        refusal=_business("refund"),
    ),
)


@dataclass(frozen=True)
class Sending:
    """One notification to send: so many steps after PAID; a forged one is sent once, a true one until `success`."""

    steps: float = 0
    forged: bool = False


@dataclass(frozen=True)
class NotificationScenario:
    """One row; `early`: paid at once, and told before the reply to the create leaves."""

    word: str
    meaning: str
    sendings: tuple[Sending, ...] = (Sending(),)
    early: bool = False


NOTIFICATION_SCENARIOS = (
    NotificationScenario("", _("told when PAID, again until the answer is success")),
    NotificationScenario("NOTIFY-LATE", _("told 10 steps after PAID"), (Sending(10),)),
    NotificationScenario(
        "NOTIFY-EARLY",
        _("paid at once, and told before the reply to the create leaves"),
        early=True,
    ),
    NotificationScenario("NOTIFY-TWICE", _("told twice"), (Sending(), Sending(1))),
    NotificationScenario(
        "NOTIFY-FORGED",
        _("told with a wrong signature first, then with the right one"),
        (Sending(forged=True), Sending(1)),
    ),
    NotificationScenario("NOTIFY-NEVER", _("never told"), ()),
)


PAYMENTS = Table(PAYMENT_SCENARIOS)
WALLET = Table(WALLETS)
REFUNDS = Table(REFUND_SCENARIOS)
NOTIFY = Table(NOTIFICATION_SCENARIOS)
