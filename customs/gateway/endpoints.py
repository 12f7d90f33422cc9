"""The 29 endpoints of the document as one table, so that client, sandbox and docs cannot disagree."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Endpoint:
    """One verb and path of the document, with the parameters it takes.

    `required` are always sent, exactly one of `one_of` is sent, each group of `together` is sent whole or not
    at all, and of each pair in `only_with` the first name is sent only beside the second. The document's own
    "required" marks are lost; what is required here follows the project's reading of it.
    """

    name: str
    method: str
    path: str
    section: str
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    together: tuple[tuple[str, ...], ...] = ()
    only_with: tuple[tuple[str, str], ...] = ()
    signed: bool = True

    @property
    def known(self) -> frozenset[str]:
        """Every parameter name that the document lists for this endpoint."""
        return frozenset(self.required + self.optional + self.one_of)


WECHAT_SALE = ("merchant_no", "currency", "amount", "product_info")
ALIPAY_SALE = ("merchant_no", "currency", "amount", "subject")
WECHAT_TRACE = ("agent_order_id", "notify_url")
ALIPAY_TRACE = ("out_order_no", "notify_url")
TERMINAL = ("ip", "product_id", "device_info")

DECLARED = ("out_order_no", "payment_no", "customs", "mch_customs_no")
DECLARED_NUMBER = ("payment_no", "out_order_no", "sub_order_no")
WECHAT_SPLIT = ("sub_order_no", "sub_order_amount", "transport_amount", "product_amount")
ALIPAY_SPLIT = ("sub_order_no", "sub_order_amount")
SPLIT_AMOUNT_NEEDS_NUMBER = (("sub_order_amount", "sub_order_no"),)
IDENTITY = ("cert_id", "name")

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("mp_pay", "POST", "/mp_pay", "4.1", (*WECHAT_SALE, "openid"), WECHAT_TRACE),
    Endpoint("scan_pay", "POST", "/order/scan_pay", "4.2", (*WECHAT_SALE, "auth_code"), WECHAT_TRACE + TERMINAL),
    Endpoint("scanned_pay", "POST", "/order/scanned_pay", "4.3", WECHAT_SALE, WECHAT_TRACE + TERMINAL),
    Endpoint("wx_openid", "GET", "/wx_openid", "4.4", ("code", "merchant_no")),
    Endpoint(
        "mini_program_pay",
        "POST",
        "/mini_program_pay",
        "4.4",
        (*WECHAT_SALE, "openid", "appid"),
        WECHAT_TRACE,
    ),
    Endpoint("app_pay", "POST", "/order/app_pay", "4.5.3", (*WECHAT_SALE, "appid"), WECHAT_TRACE),
    Endpoint(
        "wechatpay_cashier_desk",
        "GET",
        "/wechatpay/cashier_desk",
        "4.6.2",
        (*WECHAT_SALE, "return_url"),
        WECHAT_TRACE,
        signed=False,
    ),
    Endpoint(
        "wechatpay_mp_cashier_desk",
        "GET",
        "/wechatpay/mp_cashier_desk",
        "4.7.2",
        (*WECHAT_SALE, "return_url"),
        WECHAT_TRACE,
        signed=False,
    ),
    Endpoint("refund", "POST", "/refund", "4.8", ("order_no",), ("refund_amount", "outer_refund_no")),
    Endpoint("order", "GET", "/order", "4.9", (), one_of=("order_no", "agent_order_id")),
    Endpoint(
        "query_refund",
        "GET",
        "/refund",
        "4.10",
        (),
        one_of=("refund_no", "order_no", "agent_order_id", "outer_refund_no"),
    ),
    Endpoint("rate", "GET", "/rate", "4.11", ("merchant_no", "currency")),
    Endpoint("alipay_scanned_pay", "POST", "/alipay/scanned_pay", "6.1", ALIPAY_SALE, ALIPAY_TRACE),
    Endpoint("alipay_app_pay", "POST", "/alipay/app_pay", "6.2.1", ALIPAY_SALE, ALIPAY_TRACE),
    Endpoint("alipay_wap_pay", "POST", "/alipay/wap_pay", "6.3", (*ALIPAY_SALE, "return_url"), ALIPAY_TRACE),
    Endpoint(
        "alipay_cashier_desk",
        "GET",
        "/alipay/cashier_desk",
        "6.4.2",
        (*ALIPAY_SALE, "return_url"),
        ALIPAY_TRACE,
        signed=False,
    ),
    Endpoint("alipay_order", "GET", "/alipay/order", "6.5", (), one_of=("payment_no", "out_order_no")),
    Endpoint(
        "alipay_refund",
        "POST",
        "/alipay/refund",
        "6.6",
        ("payment_no",),
        ("refund_amount", "outer_refund_no"),
    ),
    Endpoint(
        "alipay_query_refund",
        "GET",
        "/alipay/refund",
        "6.7",
        (),
        one_of=("refund_no", "payment_no", "outer_order_no", "outer_refund_no"),
    ),
    Endpoint("alipay_rate", "GET", "/alipay/rate", "6.8", ("currency",)),
    Endpoint("alipay_qrcode_pay", "POST", "/alipay/qrcode_pay", "7.1", ALIPAY_SALE, ALIPAY_TRACE),
    Endpoint("alipay_scan_pay", "POST", "/alipay/scan_pay", "7.2", (*ALIPAY_SALE, "auth_code"), ALIPAY_TRACE),
    Endpoint("download_bill", "GET", "/download_bill", "8", ("agent_no", "start_date", "end_date")),
    Endpoint(
        "wechatpay_declare",
        "POST",
        "/wechatpay/declaration",
        "9.1",
        DECLARED,
        ("duty", "action_type", *WECHAT_SPLIT, *IDENTITY),
        together=(WECHAT_SPLIT, IDENTITY),
    ),
    Endpoint(
        "wechatpay_redeclare",
        "POST",
        "/wechatpay/redeclaration",
        "9.2",
        ("customs", "mch_customs_no"),
        one_of=DECLARED_NUMBER,
    ),
    Endpoint(
        "wechatpay_query_declaration",
        "GET",
        "/wechatpay/declaration",
        "9.3",
        ("customs",),
        one_of=DECLARED_NUMBER,
    ),
    Endpoint(
        "alipay_declare",
        "POST",
        "/alipay/declaration",
        "9.4",
        (*DECLARED, "merchant_customs_name"),
        (*ALIPAY_SPLIT, *IDENTITY),
        together=(ALIPAY_SPLIT, IDENTITY),
    ),
    Endpoint(
        "alipay_redeclare",
        "POST",
        "/alipay/redeclaration",
        "9.5",
        ("customs", "mch_customs_no", "merchant_customs_name"),
        ("sub_order_amount", *IDENTITY),
        one_of=DECLARED_NUMBER,
        together=(IDENTITY,),
        only_with=SPLIT_AMOUNT_NEEDS_NUMBER,
    ),
    Endpoint(
        "alipay_query_declaration",
        "GET",
        "/alipay/declaration",
        "9.6",
        (),
        ("sub_order_amount", *IDENTITY),
        one_of=DECLARED_NUMBER,
        together=(IDENTITY,),
        only_with=SPLIT_AMOUNT_NEEDS_NUMBER,
    ),
)

BY_NAME: Mapping[str, Endpoint] = {endpoint.name: endpoint for endpoint in ENDPOINTS}


def check(endpoint: Endpoint, params: Mapping[str, str]) -> list[str]:
    """The errors of `params` for this endpoint, a sentence each, with names only; empty when all is well."""
    errors = [f"{name} is missing" for name in endpoint.required if name not in params]
    errors += [f"{name} is empty" for name, value in params.items() if not value]
    # A cashier desk hands extra parameters back to the return_url (4.6.4), so only there they are welcome.
    if endpoint.signed:
        errors += [f"{name} is not documented in {endpoint.section}" for name in params.keys() - endpoint.known]
    if endpoint.one_of and sum(name in params for name in endpoint.one_of) != 1:
        errors.append(f"exactly one of {', '.join(endpoint.one_of)} is sent")
    for group in endpoint.together:
        if 0 < sum(name in params for name in group) < len(group):
            errors.append(f"{', '.join(group)} are sent together or not at all")
    for name, needed in endpoint.only_with:
        if name in params and needed not in params:
            errors.append(f"{name} is sent only with {needed}")
    return errors
