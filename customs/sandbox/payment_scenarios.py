"""Scenarios of payments, refunds and notifications, by trigger words in the caller's numbers: four tables."""

import json
from dataclasses import dataclass

from customs.sandbox.declaration_scenarios import Course, Refusal, Step, Table

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
    chinese: str
    english: str
    course: Course = ()
    refusal: Refusal | None = None
    hidden_reads: int = 0


PAYMENT_SCENARIOS = (
    PaymentScenario(
        "",
        "付款码支付立即成功;其余方式等待付款人在 /pay 页面付款,两小时后失效",
        "scan_pay is PAID at once; every other method waits for the payer at /pay, and expires after two hours",
    ),
    PaymentScenario("PAY-AUTO", "三步后自动支付成功", "paid by itself after 3 steps", (Step("INIT", 3), *PAID)),
    PaymentScenario("PAY-SLOW", "二十步后自动支付成功", "paid by itself after 20 steps", (Step("INIT", 20), *PAID)),
    PaymentScenario(
        "PAY-BUTTON", "付款码支付也要等待付款人确认", "scan_pay waits for the payer too", WAITING_FOR_PAYER
    ),
    PaymentScenario("PAY-FAIL", "支付失败", "FAIL after 1 step", (INIT, Step("FAIL", None))),
    PaymentScenario("PAY-EXPIRE", "三步后订单失效", "EXPIRED after 3 steps", (Step("INIT", 3), Step("EXPIRED", None))),
    PaymentScenario(
        "PAY-STRANGE",
        "先返回文档没有的状态 USERPAYING,之后支付成功",
        "a status the document does not know (USERPAYING) for 2 steps, then PAID",
        (INIT, Step("USERPAYING", 2), *PAID),
    ),
    PaymentScenario("PAY-HIDDEN", "前两次查询查不到(404)", "the first two queries find nothing (404)", hidden_reads=2),
    PaymentScenario(
        "PAY-REFUSE",
        "下单被拒绝(400)",
        "the create is refused with 400",
        refusal=Refusal(400, "refused as the order number asks"),
    ),
    PaymentScenario(
        "PAY-BIZ555",
        "下单被微信拒绝(555,业务错误)",
        "the create is refused with 555, a business code inside",
        refusal=_business("payment"),
    ),
)


@dataclass(frozen=True)
class Wallet:
    """Whose wallet pays: its currency, and its name in each channel's reply (`pay_method`, `channel`)."""

    word: str
    chinese: str
    english: str
    currency: str
    wechatpay: str
    alipay: str


WALLETS = (
    Wallet("", "大陆钱包", "a mainland wallet pays", "CNY", "WECHATPAYCN", "ALIPAYCN"),
    Wallet("WALLET-HK", "香港钱包付款", "a Hong Kong wallet pays, in HKD", "HKD", "WECHATPAYHK", "ALIPAYHK"),
)


@dataclass(frozen=True)
class RefundScenario:
    """One row; the word stands in the refund's number or in the order's."""

    word: str
    chinese: str
    english: str
    course: Course = REFUNDED
    refusal: Refusal | None = None


RETURNING = Step("PROCESSING", 3)

REFUND_SCENARIOS = (
    RefundScenario("", "退款立即成功", "refunded at once"),
    RefundScenario(
        "REFUND-WAIT", "退款处理中,三步后成功", "PROCESSING for 3 steps, then SUCCESS", (RETURNING, *REFUNDED)
    ),
    RefundScenario(
        "REFUND-BOUNCE",
        "退款处理中,三步后失败,金额恢复可退",
        "PROCESSING for 3 steps, then FAIL: the amount may be refunded again",
        (RETURNING, Step("FAIL", None)),
    ),
    RefundScenario(
        "REFUND-DENY",
        "退款被拒绝(400)",
        "the refund is refused with 400",
        refusal=Refusal(400, "refused as the number asks"),
    ),
    RefundScenario(
        "REFUND-POOR",
        "退款被微信拒绝(555,余额不足)",
        "the refund is refused with 555 (NOTENOUGH inside)",
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
    chinese: str
    english: str
    sendings: tuple[Sending, ...] = (Sending(),)
    early: bool = False


NOTIFICATION_SCENARIOS = (
    NotificationScenario(
        "", "支付成功后立即通知,直到应答 success", "told when PAID, again until the answer is success"
    ),
    NotificationScenario("NOTIFY-LATE", "支付成功十步后才通知", "told 10 steps after PAID", (Sending(10),)),
    NotificationScenario(
        "NOTIFY-EARLY",
        "立即支付成功,通知先于下单应答到达",
        "paid at once, and told before the reply to the create leaves",
        early=True,
    ),
    NotificationScenario("NOTIFY-TWICE", "通知两次", "told twice", (Sending(), Sending(1))),
    NotificationScenario(
        "NOTIFY-FORGED",
        "先是签名错误的通知,再是正确的通知",
        "told with a wrong signature first, then with the right one",
        (Sending(forged=True), Sending(1)),
    ),
    NotificationScenario("NOTIFY-NEVER", "从不通知", "never told", ()),
)


PAYMENTS = Table(PAYMENT_SCENARIOS)
WALLET = Table(WALLETS)
REFUNDS = Table(REFUND_SCENARIOS)
NOTIFY = Table(NOTIFICATION_SCENARIOS)
